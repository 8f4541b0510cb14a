internal import LatheCore

/// Operators with sub-graphs. What is decided when the model is built leaves no trace in the graph.
extension Operator {
  static let controlFlow: [String: Operator] = [
    "If": Operator(apply: choice),
    "Loop": Operator(apply: loop),
    "Scan": .several(scan),
  ]

  /// A sub-graph as a region: its results as tensors, and the values around that it uses.
  private static func region(
    _ graph: Onnx_GraphProto, _ types: [TensorType], _ call: Call
  ) throws(TypeFault) -> (graph: Graph, captures: [Tensor]) {
    try call.builder.capturingRegion(types) { inner, arguments throws(TypeFault) in
      try subgraphResults(graph, arguments, call, in: inner)
    }
  }

  private static func subgraphResults(
    _ graph: Onnx_GraphProto, _ arguments: [Tensor], _ call: Call, in builder: Builder
  ) throws(TypeFault) -> [Tensor] {
    var tensors: [Tensor] = []
    for result in try call.importer.subgraph(graph, arguments.map { Operand($0) }, call, in: builder) {
      guard let tensor = result.tensor(in: builder) else {
        throw TypeFault("a sub-graph gives a \(result.type), not a tensor")
      }
      tensors.append(tensor)
    }
    return tensors
  }

  private static func scalar(_ tensor: Tensor, _ what: String) throws(TypeFault) -> Tensor {
    guard tensor.type.elementCount == 1 else { throw TypeFault("\(what) is \(tensor.type), not one number") }
    return tensor.reshape([Int]())
  }

  private static func choice(_ call: Call) throws(TypeFault) -> [Operand] {
    let predicate = try scalar(try call.tensor(0), "the condition")
    guard predicate.dtype == .bool else { throw TypeFault("the condition is \(predicate.type), not bool") }
    let branches = (then: try call.graph("then_branch"), otherwise: try call.graph("else_branch"))
    if let known = predicate.literal {
      return try call.importer.subgraph(
        known[0] == .integer(0) ? branches.otherwise : branches.then, [], call, in: call.builder)
    }
    let first = try region(branches.then, [], call)
    let second = try region(branches.otherwise, [], call)
    // Both branches take the captures of both.
    var captures = first.captures
    for capture in second.captures where !captures.contains(where: { $0.value == capture.value }) {
      captures.append(capture)
    }
    func widened(_ branch: (graph: Graph, captures: [Tensor])) throws(TypeFault) -> Graph {
      let own = branch.captures.map { capture in captures.firstIndex { $0.value == capture.value } ?? 0 }
      return try call.builder.region(captures.map(\.type)) { inner, values throws(TypeFault) in
        branch.graph.inlined(own.map { values[$0] }, in: inner)
      }
    }
    let conditional = Conditional(then: try widened(first), otherwise: try widened(second))
    return call.builder.apply(.conditional(conditional), [predicate] + captures).map { Operand($0) }
  }

  /// A loop with a number of steps, a condition and a state as operands.
  ///
  /// The body takes the step, the condition and the state; it
  /// gives the condition, the state, and what is stacked.
  private static func loop(_ call: Call) throws(TypeFault) -> [Operand] {
    let body = try call.graph("body")
    let builder = call.builder
    let stateCount = Swift.max(0, call.operands.count - 2)
    guard body.input.count == stateCount + 2, body.output.count >= stateCount + 1 else {
      throw TypeFault(
        "the body takes \(body.input.count) arguments and gives \(body.output.count), for \(stateCount) states")
    }
    var state: [Tensor] = []
    for position in 0..<stateCount { state.append(try call.tensor(2 + position)) }
    let limit = try call.optional(0).map { limit throws(TypeFault) in try scalar(limit, "the number of steps") }
    let initial = try call.optional(1).map { condition throws(TypeFault) in try scalar(condition, "the condition") }
    let stacked = body.output.count - 1 - stateCount
    let step = TensorType.scalar(.i64)
    let isOpen = initial == nil || initial?.literal?[0] == .integer(1)

    // When the condition holds at first and every step says so again, the steps are counted.
    if isOpen, let count = limit?.literal?.integers.first {
      guard count <= Call.largestSize else { throw TypeFault("the number of steps, \(count), is absurdly large") }
      let count = Swift.max(0, count)
      let types = [step] + state.map(\.type)
      var goesOn = false
      let (graph, captures) = try builder.capturingRegion(types) { inner, values throws(TypeFault) in
        let always = inner.constant(NDArray(scalar: .integer(1), dtype: .bool))
        var results = try subgraphResults(body, [values[0], always] + values.dropFirst(), call, in: inner)
        goesOn = results.removeFirst().literal?.values.first == .integer(1)
        return results
      }
      if goesOn {
        // The scan's arguments come as carry, sequences, constants.
        let order = Array(1...stateCount + 1).map { $0 == stateCount + 1 ? 0 : $0 }
        let scanTypes = state.map(\.type) + [step] + captures.map(\.type)
        let ordered = try builder.region(scanTypes) { inner, values throws(TypeFault) in
          var arguments = [Tensor](repeating: values[0], count: types.count)
          for (position, target) in order.enumerated() { arguments[target] = values[position] }
          return graph.inlined(arguments + values.dropFirst(types.count), in: inner)
        }
        let steps = builder.iota(TensorType(.i64, [count]), axis: 0)
        return builder.apply(
          .scan(Scan(body: ordered, length: Dimension(count), carryCount: stateCount, sequenceCount: 1)),
          state + [steps] + captures
        ).map { Operand($0) }
      }
    }
    guard stacked == 0 else {
      throw TypeFault(
        "the number of steps decides the size of \(stacked) results, and is not known when the model is compiled",
        help: "the number of steps has to be a constant, and the condition always true")
    }
    guard limit != nil || initial != nil else { throw TypeFault("has neither a number of steps nor a condition") }

    // State of the while loop: the step, whether to go on, the loop's own.
    let types = [step, .scalar(.bool)] + state.map(\.type)
    let (graph, captures) = try builder.capturingRegion(types) { inner, values throws(TypeFault) in
      var results = try subgraphResults(body, values, call, in: inner)
      let next = try scalar(results.removeFirst(), "the condition of the next step")
      return [values[0] + 1, next] + results
    }
    let bounds = [limit].compactMap { $0?.convert(to: .i64) }
    let arguments = types + captures.map(\.type) + bounds.map(\.type)
    let widened = try builder.region(arguments) { inner, values throws(TypeFault) in
      graph.inlined(Array(values.prefix(types.count + captures.count)), in: inner)
    }
    let condition = try builder.region(arguments) { _, values throws(TypeFault) in
      bounds.isEmpty ? [values[1]] : [values[1] .& (values[0] .< values[values.count - 1])]
    }
    let start = [
      builder.scalar(.integer(0), .i64), initial ?? builder.constant(NDArray(scalar: .integer(1), dtype: .bool)),
    ]
    let results = builder.apply(
      .whileLoop(WhileLoop(condition: condition, body: widened, stateCount: types.count)),
      start + state + captures + bounds)
    return results.dropFirst(2).map { Operand($0) }
  }

  /// A loop over sequences: the body takes states and elements, and gives states and what is stacked.
  ///
  /// Axes and directions are each's own.
  private static func scan(_ call: Call) throws(TypeFault) -> [Tensor] {
    guard call.opset >= 9 else { throw TypeFault("Scan of before opset 9 is not supported") }
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
    let (graph, captures) = try region(body, types, call)
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
