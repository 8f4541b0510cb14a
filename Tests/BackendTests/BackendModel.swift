import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// What both back-ends offer for a planned program.
protocol BackendModel: ~Copyable {
  mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray]
  mutating func run(_ inputs: [NDArray], into outputs: inout [NDArray]) throws(DiagnosticsError)
  func variable(named name: String) throws(DiagnosticsError) -> NDArray
  func savedState() -> [String: NDArray]
  mutating func restoreState(_ saved: [String: NDArray]) throws(DiagnosticsError)
  mutating func reset()
}

extension Session: BackendModel {}
extension NativeModel: BackendModel {}

extension BackendModel where Self: ~Copyable {
  /// Runs the program with inputs by name, and gives the outputs by name.
  mutating func run(_ program: Program, _ inputs: [String: NDArray]) throws -> [String: NDArray] {
    let arguments = try program.inputs.map { try #require(inputs[$0.name], "no input \($0.name)") }
    return Dictionary(zip(program.outputs.map(\.name), try run(arguments))) { first, _ in first }
  }
}

/// Graphs on their way to the back-ends.
enum Backends {
  /// The graph through the passes, lowered and planned.
  static func planned(_ graph: Graph, _ pipeline: Pipeline, _ target: Target = .generic) throws -> PlannedProgram {
    try PlannedProgram(planning: Program(lowering: pipeline.run(graph.bounded()).graph, target: target))
  }

  /// What native code is scheduled for.
  static func host() throws -> Target { try CCompiler.system().hostTarget() }

  /// The program as C that compiles without a warning, loaded; its cache is a folder that the caller removes.
  static func native(_ planned: PlannedProgram, cache: URL) throws -> NativeModel {
    try NativeModel(
      planned, cache: CompilationCache(folder: cache),
      flags: ["-std=c11", "-O1", "-march=native", "-ffp-contract=fast"] + CBench.warnings)
  }

  /// A folder of its own for compiled code.
  static func cacheFolder() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("lathe-cache-\(UUID().uuidString)")
  }
}
