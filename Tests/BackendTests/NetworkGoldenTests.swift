import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Forward and backward passes in `f32`, through all passes, against what PyTorch computes in `f64`.
///
/// An element may be off by 1e-5 of itself and 1e-6 of the greatest in its tensor.
@Suite("Networks against PyTorch, in both back-ends")
struct NetworkGoldenTests {
  @Test(
    "outputs, all gradients and buffers agree with PyTorch",
    arguments: GoldenNetwork.small + GoldenNetwork.large)
  func training(network: GoldenNetwork) throws {
    let graph = try network.graph(.f32)
    try check(
      graph, .training, network.contents(.f32), outputs: network.expected(), buffers: network.expectedBuffers(),
      atol: Self.tolerances[network.name] ?? 1e-6)
  }

  @Test("in f64 the interpreter gives all digits of the goldens", arguments: GoldenNetwork.large)
  func wide(network: GoldenNetwork) throws {
    let planned = try Backends.planned(network.graph(.f64), .training)
    var session = Session(try Executable(planned))
    compare(try session.run(planned.program, network.contents(.f64)), network.expected(), rtol: 1e-6, atol: 1e-9)
    compare(session.savedState(), network.expectedBuffers(), rtol: 1e-6, atol: 1e-9)
  }

  @Test(
    "outputs of evaluation mode agree with PyTorch",
    arguments: (GoldenNetwork.small + GoldenNetwork.large).filter { !$0.expectedInEvaluation().isEmpty })
  func evaluation(network: GoldenNetwork) throws {
    let graph = try network.graph(.f32, isTraining: false, withGradients: false)
    #expect(graph.updates.isEmpty)
    try check(graph, .inference, network.contents(.f32), outputs: network.expectedInEvaluation())
  }

  /// The part of a tensor's greatest element that any may be off by, where it is not 1e-6.
  static let tolerances = [
    // Gradients through batch norms of few numbers are differences of nearly equal sums: PyTorch's own, computed in f32,
    // are off by up to 3.2e-6.
    "resnet18": 4e-6
  ]

  private func check(
    _ graph: Graph, _ pipeline: Pipeline, _ inputs: [String: NDArray], outputs: [String: NDArray],
    buffers: [String: NDArray] = [:], atol: Double = 1e-6
  ) throws {
    let planned = try Backends.planned(graph, pipeline)
    #expect(Set(planned.program.outputs.map(\.name)) == Set(outputs.keys))
    var session = Session(try Executable(planned))
    compare(try session.run(planned.program, inputs), outputs, atol: atol, "interpreter: ")
    compare(session.savedState(), buffers, atol: atol, "interpreter: ")
    let folder = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var model = try Backends.native(Backends.planned(graph, pipeline, Backends.host()), cache: folder)
    compare(try model.run(planned.program, inputs), outputs, atol: atol, "native: ")
    compare(model.savedState(), buffers, atol: atol, "native: ")
  }

  /// - Parameter atol: A part of the greatest element of each tensor.
  private func compare(
    _ results: [String: NDArray], _ expected: [String: NDArray], rtol: Double = 1e-5, atol: Double,
    _ prefix: String = ""
  ) {
    for (name, array) in expected.sorted(by: { $0.key < $1.key }) {
      let scale = array.doubles.reduce(0) { max($0, abs($1)) }
      if let text = deviation(results[name], array, rtol: rtol, atol: atol * scale) {
        Issue.record("\(prefix)\(name) \(text), greatest \(scale)")
      }
    }
  }
}
