/// How many rewrites a pipeline may still make: a fault in a pass is found by halving the number.
///
/// Counted over all passes of a run; every application of a rule is one rewrite.
package struct RewriteBudget: Sendable {
  /// The most rewrites; nil for as many as there are.
  package let limit: Int?
  /// The rewrites so far, by the name of the rule.
  package private(set) var counts: [String: Int] = [:]
  /// The rewrites so far.
  package private(set) var spent = 0

  /// A budget of which nothing is spent.
  package init(limit: Int? = nil) {
    self.limit = limit
  }

  /// Whether another rewrite may be made.
  package var isOpen: Bool { limit.map { spent < $0 } ?? true }

  /// Counts one rewrite.
  package mutating func spend(on rule: String) {
    spent += 1
    counts[rule, default: 0] += 1
  }
}
