import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Sums of many numbers of one sign: one by one, they would be off by hundreds of roundings.
@Suite("Long sums") struct LongSumTests {
  struct Row: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var shape: [Int]
    /// The axes that are summed over.
    var axes: [Int]
    var build: @Sendable (Tensor) -> Tensor

    init(
      _ testDescription: String, _ shape: [Int], _ axes: [Int],
      _ build: (@Sendable (Tensor) -> Tensor)? = nil
    ) {
      self.testDescription = testDescription
      self.shape = shape
      self.axes = axes
      self.build = build ?? { $0.reduce(.sum, axes: axes) }
    }
  }

  static let rows = [
    Row("of neighbours", [3, 1 << 18], [1]), Row("of everything", [1 << 18], [0]),
    Row("of a prime number", [1, 65537], [1]), Row("along rows", [1 << 16, 5], [0]),
    Row("along rows, a prime number", [65537, 20], [0]), Row("over two axes", [64, 3, 1024], [0, 2]),
    Row("over four axes of a concatenation", [2, 3, 128, 64], [0, 1, 2, 3]) { x in
      let (low, high) = (x.slice(axis: 2, from: 0, to: 50), x.slice(axis: 2, from: 50, to: 128))
      return Tensor.concatenate([low, high], axis: 2).reduce(.sum, axes: [0, 1, 2, 3])
    },
    Row("in a product", [3, 1 << 16], [1]) { x in
      let ones = x.builder.full(.f32(65536, 16), .float(1))
      return x.dot(ones, DotGeneral(leftContracting: [1], rightContracting: [0])).slice(axis: 1, from: 3, to: 4)
        .reshape([3])
    },
    Row("in a product, a prime number", [3, 65537], [1]) { x in
      let ones = x.builder.full(.f32(65537, 16), .float(1))
      return x.dot(ones, DotGeneral(leftContracting: [1], rightContracting: [0])).slice(axis: 1, from: 3, to: 4)
        .reshape([3])
    },
  ]

  @Test("are off by few roundings in every back-end and schedule", arguments: rows)
  func accuracy(row: Row) throws {
    let builder = Builder()
    let sums = row.build(builder.input("x", TensorType(.f32, row.shape)))
    let graph = try builder.finish(name: "main", outputs: [("y", sums)])
    var generator = SeededGenerator(seed: 1)
    let numbers = (0..<row.shape.reduce(1, *)).map { _ in Float.random(in: 0..<1, using: &generator) }
    var exact = [Double](repeating: 0, count: sums.type.elementCount ?? 0)
    for (position, number) in numbers.enumerated() {
      var (rest, place, stride) = (position, 0, 1)
      for axis in row.shape.indices.reversed() {
        let index = rest % row.shape[axis]
        rest /= row.shape[axis]
        if row.axes.contains(axis) { continue }
        place += index * stride
        stride *= row.shape[axis]
      }
      exact[place] += Double(number)
    }
    let x = try NDArray(numbers, shape: row.shape)
    func check(_ found: NDArray, _ how: String) {
      let error = zip(found.doubles, exact).map { abs($0 / $1 - 1) }.max() ?? 1
      #expect(error <= 1e-6, "\(how)")
    }
    for target in [Target.interpreter, .generic, .x86V2, .x86V3, .x86V4] {
      var session = Session(try Executable(PlannedProgram(planning: Program(lowering: graph, target: target))))
      check(try session.run([x])[0], "interpreted for \(target.name)")
    }
    let targets = [Target.generic, try Backends.host()]
    let models = try targets.enumerated().map { number, target in
      let planned = try PlannedProgram(planning: Program(lowering: graph, target: target))
      let options = COptions(name: "f\(number)", uniformEntry: true)
      return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: ["x": x])
    }
    let flags = ["-std=c11", "-O1", "-march=native", "-ffp-contract=off"] + CBench.warnings
    for (target, results) in zip(targets, try CBench.outputs(models, flags: flags)) {
      check(try #require(results["y"]), "C for \(target.name)")
    }
  }
}
