/// Gives every buffer an offset, as low an arena as the work allowed can find.
///
/// Aliases are merged first. What remains is divided where no buffer is live across, and each component goes through
/// greedy passes, exact searches and a little hill climbing, and leaves the way as soon as it is no taller than the lower
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
    offsets: map.offsets(ofStorages: storageOffsets), height: height, lowerBound: planner.lowerBound,
    isOptimal: planner.isOptimal, strategy: planner.strategy,
    steps: options.steps - planner.budget.remaining, elapsed: clock.now - start)
}

/// The state of planning: the best placement so far of every component.
private struct Planner {
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

  /// The height in units that some component cannot go below.
  private var floor: Int { packings.map(\.floor).max() ?? 0 }

  /// Whether the tallest component cannot be lower.
  var isOptimal: Bool { (packings.map(\.height).max() ?? 0) <= floor }

  /// The bytes that no plan can go below; the padding of the highest storage does not count.
  var lowerBound: Int { max(parts.lowerBound, floor * parts.unit - parts.grain + 1) }

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
        var descent = Descent(parts.components[index], from: packings[index])
        descent.run(target: target, budget: &part)
        packings[index] = descent.packing
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
}
