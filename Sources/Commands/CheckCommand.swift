import ArgumentParser
import Lathe
import LatheCore

/// `check`: every mistake of a model, or a summary of it.
struct CheckCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "check", abstract: "Report every mistake of a model, each with its place.",
      discussion: """
        With all sizes known, by --dim where the model has symbols, the model is lowered to loops as well. Where a size \
        must be known to tell, and there are sizes for which the model is sound, that is a note and no mistake.
        """)
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  @Flag(help: "Print the summary or the mistakes as JSON.")
  var json = false

  func perform() throws {
    do throws(DiagnosticsError) {
      let verified = try verifiedModel(known.bindings(of: model))
      let summary = ModelSummary(verified, parameters: try model.parameterCount())
      if json {
        try Console.output(json: CheckReport(ok: true, summary: summary, diagnostics: []))
      } else {
        try Console.output(summary.text)
      }
    } catch {
      let error = error.placed(in: model.file)
      let notes = try undecided(error)
      if json {
        let found = (notes ?? error.diagnostics).map(CheckReport.Mistake.init)
        try Console.output(json: CheckReport(ok: notes != nil, diagnostics: found))
      }
      guard let notes else {
        guard json else { throw error }
        throw ExitCode(1)
      }
      if !json { Console.report(notes) }
    }
  }

  private func verifiedModel(_ bindings: ModelBindings) throws(DiagnosticsError) -> Model {
    let model = try model.boundModel(bindings)
    try model.verify()
    try model.requireCapacities()
    // With all sizes known, what only the lowering refuses is found as well.
    defer { Console.endProgress() }
    if model.symbols.isEmpty {
      let optimized = try model.optimized(.shown).model
      for function in optimized.functions { _ = try Program(lowering: function, variables: optimized.variables) }
    }
    return model
  }

  /// Sizes that models are tried with: one element, small numbers, lengths of texts, edges of images.
  private static var triedSizes: [Int] { [1, 2, 16, 32, 224, 640] }

  /// The mistakes as notes, where they only are that sizes are not known: there are sizes for which the model is sound.
  private func undecided(_ error: DiagnosticsError) throws(DiagnosticsError) -> [Diagnostic]? {
    var bindings = try known.bindings(of: model)
    let open = try model.openSymbols(bindings)
    guard !open.isEmpty else { return nil }
    for size in Self.triedSizes {
      for symbol in open { bindings.dimensions[symbol] = size }
      guard (try? verifiedModel(bindings)) != nil else { continue }
      var notes = error.diagnostics
      for position in notes.indices { notes[position].severity = .note }
      let sizes = open.map { "\($0)=\(size)" }
      notes.append(
        Diagnostic(
          "whether the model is sound depends on sizes; with \(sizes.joined(separator: ", ")) it is", severity: .note,
          help: "check the sizes that are wanted: " + open.map { "--dim \($0)=SIZE" }.joined(separator: " ")))
      return notes
    }
    return nil
  }
}

/// What is said of a model without mistakes.
struct ModelSummary: Encodable {
  struct Port: Encodable {
    var name: String
    var type: String
  }

  /// A size that data decides.
  struct Extent: Encodable {
    var name: String
    /// Nil where nothing bounds the size.
    var capacity: String?

    init(_ name: String, capacity: Dim?) {
      self.name = name
      self.capacity = capacity.map { "\($0)" }
    }

    var text: String { "?\(name) " + (capacity.map { "<= \($0)" } ?? "without a bound (--max \(name)=SIZE)") }
  }

  /// A function of a model that has several.
  struct Function: Encodable {
    var name: String
    var inputs: [Port]
    var outputs: [Port]
    var nodes: Int

    init(_ graph: Graph) {
      name = graph.name
      inputs = graph.inputs.map { Port(name: graph.inputName($0), type: "\(graph.type(of: $0))") }
      outputs = graph.outputs.map { Port(name: $0.name, type: "\(graph.type(of: $0.value))") }
      nodes = graph.nodes.count
    }

    var text: [String] {
      inputs.map { "  input   \($0.name): \($0.type)" } + outputs.map { "  output  \($0.name): \($0.type)" }
    }
  }

  var name: String
  /// Those of the only function; none where there are several.
  var inputs: [Port]
  var outputs: [Port]
  /// Nil where there is one.
  var functions: [Function]?
  var parameters: Int
  var symbols: [String]
  /// The sizes that data decides, with their capacities.
  var extents: [Extent]
  var nodes: Int

  /// - Parameter parameters: The elements of the parameters, where the model's file names them.
  init(_ model: Model, parameters: Int?) {
    let all = model.functions.map { Function($0) }
    name = model.name
    inputs = all.count == 1 ? all[0].inputs : []
    outputs = all.count == 1 ? all[0].outputs : []
    functions = all.count == 1 ? nil : all
    self.parameters =
      parameters
      ?? (all.count == 1
        ? model.functions[0].parameterTypes.elementCount
        : model.variables.filter { $0.role == .parameter }.reduce(0) { $0 + $1.initial.count })
    symbols = model.symbols
    extents = model.functions.flatMap(\.capacities).map { Extent($0.size, capacity: $0.capacity) }
    nodes = all.reduce(0) { $0 + $1.nodes }
  }

  var text: String {
    var lines = ["ok: \(name)"]
    if let functions {
      for function in functions { lines += ["  function \(function.name)"] + function.text.map { "  " + $0 } }
    } else {
      lines += inputs.map { "  input   \($0.name): \($0.type)" }
      lines += outputs.map { "  output  \($0.name): \($0.type)" }
    }
    lines.append("  \(parameters.grouped) parameters, \(nodes.grouped) nodes")
    if !symbols.isEmpty { lines.append("  symbols \(symbols.joined(separator: ", "))") }
    for extent in extents { lines.append("  decided by data: \(extent.text)") }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// The result of `check` for tools.
private struct CheckReport: Encodable {
  struct Mistake: Encodable {
    var severity: String
    var message: String
    var operation: String?
    var operands: [String]
    var file: String?
    var line: Int?
    var column: Int?
    var module: String?
    var node: String?
    var help: String?
    var unsupported: Unsupported?

    init(_ diagnostic: Diagnostic) {
      severity = diagnostic.severity.rawValue
      message = diagnostic.message
      operation = diagnostic.operation
      operands = diagnostic.operands
      file = diagnostic.location.file
      line = diagnostic.location.line
      column = diagnostic.location.column
      module = diagnostic.location.modulePath
      node = diagnostic.location.node
      help = diagnostic.help
      unsupported = diagnostic.unsupported.map {
        Unsupported(operator: $0.name, domain: $0.domain, opset: $0.opset, nodes: $0.nodes)
      }
    }
  }

  struct Unsupported: Encodable {
    var `operator`: String
    var domain: String
    var opset: Int?
    var nodes: [String]
  }

  /// Counts up when a field changes its meaning; the article *ONNX operators* has the fields.
  var schema = 1

  var ok: Bool
  var summary: ModelSummary?
  var diagnostics: [Mistake]
}
