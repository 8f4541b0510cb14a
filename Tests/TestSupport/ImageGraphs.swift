public import LatheCore
public import Testing

/// Small networks over images and matrices, whose kernels exercise layouts, borders, blocks and their rests.
public struct ImageGraph: Sendable, CustomTestStringConvertible {
  public let name: String
  public let graph: Graph
  public let inputs: [String: NDArray]
  /// What the graph means: its outputs by the reference evaluator.
  public let outputs: [String: NDArray]

  public var testDescription: String { name }

  /// A network of one input `x` and one output `y`.
  init(_ name: String, _ shape: [Int], _ body: (inout Weights, Tensor) -> Tensor) throws {
    self.name = name
    var weights = Weights(builder: Builder(), generator: SeededGenerator(seed: 7))
    let x = weights.builder.input("x", TensorType(.f32, shape.map { Dim($0) }))
    let y = body(&weights, x)
    graph = try weights.builder.finish(name: "images", outputs: [("y", y)])
    inputs = ["x": weights.numbers(shape)]
    outputs = try ReferenceEvaluator.run(graph, inputs: inputs).outputs
  }

  /// Constants of small random numbers.
  struct Weights {
    let builder: Builder
    var generator: SeededGenerator

    mutating func numbers(_ shape: [Int]) -> NDArray {
      let count = shape.reduce(1, *)
      return unfailing {
        try NDArray((0..<count).map { _ in Float.random(in: -1...1, using: &generator) }, shape: shape)
      }
    }

    mutating func callAsFunction(_ shape: Int...) -> Tensor { builder.constant(numbers(shape)) }

    func relu(_ x: Tensor) -> Tensor { x.maximum(builder.zeros(x.type)) }
  }

  private static func convolution(_ stride: Int, _ padding: Int, groups: Int = 1, dilation: Int = 1) -> Convolution {
    Convolution(
      stride: [stride, stride], low: [padding, padding], high: [padding, padding], inputDilation: [1, 1],
      dilation: [dilation, dilation], groups: groups)
  }

  private static func window(_ size: Int, _ stride: Int, _ padding: Int) -> WindowShape {
    WindowShape(
      size: [size, size], stride: [stride, stride], low: [padding, padding], high: [padding, padding])
  }

  private static let rowsByColumns = DotGeneral(leftContracting: [1], rightContracting: [0])

  /// All networks but those of `smallWindows`.
  public static func all() throws -> [ImageGraph] { try networks.get() }

