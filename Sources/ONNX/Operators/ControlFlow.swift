internal import LatheCore

/// Operators with sub-graphs. What is decided when the model is built leaves no trace in the graph.
extension Operator {
  static let controlFlow: [String: Operator] = [
    "If": Operator(apply: choice),
    "Loop": Operator { call throws(TypeFault) in try Loop(call).built() },
    "Scan": .several { call throws(TypeFault) in try call.opset < 9 ? batchedScan(call) : scan(call) },
  ]

  /// A sub-graph as a region: its results as tensors, and the values around that it uses.
  private static func region(
    _ attribute: String, _ types: [TensorType], _ call: Call
  ) throws(TypeFault) -> (graph: Graph, captures: [Tensor]) {
    try call.builder.capturingRegion(types) { inner, arguments throws(TypeFault) in
      try subgraphResults(attribute, arguments, call, in: inner)
    }
  }

  private static func subgraphResults(
    _ attribute: String, _ arguments: [Tensor], _ call: Call, in builder: Builder
  ) throws(TypeFault) -> [Tensor] {
    var tensors: [Tensor] = []
    for result in try call.importer.subgraph(attribute, arguments.map { Operand($0) }, call, in: builder) {
      guard let tensor = result.tensor(in: builder) else {
        throw TypeFault("a sub-graph gives a \(result.type), not a tensor")
      }
      tensors.append(tensor)
    }
    return tensors
  }

  /// One number as a tensor without axes.
  static func scalar(_ tensor: Tensor, _ what: String) throws(TypeFault) -> Tensor {
    guard tensor.type.elementCount == 1 else { throw TypeFault("\(what) is \(tensor.type), not one number") }
    return tensor.reshape([Int]())
  }

  /// The branch that a known condition takes is built in place, the other one is not; with an unknown condition both are,
  /// and must give the same types.
  private static func choice(_ call: Call) throws(TypeFault) -> [Operand] {
    let predicate = try scalar(try call.tensor(0), "the condition")
    guard predicate.dtype == .bool else { throw TypeFault("the condition is \(predicate.type), not bool") }
    let branches = ["then_branch", "else_branch"]
    if let known = predicate.literal {
      let taken = known.first == .integer(0) ? 1 : 0
      call.importer.skip(branches[1 - taken], of: call)
      return try call.importer.subgraph(branches[taken], [], call, in: call.builder)
    }
    let origin = call.operands[0]?.origin ?? Origin()
    let (first, second): ((graph: Graph, captures: [Tensor]), (graph: Graph, captures: [Tensor]))
    do throws(TypeFault) {
      (first, second) = (try region(branches[0], [], call), try region(branches[1], [], call))
    } catch {
      // Perhaps the branch is never taken for the sizes and inputs at hand.
      call.importer.neededInputs.formUnion(origin.inputs)
      call.builder.record(
        TypeFault(
          "both branches are built, because the condition is not known when the model is compiled", help: origin.help),
        operation: call.operation, operands: [])
      throw error
    }
    let types = (first.graph.resultTypes, second.graph.resultTypes)
    guard types.0.count == types.1.count, zip(types.0, types.1).allSatisfy({ $0 == $1 || isOneNumber($0, $1) }) else {
      call.importer.neededInputs.formUnion(origin.inputs)
      func text(_ types: [TensorType]) -> String { types.map(\.description).joined(separator: ", ") }
      throw TypeFault(
        "the branches give different types, \(text(types.0)) and \(text(types.1)), and the condition that chooses is "
          + "not known when the model is compiled", help: origin.help)
    }
    // Both branches take the captures of both.
    var captures = first.captures
    for capture in second.captures where !captures.contains(where: { $0.value == capture.value }) {
      captures.append(capture)
    }
    func widened(_ branch: (graph: Graph, captures: [Tensor])) throws(TypeFault) -> Graph {
      let own = branch.captures.map { capture in captures.firstIndex { $0.value == capture.value } ?? 0 }
      return try call.builder.region(captures.map(\.type)) { inner, values throws(TypeFault) in
        zip(branch.graph.inlined(own.map { values[$0] }, in: inner), types.0).map { $0.reshape($1.shape) }
      }
    }
    let conditional = Conditional(then: try widened(first), otherwise: try widened(second))
    return call.builder.apply(.conditional(conditional), [predicate] + captures).map { Operand($0) }
  }

