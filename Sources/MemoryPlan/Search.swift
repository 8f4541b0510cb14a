/// An exact search for a packing of one component within a limit.
///
/// Like MiniMalloc (Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning",
/// ASPLOS 2023) it looks only at packings in which every item rests on the bottom or on another item, keeps a floor for
/// each section of time, and splits the problem where nothing that remains is live across. It differs in what it branches
/// on: not on the item to come next anywhere, but on a section that is lower than its neighbours, where either one of
/// the few items that can lie on that floor does, or none. The section with the fewest ways is taken first, and partial
/// packings found hopeless are remembered by their outline.
struct Search: ~Copyable {
  enum Outcome { case found, impossible, undecided }

  /// Which of the low sections to decide first; one whose decision is forced always is.
  enum Rule: CaseIterable {
    /// The one with the fewest ways, counted less where there was failure before.
    case fewest
    /// The one with the least room to waste, counted less where there was failure before.
    case tightest
    /// The one with the least product of ways and room to waste.
    case both
    /// The one with the least room to waste; failures do not count.
    case steady
    /// The one with the lowest floor.
    case lowest
  }

  /// The offsets of the last packing found.
  private(set) var offsets: [Int]

  private var state: SearchState
  private var memo: Memo
  private var rule = Rule.fewest
  /// The rank of each item among those that could be put in one place; the lowest is tried first.
  private var rank: [Int] = []
  private var nodesLeft = 0
  private var budget = Budget(steps: 0, deadline: nil)
  /// The number of failures in each section, and one.
  private var failures: [Double]
  /// The items still to be tried, of all the nodes on the way.
  private var candidates: [Int] = []
  /// Where the ways of each section are counted.
  private var ways: [Int]
  private var depth = 0

  /// The depth at which a search gives up rather than exhaust the stack of a small thread.
  private static let maximumDepth = 2500

  init(_ component: Component) {
    state = SearchState(component)
    memo = Memo(itemCount: component.count)
    offsets = Array(repeating: 0, count: component.count)
    failures = Array(repeating: 1, count: component.sectionCount)
    ways = Array(repeating: 0, count: component.sectionCount + 1)
  }

  /// Looks for a packing no higher than `limit`.
  ///
  /// - Returns: `undecided` when the nodes or the budget are spent first.
  mutating func run(limit: Int, rule: Rule, rank: [Int], nodes: Int, budget: inout Budget) -> Outcome {
    self.rule = rule
    self.rank = rank
    self.budget = budget
    nodesLeft = nodes
    defer { budget = self.budget }
    return state.reset(limit: limit) ? solve(0, state.sectionCount) : .impossible
  }

  /// Packs the items that are live only within a range of sections.
  private mutating func solve(_ lower: Int, _ upper: Int) -> Outcome {
    nodesLeft -= 1
    budget.spend(state.takeSteps() + state.firstItem[upper] - state.firstItem[lower] + 1)
    if nodesLeft < 0 || budget.isSpent || depth >= Self.maximumDepth { return .undecided }
    let key = memo.key(of: state, lower, upper)
    if memo.contains(key) { return .impossible }
    let section = choose(lower, upper)
    if ways[section] > 0 {
      depth += 1
      let outcome = decide(section, lower, upper)
      depth -= 1
      if outcome != .impossible { return outcome }
    }
    failures[section] += 1
    memo.insert(key)
    return .impossible
  }

  /// Tries every item that can lie on the floor of a section, then none.
  private mutating func decide(_ section: Int, _ lower: Int, _ upper: Int) -> Outcome {
    let base = candidates.count
    defer { candidates.removeLast(candidates.count - base) }
    collectCandidates(section, lower)
    let mark = state.mark
    for index in base..<candidates.count {
      let item = candidates[index]
      let outcome = state.place(item, from: lower) ? solveParts(around: item, lower, upper) : .impossible
      if outcome == .found { offsets[item] = state.offset[item] }
      state.undo(to: mark)
      state.remove(item)
      if outcome != .impossible { return outcome }
    }
    if state.floor[section] + state.rest[section] == state.limit { return .impossible }
    let outcome = state.skip(section, from: lower) ? solve(lower, upper) : .impossible
    state.undo(to: mark)
    return outcome
  }

  /// Solves the ranges into which the placing of an item has cut a range.
  private mutating func solveParts(around item: Int, _ lower: Int, _ upper: Int) -> Outcome {
    var start = lower
    for section in state.first[item]..<state.end[item] where section + 1 == upper || state.crossing[section] == 0 {
      let outcome = solvePart(start, section + 1)
      if outcome != .found { return outcome }
      start = section + 1
    }
    return start < upper ? solvePart(start, upper) : .found
  }

