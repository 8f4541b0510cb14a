/// Lines of C, indented by the blocks they stand in.
struct CWriter {
  private(set) var text = ""
  private var depth = 0

  /// Writes one line, or an empty one.
  mutating func line(_ line: String = "") {
    if !line.isEmpty {
      for _ in 0..<depth { text += "  " }
      text += line
    }
    text += "\n"
  }

  /// Writes a text as it is, with a line end behind it.
  mutating func raw(_ block: String) { text += block + "\n" }

  /// Writes the lines of a text at the current depth.
  mutating func lines(_ block: String) {
    for line in block.split(separator: "\n", omittingEmptySubsequences: false) { self.line(String(line)) }
  }

  /// Writes `head {`, the body one level deeper, and `}`.
  mutating func block(_ head: String, _ body: (inout CWriter) -> Void) {
    open(head)
    body(&self)
    close()
  }

  /// Writes `head {`; lines until `close` stand one level deeper.
  mutating func open(_ head: String) {
    line(head.isEmpty ? "{" : head + " {")
    depth += 1
  }

  mutating func close(_ end: String = "}") {
    depth -= 1
    line(end)
  }

  /// Goes on inside a block whose closing line opened another.
  mutating func reopen() { depth += 1 }

  /// Replaces the last line's end.
  mutating func replaceLast(_ end: String, with other: String) {
    guard text.hasSuffix(end + "\n") else { return }
    text.removeLast(end.count + 1)
    text += other + "\n"
  }

  /// A string literal of the text.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5c, 0x3f: result += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7f: result.unicodeScalars.append(UnicodeScalar(byte))
      default:
        let octal = String(byte, radix: 8)
        result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
      }
    }
    return result + "\""
  }

  /// Writes a function's body, whose brace starts a line of its own.
  mutating func function(_ head: String, _ body: (inout CWriter) -> Void) {
    lines(head)
    block("", body)
  }

  /// Writes a comment of one or more lines.
  mutating func comment(_ lines: [String]) {
    let safe = lines.map { $0.replacing("*/", with: "* /").replacing("/*", with: "/ *") }
    for (position, line) in safe.enumerated() {
      let open = position == 0 ? "/* " : " * "
      self.line((line.isEmpty ? String(open.dropLast()) : open + line) + (position == safe.count - 1 ? " */" : ""))
    }
  }

  mutating func comment(_ line: String) { comment([line]) }
}
