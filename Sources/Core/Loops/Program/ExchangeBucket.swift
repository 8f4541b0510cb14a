/// Buffers beside each other in the arena that a run hands out at once, and takes back changed: the results of
/// `exchange`.
///
/// All buckets of a program are one piece of the arena, `f32` numbers without gaps, in their order. Which members a bucket
/// has depends on the graph only, not on the target: processes on different machines hand out the same.
package struct ExchangeBucket: Hashable, Sendable {
  /// A buffer with the name that it has outside.
  package struct Member: Hashable, Sendable {
    package var label: String
    package var buffer: BufferID

    package init(label: String, buffer: BufferID) {
      self.label = label
      self.buffer = buffer
    }
  }

  package var members: [Member]

  package init(members: [Member]) {
    self.members = members
  }
}

/// Where a gradient is that a training step hands out.
public struct ExchangedGradient: Hashable, Sendable {
  /// The parameter's name.
  public let name: String
  /// The number of its bucket.
  public let bucket: Int
  /// The elements of the bucket before it.
  public let offset: Int
  /// Its elements.
  public let count: Int
}

extension Program {
  /// What the program hands out, in its order in the arena.
  package var exchangedGradients: [ExchangedGradient] {
    buckets.enumerated().flatMap { number, bucket in
      var offset = 0
      return bucket.members.map { member in
        let count = self[member.buffer].count
        defer { offset += count }
        return ExchangedGradient(name: member.label, bucket: number, offset: offset, count: count)
      }
    }
  }

  /// The elements of a bucket.
  package func count(_ bucket: ExchangeBucket) -> Int { bucket.members.reduce(0) { $0 + self[$1.buffer].count } }

  /// The buffers of all buckets, in their order in the arena.
  package var exchanged: [BufferID] { buckets.flatMap { $0.members.map(\.buffer) } }

  /// Puts the steps of the buckets where they belong: a bucket is ready behind the last step that writes it, and waited for
  /// before the first one behind that reads it.
  mutating func placeExchanges() {
    let accesses = steps.map(accesses)
    // The buckets that belong before each step; those that are ready come first.
    var ready: [Int: [Step]] = [:]
    var wait: [Int: [Step]] = [:]
    for (number, bucket) in buckets.enumerated() {
      let members = Set(bucket.members.map(\.buffer))
      let written = (accesses.lastIndex { !$0.writes.isDisjoint(with: members) } ?? -1) + 1
      let needed = accesses[written...].firstIndex { !$0.reads.isDisjoint(with: members) } ?? steps.count
      ready[written, default: []].append(.ready(number))
      wait[needed, default: []].append(.wait(number))
    }
    var result: [Step] = []
    for position in 0...steps.count {
      result += ready[position] ?? []
      result += wait[position] ?? []
      if position < steps.count { result.append(steps[position]) }
    }
    steps = result
  }

  /// What a step reads and writes, with all that is inside of it.
  func accesses(_ step: Step) -> (reads: Set<BufferID>, writes: Set<BufferID>) {
    var (reads, writes) = (Set<BufferID>(), Set<BufferID>())
    if case .kernel(let position) = step {
      reads.formUnion(kernels[position].reads)
      writes.formUnion(kernels[position].writes)
    }
    if let predicate = step.predicate { reads.insert(predicate) }
    for inner in step.nested.joined() {
      let own = accesses(inner)
      reads.formUnion(own.reads)
      writes.formUnion(own.writes)
    }
    return (reads, writes)
  }
}
