internal import LatheCore

/// The constants of a program and the initial contents of its variables, each distinct content once.
struct CWeights {
  /// One content.
  struct Entry {
    var name: String
    var array: NDArray
    /// Byte offset in the packed form, a multiple of 64.
    var offset: Int
  }

  private(set) var entries: [Entry] = []
  private var positions: [NDArray: Int] = [:]
  /// The size of the packed form, a multiple of 64.
  private(set) var byteCount = 0

  /// What comes before the data in a file: magic, version, header size, data size, checksum.
  static let headerBytes = 64
  static let magic = "LATHEWTS"
  static let version = 1

  /// The position of the content among the entries; equal contents are one entry.
  mutating func add(_ array: NDArray, name: String, _ names: inout CNames) -> Int {
    let key = array.reshaped([array.count])
    if let known = positions[key] { return known }
    let position = entries.count
    positions[key] = position
    entries.append(Entry(name: names.unique(name), array: array, offset: byteCount))
    byteCount += (array.bytes.count + 63) / 64 * 64
    return position
  }

  /// All contents at their offsets.
  var packed: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    for entry in entries {
      bytes += entry.array.bytes
      bytes += repeatElement(0, count: (64 - bytes.count % 64) % 64)
    }
    return bytes
  }

  /// FNV-1a over little-endian 64-bit words.
  static func checksum(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { raw in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      let words = raw.bindMemory(to: UInt64.self)
      for word in words { hash = (hash ^ UInt64(littleEndian: word)) &* 0x100_0000_01b3 }
      return hash
    }
  }

  /// The weights file: header and packed data.
  static func file(_ packed: [UInt8], checksum: UInt64) -> [UInt8] {
    var bytes = Array(magic.utf8)
    func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
    append(UInt32(version))
    append(UInt32(headerBytes))
    append(UInt64(packed.count))
    append(checksum)
    bytes += repeatElement(0, count: headerBytes - bytes.count)
    return bytes + packed
  }

  // MARK: In the source

  /// Contents up to this size are tables of numbers, larger ones strings, which compile ten times as fast.
  static let tableLimit = 64 << 10

  /// The definitions of all contents, and for each the C expression that points at its first element.
  func definitions(_ prefix: String, _ standard: COptions.Standard) -> (text: String, pointers: [String]) {
    var writer = CWriter()
    let tables = byteCount <= 1 << 20
    var pointers: [String] = []
    for entry in entries {
      let name = "\(prefix)_\(entry.name)"
      let type = entry.array.dtype.cStorage
      if tables, entry.array.bytes.count <= Self.tableLimit {
        writeTable(entry, name, &writer)
        pointers.append(name)
      } else {
        writeString(entry, name, standard, &writer)
        pointers.append("(const \(type) *)(const void *)\(name)" + (standard == .c99 ? ".bytes" : ""))
      }
    }
    return (writer.text, pointers)
  }

  private func writeTable(_ entry: Entry, _ name: String, _ writer: inout CWriter) {
    let dtype = entry.array.dtype
    let literals =
      dtype.isHalf
      ? NDArray(dtype: .u16, shape: [entry.array.count], bytes: entry.array.bytes).values.map {
        ScalarType.u16.cLiteral($0)
      }
      : entry.array.values.map { dtype.cHexLiteral($0) }
    let count = max(1, literals.count)
    let head = "static const \(dtype.cStorage) \(name)[\(count)] ="
    writer.comment(entry.array.type.description)
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

  /// A string of the bytes.
  ///
  /// Strict compilers would warn of its length, which the standard allows to limit to 4095.
  private func writeString(_ entry: Entry, _ name: String, _ standard: COptions.Standard, _ writer: inout CWriter) {
    let bytes = entry.array.bytes
    writer.comment("\(entry.array.type), little-endian")
    writer.line("#if defined(__GNUC__)")
    writer.line("#pragma GCC diagnostic push")
    writer.line("#pragma GCC diagnostic ignored \"-Woverlength-strings\"")
    writer.line("#endif")
    switch standard {
    case .c11: writer.line("static const _Alignas(64) unsigned char \(name)[\(bytes.count + 1)] =")
    case .c99:
      writer.line(
        "static const union { unsigned char bytes[\(bytes.count + 1)]; uint64_t word; double number; } \(name) = {")
    }
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 3)
    bytes.withUnsafeBufferPointer { bytes in
      var lineStart = 0
      text += Array("    \"".utf8)
      for position in 0..<bytes.count {
        if text.count - lineStart > 116 {
          text += Array("\"\n    \"".utf8)
          lineStart = text.count
        }
        Self.append(bytes[position], next: position + 1 < bytes.count ? bytes[position + 1] : 0, to: &text)
      }
      text += Array((standard == .c99 ? "\"};" : "\";").utf8)
    }
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
