/// The sizes that data decides: which nodes give them their values, and which mention them.
extension Node {
  /// The names of the sizes that the node's types and attributes mention, without the one that it defines.
  package var extents: Set<String> {
    var names = Set(types.flatMap(\.shape.extents))
    for attribute in operation.definition.attributes {
      switch attribute.value {
      case .dimensions(let sizes): names.formUnion(sizes.extents)
      case .graph(let graph): names.formUnion(graph.freeExtents)
      case .integer, .integers, .flag, .word, .type, .array: break
      }
    }
    if let size = definedExtent { names.remove(size) }
    return names
  }

  /// The name of the size that the node defines.
  var definedExtent: String? {
    if case .extent(let extent) = operation { extent.size } else { nil }
  }
}

extension Graph {
  /// Whether any size of the graph is defined by data, or mentioned.
  var hasExtents: Bool {
    nodes.contains { $0.definedExtent != nil } || mentionsExtents
      || nodes.contains { $0.operation.graphs.contains(where: \.hasExtents) }
  }

  /// Whether the type of any value has a size that data decides, or the capacity of one depends on another.
  var mentionsExtents: Bool {
    nodes.contains { node in
      if case .extent(let extent) = node.operation, !extent.capacity.extents.isEmpty { return true }
      return node.types.contains { !$0.shape.extents.isEmpty }
        || node.operation.graphs.contains(where: \.mentionsExtents)
    }
  }

  /// The names of the sizes that are mentioned here and defined around the graph.
  var freeExtents: Set<String> {
    guard hasExtents else { return [] }
    var names: Set<String> = []
    for node in nodes { names.formUnion(node.extents) }
    return names.subtracting(nodes.compactMap(\.definedExtent))
  }

  /// The sizes that data decides, with their capacities, in the order of their definition; those of sub-graphs too.
  package var capacities: [(size: String, capacity: Dim)] {
    nodes.flatMap { node -> [(size: String, capacity: Dim)] in
      if case .extent(let extent) = node.operation { return [(extent.size, extent.capacity)] }
      return node.operation.graphs.flatMap(\.capacities)
    }
  }
}

extension Operation {
  /// The sub-graphs.
  var graphs: [Graph] {
    switch self {
    case .conditional(let payload): [payload.then, payload.otherwise]
    case .whileLoop(let payload): [payload.condition, payload.body]
    case .scan(let payload): [payload.body]
    case .call(let payload): [payload.body] + (payload.backward.map { [$0] } ?? [])
    default: []
    }
  }
}

extension Builder {
  /// A size that data decides, from the number of elements, an `i64` without axes, of which there are at most `capacity`.
  ///
  /// One number of one capacity has one size, so that what is taken by one mask twice has the same shape.
  package func extent(_ count: Tensor, capacity: Dim) -> Dim {
    if count.isPoisoned { return capacity }
    if let number = count.literal?.integers.first { return Dim(number) }
    let owner = count.builder
    if let known = owner.extent(of: count.value, capacity: capacity) { return known }
    let extent = Extent(size: owner.freshExtent(), capacity: capacity)
    guard !owner.apply(.extent(extent), [count])[0].isPoisoned else { return capacity }
    return Dim(extent: extent.size)
  }

  /// Whether a size is at most another in every run: one that data decides is at most its capacity.
  package func isAtMost(_ size: Dim, _ other: Dim) -> Bool {
    if other.isAtLeast(size) { return true }
    return size.extents.contains { name in
      guard let capacity = capacity(of: name), Dim(extent: name).isAtLeast(size) else { return false }
      return isAtMost(capacity, other)
    }
  }

  /// The capacity of a size that data decides here or around.
  private func capacity(of extent: String) -> Dim? {
    ownCapacity(of: extent) ?? parent?.capacity(of: extent)
  }

  /// A size as an `i64` without axes; one with symbols has its value once they are bound, or in the run.
  package func number(_ size: Dim) -> Tensor {
    if let known = size.known { return scalar(.integer(known), .i64) }
    return full(TensorType(.i64, [size]), .integer(1)).reduce(.sum, axes: [0])
  }
}
