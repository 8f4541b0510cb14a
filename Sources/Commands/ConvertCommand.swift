import ArgumentParser
import Foundation
import LatheCore
import LatheData

/// `convert`: the model in another form.
struct ConvertCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "convert", abstract: "Write the model in another form, or its parameters.",
      discussion: """
        Of an .onnx file, the parameters are its initializers of float types, save single numbers, which the \
        computation is made of; of a .pt2 file its parameters and buffers of float types, and what else the program \
        changes, a tensor of several names under the first of them.
        """)
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The file to write.", valueName: "FILE.lathe|.safetensors|.pt|.npz"))
  var output: String

  func validate() throws {
    guard output.hasSuffix(".lathe") || StateFormat(path: output) != nil else {
      throw ValidationError(
        "'\(output)' names no form that a model can be written in: its suffix must be .lathe, \(StateFormat.suffixes)")
    }
  }

  func run() throws {
    let isState = StateFormat(path: output) != nil
    let model = try model.boundModel(known.bindings(of: model, trainable: isState))
    if isState {
      try save(model.variables.map { NamedArray(name: $0.name, array: $0.initial) }, output)
    } else {
      try model.text.writeAtomically(to: output)
    }
  }
}

/// Where a model is written.
struct ModelOutput: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "FILE.lathe"))
  var output: String

  func validate() throws {
    guard output.hasSuffix(".lathe") else {
      throw ValidationError("'\(output)' names no form of a model that can be written: its suffix must be .lathe")
    }
  }

  func write(_ model: Model) throws(DiagnosticsError) {
    try model.text.writeAtomically(to: output)
  }
}
