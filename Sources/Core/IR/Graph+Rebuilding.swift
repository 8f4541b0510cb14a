extension Graph {
  /// The graph in canonical order: its inputs, the variables that it reads in the order of their declaration, then the
  /// other nodes that an output or update depends on, as they were built.
  func canonical() -> Graph {
    let live = Uses.live(self)
    var reads: [String: Int] = [:]
    var rest: [Int] = []
    for (position, node) in nodes.enumerated() where live.contains(position) {
      switch node.operation {
      case .input: break
      case .variable(let read): reads[read.variable] = position
      default: rest.append(position)
      }
    }
    var result = reordered(inputs.map { Int($0.node) } + variables.compactMap { reads[$0.name] } + rest)
    var used = Set(updates.map(\.variable))
    for node in result.nodes { if case .variable(let read) = node.operation { used.insert(read.variable) } }
    result.variables = variables.filter { used.contains($0.name) }
    return result
  }

  /// The graph with its nodes in another order.
  ///
  /// - Parameter order: The positions of the nodes that are kept, each behind those of its operands.
  func reordered(_ order: [Int]) -> Graph {
    var positions = [Int](repeating: -1, count: nodes.count)
    var result = self
    result.nodes = []
    result.locations = []
    for position in order {
      positions[position] = result.nodes.count
      let node = nodes[position]
      var moved = node
      moved.operands = node.operands.map { Value(node: positions[Int($0.node)], result: Int($0.result)) }
      result.nodes.append(moved)
      result.locations.append(locations[position])
    }
    func moved(_ value: Value) -> Value { Value(node: positions[Int(value.node)], result: Int(value.result)) }
    result.inputs = inputs.map(moved)
    result.outputs = outputs.map { Output(name: $0.name, value: moved($0.value), shape: $0.shape) }
    result.updates = updates.map { Update(variable: $0.variable, value: moved($0.value)) }
    return result
  }

  /// Builds the graph's nodes again in another builder, on other arguments.
  ///
  /// - Parameter updating: Whether the variables that the graph updates are updated there too.
  /// - Returns: The outputs.
  package func inlined(_ arguments: [Tensor], in builder: Builder, updating: Bool = false) -> [Tensor] {
    var replaced: [Value: Tensor] = [:]
    for (input, argument) in zip(inputs, arguments) { replaced[input] = argument }
    for (position, node) in nodes.enumerated() where replaced[Value(node: position)] == nil {
      let operands = node.operands.map { replaced[$0] ?? builder.poison }
      let results: [Tensor]
      if case .variable(let read) = node.operation, let variable = variable(named: read.variable) {
        results = [builder.variable(variable)]
      } else {
        results = builder.at(locations[position]) { builder.apply(node.operation, operands) }
      }
      for (result, tensor) in results.enumerated() { replaced[Value(node: position, result: result)] = tensor }
    }
    for update in updates where updating {
      builder.update(update.variable, to: replaced[update.value] ?? builder.poison)
    }
    return outputs.map { replaced[$0.value] ?? builder.poison }
  }

  /// Builds the whole graph again through a rule that may replace nodes: how passes and substitutions are written.
  ///
  /// - Parameter rule: Given a node, its position, its new operands and the new builder: its new results, or nil to
  ///   build it as it is.
  package func rebuilt(
    _ rule: (_ node: Node, _ position: Int, _ operands: [Tensor], _ builder: Builder) -> [Tensor]?
  ) throws(DiagnosticsError) -> Graph {
    let builder = Builder()
    var replaced: [Value: Tensor] = [:]
    for variable in variables { _ = builder.variable(variable) }
    for (position, node) in nodes.enumerated() {
      let operands = node.operands.map { replaced[$0] ?? builder.poison }
      let results = builder.at(locations[position]) { () -> [Tensor] in
        if let results = rule(node, position, operands, builder) { return results }
        if case .input(let input) = node.operation { return [builder.input(input.argument, input.type)] }
        return builder.apply(node.operation, operands)
      }
      for (result, tensor) in results.enumerated() { replaced[Value(node: position, result: result)] = tensor }
    }
    for update in updates { builder.update(update.variable, to: replaced[update.value] ?? builder.poison) }
    var graph = try builder.finish(
      name: name, outputs: outputs.map { ($0.name, replaced[$0.value] ?? builder.poison) })
    for (position, output) in outputs.enumerated() { graph.outputs[position].shape = output.shape }
    return graph
  }
}
