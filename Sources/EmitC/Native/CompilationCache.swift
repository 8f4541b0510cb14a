public import Foundation
public import LatheCore

/// Shared libraries by the text that they were compiled from.
///
/// An entry is a folder with the sources, a note of how they were compiled, and the library. It is made under another
/// name and renamed when it is complete, so that several processes may work on one cache.
public struct CompilationCache: Sendable {
  /// The folder of the entries.
  public var folder: URL

  /// A cache in a folder, which is made when it is needed.
  public init(folder: URL) {
    self.folder = folder
  }

  /// The user's cache: `LATHE_CACHE`, else `lathe` in `XDG_CACHE_HOME` or in `~/.cache`.
  public static func user(environment: [String: String] = ProcessInfo.processInfo.environment) -> CompilationCache {
    func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let folder = given("LATHE_CACHE") { return CompilationCache(folder: URL(fileURLWithPath: folder)) }
    let parent =
      given("XDG_CACHE_HOME") ?? given("HOME").map { $0 + "/.cache" } ?? FileManager.default.temporaryDirectory.path
    return CompilationCache(folder: URL(fileURLWithPath: parent).appendingPathComponent("lathe"))
  }

  /// The library of the files, compiled if the cache does not have it.
  ///
  /// - Throws: what the compiler says, or why the cache cannot be written.
  public func library(
    _ files: CFiles, compiler: CCompiler, flags: [String] = CCompiler.optimizing
  ) throws(DiagnosticsError) -> URL {
    let recipe = compiler.identity + "\n" + flags.joined(separator: " ") + "\n"
    let contents = [("recipe", recipe), ("\(files.name).c", files.source), (files.headerName, files.header)]
    let key = Self.key(contents.map(\.1))
    // Two texts of one key are told apart by what the entries hold.
    for attempt in 0..<16 {
      let entry = folder.appendingPathComponent(attempt == 0 ? key : "\(key)-\(attempt)")
      let library = entry.appendingPathComponent("\(files.name).so")
      if !FileManager.default.fileExists(atPath: entry.path) {
        try make(entry, contents, files, compiler, flags)
      }
      if Self.holds(entry, contents), FileManager.default.fileExists(atPath: library.path) { return library }
    }
    throw DiagnosticsError(
      "the cache \(folder.path) has damaged entries \(key)", help: "delete the folder; it is made again")
  }

  private func make(
    _ entry: URL, _ contents: [(name: String, text: String)], _ files: CFiles, _ compiler: CCompiler, _ flags: [String]
  ) throws(DiagnosticsError) {
    let manager = FileManager.default
    let draft = folder.appendingPathComponent("draft-\(UUID().uuidString)")
    defer { try? manager.removeItem(at: draft) }
    do {
      try manager.createDirectory(at: draft, withIntermediateDirectories: true)
      for (name, text) in contents { try Data(text.utf8).write(to: draft.appendingPathComponent(name)) }
    } catch {
      throw DiagnosticsError(
        "the cache \(folder.path) cannot be made or written",
        help: "set LATHE_CACHE to a folder that can")
    }
    try compiler.compile(
      draft.appendingPathComponent("\(files.name).c"), to: draft.appendingPathComponent("\(files.name).so"),
      flags: flags)
    // Where another process was faster, its entry stays.
    if rename(draft.path, entry.path) != 0, !manager.fileExists(atPath: entry.path) {
      throw DiagnosticsError("the cache \(folder.path) cannot be written: \(String(cString: strerror(errno)))")
    }
  }

  private static func holds(_ entry: URL, _ contents: [(name: String, text: String)]) -> Bool {
    contents.allSatisfy { name, text in
      (try? Data(contentsOf: entry.appendingPathComponent(name))) == Data(text.utf8)
    }
  }

  /// 128 bits of FNV-1a, from two starts.
  private static func key(_ texts: [String]) -> String {
    var first: UInt64 = 0xcbf2_9ce4_8422_2325
    var second: UInt64 = 0x9e37_79b9_7f4a_7c15
    for text in texts {
      for byte in text.utf8 {
        first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
        second = (second ^ UInt64(byte)) &* 0x100_0000_01b3
      }
      first ^= 0xff
      second = second.byteSwapped
    }
    return [first, second].map { number in
      let digits = String(number, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
