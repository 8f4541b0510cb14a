import ArgumentParser
import Foundation
import Lathe
import LatheC
import LatheCore
import LatheRun

/// A model that is lowered, planned and ready to run.
struct PreparedModel {
  /// What runs it.
  private enum Engine {
    case interpreter(Executable, threads: Int)
    case native(PlannedProgram, CCompiler, threads: Int)
  }

  /// The graph after the passes.
  let graph: Graph
  private let planned: PlannedProgram
  private let engine: Engine

  fileprivate init(
    _ model: CompiledModel, _ graph: Graph, _ compiler: CCompiler?, _ options: ExecutionOptions
  ) throws(DiagnosticsError) {
    self.graph = model.graph
    planned = model.planned
    let ports = (graph.inputs + graph.outputs.map(\.value)).map { graph.type(of: $0) }
    try ports.requireMemory(besides: planned.arenaBytes + planned.stateBytes)
    if let compiler {
      engine = .native(planned, compiler, threads: min(options.threadCount, 64))
    } else {
      engine = .interpreter(try Executable(planned), threads: options.threadCount)
    }
  }

  /// The loops that are run.
  var program: Program { planned.program }

  var arenaBytes: Int { planned.arenaBytes }

  /// The bytes that no plan of the arena can go below.
  var lowerBound: Int { planned.lowerBound }

  /// Memory to run in, with variables at their initial contents; the native back-end compiles and loads the code.
  func session(measuringKernels: Bool = false) throws(DiagnosticsError) -> RunningModel {
    switch engine {
    case .interpreter(let executable, let threads):
      return .interpreter(Session(executable, threads: threads, measuresKernels: measuringKernels))
    case .native(let planned, let compiler, let threads):
      Console.progress("compiling C")
      defer { Console.endProgress() }
      return .native(
        try NativeModel(
          planned, compiler: compiler, threads: threads, measuresKernels: measuringKernels))
    }
  }

  /// The outputs for some inputs, from fresh variables.
  func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var session = try session()
    return try session.run(inputs)
  }
}

/// A model in memory, in one of the back-ends.
enum RunningModel: ~Copyable {
  case interpreter(Session)
  case native(NativeModel)

  /// How long the kernels ran in all runs so far; zeros where they are not measured.
  var kernelTimes: KernelTimes {
    switch self {
    case .interpreter(let session):
      session.kernelTimes ?? KernelTimes(kernelCount: session.executable.program.kernels.count)
    case .native(let model): model.kernelTimes
    }
  }

  private var program: Program {
    switch self {
    case .interpreter(let session): session.executable.program
    case .native(let model): model.program
    }
  }

  /// Tensors that the model can be run into: with room for as many elements as there can be where data decides that.
  func makeOutputs() -> [NDArray] { program.makeOutputs() }

  /// Runs the model once.
  mutating func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var outputs = program.makeOutputs()
    try run(inputs, into: &outputs)
    return program.results(outputs)
  }

  /// Runs the model once, into tensors that are there.
  mutating func run(_ inputs: [NDArray], into outputs: inout [NDArray]) throws(DiagnosticsError) {
    switch consume self {
    case .interpreter(var session):
      let result = Result { () throws(DiagnosticsError) in try session.run(inputs, into: &outputs) }
      self = .interpreter(session)
      try result.get()
    case .native(var model):
      let result = Result { () throws(DiagnosticsError) in try model.run(inputs, into: &outputs) }
      self = .native(model)
      try result.get()
    }
  }
}

extension ExecutionOptions {
  var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  /// Compiles a graph for the back-end that was chosen.
  func prepared(_ graph: Graph) throws(DiagnosticsError) -> PreparedModel {
    let compiler = backend == .native ? try CCompiler.system() : nil
    let target = compiler?.hostTarget() ?? .interpreter
    return try PreparedModel(graph.compiled(for: [target], lowering), graph, compiler, self)
  }
}

extension CompileOptions {
  /// Compilation that shows its progress.
  static var shown: CompileOptions {
    var options = CompileOptions()
    options.progress = { Console.progress($0) }
    return options
  }
}

extension [TensorType] {
  /// Checks that tensors of these types and `other` bytes have room in the machine's memory.
  ///
  /// Where memory ends, a process does not get an error that it could tell: it is killed.
  func requireMemory(besides other: Int = 0) throws(DiagnosticsError) {
    let needed = reduce(Double(other)) { $0 + Double($1.byteCount ?? 0) }
    let available = ProcessInfo.processInfo.physicalMemory
    guard needed <= Double(available) else {
      func gibibytes(_ bytes: Double) -> String { String(format: "%.1f", bytes / 0x1p30) }
      throw DiagnosticsError(
        "running the model needs \(gibibytes(needed)) GiB of memory, this machine has "
          + gibibytes(Double(available)))
    }
  }
}

extension Graph {
  /// The graph compiled, with its progress shown.
  func compiled(for targets: [Target], _ lowering: LoweringOptions) throws(DiagnosticsError) -> CompiledModel {
    try Model(self).compiled(for: targets, lowering)
  }
}

extension Model {
  /// The model compiled, with its progress shown.
  func compiled(for targets: [Target], _ lowering: LoweringOptions) throws(DiagnosticsError) -> CompiledModel {
    defer { Console.endProgress() }
    var options = CompileOptions.shown
    options.targets = targets
    lowering.choose(in: &options)
    return try compile(self, options: options)
  }
}

/// A stage of the compilation that can be drawn.
enum DrawnStage: String, ExpressibleByArgument, CaseIterable {
  case traced, optimized, lowered, memory

  /// The arena of the graph's program, as `compile` plans it.
  func memory(_ graph: Graph) throws(DiagnosticsError) -> MemoryMap {
    MemoryMap(try compile(fullyBound(graph)).functions[0].planned)
  }

  /// The graph at this stage in the DOT language; the lowered one coloured by what was measured, where that is given.
  func dot(
    _ graph: Graph, detail: Graph.DrawingDetail, profile: Profile? = nil
  ) throws(DiagnosticsError) -> String {
    switch self {
    case .traced: return graph.graphViz(detail: detail)
    case .optimized: return try graph.optimized(.shown).graph.graphViz(detail: detail)
    case .lowered:
      let graph = try fullyBound(graph).optimized(.shown).graph
      if let profile {
        let (kernels, marks) = try profile.marks(graph)
        return graph.graphViz(kernels: kernels, marks: marks, detail: detail)
      }
      let program = try Program(lowering: graph)
      var kernels: [Int: Int] = [:]
      for (number, kernel) in program.kernels.enumerated() { for node in kernel.nodes { kernels[node] = number } }
      return graph.graphViz(kernels: kernels, detail: detail)
    case .memory: return try memory(graph).graphViz()
    }
  }
}
