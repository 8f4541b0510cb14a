/// A value of JSON whose texts keep their scalars.
///
/// Foundation's dictionaries join keys that are canonically equivalent: vocabularies have both "é" and "e" with an accent.
indirect enum JSON: Sendable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case array([JSON])
  case object([(key: String, value: JSON)])

  /// Reads a whole text.
  init(parsing bytes: [UInt8]) throws(JSONFault) {
    var reader = JSONReader(bytes: bytes)
    self = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.isAtEnd else { throw reader.fault("something behind the end") }
  }
}

/// What is wrong with a text in JSON.
struct JSONFault: Error {
  var message: String
  var line: Int
}

private struct JSONReader {
  private static let maximalDepth = 200

  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  func fault(_ message: String) -> JSONFault {
    JSONFault(
      message: "is no JSON: \(message)",
      line: 1 + bytes[..<min(position, bytes.count)].count { $0 == UInt8(ascii: "\n") })
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ word: StaticString) throws(JSONFault) {
    let isThere = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    guard isThere else { throw fault("a value is missing") }
    position += word.utf8CodeUnitCount
  }

  mutating func value(depth: Int) throws(JSONFault) -> JSON {
    guard depth < Self.maximalDepth else { throw fault("values are nested too deeply") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .text(try text())
    case UInt8(ascii: "t"):
      try expect("true")
      return .flag(true)
    case UInt8(ascii: "f"):
      try expect("false")
      return .flag(false)
    case UInt8(ascii: "n"):
      try expect("null")
      return .null
    default: return try number()
    }
  }

  private mutating func object(_ depth: Int) throws(JSONFault) -> JSON {
    position += 1
    var members: [(key: String, value: JSON)] = []
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw fault("a name is missing") }
      let key = try text()
      skipSpace()
      guard take(":") else { throw fault("a colon is missing") }
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw fault("an object does not end") }
    }
  }

  private mutating func array(_ depth: Int) throws(JSONFault) -> JSON {
    position += 1
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(elements) }
      guard take(",") else { throw fault("an array does not end") }
    }
  }

  private mutating func number() throws(JSONFault) -> JSON {
    let start = position
    while let byte = current, byte < 0x80, "+-.eE0123456789".unicodeScalars.contains(Unicode.Scalar(byte)) {
      position += 1
    }
    guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw fault("a value is missing")
    }
    return .number(number)
  }

  private mutating func text() throws(JSONFault) -> String {
    position += 1
    var content: [UInt8] = []
    while let byte = current, byte != UInt8(ascii: "\"") {
      position += 1
      if byte != UInt8(ascii: "\\") {
        content.append(byte)
        continue
      }
      content += try Array(String(escaped()).utf8)
    }
    guard take("\"") else { throw fault("a text does not end") }
    guard let text = String(validating: content, as: UTF8.self) else { throw fault("a text is not UTF-8") }
    return text
  }

  private mutating func escaped() throws(JSONFault) -> Unicode.Scalar {
    guard let byte = current else { throw fault("a text does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"):
      let unit = try hexadecimal()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // The first of a pair of surrogates; the second must follow.
      guard (0xd800..<0xdc00).contains(unit), take("\\"), take("u") else { throw fault("half a surrogate pair") }
      let second = try hexadecimal()
      guard (0xdc00..<0xe000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (second - 0xdc00))
      else { throw fault("half a surrogate pair") }
      return scalar
    default: throw fault("an escape that there is not")
    }
  }

  private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
    guard position + 4 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw fault("an escape that there is not") }
    position += 4
    return unit
  }
}

/// A value of JSON with the way that leads to it, for messages.
struct JSONField: Sendable {
  let value: JSON
  let path: String

  init(_ value: JSON, path: String = "") {
    self.value = value
    self.path = path
  }

  func fault(_ message: String) -> TokenizerFault {
    TokenizerFault(path.isEmpty ? message : "\(path): \(message)")
  }

  private func expected(_ what: String) -> TokenizerFault { fault("is not \(what)") }

  /// The last member of a name; nil where there is none, or null.
  subscript(name: String) -> JSONField? {
    guard case .object(let members) = value, let member = members.last(where: { $0.key == name }) else { return nil }
    if case .null = member.value { return nil }
    return JSONField(member.value, path: path.isEmpty ? name : "\(path).\(name)")
  }

  func required(_ name: String) throws(TokenizerFault) -> JSONField {
    guard let field = self[name] else { throw fault("has no '\(name)'") }
    return field
  }

  var isText: Bool { if case .text = value { true } else { false } }

  func text() throws(TokenizerFault) -> String {
    guard case .text(let text) = value else { throw expected("a text") }
    return text
  }

  func flag() throws(TokenizerFault) -> Bool {
    guard case .flag(let flag) = value else { throw expected("true or false") }
    return flag
  }

  func number() throws(TokenizerFault) -> Double {
    guard case .number(let number) = value else { throw expected("a number") }
    return number
  }

  /// A number from 0 on, as identifiers and lengths are.
  func count() throws(TokenizerFault) -> Int {
    guard case .number(let number) = value, let count = Int(exactly: number), (0...Int(Int32.max)).contains(count)
    else {
      throw expected("a number from 0 to \(Int32.max)")
    }
    return count
  }

  func scalar() throws(TokenizerFault) -> Unicode.Scalar {
    let scalars = try text().unicodeScalars
    guard let scalar = scalars.first, scalars.count == 1 else { throw expected("one character") }
    return scalar
  }

  func array() throws(TokenizerFault) -> [JSONField] {
    guard case .array(let elements) = value else { throw expected("an array") }
    return elements.enumerated().map { JSONField($1, path: "\(path)[\($0)]") }
  }

  func members() throws(TokenizerFault) -> [(key: String, field: JSONField)] {
    guard case .object(let members) = value else { throw expected("an object") }
    return members.map { ($0.key, JSONField($0.value, path: "\(path).\($0.key)")) }
  }

  func type() throws(TokenizerFault) -> String { try required("type").text() }

  func flag(_ name: String, default value: Bool) throws(TokenizerFault) -> Bool {
    try self[name].map { field throws(TokenizerFault) in try field.flag() } ?? value
  }
}

/// What is wrong with a tokenizer's file, without the file's name.
struct TokenizerFault: Error {
  var message: String

  init(_ message: String) { self.message = message }
}
