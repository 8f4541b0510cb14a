import Foundation
import LatheC
import LatheCore
import LatheNN
import LatheRun
import TestSupport
import Testing

/// A computation on what a mask selects.
///
/// With a literal mask all sizes are known: that is what it is compared with.
struct ExtentCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Given `x`, `f32[6,4]` with the mask's rows selected, `y`, `f32[6]` selected alike, and how many there are at most.
  let body: @Sendable (_ x: Tensor, _ y: Tensor) -> [Tensor]
  /// Whether no rows at all are a fault.
  var needsRows = false

  init(_ name: String, needsRows: Bool = false, _ body: @escaping @Sendable (Tensor, Tensor) -> [Tensor]) {
    self.name = name
    self.needsRows = needsRows
    self.body = body
  }

  var testDescription: String { name }

  static let all: [ExtentCase] = [
    ExtentCase("element-wise") { x, y in [x.exp(), x + y.unsqueeze(dim: 1)] },
    ExtentCase("sums and products") { x, y in [x.sum(), x.sum(dim: 0), x.sum(dim: 1), x.prod(dim: 0), y.prod()] },
    ExtentCase("means and variances") { x, y in [x.mean(), y.mean(), x.mean(dim: 0), x.mean(dim: 1), x.std(dim: 0)] },
    ExtentCase("extremes", needsRows: true) { x, y in
      [x.amax(dim: 0), x.amin(), y.argmax(dim: 0), x.argmin(dim: 0), (y .> 0).all(), (y .> 0).any()]
    },
    ExtentCase("orders") { x, y in
      let sorted = y.sort(descending: true)
      return [sorted.values, sorted.indices, y.sort().values, x.sort(dim: 0).indices, x.sort(dim: 1).values]
    },
    ExtentCase("running sums") { x, y in
      [y.cumsum(dim: 0), x.cumsum(dim: 0), y.cumulative(.sum, axis: 0, reverse: true), x.cumulative(.max, axis: 0)]
    },
    ExtentCase("softmax") { x, y in [softmax(x, dim: 0), softmax(x, dim: 1), logSoftmax(y, dim: 0)] },
    ExtentCase("contractions") { x, y in
      [matmul(x, x.transpose(0, 1)), matmul(x.transpose(0, 1), x), matmul(y, x), matmul(y, y)]
    },
    ExtentCase("not a number behind the elements") { x, y in
      let huge = (x * 1000).exp().log() - (x * 1000).exp().log() + x
      return [matmul(huge.transpose(0, 1), x), huge.sum(dim: 0)]
    },
    ExtentCase("joined") { x, y in
      [cat([x, x * 2], dim: 0), cat([y, y.narrow(dim: 0), y], dim: 0), cat([x, x], dim: 1), stack([y, y + 1])]
    },
    ExtentCase("other shapes") { x, y in
      let columns = x.transpose(0, 1)
      return [
        x.flatten(), columns.flatten(), y.unsqueeze(dim: 0).unsqueeze(dim: 2), columns.reshape([2, 2, -1]),
        columns.reshape([2, 2, -1]).permute([1, 2, 0]).flatten(startDim: 1), columns.flatten().cumsum(dim: 0),
        matmul(x, x.transpose(0, 1)).flatten(),
      ]
    },
    ExtentCase("backwards and padded") { x, y in
      [
        y.flip(dims: [0]), x.flip(dims: [0, 1]), x.pad(low: [1, 0], high: [2, 1], interior: [0, 0]),
        y.pad(low: [0], high: [2], interior: [0], value: y.constant(7)).cumsum(dim: 0),
      ]
    },
    ExtentCase("windows", needsRows: true) { x, y in
      let image = x.reshape([1, 1] + x.shape)
      let weight = x.builder.iota(TensorType(.f32, [2, 1, 3, 3]), axis: 3)
      return [
        conv2d(image, weight, padding: 1), maxPool2d(image, kernelSize: 3, stride: 1, padding: 1),
        avgPool2d(image, kernelSize: 3, stride: 1, padding: 1),
        conv2d(image.transpose(2, 3), weight, padding: 1),
      ]
    },
    ExtentCase("selected again") { x, y in
      let positive = y .> 0
      return [y.maskedSelect(positive), x.index([positive]), positive.nonzero(), y.unique().values, y.unique().inverse]
    },
    ExtentCase("written back") { x, y in
      let base = x.builder.zeros(TensorType(.f32, [9]))
      let places = (y * 100).abs().convert(to: .i64) % 9
      return [
        base.indexAdd(dim: 0, places, y), base.scatter(dim: 0, places, y),
        y.zerosLike().scatterAdd(dim: 0, y.sort().indices, y), x.indexAdd(dim: 0, y.sort().indices, x),
      ]
    },
    ExtentCase("gathered") { x, y in
      let order = y.sort().indices
      return [
        x.indexSelect(dim: 0, order), y.gather(dim: 0, order),
        x.gather(order.unsqueeze(dim: 1), IndexedAxes(axes: [0])),
      ]
    },
    ExtentCase("loops") { x, y in
      let start = x.builder.zeros(TensorType(.f32, [4]))
      let forward = scan([start], over: [x, y]) { state, row in ([state[0] * 0.5 + row[0]], [state[0] * row[1]]) }
      let backward = scan([start], over: [x], reverse: true) { state, row in ([state[0] * 0.5 + row[0]], [state[0]]) }
      let doubled = whileLoop([y, y.sum().abs() + 1]) {
        $0[1] .< 100
      } body: {
        [$0[0] + $0[0].sum(), $0[1] * 2]
      }
      let chosen = LatheNN.cond(y.sum() .> 0, then: { [y.cumsum(dim: 0)] }, otherwise: { [y.flip(dims: [0])] })
      return forward.state + forward.outputs + backward.state + backward.outputs + [doubled[0]] + chosen
    },
  ]
}

