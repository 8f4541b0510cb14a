import Runtime
import Synchronization

/// Finds the user's source line by walking the stack.
///
/// Operators cannot take `#line`, and recording a line per node would cost every traced node; a mistake is found while
/// the user's frame is still on the stack, so the stack is captured on the error path only.
///
/// The line of one frame takes about 20 ms, for the whole debug information is read; the names of all take some
/// microseconds. So frames of modules that are known to be Lathe's are passed over by name, and what was found of an
/// address is kept.
enum CallSite {
  /// The folder of Lathe's own sources on the machine that built it; frames from there are not the user's.
  private static let librarySources: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/") + "/"
  }()

  private struct Known {
    /// The source of return addresses; nil where it is not the user's.
    var places: [String: Location?] = [:]
    /// Modules a frame of which was found in Lathe's sources.
    var ownModules: Set<String> = []
  }

  private static let known = Mutex(Known())

  /// The innermost stack frame with source that is not Lathe's own.
  ///
  /// Release builds work as well: SwiftPM gives them debug information and frame pointers. What optimization does to a
  /// frame shows in two ways: paths may be relative, and a function that was merged with another of the same code has
  /// no line; then the place is that of its caller.
  static func current() -> Location {
    let capture = try? Backtrace.capture(limit: 128)
    guard let names = capture?.symbolicated(with: nil, options: [])?.frames else { return Location() }
    for (depth, frame) in names.enumerated() {
      guard let symbol = frame.symbol else { continue }
      let module = module(of: symbol)
      let address = frame.captured.description
      let (place, isOwn) = known.withLock { ($0.places[address], $0.ownModules.contains(module)) }
      if isOwn { continue }
      if let place {
        if let place { return place }
        continue
      }
      // The second frame stands for those that are left out.
      let one = try? Backtrace.capture(limit: 2, offset: depth, top: 0)
      let lines = one?.symbolicated(with: nil, options: [.showInlineFrames, .showSourceLocations])?.frames ?? []
      let found = lines.compactMap { source(of: $0) }.first
      known.withLock { $0.places[address] = .some(found) }
      if let found { return found }
    }
    return Location()
  }

  /// Where a frame's source is, unless that is Lathe's or nobody's.
  private static func source(of frame: SymbolicatedBacktrace.Frame) -> Location? {
    guard let symbol = frame.symbol, let source = symbol.sourceLocation, !source.path.isEmpty, source.line > 0,
      !source.path.hasSuffix("<compiler-generated>")
    else { return nil }
    let module = module(of: symbol)
    // Optimized code has relative paths; then the module's name must do.
    let isOwn = source.path.hasPrefix("/") ? source.path.hasPrefix(librarySources) : module.hasPrefix("Lathe")
    guard isOwn else {
      return Location(file: source.path, line: source.line, column: source.column > 0 ? source.column : nil)
    }
    known.withLock { _ = $0.ownModules.insert(module) }
    return nil
  }

  /// The module whose source has a function: the one that extends, or the one that its mangled name begins with.
  private static func module(of symbol: SymbolicatedBacktrace.Symbol) -> String {
    if let range = symbol.name.firstRange(of: "(extension in ") {
      return String(symbol.name[range.upperBound...].prefix { $0 != ")" })
    }
    let name = symbol.rawName.drop { $0 == "$" || $0 == "s" || $0 == "S" }
    guard let length = Int(name.prefix(while: \.isNumber)) else { return "" }
    return String(name.drop(while: \.isNumber).prefix(length))
  }
}
