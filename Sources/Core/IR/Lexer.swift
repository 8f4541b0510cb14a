/// One token of the text form.
struct Token {
  enum Kind: Equatable {
    case identifier, number, string
    /// `%name`, `%12`, `%"any name"`.
    case value
    /// `@name`, `@"any name"`.
    case variable
    case arrow
    case punctuation(UInt8)
    /// A character or string that belongs to no token.
    case invalid
    case end
  }

  var kind: Kind
  /// The bytes of the source.
  var range: Range<Int>
  /// One-based.
  var line: Int
  /// One-based, in UTF-8 bytes.
  var column: Int
  /// Whether the token is the first on its line.
  var startsLine: Bool
}

/// Splits the text form into tokens; comments that say locations are kept by line.
struct Lexer {
  let bytes: [UInt8]
  private(set) var tokens: [Token] = []
  private(set) var locations: [Int: Location] = [:]
  private var position = 0
  private var line = 1
  private var lineStart = 0
  private var startsLine = true

  init(_ text: String) {
    bytes = Array(text.utf8)
    while skipBlanks() { readToken() }
    append(.end, from: position)
  }

  private func peek(_ offset: Int = 0) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

  private mutating func append(_ kind: Token.Kind, from start: Int) {
    tokens.append(
      Token(
        kind: kind, range: start..<position, line: line, column: start - lineStart + 1, startsLine: startsLine))
    startsLine = false
  }

  /// Moves to the next token; false at the end.
  private mutating func skipBlanks() -> Bool {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\n"):
        position += 1
        line += 1
        lineStart = position
        startsLine = true
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let comment = String(decoding: bytes[(position + 2)..<end], as: UTF8.self)
        if let location = TextComment.location(comment) { locations[line] = location }
        position = end
      default: return true
      }
    }
    return false
  }

  private mutating func readToken() {
    let start = position
    let byte = bytes[position]
    switch byte {
    case _ where TextName.isStart(byte):
      skipName()
      append(.identifier, from: start)
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      skipNumber()
      append(.number, from: start)
    case UInt8(ascii: "\""):
      append(skipString() ? .string : .invalid, from: start)
    case UInt8(ascii: "%"), UInt8(ascii: "@"):
      position += 1
      let isNamed: Bool
      if peek() == UInt8(ascii: "\"") {
        isNamed = skipString()
      } else {
        isNamed = TextName.isInner(peek())
        skipName()
      }
      append(!isNamed ? .invalid : byte == UInt8(ascii: "%") ? .value : .variable, from: start)
    case UInt8(ascii: "-") where peek(1) == UInt8(ascii: ">"):
      position += 2
      append(.arrow, from: start)
    case _ where byte > 0x20 && byte < 0x7f:
      position += 1
      append(.punctuation(byte), from: start)
    default:
      position += 1
      append(.invalid, from: start)
    }
  }

  private mutating func skipName() {
    while position < bytes.count, TextName.isInner(bytes[position]) { position += 1 }
  }

  /// Digits, letters and points; signs only after the letter of an exponent.
  private mutating func skipNumber() {
    let isHex = peek() == UInt8(ascii: "0") && (peek(1) | 0x20) == UInt8(ascii: "x")
    let exponent = isHex ? UInt8(ascii: "p") : UInt8(ascii: "e")
    while position < bytes.count {
      let isSign = peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-")
      guard TextName.isInner(peek()) || (isSign && (bytes[position - 1] | 0x20) == exponent) else { return }
      position += 1
    }
  }

  /// Moves behind a string literal, or to the end of the line where it does not end.
  private mutating func skipString() -> Bool {
    position += 1
    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
      if bytes[position] == UInt8(ascii: "\"") {
        position += 1
        return true
      }
      position += bytes[position] == UInt8(ascii: "\\") && peek(1) != UInt8(ascii: "\n") ? 2 : 1
    }
    position = min(position, bytes.count)
    return false
  }
}
