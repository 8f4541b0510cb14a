import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Single functions and their gradients in `f32`, through all passes, against what PyTorch computes in `f64`.
///
/// An element may be off by 1e-5 of itself and 1e-6 of the greatest in its tensor, which counts as at least 1. Cases whose
/// matrices are too ill-conditioned for that run in `f64`.
@Suite("Functions against PyTorch, in both back-ends")
struct FunctionGoldenTests {
  @Test("the interpreter's results and gradients agree with PyTorch", arguments: GoldenCase.all)
  func interpreter(golden: GoldenCase) throws {
    guard let planned = try Self.planned(golden) else { return }
    var session = Session(try Executable(planned))
    Self.compare(try session.run(planned.program, golden.inputs(golden.runType)), golden)
  }

  /// All of them cost 40 seconds of one core, most of them the C compiler's.
  @Test("the results and gradients of C agree with PyTorch")
  func native() throws {
    var options = COptions(uniformEntry: true)
    let target = try Backends.host()
    var cases: [GoldenCase] = []
    var models: [CBench.Model] = []
    for (position, golden) in GoldenCase.all.enumerated() {
      guard let planned = try Self.planned(golden, target) else { continue }
      options.name = "function\(position)"
      let files = emitC(planned, options: options)
      cases.append(golden)
      models.append(CBench.Model(files: files, planned: planned, inputs: golden.inputs(golden.runType)))
    }
    for (golden, results) in zip(cases, try CBench.outputs(models)) { Self.compare(results, golden) }
  }

  /// The call and its gradients; nil where the function has no counterpart yet.
  private static func planned(_ golden: GoldenCase, _ target: Target = .generic) throws -> PlannedProgram? {
    let graph = try golden.graph(golden.runType, withGradients: GoldenCase.withoutGradient[golden.name] == nil)
    return try graph.map { try Backends.planned($0, .training, target) }
  }

  private static func compare(_ results: [String: NDArray], _ golden: GoldenCase) {
    for (name, expected) in golden.expected().sorted(by: { $0.key < $1.key })
    where name.hasPrefix("output") || GoldenCase.withoutGradient[golden.name] == nil {
      let scale = expected.doubles.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
      if let text = deviation(results[name], expected, rtol: 1e-5, atol: 1e-6 * scale) {
        Issue.record("\(golden.name): \(name) \(text)")
      }
    }
  }
}