  // Made once: to find out what graphs mean takes longer than to compile them.
  private static let networks = Result {
    [
      try ImageGraph("blocked channels, borders, a plain result", [1, 3, 4, 9]) { w, x in
        let h = w.relu(x.convolution(w(32, 3, 3, 3), convolution(1, 1)))
        return h.convolution(w(6, 32, 3, 3), convolution(1, 1))
      },
      try ImageGraph("a residual block with a stride", [1, 4, 5, 5]) { w, x in
        let h = w.relu(x.convolution(w(16, 4, 3, 3), convolution(1, 1)))
        let s = w.relu(h.convolution(w(16, 16, 3, 3), convolution(1, 1)) + h)
        return s.convolution(w(24, 16, 1, 1), convolution(2, 0))
      },
      try ImageGraph("pooling that reaches over the border", [1, 2, 11, 11]) { w, x in
        let h = x.convolution(w(16, 2, 5, 5), convolution(2, 2))
        let sums = h.windowReduce(.max, window(3, 2, 1)).windowReduce(.sum, window(3, 1, 1))
        return sums.convolution(w(10, 16, 1, 1), convolution(1, 0))
      },
      try ImageGraph("depthwise and pointwise", [1, 4, 7, 7]) { w, x in
        let h = x.convolution(w(32, 4, 1, 1), convolution(1, 0))
        let d = h.convolution(w(32, 1, 3, 3), convolution(1, 1, groups: 32))
        return d.convolution(w(32, 1, 3, 3), convolution(2, 1, groups: 32))
          .convolution(w(40, 32, 1, 1), convolution(1, 0))
      },
      try ImageGraph("a depthwise convolution before a pointwise one", [1, 4, 16, 16]) { w, x in
        let h = w.relu(x.convolution(w(32, 4, 3, 3), convolution(1, 1)))
        return w.relu(h.convolution(w(32, 1, 3, 3), convolution(1, 1, groups: 32)))
          .convolution(w(8, 32, 1, 1), convolution(1, 0))
      },
      try ImageGraph("channels that fill no vector, dilation, a batch", [2, 6, 7, 7]) { w, x in
        let h = x.convolution(w(14, 6, 3, 3), convolution(1, 2, dilation: 2))
        let g = w.relu(h.convolution(w(14, 7, 3, 3), convolution(1, 1, groups: 2)))
        return g.windowReduce(.max, window(2, 2, 0)).convolution(w(7, 14, 3, 3), convolution(1, 1))
      },
      try ImageGraph("groups, then a matrix over the flattened image", [1, 32, 2, 2]) { w, x in
        let h = x.convolution(w(64, 8, 3, 3), convolution(1, 1, groups: 4))
        let g = h.convolution(w(64, 4, 1, 1), convolution(1, 0, groups: 16))
        return g.reshape([1, 256]).dot(w(256, 37), rowsByColumns)
      },
      try ImageGraph("shuffled channels", [1, 16, 5, 5]) { w, x in
        let h = x.convolution(w(24, 8, 1, 1), convolution(1, 0, groups: 2))
        let s = h.reshape([1, 2, 12, 5, 5]).permute([0, 2, 1, 3, 4]).reshape([1, 24, 5, 5])
        return s.convolution(w(24, 1, 3, 3), convolution(1, 1, groups: 24))
      },
      try ImageGraph("an image whose channels become a batch", [1, 3, 5, 5]) { w, x in
        let h = w.relu(x.convolution(w(16, 3, 3, 3), convolution(1, 1)))
        return h.convolution(w(16, 16, 3, 3), convolution(1, 1))
          + h.reshape([16, 1, 5, 5])
          .convolution(w(1, 1, 3, 3), convolution(1, 1)).reshape([1, 16, 5, 5])
      },
      try ImageGraph("a transposed convolution", [1, 3, 4, 5]) { w, x in
        let h = w.relu(x.convolution(w(16, 3, 3, 3), convolution(1, 1)))
        return h.convolution(
          w(8, 16, 3, 3),
          Convolution(
            stride: [1, 1], low: [1, 1], high: [2, 2], inputDilation: [2, 2], dilation: [1, 1], groups: 1))
      },
      try ImageGraph("concatenations of concatenations", [1, 16, 4, 4]) { w, x in
        let a = w.relu(x.convolution(w(16, 16, 3, 3), convolution(1, 1)))
        let b = a.convolution(w(32, 16, 1, 1), convolution(1, 0))
        let first = Tensor.concatenate([a, b], axis: 1)
        let c = w.relu(first.convolution(w(16, 48, 3, 3), convolution(1, 1)))
        return Tensor.concatenate([first, c, x], axis: 1).windowReduce(.max, window(2, 2, 0))
          .convolution(w(8, 80, 1, 1), convolution(1, 0))
      },
      try ImageGraph("a window over channels", [1, 3, 5, 5]) { w, x in
        let h = x.convolution(w(24, 3, 3, 3), convolution(1, 1))
        let sums = (h * h).windowReduce(
          .sum, WindowShape(size: [5, 1, 1], stride: [1, 1, 1], low: [2, 0, 0], high: [2, 0, 0]))
        return (h * sums).convolution(w(16, 24, 3, 3), convolution(1, 1))
      },
      try ImageGraph("channels that are normalised one by one", [2, 3, 9, 9]) { w, x in
        func mean(_ h: Tensor) -> Tensor {
          (h.reduce(.sum, axes: [2, 3]) * (1.0 / 81)).broadcast(to: h.shape, axes: [0, 1])
        }
        let h = x.convolution(w(32, 3, 3, 3), convolution(1, 1))
        let centred = h - mean(h)
        let y = w.relu(centred * (mean(centred * centred) + 1e-5).rsqrt())
        return y.convolution(w(32, 32, 3, 3), convolution(1, 1))
      },
      try ImageGraph("channels scaled by their means", [1, 3, 8, 8]) { w, x in
        let h = w.relu(x.convolution(w(12, 3, 3, 3), convolution(1, 1)))
        let means = h.reduce(.sum, axes: [2, 3]).dot(w(12, 12), rowsByColumns).sigmoid()
        return (h * means.broadcast(to: h.shape, axes: [0, 1])).convolution(w(16, 12, 1, 1), convolution(1, 0))
      },
      try ImageGraph("matrices with rests on all sides", [11, 50]) { w, x in
        let bias = w(70).broadcast(to: [11, 70], axes: [1])
        let h = w.relu(x.dot(w(70, 50), DotGeneral(leftContracting: [1], rightContracting: [1])) + bias)
        return h.dot(w(70, 10), rowsByColumns)
      },
      try ImageGraph("transposed matrices that fill no blocks", [2, 53, 83]) { w, x in
        (x.permute([0, 2, 1]) + w(2, 83, 53)).maximum(w(83, 53).broadcast(to: [2, 83, 53], axes: [1, 2]))
      },
      try ImageGraph("one row", [1, 40]) { w, x in
        w.relu(x.dot(w(40, 100), rowsByColumns)).dot(w(100, 9), rowsByColumns)
      },
      try ImageGraph("attention", [10, 24]) { w, x in
        let q = x.dot(w(24, 24), rowsByColumns).reshape([10, 2, 12]).permute([1, 0, 2])
        let k = x.dot(w(24, 24), rowsByColumns).reshape([10, 2, 12]).permute([1, 0, 2])
        let scores = q.dot(
          k, DotGeneral(leftBatch: [0], rightBatch: [0], leftContracting: [2], rightContracting: [2]))
        let mixed = scores.dot(
          k, DotGeneral(leftBatch: [0], rightBatch: [0], leftContracting: [2], rightContracting: [1]))
        return mixed.permute([1, 0, 2]).reshape([10, 24]).dot(w(24, 24), rowsByColumns)
      },
    ]
  }

