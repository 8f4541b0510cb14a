/// Kernels that run one after the other on slabs of their results, so that what they hand on is never in memory as a
/// whole: attention without the matrix of all scores, a depthwise convolution right before the pointwise one.
///
/// A slab is what a range of indices along some axes leaves of a tensor. The kernels' loops over slabs are one, and the
/// tensors between them shrink to a slab.
///
/// Gao, Olsen, Sarkar, Thekkath: Collective Loop Fusion for Array Contraction (1992). Attention in blocks of queries is
/// the outer half of Rabe and Staats: Self-attention Does Not Need O(n^2) Memory (2021), arXiv 2112.05682; rows of
/// scores stay whole, so that no sum has to be scaled again.
struct SlabGroup {
  /// One loop over slabs.
  struct Cut {
    /// The axis of each member's result that is cut.
    var axes: [Int: Int]
    /// The size of that axis, which all members share.
    var extent: Int
    /// How much of it a slab has; the last slab may have less.
    var size: Int
  }

  /// Materialized nodes, ascending: all but the last are read by members only.
  var members: [Int]
  /// Outermost first.
  var cuts: [Cut]

  var last: Int { members[members.count - 1] }

  /// The axes of a member's result that are cut, in the order of the cuts.
  func axes(of member: Int) -> [Int] {
    cuts.map { $0.axes[member] ?? internalError("node \(member) is not in the slab") }
  }
}

extension GraphLowering {
  /// The groups of a graph's kernels that are worth it, by their last members.
  func slabGroups(_ region: Region) -> [Int: SlabGroup] {
    var finder = SlabFinder(lowering: self, region: region)
    var groups: [Int: SlabGroup] = [:]
    var taken = Set<Int>()
    for position in region.graph.nodes.indices.reversed() where !taken.contains(position) {
      guard let group = finder.group(endingWith: position, without: taken) else { continue }
      groups[position] = group
      taken.formUnion(group.members)
    }
    return groups
  }

  /// At which indices the kernel of a node reads its operands in memory, for the index of a result.
  fileprivate func reads(of root: Int, _ region: Region) -> SlabFinder.Reads? {
    let node = region.graph.nodes[root]
    guard node.types.count == 1, let shape = node.types[0].shape.known else { return nil }
    let scalars = ScalarBuilder()
    let recorder = IndexRecorder()
    var memo: [Value: TensorExpression] = [:]
    for member in region.groups.members(of: root, in: region.graph) {
      for operand in region.graph.nodes[member].operands {
        let isSource = region.graph[operand].operation.isSource
        let type = region.graph.type(of: operand)
        guard isSource ? type.shape.known != [] : region.groups.isMaterialized[Int(operand.node)] else { continue }
        memo[operand] = TensorExpression(type) { index in
          recorder.indices[operand, default: []].append(index)
          return scalars.load(BufferID(.max), Index.flattened(index, shape: type.sizes), type.dtype)
        }
      }
    }
    let context = LoweringContext(
      operands: node.operands.map { expression($0, region, scalars, &memo) }, results: node.types, scalars: scalars)
    guard case .elements(let elements) = node.operation.definition.lower(context) else { return nil }
    let domain = scalars.variables(shape)
    _ = elements[0](domain.map { Index($0) })
    return SlabFinder.Reads(domain: domain, indices: recorder.indices)
  }
}

/// The indices at which values are read.
private final class IndexRecorder {
  var indices: [Value: [[Index]]] = [:]
}

/// Looks for kernels that go along slabs together.
private struct SlabFinder {
  struct Reads {
    var domain: [LoopVariable]
    var indices: [Value: [[Index]]]

    /// Whether what is read of an operand moves with the index of the result along `axis`.
    func follows(_ operand: Value, along axis: Int) -> Bool {
      let own = domain[axis]
      return indices[operand]?.allSatisfy { index in index.contains { $0.variables.contains(own) } } ?? true
    }

