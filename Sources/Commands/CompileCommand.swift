import ArgumentParser
import Foundation
import LatheCore
import LatheData

/// `compile`: the model as C.
struct CompileCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "compile",
      abstract: "Write the model as C: a source file, a header, and where asked for its weights.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var dimensions: DimensionOptions

  @Option(name: .shortAndLong, help: ArgumentHelp("The C file to write; the header is beside it.", valueName: "FILE.c"))
  var output: String

  @Option(
    name: .customLong("bind"),
    help: ArgumentHelp("The value of an input that decides a shape.", valueName: "NAME=FILE.npy"))
  var bindings: [InputBinding] = []

  @Option(help: "Who owns the memory of temporaries.")
  var arena: ArenaForm = .caller

  @Option(help: "Where the weights are.")
  var weights: WeightForm = .auto

  @Option(name: .customLong("std"), help: "The standard of C to keep to.")
  var standard: CStandard = .c11

  func validate() throws {
    guard output.hasSuffix(".c") else {
      throw ValidationError("'\(output)' is no name of a C file: its suffix must be .c")
    }
  }

  func run() throws {
    let given = try GivenInputs(bindings, collection: nil)
    let graph = try fullyBound(
      model.boundGraph(ModelBindings(dimensions: dimensions.sizes, inputs: given.named)))
    _ = graph
    throw DiagnosticsError("writing C is not there yet")
  }
}

/// Who owns the memory of temporaries.
enum ArenaForm: String, ExpressibleByArgument, CaseIterable {
  case caller, `static`
}

/// Where weights are kept.
enum WeightForm: String, ExpressibleByArgument, CaseIterable {
  case auto, inline, file, external
}

/// A standard of C.
enum CStandard: String, ExpressibleByArgument, CaseIterable {
  case c11, c99
}
