extension LayoutAssignment {
  /// Bytes between rows whose elements meet in the same few sets of a first-level cache: 4 KB are one way of it.
  private static let conflictingDistance = 2 << 10
  /// Rows that are read at once are fewer than those of this many, which the ways of a set can hold.
  private static let harmlessRows = 8
  private static let cacheLine = 64

  /// Moves the rows of matrices that are multiplied apart, where a register tile's rows would push each other out of the
  /// first-level cache: with rows of 3072 floats, products run at three quarters of their speed.
  mutating func spreadRows(_ graph: Graph, _ groups: FusionGroups, _ target: Target) {
    let uses = Uses(graph)
    var spread = Set<Value>()
    for node in graph.nodes {
      guard case .dot(let dot) = node.operation else { continue }
      for (operand, contracting) in zip(node.operands, [dot.leftContracting, dot.rightContracting]) {
        guard let shape = graph.type(of: operand).shape.known, contracting.contains(shape.count - 1) else { continue }
        let rows = shape.dropLast().reduce(1, *)
        let distance = (shape.last ?? 0) * node.types[0].dtype.byteCount
        if rows > Self.harmlessRows, distance > 0, distance % Self.conflictingDistance == 0 { spread.insert(operand) }
      }
    }
    for position in graph.nodes.indices.reversed() where groups.isMaterialized[position] {
      let value = Value(node: position)
      guard spread.contains(value), layouts[value] == nil, borders[value] == nil,
        graph.nodes[position].types.count == 1,
        graph.nodes[position].operation.hasKernel, !uses.escaping.contains(position),
        let shape = graph.type(of: value).shape.known,
        uses.users[position].allSatisfy({ graph.readsByIndex($0, groups) })
      else { continue }
      layouts[value] = Layout(shape: shape, gap: Self.cacheLine / graph.type(of: value).dtype.byteCount)
      // What a kernel may overwrite has to lie alike.
      for member in groups.members(of: position, in: graph) {
        for operand in graph.nodes[member].operands where graph.type(of: operand) == graph.type(of: value) {
          spread.insert(operand)
        }
      }
    }
  }
}

extension Graph {
  /// Whether a node's kernels read operands element by element, not as a whole that lies in the plain order.
  fileprivate func readsByIndex(_ position: Int, _ groups: FusionGroups) -> Bool {
    switch nodes[position].operation {
    case .reshape: !groups.isMaterialized[position]
    case .concatenate, .conditional, .whileLoop, .scan, .call, .factorization: false
    default: true
    }
  }
}
