/// The invariants of graphs. The type rule is the verifier: every node is inferred again and compared.
extension Graph {
  /// Checks that the graph is one that `Builder` could have made: canonical order, operands defined before their use,
  /// types as the rules give them, sizes that data decides defined before their use, variables and updates of the declared types, and the same of every sub-graph.
  ///
  /// - Throws: Everything that is wrong, with the place of the node.
  public func verify() throws(DiagnosticsError) {
    var verifier = Verifier(graph: self)
    verifier.run()
    guard verifier.diagnostics.isEmpty else { throw DiagnosticsError(verifier.diagnostics) }
  }
}

private struct Verifier {
  let graph: Graph
  var isInner = false
  /// The sizes that data decides and that are defined so far, here and around the graph.
  var extents: Set<String> = []
  var diagnostics: [Diagnostic] = []

  mutating func run() {
    guard graph.locations.count == graph.nodes.count else {
      return report("\(graph.nodes.count) nodes have \(graph.locations.count) locations")
    }
    inputs()
    let known = extents
    let hasExtents = graph.hasExtents
    for position in graph.nodes.indices {
      if hasExtents { sizes(position) }
      node(position)
    }
    // What is decided inside of a sub-graph has no meaning outside.
    if hasExtents, isInner {
      for output in graph.outputs where exists(output.value, before: graph.nodes.count) {
        for size in graph.type(of: output.value).shape.extents where !known.contains(size) {
          report("output '\(output.name)' has the size ?\(size), which is decided inside of the sub-graph")
        }
      }
    }
    let variables = Dictionary(graph.variables.map { ($0.name, $0.type) }) { first, _ in first }
    if variables.count != graph.variables.count { report("variables are declared twice") }
    for variable in graph.variables where variable.initial.type != variable.type {
      report("variable '\(variable.name)' is \(variable.type), its initial content is \(variable.initial.type)")
    }
    if Set(graph.outputs.map(\.name)).count != graph.outputs.count { report("two outputs have one name") }
    for output in graph.outputs where !exists(output.value, before: graph.nodes.count) {
      report("output '\(output.name)' is no value of the graph")
    }
    if Set(graph.updates.map(\.variable)).count != graph.updates.count { report("a variable is updated twice") }
    for update in graph.updates {
      guard exists(update.value, before: graph.nodes.count) else {
        report("the update of '\(update.variable)' is no value of the graph")
        continue
      }
      let type = graph.type(of: update.value)
      if variables[update.variable] != type {
        let declared = variables[update.variable]?.description ?? "not declared"
        report("variable '\(update.variable)' is \(declared), its update is \(type)")
      }
    }
  }

  /// Inputs come first, in the order of the arguments; then the variables in the order of their declaration.
  private mutating func inputs() {
    var names: [String] = []
    var reads: [String] = []
    for (position, node) in graph.nodes.enumerated() {
      switch node.operation {
      case .input(let input):
        if position != names.count { report("input '\(input.argument)' does not come first", position) }
        names.append(input.argument)
      case .variable(let read):
        if position != names.count + reads.count { report("variable '\(read.variable)' is read too late", position) }
        reads.append(read.variable)
        if graph.variable(named: read.variable)?.type != read.type {
          report("variable '\(read.variable)' is not declared as \(read.type)", position)
        }
      default: continue
      }
    }
    if graph.inputs != names.indices.map({ Value(node: $0) }) { report("the inputs are not the input nodes in order") }
    if Set(names).count != names.count { report("two inputs have one name") }
    if reads != graph.variables.map(\.name).filter(reads.contains) {
      report("variables are not read in order, once each")
    }
  }

  /// Every size that data decides is defined once, before it is mentioned; no input has one.
  private mutating func sizes(_ position: Int) {
    let node = graph.nodes[position]
    if case .input = node.operation, !isInner, !node.types[0].shape.extents.isEmpty {
      return report("input: \(node.types[0]) has a size that data decides", position)
    }
    for size in node.extents.subtracting(extents).sorted() {
      report("\(node.operation.name): the size ?\(size) is not defined before", position)
    }
    if let size = node.definedExtent, !extents.insert(size).inserted {
      report("\(node.operation.name): the size ?\(size) is defined twice", position)
    }
  }

  private mutating func node(_ position: Int) {
    let node = graph.nodes[position]
    guard node.operands.allSatisfy({ exists($0, before: position) }) else {
      return report("\(node.operation.name): an operand is not defined before its use", position)
    }
    let types = node.operands.map { graph.type(of: $0) }
    do throws(TypeFault) {
      let inferred = try node.operation.definition.infer(types)
      if inferred != node.types {
        report("\(node.operation.name): is \(node.types), its rule gives \(inferred)", position)
      }
    } catch {
      report("\(node.operation.name): \(error.message)", position, operands: types.map(\.description), help: error.help)
    }
    if isInner, case .exchange = node.operation { report("exchange: \(Exchange.insideFault.message)", position) }
    for case (let name, .graph(let inner)) in node.operation.definition.attributes {
      if !inner.variables.isEmpty || !inner.updates.isEmpty {
        report("\(node.operation.name): the sub-graph '\(name)' touches variables", position)
      }
      var verifier = Verifier(graph: inner, isInner: true, extents: extents)
      verifier.run()
      diagnostics += verifier.diagnostics
    }
  }

  private func exists(_ value: Value, before position: Int) -> Bool {
    value.node >= 0 && value.node < position && value.result >= 0
      && value.result < graph.nodes[Int(value.node)].types.count
  }

  private mutating func report(_ message: String, _ node: Int? = nil, operands: [String] = [], help: String? = nil) {
    let location = node.map { graph.locations[$0] } ?? Location()
    diagnostics.append(
      Diagnostic(
        node.map { "node \($0): \(message)" } ?? message, operation: node.map { graph.nodes[$0].operation.name },
        operands: operands, location: location, help: help))
  }
}
