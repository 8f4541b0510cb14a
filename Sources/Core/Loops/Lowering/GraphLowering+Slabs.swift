extension GraphLowering {
  /// The steps of kernels that run slab by slab.
  mutating func lower(_ group: SlabGroup, _ region: inout Region) -> [Step] {
    let value = Value(node: group.last)
    var steps: [Step] = []
    for member in group.members { steps += borderedOperands(member, &region) }
    let place = place(for: value, &region)
    let slab = Slab(group: group, result: place)
    steps += lower(slab, &region)[0]
    region.places[value] = place
    return steps
  }

  /// The part of a group's work that some of its loops have come down to.
  private struct Slab {
    let group: SlabGroup
    /// Where the whole result belongs.
    let result: Place
    /// The first index and the number of indices for each cut whose loop is open, and the loop's variable.
    var ranges: [(start: Index, count: Int, variable: LoopVariable?)] = []
  }

  /// The steps in the loops that are open: by depth, from outside all loops of the group to inside those that are open.
  private mutating func lower(_ slab: Slab, _ region: inout Region) -> [[Step]] {
    let depth = slab.ranges.count
    guard depth < slab.group.cuts.count else { return kernels(slab, &region) }
    let cut = slab.group.cuts[depth]
    let (whole, rest) = (cut.extent / cut.size, cut.extent % cut.size)
    var steps = [[Step]](repeating: [], count: depth + 1)
    func add(_ inner: [[Step]], in variable: LoopVariable?) {
      for level in 0...depth { steps[level] += inner[level] }
      steps[depth] += variable.map { [.loop($0, inner[depth + 1])] } ?? inner[depth + 1]
    }
    if whole > 0 {
      let variable = variable(whole)
      var part = slab
      part.ranges.append((Index(variable) * cut.size, cut.size, variable))
      region.parameters.append(variable)
      add(lower(part, &region), in: variable)
      region.parameters.removeLast()
    }
    if rest > 0 {
      var part = slab
      part.ranges.append((Index(whole * cut.size), rest, nil))
      add(lower(part, &region), in: nil)
    }
    return steps
  }

  /// The kernels for one slab; copies of operands that are the same for several slabs are made outside their loops.
  private mutating func kernels(_ slab: Slab, _ region: inout Region) -> [[Step]] {
    let group = slab.group
    var steps: [Step] = []
    var written: Set<BufferID> = [slab.result.buffer]
    for member in group.members {
      let value = Value(node: member)
      let type = region.graph.type(of: value)
      let shape = type.sizes
      var origin = shape.map { _ in Index(0) }
      var counts = shape
      for (axis, range) in zip(group.axes(of: member), slab.ranges) {
        (origin[axis], counts[axis]) = (range.start, range.count)
      }
      var place: Place
      if member == group.last {
        let layout = slab.result.layout ?? Layout(shape: shape)
        place = slab.result
        place.layout = layout.part(counts)
        for axis in shape.indices { place.start = place.start + origin[axis] * layout.stride(of: axis) }
      } else {
        let layout = (region.layouts.layouts[value] ?? Layout(shape: shape)).resized(to: counts)
        let location = region.graph.locations[member]
        let name = bufferName(member, in: region.graph)
        place = temporary(name, TensorType(type.dtype, counts.map { Dim($0) }), location, layout)
        // A layout's shape is the slab's, also where it is the plain order.
        place.layout = layout
        region.places[value] = place
        region.origins[value] = origin
        written.insert(place.buffer)
      }
      steps += kernel(region.graph.nodes[member], member, into: place, from: origin, region)
    }
    for member in group.members {
      region.places[Value(node: member)] = nil
      region.origins[Value(node: member)] = nil
    }
    var result = [[Step]](repeating: [], count: slab.ranges.count + 1)
    for step in steps { result[depth(of: step, slab, written)].append(step) }
    return result
  }

  /// How many of a group's loops a step has to be inside.
  private func depth(of step: Step, _ slab: Slab, _ written: Set<BufferID>) -> Int {
    guard case .kernel(let position) = step, program.kernels[position].reads.allSatisfy({ !written.contains($0) })
    else { return slab.ranges.count }
    let parameters = program.kernels[position].parameters
    let needed = slab.ranges.lastIndex { range in range.variable.map(parameters.contains) ?? false }
    return needed.map { $0 + 1 } ?? 0
  }
}
