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

  /// The options that `compile` has by itself.
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
  try CompiledModel(Model(graph), options)
}

/// Compiles all functions of a model, over one state and one arena, which is as large as the largest needs.
///
/// ```swift
/// let lenet = try compile(trainable(LeNet(), loss: crossEntropy, optimizer: .sgd(lr: 0.1), images, labels))
/// var session = try lenet.session()
/// let loss = try session.run("train_step", [image, label, rate])
/// ```
///
/// - Throws: Symbols that no size is given for, and faults that sizes bring about.
public func compile(
  _ model: Model, options: CompileOptions = CompileOptions()
) throws(DiagnosticsError) -> CompiledModel {
  try CompiledModel(model, options)
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

  func planned(
    _ graph: Graph, _ variables: [Variable], _ target: Target
  ) throws(DiagnosticsError) -> PlannedProgram {
    progress?("lowering \(graph.nodes.count) nodes")
    // Transforms are straight-line code, which interpretation makes slow; accesses are checked there in any case.
    let isInterpreted = target.isInterpreted
    let program = try Program(
      lowering: graph, variables: variables, target: target, convolutions: isInterpreted ? .direct : convolutions,
      checksIndices: isInterpreted || checksIndices, options: passes)
    progress?("planning \(program.buffers.count) buffers")
    return try PlannedProgram(planning: program, options: passes)
  }
}

/// One function of a compiled model.
public struct CompiledFunction: Sendable {
  /// The graph after the passes.
  public let graph: Graph
  /// What the passes did.
  public let report: PipelineReport
  /// The loops for the target of the options, and where each tensor is in memory.
  package let planned: PlannedProgram
  /// The same for the other targets of the options, best first.
  package let variants: [PlannedProgram]
  private let variables: [Variable]
  private let lowering: Lowering
  private let interpreted = InterpretedProgram()

  /// - Parameter variables: Those of the whole model.
  fileprivate init(
    _ graph: Graph, _ report: PipelineReport, _ variables: [Variable], _ options: CompileOptions
  ) throws(DiagnosticsError) {
    self.graph = graph
    self.report = report
    self.variables = variables
    lowering = Lowering(options, after: report.rewriteCount)
    planned = try lowering.planned(graph, variables, options.target)
    var variants: [PlannedProgram] = []
    for target in options.targets.dropLast() { variants.append(try lowering.planned(graph, variables, target)) }
    self.variants = variants
  }

  /// The function's name.
  public var name: String { graph.name }

  /// The loops as another machine runs them best, and where each tensor is in memory.
  package func planned(for target: Target) throws(DiagnosticsError) -> PlannedProgram {
    target == planned.program.target ? planned : try lowering.planned(graph, variables, target)
  }

  /// Bytes of the arena that a run needs, whichever variant runs.
  public var arenaBytes: Int { largest.arenaBytes }

  /// Bytes that are live at once at the worst moment: no plan can need less.
  public var lowerBound: Int { largest.lowerBound }

  private var largest: PlannedProgram { variants.reduce(planned) { $0.arenaBytes < $1.arenaBytes ? $1 : $0 } }

  /// The loops as the interpreter runs them: lowered and prepared in the first call, the same in all further ones.
  package func executable() throws(DiagnosticsError) -> Executable {
    try interpreted.executable { () throws(DiagnosticsError) in try planned(for: .interpreter) }
  }
}

/// A model with its loops and its memory fixed: runs in the interpreter or natively, or is written as C.
///
/// Its functions share their variables and one arena. What has no function's name is about the first one, which mostly
/// is the only one.
public struct CompiledModel: Sendable {
  /// The model's name.
  public let name: String
  /// The functions, at least one, in the model's order.
  public let functions: [CompiledFunction]

  fileprivate init(_ model: Model, _ options: CompileOptions) throws(DiagnosticsError) {
    try options.checkTargets()
    let (optimized, reports) = try model.optimized(options)
    name = model.name
    var functions: [CompiledFunction] = []
    for (graph, report) in zip(optimized.functions, reports) {
      functions.append(try CompiledFunction(graph, report, optimized.variables, options))
    }
    self.functions = functions
  }

  /// The graph after the passes.
  public var graph: Graph { functions[0].graph }
  /// What the passes did.
  public var report: PipelineReport { functions[0].report }
  /// The loops for the target of the options, and where each tensor is in memory.
  package var planned: PlannedProgram { functions[0].planned }
  /// The same for the other targets of the options, best first.
  package var variants: [PlannedProgram] { functions[0].variants }

  /// The loops as another machine runs them best, and where each tensor is in memory.
  package func planned(for target: Target) throws(DiagnosticsError) -> PlannedProgram {
    try functions[0].planned(for: target)
  }

  /// Bytes of the arena that every run needs, whichever function and variant runs.
  public var arenaBytes: Int { functions.map(\.arenaBytes).max() ?? 0 }

  /// Bytes that are live at once at the worst moment: no plan can need less.
  public var lowerBound: Int { functions.map(\.lowerBound).max() ?? 0 }

