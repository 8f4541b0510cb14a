import ArgumentParser
import Foundation
import LatheCore
import LatheData
import LatheONNX

/// A model in a file named on the command line.
struct ModelFile: ModelProvider {
  @Argument(help: ArgumentHelp("The model, an .onnx or .lathe file.", valueName: "MODEL"))
  var path: String

  @Option(
    help: ArgumentHelp("The function of a model that has several; by default the only one.", valueName: "NAME"))
  var function: String?

  /// What the command line says.
  init() {}

  /// The only function of the model in a file.
  init(path: String) {
    self.path = path
    function = nil
  }

  private var suffix: String { URL(fileURLWithPath: path).pathExtension }

  var bindsDimensions: Bool { suffix == "onnx" }

  func inputNames() throws(DiagnosticsError) -> [String]? {
    suffix == "onnx" ? try ONNXSignature(path: path).inputs : nil
  }

  func openSymbols(_ bindings: ModelBindings) throws(DiagnosticsError) -> [String] {
    guard suffix == "onnx" else { return [] }
    let given = bindings.inputs.merging(bindings.constants) { $1 }
    return try ONNXSignature(path: path).openSymbols(dims: bindings.dimensions, given: given.mapValues(\.type))
  }

  func files(
    withParameters parameters: [String: NDArray], for output: String
  ) throws(DiagnosticsError) -> [FileContent] {
    guard suffix == "onnx" else {
      throw DiagnosticsError(
        "only a model that comes from an .onnx file is written as one", location: Location(file: output))
    }
    return try replacingInitializers(ofONNX: path, with: parameters, writtenTo: output)
  }

  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    try contents(bindings).function(named: function)
  }

  func model(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model {
    let model = try contents(bindings)
    return function == nil ? model : Model(try model.function(named: function))
  }

  private func contents(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model {
    let place = Location(file: path)
    switch suffix {
    case "onnx":
      let graph = try importONNX(
        path: path, dims: bindings.dimensions, constants: bindings.constants, bindings: bindings.inputs,
        trainable: bindings.trainable
      ) { Console.report([$0]) }
      return Model(graph)
    case "lathe":
      let bytes = try FileContent(reading: path).bytes
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw DiagnosticsError("is not text in UTF-8", location: place)
      }
      return try Model(parsing: text, file: path)
    case "pt2":
      throw DiagnosticsError(
        "importing .pt2 is not there yet", location: place, help: "export the model with torch.onnx.export")
    default:
      throw DiagnosticsError("is no model: its suffix must be .onnx or .lathe", location: place)
    }
  }
}
