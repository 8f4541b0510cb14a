import Foundation
public import LatheCore

/// The format of named arrays that the package `safetensors` defines: a header in JSON and the elements behind it.
///
/// Source: https://github.com/huggingface/safetensors
public struct Safetensors: Sendable {
  /// The arrays; of a file in the order of their bytes.
  public var members: [NamedArray]
  /// The texts that the file has beside the arrays.
  public var metadata: [String: String]

  /// Makes a file in memory.
  public init(_ members: [NamedArray], metadata: [String: String] = [:]) {
    self.members = members
    self.metadata = metadata
  }

  /// The array of a name, or nil.
  public subscript(name: String) -> NDArray? { members.first { $0.name == name }?.array }
}

extension Safetensors {
  /// Reads a .safetensors file.
  ///
  /// - Throws: Diagnostics, with the path as their place, when the file cannot be read or is not what it claims to be.
  public init(reading path: String) throws(DiagnosticsError) {
    try self.init(bytes: FileContent(reading: path).bytes, from: path)
  }

  /// Reads the content of a .safetensors file; `bool` is normalized to 0 and 1.
  ///
  /// - Parameters:
  ///   - bytes: The whole content of the file.
  ///   - file: The file's name for diagnostics.
  /// - Throws: One diagnostic for each array that Lathe has no type for, or one for the file: arrays have to follow each
  ///   other without gaps from the header to the end.
  public init(bytes: [UInt8], from file: String) throws(DiagnosticsError) {
    func fault(_ message: String) -> DiagnosticsError { DiagnosticsError(message, location: Location(file: file)) }
    guard bytes.count >= 8 else { throw fault("is not a .safetensors file: it ends within the header's length") }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= Self.headerLimit else {
      throw fault(
        "is not a .safetensors file: the header would take \(length) bytes, of \(Self.headerLimit) at the most")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw fault("is truncated: the header takes \(length) bytes, \(bytes.count - 8) are there")
    }
    guard bytes[8..<start].first == UInt8(ascii: "{") else {
      throw fault("is not a .safetensors file: its header does not begin with '{'")
    }
    let header: Header
    do {
      header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<start]))
    } catch {
      throw fault("has a garbled header: \(decodingReason(error))")
    }
    var members: [NamedArray] = []
    var faults: [Diagnostic] = []
    var position = 0
    for (name, entry) in header.entries {
      guard entry.begin == position, entry.end >= position, entry.end <= bytes.count - start else {
        throw fault(
          "array '\(name)' has the bytes \(entry.begin) ..< \(entry.end), of \(bytes.count - start) in the file, of which "
            + "\(position) belong to arrays before it")
      }
      position = entry.end
      guard let element = SafetensorsElement(spelling: entry.dtype) else {
        let known = SafetensorsElement.all.compactMap { $0.dtype == nil ? nil : $0.spelling }.joined(separator: ", ")
        faults.append(
          Diagnostic(
            "array '\(name)' has elements of type '\(entry.dtype)'; known are \(known)", location: Location(file: file))
        )
        continue
      }
      guard let dtype = element.dtype else {
        faults.append(
          Diagnostic(
            "array '\(name)' has elements of type '\(entry.dtype)', which Lathe does not have",
            location: Location(file: file)))
        continue
      }
      let type = TensorType(dtype, entry.shape)
      guard entry.shape.allSatisfy({ $0 >= 0 }), type.byteCount == entry.end - entry.begin else {
        throw fault("array '\(name)' is \(dtype)\(entry.shape), which does not take \(entry.end - entry.begin) bytes")
      }
      let content = bytes[start + entry.begin..<start + entry.end]
      let elements = dtype == .bool ? content.map { $0 == 0 ? 0 : 1 } : Array(content)
      members.append(
        NamedArray(name: name, array: unfailing { try NDArray(dtype: dtype, shape: entry.shape, bytes: elements) }))
    }
    guard position == bytes.count - start else {
      throw fault("has \(bytes.count - start - position) bytes that belong to no array")
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    self.init(members, metadata: header.metadata)
  }

  /// The arrays as a file, byte for byte as the package `safetensors` writes them; metadata by name.
  ///
  /// - Throws: A diagnostic, with `file` as its place, when two arrays have one name, or one that means something else.
  public func bytes(for file: String) throws(DiagnosticsError) -> [UInt8] {
    try members.requireDistinctNames(for: file)
    guard self[Header.metadataKey] == nil else {
      throw DiagnosticsError("an array cannot have the name '\(Header.metadataKey)'", location: Location(file: file))
    }
    let written = members.map { NamedArray(name: $0.name, array: $0.array.widened(unless: SafetensorsElement.has)) }
    let ordered = written.map { (rank: SafetensorsElement.rank(of: $0.array.dtype), member: $0) }.sorted {
      $0.rank == $1.rank
        ? $0.member.name.utf8.lexicographicallyPrecedes($1.member.name.utf8) : $0.rank > $1.rank
    }
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { "\($0.key.json):\($0.value.json)" }
      fields.append("\(Header.metadataKey.json):{\(texts.joined(separator: ","))}")
    }
    var position = 0
    for (rank, member) in ordered {
      let end = position + member.array.bytes.count
      let shape = member.array.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(member.name.json):{\"dtype\":\"\(SafetensorsElement.all[rank].spelling)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(position),\(end)]}")
      position = end
    }
    var header = Array("{\(fields.joined(separator: ","))}".utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    guard header.count <= Self.headerLimit else {
      throw DiagnosticsError(
        "the header would take \(header.count) bytes, of \(Self.headerLimit) at the most",
        location: Location(file: file))
    }
    var result = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
    result.reserveCapacity(8 + header.count + position)
    result += header
    for (_, member) in ordered { result += member.array.bytes }
    return result
  }

  /// Writes a .safetensors file, all of it or nothing.
  ///
  /// - Throws: A diagnostic with the path as its place.
  public func write(to path: String) throws(DiagnosticsError) {
    try bytes(for: path).writeAtomically(to: path)
  }

  /// The reference implementation's own limit.
  private static let headerLimit = 100_000_000
}

