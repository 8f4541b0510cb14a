internal import LatheCore

/// The constants of a program and the initial contents of its variables, each distinct content once, as the weights
/// file has them.
struct CWeights {
  /// One content.
  struct Entry {
    var name: String
    var type: TensorType
    /// Byte offset in the data, a multiple of 64.
    var offset: Int
    var byteCount: Int
  }

  private(set) var entries: [Entry] = []
  /// The file: the header, which `close` writes, and all contents at their offsets behind it.
  private(set) var file = [UInt8](repeating: 0, count: headerBytes)
  /// FNV-1a over the data as little-endian 64-bit words, from `close` on.
  private(set) var checksum: UInt64 = 0
  private var positions: [ConstantContent: Int] = [:]
  /// Entries by the hash of their elements.
  private var candidates: [Int: [Int]] = [:]

  /// What comes before the data in a file: magic, version, header size, data size, checksum.
  static let headerBytes = 64
  static let magic = "LATHEWTS"
  static let version = 1

  /// The size of the data, a multiple of 64.
  var byteCount: Int { file.count - Self.headerBytes }

  /// The header without the zeros at its end.
  var header: ArraySlice<UInt8> { file.prefix(Self.magic.utf8.count + 24) }

  /// Makes room for contents that are to be added.
  mutating func reserve(_ contents: [ConstantContent]) {
    let distinct = Set(contents.map(\.flattened))
    file.reserveCapacity(distinct.reduce(file.count) { $0 + ($1.count * $1.dtype.byteCount + 63) / 64 * 64 })
  }

  /// The position of the content among the entries; equal contents are one entry.
  mutating func add(_ content: ConstantContent, name: String, _ names: inout CNames) -> Int {
    let key = content.flattened
    if let known = positions[key] { return known }
    // What is made in different ways may still be the same.
    let array = key.array
    let equal = candidates[array.hashValue, default: []].first {
      self.array(of: entries[$0], shape: array.shape) == array
    }
    positions[key] = equal ?? entries.count
    if let equal { return equal }
    candidates[array.hashValue, default: []].append(entries.count)
    entries.append(
      Entry(name: names.unique(name), type: content.type, offset: byteCount, byteCount: array.bytes.count))
    file += array.bytes
    file += repeatElement(0, count: (64 - file.count % 64) % 64)
    return entries.count - 1
  }

  /// Writes the header, when everything is added.
  mutating func close() {
    checksum = file.withUnsafeBytes { raw in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for word in raw.bindMemory(to: UInt64.self).dropFirst(Self.headerBytes / 8) {
        hash = (hash ^ UInt64(littleEndian: word)) &* 0x100_0000_01b3
      }
      return hash
    }
    var header = Array(Self.magic.utf8)
    func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.littleEndian) { header += $0 } }
    append(UInt32(Self.version))
    append(UInt32(Self.headerBytes))
    append(UInt64(byteCount))
    append(checksum)
    file.replaceSubrange(0..<header.count, with: header)
  }

  private func array(of entry: Entry, shape: [Int]) -> NDArray {
    let start = Self.headerBytes + entry.offset
    return unfailing {
      try NDArray(dtype: entry.type.dtype, shape: shape, bytes: Array(file[start..<start + entry.byteCount]))
    }
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
      if tables, entry.byteCount <= Self.tableLimit {
        writeTable(entry, name, &writer)
        pointers.append(name)
      } else {
        writeString(entry, name, standard, &writer)
        pointers.append("\(name).values")
      }
    }
    return (writer.text, pointers)
  }

  private func writeTable(_ entry: Entry, _ name: String, _ writer: inout CWriter) {
    let dtype = entry.type.dtype
    let array = array(of: entry, shape: [entry.byteCount / dtype.byteCount])
    let literals =
      dtype.isCoded
      ? unfailing { try NDArray(dtype: dtype.storage, shape: array.shape, bytes: array.bytes) }.values.map {
        dtype.storage.cLiteral($0)
      }
      : array.values.map { dtype.cHexLiteral($0) }
    let count = max(1, literals.count)
    let head = "static const \(dtype.cStorage) \(name)[\(count)] ="
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
  private func writeString(_ entry: Entry, _ name: String, _ standard: COptions.Standard, _ writer: inout CWriter) {
    let start = Self.headerBytes + entry.offset
    let bytes = file[start..<start + entry.byteCount]
    let dtype = entry.type.dtype
    writer.comment("\(entry.type), little-endian")
    writer.line("#if defined(__GNUC__)")
    writer.line("#pragma GCC diagnostic push")
    writer.line("#pragma GCC diagnostic ignored \"-Woverlength-strings\"")
    writer.line("#endif")
    let alignment = standard == .c11 ? "_Alignas(64) " : ""
    let values = "\(dtype.cStorage) values[\(bytes.count / dtype.byteCount)]"
    writer.line("static const union { \(alignment)unsigned char bytes[\(bytes.count + 1)]; \(values); } \(name) = {")
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
      text += Array("\"};".utf8)
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
