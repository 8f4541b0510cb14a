import LatheCore
import TestSupport
import Testing

@Suite struct FoldBatchNormTests {
  @Test func batchNormFollowingABiasedConvolutionLeavesOneBias() throws {
    try expectRewrite(
      """
      func main(%x: f32[1,1,3,3]) -> (%y: f32[1,2,2,2]) {
        %w = constant [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] : f32[2,1,2,2]
        %0 = convolution %x, %w {stride: [1, 1], low: [0, 0], high: [0, 0], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,2,2,2]
        %bias = constant [1.0, 2.0] : f32[2]
        %1 = broadcast %bias {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %2 = add %0, %1 : f32[1,2,2,2]
        %mean = constant [0.5, -0.5] : f32[2,1,1]
        %3 = broadcast %mean {shape: [1, 2, 2, 2], axes: [1, 2, 3]} : f32[1,2,2,2]
        %4 = subtract %2, %3 : f32[1,2,2,2]
        %deviation = constant [2.0, 4.0] : f32[2]
        %5 = broadcast %deviation {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %6 = divide %4, %5 : f32[1,2,2,2]
        %7 = broadcast %bias {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %8 = multiply %7, %6 : f32[1,2,2,2]
        %9 = add %8, %5 : f32[1,2,2,2]
        return %9
      }
      """, .foldBatchNorm,
      """
      func main(%x: f32[1,1,3,3]) -> (%y: f32[1,2,2,2]) {
        %0 = constant [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0] : f32[2,1,2,2]
        %1 = convolution %x, %0 {stride: [1, 1], low: [0, 0], high: [0, 0], input_dilation: [1, 1], dilation: [1, 1], groups: 1} : f32[1,2,2,2]
        %2 = constant [2.25, 5.25] : f32[2]
        %3 = broadcast %2 {shape: [1, 2, 2, 2], axes: [1]} : f32[1,2,2,2]
        %4 = add %1, %3 : f32[1,2,2,2]
        return %4
      }
      """, tolerance: 1e-6)
  }

  private static func numbers(_ shape: [Int], _ range: ClosedRange<Double>, seed: Int) -> NDArray {
    var generator = SeededGenerator(seed: UInt64(seed))
    let elements = (0..<shape.reduce(1, *)).map { _ in Float(Double.random(in: range, using: &generator)) }
    return unfailing { try NDArray(elements, shape: shape) }
  }

  /// A contraction with literal weights, followed by arithmetic with channel literals in some order.
  struct Chain: Sendable, CustomTestStringConvertible {
    let name: String
    let contraction: @Sendable (Builder) -> Tensor
    /// The axis of the result that the weights' outputs are on.
    let axis: Int
    var testDescription: String { name }

    static let all: [Chain] = [
      convolution("convolution", [1, 4, 5, 5], [6, 4, 3, 3], Self.payload()),
      convolution("convolution in groups", [1, 4, 5, 5], [6, 2, 3, 3], Self.payload(groups: 2)),
      convolution("depthwise convolution", [1, 4, 5, 5], [4, 1, 3, 3], Self.payload(groups: 4)),
      convolution("transposed convolution", [1, 4, 3, 3], [6, 4, 3, 3], Self.payload(inputDilation: 2)),
      Chain(
        name: "dot with weights on the right",
        contraction: { builder in
          builder.input("x", .f32(2, 3, 5)).dot(
            builder.constant(numbers([6, 5], -1...1, seed: 1)), DotGeneral(leftContracting: [2], rightContracting: [1]))
        }, axis: 2),
      Chain(
        name: "dot with weights on the left",
        contraction: { builder in
          builder.constant(numbers([5, 6], -1...1, seed: 1)).dot(
            builder.input("x", .f32(5, 7)), DotGeneral(leftContracting: [0], rightContracting: [0]))
        }, axis: 0),
    ]

    private static func payload(groups: Int = 1, inputDilation: Int = 1) -> Convolution {
      Convolution(
        stride: [1, 1], low: [1, 1], high: [1, 1], inputDilation: [inputDilation, inputDilation], dilation: [1, 1],
        groups: groups)
    }

    private static func convolution(
      _ name: String, _ x: [Int], _ weight: [Int], _ payload: Convolution
    ) -> Chain {
      Chain(
        name: name,
        contraction: { builder in
          builder.input("x", TensorType(.f32, x)).convolution(
            builder.constant(numbers(weight, -1...1, seed: 1)), payload)
        }, axis: 1)
    }
  }

