public import LatheC
public import LatheCore
public import LatheData
public import LatheRun

/// How a graph is compiled.
public struct CompileOptions: Sendable {
  /// The sizes that symbols stand for.
  public var dimensions: [String: Int] = [:]
  /// The passes; by default `Pipeline.training` where the graph updates variables, else `Pipeline.inference`.
  public var pipeline: Pipeline?
  /// The machine that C is written for, the last of `targets`; the interpreter and native code have their own.
  public var target: Target {
    get { targets.last ?? .generic }
    set { targets = [newValue] }
  }
  /// The machines that C is written for, best first.
  ///
  /// Of several, a file holds a variant each, and the processor decides at run time which one runs. All but the last
  /// must be processors that a program can tell (`Target.isToldAtRunTime`); the last is for all others. `Target.auto`
  /// is such a list, whose constants coincide.
  public var targets = [Target.generic]
  /// How convolutions of 3x3 windows are computed where loops are scheduled for a machine.
  public var convolutions = ConvolutionMethod.auto
  /// Whether C and native code check indices that come from data.
  ///
  /// A check is one comparison; a run with an index that is out of range fails. Without checks, whoever runs the code
  /// answers for its indices. The interpreter always checks.
  public var checksIndices = true
  /// How the passes are watched and bounded.
  public var passes = Pipeline.Options()
  /// Told what is being done, in a few words: for progress displays.
  public var progress: (@Sendable (String) -> Void)?

  public init() {}

  /// The stages from the graph to a planned program, by the names that `passes.printAfter` takes.
  public static let stages: [String] = {
    var names: [String] = []
    for name in (Pipeline.inference.passes + Pipeline.training.passes).map(\.name) where !names.contains(name) {
      names.append(name)
    }
    return names + ["lower"] + LoopPass.all.map(\.name) + ["plan"]
  }()

  /// Checks that one file can have a variant for each target.
  fileprivate func checkTargets() throws(DiagnosticsError) {
    for target in targets.dropLast() where !target.isToldAtRunTime {
      throw DiagnosticsError(
        "a program cannot tell whether it runs on the target '\(target.name)'", help: "give it alone, or as the last")
    }
    let names = targets.map(\.name)
    for (position, name) in names.enumerated() where names[..<position].contains(name) {
      throw DiagnosticsError("the target '\(name)' is given twice", help: "a file has one variant for each target")
    }
  }
}

/// Compiles a graph: passes, lowering to loops, planning of memory.
///
/// ```swift
/// let lenet = try compile(trace(LeNet(), .f32(1, 1, 32, 32)))
/// let logits = try lenet(image)
/// try lenet.writeC(to: "lenet.c")
/// ```
///
/// - Throws: Symbols that no size is given for, and faults that sizes bring about.
public func compile(
  _ graph: Graph, options: CompileOptions = CompileOptions()
) throws(DiagnosticsError) -> CompiledModel {
  try CompiledModel(graph, options)
}

/// How graphs are lowered for whichever target is asked for.
private struct Lowering: Sendable {
  private let convolutions: ConvolutionMethod
  private let checksIndices: Bool
  private let passes: Pipeline.Options
  private let progress: (@Sendable (String) -> Void)?

  /// - Parameter rewrites: How many rewrites the passes over the graph have made: the rest is for those over programs.
  init(_ options: CompileOptions, after rewrites: Int) {
    var passes = options.passes
    passes.stopAfter = passes.stopAfter.map { max(0, $0 - rewrites) }
    self.passes = passes
    convolutions = options.convolutions
    checksIndices = options.checksIndices
    progress = options.progress
  }

  func planned(_ graph: Graph, _ target: Target) throws(DiagnosticsError) -> PlannedProgram {
    progress?("lowering \(graph.nodes.count) nodes")
    // Transforms are straight-line code, which interpretation makes slow; accesses are checked there in any case.
    let isInterpreted = target == .interpreter
    let program = try Program(
      lowering: graph, target: target, convolutions: isInterpreted ? .direct : convolutions,
      checksIndices: isInterpreted || checksIndices, options: passes)
    progress?("planning \(program.buffers.count) buffers")
    return try PlannedProgram(planning: program, options: passes)
  }
}

/// A model with its loops and its memory fixed: runs in the interpreter or natively, or is written as C.
public struct CompiledModel: Sendable {
  /// The graph after the passes.
  public let graph: Graph
  /// What the passes did.
  public let report: PipelineReport
  /// The loops for the target of the options, and where each tensor is in memory.
  public let planned: PlannedProgram
  /// The same for the other targets of the options, best first.
  public let variants: [PlannedProgram]
  private let lowering: Lowering
  private let interpreted = InterpretedProgram()