  private mutating func solvePart(_ lower: Int, _ upper: Int) -> Outcome {
    // A range is cut wherever nothing crosses, so only one that is a single section can be empty.
    upper - lower == 1 && state.rest[lower] == 0 ? .found : solve(lower, upper)
  }

  // MARK: Branching

  /// Puts the items that can lie on the floor of a section on the stack, in the order of their ranks.
  private mutating func collectCandidates(_ section: Int, _ lower: Int) {
    let base = candidates.count
    for item in state.firstItem[lower]..<state.firstItem[section + 1]
    where state.end[item] > section && !state.isPlaced[item] && state.canLie(item) {
      var place = candidates.count
      candidates.append(item)
      while place > base && rank[candidates[place - 1]] > rank[item] {
        candidates.swapAt(place, place - 1)
        place -= 1
      }
    }
  }

  /// The section to decide, with the number of its ways in ``ways``.
  ///
  /// Only runs of equal floors that are lower than both neighbours come into question: an item on such a floor lies
  /// within the run, so that nothing can ever come to lie below it.
  private mutating func choose(_ lower: Int, _ upper: Int) -> Int {
    for section in lower...upper { ways[section] = 0 }
    for item in state.firstItem[lower]..<state.firstItem[upper] where !state.isPlaced[item] {
      if state.canLie(item) {
        ways[state.first[item]] += 1
        ways[state.end[item]] -= 1
      }
    }
    var best = lower
    var bestCost = (Double.infinity, Double.infinity)
    var (section, open) = (lower, 0)
    while section < upper {
      let level = state.floor[section]
      let start = section
      repeat {
        open += ways[section]
        ways[section] = open
        section += 1
      } while section < upper && state.floor[section] == level
      if (start > lower && state.floor[start - 1] <= level) || (section < upper && state.floor[section] <= level) {
        continue
      }
      for candidate in start..<section {
        let slack = state.limit - level - state.rest[candidate]
        if slack > 0 { ways[candidate] += 1 }
        let cost = cost(of: candidate, slack: slack)
        if cost < bestCost { (best, bestCost) = (candidate, cost) }
      }
    }
    return best
  }

  private func cost(of section: Int, slack: Int) -> (Double, Double) {
    let (ways, slack) = (Double(ways[section]), Double(slack))
    if ways <= 1 { return (ways - 2, slack) }
    return switch rule {
    case .fewest: (ways / failures[section], slack)
    case .tightest: ((slack + 1) / failures[section], ways)
    case .both: (ways * (slack + 4), ways)
    case .steady: (slack, 0)
    case .lowest: (Double(state.floor[section]), 0)
    }
  }
}

/// The outlines of ranges that were found hopeless.
///
/// An outline is the floors, whether something ends at each, and the items that remain; how they came about is
/// irrelevant. Only a hash of 64 bits is kept, and newer entries may displace older ones.
private struct Memo {
  private var table = Array(repeating: UInt64(0), count: 1 << 12)
  private var used = 0
  private let itemKey: [UInt64]

  private static let maximumCount = 1 << 22

  init(itemCount: Int) {
    var random = SplitMix64(state: 0x4D65_6D6F)
    itemKey = (0..<itemCount).map { _ in random.next() }
  }

  func key(of state: borrowing SearchState, _ lower: Int, _ upper: Int) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: state.limit) << 20 ^ UInt64(truncatingIfNeeded: lower)
    for section in lower..<upper {
      let rests = state.skyline[section] == state.floor[section] ? 1 : 0
      hash = (hash ^ UInt64(truncatingIfNeeded: state.floor[section] << 1 | rests)) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }
    for item in state.firstItem[lower]..<state.firstItem[upper] where !state.isPlaced[item] { hash ^= itemKey[item] }
    return hash | 1
  }

  func contains(_ key: UInt64) -> Bool { table[Int(key >> 32) & (table.count - 1)] == key }

  mutating func insert(_ key: UInt64) {
    if used > table.count / 2 && table.count < Self.maximumCount { grow() }
    let index = Int(key >> 32) & (table.count - 1)
    if table[index] == 0 { used += 1 }
    table[index] = key
  }

  private mutating func grow() {
    let old = table
    table = Array(repeating: 0, count: old.count * 4)
    used = 0
    for key in old where key != 0 {
      table[Int(key >> 32) & (table.count - 1)] = key
      used += 1
    }
  }
}
