import ArgumentParser
import Foundation
import LatheCore
import LatheRun

/// A model that is lowered, planned and ready to run.
struct PreparedModel {
  private let executable: Executable
  private let threads: Int

  fileprivate init(_ executable: Executable, threads: Int) {
    self.executable = executable
    self.threads = threads
  }

  var arenaBytes: Int { executable.planned.arenaBytes }

  /// The bytes that no plan of the arena can go below.
  var lowerBound: Int { executable.planned.lowerBound }

  /// Memory to run in, with variables at their initial contents.
  func session() throws(DiagnosticsError) -> Session { Session(executable, threads: threads) }

  /// The outputs for some inputs, from fresh variables.
  func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var session = try session()
    return try session.run(inputs)
  }
}

extension ExecutionOptions {
  var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  /// Compiles a graph for the back-end that was chosen.
  func prepared(_ graph: Graph) throws(DiagnosticsError) -> PreparedModel {
    guard backend == .interpreter else { throw DiagnosticsError("the native back-end is not there yet") }
    return PreparedModel(try Executable(graph.planned()), threads: threadCount)
  }
}

extension Graph {
  /// The graph as it is lowered: simplified, and with its parameters as literals where nothing updates them.
  func optimized() throws(DiagnosticsError) -> Graph {
    Console.progress("optimizing \(nodes.count) nodes")
    defer { Console.endProgress() }
    return try (updates.isEmpty ? Pipeline.inference : .training).run(self).graph
  }

  /// The graph lowered to loops, with a place for every temporary.
  func planned() throws(DiagnosticsError) -> PlannedProgram {
    let graph = try optimized()
    defer { Console.endProgress() }
    Console.progress("lowering \(graph.nodes.count) nodes")
    let program = try Program(lowering: graph)
    Console.progress("planning \(program.buffers.count) buffers")
    return try PlannedProgram(planning: program)
  }
}

/// A stage of the compilation that can be drawn.
enum DrawnStage: String, ExpressibleByArgument, CaseIterable {
  case traced, optimized, lowered

  /// The graph at this stage in the DOT language.
  func dot(_ graph: Graph) throws(DiagnosticsError) -> String {
    switch self {
    case .traced: return graph.graphViz()
    case .optimized: return try graph.optimized().graphViz()
    case .lowered:
      let graph = try fullyBound(graph).optimized()
      let program = try Program(lowering: graph)
      var kernels: [Int: Int] = [:]
      for (number, kernel) in program.kernels.enumerated() { for node in kernel.nodes { kernels[node] = number } }
      return graph.graphViz(kernels: kernels)
    }
  }
}
