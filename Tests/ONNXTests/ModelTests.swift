import Foundation
import Lathe
import LatheONNX
import Testing

/// The folders of a resource.
private func folders(_ resource: String) -> [String] {
  guard let folder = Bundle.module.url(forResource: resource, withExtension: nil) else { return [] }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return names.filter { $0 != "README.md" }.sorted()
}

@Test("exported networks give ONNX Runtime's outputs", arguments: folders("Models"))
func exportedNetwork(_ name: String) throws {
  try agrees("Models/\(name)", 1e-5)
}

@Test("operators give what ONNX's own tests or ONNX Runtime say", arguments: folders("Operators"))
func operatorsFixture(_ name: String) throws {
  // Some of ONNX's own tests have no more than four digits.
  try agrees("Operators/\(name)", name.hasPrefix("test_") ? 1e-4 : 2e-5)
}

/// Runs a model on its data in the interpreter.
///
/// - Parameter tolerance: Allowed of an output's largest number; integers agree exactly.
private func agrees(_ path: String, _ tolerance: Double) throws {
  let folder = try #require(Bundle.module.url(forResource: path, withExtension: nil))
  let test = try BackendTest(folder: folder.path)
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
    #expect(graph.outputs.map(\.name) == set.outputs.map(\.name))
    for ((_, expected), actual) in zip(set.outputs, results) {
      #expect(actual.type == expected.type)
      let scale = expected.doubles.map(abs).filter(\.isFinite).max() ?? 0
      let worst =
        zip(actual.doubles, expected.doubles).map { $0 == $1 || $0.isNaN && $1.isNaN ? 0 : abs($0 - $1) }.max() ?? 0
      let isCounted = !expected.dtype.isFloat || expected.dtype.narrow != nil
      let unit = isCounted ? 0 : tolerance * max(1, scale)
      // 16-bit floats have fewer digits.
      #expect(worst <= (expected.dtype == .f16 ? 0x1p-11 * max(1, scale) : unit))
    }
  }
}
