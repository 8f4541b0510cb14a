/// How many rewrites a pipeline may still make: a fault in a pass is found by halving the number.
///
/// Counted over all passes of a run; every application of a rule is one rewrite.
public struct RewriteBudget: Sendable {
  /// The most rewrites; nil for as many as there are.
  public let limit: Int?
  /// The rewrites so far, by the name of the rule.
  public private(set) var counts: [String: Int] = [:]
  /// The rewrites so far.
  public private(set) var spent = 0

  /// A budget of which nothing is spent.
  public init(limit: Int? = nil) {
    self.limit = limit
  }

  /// Whether another rewrite may be made.
  public var isOpen: Bool { limit.map { spent < $0 } ?? true }

  /// Counts one rewrite.
  public mutating func spend(on rule: String) {
    spent += 1
    counts[rule, default: 0] += 1
  }
}
