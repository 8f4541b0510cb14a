import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Layers and their gradients in `f32`, through all passes, against what PyTorch computes in `f64`.
@Suite("Layers against PyTorch, in both back-ends")
struct LayerGoldenTests {
  @Test("the interpreter's results and gradients agree with PyTorch", arguments: LayerCase.all)
  func interpreter(layer: LayerCase) throws {
    let planned = try Backends.planned(layer.graph(.f32), .training)
    var session = Session(try Executable(planned))
    Self.compare(try session.run(planned.program, layer.contents(.f32)), layer)
  }

  @Test("the results and gradients of C agree with PyTorch")
  func native() throws {
    let target = try Backends.host()
    var options = COptions(uniformEntry: true)
    let models = try LayerCase.all.enumerated().map { position, layer in
      let planned = try Backends.planned(layer.graph(.f32), .training, target)
      options.name = "layer\(position)"
      return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: layer.contents(.f32))
    }
    for (layer, results) in zip(LayerCase.all, try CBench.outputs(models)) { Self.compare(results, layer) }
  }

  private static func compare(_ results: [String: NDArray], _ layer: LayerCase) {
    for (name, expected) in layer.expected().sorted(by: { $0.key < $1.key }) {
      let scale = expected.doubles.reduce(1) { max($0, abs($1)) }
      if let text = deviation(results[name], expected, rtol: 1e-5, atol: 1e-6 * scale) {
        Issue.record("\(layer.name): \(name) \(text)")
      }
    }
  }
}
