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
  @OptionGroup var known: BindingOptions
  @OptionGroup var output: ModelOutput

  func run() throws {
    let graph = try model.boundGraph(known.bindings(of: model))
    try output.write(graph)
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

  func write(_ graph: Graph) throws(DiagnosticsError) {
    try graph.text.writeAtomically(to: output)
  }
}
