import ArgumentParser
import Foundation
import LatheCore
import LatheData

/// `convert`: the model in another form.
struct ConvertCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "convert", abstract: "Write the model in another form.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var dimensions: DimensionOptions
  @OptionGroup var output: ModelOutput

  func run() throws {
    let graph = try model.boundGraph(ModelBindings(dimensions: dimensions.sizes))
    try output.write(graph)
  }
}

/// Where a model is written, the form by the suffix.
struct ModelOutput: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "FILE.onnx|.lathe"))
  var output: String

  func validate() throws {
    guard output.hasSuffix(".onnx") || output.hasSuffix(".lathe") else {
      throw ValidationError("'\(output)' names no form of a model: its suffix must be .onnx or .lathe")
    }
  }

  func write(_ graph: Graph) throws(DiagnosticsError) {
    guard output.hasSuffix(".lathe") else {
      throw DiagnosticsError(
        "exporting ONNX is not there yet", location: Location(file: output), help: "write a .lathe file")
    }
    try graph.text.writeAtomically(to: output)
  }
}
