extension Pass {
  /// Makes literals of variables that are never updated, so that batch-norm and other arithmetic of weights can fold.
  ///
  /// For inference with fixed weights: afterwards the graph has no variables left to set or restore.
  public static let freezeVariables = Pass("freeze-variables") { (graph, context) throws(DiagnosticsError) in
    let updated = Set(graph.updates.map(\.variable))
    var initial: [String: NDArray] = [:]
    for variable in graph.variables where !updated.contains(variable.name) { initial[variable.name] = variable.initial }
    if initial.isEmpty { return graph }
    return try graph.rebuilt { node, _, _, builder in
      guard case .variable(let read) = node.operation, let array = initial[read.variable], context.budget.isOpen else {
        return nil
      }
      context.budget.spend(on: "freeze")
      return [builder.constant(array)]
    }
  }
}