  fileprivate init(_ graph: Graph, _ options: CompileOptions) throws(DiagnosticsError) {
    try options.checkTargets()
    let (optimized, report) = try graph.optimized(options)
    self.graph = optimized
    self.report = report
    lowering = Lowering(options, after: report.rewriteCount)
    planned = try lowering.planned(optimized, options.target)
    var variants: [PlannedProgram] = []
    for target in options.targets.dropLast() {
      variants.append(try lowering.planned(optimized, target))
    }
    self.variants = variants
  }

  /// The loops as another machine runs them best, and where each tensor is in memory.
  public func planned(for target: Target) throws(DiagnosticsError) -> PlannedProgram {
    target == planned.program.target ? planned : try lowering.planned(graph, target)
  }

  /// Bytes of the arena that every run needs, whichever variant runs.
  public var arenaBytes: Int { largest.arenaBytes }

  /// Bytes that are live at once at the worst moment: no plan can need less.
  public var lowerBound: Int { largest.lowerBound }

  private var largest: PlannedProgram { variants.reduce(planned) { $0.arenaBytes < $1.arenaBytes ? $1 : $0 } }

  /// The loops as the interpreter runs them: lowered and prepared in the first call, the same in all further ones.
  public func executable() throws(DiagnosticsError) -> Executable {
    try interpreted.executable { () throws(DiagnosticsError) in try planned(for: .interpreter) }
  }

  /// Memory to run in with the interpreter, with variables at their initial contents.
  ///
  /// - Parameter threads: Threads that share the work of kernels; results do not depend on their number.
  public func session(threads: Int = 1) throws(DiagnosticsError) -> Session {
    Session(try executable(), threads: threads)
  }

  /// The model as machine code, by way of the system's C compiler; code that was compiled before comes from a cache.
  ///
  /// - Parameter threads: How many threads share the work, with the one that calls; results do not depend on it.
  public func native(threads: Int = 1) throws(DiagnosticsError) -> NativeModel {
    let compiler = try CCompiler.system()
    return try NativeModel(planned(for: compiler.hostTarget()), compiler: compiler, threads: threads)
  }

  /// The outputs for inputs in the graph's order, by the interpreter, from fresh variables.
  ///
  /// Only the first call lowers the model; each makes memory of its own, which `session` lets one keep.
  public func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var session = try session()
    return try session.run(inputs)
  }

  /// The only output for inputs in the graph's order, by the interpreter, from fresh variables.
  ///
  /// - Throws: Inputs that do not fit, and that the model has several outputs.
  public func callAsFunction(_ inputs: NDArray...) throws(DiagnosticsError) -> NDArray {
    let outputs = try run(inputs)
    guard outputs.count == 1 else {
      throw DiagnosticsError("'\(graph.name)' has \(outputs.count) outputs", help: "use run, which returns them all")
    }
    return outputs[0]
  }

  /// Writes the model as C for the target of the compile options: the source at `path`, its header and where asked for its weights beside it; all or none.
  ///
  /// - Parameter path: Ends in `.c`; the file's name is the prefix of the functions unless the options name one.
  public func writeC(to path: String, options: COptions = COptions()) throws(DiagnosticsError) {
    try emitted(for: path, options).writeAtomically()
  }

  /// The files that `writeC` writes.
  public func emitted(for path: String, _ options: COptions = COptions()) throws(DiagnosticsError) -> [FileContent] {
    guard path.hasSuffix(".c") else {
      throw DiagnosticsError("'\(path)' is no name of a C file: its suffix must be .c")
    }
    let stem = String(path.dropLast(2))
    let file = stem.split(separator: "/").last.map(String.init) ?? "model"
    var options = options
    options.name = options.name ?? file
    options.headerName = options.headerName ?? file + ".h"
    let files = emitC(planned, variants: variants, options: options)
    var contents = [
      FileContent(path: path, text: files.source), FileContent(path: stem + ".h", text: files.header),
    ]
    if let weights = files.weights { contents.append(FileContent(path: stem + ".weights", bytes: weights)) }
    return contents
  }
}

extension Graph {
  /// The graph after the passes, with the symbols that are given replaced by sizes.
  public func optimized(
    _ options: CompileOptions = CompileOptions()
  ) throws(DiagnosticsError) -> (graph: Graph, report: PipelineReport) {
    options.progress?("optimizing \(nodes.count) nodes")
    let pipeline = options.pipeline ?? (updates.isEmpty ? .inference : .training)
    return try pipeline.run(binding(options.dimensions), options.passes)
  }
}
