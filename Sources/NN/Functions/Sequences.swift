public import LatheCore

/// Control flow in the graph. The closures may use tensors from outside; these become arguments of the sub-graphs.

/// Walks along the first axis of sequences with a state: `torch._higher_order_ops.scan`, `jax.lax.scan`.
///
/// - Parameters:
///   - initial: The state before the first step.
///   - sequences: Tensors `[length, ...]`.
///   - length: The number of steps where there are no sequences.
///   - reverse: Whether to walk from the last element to the first; results stay at their element's place.
///   - body: Given the state and one element of each sequence: the next state, of the same types, and the elements to
///     stack.
/// - Returns: The last state, and the stacked results `[length, ...]`.
public func scan(
  _ initial: [Tensor], over sequences: [Tensor], length: Dim? = nil, reverse: Bool = false,
  _ body: (_ state: [Tensor], _ elements: [Tensor]) -> (state: [Tensor], outputs: [Tensor])
) -> (state: [Tensor], outputs: [Tensor]) {
  let operands = initial + sequences
  let builder = Tensor.innermostBuilder(of: operands)
  var outputCount = 0
  func poisoned() -> ([Tensor], [Tensor]) {
    (initial.map { _ in builder.poison }, Array(repeating: builder.poison, count: outputCount))
  }
  guard !operands.contains(where: \.isPoisoned) else {
    // The body tells how many results there are; what it has against poison nobody hears.
    outputCount = body(initial.map { _ in builder.poison }, sequences.map { _ in builder.poison }).outputs.count
    return poisoned()
  }
  do throws(TypeFault) {
    var elementTypes: [TensorType] = []
    for sequence in sequences {
      guard sequence.rank > 0 else { throw TypeFault("a sequence \(sequence.type) has no axes to walk along") }
      elementTypes.append(sequence.type.with(shape: Array(sequence.shape.dropFirst())))
    }
    guard let steps = length ?? sequences.first?.shape[0] else {
      throw TypeFault("the number of steps is unknown", help: "give sequences or a length")
    }
    for sequence in sequences where sequence.shape[0] != steps {
      throw TypeFault("sequences have different lengths, \(steps) and \(sequence.shape[0]) (\(sequence.type))")
    }
    let types = initial.map(\.type) + elementTypes
    let (region, captures) = try builder.capturingRegion(types) { (_, values) throws(TypeFault) -> [Tensor] in
      var result = body(Array(values.prefix(initial.count)), Array(values.dropFirst(initial.count)))
      // The state keeps its type, whatever mixed precision makes of it.
      if Autocast.type != nil, result.state.count == initial.count {
        result.state = zip(initial, result.state).map { $1.isPoisoned ? $1 : $1.convert(to: $0.dtype) }
      }
      outputCount = result.outputs.count
      guard result.state.count == initial.count else {
        throw TypeFault("the body gives \(result.state.count) states, it starts with \(initial.count)")
      }
      for (before, after) in zip(initial, result.state) where !after.isPoisoned && before.type != after.type {
        throw TypeFault("the state is \(before.type) at first and \(after.type) after a step")
      }
      return result.state + result.outputs
    }
    let results = builder.apply(
      .scan(
        Scan(
          body: region, length: steps, carryCount: initial.count, sequenceCount: sequences.count, reverse: reverse)),
      operands + captures)
    return (Array(results.prefix(initial.count)), Array(results.dropFirst(initial.count)))
  } catch {
    builder.record(error, operation: "scan", operands: operands)
    return poisoned()
  }
}

/// Repeats a body while a condition on its state holds, as `torch.while_loop` does.
///
/// It has no gradient; `scan` has.
///
/// - Returns: The last state.
public func whileLoop(
  _ initial: [Tensor], condition: (_ state: [Tensor]) -> Tensor, body: (_ state: [Tensor]) -> [Tensor]
) -> [Tensor] {
  let builder = Tensor.innermostBuilder(of: initial)
  let poisoned = initial.map { _ in builder.poison }
  guard !initial.contains(where: \.isPoisoned) else { return poisoned }
  do throws(TypeFault) {
    let types = initial.map(\.type)
    let test = try builder.capturingRegion(types) { (_, values) throws(TypeFault) -> [Tensor] in
      let holds = condition(values)
      guard holds.isPoisoned || (holds.dtype == .bool && holds.type.elementCount == 1) else {
        throw TypeFault("the condition gives \(holds.type), needs one bool")
      }
      return [holds.isPoisoned ? holds : holds.reshape([Dim]())]
    }
    let step = try builder.capturingRegion(types) { (_, values) throws(TypeFault) -> [Tensor] in
      let next = body(values)
      guard next.count == initial.count else {
        throw TypeFault("the body gives \(next.count) states, it starts with \(initial.count)")
      }
      for (before, after) in zip(initial, next) where !after.isPoisoned && before.type != after.type {
        throw TypeFault("the state is \(before.type) at first and \(after.type) after a step")
      }
      return next
    }
    let (graphs, captures) = try builder.sharingCaptures([test, step], arguments: types)
    return builder.apply(
      .whileLoop(WhileLoop(condition: graphs[0], body: graphs[1], stateCount: initial.count)), initial + captures)
  } catch {
    builder.record(error, operation: "whileLoop", operands: initial)
    return poisoned
  }
}

/// One of two computations, chosen by a `bool` tensor with one element: `torch.cond`.
///
/// - Returns: The results of the chosen branch; both branches give the same types.
public func cond(
  _ predicate: Tensor, then: () -> [Tensor], otherwise: () -> [Tensor]
) -> [Tensor] {
  let builder = predicate.builder
  var count = 0
  do throws(TypeFault) {
    let first = try builder.capturingRegion([]) { (_, _) throws(TypeFault) -> [Tensor] in
      let results = then()
      count = results.count
      return results
    }
    let second = try builder.capturingRegion([]) { (_, _) throws(TypeFault) -> [Tensor] in otherwise() }
    guard !predicate.isPoisoned else { throw TypeFault.poisoned }
    guard predicate.dtype == .bool, predicate.type.elementCount == 1 else {
      throw TypeFault("the predicate is \(predicate.type), needs one bool")
    }
    let (graphs, captures) = try builder.sharingCaptures([first, second], arguments: [])
    return builder.apply(
      .conditional(Conditional(then: graphs[0], otherwise: graphs[1])),
      [predicate.reshape([Dim]())] + captures)
  } catch {
    builder.record(error, operation: "cond", operands: [predicate])
    return Array(repeating: builder.poison, count: count)
  }
}

extension Builder {
  /// Sub-graphs made to take one list of captured tensors, whichever of them each uses.
  func sharingCaptures(
    _ regions: [(graph: Graph, captures: [Tensor])], arguments: [TensorType]
  ) throws(TypeFault) -> (graphs: [Graph], captures: [Tensor]) {
    var all: [Tensor] = []
    for tensor in regions.flatMap(\.captures) where !all.contains(where: { $0.value == tensor.value }) {
      all.append(tensor)
    }
    var graphs: [Graph] = []
    for (graph, captures) in regions {
      graphs.append(
        try region(arguments + all.map(\.type)) { (inner, values) throws(TypeFault) -> [Tensor] in
          let own = captures.compactMap { tensor in all.firstIndex { $0.value == tensor.value } }
          return graph.inlined(
            Array(values.prefix(arguments.count)) + own.map { values[arguments.count + $0] }, in: inner)
        })
    }
    return (graphs, all)
  }
}