  /// Whether both are one element of one type: of the branches of an `If` and the states of a `Loop`, one may be a number
  /// and the other a list of one.
  private static func isOneNumber(_ a: TensorType, _ b: TensorType) -> Bool {
    a.dtype == b.dtype && a.elementCount == 1 && b.elementCount == 1
  }

  /// `Loop`: the body takes the step, the condition and the state; it gives the condition, the state, and what is stacked.
  private struct Loop {
    /// The longest loop whose steps are built one by one.
    private static let unrolledLimit = 1024

    let call: Call
    let initialState: [Operand]
    let stackedCount: Int
    /// The largest number of steps; nil where there is none.
    let limit: Tensor?
    /// Whether to take the first step; nil where that is so.
    let initial: Tensor?

    init(_ call: Call) throws(TypeFault) {
      self.call = call
      let body = try call.graph("body")
      var state: [Operand] = []
      for (position, operand) in call.operands.dropFirst(2).enumerated() {
        guard let operand else { throw TypeFault("operand \(position + 2) is missing") }
        state.append(operand)
      }
      guard body.input.count == state.count + 2, body.output.count >= state.count + 1 else {
        throw TypeFault(
          "the body takes \(body.input.count) arguments and gives \(body.output.count), for \(state.count) states")
      }
      initialState = state
      stackedCount = body.output.count - 1 - state.count
      limit = try call.optional(0).map { limit throws(TypeFault) in try scalar(limit, "the number of steps") }
      initial = try call.optional(1).map { condition throws(TypeFault) in try scalar(condition, "the condition") }
      if let limit, limit.dtype != .i64 { throw TypeFault("the number of steps is \(limit.type), not i64") }
      if let initial, initial.dtype != .bool { throw TypeFault("the condition is \(initial.type), not bool") }
    }

    private var isOpen: Bool { initial == nil || initial?.literal?.first == .integer(1) }

    /// The number of steps where only the condition can end the loop earlier; numbers beyond all sizes are no limit.
    private var count: Int? {
      guard let count = limit?.literal?.integers.first, count <= Call.largestSize else { return nil }
      return Swift.max(0, count)
    }

    private var always: NDArray { NDArray(scalar: .integer(1), dtype: .bool) }

    func built() throws(TypeFault) -> [Operand] {
      if count == 0 || initial?.literal?.first == .integer(0) { return try withoutSteps() }
      let state = initialState.compactMap { $0.tensor(in: call.builder) }
      let builder = call.builder
      if isOpen, let count, state.count == initialState.count,
        let results = builder.attempt({ () throws(TypeFault) in try counted(count, state) }) ?? nil
      {
        return results
      }
      if isOpen, let results = try unrolled() { return results }
      // What is stacked, or a state that changes its shape, may be built where the number is given.
      if stackedCount > 0 { call.importer.neededInputs.formUnion(unknown.inputs) }
      guard state.count == initialState.count else {
        call.importer.neededInputs.formUnion(unknown.inputs)
        throw TypeFault("a state is no tensor, and the number of steps is not known when the model is compiled")
      }
      return try conditional(state)
    }

    private var unknown: Origin {
      call.operands.prefix(2).reduce(Origin()) { $0.union($1?.origin ?? Origin()) }
    }

