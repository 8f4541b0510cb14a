internal import LatheCore
internal import LatheNN

/// Elements in order: `TopK`, which gives them and their places.
extension Matcher {
  /// The operators by the nodes that they are written in place of: the places, all or the first, and what is gathered at
  /// them.
  func orders() -> [Int: Composite] {
    var found: [Int: Composite] = [:]
    for position in graph.nodes.indices {
      let places = Value(node: position)
      guard let (x, sort, count) = ordered(places), isOrdered(x) else { continue }
      let template = Template(of: [.value(x)], in: self) { operands in
        guard let count else { return [operands[0].sort(dim: sort.axis, descending: sort.descending).values] }
        return [operands[0].topk(count, dim: sort.axis, largest: sort.descending).values]
      }
      // Places alone are written as such.
      guard let values = template?.results()?.first, !values.isEmpty || count != nil else { continue }
      let written = WrittenResults()
      found[position] = Composite(operands: [x]) { export, type throws(TypeFault) in
        let operand = try export.value(x)
        let count = try export.size(type.shape[sort.axis])
        written.values = try export.greatest(operand, count, sort, type.shape)
        return written.values[1]
      }
      for value in values {
        found[Int(value.node)] = Composite(operands: [places]) { export, type throws(TypeFault) in
          try export.reshape(written.values[0], to: type.shape)
        }
      }
    }
    return found
  }

  /// What places are the order of, and how many there are of them, where it is not all.
  private func ordered(_ places: Value) -> (x: Value, sort: ArgSort, count: Int?)? {
    switch graph[places].operation {
    case .argSort(let sort): return (graph[places].operands[0], sort, nil)
    case .slice(let slice):
      let order = graph[places].operands[0]
      guard case .argSort(let sort) = graph[order].operation, let count = slice.limit[sort.axis].known,
        slice.start.allSatisfy({ $0 == 0 }), slice.stride.allSatisfy({ $0 == 1 }),
        type(places).shape.indices.allSatisfy({ $0 == sort.axis || type(places).shape[$0] == type(order).shape[$0] })
      else { return nil }
      return (graph[order].operands[0], sort, count)
    default: return nil
    }
  }
}

/// What ONNX calls the results of an operator, once it is written: for the nodes that are its other results.
final class WrittenResults {
  var values: [ONNXValue] = []
}
