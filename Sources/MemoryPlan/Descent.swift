/// Brings a packing of one component down towards a target by repeated searches.
///
/// A search either succeeds almost at once or, after some wrong decision near its root, almost never. So many short
/// ones are made, with every combination of rules and ranks, then all of them again with four times the nodes and the
/// ranks shuffled a little; what they learn about hopeless outlines and difficult sections they share. (Gomes, Selman
/// and Kautz, "Boosting Combinatorial Search through Randomization", AAAI 1998.)
struct Descent {
  /// The best packing so far.
  private(set) var offsets: [Int]
  private(set) var height: Int
  /// A height that no packing can go below.
  private(set) var floor: Int

  private let component: Component
  private let keys: [[Int]]
  private var random = SplitMix64(state: 0x4465_7363_656E_74)

  init(_ component: Component, offsets: [Int], height: Int, floor: Int) {
    self.component = component
    self.offsets = offsets
    self.height = height
    self.floor = floor
    let ranking = Ranking(component)
    keys = [Strategy.Order.shape, .size, .conflicts, .breadth, .start, .area].map { order in
      var rank = Array(repeating: 0, count: component.count)
      for (position, item) in ranking.items(by: order).enumerated() { rank[item] = position }
      return rank
    }
  }

  /// Searches until the height is at most `target`, cannot be lower, or the budget is spent.
  mutating func run(target: Int, budget: inout Budget) {
    var search = Search(component)
    var nodes = 2 * component.count + 16
    var round = 0
    while height > max(target, floor), !budget.isSpent {
      var low = max(target, floor)
      if attempt(limit: low, with: &search, nodes: nodes, round: round, budget: &budget) { continue }
      // The target is too hard for now; halve the distance from below and from above until they meet.
      low = max(low, floor)
      while height - low > 1, !budget.isSpent {
        let middle = low + (height - low) / 2
        if !attempt(limit: middle, with: &search, nodes: nodes, round: round, budget: &budget) { low = max(middle, floor) }
      }
      nodes *= 4
      round += 1
    }
  }

  /// Tries every combination at one limit.
  ///
  /// - Returns: whether a packing was found or the floor was raised.
  private mutating func attempt(
    limit: Int, with search: inout Search, nodes: Int, round: Int, budget: inout Budget
  ) -> Bool {
    for key in keys {
      for rule in Search.Rule.allCases {
        let rank = round == 0 ? key : shuffled(key)
        switch search.run(limit: limit, rule: rule, rank: rank, nodes: nodes, budget: &budget) {
        case .found:
          offsets = search.offsets
          height = component.height(offsets)
          return true
        case .impossible:
          floor = limit + 1
          return true
        case .undecided:
          if budget.isSpent { return false }
        }
      }
    }
    return false
  }

  /// Ranks moved up or down by up to an eighth of all.
  private mutating func shuffled(_ rank: [Int]) -> [Int] {
    rank.map { $0 * 8 + random.below(2 * component.count) }
  }
}
