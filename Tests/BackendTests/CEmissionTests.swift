import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Every primitive's C, many in one program, against the element-wise meaning of its graph.
@Suite struct CEmissionTests {
  /// One graph with inputs.
  struct Case: Sendable {
    var label: String
    var graph: Graph
    var inputs: [String: NDArray]
    /// What the graph means: its outputs by the reference evaluator.
    var outputs: [String: NDArray]

    init(label: String, graph: Graph, inputs: [String: NDArray]) throws {
      self.label = label
      self.graph = graph
      self.inputs = inputs
      outputs = try ReferenceEvaluator.run(graph, inputs: inputs).outputs
    }
  }

  // Made once, as tests of several compilers and targets use them.
  static func primitives() throws -> [Case] { try madePrimitives.get() }

  private static let madePrimitives = Result {
    try PrimitiveCase.all.flatMap { row in
      try row.dtypes.map { try Case(label: "\(row.name) \($0)", graph: row.graph($0), inputs: row.inputs($0)) }
    }
  }

  static func gradients() throws -> [Case] { try madeGradients.get() }

  private static let madeGradients = Result {
    try PrimitiveCase.all.filter { $0.smoothness >= .once }.map {
      try Case(label: "gradient of \($0.name)", graph: $0.gradientGraph(.f64, order: 1), inputs: $0.inputs(.f64))
    }
  }

  static func check(
    _ cases: [Case], compilers: [String] = ["gcc"], flags: [String], target: Target = .generic,
    options: COptions = COptions(), runner: [String] = []
  ) throws {
    let models = try cases.enumerated().map { position, row in
      let planned = try PlannedProgram(planning: Program(lowering: row.graph, target: target))
      var options = options
      options.name = "c\(position)"
      options.uniformEntry = true
      return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: row.inputs)
    }
    for compiler in compilers {
      let outputs = try CBench.outputs(models, compiler: compiler, flags: flags, runner: runner)
      for (row, actual) in zip(cases, outputs) {
        for (name, array) in row.outputs {
          let result = try #require(actual[name])
          for (a, b) in zip(result.values, array.values) where !close(a, b, array.dtype) {
            Issue.record("\(row.label) \(name) by \(compiler): \(result.doubles) for \(array.doubles)")
          }
        }
      }
    }
  }

  /// Equal but for the order in which sums are taken and for the last bits of `<math.h>`.
  static func close(_ a: ScalarValue, _ b: ScalarValue, _ type: ScalarType) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    let precision: Double = [.f64: 1e-12, .f32: 1e-5, .f16: 2e-3, .bf16: 2e-2][type] ?? 0
    return x == y || x.isNaN && y.isNaN || abs(x - y) <= precision * max(1, abs(y))
  }

  @Test("primitives compute what they mean, without warnings", arguments: CBench.compilers)
  func primitives(compiler: String) throws {
    try Self.check(Self.primitives(), compilers: [compiler], flags: ["-std=c11", "-O2"])
  }

  @Test func gradientsComputeWhatTheyMean() throws {
    try Self.check(Self.gradients(), flags: ["-std=c11", "-O1"])
  }

  @Test func sanitizersFindNothing() throws {
    let flags = ["-std=c11", "-O1", "-g0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    try Self.check(Self.primitives() + Self.gradients(), flags: flags)
  }

  @Test func c99WithStaticArenasComputesTheSame() throws {
    let options = COptions(standard: .c99, arena: .static, weights: .inline)
    let cases = try PrimitiveCase.all.map {
      try Case(label: $0.name, graph: $0.graph($0.dtypes[0]), inputs: $0.inputs($0.dtypes[0]))
    }
    // the bench itself allocates aligned memory, which C99 does not have
    try Self.check(cases, flags: ["-std=c99", "-D_ISOC11_SOURCE", "-O1"], options: options)
  }

  @Test func twoCallsGiveTheSameBytes() throws {
    for row in try Self.primitives() {
      let first = emitC(try PlannedProgram(planning: Program(lowering: row.graph)))
      let second = emitC(try PlannedProgram(planning: Program(lowering: row.graph)))
      #expect(first == second, "\(row.label)")
    }
  }

  @Test func longSumsInLanesComputeTheSame() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(5, 71))
    let m = builder.input("m", .i32(40))
    let graph = try builder.finish(
      name: "lanes",
      outputs: [
        ("sum", x.reduce(.sum, axes: [1])), ("max", x.reduce(.max, axes: [1])),
        ("product", x.reduce(.product, axes: [0])), ("least", m.reduce(.min, axes: [0])),
        ("total", m.reduce(.sum, axes: [0])),
      ])
    let numbers = (0..<355).map { Float(($0 * 37 % 101) - 50) / 64 }
    let inputs = [
      "x": try NDArray(numbers, shape: [5, 71]), "m": NDArray((0..<40).map { Int32.max - Int32($0 * 7 % 11) }),
    ]
    let row = try Case(label: "lanes", graph: graph, inputs: inputs)
    try Self.check([row], compilers: CBench.compilers, flags: ["-std=c11", "-O3"])
  }
}
