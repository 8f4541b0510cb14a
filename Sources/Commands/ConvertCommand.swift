import ArgumentParser
import Foundation
import LatheCore
import LatheData
import LatheONNX

/// `convert`: the model in another form.
struct ConvertCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "convert", abstract: "Write the model in another form, or its parameters.",
      discussion: """
        Of an .onnx file, the parameters are its initializers of float types, save single numbers, which the \
        computation is made of; of a .pt2 file its parameters and buffers of float types, and what else the program \
        changes, a tensor of several names under the first of them. Written as .onnx, what a model's functions update \
        are inputs NAME and outputs next/NAME; of several functions, each is a file of its own, FILE.FUNCTION.onnx.
        """)
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write.", valueName: "FILE.onnx|.lathe|.safetensors|.pt|.npz"))
  var output: String

  func validate() throws {
    guard ModelForm(path: output) != nil || StateFormat(path: output) != nil else {
      throw ValidationError(
        "'\(output)' names no form that a model can be written in: its suffix must be .onnx, .lathe, \(StateFormat.suffixes)"
      )
    }
  }

  func perform() throws {
    try requireWritable(output)
    let form = ModelForm(path: output)
    // Parameters keep their names as variables only; in the text form they are what they are in the file.
    let model = try model.boundModel(known.bindings(of: model, trainable: form != .text))
    if let form {
      try form.files(of: model, path: output).writeAtomically()
    } else {
      try save(model.variables.map { NamedArray(name: $0.name, array: $0.initial) }, output)
    }
  }
}

/// The forms that any model can be written in.
enum ModelForm {
  case onnx, text

  /// The form that a file's suffix names.
  init?(path: String) {
    if path.hasSuffix(".onnx") {
      self = .onnx
    } else if path.hasSuffix(".lathe") {
      self = .text
    } else {
      return nil
    }
  }

  func files(of model: Model, path: String) throws(DiagnosticsError) -> [FileContent] {
    switch self {
    case .onnx: try onnxFiles(of: model, path: path)
    case .text: [FileContent(path: path, text: model.text)]
    }
  }
}

/// Where a model is written.
struct ModelOutput: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "FILE.onnx|.lathe"))
  var output: String

  func validate() throws {
    guard ModelForm(path: output) != nil else {
      throw ValidationError(
        "'\(output)' names no form of a model that can be written: its suffix must be .onnx or .lathe")
    }
  }

  /// Says before the work what keeps the model from being written.
  func check() throws(DiagnosticsError) { try requireWritable(output) }

  func write(_ model: Model) throws(DiagnosticsError) {
    try ModelForm(path: output)?.files(of: model, path: output).writeAtomically()
  }
}