  /// Arithmetic with a vector `v(low, high)` that varies along the channels.
  static let orders: [(name: String, apply: @Sendable (Tensor, (Double, Double) -> Tensor) -> Tensor)] = [
    ("bias, batch-norm", { y, v in ((y + v(-1, 1)) - v(-1, 1)) * v(0.5, 2) * v(0.5, 2) + v(-1, 1) }),
    ("division", { y, v in (y - v(-1, 1)) / v(0.5, 2) * v(0.5, 2) + v(-1, 1) }),
    ("scale before a shift", { y, v in y * v(0.5, 2) - v(-1, 1) }),
    ("literals on the left", { y, v in v(-1, 1) - v(0.5, 2) * (v(-1, 1) + y) }),
    ("numbers", { y, v in ((y * 2 + 1) / 3 - 0.5) * v(0.5, 2) + v(-1, 1) }),
  ]

  @Test("scale and shift in any order leave one contraction and one bias", arguments: Chain.all, orders.map(\.name))
  func anyOrder(_ chain: Chain, _ order: String) throws {
    let builder = Builder()
    let y = chain.contraction(builder)
    let apply = try #require(Self.orders.first { $0.name == order }).apply
    var seed = 10
    let z = apply(y) { low, high in
      seed += 1
      let size = y.shape[chain.axis].known ?? 0
      return builder.constant(Self.numbers([size], low...high, seed: seed))
        .broadcast(to: y.shape, axes: [chain.axis])
    }
    let graph = try builder.finish(name: "main", outputs: [("y", z.maximum(0))])
    let result = try Pipeline.inference.run(graph).graph
    let operations = result.nodes.map(\.operation.name).filter { !["input", "constant", "broadcast"].contains($0) }
    #expect(operations.dropFirst() == ["add", "maximum"], "\(result)")
    try expectSameMeaning(graph, result, tolerance: 2e-6)
  }

  @Test func whatIsReadElsewhereStays() throws {
    let builder = Builder()
    let y = Chain.all[0].contraction(builder)
    let scale = builder.constant(Self.numbers([6], 0.5...2, seed: 2)).broadcast(to: y.shape, axes: [1])
    let graph = try builder.finish(name: "main", outputs: [("y", y * scale), ("z", y)])
    #expect(try Pipeline([.foldBatchNorm]).run(graph).graph == graph)
  }

  @Test func sumsThatMayCancelKeepTheirOrder() throws {
    try expectRewrite(
      """
      func main(%x: f32[4]) -> (%y: f32[4]) {
        %0 = erf %x : f32[4]
        %one = constant 1.0 : f32[]
        %1 = broadcast %one {shape: [4], axes: []} : f32[4]
        %2 = add %0, %1 : f32[4]
        %c = constant 0.3 : f32[]
        %3 = broadcast %c {shape: [4], axes: []} : f32[4]
        %4 = multiply %2, %3 : f32[4]
        %5 = subtract %1, %4 : f32[4]
        return %5
      }
      """, .foldBatchNorm, nil)
  }

  @Test func weightsThatRepeatOneNumberStaySmall() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(1, 4, 5, 5))
    let weight = builder.full(.f32(6, 4, 3, 3), .float(0.25))
    let y = x.convolution(
      weight,
      Convolution(stride: [1, 1], low: [1, 1], high: [1, 1], inputDilation: [1, 1], dilation: [1, 1], groups: 1))
    let scale = builder.constant(Self.numbers([6], 0.5...2, seed: 2)).broadcast(to: y.shape, axes: [1])
    let graph = try builder.finish(name: "main", outputs: [("y", y * scale * 2)])
    let result = try Pipeline.inference.run(graph).graph
    #expect(result.nodes.map(\.operation.name) == ["input", "constant", "broadcast", "convolution"])
    #expect(result.nodes[1].types == [.f32(6)])
    try expectSameMeaning(graph, result, tolerance: 1e-6)
  }

  /// The networks of the `onnx` package that have no weights: every statistic is one number, made by ConstantOfShape.
  @Test func batchNormOfOneNumberForEveryChannelFolds() throws {
    let builder = Builder()
    let y = Chain.all[0].contraction(builder)
    let number = builder.full(.f32(6), .float(0.02))
    func channels(_ vector: Tensor) -> Tensor { vector.reshape([6, 1, 1]) }
    let scale = (number + 1e-5).rsqrt()
    let z = (y - channels(number)) * channels(scale) * channels(number) + channels(number)
    let graph = try builder.finish(name: "main", outputs: [("y", z)])
    let result = try Pipeline.inference.run(graph).graph
    #expect(
      result.nodes.map(\.operation.name) == ["input", "constant", "convolution", "constant", "broadcast", "add"])
    try expectSameMeaning(graph, result, tolerance: 2e-6)
  }
}
