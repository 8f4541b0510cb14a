import Foundation
import Lathe
import LatheONNX
import Testing

private let models: [String] = {
  guard let folder = Bundle.module.url(forResource: "Models", withExtension: nil) else { return [] }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return names.filter { $0 != "README.md" }.sorted()
}()

@Test("exported networks give ONNX Runtime's outputs", arguments: models)
func exportedNetwork(_ name: String) throws {
  let folder = try #require(Bundle.module.url(forResource: "Models/\(name)", withExtension: nil))
  let test = try BackendTest(folder: folder.path)
  let signature = try ONNXSignature(path: test.model)
  for set in test.dataSets {
    let imported = try importONNX(path: test.model, bindings: set.inputs)
    // The batch size is that of the data.
    var sizes: [String: Int] = [:]
    for input in imported.inputs {
      let array = try #require(set.inputs[imported.inputName(input)])
      for (dimension, size) in zip(imported.type(of: input).shape, array.shape) {
        if let symbol = dimension.symbols.first { sizes[symbol] = size }
      }
    }
    let graph = try imported.binding(sizes)
    var session = Session(try Executable(PlannedProgram(planning: Program(lowering: graph))))
    let arrays = try graph.inputs.map { try #require(set.inputs[graph.inputName($0)]) }
    let results = try session.run(arrays)
    #expect(graph.outputs.map(\.name) == signature.outputs)
    for ((_, expected), actual) in zip(set.outputs, results) {
      #expect(actual.type == expected.type)
      let scale = expected.doubles.map(abs).max() ?? 0
      let worst = zip(actual.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 1e-5 * max(1, scale))
    }
  }
}