  /// Networks with a convolution that Winograd's algorithm can compute, of shapes that have something special.
  public static func smallWindows() throws -> [ImageGraph] { try windows.get() }

  private static let windows = Result {
    func network(
      _ name: String, batch: Int = 1, channels: Int, _ outputs: Int, _ height: Int, _ width: Int, padding: Int = 1,
      _ epilogue: (inout Weights, Tensor, Tensor) -> Tensor = { _, y, _ in y }
    ) throws -> ImageGraph {
      try ImageGraph(name, [batch, 2, height, width]) { w, x in
        let h = x.convolution(w(channels, 2, 1, 1), convolution(1, 0))
        let y = h.convolution(w(outputs, channels, 3, 3), convolution(1, padding))
        return epilogue(&w, y, h).convolution(w(4, outputs, 1, 1), convolution(1, 0))
      }
    }
    return [
      try network("whole squares", channels: 16, 16, 8, 8),
      try network("squares that reach over the edge", channels: 16, 48, 7, 9),
      try network("small squares", channels: 16, 16, 6, 6),
      try network("one small square", channels: 32, 16, 2, 2),
      try network("no padding", channels: 16, 16, 10, 11, padding: 0),
      try network("wide padding, half vectors", channels: 8, 24, 4, 5, padding: 2),
      try network("a batch with bias, residual and activation", batch: 2, channels: 16, 16, 5, 7) { w, y, h in
        w.relu(y + w(16).broadcast(to: y.type.shape, axes: [1]) + h)
      },
      try network("into a concatenation", channels: 16, 32, 5, 4) { w, y, h in
        Tensor.concatenate([y, h], axis: 1).convolution(w(32, 48, 3, 3), convolution(1, 1))
      },
    ]
  }
}
