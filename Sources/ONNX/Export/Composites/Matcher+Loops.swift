internal import LatheCore

extension Matcher {
  /// A loop whose state begins with the number of the step and whether there is a next one, both of which nothing reads
  /// behind it: `Loop` has them without a state.
  func countedLoop(_ value: Value) -> Composite? {
    guard case .whileLoop(let loop) = graph[value].operation, loop.stateCount >= 2 else { return nil }
    let given = graph[value].operands
    guard type(given[0]) == .scalar(.i64), type(given[1]) == .scalar(.bool), isNumber(given[0], 0) else { return nil }
    let own = Set([0, 1].map { Value(node: Int(value.node), result: $0) })
    let read = graph.nodes.lazy.flatMap(\.operands) + (graph.outputs.map(\.value) + graph.updates.map(\.value))
    guard !read.contains(where: own.contains) else { return nil }
    // The step counts from 0,
    let body = Matcher(graph: loop.body)
    guard let (before, one) = body.scaled(loop.body.outputs[0].value, .add), one == 1, before == loop.body.inputs[0]
    else { return nil }
    // and ends where the condition, kept or its count, says so.
    let test = Matcher(graph: loop.condition)
    let (step, goesOn) = (loop.condition.inputs[0], loop.condition.inputs[1])
    let result = loop.condition.outputs[0].value
    var limit: Value?
    if let both = test.operands(result, .and) {
      guard both[0] == goesOn, let comparison = test.operands(both[1], .less), comparison[0] == step,
        let position = loop.condition.inputs.firstIndex(of: comparison[1]), position >= loop.stateCount
      else { return nil }
      limit = given[position]
    } else if result != goesOn {
      return nil
    }
    return .several(given) { (export, types) throws(TypeFault) -> [ONNXValue] in
      var operands: [ONNXValue] = []
      for operand in given { operands.append(try export.value(operand)) }
      let bound = try limit.map { value throws(TypeFault) in try export.value(value) }
      let results = try export.write(loop, Array(operands.dropFirst(2)), from: operands[1], limit: bound)
      return operands.prefix(2) + results
    }
  }
}
