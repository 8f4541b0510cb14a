import ArgumentParser
import Lathe
import LatheCore

/// `lower`: the stages from the graph to planned loops, as text.
struct LowerCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "lower", abstract: "Print the loops that the model becomes, or the stages on the way.",
      discussion: "The stages, which --print-after names: \(CompileOptions.stages.joined(separator: ", ")).")
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions
  @OptionGroup var lowering: LoweringOptions

  @Option(help: "The processor that loops are scheduled for; generic is plain loops for any.")
  var target: TargetName = .generic

  @Option(
    help: ArgumentHelp(
      "Print what this stage leaves, or all; by default the planned program alone.", valueName: "PASS|all"))
  var printAfter: [String] = []

  @Option(
    help: ArgumentHelp("Make at most so many rewrites over all passes.", valueName: "N"),
    transform: wholeNumber(from: 0))
  var stopAfter: Int?

  @Flag(help: "Verify the graph and the program before and after every pass.")
  var verifyEach = false

  func validate() throws {
    guard target.targets.count == 1 else { throw ValidationError("--target must be one processor") }
    for name in printAfter where name != "all" && !CompileOptions.stages.contains(name) {
      throw ValidationError(
        "there is no stage '\(name)'; the stages are \(CompileOptions.stages.joined(separator: ", "))")
    }
  }

  func perform() throws {
    let graph = try model.fullyBoundGraph(known.bindings(of: model))
    var options = CompileOptions.shown
    options.targets = target.targets
    lowering.choose(in: &options)
    options.passes.verifyEach = verifyEach || options.passes.verifyEach
    options.passes.stopAfter = stopAfter
    // What is wrong with a stage is told behind those before it.
    options.passes.print = { text in
      Console.endProgress()
      // A full disk is told when the last stage is printed.
      try? Console.output(text)
    }
    if printAfter.contains("all") {
      options.passes.printAfter = .always
    } else if !printAfter.isEmpty {
      options.passes.printAfter = .passes(Set(printAfter))
    }
    defer { Console.endProgress() }
    let model = try compile(graph, options: options)
    if printAfter.isEmpty { try Console.output(model.planned.description) }
  }
}
