extension Program {
  /// Lowers a graph whose sizes are all known, or decided by data up to a capacity: groups nodes into kernels, gives every materialized value a buffer, and
  /// writes the loops.
  ///
  /// - Parameters:
  ///   - variables: Those of the model that the graph is a function of, which make the layout of the state; by default
  ///     the graph's own.
  ///   - target: The machine that schedules and layouts are chosen for.
  ///   - convolutions: How convolutions of 3x3 windows are computed on a target with vectors.
  ///   - checksIndices: Whether indices from data are checked; without, whoever runs the program answers for them.
  ///   - options: How lowering, which is called `lower`, and the passes behind it are watched and bounded.
  /// - Throws: A diagnostic for each dimension that is still a symbol; what the verifier has found.
  package init(
    lowering graph: Graph, variables: [Variable]? = nil, target: Target = .generic,
    convolutions: ConvolutionMethod = .direct, checksIndices: Bool = true,
    options: Pipeline.Options = Pipeline.Options()
  ) throws(DiagnosticsError) {
    try self.init(
      lowering: graph, variables: variables, target: target, convolutions: convolutions, checksIndices: checksIndices,
      inPlace: true, options: options)
  }

  /// - Parameter inPlace: Whether results are written over operands that die with them, and updates over the variables;
  ///   without, to see what it saves.
  package init(
    lowering graph: Graph, variables: [Variable]? = nil, target: Target = .generic,
    convolutions: ConvolutionMethod = .direct, checksIndices: Bool = true, inPlace: Bool,
    options: Pipeline.Options = Pipeline.Options()
  ) throws(DiagnosticsError) {
    let symbols = Set(graph.nodes.flatMap { $0.types.flatMap { $0.shape.flatMap(\.symbols) } }).sorted()
    guard symbols.isEmpty else {
      throw DiagnosticsError(
        symbols.map {
          Diagnostic(
            "the size '\($0)' is not known",
            help: "bind it, for example with --dim \($0)=1, or graph.binding([\"\($0)\": 1]) in Swift")
        })
    }
    let graph = try graph.bounded()
    func stages(allowsSlabs: Bool) -> (stages: [Stage], isInSlabs: Bool) {
      let lowering = GraphLowering(
        name: graph.name, target: target, convolutions: convolutions, checksIndices: checksIndices,
        allowsSlabs: allowsSlabs, inPlace: inPlace)
      return Self.stages(graph, variables ?? graph.variables, lowering, options)
    }
    var (all, isInSlabs) = stages(allowsSlabs: true)
    // What is read at first stays until the last slab: where that costs more than slabs save, they are not worth it.
    if isInSlabs {
      let plain = stages(allowsSlabs: false).stages
      if plain[plain.count - 1].program.peakBytes < all[all.count - 1].program.peakBytes { all = plain }
    }
    for stage in all {
      if options.verifyEach, stage.isChanged {
        do throws(DiagnosticsError) { try stage.program.verify(trustsIndices: !checksIndices) } catch {
          throw error.blamed(on: stage.name)
        }
      }
      options.print(stage.program, after: stage.name, isChanged: stage.isChanged)
    }
    self = all[all.count - 1].program
  }

  /// What lowering or a pass has left.
  private typealias Stage = (name: String, program: Program, isChanged: Bool)

  private static func stages(
    _ graph: Graph, _ variables: [Variable], _ lowering: GraphLowering, _ options: Pipeline.Options
  ) -> (stages: [Stage], isInSlabs: Bool) {
    var lowering = lowering
    lowering.lower(function: graph, variables: variables)
    var program = lowering.program
    var stages: [Stage] = [("lower", program, true)]
    var budget = RewriteBudget(limit: options.stopAfter)
    for pass in LoopPass.all where lowering.inPlace || pass.name != LoopPass.shareStorage.name {
      let spent = budget.spent
      program = pass.run(program, &budget)
      stages.append((pass.name, program, budget.spent > spent))
    }
    return (stages, lowering.isInSlabs)
  }

  /// The most bytes of temporaries that are live at once.
  private var peakBytes: Int {
    let ranges = Liveness(self).settled()
    var changes: [Int: Int] = [:]
    for (buffer, range) in zip(buffers, ranges) {
      guard case .temporary = buffer.kind, let range else { continue }
      changes[range.lowerBound, default: 0] += buffer.byteCount
      changes[range.upperBound + 1, default: 0] -= buffer.byteCount
    }
    var (live, peak) = (0, 0)
    for (_, change) in changes.sorted(by: { $0.key < $1.key }) {
      live += change
      peak = max(peak, live)
    }
    return peak
  }
}
