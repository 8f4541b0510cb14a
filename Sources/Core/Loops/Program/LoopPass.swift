/// A named function from program to program that keeps the meaning.
///
/// Names are as those of graph passes.
package struct LoopPass: Sendable {
  /// What options and diagnostics call the pass.
  package let name: String
  private let body: @Sendable (Program, inout RewriteBudget) -> Program

  /// A pass made of a function, which counts its rewrites and makes no more than the budget has.
  init(_ name: String, _ body: @escaping @Sendable (Program, inout RewriteBudget) -> Program) {
    self.name = name
    self.body = body
  }

  /// What every program goes through after it is lowered, first to last.
  package static let all: [LoopPass] = [.dropUnusedConstants, .shareStorage]

  /// The rewritten program.
  package func run(_ program: Program, _ budget: inout RewriteBudget) -> Program { body(program, &budget) }
}
