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

  /// The graph with constants in place of inputs; the arrays' shapes bind symbols.
  ///
  /// - Throws: Names that no input has, arrays of other types than the inputs', and faults that sizes bring about.
  public func fixing(_ arrays: [String: NDArray]) throws(DiagnosticsError) -> Graph {
    if arrays.isEmpty { return self }
    let names = Set(inputs.map { inputName($0) })
    var diagnostics = arrays.keys.filter { !names.contains($0) }.sorted().map {
      Diagnostic("the model has no input '\($0)'")
    }
    var symbols = SymbolSizes()
    let fixed = inputs.compactMap { input in
      arrays[inputName(input)].map { (name: inputName(input), type: type(of: input), given: $0.type) }
    }
    for (position, reason) in symbols.learn(fixed).sorted(by: { $0.key < $1.key }) {
      let (name, type, given) = fixed[position]
      diagnostics.append(Diagnostic("input '\(name)' is \(type), its array is \(given)\(reason)"))
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return try binding(symbols.sizes).rebuilt { node, _, _, builder in
      guard case .input(let input) = node.operation, let array = arrays[input.argument] else { return nil }
      return [builder.constant(array)]
    }
  }

  /// The same for a sub-graph, whose faults the surrounding operation's type rule finds.
  func substituting(_ bindings: [String: Int]) -> Graph {
    (try? binding(bindings)) ?? self
  }
}

extension Operation {
  /// The operation with symbolic dimensions replaced by the sizes bound to them.
  package func substituting(_ bindings: [String: Int]) -> Operation {
    switch self {
    case .input(let payload): .input(payload.substituting(bindings))
    case .iota(let payload): .iota(payload.substituting(bindings))
    case .randomBits(let payload): .randomBits(payload.substituting(bindings))
    case .extent(let payload): .extent(payload.substituting(bindings))
    case .reshape(let payload): .reshape(payload.substituting(bindings))
    case .broadcast(let payload): .broadcast(payload.substituting(bindings))
    case .slice(let payload): .slice(payload.substituting(bindings))
    case .conditional(let payload): .conditional(payload.substituting(bindings))
    case .whileLoop(let payload): .whileLoop(payload.substituting(bindings))
    case .scan(let payload): .scan(payload.substituting(bindings))
    case .call(let payload): .call(payload.substituting(bindings))
    default: self
    }
  }
}