  /// Bytes of the variables.
  public var stateBytes: Int { planned.stateBytes }

  /// The variables that the functions share, in the order of the state.
  public var variables: [Variable] { planned.program.variables }

  /// The function of a name; without one, the only function.
  ///
  /// - Throws: That there is no such function, or that there are several, with their names.
  public func function(named name: String? = nil) throws(DiagnosticsError) -> CompiledFunction {
    functions[try functions.map(\.name).position(ofFunction: name, in: self.name)]
  }

  /// The loops as the interpreter runs them: lowered and prepared in the first call, the same in all further ones.
  package func executable() throws(DiagnosticsError) -> Executable { try functions[0].executable() }

  /// Memory to run all functions in with the interpreter, with variables at their initial contents.
  ///
  /// - Parameter threads: Threads that share the work of kernels; results do not depend on their number.
  public func session(threads: Int = getNumThreads()) throws(DiagnosticsError) -> Session {
    var executables: [Executable] = []
    for function in functions { executables.append(try function.executable()) }
    return Session(functions: executables, of: name, threads: threads)
  }

  /// The model as machine code, by way of the system's C compiler; code that was compiled before comes from a cache.
  ///
  /// - Parameter threads: How many threads share the work, with the one that calls; results do not depend on it.
  public func native(threads: Int = min(getNumThreads(), 64)) throws(DiagnosticsError) -> NativeModel {
    let compiler = try CCompiler.system()
    var programs: [PlannedProgram] = []
    for function in functions { programs.append(try function.planned(for: compiler.hostTarget())) }
    return try NativeModel(functions: programs, of: name, compiler: compiler, threads: threads)
  }

  /// The outputs of the only function for inputs in its order, by the interpreter, from fresh variables.
  ///
  /// Only the first call lowers the model; each makes memory of its own, which `session` lets one keep.
  public func run(_ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] { try run(nil, inputs) }

  /// The outputs of a function for inputs in its order, by the interpreter, from fresh variables.
  ///
  /// - Parameter function: The function's name; nil for the only one.
  public func run(_ function: String?, _ inputs: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    var session = Session(try self.function(named: function).executable())
    return try session.run(inputs)
  }

  /// The only output for inputs in the graph's order, by the interpreter, from fresh variables.
  ///
  /// - Throws: Inputs that do not fit, and that the model has several outputs or functions.
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
    try emittedWithFacts(for: path, options).files
  }

  /// The files that `writeC` writes, and what the code takes of a machine.
  public func emittedWithFacts(
    for path: String, _ options: COptions = COptions()
  ) throws(DiagnosticsError) -> (files: [FileContent], facts: CFacts) {
    guard path.hasSuffix(".c") else {
      throw DiagnosticsError("'\(path)' is no name of a C file: its suffix must be .c")
    }
    let stem = String(path.dropLast(2))
    let file = stem.split(separator: "/").last.map(String.init) ?? "model"
    var options = options
    options.name = options.name ?? file
    options.headerName = options.headerName ?? file + ".h"
    guard functions.count == 1 || !options.main else {
      throw DiagnosticsError(
        "a test bench runs one function, '\(name)' has \(functions.count)",
        help: "the functions are \(functions.map(\.name).joined(separator: ", "))")
    }
    let files = emitC(
      functions.map { CFunction($0.planned, variants: $0.variants) }, options: options)
    var contents = [
      FileContent(path: path, text: files.source), FileContent(path: stem + ".h", text: files.header),
    ]
    if let weights = files.weights {
      contents.append(
        FileContent(path: stem + ".weights") { (body) throws(DiagnosticsError) in try weights.withParts(body) })
    }
    return (contents, files.facts)
  }
}

extension Graph {
  /// The graph after the passes, with the symbols that are given replaced by sizes.
  public func optimized(
    _ options: CompileOptions = CompileOptions()
  ) throws(DiagnosticsError) -> (graph: Graph, report: PipelineReport) {
    let (model, reports) = try Model(self).optimized(options)
    return (model.functions[0], reports[0])
  }
}

extension Model {
  /// The functions after the passes, with the symbols that are given replaced by sizes.
  ///
  /// Variables become literals only where no function updates any.
  public func optimized(
    _ options: CompileOptions = CompileOptions()
  ) throws(DiagnosticsError) -> (model: Model, reports: [PipelineReport]) {
    let hasUpdates = functions.contains { !$0.updates.isEmpty }
    var reports: [PipelineReport] = []
    let model = try mapFunctions { function throws(DiagnosticsError) in
      options.progress?("optimizing \(function.nodes.count) nodes")
      let pipeline =
        options.pipeline
        ?? (function.updates.isEmpty
          ? hasUpdates ? .inference.without("freeze-variables") : .inference : .training)
      let (graph, report) = try pipeline.run(function.binding(options.dimensions).bounded(), options.passes)
      reports.append(report)
      return graph
    }
    return (model, reports)
  }
}
