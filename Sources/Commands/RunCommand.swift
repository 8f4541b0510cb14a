import ArgumentParser
import Foundation
import LatheCore
import LatheData

/// `run`: the outputs for some inputs.
struct RunCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "run", abstract: "Run the model on inputs from files, or on random ones.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var inputs: InputOptions
  @OptionGroup var known: BindingOptions
  @OptionGroup var execution: ExecutionOptions

  @Option(
    help: ArgumentHelp(
      "Where to write the outputs: output_0.npy ... in a folder, or an archive by their names.",
      valueName: "DIR|FILE.npz"))
  var outputs: String?

  func validate() throws {
    guard let outputs else { return }
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: outputs, isDirectory: &isFolder)
    let suffix = URL(fileURLWithPath: outputs).pathExtension
    guard isFolder.boolValue || outputs.hasSuffix("/") || suffix.isEmpty || suffix == "npz" else {
      throw ValidationError("'\(outputs)' names no form that outputs are written in: a folder, or an .npz file")
    }
  }

  func perform() throws {
    if let outputs, outputs.hasSuffix(".npz") { try requireWritable(outputs) }
    let ready = try inputs.ready(model, known)
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
      let members = zip(graph.outputs, results).map { NamedArray(name: $0.name, array: $1) }
      return try NPZ(members).write(to: path)
    }
    let files = results.enumerated().map { FileContent(path: "\(path)/output_\($0).npy", bytes: $1.npy()) }
    let isNew = !FileManager.default.fileExists(atPath: path)
    try createFolder(path)
    do throws(DiagnosticsError) {
      try files.writeAtomically()
    } catch {
      if isNew { try? FileManager.default.removeItem(atPath: path) }
      throw error
    }
  }

  /// A line for each output: its type, its range, its first elements.
  private func summary(of array: NDArray, named name: String) -> String {
    let head = array.values.prefix(6).map(text).joined(separator: ", ")
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
    name: .customLong("input"), help: ArgumentHelp("The file of one input.", valueName: "NAME=FILE.npy"),
    transform: InputBinding.init(argument:))
  var bindings: [InputBinding] = []

  @Option(
    name: .customLong("inputs"),
    help: ArgumentHelp(
      "The files of all inputs: input_0.pb ... or NAME.npy in a folder, or an archive.", valueName: "DIR|FILE.npz"))
  var collection: String?

  @Option(
    help: ArgumentHelp("What random inputs start from, where none are given. (default: 0)", valueName: "S"),
    transform: wholeNumber(from: 0))
  var seed: UInt64 = 0

  /// Reads the inputs, builds the model, and binds the sizes that options and inputs tell.
  func ready(_ model: some ModelProvider, _ known: BindingOptions) throws(DiagnosticsError) -> Ready {
    let given = try GivenInputs(bindings, collection: collection)
    let bindings = try known.bindings(of: model)
    if given.isEmpty {
      let graph = try model.fullyBoundGraph(bindings)
      return graph.inputs.isEmpty ? Ready(graph: graph, arrays: []) : try random(graph)
    }
    if let names = try model.inputNames() {
      let open = names.filter { bindings.constants[$0] == nil }
      return try given.named(among: open).ready(model, bindings)
    }
    let symbolic = try model.boundGraph(bindings)
    return try symbolic.ready(given.named(among: symbolic.inputs.map(symbolic.inputName)), known: bindings.dimensions)
  }

  /// A graph with all sizes known, and the inputs that options give, or random ones.
  func ready(_ graph: Graph) throws(DiagnosticsError) -> Ready {
    let given = try GivenInputs(bindings, collection: collection)
    return try given.isEmpty
      ? random(graph) : graph.ready(given.named(among: graph.inputs.map(graph.inputName)), known: [:])
  }

  private func random(_ graph: Graph) throws(DiagnosticsError) -> Ready {
    try graph.inputs.map { graph.type(of: $0) }.requireMemory()
    var generator = SplitMix64(seed: seed)
    Console.note("no inputs given: random ones from seed \(seed)")
    let sizes = graph.addressedSizes
    let arrays = graph.inputs.map { input in
      let type = graph.type(of: input)
      guard let shape = type.shape.known else { internalError("input '\(graph.inputName(input))' is \(type)") }
      return NDArray.random(type.dtype, shape, below: min(sizes[input] ?? .max, 10), using: &generator)
    }
    return Ready(graph: graph, arrays: arrays)
  }
}

/// A model with all sizes known, and its inputs.
struct Ready {
  var graph: Graph
  var arrays: [NDArray]
}

extension [String: GivenInputs.Entry] {
  /// Builds a model that may use its inputs' values, and binds the sizes that they tell.
  func ready(_ model: some ModelProvider, _ bindings: ModelBindings) throws(DiagnosticsError) -> Ready {
    var bindings = bindings
    bindings.inputs = mapValues(\.array)
    return try model.boundGraph(bindings).ready(self, known: bindings.dimensions)
  }
}

extension Graph {
  /// The graph for the sizes that inputs tell, and the inputs in order.
  fileprivate func ready(
    _ given: [String: GivenInputs.Entry], known: [String: Int]
  ) throws(DiagnosticsError) -> Ready {
    let (arrays, sizes) = try matched(given, known: known)
    return Ready(graph: try fullyBound(try binding(sizes)), arrays: arrays)
  }
}

/// Checks that no size is left open.
func fullyBound(_ graph: Graph) throws(DiagnosticsError) -> Graph {
  guard graph.symbols.isEmpty else { throw DiagnosticsError(unknownSizes: graph.symbols) }
  return graph
}

extension DiagnosticsError {
  /// Sizes that must be known, and are not.
  init(unknownSizes symbols: [String]) {
    self.init(symbols.map { Diagnostic("the size \($0) is not known", help: "add --dim \($0)=SIZE") })
  }
}

extension ModelProvider {
  /// The model with all sizes known.
  ///
  /// - Throws: Sizes that are not known, before anything that only follows from that.
  func fullyBoundGraph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    do throws(DiagnosticsError) {
      return try fullyBound(try boundGraph(bindings))
    } catch {
      let open = try openSymbols(bindings)
      throw open.isEmpty ? error : DiagnosticsError(unknownSizes: open)
    }
  }

  /// The same of the model with all its functions.
  func fullyBoundModel(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model {
    let model: Model
    do throws(DiagnosticsError) {
      model = try boundModel(bindings)
    } catch {
      let open = try openSymbols(bindings)
      throw open.isEmpty ? error : DiagnosticsError(unknownSizes: open)
    }
    guard model.symbols.isEmpty else { throw DiagnosticsError(unknownSizes: model.symbols) }
    return model
  }
}
