internal import LatheCore

/// What a file of a value holds: a serialized `TensorProto`, `SequenceProto` or `OptionalProto`.
enum StoredValue {
  /// A serialized tensor.
  case tensor(ArraySlice<UInt8>)
  /// Serialized tensors.
  case sequence([ArraySlice<UInt8>])
  case nothing

  /// Takes the bytes of a file apart.
  ///
  /// A file of an optional may hold the value alone: which of both it is, the fields tell that there are.
  ///
  /// - Parameter type: What the model declares.
  init(_ bytes: [UInt8], _ type: Onnx_TypeProto, file: String) throws(DiagnosticsError) {
    guard type.isOptional || type.sequence != nil else {
      self = .tensor(bytes[...])
      return
    }
    guard let fields = Fields(bytes[...]) else { throw Self.damaged(type, file) }
    // The kind of value in sequences and optionals, the type of elements in tensors.
    let kind = fields.numbers[2] ?? 0
    switch (type.isOptional, type.sequence != nil) {
    case (true, true) where fields.parts[Fields.sequence] != nil:
      guard let inner = fields.parts[Fields.sequence]?.last.flatMap({ Fields($0) }) else {
        throw Self.damaged(type, file)
      }
      self = .sequence(inner.parts[Fields.tensor] ?? [])
    case (true, true) where kind != Fields.tensorKind: self = .nothing
    case (_, true): self = .sequence(fields.parts[Fields.tensor] ?? [])
    default:
      if let tensor = fields.parts[Fields.tensor]?.last {
        self = .tensor(tensor)
      } else {
        self = kind == 0 ? .nothing : .tensor(bytes[...])
      }
    }
  }

  private static func damaged(_ type: Onnx_TypeProto, _ file: String) -> DiagnosticsError {
    let kind = type.isOptional ? "an optional" : "a sequence of tensors"
    return DiagnosticsError("not \(kind): it is truncated or damaged", location: Location(file: file))
  }
}

/// The fields of a message by their numbers.
private struct Fields {
  /// The field of `SequenceProto` and `OptionalProto` that holds tensors, and the one of `OptionalProto` that holds a
  /// sequence.
  static let (tensor, sequence) = (3, 5)
  /// What both call the kind of a tensor.
  static let tensorKind: UInt64 = 1

  private(set) var numbers: [Int: UInt64] = [:]
  private(set) var parts: [Int: [ArraySlice<UInt8>]] = [:]

  init?(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    func number() -> UInt64? {
      var (value, shift) = (UInt64(0), 0)
      while let byte = rest.popFirst(), shift < 64 {
        value |= UInt64(byte & 0x7f) << UInt64(shift)
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    while !rest.isEmpty {
      guard let tag = number(), let field = Int(exactly: tag >> 3) else { return nil }
      switch tag & 7 {
      case 0:
        guard let value = number() else { return nil }
        numbers[field] = value
      case 1, 5:
        let width = tag & 7 == 1 ? 8 : 4
        guard rest.count >= width else { return nil }
        rest = rest.dropFirst(width)
      case 2:
        guard let size = number().flatMap({ Int(exactly: $0) }), size <= rest.count else { return nil }
        parts[field, default: []].append(rest.prefix(size))
        rest = rest.dropFirst(size)
      default: return nil
      }
    }
  }
}
