/// What makes a plan wrong for its problem.
///
/// Integers without a label are indices into ``Problem/buffers``.
public enum PlanFault: Error, Sendable, Hashable {
  /// The plan has no offset for the buffer.
  case missingBuffer(Int, id: String)
  /// The plan has more offsets than there are buffers.
  case surplusOffsets(Int, buffers: Int)
  /// The offset is below zero.
  case negativeOffset(Int, id: String, Int)
  /// The offset is not a multiple of the alignment.
  case misaligned(Int, id: String, Int, alignment: Int)
  /// The buffer is not at its fixed offset.
  case fixedOffsetMoved(Int, id: String, Int, fixed: Int)
  /// The view is not at its place in its base.
  case viewMoved(Int, id: String, Int, expected: Int)
  /// The buffer ends above the height that the plan states.
  case exceedsHeight(Int, id: String, end: Int, height: Int)
  /// The buffer ends above the capacity of the problem.
  case exceedsCapacity(Int, id: String, end: Int, capacity: Int)
  /// Two buffers that do not share storage are live together and occupy common bytes.
  case overlap(Int, Int, ids: String, String)
}

extension PlanFault: CustomStringConvertible {
  /// One line in the form `buffer 'x' (#3): what is wrong`.
  public var description: String {
    switch self {
    case .missingBuffer(let index, let id):
      "\(Self.name(id, index)): no offset"
    case .surplusOffsets(let count, let buffers):
      "\(count) offsets for \(buffers) buffers"
    case .negativeOffset(let index, let id, let offset):
      "\(Self.name(id, index)): negative offset \(offset)"
    case .misaligned(let index, let id, let offset, let alignment):
      "\(Self.name(id, index)): offset \(offset) is not a multiple of \(alignment)"
    case .fixedOffsetMoved(let index, let id, let offset, let fixed):
      "\(Self.name(id, index)): offset \(offset) instead of the fixed \(fixed)"
    case .viewMoved(let index, let id, let offset, let expected):
      "\(Self.name(id, index)): offset \(offset), but its base puts it at \(expected)"
    case .exceedsHeight(let index, let id, let end, let height):
      "\(Self.name(id, index)): ends at \(end), above the stated height \(height)"
    case .exceedsCapacity(let index, let id, let end, let capacity):
      "\(Self.name(id, index)): ends at \(end), above the capacity \(capacity)"
    case .overlap(let first, let second, let firstID, let secondID):
      "\(Self.name(firstID, first)) and \(Self.name(secondID, second)) are live together and overlap"
    }
  }

  private static func name(_ id: String, _ index: Int) -> String { "buffer '\(id)' (#\(index))" }
}

/// Judges a plan against its problem, sharing no code with the planner: every pair of buffers is compared.
///
/// - Throws: ``PlanFault``, the first one found. A plan above the capacity of the problem is at fault too; see
///   ``Plan/fits(_:)``.
public func validate(_ problem: Problem, _ plan: Plan) throws(PlanFault) {
  let (buffers, offsets) = (problem.buffers, plan.offsets)
  if offsets.count < buffers.count { throw .missingBuffer(offsets.count, id: buffers[offsets.count].id) }
  if offsets.count > buffers.count { throw .surplusOffsets(offsets.count, buffers: buffers.count) }
  var ends: [Int] = []
  for (index, buffer) in buffers.enumerated() {
    let offset = offsets[index]
    if offset < 0 { throw .negativeOffset(index, id: buffer.id, offset) }
    if offset % buffer.alignment != 0 {
      throw .misaligned(index, id: buffer.id, offset, alignment: buffer.alignment)
    }
    if let fixed = buffer.fixedOffset, fixed != offset {
      throw .fixedOffsetMoved(index, id: buffer.id, offset, fixed: fixed)
    }
    let (end, overflow) = offset.addingReportingOverflow(buffer.size)
    if overflow || end > plan.height {
      throw .exceedsHeight(index, id: buffer.id, end: overflow ? .max : end, height: plan.height)
    }
    if let capacity = problem.capacity, end > capacity {
      throw .exceedsCapacity(index, id: buffer.id, end: end, capacity: capacity)
    }
    ends.append(end)
  }
  for case .view(let member, let base, let at) in problem.aliases where offsets[member] != offsets[base] + at {
    throw .viewMoved(member, id: buffers[member].id, offsets[member], expected: offsets[base] + at)
  }
  let sharing = Sharing(problem)
  for second in buffers.indices {
    for first in 0..<second where offsets[first] < ends[second] && offsets[second] < ends[first] {
      let (a, b) = (buffers[first], buffers[second])
      if a.size == 0 || b.size == 0 || !a.lifetime.overlaps(b.lifetime) || sharing.permits(first, second, in: problem) {
        continue
      }
      throw .overlap(first, second, ids: a.id, b.id)
    }
  }
}

/// Which buffers may occupy common bytes while both are live.
private struct Sharing {
  /// A label for each buffer, equal for those joined by views.
  private var bytes: [Int]
  /// A label for each buffer, equal for those joined by aliases of any kind.
  private var storage: [Int]

  init(_ problem: Problem) {
    bytes = Array(problem.buffers.indices)
    storage = bytes
    for alias in problem.aliases {
      switch alias {
      case .view(let member, let base, _):
        Self.join(member, base, in: &bytes)
        Self.join(member, base, in: &storage)
      case .inPlace(let later, let earlier):
        Self.join(later, earlier, in: &storage)
      }
    }
  }

  private static func join(_ a: Int, _ b: Int, in labels: inout [Int]) {
    let (old, new) = (labels[a], labels[b])
    if old == new { return }
    for index in labels.indices where labels[index] == old { labels[index] = new }
  }

  /// Views of the same bytes share them at will; an in-place successor shares only its first step, which is the last of
  /// what it overwrites.
  func permits(_ a: Int, _ b: Int, in problem: Problem) -> Bool {
    if bytes[a] == bytes[b] { return true }
    if storage[a] != storage[b] { return false }
    let common = problem.buffers[a].lifetime.clamped(to: problem.buffers[b].lifetime)
    return common.upperBound - 1 <= common.lowerBound
  }
}
