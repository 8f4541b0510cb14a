/// Gives every buffer an offset, as low an arena as the work allowed can find.
///
/// Aliases are merged first. What remains is divided where no buffer is live across, and each component goes through
/// greedy passes, a short hill climb and an exact search, and leaves the way as soon as it is no taller than the lower
/// bound of the whole. There is always a plan; whether it is within the capacity is for ``Plan/fits(_:)`` to say.
public func plan(_ problem: Problem, options: PlannerOptions = PlannerOptions()) -> Plan {
  let clock = ContinuousClock()
  let start = clock.now
  // A problem is checked when it is made, so merging its aliases cannot fail now.
  guard let map = try? StorageMap(buffers: problem.buffers, aliases: problem.aliases) else {
    return Plan(offsets: [], height: 0)
  }
  let parts = Decomposition(map.storages)
  var planner = Planner(
    parts: parts, capacity: problem.capacity, options: options,
    budget: Budget(steps: options.steps, deadline: options.timeLimit.map { start + $0 }))
  planner.run()

  var storageOffsets = map.storages.map { $0.fixedOffset ?? 0 }
  for (part, packing) in zip(parts.components, planner.packings) {
    for (item, storage) in part.storage.enumerated() { storageOffsets[storage] = packing.offsets[item] * parts.unit }
  }
  let height = zip(storageOffsets, map.storages).map { $0 + $1.size }.max() ?? 0
  return Plan(
    offsets: map.offsets(ofStorages: storageOffsets), height: height, lowerBound: parts.lowerBound,
    isOptimal: planner.isOptimal, strategy: planner.strategy,
    steps: options.steps - planner.budget.remaining, elapsed: clock.now - start)
}

/// The state of planning: the best placement so far of every component.
private struct Planner {
  struct Packing {
    var offsets: [Int]
    var height: Int
    var strategy: Strategy
    /// A height that the component cannot go below.
    var floor: Int
    /// The order of the best greedy pass, from which the climb starts.
    var order: [Int]
  }

  let parts: Decomposition
  let options: PlannerOptions
  var budget: Budget
  var packings: [Packing] = []
  /// The height in units that is good enough.
  private var target: Int

  init(parts: Decomposition, capacity: Int?, options: PlannerOptions, budget: Budget) {
    self.parts = parts
    self.options = options
    self.budget = budget
    target = parts.components.map(\.lowerBound).max() ?? 0
    if options.goal == .fit, let capacity { target = max(target, capacity / parts.unit) }
  }

  /// Whether the tallest component cannot be lower.
  var isOptimal: Bool {
    (packings.map(\.height).max() ?? 0) <= (packings.map(\.floor).max() ?? 0)
  }

  var strategy: Strategy {
    packings.max { $0.height < $1.height }?.strategy ?? .given
  }

  mutating func run() {
    for part in parts.components { packings.append(greedy(part)) }
    // The tallest first: what it ends up with is good enough for the others.
    let tall = packings.indices.filter { packings[$0].height > target }
      .sorted { (packings[$1].height, $0) < (packings[$0].height, $1) }
    for (done, index) in tall.enumerated() {
      if packings[index].height > target {
        let steps = done + 1 < tall.count ? budget.remaining / 2 : budget.remaining
        var part = budget.part(steps)
        improve(index, budget: &part)
        budget.settle(part, of: steps)
      }
      target = max(target, packings[index].height)
    }
  }

  private func greedy(_ part: Component) -> Packing {
    let ranking = Ranking(part)
    var pass = Greedy(part)
    var best: Packing?
    for order in Strategy.Order.allCases {
      let items = ranking.items(by: order)
      for fit in Strategy.Fit.allCases {
        if let height = pass.place(items, fit: fit, limit: (best?.height ?? .max) - 1) {
          best = Packing(
            offsets: pass.offsets, height: height, strategy: .greedy(order, fit), floor: part.lowerBound, order: items)
          if height <= target { break }
        }
      }
      if let best, best.height <= target { break }
    }
    return best ?? Packing(offsets: [], height: 0, strategy: .given, floor: 0, order: [])
  }

  private mutating func improve(_ index: Int, budget: inout Budget) {
    let part = parts.components[index]
    if !noclimb {
    var climb = Climb(part)
    let steps = min(budget.remaining / 8, 20_000_000)
    var share = budget.part(steps)
    if let found = climb.run(
      from: packings[index].order, height: packings[index].height, target: target, budget: &share)
    {
      packings[index].offsets = found.offsets
      packings[index].height = found.height
      packings[index].strategy = .climb
    }
    budget.settle(share, of: steps)
    }
    let packing = packings[index]
    var descent = Descent(part, offsets: packing.offsets, height: packing.height, floor: packing.floor)
    descent.run(target: target, budget: &budget)
    packings[index].floor = descent.floor
    if descent.height < packing.height {
      packings[index].offsets = descent.offsets
      packings[index].height = descent.height
      packings[index].strategy = .search
    }
  }
}
nonisolated(unsafe) var noclimb = false