    /// Nothing but the shapes of what would be stacked comes of the body.
    private func withoutSteps() throws(TypeFault) -> [Operand] {
      guard stackedCount > 0 else {
        call.importer.skip("body", of: call)
        return initialState
      }
      let step = call.builder.scalar(.integer(0), .i64)
      let results = try call.importer.subgraph(
        "body", [Operand(step), Operand(call.builder.constant(always))] + initialState, call, in: call.builder)
      var stacked: [Operand] = []
      for result in results.dropFirst(1 + initialState.count) {
        guard let type = result.tensor(in: call.builder)?.type else {
          throw TypeFault("a \(result.type) cannot be stacked")
        }
        stacked.append(Operand(call.builder.zeros(type.with(shape: [0] + type.shape))))
      }
      return initialState + stacked
    }

    /// A scan, where every step says that there is a next one and leaves the state its types; else nil.
    private func counted(_ count: Int, _ state: [Tensor]) throws(TypeFault) -> [Operand]? {
      let builder = call.builder
      let types = [TensorType.scalar(.i64)] + state.map(\.type)
      var goesOn = false
      let (graph, captures) = try builder.capturingRegion(types) { inner, values throws(TypeFault) in
        var results = try subgraphResults(
          "body", [values[0], inner.constant(always)] + values.dropFirst(), call, in: inner)
        goesOn = results.removeFirst().literal?.values.first == .integer(1)
        return results
      }
      guard goesOn, Array(graph.resultTypes.prefix(state.count)) == state.map(\.type) else { return nil }
      // The scan's arguments come as carry, sequences, constants; the body's with the step first.
      let ordered = try builder.region(state.map(\.type) + [types[0]] + captures.map(\.type)) { inner, values in
        let (carry, rest) = (values.prefix(state.count), values.dropFirst(state.count))
        return graph.inlined(Array(rest.prefix(1)) + carry + rest.dropFirst(), in: inner)
      }
      let steps = builder.iota(TensorType(.i64, [count]), axis: 0)
      return builder.apply(
        .scan(Scan(body: ordered, length: Dim(count), carryCount: state.count, sequenceCount: 1)),
        state + [steps] + captures
      ).map { Operand($0) }
    }

    /// The steps one by one, where each tells whether there is a next one; else nil.
    ///
    /// So states may change their shapes, and may be sequences.
    private func unrolled() throws(TypeFault) -> [Operand]? {
      let builder = call.builder
      guard (count ?? 0) <= Self.unrolledLimit else { return nil }
      var state = initialState
      var stacked: [[Tensor]] = Array(repeating: [], count: stackedCount)
      for step in 0..<(count ?? Self.unrolledLimit) {
        let arguments = [Operand(builder.scalar(.integer(step), .i64)), Operand(builder.constant(always))] + state
        let attempt = builder.attempt { () throws(TypeFault) in
          try call.importer.subgraph("body", arguments, call, in: builder)
        }
        guard let results = attempt, let goesOn = results[0].tensor(in: builder)?.literal, goesOn.count == 1 else {
          return nil
        }
        state = Array(results.dropFirst().prefix(state.count))
        for (position, result) in results.dropFirst(1 + state.count).enumerated() {
          guard let tensor = result.tensor(in: builder) else { throw TypeFault("a \(result.type) cannot be stacked") }
          stacked[position].append(tensor.inserting(axes: [0]))
        }
        if goesOn.first == .integer(0) || step + 1 == count {
          return state + stacked.map { Operand(Tensor.concatenate($0, axis: 0)) }
        }
      }
      return nil
    }

    /// Whether there is a first step for certain.
    private var isTaken: Bool {
      (initial == nil || initial?.literal?.first == .integer(1))
        && limit.map { ($0.literal?.integers.first ?? 0) > 0 } ?? true
    }

