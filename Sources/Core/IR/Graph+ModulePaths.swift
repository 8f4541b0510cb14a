extension Graph {
  /// The module that each node stands in, as a path; literals stand where they are used, if that is one place.
  package var modulePaths: [[Substring]] {
    var paths = locations.map { $0.modulePath?.split(separator: ".") ?? [] }
    var users: [Int: Set<[Substring]>] = [:]
    for (position, node) in nodes.enumerated().reversed() {
      if case .constant = node.operation, let places = users[position], places.count == 1, let place = places.first {
        paths[position] = place
      }
      for operand in node.operands { users[Int(operand.node), default: []].insert(paths[position]) }
    }
    return paths
  }
}
