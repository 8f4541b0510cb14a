internal import LatheCore

/// The constants of a program and the initial contents of its variables, each distinct content once, as the weights
/// file has them.
///
/// Contents are made of the model's literals whenever they are wanted: none is held.
struct CWeights {
  /// One content.
  struct Entry {
    var name: String
    var content: ConstantContent
    /// Byte offset in the data, a multiple of 64.
    var offset: Int

    var type: TensorType { content.type }
    var byteCount: Int { content.byteCount }
  }

  private(set) var entries: [Entry] = []
  /// The size of the data, a multiple of 64.
  private(set) var byteCount = 0
  /// FNV-1a over the data as little-endian 64-bit words.
  private(set) var checksum = WordHash()
  private var positions: [ConstantContent: Int] = [:]
  /// Entries by the hash of their elements.
  private var candidates: [WordHash: [Int]] = [:]

  /// What comes before the data in a file: magic, version, header size, data size, checksum.
  static let headerBytes = 64
  static let magic = "LATHEWTS"
  static let version = 1

  /// The header without the zeros at its end.
  var header: [UInt8] {
    var header = Array(Self.magic.utf8)
    func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.littleEndian) { header += $0 } }
    append(UInt32(Self.version))
    append(UInt32(Self.headerBytes))
    append(UInt64(byteCount))
    append(checksum.value)
    return header
  }

  /// The file: the header, and all contents at their offsets behind it.
  var file: CWeightsFile { CWeightsFile(header: header, contents: entries.map(\.content)) }

  /// The position of the content among the entries; equal contents are one entry.
  mutating func add(_ content: ConstantContent, name: String, _ names: inout CNames) -> Int {
    let key = content.flattened
    if let known = positions[key] { return known }
    var own = WordHash()
    var whole = checksum
    content.withParts { part in
      own.combine(part)
      whole.combine(part)
    }
    // What is made in different ways may still be the same.
    let equal = candidates[own, default: []].first {
      let other = entries[$0].content
      return other.type.dtype == content.dtype && other.count == content.count
        && other.flattened.array == key.array
    }
    positions[key] = equal ?? entries.count
    if let equal { return equal }
    candidates[own, default: []].append(entries.count)
    entries.append(Entry(name: names.unique(name), content: content, offset: byteCount))
    let words = CWeightsFile.paddedCount(content.byteCount) / 8
    for _ in (content.byteCount + 7) / 8..<words { whole.combine(0) }
    byteCount += words * 8
    checksum = whole
    return entries.count - 1
  }

  // MARK: In the source

  /// Contents up to this size are tables of numbers, larger ones strings, which compile ten times as fast.
  static let tableLimit = 64 << 10

  /// Whether a content is a table, not a string.
  private func isTable(_ entry: Entry) -> Bool { byteCount <= 1 << 20 && entry.byteCount <= Self.tableLimit }

  /// For each content the C expression that points at its first element.
  func pointers(_ prefix: String) -> [String] {
    entries.map { "\(prefix)_\($0.name)" + (isTable($0) ? "" : ".values") }
  }

  /// Declares all contents, so that they may be defined behind the functions.
  func writeDeclarations(_ prefix: String, _ standard: COptions.Standard, _ writer: inout CWriter) {
    writer.comment("The constants; their values are at the end of the file.")
    for entry in entries {
      let name = "\(prefix)_\(entry.name)"
      let dtype = entry.type.dtype
      if isTable(entry) {
        writer.line("\(tableHead(entry, name));")
      } else {
        let alignment = standard == .c11 ? "_Alignas(64) " : ""
        let values = "\(dtype.cStorage) values[\(entry.content.count)]"
        writer.line(
          "union \(name)_data { \(alignment)unsigned char bytes[\(entry.byteCount + 1)]; \(values); };")
        writer.line("\(stringHead(name));")
      }
    }
    writer.line()
  }

  /// Defines them.
  func writeDefinitions(_ prefix: String, _ writer: inout CWriter) {
    for entry in entries {
      writer.line()
      let name = "\(prefix)_\(entry.name)"
      if isTable(entry) { writeTable(entry, name, &writer) } else { writeString(entry, name, &writer) }
    }
  }

  private func tableHead(_ entry: Entry, _ name: String) -> String {
    "static const \(entry.type.dtype.cStorage) \(name)[\(max(1, entry.content.count))]"
  }

  private func stringHead(_ name: String) -> String { "static const union \(name)_data \(name)" }

  private func writeTable(_ entry: Entry, _ name: String, _ writer: inout CWriter) {
    let dtype = entry.type.dtype
    let array = entry.content.flattened.array
    let literals =
      dtype.isCoded
      ? unfailing { try NDArray(dtype: dtype.storage, shape: array.shape, bytes: array.bytes) }.values.map {
        dtype.storage.cLiteral($0)
      }
      : array.values.map { dtype.cHexLiteral($0) }
    let head = tableHead(entry, name) + " ="
    writer.comment(entry.type.description)
    let line = literals.joined(separator: ", ")
    if head.count + line.count < 110 { return writer.line("\(head) {\(line.isEmpty ? "0" : line)};") }
    writer.open(head)
    var text = ""
    for literal in literals {
      if text.count + literal.count > 110 {
        writer.line(text)
        text = ""
      }
      text += (text.isEmpty ? "" : " ") + literal + ","
    }
    writer.line(text)
    writer.close("};")
  }

  /// A string of the bytes, in a union with the elements that they are.
  ///
  /// Strict compilers would warn of its length, which the standard allows to limit to 4095.
  private func writeString(_ entry: Entry, _ name: String, _ writer: inout CWriter) {
    writer.comment("\(entry.type), little-endian")
    writer.line("#if defined(__GNUC__)")
    writer.line("#pragma GCC diagnostic push")
    writer.line("#pragma GCC diagnostic ignored \"-Woverlength-strings\"")
    writer.line("#endif")
    writer.line("\(stringHead(name)) = {")
    var text = Array("    \"".utf8)
    var lineStart = 0
    entry.content.withParts { bytes in
      for position in 0..<bytes.count {
        if text.count - lineStart > 116 {
          text.append(0x22)
          if text.count > 1 << 20 {
            writer.raw(String(decoding: text, as: UTF8.self))
            text.removeAll(keepingCapacity: true)
          } else {
            text.append(0x0a)
          }
          lineStart = text.count
          text += "    \"".utf8
        }
        // Behind the last byte of a part may be a digit: the longest form is right before any.
        let next = position + 1 < bytes.count ? bytes[position + 1] : 0x30
        Self.append(bytes[position], next: next, to: &text)
      }
    }
    text += "\"};".utf8
    writer.raw(String(decoding: text, as: UTF8.self))
    writer.line("#if defined(__GNUC__)")
    writer.line("#pragma GCC diagnostic pop")
    writer.line("#endif")
  }

  /// One byte of a string literal: itself where it is printable, else octal, as short as the next character allows.
  private static func append(_ byte: UInt8, next: UInt8, to text: inout [UInt8]) {
    // the question mark could begin a trigraph
    if byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x3f, byte != 0x5c { return text.append(byte) }
    let isDigitNext = next >= 0x30 && next <= 0x37
    text.append(0x5c)
    if isDigitNext || byte >= 64 { text.append(0x30 + (byte >> 6)) }
    if isDigitNext || byte >= 8 { text.append(0x30 + (byte >> 3 & 7)) }
    text.append(0x30 + (byte & 7))
  }
}

