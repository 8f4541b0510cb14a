internal import LatheCore

extension GraphExport {
  func write(
    _ conditional: Conditional, _ operands: [ONNXValue], _ types: [TensorType]
  ) throws(TypeFault) -> [ONNXValue] {
    let arguments = Array(operands.dropFirst())
    func branch(_ name: String, _ graph: Graph) throws(TypeFault) -> Onnx_GraphProto {
      try subgraph(name, parameters: []) { inner throws(TypeFault) in try inner.inline(graph, arguments) }
    }
    return emit(
      "If", [operands[0]], results: types,
      [
        .graph("then_branch", try branch("then", conditional.then)),
        .graph("else_branch", try branch("else", conditional.otherwise)),
      ])
  }

  /// ONNX asks the condition after the body, so it is asked once before.
  func write(_ loop: WhileLoop, _ operands: [ONNXValue]) throws(TypeFault) -> [ONNXValue] {
    let initial = Array(operands.prefix(loop.stateCount))
    let constants = Array(operands.dropFirst(loop.stateCount))
    let goesOn = try inline(loop.condition, operands)
    let count = parameter("iteration", .scalar(.i64))
    let before = parameter("condition", .scalar(.bool))
    let state = initial.map { parameter("state", $0.type) }
    let body = try subgraph("body", parameters: [count, before] + state) { inner throws(TypeFault) in
      let next = try inner.inline(loop.body, state + constants)
      return try inner.inline(loop.condition, next + constants) + next
    }
    return emit("Loop", [nil] + goesOn + initial, results: initial.map(\.type), [.graph("body", body)])
  }

  /// A loop that counts its steps and keeps whether to go on, which is what `Loop` comes in as.
  ///
  /// - Parameters:
  ///   - operands: The state behind the count and the condition, then constants.
  ///   - condition: Whether to take the first step.
  ///   - limit: The most steps.
  func write(
    _ loop: WhileLoop, _ operands: [ONNXValue], from condition: ONNXValue, limit: ONNXValue?
  ) throws(TypeFault) -> [ONNXValue] {
    let initial = Array(operands.prefix(loop.stateCount - 2))
    let constants = Array(operands.dropFirst(initial.count))
    let count = parameter("iteration", .scalar(.i64))
    let before = parameter("condition", .scalar(.bool))
    let state = initial.map { parameter("state", $0.type) }
    let body = try subgraph("body", parameters: [count, before] + state) { inner throws(TypeFault) in
      Array(try inner.inline(loop.body, [count, before] + state + constants).dropFirst())
    }
    return emit("Loop", [limit, condition] + initial, results: initial.map(\.type), [.graph("body", body)])
  }

  func write(_ scan: Scan, _ operands: [ONNXValue], _ types: [TensorType]) throws(TypeFault) -> [ONNXValue] {
    let initial = Array(operands.prefix(scan.carryCount))
    let sequences = Array(operands[scan.carryCount..<(scan.carryCount + scan.sequenceCount)])
    let constants = Array(operands.dropFirst(scan.carryCount + scan.sequenceCount))
    let state = initial.map { parameter("state", $0.type) }
    if sequences.isEmpty { return try counted(scan, initial, state, constants, types) }
    let elements = sequences.map { parameter("element", $0.type.with(shape: Array($0.shape.dropFirst()))) }
    let body = try subgraph("body", parameters: state + elements) { inner throws(TypeFault) in
      try inner.inline(scan.body, state + elements + constants)
    }
    let direction = scan.reverse ? 1 : 0
    let stacked = types.dropFirst(initial.count).map { _ in direction }
    return emit(
      "Scan", initial + sequences, results: types,
      [.graph("body", body), .int("num_scan_inputs", sequences.count)]
        + (scan.reverse
          ? [
            .ints("scan_input_directions", sequences.map { _ in direction }),
            .ints("scan_output_directions", stacked),
          ] : []))
  }

  /// Without sequences to walk along, the length is a count.
  private func counted(
    _ scan: Scan, _ initial: [ONNXValue], _ state: [ONNXValue], _ constants: [ONNXValue], _ types: [TensorType]
  ) throws(TypeFault) -> [ONNXValue] {
    let iteration = parameter("iteration", .scalar(.i64))
    let condition = parameter("condition", .scalar(.bool))
    let body = try subgraph("body", parameters: [iteration, condition] + state) { inner throws(TypeFault) in
      [inner.emit("Identity", [condition], condition.type)] + (try inner.inline(scan.body, state + constants))
    }
    let count = try reshape(try size(scan.length), to: [])
    let results = emit(
      "Loop", [count, model.scalar(.integer(1), .bool)] + initial, results: types, [.graph("body", body)])
    guard scan.reverse else { return results }
    return results.enumerated().map { $0 < initial.count ? $1 : reverse($1, [0]) }
  }
}
