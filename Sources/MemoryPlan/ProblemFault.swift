/// What makes a list of buffers impossible to plan, whatever the size of the arena.
///
/// Integers without a label are indices into ``Problem/buffers``.
public enum ProblemFault: Error, Sendable, Hashable {
  /// The capacity is below zero.
  case negativeCapacity(Int)
  /// The lifetime holds no step.
  case emptyLifetime(Int, id: String, Range<Int>)
  /// The size is below zero.
  case negativeSize(Int, id: String, Int)
  /// The alignment is not a power of two.
  case badAlignment(Int, id: String, Int)
  /// The fixed offset is below zero.
  case negativeFixedOffset(Int, id: String, Int)
  /// The fixed offset is not a multiple of the alignment.
  case misalignedFixedOffset(Int, id: String, Int, alignment: Int)
  /// With this buffer, sizes, alignments and fixed offsets add up to more than 2^60 bytes.
  case tooLarge(Int, id: String)
  /// Two buffers that are live together are fixed onto the same bytes.
  case fixedOverlap(Int, Int, ids: String, String)
  /// An alias names a buffer that does not exist.
  case unknownBuffer(Int, count: Int)
  /// A view does not lie inside its base.
  case viewOutsideBase(Int, id: String, base: String)
  /// Two chains of views put one buffer at two places.
  case contradictoryView(Int, id: String, base: String)
  /// A view starts at a byte that its alignment forbids.
  case misalignedView(Int, id: String, at: Int, alignment: Int)
  /// Two buffers joined by views have fixed offsets that do not agree.
  case contradictoryFixedOffsets(Int, Int, ids: String, String)
}

extension ProblemFault: CustomStringConvertible {
  /// One line in the form `buffer 'x' (#3): what is wrong`.
  public var description: String {
    switch self {
    case .negativeCapacity(let capacity):
      "the capacity is negative: \(capacity)"
    case .emptyLifetime(let index, let id, let span):
      "\(Self.name(id, index)): the lifetime [\(span.lowerBound), \(span.upperBound)) is empty"
    case .negativeSize(let index, let id, let size):
      "\(Self.name(id, index)): the size is negative: \(size)"
    case .badAlignment(let index, let id, let alignment):
      "\(Self.name(id, index)): the alignment \(alignment) is not a power of two"
    case .negativeFixedOffset(let index, let id, let offset):
      "\(Self.name(id, index)): the fixed offset is negative: \(offset)"
    case .misalignedFixedOffset(let index, let id, let offset, let alignment):
      "\(Self.name(id, index)): the fixed offset \(offset) is not a multiple of the alignment \(alignment)"
    case .tooLarge(let index, let id):
      "\(Self.name(id, index)): with it the buffers need more than 2^60 bytes"
    case .fixedOverlap(let first, let second, let firstID, let secondID):
      "\(Self.name(firstID, first)) and \(Self.name(secondID, second)) are live together and fixed onto the same bytes"
    case .unknownBuffer(let index, let count):
      "an alias names buffer #\(index), but there are \(count)"
    case .viewOutsideBase(let index, let id, let base):
      "\(Self.name(id, index)): the view does not lie inside its base '\(base)'"
    case .contradictoryView(let index, let id, let base):
      "\(Self.name(id, index)): views put it at two different places of '\(base)'"
    case .misalignedView(let index, let id, let at, let alignment):
      "\(Self.name(id, index)): the view at byte \(at) breaks the alignment \(alignment)"
    case .contradictoryFixedOffsets(let first, let second, let firstID, let secondID):
      "\(Self.name(firstID, first)) and \(Self.name(secondID, second)) share bytes, but their fixed offsets disagree"
    }
  }

  private static func name(_ id: String, _ index: Int) -> String { "buffer '\(id)' (#\(index))" }

  /// The index of the buffer to blame, where there is one.
  var buffer: Int? {
    switch self {
    case .negativeCapacity, .unknownBuffer: nil
    case .emptyLifetime(let index, _, _), .negativeSize(let index, _, _), .badAlignment(let index, _, _),
      .negativeFixedOffset(let index, _, _), .misalignedFixedOffset(let index, _, _, _), .tooLarge(let index, _),
      .viewOutsideBase(let index, _, _), .contradictoryView(let index, _, _), .misalignedView(let index, _, _, _):
      index
    case .fixedOverlap(_, let second, _, _), .contradictoryFixedOffsets(_, let second, _, _): second
    }
  }
}