    /// A loop that a condition ends when the model runs; its state is the step, whether to go on, and the loop's own.
    ///
    /// - Parameter isFitted: Whether states that no step reads have the types that steps give them already.
    private func conditional(_ state: [Tensor], isFitted: Bool = false) throws(TypeFault) -> [Operand] {
      let builder = call.builder
      let types = [TensorType.scalar(.i64), .scalar(.bool)] + state.map(\.type)
      let (graph, captures) = try builder.capturingRegion(types) { inner, values throws(TypeFault) in
        var results = try subgraphResults("body", values, call, in: inner)
        let next = try scalar(results.removeFirst(), "the condition of the next step")
        guard limit != nil || next.literal?.first != .integer(1) || !isOpen else {
          throw TypeFault("the loop never ends")
        }
        for (position, before) in state.enumerated() where Operator.isOneNumber(results[position].type, before.type) {
          results[position] = results[position].reshape(before.shape)
        }
        return [values[0] + 1, next] + results
      }
      // What is only handed on to behind the loop may begin as anything.
      let given = graph.resultTypes.dropFirst(2).prefix(state.count)
      let uses = Uses(graph)
      let unread = state.indices.filter {
        state[$0].type != given[2 + $0] && uses.count(Int(graph.inputs[2 + $0].node)) == 0
      }
      if isTaken, !isFitted, !unread.isEmpty {
        return try conditional(
          state.enumerated().map { unread.contains($0) ? builder.zeros(given[2 + $0]) : $1 }, isFitted: true)
      }
      let bounds = [limit].compactMap { $0 }
      // What is stacked is written to tensors with room for all steps, of which so many are taken in the end.
      let elements = graph.resultTypes.dropFirst(types.count)
      let room = elements.isEmpty ? 0 : try mostSteps()
      let stacks = elements.map { builder.zeros($0.with(shape: [room] + $0.shape)) }
      let arguments = types + (stacks + captures + bounds).map(\.type)
      let widened = try builder.region(arguments) { inner, values throws(TypeFault) in
        let (own, rest) = (Array(values.prefix(types.count)), Array(values.dropFirst(types.count)))
        let results = graph.inlined(own + rest.dropFirst(stacks.count).prefix(captures.count), in: inner)
        let written = zip(rest, results.dropFirst(types.count)).map { stack, element in
          stack.scatter(
            values[0].reshape([1]), element, IndexedAxes(axes: [0], outside: .ignored), combiner: nil)
        }
        return results.prefix(types.count) + written
      }
      let condition = try builder.region(arguments) { _, values throws(TypeFault) in
        bounds.isEmpty ? [values[1]] : [values[1] .& (values[0] .< values[values.count - 1])]
      }
      let start = [builder.scalar(.integer(0), .i64), initial ?? builder.constant(always)]
      let results = builder.apply(
        .whileLoop(WhileLoop(condition: condition, body: widened, stateCount: types.count + stacks.count)),
        start + state + stacks + captures + bounds)
      let final = Array(results.dropFirst(2).prefix(state.count))
      if stacks.isEmpty { return final.map { Operand($0) } }
      let steps = builder.extent(results[0], capacity: room, named: call.sizeName())
      let stacked = results.dropFirst(types.count).map { stack in
        let limit = [steps] + stack.shape.dropFirst()
        return stack.slice(start: limit.map { _ in 0 }, limit: limit, stride: limit.map { _ in 1 })
      }
      return (final + stacked).map { Operand($0) }
    }

    /// How many steps there are at most, where that is known.
    private func mostSteps() throws(TypeFault) -> Dim {
      if let count { return Dim(count) }
      if let limit, limit.literal == nil, let entry = limit.listedSizes?.first {
        switch entry {
        case .size(let size): return .maximum(size, 0)
        case .number(let number):
          call.importer.decidingInputs.formUnion(unknown.inputs)
          return call.builder.extent(of: number)
            ?? call.builder.extent(number.maximum(0), capacity: nil, named: call.sizeName() + "_limit")
        }
      }
      // A loop that only its condition ends.
      let name = call.sizeName()
      if let most = call.importer.maxima[name] { return Dim(most) }
      throw TypeFault(
        "the number of steps decides the size of \(stackedCount) results, and nothing says how large it may be",
        help: ["--max \(name)=SIZE gives it room, and a run with more fails", unknown.help].compactMap { $0 }
          .joined(separator: "; "))
    }
  }

