extension Tensor {
  /// What this tensor would be if others had other contents: everything on the way from them is built again in an inner
  /// graph, everything else is what it is.
  ///
  /// - Parameters:
  ///   - tensors: Tensors of the same graph as this one, and what stands in for each.
  ///   - builder: Of a sub-graph of this tensor's graph.
  package func recomputed(replacing tensors: [(before: Tensor, after: Tensor)], in builder: Builder) -> Tensor {
    guard !isPoisoned else { return builder.poison }
    var replaced = Dictionary(tensors.map { ($0.before.value, $0.after) }) { first, _ in first }
    for position in 0...Int(value.node) {
      let node = self.builder.node(at: position)
      guard node.operands.contains(where: { replaced[$0] != nil }) else { continue }
      let operands = node.operands.map { replaced[$0] ?? Tensor(builder: self.builder, value: $0) }
      let results = builder.at(self.builder.location(at: position)) { builder.apply(node.operation, operands) }
      for (result, tensor) in results.enumerated() {
        // What is given stays, also among several results of one node.
        let place = Value(node: position, result: result)
        if replaced[place] == nil { replaced[place] = tensor }
      }
    }
    return replaced[value] ?? self
  }
}
