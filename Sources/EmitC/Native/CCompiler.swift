public import Foundation
public import LatheCore

/// The C compiler of this machine.
public struct CCompiler: Hashable, Sendable {
  /// The program and the arguments that come before all others.
  public var command: [String]

  /// What makes code for this machine as fast as it can be, with the numbers that the language promises but for
  /// multiply-adds in one rounding.
  public static let optimizing = [
    "-std=c11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
  ]

  /// A compiler by its command line.
  public init(command: [String]) {
    self.command = command
  }

  /// Finds the compiler: what the environment variable `CC` says, or the first of `cc`, `gcc` and `clang` on the path.
  ///
  /// - Throws: when there is none.
  public static func system(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(DiagnosticsError) -> CCompiler {
    let wish = (environment["CC"] ?? "").split(separator: " ").map(String.init)
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    if let program = wish.first {
      guard let found = find(program, path) else {
        throw DiagnosticsError("the C compiler '\(program)' is not found", help: "CC names it; unset CC or correct it")
      }
      return CCompiler(command: [found] + wish.dropFirst())
    }
    for program in ["cc", "gcc", "clang"] {
      if let found = find(program, path) { return CCompiler(command: [found]) }
    }
    throw DiagnosticsError(
      "no C compiler is found", help: "install gcc or clang, set CC, or use the interpreter (--backend interpreter)")
  }

  private static func find(_ program: String, _ path: String) -> String? {
    let files = FileManager.default
    if program.contains("/") { return files.isExecutableFile(atPath: program) ? program : nil }
    return path.split(separator: ":").map { "\($0)/\(program)" }.first { files.isExecutableFile(atPath: $0) }
  }

  /// What tells this compiler and this machine from others: the program's file and the processor's abilities.
  var identity: String {
    var lines = [command.joined(separator: " ")]
    let program = (command[0] as NSString).resolvingSymlinksInPath
    if let attributes = try? FileManager.default.attributesOfItem(atPath: program) {
      lines.append(
        "\(program) \(attributes[.size] ?? 0) \((attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0)")
    }
    if let processor = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) {
      var seen: Set<Substring> = []
      for line in processor.split(separator: "\n") where line.hasPrefix("model name") || line.hasPrefix("flags") {
        if seen.insert(line).inserted { lines.append(String(line)) }
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The target that describes this machine, by what the compiler knows of it.
  public func hostTarget() -> Target {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst()) + ["-march=native", "-dM", "-E", "-x", "c", "/dev/null"]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    guard (try? process.run()) != nil else { return .generic }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let macros = Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first })
    if macros.isSuperset(of: ["__AVX512F__", "__AVX512VL__", "__AVX512DQ__", "__AVX512BW__"]) { return .x86V4 }
    if macros.isSuperset(of: ["__AVX2__", "__FMA__"]) { return .x86V3 }
    if macros.contains("__SSE4_2__") { return .x86V2 }
    return macros.contains("__ARM_NEON") ? .armV8 : .generic
  }

  /// Makes a shared library of a source file.
  ///
  /// - Throws: the compiler's output, when it fails.
  func compile(_ source: URL, to library: URL, flags: [String]) throws(DiagnosticsError) {
    let arguments = Array(command.dropFirst()) + flags + ["-shared", "-fPIC", source.path, "-o", library.path, "-lm"]
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do {
      try process.run()
    } catch {
      throw DiagnosticsError("the C compiler \(command[0]) cannot be started: \(error.localizedDescription)")
    }
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let reason = process.terminationReason == .exit ? "exit code" : "signal"
      throw DiagnosticsError([
        Diagnostic(
          "the C compiler failed (\(reason) \(process.terminationStatus)): \(command[0]) \(arguments.joined(separator: " "))",
          operands: output.split(separator: "\n").prefix(20).map(String.init))
      ])
    }
  }
}
