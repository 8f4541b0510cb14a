extension Graph {
  /// The graph with every place where a pattern occurs replaced, and how many there were: `torch.fx.replace_pattern`.
  ///
  /// The pattern is a graph of one output; its inputs stand for any values of their types, and a value that occurs twice
  /// in it must be one value. Its operations match those with the same attributes, among them shapes. Places do not
  /// overlap: those nearer to the outputs come first.
  ///
  /// ```swift
  /// let pattern = try trace(.f32(2, 3), .f32(2, 3)) { a, b in a.exp() * b.exp() }
  /// let sum = try trace(.f32(2, 3), .f32(2, 3)) { a, b in (a + b).exp() }
  /// let (graph, count) = try graph.replacingPattern(pattern, with: sum)
  /// ```
  ///
  /// - Throws: A pattern or replacement that is no such function, and two whose types differ.
  public func replacingPattern(
    _ pattern: Graph, with replacement: Graph
  ) throws(DiagnosticsError) -> (graph: Graph, count: Int) {
    guard pattern.outputs.count == 1, replacement.outputs.count == 1, pattern.updates.isEmpty,
      replacement.updates.isEmpty
    else { throw DiagnosticsError("a pattern and its replacement have one output each, and update no variables") }
    let types = { (graph: Graph) in graph.inputs.map { graph.type(of: $0) } + [graph.type(of: graph.outputs[0].value)] }
    guard types(pattern) == types(replacement) else {
      throw DiagnosticsError(
        "the pattern is a function of \(types(pattern)), its replacement of \(types(replacement))",
        help: "the inputs, then the output, have the same types")
    }
    let root = pattern.outputs[0].value
    if case .input = pattern[root].operation {
      throw DiagnosticsError("the pattern is an input, which every value would match")
    }
    var taken = Set<Int>()
    var places: [Int: [Value]] = [:]
    for position in nodes.indices.reversed() where !taken.contains(position) {
      let place = Value(node: position, result: Int(root.result))
      guard nodes[position].types.count == 1 else { continue }
      var match = PatternMatch(graph: self, pattern: pattern)
      guard match.matches(root, place), taken.isDisjoint(with: match.nodes) else { continue }
      let bound = pattern.inputs.compactMap { match.bindings[$0] }
      // An input that the pattern does not use stands for nothing that is known.
      guard bound.count == pattern.inputs.count else {
        throw DiagnosticsError("the pattern does not use all of its inputs")
      }
      taken.formUnion(match.nodes)
      places[position] = bound
    }
    var made: [Value: Tensor] = [:]
    let graph = try rebuilt { node, position, operands, builder in
      let results: [Tensor]
      if let bound = places[position] {
        results = replacement.inlined(bound.map { made[$0] ?? builder.poison }, in: builder)
      } else if case .input(let input) = node.operation {
        results = [builder.input(input.argument, input.type)]
      } else {
        results = builder.apply(node.operation, operands)
      }
      for (result, tensor) in results.enumerated() { made[Value(node: position, result: result)] = tensor }
      return results
    }
    return (graph, places.count)
  }
}

/// A pattern laid over a graph from its output on.
private struct PatternMatch {
  let graph: Graph
  let pattern: Graph
  /// What the pattern's values are in the graph.
  var bindings: [Value: Value] = [:]
  /// The nodes that belong to the pattern.
  var nodes = Set<Int>()

  mutating func matches(_ value: Value, _ place: Value) -> Bool {
    if let known = bindings[value] { return known == place }
    let (wanted, node) = (pattern[value], graph[place])
    if case .input = wanted.operation {
      guard graph.type(of: place) == pattern.type(of: value) else { return false }
      bindings[value] = place
      return true
    }
    guard wanted.operation == node.operation, wanted.types == node.types, value.result == place.result,
      wanted.operands.count == node.operands.count
    else { return false }
    for (operand, operandPlace) in zip(wanted.operands, node.operands) where !matches(operand, operandPlace) {
      return false
    }
    bindings[value] = place
    // Literals and variables belong to everybody.
    if !node.operation.isSource { nodes.insert(Int(place.node)) }
    return true
  }
}
