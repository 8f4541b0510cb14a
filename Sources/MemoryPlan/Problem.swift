/// A block of storage that must exist for a span of time.
///
/// Its identity is its index in ``Problem/buffers``; the `id` is a name for people, and need not be unique.
public struct Buffer: Sendable, Hashable {
  /// The name shown in faults and reports.
  public var id: String

  /// The half-open span of steps during which no other buffer may touch the bytes.
  public var lifetime: Range<Int>

  /// The size in bytes; zero is allowed and occupies nothing.
  public var size: Int

  /// The power of two, in bytes, that the offset must be a multiple of.
  public var alignment: Int

  /// The offset in bytes that the buffer must have, or `nil` when the planner is free to choose.
  public var fixedOffset: Int?

  /// Creates a buffer; nothing is checked before it becomes part of a ``Problem``.
  public init(id: String, lifetime: Range<Int>, size: Int, alignment: Int = 1, fixedOffset: Int? = nil) {
    self.id = id
    self.lifetime = lifetime
    self.size = size
    self.alignment = alignment
    self.fixedOffset = fixedOffset
  }
}

/// A wish of the caller that two buffers, given by their indices, occupy the same bytes.
public enum Alias: Sendable, Hashable {
  /// The bytes of `member` are those of `base`, starting `at` bytes into it, always.
  ///
  /// A reshape is a view at 0; the operands of a concatenation written in place are views of its result.
  case view(_ member: Int, of: Int, at: Int = 0)

  /// `later` may overwrite `earlier` in the very step that is the last to read `earlier`.
  ///
  /// It does so only where lifetimes, sizes, alignments and fixed offsets permit: `later` must be no larger, and nothing
  /// that shares bytes with `earlier` may be needed after the step in which `later` begins. Otherwise they stay apart.
  case inPlace(_ later: Int, over: Int)
}

/// Buffers with known sizes and lifetimes, to be given offsets in one arena.
///
/// This is the static storage allocation problem: times are fixed, offsets are free. A value of this type is well
/// formed; whatever it holds, ``plan(_:options:)`` has an answer.
public struct Problem: Sendable, Hashable {
  /// The buffers; the index of each is its identity.
  public let buffers: [Buffer]

  /// The bytes that the arena may have, if there is such a limit.
  public let capacity: Int?

  /// The pairs of buffers that share bytes.
  public let aliases: [Alias]

  /// The largest total of sizes, alignments and fixed ends in bytes: below it no sum of the planner can overflow.
  static let byteLimit = 1 << 60

  /// Creates a problem after checking that it is well formed.
  ///
  /// - Throws: ``ProblemFault``, the first thing found wrong, naming the buffers concerned.
  public init(buffers: [Buffer], capacity: Int? = nil, aliases: [Alias] = []) throws(ProblemFault) {
    if let capacity, capacity < 0 { throw .negativeCapacity(capacity) }
    var room = Self.byteLimit
    for (index, buffer) in buffers.enumerated() {
      try Self.check(buffer, at: index)
      for bytes in [buffer.size, buffer.alignment, buffer.fixedOffset ?? 0] {
        if bytes > room { throw .tooLarge(index, id: buffer.id) }
        room -= bytes
      }
    }
    // Merging aliases finds what is wrong with them; the planner does it again when it needs the result.
    let storages = try StorageMap(buffers: buffers, aliases: aliases).storages
    try Self.checkFixed(storages, of: buffers)
    self.buffers = buffers
    self.capacity = capacity
    self.aliases = aliases
  }

  private static func check(_ buffer: Buffer, at index: Int) throws(ProblemFault) {
    if buffer.lifetime.isEmpty { throw .emptyLifetime(index, id: buffer.id, buffer.lifetime) }
    if buffer.size < 0 { throw .negativeSize(index, id: buffer.id, buffer.size) }
    if buffer.alignment <= 0 || buffer.alignment & (buffer.alignment - 1) != 0 {
      throw .badAlignment(index, id: buffer.id, buffer.alignment)
    }
    guard let offset = buffer.fixedOffset else { return }
    if offset < 0 { throw .negativeFixedOffset(index, id: buffer.id, offset) }
    if offset % buffer.alignment != 0 {
      throw .misalignedFixedOffset(index, id: buffer.id, offset, alignment: buffer.alignment)
    }
  }

  /// Two storages pinned onto the same bytes at the same time leave no plan at all.
  private static func checkFixed(_ storages: [Storage], of buffers: [Buffer]) throws(ProblemFault) {
    var pinned: [(bytes: Range<Int>, storage: Storage)] = []
    for storage in storages {
      guard let offset = storage.fixedOffset, storage.size > 0 else { continue }
      let bytes = offset..<offset + storage.size
      for other in pinned where other.bytes.overlaps(bytes) && other.storage.lifetime.overlaps(storage.lifetime) {
        let (first, second) = (other.storage.leader, storage.leader)
        throw .fixedOverlap(first, second, ids: buffers[first].id, buffers[second].id)
      }
      pinned.append((bytes, storage))
    }
  }
}
