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

/// A small generator with a fixed sequence for each seed (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in `0..<bound`, nearly uniform.
  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}

/// The work that may still be done.
struct Budget {
  private(set) var remaining: Int
  private let deadline: ContinuousClock.Instant?
  /// The steps until the clock is next read, since reading it costs more than a step.
  private var untilClock = 0
  private var isLate = false

  init(steps: Int, deadline: ContinuousClock.Instant?) {
    remaining = max(0, steps)
    self.deadline = deadline
  }

  var isSpent: Bool { remaining <= 0 || isLate }

  mutating func spend(_ steps: Int) {
    remaining -= steps
    guard let deadline else { return }
    untilClock -= steps
    if untilClock <= 0 {
      untilClock = 200_000
      isLate = ContinuousClock.now >= deadline
    }
  }

  /// A part of the budget, at most `steps`; what is used of it is taken with ``settle(_:of:)``.
  func part(_ steps: Int) -> Budget { Budget(steps: isLate ? 0 : min(steps, remaining), deadline: deadline) }

  /// Takes what was used of a part.
  mutating func settle(_ part: Budget, of steps: Int) { spend(min(steps, remaining) - part.remaining) }
}
