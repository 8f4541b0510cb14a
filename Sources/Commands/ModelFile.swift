import ArgumentParser
import Foundation
import LatheCore
import LatheData
import LatheONNX
import LathePT2

/// A model in a file named on the command line.
struct ModelFile: ModelProvider {
  @Argument(help: ArgumentHelp("The model, an .onnx, .pt2 or .lathe file.", valueName: "MODEL"))
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

  var file: String? { path }

  private var suffix: String { URL(fileURLWithPath: path).pathExtension }

  var bindsDimensions: Bool { suffix == "onnx" || suffix == "pt2" }

  func inputNames() throws(DiagnosticsError) -> [String]? {
    switch suffix {
    case "onnx": try ONNXSignature(path: path).inputs
    case "pt2": try PT2Signature(path: path).inputs
    default: nil
    }
  }

  func parameterCount() throws(DiagnosticsError) -> Int? {
    switch suffix {
    case "onnx": try ONNXSignature(path: path).parameterCount
    case "pt2": try PT2Signature(path: path).parameterCount
    default: nil
    }
  }

  func openSymbols(_ bindings: ModelBindings) throws(DiagnosticsError) -> [String] {
    let given = bindings.inputs.merging(bindings.constants) { $1 }.mapValues(\.type)
    switch suffix {
    case "onnx":
      return try ONNXSignature(path: path).openSymbols(
        dims: bindings.dimensions, given: given, lengths: bindings.lengths, absent: bindings.absent)
    case "pt2": return try PT2Signature(path: path).openSymbols(dims: bindings.dimensions, given: given)
    default: return []
    }
  }

  func files(
    withParameters parameters: [String: NDArray], for output: String
  ) throws(DiagnosticsError) -> [FileContent]? {
    guard suffix == "onnx" else { return nil }
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
        trainable: bindings.trainable, evaluating: bindings.evaluating, maxima: bindings.maxima,
        lengths: bindings.lengths, absent: bindings.absent
      ) { Console.report([$0]) }
      return Model(graph)
    case "lathe":
      return try Model(parsing: FileContent(reading: path).text(), file: path)
    case "pt2":
      try bindings.requireTensors(file: path)
      let graph = try importPT2(
        path: path, dims: bindings.dimensions, bindings: bindings.inputs, trainable: bindings.trainable,
        evaluating: bindings.evaluating)
      return Model(bindings.constants.isEmpty ? graph : try graph.fixing(bindings.constants))
    default:
      throw DiagnosticsError("is no model: its suffix must be .onnx, .pt2 or .lathe", location: place)
    }
  }
}
