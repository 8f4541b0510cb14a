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
    let model = try model.boundModel(known.bindings(of: model))
    try output.write(model)
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
