/// A sub-graph as one operation, for what differentiation is to know of it: that it has a gradient of its own, or that it
/// is to be computed again in the backward pass rather than kept.
///
/// Operands are the arguments of the body, results its outputs.
package struct Call: OperationDefinition {
  package var body: Graph
  /// Given the operands, the results and the cotangents of the float results: the cotangents of the float operands.
  ///
  /// Without it, the gradient is the body's, which is computed again for it.
  package var backward: Graph?
  /// Whether the body stays apart from what surrounds it, so that nothing of it is shared with an earlier computation.
  package var isKept: Bool

  package init(body: Graph, backward: Graph? = nil, isKept: Bool = false) {
    self.body = body
    self.backward = backward
    self.isKept = isKept
  }

  package var name: String { "call" }

  package var attributes: [(name: String, value: Attribute)] {
    [("kept", .flag(isKept)), ("body", .graph(body))] + (backward.map { [("backward", .graph($0))] } ?? [])
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    isKept = try attributes.flag("kept")
    body = try attributes.graph("body")
    backward = attributes.values["backward"] == nil ? nil : try attributes.graph("backward")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try body.requireArguments(operands, "the body")
    if let backward {
      let results = body.resultTypes
      try backward.requireArguments(operands + results + results.filter(\.dtype.isFloat), "the gradient")
      let wanted = operands.filter(\.dtype.isFloat)
      guard backward.resultTypes == wanted else {
        throw TypeFault("the gradient gives \(backward.resultTypes), the float operands are \(wanted)")
      }
    }
    return body.resultTypes
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let operands = context.operands
    let results = context.results.indices.filter { context.results[$0].dtype.isFloat }
    let cotangents = results.map { context.cotangents[$0] ?? context.results[$0].zerosLike() }
    var floating = operands.indices.filter { operands[$0].dtype.isFloat }
    let gradients: [Tensor]
    if let backward {
      gradients = backward.inlined(operands + context.results + cotangents, in: context.builder)
    } else {
      floating = floating.filter { context.wanted[$0] }
      let types = operands.map(\.type) + cotangents.map(\.type)
      let gradient = try context.builder.region(types) { builder, values throws(TypeFault) in
        body.pullback(
          Array(values.prefix(operands.count)),
          cotangents: Dictionary(uniqueKeysWithValues: zip(results, values.dropFirst(operands.count))),
          wanted: floating, in: builder)
      }
      gradients = context.builder.apply(.call(Call(body: gradient, isKept: true)), operands + cotangents)
    }
    var all = [Tensor?](repeating: nil, count: operands.count)
    for (position, operand) in floating.enumerated() { all[operand] = gradients[position] }
    return all
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    let backward: Graph? =
      if let own = self.backward { try own.batched(own.inputs.map { _ in true }, context) } else { nil }
    let call = Call(
      body: try body.batched(context.operands.map { _ in true }, context), backward: backward, isKept: isKept)
    return context.builder.apply(.call(call), context.all)
  }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  package func substituting(_ bindings: [String: Int]) -> Call {
    Call(
      body: body.substituting(bindings), backward: backward?.substituting(bindings), isKept: isKept)
  }
}
