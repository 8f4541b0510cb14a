/// One block of bytes to be placed: a buffer, or several that share bytes.
struct Storage: Hashable {
  /// The span from the first step of any member to the last of any.
  var lifetime: Range<Int>
  /// The bytes from the lowest byte of any member to the highest.
  var size: Int
  var alignment: Int
  var fixedOffset: Int?
  /// The lowest index of a member, to name the storage by.
  var leader: Int
}

/// The buffers of a problem merged into storages as their aliases demand or permit.
///
/// Views are obeyed first, then in-place wishes in the order given, each judged against the storages merged so far.
struct StorageMap {
  /// The storages in the order of their leaders.
  private(set) var storages: [Storage] = []
  /// The storage that each buffer lies in.
  private(set) var storage: [Int]
  /// The byte of its storage at which each buffer starts.
  private(set) var displacement: [Int]

  /// The buffers of each storage while merging; empty for a storage merged into another.
  private var members: [[Int]]

  init(buffers: [Buffer], aliases: [Alias]) throws(ProblemFault) {
    storage = Array(buffers.indices)
    displacement = Array(repeating: 0, count: buffers.count)
    members = buffers.indices.map { [$0] }
    storages = buffers.enumerated().map { index, buffer in
      Storage(
        lifetime: buffer.lifetime, size: buffer.size, alignment: buffer.alignment, fixedOffset: buffer.fixedOffset,
        leader: index)
    }
    for alias in aliases {
      if case .view(let member, let base, let at) = alias {
        try view(member, of: base, at: at, buffers: buffers)
      }
    }
    for alias in aliases {
      if case .inPlace(let later, let earlier) = alias {
        try overwrite(earlier, by: later, buffers: buffers)
      }
    }
    compact()
  }

  /// The offset of every buffer, given that of every storage.
  func offsets(ofStorages offsets: [Int]) -> [Int] {
    zip(storage, displacement).map { offsets[$0] + $1 }
  }

  // MARK: Merging

  private mutating func view(_ member: Int, of base: Int, at: Int, buffers: [Buffer]) throws(ProblemFault) {
    try Self.checkIndices(member, base, count: buffers.count)
    let (part, whole) = (buffers[member], buffers[base])
    if at < 0 || part.size > whole.size || at > whole.size - part.size {
      throw .viewOutsideBase(member, id: part.id, base: whole.id)
    }
    if storage[member] == storage[base] {
      if displacement[member] == displacement[base] + at { return }
      throw .contradictoryView(member, id: part.id, base: whole.id)
    }
    let (host, guest) = (storage[base], storage[member])
    let shift = displacement[base] + at - displacement[member]
    let candidate = merged(host, guest, shift: shift, buffers: buffers)
    if let loser = candidate.misaligned {
      throw .misalignedView(
        loser.buffer, id: buffers[loser.buffer].id, at: loser.at, alignment: buffers[loser.buffer].alignment)
    }
    if candidate.fixedOffsetsDisagree {
      let (first, second) = (storages[host].leader, storages[guest].leader)
      throw .contradictoryFixedOffsets(first, second, ids: buffers[first].id, buffers[second].id)
    }
    merge(guest, into: host, shift: shift, as: candidate.storage)
  }

  private mutating func overwrite(_ earlier: Int, by later: Int, buffers: [Buffer]) throws(ProblemFault) {
    try Self.checkIndices(later, earlier, count: buffers.count)
    let (host, guest) = (storage[earlier], storage[later])
    guard host != guest, buffers[later].size <= buffers[earlier].size else { return }
    // The last step that reads `earlier` is the one that writes `later`; with a pause between there is nothing to gain.
    let (end, start) = (storages[host].lifetime.upperBound, storages[guest].lifetime.lowerBound)
    guard end - 1 <= start, start <= end else { return }
    let shift = displacement[earlier] - displacement[later]
    let candidate = merged(host, guest, shift: shift, buffers: buffers)
    guard candidate.misaligned == nil, !candidate.fixedOffsetsDisagree else { return }
    merge(guest, into: host, shift: shift, as: candidate.storage)
  }

  private static func checkIndices(_ first: Int, _ second: Int, count: Int) throws(ProblemFault) {
    for index in [first, second] where !(0..<count).contains(index) { throw .unknownBuffer(index, count: count) }
  }

  /// What the storages would become if byte 0 of `guest` were put at byte `shift` (perhaps negative) of `host`.
  private func merged(
    _ host: Int, _ guest: Int, shift: Int, buffers: [Buffer]
  ) -> (storage: Storage, misaligned: (buffer: Int, at: Int)?, fixedOffsetsDisagree: Bool) {
    let (a, b) = (storages[host], storages[guest])
    let origin = min(0, shift)
    var misaligned: (buffer: Int, at: Int)?
    for (group, base) in [(host, -origin), (guest, shift - origin)] {
      for member in members[group] where (displacement[member] + base) % buffers[member].alignment != 0 {
        misaligned = (member, displacement[member] + base)
      }
    }
    let fixed = [a.fixedOffset.map { $0 + origin }, b.fixedOffset.map { $0 - shift + origin }].compactMap { $0 }
    let storage = Storage(
      lifetime: min(a.lifetime.lowerBound, b.lifetime.lowerBound)..<max(a.lifetime.upperBound, b.lifetime.upperBound),
      size: max(a.size, shift + b.size) - origin, alignment: max(a.alignment, b.alignment), fixedOffset: fixed.first,
      leader: min(a.leader, b.leader))
    let disagree = fixed.contains { $0 != fixed[0] || $0 < 0 || $0 % storage.alignment != 0 }
    return (storage, misaligned, disagree)
  }

  private mutating func merge(_ guest: Int, into host: Int, shift: Int, as result: Storage) {
    let origin = min(0, shift)
    if origin < 0 {
      for member in members[host] { displacement[member] -= origin }
    }
    for member in members[guest] {
      displacement[member] += shift - origin
      storage[member] = host
    }
    members[host] += members[guest]
    members[guest] = []
    storages[host] = result
  }

  /// Drops the storages merged away and renumbers the rest.
  private mutating func compact() {
    let kept = storages.indices.filter { !members[$0].isEmpty }.sorted { storages[$0].leader < storages[$1].leader }
    var number = Array(repeating: 0, count: storages.count)
    for (new, old) in kept.enumerated() { number[old] = new }
    storages = kept.map { storages[$0] }
    storage = storage.map { number[$0] }
    members = []
  }
}
