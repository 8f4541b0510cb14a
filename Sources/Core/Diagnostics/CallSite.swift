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
  static func current() -> Location {
    guard let backtrace = try? Backtrace.capture(limit: 128).symbolicated(with: nil, options: [.showInlineFrames, .showSourceLocations])
    else { return Location() }
    for frame in backtrace.frames {
      guard let source = frame.symbol?.sourceLocation, !source.path.isEmpty, source.line > 0,
        !source.path.hasPrefix(librarySources), !source.path.contains("/<compiler-generated>"),
        !source.path.hasSuffix("<compiler-generated>")
      else { continue }
      return Location(file: source.path, line: source.line, column: source.column > 0 ? source.column : nil)
    }
    return Location()
  }
}