    /// The axis of an operand that is always read at the index of the result along `axis`.
    func axis(of operand: Value, along axis: Int) -> Int? {
      guard let all = indices[operand], let first = all.first, axis < domain.count, domain[axis].extent > 1 else {
        return nil
      }
      let own = Index(domain[axis])
      return first.indices.first { candidate in all.allSatisfy { $0[candidate] == own } }
    }
  }

  let lowering: GraphLowering
  let region: GraphLowering.Region
  private let uses: Uses
  private var known: [Int: Reads?] = [:]

  init(lowering: GraphLowering, region: GraphLowering.Region) {
    self.lowering = lowering
    self.region = region
    uses = Uses(region.graph)
  }

  /// A tensor between kernels that is worth being cut has more bytes: it would not stay in the cache.
  private var threshold: Int { lowering.target.level2Bytes }
  /// A slab of it should have no more.
  private var budget: Int { lowering.target.level2Bytes / 4 }
  /// The fewest rows of a slab, along its innermost cut: those of a few register tiles.
  private var fewestRows: Int { lowering.target.registers }

  private func bytes(_ value: Value) -> Int {
    let type = region.graph.type(of: value)
    return type.sizes.reduce(type.dtype.byteCount, *)
  }

  private mutating func reads(_ root: Int) -> Reads? {
    if let reads = known[root] { return reads }
    let reads = lowering.reads(of: root, region)
    known[root] = .some(reads)
    return reads
  }

  /// Whether a node's kernel computes element by element into memory that has no border.
  private func isEligible(_ position: Int) -> Bool {
    let node = region.graph.nodes[position]
    guard region.groups.isMaterialized[position], !node.operation.isSource, node.types.count == 1,
      node.types[0].shape.known != nil, region.layouts.borders[Value(node: position)] == nil,
      region.groups.members(of: position, in: region.graph).allSatisfy({ region.layouts.transforms[$0] == nil })
    else { return false }
    switch node.operation {
    case .exchange, .conditional, .whileLoop, .scan, .call, .factorization: return false
    case .cumulative, .argSort, .scatter, .concatenate, .reshape, .broadcast:
      return false
    default: return true
    }
  }

  /// The kernels that read a value from memory; nil where something else does.
  private func readers(_ position: Int) -> Set<Int>? {
    guard !uses.escaping.contains(position) else { return nil }
    var result = Set<Int>()
    for user in uses.users[position] {
      if region.groups.isMaterialized[user], !isEligible(user) { return nil }
      result.formUnion(region.groups.roots[user])
    }
    return result
  }

  /// Whether a value is cut without cutting its blocks of channels.
  private func isCuttable(_ value: Value, _ axis: Int) -> Bool {
    guard let layout = region.layouts.layouts[value] else { return true }
    return layout.digits.count { $0.axis == axis } == 1
  }

  mutating func group(endingWith last: Int, without taken: Set<Int>) -> SlabGroup? {
    let value = Value(node: last)
    guard isEligible(last), let shape = region.graph.type(of: value).shape.known else { return nil }
    if let place = region.destinations[value] {
      // A variable's old content may still be read.
      if case .variable = lowering.program[place.buffer].kind { return nil }
      if place.layout?.hasBorder == true { return nil }
    }
    guard
      region.groups.members(of: last, in: region.graph).contains(where: { member in
        region.graph.nodes[member].operands.contains {
          bytes($0) > threshold && isEligible(Int($0.node)) && region.destinations[$0] == nil
        }
      })
    else { return nil }
    var best: (axes: [Int: Int], bytes: Int)?
    var all: [[Int: Int]] = []
    for axis in shape.indices where shape[axis] > 1 && isCuttable(value, axis) {
      let axes = grown(from: last, axis, without: taken)
      let total = axes.keys.filter { $0 != last }.reduce(0) { $0 + bytes(Value(node: $1)) }
      all.append(axes)
      if total > best?.bytes ?? 0 { best = (axes, total) }
    }
    guard let best, !overwritesOperand(last) else { return nil }
    // The earliest kernels may read too much again for every slab: then the others go without them.
    var members = best.axes.keys.sorted()
    while members.count > 1 {
      let cuts = all.filter { axes in members.allSatisfy { axes[$0] != nil } }.map { axes in
        let extent = shape[axes[last] ?? internalError("node \(last) is not in the slab")]
        return SlabGroup.Cut(axes: axes, extent: extent, size: extent)
      }
      if let group = worthwhile(SlabGroup(members: members, cuts: cuts)) { return group }
      members.removeFirst()
    }
    return nil
  }