/// What a decoder has against a text, and where in it.
package func decodingReason(_ error: any Error) -> String {
  switch error {
  case DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context),
    DecodingError.keyNotFound(_, let context), DecodingError.valueNotFound(_, let context):
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    return (path.isEmpty ? "" : "'\(path)': ") + context.debugDescription
  default: return "\(error)"
  }
}

/// The types that the format knows, in its order: files have the last ones first.
private struct SafetensorsElement {
  let spelling: String
  /// Nil where Lathe has no such type.
  let dtype: ScalarType?

  static let all: [SafetensorsElement] = [
    ("BOOL", .bool), ("F4", nil), ("F6_E2M3", nil), ("F6_E3M2", nil), ("U8", .u8), ("I8", .i8), ("F8_E5M2", .f8e5m2),
    ("F8_E4M3", .f8e4m3fn), ("F8_E8M0", .f8e8m0), ("F8_E4M3FNUZ", .f8e4m3fnuz), ("F8_E5M2FNUZ", .f8e5m2fnuz),
    ("I16", .i16), ("U16", .u16), ("F16", .f16), ("BF16", .bf16), ("I32", .i32), ("U32", .u32), ("F32", .f32),
    ("C64", nil), ("F64", .f64), ("I64", .i64), ("U64", .u64),
  ].map { SafetensorsElement(spelling: $0, dtype: $1) }

  /// Whether files can have the type; others are written in a wider one.
  static func has(_ dtype: ScalarType) -> Bool { all.contains { $0.dtype == dtype } }

  static func rank(of dtype: ScalarType) -> Int {
    all.firstIndex { $0.dtype == dtype } ?? internalError("\(dtype) has no name in safetensors")
  }

  init(spelling: String, dtype: ScalarType?) {
    self.spelling = spelling
    self.dtype = dtype
  }

  init?(spelling: String) {
    guard let row = Self.all.first(where: { $0.spelling == spelling }) else { return nil }
    self = row
  }
}

/// What the header says, arrays in the order of their bytes.
private struct Header: Decodable {
  static let metadataKey = "__metadata__"

  var entries: [(name: String, entry: Entry)]
  var metadata: [String: String] = [:]

  struct Entry: Decodable {
    let dtype: String
    let shape: [Int]
    let begin: Int
    let end: Int

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      dtype = try fields.decode(String.self, forKey: .dtype)
      shape = try fields.decode([Int].self, forKey: .shape)
      let offsets = try fields.decode([Int].self, forKey: .offsets)
      guard offsets.count == 2 else {
        throw DecodingError.dataCorruptedError(
          forKey: .offsets, in: fields, debugDescription: "there are \(offsets.count) offsets in place of two")
      }
      begin = offsets[0]
      end = offsets[1]
    }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Name.self)
    entries = []
    for name in fields.allKeys {
      if name.stringValue == Self.metadataKey {
        metadata = try fields.decode([String: String].self, forKey: name)
      } else {
        entries.append((name.stringValue, try fields.decode(Entry.self, forKey: name)))
      }
    }
    entries.sort { ($0.entry.begin, $0.entry.end, $0.name) < ($1.entry.begin, $1.entry.end, $1.name) }
  }
}

extension String {
  /// The text as a literal of JSON, escaped as little as it has to be.
  fileprivate var json: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{8}": result += "\\b"
      case "\u{c}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case ..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
