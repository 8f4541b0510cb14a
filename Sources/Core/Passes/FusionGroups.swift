/// Which nodes of a graph share a kernel.
///
/// A node is either materialized, and then a kernel of its own writes it to a buffer, or inlined, and then the kernels
/// that read it compute its elements where they want them. Decided from users to producers:
///
/// - views (permute, broadcast, slice, reverse, reshapes that split axes) cost nothing and are always inlined;
/// - element-wise nodes join their only kernel, unless elements would be computed many times there;
/// - a contraction or window joins the element-wise chain that follows it (its epilogue), one to a kernel;
/// - a reduction joins as well when its result is only repeated along trailing axes: rows (softmax, layer-norm).
package struct FusionGroups: Sendable {
  /// For each node, whether a buffer holds its results.
  package private(set) var isMaterialized: [Bool]
  /// For each inlined node, the materialized nodes whose kernels compute it; for a materialized one, itself.
  package private(set) var roots: [Set<Int>]

  /// How a node's elements are read by its kernels.
  private struct Reading: OptionSet {
    let rawValue: Int
    /// At the index of the kernel's result, once.
    static let same = Reading(rawValue: 1)
    /// Once for each element, at some other index.
    static let once = Reading(rawValue: 2)
    /// At the leading part of the kernel's index: computed once per row.
    static let row = Reading(rawValue: 4)
    /// Several times for each element.
    static let repeated = Reading(rawValue: 8)
    /// From memory only.
    static let buffer = Reading(rawValue: 16)
    /// As a factor of a contraction, which back-ends want to find in memory.
    static let factor = Reading(rawValue: 32)
    /// Where axes have another order, or under a condition: what belongs to a row would be computed for each element.
    static let scattered = Reading(rawValue: 64)
  }

  private enum Kind {
    case source, elementwise, view, reduction, contraction, opaque
  }

  /// The most nodes that one kernel computes.
  private static let sizeLimit = 64

  /// Groups the nodes of a graph.
  ///
  /// - Parameter forTiles: Whether kernels are for a target with register tiles: operands of concatenations are written
  ///   where they belong, each by its own kernel, and images that are convolved are in memory.
  /// - Parameter apart: Reductions that are in memory in any case.
  package init(_ graph: Graph, forTiles: Bool = false, apart: Set<Int> = []) {
    let uses = Uses(graph)
    let count = graph.nodes.count
    isMaterialized = Array(repeating: false, count: count)
    roots = Array(repeating: [], count: count)
    var readings = [Reading](repeating: [], count: count)
    var size = [Int](repeating: 1, count: count)
    // The kernels that hold a contraction already, and those that hold row reductions.
    var contractions = Set<Int>()
    var rows = Set<Int>()

    for position in graph.nodes.indices.reversed() {
      let node = graph.nodes[position]
      let kind = Self.kind(node, graph)
      for user in uses.users[position] { roots[position].formUnion(roots[user]) }
      let reading = readings[position]
      let only = roots[position].count == 1 ? roots[position].first : nil
      let fits = only.map { size[$0] < Self.sizeLimit } ?? false

      let inlined: Bool
      switch kind {
      case .source: inlined = false
      case .opaque: inlined = false
      case .view:
        // A repeated literal is written out for a contraction: its factors are matrices.
        inlined = !reading.contains(.buffer) && !(reading.contains(.factor) && Self.isRepeatedLiteral(node, graph))
      case .elementwise:
        let free = node.operands.allSatisfy { Self.isScalar($0, graph) }
        inlined = !reading.contains(.buffer) && (free || (fits && !reading.contains(.repeated)))
      case .contraction:
        inlined = reading == .same && fits && only.map { !contractions.contains($0) && !rows.contains($0) } ?? false
        if inlined, let only { contractions.insert(only) }
      case .reduction:
        inlined =
          !apart.contains(position) && reading.isSubset(of: [.same, .row]) && fits
          && only.map { !contractions.contains($0) } ?? false
        if inlined, let only { rows.insert(only) }
      }
      if !inlined || uses.escaping.contains(position) || roots[position].isEmpty {
        isMaterialized[position] = true
        roots[position] = [position]
        if kind == .contraction { contractions.insert(position) }
        if kind == .reduction { rows.insert(position) }
      } else {
        for root in roots[position] { size[root] += 1 }
      }
      for (index, operand) in node.operands.enumerated() {
        readings[Int(operand.node)].formUnion(
          Self.reading(
            of: index, by: node, read: isMaterialized[position] ? .same : readings[position], graph,
            forTiles: forTiles))
      }
    }
  }

  /// The nodes that a kernel computes: its root and what is inlined into it.
  func members(of root: Int, in graph: Graph) -> [Int] {
    graph.nodes.indices.filter { position in
      position == root
        || (!isMaterialized[position] && roots[position].contains(root) && !graph.nodes[position].operation.isSource)
    }
  }

  private static func isScalar(_ value: Value, _ graph: Graph) -> Bool {
    if case .constant(let constant) = graph[value].operation { return constant.array.count == 1 }
    return false
  }

  private static func isRepeatedLiteral(_ node: Node, _ graph: Graph) -> Bool {
    if case .broadcast = node.operation { isScalar(node.operands[0], graph) } else { false }
  }

  private static func kind(_ node: Node, _ graph: Graph) -> Kind {
    switch node.operation {
    case .input, .variable, .constant: .source
    case .iota, .randomBits, .pointwise, .convert, .bitcast, .detach, .pad, .gather: .elementwise
    case .permute, .broadcast, .slice, .reverse: .view
    case .reshape: .view
    case .reduce: .reduction
    case .dot, .convolution, .windowReduce, .windowArgReduce, .argReduce: .contraction
    case .concatenate, .scatter, .cumulative, .argSort, .conditional, .whileLoop, .scan, .call, .factorization: .opaque
    // Checked once; handed out from where they are.
    case .extent, .exchange: .opaque
    }
  }

  /// How an operand is read by a node that is itself read as `outer` says.
  private static func reading(
    of index: Int, by node: Node, read outer: Reading, _ graph: Graph, forTiles: Bool
  ) -> Reading {
    let operand = graph.type(of: node.operands[index])
    /// What becomes of "at the same index" when the index changes.
    let moved: Reading = outer.subtracting(.same).union(outer.contains(.same) ? .once : [])
    switch node.operation {
    case .pointwise, .convert, .bitcast, .detach, .exchange: return outer
    // Its kernel does nothing but check.
    case .extent: return .buffer
    case .reshape(let reshape):
      // Splitting axes keeps indices free of division; merging them reads the operand from memory under another shape.
      if let from = operand.shape.known, let to = reshape.shape.known {
        if Reshape.onlyInsertsUnits(from: from, to: to) { return outer }
        if Reshape.onlySplits(from: from, to: to) { return outer }
      }
      // A shuffle of channels is one copy, not two.
      if forTiles, outer == .same, case .permute = graph[node.operands[index]].operation { return .once }
      return .buffer
    case .slice, .reverse: return moved
    case .permute: return moved.union(.scattered)
    case .concatenate: return forTiles ? .buffer : moved.union(.scattered)
    case .broadcast(let broadcast):
      let shape = broadcast.shape
      let kept = zip(broadcast.axes, operand.shape).filter { $1 == shape[$0] && $1 != 1 }.map(\.0)
      let repeated = shape.indices.filter { !kept.contains($0) && shape[$0] != 1 }
      if repeated.isEmpty { return outer }
      let isRow = (kept.max() ?? -1) < (repeated.min() ?? 0)
      return isRow && !outer.contains(.scattered) ? moved.subtracting([.once]).union(.row) : .repeated
    case .pad: return index == 1 ? .row : moved.union(.scattered)
    case .reduce(let reduce):
      // Elements are read once, below the reduction's own loops; rows stay rows where the outer axes lead.
      let kept = operand.shape.indices.filter { !reduce.axes.contains($0) }
      let leads = (kept.max() ?? -1) < (reduce.axes.min() ?? 0)
      return leads && !moved.contains(.repeated)
        ? .once.union(outer.intersection(.scattered)) : moved.union([.once, .scattered])
    case .gather: return index == 0 ? [.buffer] : .repeated
    case .cumulative: return .once
    case .scatter: return index == 0 ? .once : .repeated
    // Images are laid out and given borders in memory.
    case .convolution where forTiles && index == 0: return [.repeated, .factor, .buffer]
    case .dot, .convolution: return [.repeated, .factor]
    case .windowReduce, .windowArgReduce: return .repeated
    case .argReduce: return .repeated
    case .argSort, .conditional, .whileLoop, .scan, .call, .factorization: return .buffer
    case .randomBits: return .row
    case .input, .variable, .constant, .iota: return []
    }
  }
}

extension Reshape {
  /// Whether only axes of size 1 come or go.
  static func onlyInsertsUnits(from: [Int], to: [Int]) -> Bool { from.filter { $0 != 1 } == to.filter { $0 != 1 } }

  /// Whether every axis of `from` is the product of a run of axes of `to`.
  static func onlySplits(from: [Int], to: [Int]) -> Bool {
    var position = 0
    for size in from where size != 1 {
      var product = 1
      while product < size, position < to.count {
        product *= to[position]
        position += 1
      }
      guard product == size else { return false }
    }
    return to[position...].allSatisfy { $0 == 1 }
  }
}
