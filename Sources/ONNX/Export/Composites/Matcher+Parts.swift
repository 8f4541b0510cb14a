internal import LatheCore

/// `Split`: slices that are all of an axis together.
extension Matcher {
  /// The operators by the nodes that they are written in place of: each of the slices.
  ///
  /// - Parameter taken: Nodes that are something else.
  func splits(besides taken: Set<Int>) -> [Int: Composite] {
    struct Axis: Hashable {
      var x: Value
      var axis: Int
    }
    var slices: [Axis: [Int: (limit: Dim, position: Int)]] = [:]
    for (position, node) in graph.nodes.enumerated() where !taken.contains(position) {
      guard case .slice(let slice) = node.operation, case let shape = type(node.operands[0]).shape,
        slice.stride.allSatisfy({ $0 == 1 })
      else { continue }
      let cut = shape.indices.filter { slice.start[$0] != 0 || slice.limit[$0] != shape[$0] }
      guard cut.count == 1, case let axis = cut[0] else { continue }
      let key = Axis(x: node.operands[0], axis: axis)
      if slices[key]?[slice.start[axis]] == nil {
        slices[key, default: [:]][slice.start[axis]] = (slice.limit[axis], position)
      }
    }
    var found: [Int: Composite] = [:]
    for (key, parts) in slices {
      let size = type(key.x).shape[key.axis]
      var positions: [Int] = []
      var end = Dim(0)
      while end != size, let start = end.known, let part = parts[start], part.limit != end {
        positions.append(part.position)
        end = part.limit
      }
      guard end == size, positions.count > 1, positions.allSatisfy({ found[$0] == nil }),
        let first = positions.min()
      else { continue }
      let written = WrittenResults()
      for (number, position) in positions.enumerated() {
        let operand = position == first ? key.x : Value(node: first)
        found[position] = Composite(operands: [operand]) { export, _ throws(TypeFault) in
          if position == first {
            let types = positions.map { graph.nodes[$0].types[0] }
            let sizes = try export.shape(types.map { $0.shape[key.axis] })
            written.values = export.emit(
              "Split", [try export.value(key.x), sizes], results: types, [.int("axis", key.axis)])
          }
          return written.values[number]
        }
      }
    }
    return found
  }
}
