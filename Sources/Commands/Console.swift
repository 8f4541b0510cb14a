import Foundation
import LatheCore
import LatheData

/// The two streams of a command: results go to standard output, everything said about them to standard error.
enum Console {
  /// Writes a result; a full disk behind standard output is a diagnostic too.
  static func output(_ text: String) throws(DiagnosticsError) {
    try writeAll(Array(text.utf8), to: STDOUT_FILENO, name: "standard output")
  }

  /// Writes a result as JSON with keys in alphabetical order, on many lines or on one.
  static func output(json value: some Encodable, onOneLine: Bool = false) throws(DiagnosticsError) {
    try output(json(value, onOneLine: onOneLine))
  }

  /// A result as JSON with keys in alphabetical order, on many lines or on one.
  static func json(_ value: some Encodable, onOneLine: Bool = false) throws(DiagnosticsError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { throw DiagnosticsError("the result has no form in JSON") }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// Says something that a person should know, though nothing is wrong.
  static func note(_ text: String) {
    message(colored("note:", .bold) + " " + text + "\n")
  }

  /// Shows diagnostics, as compilers do.
  static func report(_ diagnostics: [Diagnostic]) {
    for diagnostic in diagnostics { message(colored(diagnostic) + "\n") }
  }

  /// Shows what long work is about, on a terminal only; the next line replaces it.
  static func progress(_ text: String) {
    guard isTerminal else { return }
    message("\r\u{1B}[K\(text)\u{1B}[K")
  }

  /// Takes the line of progress away.
  static func endProgress() {
    if isTerminal { message("\r\u{1B}[K") }
  }

  // MARK: Standard error

  private enum Style: String {
    case bold = "1"
    case red = "1;31"
    case magenta = "1;35"
    case cyan = "36"
  }

  private static let isTerminal = isatty(STDERR_FILENO) == 1

  /// Colours are for terminals, unless the person has said otherwise (https://no-color.org).
  private static let isColored = isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  private static func message(_ text: String) {
    // Where standard error cannot be written, nobody can be told.
    try? writeAll(Array(text.utf8), to: STDERR_FILENO, name: "standard error")
  }

  private static func colored(_ text: String, _ style: Style) -> String {
    isColored ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  private static func colored(_ diagnostic: Diagnostic) -> String {
    let text = diagnostic.rendered()
    guard isColored else { return text }
    let severity = "\(diagnostic.severity.rawValue):"
    let style: Style = diagnostic.severity == .error ? .red : .magenta
    var lines = text.components(separatedBy: "\n")
    if let range = lines[0].range(of: severity) {
      lines[0] =
        colored(String(lines[0][..<range.lowerBound]), .bold) + colored(severity, style)
        + colored(String(lines[0][range.upperBound...]), .bold)
    }
    for index in lines.indices.dropFirst() { lines[index] = colored(lines[index], .cyan) }
    return lines.joined(separator: "\n")
  }
}
