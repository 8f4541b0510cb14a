import LatheCore
import LatheRun
import TestSupport
import Testing

@Suite("Interpreter, against the meaning of graphs")
struct InterpreterPrimitiveTests {
  @Test("computes what the primitives mean", arguments: PrimitiveCase.all)
  func values(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes { try InterpreterCheck.check(row.graph(dtype), row.inputs(dtype)) }
  }

  @Test("computes what the gradients mean", arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func gradients(_ row: PrimitiveCase) throws {
    try InterpreterCheck.check(row.gradientGraph(.f64, order: 1), row.inputs(.f64))
    if row.dtypes.contains(.f32) { try InterpreterCheck.check(row.gradientGraph(.f32, order: 1), row.inputs(.f32)) }
  }
}

/// Holds the interpreter against the oracle.
enum InterpreterCheck {
  static func check(_ graph: Graph, _ inputs: [String: NDArray]) throws {
    let expected = try ReferenceEvaluator.run(graph, inputs: inputs)
    let executable = try Executable(PlannedProgram(planning: Program(lowering: graph)))
    var session = Session(executable)
    let ports = executable.program.inputs
    let arguments = try ports.map { try #require(inputs[$0.name]) }
    let results = try session.run(arguments)
    for (port, result) in zip(executable.program.outputs, results) {
      let array = try #require(expected.outputs[port.name])
      #expect(result.type == array.type)
      agree(result, array, port.name)
    }
    for (name, array) in expected.updates { agree(try session.variable(named: name), array, name) }
  }

  private static func agree(_ result: NDArray, _ expected: NDArray, _ name: String) {
    let wrong = zip(result.values, expected.values).filter { !close($0, $1, expected.dtype) }
    #expect(wrong.isEmpty, "\(name): \(result.doubles) for \(expected.doubles)")
  }

  /// Equal but for the order in which sums are taken, and the last place of the C library's functions.
  private static func close(_ a: ScalarValue, _ b: ScalarValue, _ type: ScalarType) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    let precisions: [ScalarType: Double] = [.f64: 1e-12, .f32: 1e-5, .f16: 2e-3, .bf16: 2e-2]
    let precision = precisions[type] ?? 0
    return x == y || x.isNaN && y.isNaN || abs(x - y) <= precision * max(1, abs(y))
  }
}
