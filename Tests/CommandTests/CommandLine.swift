import Foundation
import Testing

/// What a run of a command line left behind.
struct Outcome {
  var status: Int32
  var output: String
  var errors: String
}

/// A folder of its own for every test, in which the built tools run.
final class Workbench: Sendable {
  let folder: URL

  /// - Parameter files: Names and contents of files that are there at the start.
  init(_ files: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, text) in files { try Data(text.utf8).write(to: path(name)) }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> URL { folder.appendingPathComponent(name) }

  func text(_ name: String) throws -> String { String(decoding: try Data(contentsOf: path(name)), as: UTF8.self) }

  /// The names of the files in the folder, sorted.
  func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

  /// Runs a tool that was built beside the tests.
  func run(_ tool: String = "lathe", _ arguments: String...) throws -> Outcome {
    try start(Self.tools.appendingPathComponent(tool), arguments)
  }

  /// Runs a line of the shell, in which `$lathe` is the tool.
  func shell(_ line: String) throws -> Outcome {
    try start(
      URL(fileURLWithPath: "/bin/sh"), ["-c", line], ["lathe": Self.tools.appendingPathComponent("lathe").path])
  }

  private static var tools: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  }

  private func start(_ tool: URL, _ arguments: [String], _ environment: [String: String] = [:]) throws -> Outcome {
    // Files, not pipes: nobody has to read them while the tool runs. They lie outside of its folder.
    let streams = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-streams-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: streams) }
    let (output, errors) = (streams.appendingPathComponent("out"), streams.appendingPathComponent("err"))
    for file in [output, errors] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = tool
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Outcome(
      status: status, output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}

/// Compares text with a file of `Snapshots`; with `LATHE_BLESS=1` in the environment it rewrites the file.
func expectSnapshot(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Snapshots/\(name).txt")
  if ProcessInfo.processInfo.environment["LATHE_BLESS"] == "1" {
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
  let expected = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
  #expect(text == expected, sourceLocation: sourceLocation)
}
