extension Pass {
  /// Moves each `exchange` right behind what it hands out, and what needs its result behind everything that does not.
  ///
  /// Kernels run in the order of nodes. So communication begins while others are still computed, nobody waits for it
  /// earlier than he has to, and what is handed out first is waited for first.
  public static let orderExchanges = Pass("order-exchanges") { (graph, context) throws(DiagnosticsError) in
    graph.withEarlyExchanges(&context.budget)
  }
}

extension Graph {
  fileprivate func withEarlyExchanges(_ budget: inout RewriteBudget) -> Graph {
    guard nodes.contains(where: \.operation.isExchange), budget.isOpen else { return self }
    var behind: [Int: [Int]] = [:]
    for (position, node) in nodes.enumerated() where node.operation.isExchange {
      let producer = Int(node.operands[0].node)
      if nodes[producer].operation.canBeFollowed { behind[producer, default: []].append(position) }
    }
    let moved = Set(behind.values.joined())
    let order = nodes.indices.filter { !moved.contains($0) }.flatMap { [$0] + (behind[$0] ?? []) }
    // Of which exchanges, by number from 1 on, a node needs the result: the last one counts.
    var number = 0
    var needed = [Int](repeating: 0, count: nodes.count)
    var given = needed
    for position in order {
      needed[position] = nodes[position].operands.map { given[Int($0.node)] }.max() ?? 0
      given[position] = needed[position]
      if nodes[position].operation.isExchange {
        number += 1
        given[position] = number
      }
    }
    let result = order.enumerated().sorted { (needed[$0.element], $0.offset) < (needed[$1.element], $1.offset) }
      .map(\.element)
    guard result != Array(nodes.indices) else { return self }
    budget.spend(on: "exchange")
    return reordered(result)
  }
}

extension Operation {
  /// Whether another node may stand right behind it: inputs and variables stay together, and so do several exchanges.
  fileprivate var canBeFollowed: Bool { !isExchange && !isSource }
}
