import ArgumentParser
import Foundation
import LatheCore
import LatheData

/// `run`: the outputs for some inputs.
struct RunCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "run", abstract: "Run the model on inputs from files, or on random ones.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var inputs: InputOptions
  @OptionGroup var dimensions: DimensionOptions
  @OptionGroup var execution: ExecutionOptions

  @Option(
    help: ArgumentHelp(
      "Where to write the outputs: output_0.npy ... in a folder, or an archive by their names.",
      valueName: "DIR|FILE.npz"))
  var outputs: String?

  func run() throws {
    let ready = try inputs.ready(model, dimensions)
    let prepared = try execution.prepared(ready.graph)
    let results = try prepared.run(ready.arrays)
    if let outputs {
      try write(results, graph: ready.graph, to: outputs)
    } else {
      try Console.output(zip(ready.graph.outputs, results).map { summary(of: $1, named: $0.name) }.joined())
    }
  }

  private func write(_ results: [NDArray], graph: Graph, to path: String) throws(DiagnosticsError) {
    if path.hasSuffix(".npz") {
      let members = zip(graph.outputs, results).map { NPZ.Member(name: $0.name, array: $1) }
      return try NPZ(members).write(to: path)
    }
    let files = results.enumerated().map { FileContent(path: "\(path)/output_\($0).npy", bytes: $1.npy()) }
    let isNew = !FileManager.default.fileExists(atPath: path)
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw DiagnosticsError("the folder cannot be made", location: Location(file: path))
    }
    do throws(DiagnosticsError) {
      try files.writeAtomically()
    } catch {
      if isNew { try? FileManager.default.removeItem(atPath: path) }
      throw error
    }
  }

  /// A line for each output: its type, its range, its first elements.
  private func summary(of array: NDArray, named name: String) -> String {
    let head = (0..<min(array.count, 6)).map { text(array[$0]) }.joined(separator: ", ")
    let numbers = array.doubles
    let finite = numbers.filter(\.isFinite)
    var line = "\(name): \(array.type) = [\(head)\(array.count > 6 ? ", ..." : "")]"
    if let least = finite.min(), let most = finite.max(), array.count > 6 {
      line += "  min \(text(.float(least))), max \(text(.float(most)))"
    }
    if finite.count < numbers.count { line += "  \(numbers.count - finite.count) not finite" }
    return line + "\n"
  }

  private func text(_ value: ScalarValue) -> String {
    switch value {
    case .integer(let number): String(number)
    case .float(let number): number.isFinite ? String(format: "%.6g", number) : "\(number)"
    }
  }
}

/// What a model is run on.
struct InputOptions: ParsableArguments {
  @Option(
    name: .customLong("input"), help: ArgumentHelp("The file of one input.", valueName: "NAME=FILE.npy"))
  var bindings: [InputBinding] = []

  @Option(
    name: .customLong("inputs"),
    help: ArgumentHelp(
      "The files of all inputs: input_0.pb ... or NAME.npy in a folder, or an archive.", valueName: "DIR|FILE.npz"))
  var collection: String?

  @Option(help: ArgumentHelp("What random inputs start from, where none are given.", valueName: "S"))
  var seed: UInt64 = 0

  /// Reads the inputs, builds the model, and binds the sizes that options and inputs tell.
  func ready(_ model: some ModelProvider, _ dimensions: DimensionOptions) throws(DiagnosticsError) -> Ready {
    let given = try GivenInputs(bindings, collection: collection)
    if given.isEmpty {
      let symbolic = try model.boundGraph(ModelBindings(dimensions: dimensions.sizes))
      return symbolic.inputs.isEmpty ? Ready(graph: symbolic, arrays: []) : try random(symbolic)
    }
    if let names = try model.inputNames() {
      return try GivenInputs.ready(model, given.named(among: names), dimensions: dimensions.sizes)
    }
    let symbolic = try model.boundGraph(ModelBindings(dimensions: dimensions.sizes))
    return try symbolic.ready(given.named(among: symbolic.inputs.map(symbolic.inputName)))
  }

  private func random(_ symbolic: Graph) throws(DiagnosticsError) -> Ready {
    let graph = try fullyBound(symbolic)
    try graph.inputs.map { graph.type(of: $0) }.requireMemory()
    var generator = SplitMix64(seed: seed)
    Console.note("no inputs given: random ones from seed \(seed)")
    let sizes = graph.addressedSizes
    let arrays = graph.inputs.map { input in
      let type = graph.type(of: input)
      return NDArray.random(
        type.dtype, type.shape.known ?? [], below: min(sizes[input] ?? .max, 10), using: &generator)
    }
    return Ready(graph: graph, arrays: arrays)
  }
}

/// A model with all sizes known, and its inputs.
struct Ready {
  var graph: Graph
  var arrays: [NDArray]
}

extension GivenInputs {
  /// Builds a model that may use its inputs' values, and binds the sizes that they tell.
  static func ready(
    _ model: some ModelProvider, _ given: [String: Entry], dimensions: [String: Int]
  ) throws(DiagnosticsError) -> Ready {
    try model.boundGraph(ModelBindings(dimensions: dimensions, inputs: given.mapValues(\.array))).ready(given)
  }
}

extension Graph {
  /// The graph for the sizes that inputs tell, and the inputs in order.
  fileprivate func ready(_ given: [String: GivenInputs.Entry]) throws(DiagnosticsError) -> Ready {
    let (arrays, sizes) = try matched(given)
    return Ready(graph: try fullyBound(try binding(sizes)), arrays: arrays)
  }
}

/// Checks that no size is left open.
func fullyBound(_ graph: Graph) throws(DiagnosticsError) -> Graph {
  guard graph.symbols.isEmpty else {
    throw DiagnosticsError(
      graph.symbols.map { Diagnostic("the size \($0) is not known", help: "add --dim \($0)=SIZE") })
  }
  return graph
}
