import Foundation
import Lathe
import LatheC
import LatheCore
import LatheData

/// What a person asks who puts a model on a small machine.
struct CompileReport {
  private let rows: [(name: String, value: String)]

  /// - Parameters:
  ///   - facts: What the files say of themselves.
  ///   - lowerBound: Bytes that no plan of the arena can do without.
  ///   - source: The C file, which is there.
  ///   - options: How it was written.
  ///   - target: The processor that it is for.
  init(
    _ facts: CFacts, lowerBound: Int, source: String, _ options: COptions, target: Target
  ) throws(DiagnosticsError) {
    var rows: [(name: String, value: String)] = []
    let owner = options.arena == .static ? "static" : "given by the caller"
    rows.append(("arena", "\(facts.arenaBytes.grouped) bytes, \(owner); no plan needs less than \(lowerBound.grouped)"))
    if facts.stateBytes > 0 { rows.append(("state", "\(facts.stateBytes.grouped) bytes, given by the caller")) }
    let place = facts.areWeightsInline ? "constants in the C file" : "in a file of their own"
    rows.append(("weights", "\(facts.weightBytes.grouped) bytes, \(place)"))
    var stack = "at most \(facts.stackBytes.grouped) bytes"
    for work in facts.multiplyAdds {
      let name = facts.multiplyAdds.count == 1 ? "multiply-adds" : "multiply-adds of \(work.function)"
      rows.append((name, work.count.grouped))
    }
    if let compiler = CodeSize.compiler(for: target) {
      let size = try CodeSize(of: source, options, compiler)
      stack += "; \(size.stackBytes.grouped) as \(compiler.name) compiles it"
      rows.append(("code", "\(size.codeBytes.grouped) bytes, as \(compiler.name) compiles it"))
    } else {
      rows.append(("code", "not known: there is no compiler for \(target.name) here"))
    }
    rows.insert(("stack", stack), at: rows.count - 1 - facts.multiplyAdds.count)
    self.rows = rows
  }

  var text: String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      row.name + String(repeating: " ", count: width + 2 - row.name.count) + row.value + "\n"
    }
    .joined()
  }
}

/// What a compiler makes of a C file.
private struct CodeSize {
  struct Compiler {
    var command: [String]
    var flags: [String]
    /// What a person calls it.
    var name: String { (command + flags.filter { $0.hasPrefix("-O") || $0.hasPrefix("-mcpu") }).joined(separator: " ") }
  }

  let codeBytes: Int
  /// The function, its largest kernel, and the largest helper below that.
  let stackBytes: Int

  /// The compiler of a processor, where it is installed.
  static func compiler(for target: Target) -> Compiler? {
    let (program, flags): (String, [String]) =
      switch target.name {
      case Target.cortexM4F.name:
        ("arm-none-eabi-gcc", ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-Os"])
      case Target.armV8.name: ("aarch64-linux-gnu-gcc", ["-O2"])
      default: ("gcc", ["-O2"])
      }
    return (try? Self.run([program, "--version"])) == nil ? nil : Compiler(command: [program], flags: flags)
  }

  init(of source: String, _ options: COptions, _ compiler: Compiler) throws(DiagnosticsError) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-report-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw DiagnosticsError("no temporary folder can be made in \(folder.deletingLastPathComponent().path)")
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    let object = folder.appendingPathComponent("model.o").path
    let standard = "-std=\(options.standard.rawValue)"
    _ = try Self.run(
      compiler.command + compiler.flags + [
        standard, "-ffunction-sections", "-fstack-usage", "-c", source, "-o", object,
      ])
    let usage = (try? FileContent(reading: folder.appendingPathComponent("model.su").path).text()) ?? ""
    var frames: [(name: String, bytes: Int)] = []
    for line in usage.split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.count >= 2, let bytes = Int(fields[1]) else { continue }
      frames.append((String(fields[0].split(separator: ":").last ?? ""), bytes))
    }
    // Who calls whom is not told; a run is at most three functions deep.
    stackBytes = frames.map(\.bytes).sorted(by: >).prefix(3).reduce(0, +)
    let sections = try Self.run([compiler.command[0].replacing("gcc", with: "objdump"), "-h", object])
    codeBytes = sections.split(separator: "\n").reduce(0) { sum, line in
      let fields = line.split(separator: " ")
      guard fields.count > 3, fields[1].hasPrefix(".text"), let bytes = Int(fields[2], radix: 16) else { return sum }
      return sum + bytes
    }
  }

  /// What a program prints.
  private static func run(_ command: [String]) throws(DiagnosticsError) -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    do { try process.run() } catch { throw DiagnosticsError("\(command[0]) cannot be started") }
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let problem = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw DiagnosticsError([
        Diagnostic(
          "\(command[0]) failed", operands: problem.split(separator: "\n").prefix(10).map(String.init))
      ])
    }
    return text
  }
}
