import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Single functions and their gradients in `f32`, against what PyTorch computes in `f64`.
@Suite("Functions against PyTorch, in the interpreter")
struct FunctionGoldenTests {
  @Test("results and gradients agree with PyTorch", arguments: GoldenCase.all)
  func interpreter(golden: GoldenCase) throws {
    let withGradients = GoldenCase.withoutGradient[golden.name] == nil
    guard let graph = try golden.graph(.f32, withGradients: withGradients) else { return }
    let planned = try Backends.planned(graph, .training)
    var session = Session(try Executable(planned))
    Self.compare(try session.run(planned.program, golden.inputs(.f32)), golden, withGradients)
  }

  /// Cases whose elements may be off by another part of the greatest one in their tensor, and why.
  static let tolerances: [String: Double] = [:]

  static func compare(_ results: [String: NDArray], _ golden: GoldenCase, _ withGradients: Bool) {
    for (name, expected) in golden.expected().sorted(by: { $0.key < $1.key })
    where withGradients || name.hasPrefix("output") {
      let scale = expected.doubles.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
      let atol = (tolerances[golden.name] ?? 1e-6) * scale
      if let text = deviation(results[name], expected, rtol: 1e-5, atol: atol) { Issue.record("\(name) \(text)") }
    }
  }
}