  /// The `Scan` of opset 8: the first operand holds lengths, all others begin with an axis of the batch, for each entry
  /// of which the loop is run.
  private static func batchedScan(_ call: Call) throws(TypeFault) -> [Tensor] {
    guard !call.has(0) else {
      throw TypeFault("sequences of different lengths (sequence_lens) are not supported in opset 8")
    }
    var inner = call
    inner.operands.removeFirst()
    if let directions = try call.optionalIntegers("directions") {
      inner.set("scan_input_directions", integers: directions)
    }
    let operands = try inner.tensors()
    guard operands.allSatisfy({ $0.rank > 0 && $0.shape[0] == operands[0].shape[0] }) else {
      throw TypeFault("the operands are not of one batch")
    }
    let batch = try operands[0].size(0, "the size of the batch")
    guard batch > 0, batch <= 1 << 10 else { throw TypeFault("a batch of \(batch) is out of range") }
    var results: [[Tensor]] = []
    for entry in 0..<batch {
      inner.operands = operands.map { operand in
        Operand(operand.slice(axis: 0, from: entry, to: entry + 1).reshape(Array(operand.shape.dropFirst())))
      }
      results.append(try scan(inner).map { $0.inserting(axes: [0]) })
    }
    return results[0].indices.map { place in Tensor.concatenate(results.map { $0[place] }, axis: 0) }
  }

  /// A loop over sequences: the body takes states and elements, and gives states and what is stacked.
  ///
  /// Axes and directions are each's own.
  private static func scan(_ call: Call) throws(TypeFault) -> [Tensor] {
    let body = try call.graph("body")
    let operands = try call.tensors()
    let sequenceCount = try call.integer("num_scan_inputs")
    let stateCount = operands.count - sequenceCount
    guard sequenceCount > 0, stateCount >= 0, body.output.count >= stateCount else {
      throw TypeFault("\(sequenceCount) sequences do not fit \(operands.count) operands")
    }
    let stacked = body.output.count - stateCount
    let axes = try call.integers("scan_input_axes", default: 0, count: sequenceCount)
    let directions = try call.integers("scan_input_directions", default: 0, count: sequenceCount)
    let outputAxes = try call.integers("scan_output_axes", default: 0, count: stacked)
    let outputDirections = try call.integers("scan_output_directions", default: 0, count: stacked)
    var sequences: [Tensor] = []
    for (position, operand) in operands.dropFirst(stateCount).enumerated() {
      let axis = try Call.axis(axes[position], rank: operand.rank)
      let order = [axis] + operand.shape.indices.filter { $0 != axis }
      let moved = operand.permute(order)
      sequences.append(directions[position] == 0 ? moved : moved.reverse([0]))
    }
    let length = sequences[0].shape[0]
    let state = Array(operands.prefix(stateCount))
    let types = state.map(\.type) + sequences.map { $0.type.with(shape: Array($0.shape.dropFirst())) }
    let (graph, captures) = try region("body", types, call)
    let results = call.builder.apply(
      .scan(Scan(body: graph, length: length, carryCount: stateCount, sequenceCount: sequenceCount)),
      state + sequences + captures)
    var last = Array(results.prefix(stateCount))
    for (position, result) in results.dropFirst(stateCount).enumerated() {
      let axis = try Call.axis(outputAxes[position], rank: result.rank)
      var order = Array(1..<Swift.max(1, result.rank))
      order.insert(0, at: axis)
      last.append((outputDirections[position] == 0 ? result : result.reverse([0])).permute(order))
    }
    return last
  }
}
