/// Passes in order.
public struct Pipeline: Sendable {
  /// The passes, first to last.
  public var passes: [Pass]

  /// A pipeline of one's own.
  public init(_ passes: [Pass]) {
    self.passes = passes
  }

  /// What a graph goes through before it is lowered for inference.
  public static let inference = Pipeline([
    .freezeVariables, .dropDetach, .simplify, .foldConstants, .foldBatchNorm, .simplify, .foldConstants,
  ])

  /// What a training step goes through before it is lowered: variables are read and written, so nothing is frozen.
  public static let training = Pipeline([.dropDetach, .simplify, .foldConstants, .simplify, .orderExchanges])

  /// The pipeline without the passes of the given names.
  public func without(_ names: String...) -> Pipeline { Pipeline(passes.filter { !names.contains($0.name) }) }

  /// How a run is watched and bounded.
  public struct Options: Sendable {
    /// After which passes the graph is printed.
    public enum Printing: Hashable, Sendable {
      /// Nothing is printed.
      case never
      /// After every pass.
      case always
      /// After passes that have changed something.
      case onChange
      /// After the passes of these names.
      case passes(Set<String>)
    }

    /// Whether the graph or program is verified before the first and after every pass; by default in debug builds.
    public var verifyEach = Self.isDebugBuild
    /// After which passes the graph or program is printed.
    public var printAfter = Printing.never
    /// Takes what `printAfter` prints.
    public var print: (@Sendable (String) -> Void)?
    /// The most rewrites over all passes; nil for as many as there are.
    public var stopAfter: Int?
    /// What computes on literals.
    package var evaluate: LiteralEvaluation = LiteralEvaluator.evaluate
    /// Keeps the text of a graph on which a pass has failed, and returns where, which the diagnostics then say.
    package var dump: (@Sendable (_ pass: String, _ text: String) -> String?)?

    /// Nothing is printed or bounded.
    public init() {}

    /// Whether Lathe is built to be developed: everything is verified then.
    public static var isDebugBuild: Bool {
      #if DEBUG
        true
      #else
        false
      #endif
    }

    /// Prints what a pass has left, where that is asked for.
    func print(_ stage: some CustomStringConvertible, after pass: String, isChanged: Bool) {
      let isPrinted =
        switch printAfter {
        case .never: false
        case .always: true
        case .onChange: isChanged
        case .passes(let names): names.contains(pass)
        }
      if isPrinted { print?("// after \(pass)\(isChanged ? "" : " (unchanged)")\n\(stage)") }
    }
  }

  /// Runs the passes.
  ///
  /// - Throws: Faults of what a pass has built, or what the verifier has found; both are mistakes of the pass, which the
  ///   diagnostics name.
  public func run(
    _ graph: Graph, _ options: Options = Options()
  ) throws(DiagnosticsError) -> (graph: Graph, report: PipelineReport) {
    if options.verifyEach { try graph.verify() }
    var context = PassContext(budget: RewriteBudget(limit: options.stopAfter), evaluate: options.evaluate)
    var graph = graph
    var report = PipelineReport()
    for pass in passes {
      let before = context.budget.counts
      let start = ContinuousClock.now
      let result: Graph
      do throws(DiagnosticsError) {
        result = try pass.run(graph, &context)
        if options.verifyEach { try result.verify() }
      } catch {
        throw Self.blamed(error, on: pass, input: graph, options)
      }
      let entry = PipelineReport.Entry(
        pass: pass.name, duration: ContinuousClock.now - start, isChanged: result != graph,
        rewrites: context.budget.counts.merging(before, uniquingKeysWith: -).filter { $0.value > 0 },
        nodesBefore: graph.nodes.count, nodesAfter: result.nodes.count)
      report.entries.append(entry)
      options.print(result, after: pass.name, isChanged: entry.isChanged)
      graph = result
    }
    return (graph, report)
  }

  /// The diagnostics with the name of the pass, and where its input is kept.
  private static func blamed(
    _ error: DiagnosticsError, on pass: Pass, input: Graph, _ options: Options
  ) -> DiagnosticsError {
    let place = options.dump?(pass.name, input.text)
    return error.blamed(on: pass.name, help: place.map { "the graph before the pass is in \($0)" })
  }
}

extension DiagnosticsError {
  /// The diagnostics with the name of the pass that made what is wrong, and what else there is to say.
  func blamed(on pass: String, help: String? = nil) -> DiagnosticsError {
    DiagnosticsError(
      diagnostics.map { diagnostic in
        var diagnostic = diagnostic
        diagnostic.message = "pass \(pass): \(diagnostic.message)"
        diagnostic.help = help ?? diagnostic.help
        return diagnostic
      })
  }
}

/// What a run of a pipeline has done, pass by pass.
public struct PipelineReport: Sendable {
  /// One pass.
  public struct Entry: Sendable {
    /// The name.
    public var pass: String
    /// Wall-clock time.
    public var duration: Duration
    /// Whether the graph is another one.
    public var isChanged: Bool
    /// How often each rule was applied.
    public var rewrites: [String: Int]
    /// Nodes before the pass.
    public var nodesBefore: Int
    /// Nodes after the pass.
    public var nodesAfter: Int
  }

  /// The passes that have run, in order.
  public internal(set) var entries: [Entry] = []

  /// The rewrites of all passes together.
  public var rewriteCount: Int { entries.reduce(0) { $0 + $1.rewrites.values.reduce(0, +) } }
}

extension PipelineReport: CustomStringConvertible {
  /// One line for each pass: its name, time, nodes before and after, rewrites by rule.
  public var description: String {
    let width = entries.map(\.pass.count).max() ?? 0
    return entries.map { entry in
      let name = entry.pass + String(repeating: " ", count: width - entry.pass.count)
      let microseconds = entry.duration / .microseconds(1)
      let time = "\((microseconds / 10).rounded() / 100) ms"
      guard entry.isChanged else { return "\(name)  \(time)  (unchanged)" }
      let rules = entry.rewrites.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }
      return "\(name)  \(time)  \(entry.nodesBefore) -> \(entry.nodesAfter) nodes  \(rules.joined(separator: ", "))"
    }.joined(separator: "\n")
  }
}