extension Tensor {
  /// The tensor without its last element where there are more than one, else empty: another size than its own.
  fileprivate func narrow(dim: Int) -> Tensor { maskedSelect(self .> 0) }

  fileprivate func constant(_ number: Float) -> Tensor { builder.scalar(.float(Double(number)), dtype) }
}

@Suite("Sizes that data decides, in every back-end")
struct ExtentTests {
  private static let x = (0..<24).map { Float(($0 * 7919) % 31) / 7 - 2 }
  private static let y = (0..<6).map { Float(($0 * 37) % 11) / 3 - 1.5 }
  private static let masks: [[Bool]] = [
    [false, true, true, false, true, false], [true, true, true, true, true, true],
    [false, false, false, false, false, true], [false, false, false, false, false, false],
  ]

  private static func inputs(_ mask: [Bool]) throws -> [NDArray] {
    [try NDArray(x, shape: [6, 4]), NDArray(y), NDArray(mask)]
  }

  /// The graph of a case, with a mask that is an input, or known.
  private static func graph(_ row: ExtentCase, mask: [Bool]? = nil, gradients isGradient: Bool = false) throws -> Graph
  {
    let builder = Builder()
    let (x, y) = (builder.input("x", .f32(6, 4)), builder.input("y", .f32(6)))
    let open = builder.input("mask", TensorType(.bool, [6]))
    let mask = mask.map { builder.constant(NDArray($0)) } ?? open
    var outputs = row.body(x.index([mask]), y.index([mask]))
    if isGradient {
      let floats = outputs.filter(\.dtype.isFloat).map { ($0 * $0.cos()).sum() }
      let loss = floats.dropFirst().reduce(floats[0], +)
      outputs = LatheNN.gradients(of: loss, withRespectTo: [x, y])
    }
    return try builder.finish(name: "case", outputs: outputs.enumerated().map { ("y\($0)", $1) })
  }

  private func check(_ row: ExtentCase, gradients: Bool) throws {
    let open = try Self.graph(row, gradients: gradients)
    try open.verify()
    #expect(try Graph(parsing: open.text) == open)
    let bounded = try open.bounded()
    try bounded.verify()
    #expect(try Graph(parsing: bounded.text) == bounded)
    let cache = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: cache) }
    let planned = try Backends.planned(open, .inference)
    #expect(try Program(parsing: planned.program.text) == planned.program)
    var native = try Backends.native(planned, cache: cache)
    var session = Session(try Executable(planned))
    for mask in Self.masks where !row.needsRows || mask.contains(true) {
      let inputs = try Self.inputs(mask)
      let known = try Backends.planned(try Self.graph(row, mask: mask, gradients: gradients), .inference)
      var exact = Session(try Executable(known))
      let expected = try exact.run(inputs)
      for (name, found) in [("interpreter", try session.run(inputs)), ("native", try native.run(inputs))] {
        #expect(found.map(\.type) == expected.map(\.type), "\(name), \(mask)")
        for (position, (a, b)) in zip(found, expected).enumerated() {
          let agrees = zip(a.doubles, b.doubles).allSatisfy {
            abs($0 - $1) <= 1e-4 * max(1, abs($1)) || ($0.isNaN && $1.isNaN) || $0 == $1
          }
          #expect(agrees, "\(name), \(mask), output \(position): \(a) is not \(b)")
        }
      }
    }
  }

  @Test("a run gives what known sizes give", arguments: ExtentCase.all) func values(_ row: ExtentCase) throws {
    try check(row, gradients: false)
  }

  @Test(
    "gradients are those of known sizes",
    arguments: ExtentCase.all.filter { !["loops", "windows", "written back", "selected again"].contains($0.name) })
  func gradients(_ row: ExtentCase) throws { try check(row, gradients: true) }

  @Test("what exceeds a capacity fails the run, in every back-end") func overflow() throws {
    let graph = try Self.graph(ExtentCase.all[0]).limiting(["n0": 3])
    let cache = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: cache) }
    let planned = try Backends.planned(graph, .inference)
    #expect(planned.program.outputs[0].type == .f32(3, 4))
    var native = try Backends.native(planned, cache: cache)
    var session = Session(try Executable(planned))
    let (fits, exceeds) = (try Self.inputs(Self.masks[0]), try Self.inputs(Self.masks[1]))
    #expect(try session.run(fits)[0].shape == [3, 4])
    #expect(try native.run(fits)[0].shape == [3, 4])
    // Both say the number and the capacity.
    func message(_ run: () throws -> [NDArray]) -> String? {
      do { return "\(try run())" } catch { return (error as? DiagnosticsError)?.diagnostics.first?.message }
    }
    let said = try #require(message { try session.run(exceeds) })
    #expect(said.contains("the size ?n0 is 6, more than its capacity, 3"), "\(said)")
    #expect(message { try native.run(exceeds) } == said)
    #expect(throws: DiagnosticsError.self) { _ = try graph.limiting(["n7": 3]) }
  }
}
