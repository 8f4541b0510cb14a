/// What random bits are for the members of a batch.
public enum VmapRandomness: Sendable {
  /// Their use is a fault.
  case error
  /// The same for all.
  case same
  /// Others for each.
  case different
}

/// What a batching rule sees: one application of the operation to operands of which some have a leading axis, along
/// which it is to be repeated.
package struct BatchingContext {
  package let operands: [Tensor]
  /// Which operands have the leading axis; at least one does.
  package let isBatched: [Bool]
  /// The size of the leading axis.
  package let size: Dim
  package let builder: Builder
  let randomness: VmapRandomness

  /// All operands with the leading axis; those that had none are repeated.
  var all: [Tensor] {
    zip(operands, isBatched).map { $1 ? $0 : $0.broadcast(to: [size] + $0.shape, axes: Array(1..<$0.rank + 1)) }
  }

  /// An operation on all operands with the leading axis.
  func apply(_ operation: Operation) -> [Tensor] { builder.apply(operation, all) }

  /// The operation on one member of the batch after the other.
  fileprivate func repeated(_ operation: Operation) throws(TypeFault) -> [Tensor] {
    let order = operands.indices.filter { isBatched[$0] } + operands.indices.filter { !isBatched[$0] }
    let count = isBatched.count(where: \.self)
    let types = order.map {
      isBatched[$0] ? operands[$0].type.with(shape: Array(operands[$0].shape.dropFirst())) : operands[$0].type
    }
    let body = try builder.region(types) { inner, values throws(TypeFault) in
      var arguments = values
      for (position, operand) in order.enumerated() { arguments[operand] = values[position] }
      return inner.apply(operation, arguments)
    }
    return builder.apply(
      .scan(Scan(body: body, length: size, carryCount: 0, sequenceCount: count)), order.map { operands[$0] })
  }
}

extension Graph {
  /// Computes the graph for a batch: arguments that have a leading axis for it, and others that are the same for all
  /// members.
  ///
  /// What depends on no batch is computed once.
  ///
  /// - Returns: The outputs, and which of them have the leading axis.
  package func batched(
    _ arguments: [Tensor], isBatched: [Bool], size: Dim, randomness: VmapRandomness = .error,
    in builder: Builder
  ) throws(TypeFault) -> [(tensor: Tensor, isBatched: Bool)] {
    var known: [Value: (tensor: Tensor, isBatched: Bool)] = [:]
    for (input, argument) in zip(inputs, zip(arguments, isBatched)) { known[input] = (argument.0, argument.1) }
    for (position, node) in nodes.enumerated() where known[Value(node: position)] == nil {
      let operands = node.operands.map { known[$0] ?? (builder.poison, false) }
      let context = BatchingContext(
        operands: operands.map(\.tensor), isBatched: operands.map(\.isBatched), size: size, builder: builder,
        randomness: randomness)
      let made = builder.at(locations[position]) {
        Result { () throws(TypeFault) in try context.results(of: node.operation) }
      }
      let results = try made.get()
      for (result, tensor) in results.tensors.enumerated() {
        known[Value(node: position, result: result)] = (tensor, results.isBatched)
      }
    }
    return outputs.map { known[$0.value] ?? (builder.poison, false) }
  }

  /// The same as a graph, whose outputs all have the leading axis.
  func batched(_ isBatched: [Bool], _ context: BatchingContext) throws(TypeFault) -> Graph {
    let types = zip(argumentTypes, isBatched).map { $1 ? $0.with(shape: [context.size] + $0.shape) : $0 }
    return try context.builder.region(types) { inner, values throws(TypeFault) in
      let outputs = try batched(
        values, isBatched: isBatched, size: context.size, randomness: context.randomness, in: inner)
      return BatchingContext(
        operands: outputs.map(\.tensor), isBatched: outputs.map(\.isBatched), size: context.size, builder: inner,
        randomness: context.randomness
      ).all
    }
  }
}

extension BatchingContext {
  /// The results of an operation, and whether they have the leading axis.
  fileprivate func results(of operation: Operation) throws(TypeFault) -> (tensors: [Tensor], isBatched: Bool) {
    if case .randomBits(let bits) = operation {
      switch randomness {
      case .error:
        throw TypeFault(
          "uses random numbers", help: "say with randomness whether they are the same or different for all")
      case .same: break
      case .different where !isBatched[0]:
        return (builder.apply(.randomBits(RandomBits([size] + bits.shape, stream: bits.stream)), operands), true)
      case .different: break
      }
    }
    guard isBatched.contains(true) else { return (builder.apply(operation, operands), false) }
    if let results = try operation.definition.batched(self) { return (results, true) }
    return (try repeated(operation), true)
  }
}
