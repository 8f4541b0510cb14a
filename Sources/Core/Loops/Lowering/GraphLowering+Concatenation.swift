extension GraphLowering {
  /// Gives the operands of concatenations their places in the wholes, from the last to the first: an operand may be a
  /// concatenation itself.
  mutating func placeParts(_ region: inout Region) {
    for position in region.graph.nodes.indices.reversed() {
      let candidates = region.graph.concatenatedInPlace(position, region.groups)
      guard !candidates.isEmpty else { continue }
      let whole = Value(node: position)
      let place = place(for: whole, &region)
      // A variable's old content may still be read.
      if case .variable = program[place.buffer].kind { continue }
      region.destinations[whole] = place
      var start = 0
      let node = region.graph.nodes[position]
      for operand in node.operands {
        let type = region.graph.type(of: operand)
        guard let axis = candidates.first?.axis, let count = type.shape.known?[axis] else { return }
        defer { start += count }
        guard candidates.contains(where: { $0.operand == operand }), region.destinations[operand] == nil,
          let part = part(of: place, node.types[0], axis, start, count),
          region.layouts.borders[operand].map({ $0 == part.layout?.borders }) ?? true
        else { continue }
        region.destinations[operand] = part
      }
    }
  }

  private func part(of place: Place, _ type: TensorType, _ axis: Int, _ start: Int, _ count: Int) -> Place? {
    let layout = place.layout ?? Layout(shape: type.sizes)
    guard let (part, offset) = layout.part(of: axis, from: start, count: count) else { return nil }
    return Place(buffer: place.buffer, start: place.start + offset, layout: part)
  }

  /// Copies the operands of a concatenation that are not in their places yet.
  mutating func concatenate(_ node: Node, _ position: Int, along axis: Int, _ region: inout Region) -> [Step] {
    let value = Value(node: position)
    let place = place(for: value, &region)
    var steps: [Step] = []
    var start = 0
    for operand in node.operands {
      let count = region.graph.type(of: operand).sizes[axis]
      defer { start += count }
      guard count > 0, let part = part(of: place, node.types[0], axis, start, count) else {
        // Blocks would be cut: one kernel writes everything.
        steps = kernel(node, position, into: place, region)
        break
      }
      if let own = storage(operand, region), own == part { continue }
      steps += copy(operand, to: part, region)
    }
    region.places[value] = place
    return steps
  }
}
