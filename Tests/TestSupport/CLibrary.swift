public import Foundation
public import LatheC
public import LatheCore

/// Emitted C, compiled into a shared library with all warnings as errors, and called.
public final class CLibrary {
  /// What the compiler said.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  public static let warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]

  private let handle: UnsafeMutableRawPointer
  public let folder: URL

  /// Compiles the files into one library.
  public init(_ files: [CFiles], compiler: String = "gcc", flags: [String] = ["-O1"]) throws {
    folder = try Self.write(files)
    let library = folder.appendingPathComponent("all.so").path
    let sources = files.map { "#include \"\($0.name).c\"\n" }.joined()
    let all = folder.appendingPathComponent("all.c")
    try Data(sources.utf8).write(to: all)
    try Self.run(
      [compiler, "-std=c11"] + flags + Self.warnings + ["-shared", "-fPIC", all.path, "-o", library, "-lm"])
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else { throw Failure(description: String(cString: dlerror())) }
    self.handle = handle
  }

  deinit {
    dlclose(handle)
    try? FileManager.default.removeItem(at: folder)
  }

  /// Writes the files into a new folder under the temporary one.
  public static func write(_ files: [CFiles]) throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-c-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in files {
      try Data(file.source.utf8).write(to: folder.appendingPathComponent("\(file.name).c"))
      try Data(file.header.utf8).write(to: folder.appendingPathComponent(file.headerName))
      if let weights = file.weights { try Data(weights).write(to: folder.appendingPathComponent("\(file.name).weights")) }
    }
    return folder
  }

  /// Runs a command to its end and gives its output; throws it where the command fails.
  @discardableResult
  public static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: command.joined(separator: " ") + "\n" + output.prefix(20000))
    }
    return output
  }

  private typealias Entry = @convention(c) (
    UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?, UnsafePointer<UnsafeRawPointer?>?,
    UnsafePointer<UnsafeMutableRawPointer?>?
  ) -> Int32

  /// Calls the model's uniform entry once; the arena starts as garbage.
  public func run(_ files: CFiles, _ program: PlannedProgram, _ inputs: [String: NDArray]) throws -> [String: NDArray] {
    guard let symbol = dlsym(handle, "\(files.name)_call") else { throw Failure(description: "no \(files.name)_call") }
    let entry = unsafeBitCast(symbol, to: Entry.self)
    func memory(_ count: Int) -> UnsafeMutableRawPointer {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: max(64, count), alignment: 64)
      memory.initializeMemory(as: UInt8.self, repeating: 0xa5, count: max(64, count))
      return memory
    }
    var owned: [UnsafeMutableRawPointer] = []
    defer { for pointer in owned { pointer.deallocate() } }
    func own(_ count: Int) -> UnsafeMutableRawPointer {
      owned.append(memory(count))
      return owned[owned.count - 1]
    }
    let given = try program.program.inputs.map { port -> UnsafeRawPointer? in
      guard let bytes = inputs[port.name]?.bytes else { throw Failure(description: "no input \(port.name)") }
      let place = own(bytes.count)
      bytes.withUnsafeBytes { if let base = $0.baseAddress { place.copyMemory(from: base, byteCount: $0.count) } }
      return UnsafeRawPointer(place)
    }
    let results = program.program.outputs.map { Optional(own($0.type.byteCount ?? 0)) }
    var weights: UnsafeMutableRawPointer?
    if let bytes = files.weights {
      let place = own(bytes.count)
      bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      weights = place
    }
    let status = entry(own(program.arenaBytes), nil, weights, given, results)
    guard status == 0 else { throw Failure(description: "\(files.name): status \(status)") }
    var outputs: [String: NDArray] = [:]
    for (port, place) in zip(program.program.outputs, results) {
      let bytes = UnsafeRawBufferPointer(start: place, count: port.type.byteCount ?? 0)
      outputs[port.name] = NDArray(dtype: port.type.dtype, shape: port.type.shape.known ?? [], bytes: Array(bytes))
    }
    return outputs
  }
}
