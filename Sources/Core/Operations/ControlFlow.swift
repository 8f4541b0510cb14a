/// One of two sub-graphs, chosen by a scalar `bool`: operands are the predicate, then the arguments of both branches.
package struct Conditional: OperationDefinition {
  package var then: Graph
  package var otherwise: Graph

  package init(then: Graph, otherwise: Graph) {
    self.then = then
    self.otherwise = otherwise
  }

  package var name: String { "cond" }

  package var attributes: [(name: String, value: Attribute)] { [("then", .graph(then)), ("else", .graph(otherwise))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    then = try attributes.graph("then")
    otherwise = try attributes.graph("else")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    guard let predicate = operands.first else { throw TypeFault("needs a predicate") }
    guard predicate == .scalar(.bool) else { throw TypeFault("the predicate is \(predicate), not bool[]") }
    let arguments = Array(operands.dropFirst())
    try then.requireArguments(arguments, "the first branch")
    try otherwise.requireArguments(arguments, "the second branch")
    guard then.resultTypes == otherwise.resultTypes else {
      throw TypeFault(
        "the branches give different types, \(then.resultTypes) and \(otherwise.resultTypes)")
    }
    return then.resultTypes
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let predicate = context.operands[0]
    let arguments = Array(context.operands.dropFirst())
    let floating = arguments.indices.filter { arguments[$0].dtype.isFloat && context.wanted[$0 + 1] }
    let results = context.results.indices.filter { context.results[$0].dtype.isFloat }
    let cotangents = results.map { context.cotangents[$0] ?? context.results[$0].zerosLike() }
    // Each branch's gradient computes its forward again, so that only the arguments have to be kept.
    func branch(_ graph: Graph) throws(TypeFault) -> Graph {
      try context.builder.region(arguments.map(\.type) + cotangents.map(\.type)) { builder, values throws(TypeFault) in
        graph.pullback(
          Array(values.prefix(arguments.count)),
          cotangents: Dictionary(uniqueKeysWithValues: zip(results, values.dropFirst(arguments.count))),
          wanted: floating, in: builder)
      }
    }
    let gradients = context.builder.apply(
      .conditional(Conditional(then: try branch(then), otherwise: try branch(otherwise))),
      [predicate] + arguments + cotangents)
    var all = [Tensor?](repeating: nil, count: context.operands.count)
    for (position, argument) in floating.enumerated() { all[argument + 1] = gradients[position] }
    return all
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    if context.isBatched[0] { return nil }
    let arguments = Array(context.isBatched.dropFirst())
    return context.builder.apply(
      .conditional(
        Conditional(
          then: try then.batched(arguments, context), otherwise: try otherwise.batched(arguments, context))),
      context.operands)
  }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  package func substituting(_ bindings: [String: Int]) -> Conditional {
    Conditional(then: then.substituting(bindings), otherwise: otherwise.substituting(bindings))
  }
}

/// Repeats a body while a condition on its state holds.
///
/// Operands are the initial state, then constants that both sub-graphs see after the state. Not differentiable in
/// reverse, since the number of steps is unknown; use `scan`.
package struct WhileLoop: OperationDefinition {
  package var condition: Graph
  package var body: Graph
  /// How many of the operands are state.
  package var stateCount: Int

  package init(condition: Graph, body: Graph, stateCount: Int) {
    self.condition = condition
    self.body = body
    self.stateCount = stateCount
  }

  package var name: String { "while" }

  package var attributes: [(name: String, value: Attribute)] {
    [("state", .integer(stateCount)), ("condition", .graph(condition)), ("body", .graph(body))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    condition = try attributes.graph("condition")
    body = try attributes.graph("body")
    stateCount = try attributes.integer("state")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    guard stateCount >= 0, stateCount <= operands.count else {
      throw TypeFault("\(stateCount) states of \(operands.count) operands")
    }
    try condition.requireArguments(operands, "the condition")
    try body.requireArguments(operands, "the body")
    guard condition.resultTypes == [.scalar(.bool)] else {
      throw TypeFault("the condition gives \(condition.resultTypes), not one bool[]")
    }
    let state = Array(operands.prefix(stateCount))
    guard body.resultTypes == state else {
      throw TypeFault("the body gives \(body.resultTypes), the state is \(state)")
    }
    return state
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    throw TypeFault(
      "has no gradient, because the number of steps is not known when the graph is built",
      help: "use scan, whose length is fixed")
  }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  package func substituting(_ bindings: [String: Int]) -> WhileLoop {
    WhileLoop(condition: condition.substituting(bindings), body: body.substituting(bindings), stateCount: stateCount)
  }
}

/// A loop of fixed length that carries a state and walks along the first axis of its sequences, as JAX's `scan`.
///
/// Operands: the initial carry, the sequences `[length, ...]`, then constants. The body takes carry, one element of
/// each sequence, and the constants; it gives the next carry and one element of each stacked result. Results: the last
/// carry, then the stacked results `[length, ...]`. In reverse, elements are taken and put from the last to the first.
package struct Scan: OperationDefinition {
  package var body: Graph
  package var length: Dim
  package var carryCount: Int
  package var sequenceCount: Int
  package var reverse: Bool

  package init(body: Graph, length: Dim, carryCount: Int, sequenceCount: Int, reverse: Bool = false) {
    self.body = body
    self.length = length
    self.carryCount = carryCount
    self.sequenceCount = sequenceCount
    self.reverse = reverse
  }

  package var name: String { "scan" }

  package var attributes: [(name: String, value: Attribute)] {
    [
      ("length", .dimensions([length])), ("carry", .integer(carryCount)), ("sequences", .integer(sequenceCount)),
      ("reverse", .flag(reverse)), ("body", .graph(body)),
    ]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    body = try attributes.graph("body")
    let length = try attributes.dimensions("length")
    guard length.count == 1 else { throw TypeFault("attribute 'length' is not one size") }
    self.length = length[0]
    carryCount = try attributes.integer("carry")
    sequenceCount = try attributes.integer("sequences")
    reverse = try attributes.flag("reverse")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    guard carryCount >= 0, sequenceCount >= 0, carryCount + sequenceCount <= operands.count else {
      throw TypeFault("\(carryCount) carries and \(sequenceCount) sequences of \(operands.count) operands")
    }
    if let known = length.known, known < 0 { throw TypeFault("the length \(known) is negative") }
    var arguments = operands
    for position in carryCount..<(carryCount + sequenceCount) {
      guard operands[position].rank > 0, operands[position].shape[0] == length else {
        throw TypeFault(
          "sequence \(position - carryCount) is \(operands[position]), "
            + "its first axis should have the scan's length \(length)"
        )
      }
      arguments[position] = operands[position].with(shape: Array(operands[position].shape.dropFirst()))
    }
    try body.requireArguments(arguments, "the body")
    let carry = Array(operands.prefix(carryCount))
    let results = body.resultTypes
    guard results.count >= carryCount, Array(results.prefix(carryCount)) == carry else {
      throw TypeFault("the body gives the carry \(Array(results.prefix(carryCount))), it starts as \(carry)")
    }
    return carry + results.dropFirst(carryCount).map { $0.with(shape: [length] + $0.shape) }
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let operands = context.operands
    let carry = Array(operands.prefix(carryCount))
    let sequences = Array(operands[carryCount..<(carryCount + sequenceCount)])
    let constants = Array(operands.dropFirst(carryCount + sequenceCount))
    let builder = context.builder
    let bodyResults = body.resultTypes

    // Forward again, keeping the carry that each step starts from. Interning joins what it can with the first scan.
    let saving = try builder.region(body.argumentTypes) { builder, values throws(TypeFault) in
      let results = body.inlined(values, in: builder)
      return Array(results.prefix(carryCount)) + Array(values.prefix(carryCount))
    }
    let forward = builder.apply(
      .scan(Scan(body: saving, length: length, carryCount: carryCount, sequenceCount: sequenceCount, reverse: reverse)),
      operands)
    let saved = Array(forward.dropFirst(carryCount))

    // One step backwards: the carry is the cotangent of the carry and the sums of the constants' cotangents; the
    // sequences are the saved carries, the forward sequences and the cotangents of the stacked results.
    let floatCarry = carry.indices.filter { carry[$0].dtype.isFloat }
    let floatSequences = sequences.indices.filter { sequences[$0].dtype.isFloat && context.wanted[carryCount + $0] }
    let floatConstants = constants.indices.filter {
      constants[$0].dtype.isFloat && context.wanted[carryCount + sequenceCount + $0]
    }
    let stacked = bodyResults.indices.dropFirst(carryCount).filter { bodyResults[$0].dtype.isFloat }
    let carryCotangents = floatCarry.map { context.cotangents[$0] ?? carry[$0].zerosLike() }
    let constantCotangents = floatConstants.map { constants[$0].zerosLike() }
    let stackedCotangents = stacked.map { context.cotangents[$0] ?? context.results[$0].zerosLike() }

    let initial = carryCotangents + constantCotangents
    let walked = saved + sequences + stackedCotangents
    let arguments =
      initial.map(\.type) + walked.map { $0.type.with(shape: Array($0.shape.dropFirst())) } + constants.map(\.type)
    let backward = try builder.region(arguments) { builder, values throws(TypeFault) in
      var rest = values[...]
      func take(_ count: Int) -> [Tensor] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      let dCarry = take(carryCotangents.count)
      let sums = take(constantCotangents.count)
      let stepCarry = take(carryCount)
      let stepSequences = take(sequenceCount)
      let dStacked = take(stackedCotangents.count)
      let stepConstants = take(constants.count)
      var cotangents: [Int: Tensor] = [:]
      for (position, result) in floatCarry.enumerated() { cotangents[result] = dCarry[position] }
      for (position, result) in stacked.enumerated() { cotangents[result] = dStacked[position] }
      let wanted =
        floatCarry + floatSequences.map { carryCount + $0 } + floatConstants.map { carryCount + sequenceCount + $0 }
      let gradients = body.pullback(
        stepCarry + stepSequences + stepConstants, cotangents: cotangents, wanted: wanted, in: builder)
      let dConstants = zip(sums, gradients.suffix(floatConstants.count)).map { $0 + $1 }
      let dSequences = gradients[floatCarry.count..<(floatCarry.count + floatSequences.count)]
      return Array(gradients.prefix(floatCarry.count)) + dConstants + Array(dSequences)
    }
    let results = builder.apply(
      .scan(
        Scan(
          body: backward, length: length, carryCount: initial.count, sequenceCount: walked.count, reverse: !reverse)),
      initial + walked + constants)

    var all = [Tensor?](repeating: nil, count: operands.count)
    for (position, index) in floatCarry.enumerated() { all[index] = results[position] }
    for (position, index) in floatConstants.enumerated() {
      all[carryCount + sequenceCount + index] = results[floatCarry.count + position]
    }
    for (position, index) in floatSequences.enumerated() {
      all[carryCount + index] = results[initial.count + position]
    }
    return all
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    // The carry may become a batch in the first step.
    let carry = (0..<carryCount).map { context.all[$0] }
    let rest = context.operands.dropFirst(carryCount).enumerated().map { position, operand in
      position < sequenceCount && context.isBatched[carryCount + position] ? operand.movingAxis(0, to: 1) : operand
    }
    let flags = carry.map { _ in true } + context.isBatched.dropFirst(carryCount)
    let scan = Scan(
      body: try body.batched(flags, context), length: length, carryCount: carryCount, sequenceCount: sequenceCount,
      reverse: reverse)
    let results = context.builder.apply(.scan(scan), carry + rest)
    return results.enumerated().map { $0 < carryCount ? $1 : $1.movingAxis(1, to: 0) }
  }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  package func substituting(_ bindings: [String: Int]) -> Scan {
    Scan(
      body: body.substituting(bindings), length: length.substituting(bindings), carryCount: carryCount,
      sequenceCount: sequenceCount, reverse: reverse)
  }
}

extension Graph {
  /// The types of the inputs, in order.
  package var argumentTypes: [TensorType] { inputs.map { type(of: $0) } }

  /// The types of the outputs, in order.
  package var resultTypes: [TensorType] { outputs.map { type(of: $0.value) } }

  func requireArguments(_ types: [TensorType], _ what: String) throws(TypeFault) {
    guard argumentTypes == types else { throw TypeFault("\(what) takes \(argumentTypes), given \(types)") }
  }
}
