/// Hill climbing over the order of greedy placement: items that reach the peak are moved before items they rest on.
///
/// The idea is that of TVM's and Vela's hill-climb allocators; random numbers come from a fixed seed.
struct Climb {
  private var greedy: Greedy
  private var random = SplitMix64(state: 0x4C61_7468_65)

  init(_ component: Component) { greedy = Greedy(component) }

  /// Improves an order until its height is at most `target` or the budget is spent.
  ///
  /// - Returns: the lowest placement seen, if any was below `height`.
  mutating func run(
    from start: [Int], height: Int, target: Int, budget: inout Budget
  ) -> (offsets: [Int], height: Int)? {
    let component = greedy.component
    var order = start
    guard order.count > 1, var current = place(order, limit: .max, budget: &budget) else { return nil }
    var currentOffsets = greedy.offsets
    var best: (offsets: [Int], height: Int)?
    var lowest = height
    while true {
      if current < lowest {
        lowest = current
        best = (currentOffsets, current)
      }
      if lowest <= target || budget.isSpent { return best }
      var candidate = order
      // Any item at the peak may be the one to move; where there are several, each in its turn.
      let peak = candidate.indices.filter {
        currentOffsets[candidate[$0]] + component.size[candidate[$0]] == current
      }
      let mover = peak[random.below(peak.count)]
      let item = candidate[mover]
      let earlier = candidate.indices.filter { $0 < mover && component.overlap(candidate[$0], item) }
      if earlier.isEmpty || random.below(4) == 0 {
        candidate.swapAt(random.below(candidate.count), random.below(candidate.count))
      } else {
        candidate.remove(at: mover)
        candidate.insert(item, at: earlier[random.below(earlier.count)])
      }
      // A sideways move is taken too: most of the landscape is flat.
      if let next = place(candidate, limit: current, budget: &budget) {
        (order, current, currentOffsets) = (candidate, next, greedy.offsets)
      }
    }
  }

  private mutating func place(_ order: [Int], limit: Int, budget: inout Budget) -> Int? {
    let before = greedy.steps
    let height = greedy.place(order, fit: .first, limit: limit)
    budget.spend(greedy.steps - before + order.count)
    return height
  }
}
