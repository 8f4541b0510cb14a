/// A placement of all items of a component.
struct Packing {
  var offsets: [Int]
  var height: Int
  var strategy: Strategy
  /// A height that no placement can go below.
  var floor: Int
  /// The order of the greedy pass that was best, from which hill climbing starts.
  var order: [Int]
}

/// Brings a packing of one component down towards a target by repeated searches.
///
/// A search either succeeds almost at once or, after some wrong decision near its root, almost never. So many short
/// ones are made, with every combination of rules and ranks, then all of them again with more nodes and the ranks
/// shuffled a little; what they learn about hopeless outlines and difficult sections they share. (Gomes, Selman and
/// Kautz, "Boosting Combinatorial Search through Randomization", AAAI 1998.)
struct Descent {
  /// The best packing so far.
  private(set) var packing: Packing

  private let component: Component
  /// For each order, the rank of every item.
  private let ranks: [[Int]]
  private var random = SplitMix64(state: 0x4465_7363_656E_74)

  init(_ component: Component, from packing: Packing) {
    self.component = component
    self.packing = packing
    let ranking = Ranking(component)
    // The first alone solves most of the instances that can be solved at all, with one rule or another.
    ranks = [Strategy.Order.shape, .size, .conflicts, .breadth, .start, .area].map { order in
      var rank = Array(repeating: 0, count: component.count)
      for (position, item) in ranking.items(by: order).enumerated() { rank[item] = position }
      return rank
    }
  }

  /// Searches until the height is at most `target`, cannot be lower, or the budget is spent.
  mutating func run(target: Int, budget: inout Budget) {
    var search = Search(component)
    var round = 0
    while packing.height > max(target, packing.floor), !budget.isSpent {
      if attempt(limit: max(target, packing.floor), round: round, with: &search, budget: &budget) { continue }
      if round == 0 { climb(target: target, budget: &budget) }
      // The target is too hard for now: halve the distance from above, and twice from below.
      var (low, failures) = (max(target, packing.floor), 0)
      while packing.height - low > 1, failures < 2, !budget.isSpent {
        let middle = low + (packing.height - low) / 2
        if !attempt(limit: middle, round: round, with: &search, budget: &budget) {
          low = middle
          failures += 1
        }
        low = max(low, packing.floor)
      }
      round += 1
    }
  }

  /// Spends a small part of the budget on hill climbing.
  private mutating func climb(target: Int, budget: inout Budget) {
    let steps = min(budget.remaining / 16, 20_000_000)
    var share = budget.part(steps)
    defer { budget.settle(share, of: steps) }
    var climb = Climb(component)
    if let found = climb.run(from: packing.order, height: packing.height, target: target, budget: &share) {
      packing.offsets = found.offsets
      packing.height = found.height
      packing.strategy = .climb
    }
  }

  /// Tries every combination at one limit, with a quarter of what is left of the budget at most.
  ///
  /// - Returns: whether a packing was found or the floor was raised.
  private mutating func attempt(
    limit: Int, round: Int, with search: inout Search, budget: inout Budget
  ) -> Bool {
    let steps = budget.remaining / 4 + 1
    var share = budget.part(steps)
    defer { budget.settle(share, of: steps) }
    // A packing takes a node per item when nothing goes wrong.
    let nodes = (2 * component.count + 16) << min(2 * round, 40)
    for rank in ranks {
      for rule in Search.Rule.allCases {
        let rank = round == 0 ? rank : shuffled(rank)
        switch search.run(limit: limit, rule: rule, rank: rank, nodes: nodes, budget: &share) {
        case .found:
          packing.offsets = search.offsets
          packing.height = component.height(search.offsets)
          packing.strategy = .search
          return true
        case .impossible:
          packing.floor = limit + 1
          return true
        case .undecided:
          if share.isSpent { return false }
        }
      }
    }
    return false
  }

  /// Ranks moved down by up to an eighth of all.
  private mutating func shuffled(_ rank: [Int]) -> [Int] {
    rank.map { $0 * 8 + random.below(component.count) }
  }
}
