/// Who reads a graph's values; computed when wanted, never stored in the graph.
package struct Uses: Sendable {
  /// For each node, the positions of the nodes that read any of its results, ascending, once each.
  package private(set) var users: [[Int]]
  /// The nodes whose results are outputs or updates of the graph.
  package private(set) var escaping: Set<Int>

  /// Finds the users of all values.
  package init(_ graph: Graph) {
    users = Array(repeating: [], count: graph.nodes.count)
    for (position, node) in graph.nodes.enumerated() {
      for operand in node.operands where users[Int(operand.node)].last != position {
        users[Int(operand.node)].append(position)
      }
    }
    escaping = Set((graph.outputs.map(\.value) + graph.updates.map(\.value)).map { Int($0.node) })
  }

  /// How often a node's results are read, counting each reading node and the graph's boundary once.
  package func count(_ node: Int) -> Int { users[node].count + (escaping.contains(node) ? 1 : 0) }

  /// The nodes that outputs and updates depend on: their operands, and what defines the sizes that they mention.
  package static func live(_ graph: Graph) -> Set<Int> {
    var definitions: [String: Int] = [:]
    for (position, node) in graph.nodes.enumerated() {
      if let size = node.definedExtent { definitions[size] = position }
    }
    var live = Set((graph.outputs.map(\.value) + graph.updates.map(\.value)).map { Int($0.node) })
    for position in graph.nodes.indices.reversed() where live.contains(position) {
      live.formUnion(graph.nodes[position].operands.map { Int($0.node) })
      if !definitions.isEmpty { live.formUnion(graph.nodes[position].extents.compactMap { definitions[$0] }) }
    }
    return live
  }
}
