extension Graph {
  /// The graph with symbolic dimensions replaced by sizes.
  ///
  /// - Throws: Faults that the sizes bring about.
  public func binding(_ bindings: [String: Int]) throws(DiagnosticsError) -> Graph {
    if bindings.isEmpty { return self }
    return try rebuilt { node, _, operands, builder in
      let operation = node.operation.substituting(bindings)
      if case .input(let input) = operation { return [builder.input(input.argument, input.type)] }
      return operation == node.operation ? nil : builder.apply(operation, operands)
    }
  }

  /// The same for a sub-graph, whose faults the surrounding operation's type rule finds.
  func substituting(_ bindings: [String: Int]) -> Graph {
    (try? binding(bindings)) ?? self
  }
}

extension Operation {
  /// The operation with symbolic dimensions replaced by the sizes bound to them.
  public func substituting(_ bindings: [String: Int]) -> Operation {
    switch self {
    case .input(let payload): .input(payload.substituting(bindings))
    case .iota(let payload): .iota(payload.substituting(bindings))
    case .randomBits(let payload): .randomBits(payload.substituting(bindings))
    case .reshape(let payload): .reshape(payload.substituting(bindings))
    case .broadcast(let payload): .broadcast(payload.substituting(bindings))
    case .slice(let payload): .slice(payload.substituting(bindings))
    case .conditional(let payload): .conditional(payload.substituting(bindings))
    case .whileLoop(let payload): .whileLoop(payload.substituting(bindings))
    case .scan(let payload): .scan(payload.substituting(bindings))
    default: self
    }
  }
}
