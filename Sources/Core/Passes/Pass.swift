/// Computes an operation on literals, given the types of its results; nil where it cannot, or not in reasonable time.
///
/// Passes must not know the back-ends, so whoever runs a pipeline may hand one in.
package typealias LiteralEvaluation =
  @Sendable (_ operation: Operation, _ operands: [NDArray], _ types: [TensorType]) -> [NDArray]?

/// What passes share over one run of a pipeline.
public struct PassContext: Sendable {
  /// How many rewrites may still be made.
  package var budget: RewriteBudget
  /// What computes on literals.
  package var evaluate: LiteralEvaluation

  /// A context for one run.
  package init(
    budget: RewriteBudget = RewriteBudget(), evaluate: @escaping LiteralEvaluation = LiteralEvaluator.evaluate
  ) {
    self.budget = budget
    self.evaluate = evaluate
  }
}

/// A named function from graph to graph that keeps the meaning.
///
/// The name is imperative and kebab-case: the file's name, the command line's spelling and the line in the report.
public struct Pass: Sendable {
  /// What options, reports and diagnostics call the pass.
  public let name: String
  private let body: @Sendable (Graph, inout PassContext) throws(DiagnosticsError) -> Graph

  /// A pass made of a function.
  package init(
    _ name: String, _ body: @escaping @Sendable (Graph, inout PassContext) throws(DiagnosticsError) -> Graph
  ) {
    self.name = name
    self.body = body
  }

  /// A pass made of rules: each list of rules is applied until nothing changes, then the next.
  init(_ name: String, _ stages: [RewriteRule]...) {
    self.init(name) { (graph, context) throws(DiagnosticsError) in
      var graph = graph
      for rules in stages { graph = try graph.rewritten(rules, &context) }
      return graph
    }
  }

  /// The rewritten graph.
  ///
  /// - Throws: Faults of what the pass has built, which are mistakes of the pass.
  package func run(_ graph: Graph, _ context: inout PassContext) throws(DiagnosticsError) -> Graph {
    try body(graph, &context)
  }
}
