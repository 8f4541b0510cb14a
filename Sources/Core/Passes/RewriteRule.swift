/// A named rule that may replace one node: what most passes are made of.
///
/// Rules are plain functions, each of which looks at a node and at what its operands were made of, builds something of
/// the same types, and returns it; or nil where it does not apply.
struct RewriteRule: Sendable {
  let name: String
  let apply: @Sendable (Match) -> [Tensor]?

  init(_ name: String, _ apply: @escaping @Sendable (Match) -> [Tensor]?) {
    self.name = name
    self.apply = apply
  }
}

/// A node that a rule may replace, with its operands as they have been rebuilt already.
struct Match {
  let operation: Operation
  let operands: [Tensor]
  let types: [TensorType]
  let builder: Builder
  let evaluate: LiteralEvaluation
  /// How often values of the new graph are read; those that rules have made within a rewrite are read once.
  let uses: [Value: Int]

  /// Whether nobody but this node reads the operand.
  func isOnlyUser(of operand: Tensor) -> Bool { uses[operand.value] ?? 1 <= 1 }

  /// Applies an operation to literals in the new graph: the literal where it can be computed, else the node.
  func folded(_ operation: Operation, _ operands: [Tensor]) -> Tensor {
    let plain = builder.apply(operation, operands)[0]
    guard plain.literal == nil, !plain.isPoisoned, plain.type.elementCount != nil else { return plain }
    var literals: [NDArray] = []
    for operand in operands {
      guard let literal = materialized(operand) else { return plain }
      literals.append(literal)
    }
    return evaluate(operation, literals, [plain.type]).map { builder.constant($0[0]) } ?? plain
  }

  /// The content of a literal, or of a broadcast of one.
  func materialized(_ tensor: Tensor) -> NDArray? {
    if let literal = tensor.literal { return literal }
    guard tensor.type.elementCount != nil, case .broadcast = tensor.operation, let inner = tensor.source(0).literal
    else { return nil }
    return evaluate(tensor.operation, [inner], [tensor.type])?[0]
  }
}

extension Tensor {
  /// The operation that the tensor is a result of.
  var operation: Operation { builder.node(of: value).operation }

  /// An operand of the operation that the tensor is a result of.
  func source(_ position: Int) -> Tensor { Tensor(builder: builder, value: builder.node(of: value).operands[position]) }

  /// The operands, where the tensor is the result of this scalar function.
  func operands(of function: Pointwise) -> [Tensor]? {
    let node = builder.node(of: value)
    guard node.operation == .pointwise(function) else { return nil }
    return node.operands.map { Tensor(builder: builder, value: $0) }
  }
}

extension Operation {
  /// The operation with its sub-graphs replaced.
  func mappingGraphs(_ body: (Graph) throws(DiagnosticsError) -> Graph) throws(DiagnosticsError) -> Operation {
    switch self {
    case .conditional(var payload):
      payload.then = try body(payload.then)
      payload.otherwise = try body(payload.otherwise)
      return .conditional(payload)
    case .whileLoop(var payload):
      payload.condition = try body(payload.condition)
      payload.body = try body(payload.body)
      return .whileLoop(payload)
    case .scan(var payload):
      payload.body = try body(payload.body)
      return .scan(payload)
    case .call(var payload):
      payload.body = try body(payload.body)
      if let backward = payload.backward { payload.backward = try body(backward) }
      return .call(payload)
    default: return self
    }
  }
}

extension Graph {
  /// Rules that keep each other busy are stopped after this many walks over the graph.
  private static let sweepLimit = 32

  /// The graph with rules applied to every node, sub-graphs included, until none applies or the budget is spent.
  func rewritten(_ rules: [RewriteRule], _ context: inout PassContext) throws(DiagnosticsError) -> Graph {
    var graph = self
    for _ in 0..<Self.sweepLimit {
      let before = context.budget.spent
      guard context.budget.isOpen else { break }
      graph = try graph.swept(rules, &context)
      if context.budget.spent == before { break }
    }
    return graph
  }

  /// One walk from the operands to the users, so that rules see operands that are rewritten already.
  private func swept(_ rules: [RewriteRule], _ context: inout PassContext) throws(DiagnosticsError) -> Graph {
    let readers = Uses(self)
    var operations: [Operation] = []
    operations.reserveCapacity(nodes.count)
    for node in nodes {
      operations.append(
        try node.operation.mappingGraphs { (inner) throws(DiagnosticsError) in try inner.swept(rules, &context) })
    }
    var uses: [Value: Int] = [:]
    return try rebuilt { node, position, operands, builder in
      switch node.operation {
      case .input, .variable: return nil
      default: break
      }
      let operation = operations[position]
      var results = builder.apply(operation, operands)
      // What the builder has folded needs no rule.
      if context.budget.isOpen, let first = results.first, !first.isPoisoned, first.literal == nil {
        let match = Match(
          operation: operation, operands: operands, types: node.types, builder: builder, evaluate: context.evaluate,
          uses: uses)
        for rule in rules {
          guard let rewritten = rule.apply(match), rewritten.map(\.value) != results.map(\.value) else { continue }
          if rewritten.map(\.type) != node.types {
            builder.report(
              Diagnostic(
                "rule \(rule.name) makes \(rewritten.map(\.type)) of \(node.types)", operation: operation.name,
                location: locations[position]))
          }
          context.budget.spend(on: rule.name)
          results = rewritten
          break
        }
      }
      for result in results { uses[result.value, default: 0] += readers.count(position) }
      return results
    }
  }
}
