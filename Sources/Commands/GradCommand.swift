import ArgumentParser
import LatheCore

/// `grad`: the model with gradients among its outputs.
struct GradCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "grad", abstract: "Add outputs grad/NAME to the model: the gradients of one of its outputs.",
      discussion: "An output that is not a single number takes its cotangent as the input cotangent/OUTPUT.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Option(name: .customLong("of"), help: ArgumentHelp("The output to differentiate.", valueName: "OUTPUT"))
  var result: String

  @Option(
    name: .customLong("wrt"),
    help: ArgumentHelp(
      "An input or parameter to differentiate with respect to; by default all of type float.", valueName: "NAME"))
  var targets: [String] = []

  @OptionGroup var output: ModelOutput

  func perform() throws {
    try output.check()
    let graph = try model.boundGraph(known.bindings(of: model, trainable: true))
    let gradients = try graph.addingGradients(of: result, withRespectTo: targets.isEmpty ? nil : targets)
    try output.write(Model(gradients))
  }
}
