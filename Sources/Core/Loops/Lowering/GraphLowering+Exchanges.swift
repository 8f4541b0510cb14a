extension GraphLowering {
  /// Makes buckets of what the graph hands out, in the order of its nodes.
  ///
  /// A bucket ends where it is large enough, and before what needs a part of it: that cannot wait for numbers which are
  /// not handed out yet.
  mutating func collectExchanges(_ region: Region) {
    var open = Set<Value>()
    var members: [ExchangeBucket.Member] = []
    var bytes = 0
    func close(_ program: inout Program) {
      if !members.isEmpty { program.buckets.append(ExchangeBucket(members: members)) }
      (open, members, bytes) = ([], [], 0)
    }
    for (position, node) in region.graph.nodes.enumerated() {
      if node.operands.contains(where: open.contains) { close(&program) }
      let value = Value(node: position)
      guard case .exchange(let exchange) = node.operation, let place = region.places[value],
        program[place.buffer].count > 0
      else { continue }
      open.insert(value)
      members.append(ExchangeBucket.Member(label: exchange.label, buffer: place.buffer))
      bytes += program[place.buffer].byteCount
      if bytes >= exchange.bucketBytes { close(&program) }
    }
    close(&program)
    if !program.buckets.isEmpty { program.placeExchanges() }
  }
}
