import Runtime

/// Finds the user's source line by walking the stack.
///
/// Operators cannot take `#line`, and recording a line per node would cost every traced node; a mistake is found while
/// the user's frame is still on the stack, so the stack is captured on the error path only (about 3 ms).
enum CallSite {
  /// The folder of Lathe's own sources on the machine that built it; frames from there are not the user's.
  private static let librarySources: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/"
  }()

  /// The innermost stack frame with source that is not Lathe's own.
  ///
  /// Release builds work as well: SwiftPM gives them debug information and frame pointers. What optimization does to a
  /// frame shows in two ways: paths may be relative, and a function that was merged with another of the same code has
  /// no line; then the place is that of its caller.
  static func current() -> Location {
    let capture = try? Backtrace.capture(limit: 128)
    guard let frames = capture?.symbolicated(with: nil, options: [.showInlineFrames, .showSourceLocations])?.frames
    else { return Location() }
    for frame in frames {
      guard let symbol = frame.symbol, let source = symbol.sourceLocation, !source.path.isEmpty, source.line > 0,
        !isOwn(source.path, symbol: symbol.rawName), !source.path.hasSuffix("<compiler-generated>")
      else { continue }
      return Location(file: source.path, line: source.line, column: source.column > 0 ? source.column : nil)
    }
    return Location()
  }

  /// Whether a frame is Lathe's: by its path or, where that is relative, by the module in its mangled name.
  private static func isOwn(_ path: String, symbol: String) -> Bool {
    if path.hasPrefix("/") { return path.hasPrefix(librarySources) }
    let module = symbol.drop { $0 == "$" || $0 == "s" || $0 == "S" }.drop(while: \.isNumber)
    return module.hasPrefix("Lathe")
  }
}
