import Synchronization

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
      if case .extent(let extent) = node.operation, extent.capacity?.extents.isEmpty == false { return true }
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
  ///
  /// The capacity is nil where nothing bounds the size.
  package var capacities: [(size: String, capacity: Dim?)] {
    nodes.flatMap { node -> [(size: String, capacity: Dim?)] in
      if case .extent(let extent) = node.operation { return [(extent.size, extent.capacity)] }
      return node.operation.graphs.flatMap(\.capacities)
    }
  }
}

extension Graph {
  /// Checks that every size that data decides has a capacity.
  ///
  /// - Throws: All those that have none, each with its place, the inputs that decide it, and the remedy.
  package func requireCapacities() throws(DiagnosticsError) {
    let open = unboundedSizes
    guard open.isEmpty else { throw DiagnosticsError(open) }
  }

  fileprivate var unboundedSizes: [Diagnostic] {
    nodes.enumerated().flatMap { position, node -> [Diagnostic] in
      guard case .extent(let extent) = node.operation else { return node.operation.graphs.flatMap(\.unboundedSizes) }
      // A number that is known is the size.
      if extent.capacity != nil || isLiteral(node.operands[0]) { return [] }
      let name = TextName.quoted(extent.size)
      let deciding = inputs(deciding: node.operands[0]).map { "--bind \($0)=FILE.npy" }
      return [
        Diagnostic(
          "nothing says how large \(Extent.prefix)\(name) may be, a size that data decides",
          location: locations[position],
          help: (["--max \(extent.size)=SIZE gives it room, and a run with more fails"]
            + (deciding.isEmpty ? [] : ["\(deciding.joined(separator: " ")) makes it a constant"])).joined(
              separator: "; "))
      ]
    }
  }

  private func isLiteral(_ value: Value) -> Bool {
    if case .constant = self[value].operation { true } else { false }
  }

  /// The names of the inputs that a value is computed from.
  private func inputs(deciding value: Value) -> [String] {
    var (reached, names) = (Set([value.node]), [String]())
    for position in nodes.indices.reversed() where reached.contains(Int32(position)) {
      if case .input = nodes[position].operation { names.append(inputName(Value(node: position))) }
      reached.formUnion(nodes[position].operands.map(\.node))
    }
    return names.reversed()
  }
}

extension Model {
  /// Checks that every size of every function that data decides has a capacity.
  ///
  /// - Throws: All those that have none.
  package func requireCapacities() throws(DiagnosticsError) {
    let open = functions.flatMap(\.unboundedSizes)
    guard open.isEmpty else { throw DiagnosticsError(open) }
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
  /// A size that data decides, from the number of elements, an `i64` without axes.
  ///
  /// One number of one capacity has one size, so that what is taken by one mask twice has the same shape.
  ///
  /// - Parameters:
  ///   - count: The number; below 0 or beyond the capacity it fails the run.
  ///   - capacity: What the number is at most; nil where nothing says so, which is then asked of whoever compiles.
  ///   - name: What the size is called, where that name is not taken yet; by default `n0`, `n1` and so on.
  package func extent(_ count: Tensor, capacity: Dim?, named name: String? = nil) -> Dim {
    if count.isPoisoned { return capacity ?? 0 }
    if let number = count.literal?.integers.first, number >= 0 { return Dim(number) }
    let owner = count.builder
    if let known = owner.extent(of: count.value, capacity: capacity) { return known }
    let extent = Extent(size: owner.freshExtent(named: name), capacity: capacity)
    guard !owner.apply(.extent(extent), [count])[0].isPoisoned else { return capacity ?? 0 }
    return Dim(extent: extent.size)
  }

  /// The size that a number of elements has here, whatever its capacity is; nil where it has none.
  package func extent(of count: Tensor) -> Dim? {
    count.isPoisoned ? nil : count.builder.extents(of: count.value).first.map { Dim(extent: $0) }
  }

  /// The size of an axis along which two sizes are broadcast together; nil where they cannot be.
  ///
  /// Where data decides one of them, the run tells whether it is 1. Of two that data decides a third is defined, whose
  /// definition fails the run where neither is 1 and they differ.
  package func broadcast(_ a: Dim, _ b: Dim) -> Dim? {
    if a == b || b == 1 { return a }
    if a == 1 { return b }
    guard !(a.extents + b.extents).isEmpty, (a.symbols + b.symbols).isEmpty else { return nil }
    if a.known != nil { return a }
    if b.known != nil { return b }
    let (ofA, ofB) = root.state.withLock { ($0.broadcastSizes[a] ?? [a], $0.broadcastSizes[b] ?? [b]) }
    if ofA.isSuperset(of: ofB) { return a }
    if ofB.isSuperset(of: ofA) { return b }
    let (first, second) = a.description < b.description ? (a, b) : (b, a)
    return broadcast(number(first), number(second), of: ofA.union(ofB), capacity: .maximum(a, b))
  }

  /// The size of an axis along which a size that data decides and a number of elements that only the run knows are
  /// broadcast together; the run fails where neither is 1 and they differ.
  package func broadcast(_ size: Dim, _ count: Tensor) -> Dim {
    let sizes = root.state.withLock { $0.broadcastSizes[size] ?? [size] }
    return broadcast(number(size), count, of: sizes, capacity: size)
  }

  private func broadcast(_ first: Tensor, _ second: Tensor, of sizes: Set<Dim>, capacity: Dim) -> Dim {
    let isAlike = (second .== 1) .| (first .== second)
    let count = (first .== 1).select(second, isAlike.select(first, scalar(.integer(-1), .i64)))
    let size = extent(count, capacity: capacity)
    root.state.withLock { $0.broadcastSizes[size] = sizes }
    return size
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