  /// Whether a kernel may well write over an operand, as residual connections do: slabs would save nothing, and need
  /// memory of their own.
  private func overwritesOperand(_ last: Int) -> Bool {
    let type = region.graph.nodes[last].types[0]
    return region.groups.members(of: last, in: region.graph).contains { member in
      region.graph.nodes[member].operands.contains {
        region.groups.isMaterialized[Int($0.node)] && !region.graph[$0].operation.isSource
          && region.graph.type(of: $0) == type
      }
    }
  }

  /// The kernels before a kernel that go along with it, with their axes, when its result is cut along an axis.
  private mutating func grown(from last: Int, _ axis: Int, without taken: Set<Int>) -> [Int: Int] {
    var axes = [last: axis]
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for member in axes.keys.sorted() {
        guard let operands = reads(member)?.indices.keys.sorted(by: { $0.node < $1.node }) else { continue }
        for operand in operands {
          let producer = Int(operand.node)
          guard axes[producer] == nil, !taken.contains(producer), isEligible(producer),
            region.destinations[operand] == nil, let readers = readers(producer),
            readers.allSatisfy({ axes[$0] != nil }), reads(producer) != nil
          else { continue }
          var found = Set<Int?>()
          for reader in readers {
            found.insert(
              reads(reader)?.axis(
                of: operand, along: axes[reader] ?? internalError("node \(reader) is not in the slab")))
          }
          guard found.count == 1, let common = found.first, let own = common, isCuttable(operand, own) else { continue }
          axes[producer] = own
          isGrowing = true
        }
      }
    }
    return axes
  }

  /// The group with the sizes of its slabs, if what it saves is more than what it reads again.
  private mutating func worthwhile(_ group: SlabGroup) -> SlabGroup? {
    let handedOn = group.members.dropLast().map { Value(node: $0) }
    let largest = handedOn.map(bytes).max() ?? 0
    // What is read at first has to stay until the whole result is there.
    guard largest > threshold, bytes(Value(node: group.last)) <= largest else { return nil }
    var group = group
    var slab = largest
    for position in group.cuts.indices where slab > budget {
      let extent = group.cuts[position].extent
      let fewest = position == group.cuts.count - 1 ? min(extent, fewestRows) : 1
      let size = Self.size(extent, atMost: max(fewest, extent * budget / slab))
      group.cuts[position].size = size
      slab = slab / extent * size
    }
    group.cuts.removeAll { $0.size == $0.extent }
    guard !group.cuts.isEmpty else { return nil }
    // What does not go along with a cut is read again for each of its slabs.
    var again: [Value: Int] = [:]
    for member in group.members {
      for (operand, _) in reads(member)?.indices ?? [:] where !handedOn.contains(operand) {
        let times = group.cuts.reduce(1) { product, cut in
          reads(member)?.follows(operand, along: cut.axes[member] ?? internalError("node \(member) is not in the slab"))
            == false
            ? product * ((cut.extent + cut.size - 1) / cut.size) : product
        }
        again[operand] = max(again[operand] ?? 0, bytes(operand) * (times - 1))
      }
    }
    return again.values.reduce(0, +) <= 2 * handedOn.map(bytes).reduce(0, +) ? group : nil
  }

  /// A size of slabs that leaves no rest, where there is one that is not much smaller.
  private static func size(_ extent: Int, atMost limit: Int) -> Int {
    guard limit < extent else { return extent }
    return (max(1, limit / 2)...limit).reversed().first { extent % $0 == 0 } ?? limit
  }
}