/// The weights in a file of their own, as what they are made of: whoever writes them never holds them all.
public struct CWeightsFile: Hashable, Sendable {
  private let header: [UInt8]
  private let contents: [ConstantContent]

  init(header: [UInt8], contents: [ConstantContent]) {
    self.header = header
    self.contents = contents
  }

  /// The file's size in bytes.
  public var count: Int {
    contents.reduce(CWeights.headerBytes) { $0 + Self.paddedCount($1.byteCount) }
  }

  /// The whole file.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    withParts { bytes += $0 }
    return bytes
  }

  /// Hands out the file piece by piece, from its start to its end.
  public func withParts<Failure>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
    try Self.withPadded(header, to: CWeights.headerBytes, body)
    for content in contents {
      try content.withParts(body)
      try Self.withPadded([], to: Self.paddedCount(content.byteCount) - content.byteCount, body)
    }
  }

  private static func withPadded<Failure>(
    _ bytes: [UInt8], to count: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let padded = bytes + repeatElement(0, count: count - bytes.count)
    try padded.withUnsafeBufferPointer { (part) throws(Failure) in try body(UnsafeRawBufferPointer(part)) }
  }

  /// The bytes that a content of so many takes.
  static func paddedCount(_ count: Int) -> Int { (count + 63) / 64 * 64 }
}

/// FNV-1a over little-endian 64-bit words.
struct WordHash: Hashable {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func combine(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01b3 }

  /// Takes in bytes; zeros complete the last word.
  mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    var hash = self
    let end = bytes.count / 8 * 8
    for offset in stride(from: 0, to: end, by: 8) {
      hash.combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
    if end < bytes.count {
      var word: UInt64 = 0
      for offset in end..<bytes.count { word |= UInt64(bytes[offset]) << UInt64(8 * (offset - end)) }
      hash.combine(word)
    }
    self = hash
  }
}
