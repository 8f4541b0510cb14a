/// Greedy placement: one item after the other, each into a gap left by those before it.
///
/// The family of TensorFlow Lite's planners (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
/// Inference", 2020) and of XLA's best-fit heap.
struct Greedy {
  let component: Component
  /// The items that have a place, by offset.
  private var placed: [Int] = []
  private(set) var offsets: [Int]
  /// The work done: items looked at.
  private(set) var steps = 0

  init(_ component: Component) {
    self.component = component
    offsets = Array(repeating: 0, count: component.count)
    placed.reserveCapacity(component.count)
  }

  /// Places all items in the given order, fixed ones first; the result is in ``offsets``.
  ///
  /// - Returns: the height, or `nil` as soon as it is known to exceed `limit`.
  mutating func place(_ order: [Int], fit: Strategy.Fit, limit: Int = .max) -> Int? {
    placed.removeAll(keepingCapacity: true)
    var height = 0
    for item in order where component.fixed[item] >= 0 {
      insert(item, at: component.fixed[item])
      height = max(height, component.fixed[item] + component.size[item])
    }
    for item in order where component.fixed[item] < 0 {
      let offset = gap(for: item, fit: fit)
      height = max(height, offset + component.size[item])
      if height > limit { return nil }
      insert(item, at: offset)
    }
    return height
  }

  private mutating func gap(for item: Int, fit: Strategy.Fit) -> Int {
    let (size, alignment) = (component.size[item], component.alignment[item])
    var bottom = 0
    var best: (offset: Int, waste: Int)?
    steps += placed.count
    for other in placed where component.overlap(item, other) {
      let waste = offsets[other] - bottom - size
      if waste >= 0 {
        if fit == .first { return bottom }
        if waste < best?.waste ?? .max { best = (bottom, waste) }
      }
      bottom = max(bottom, roundUp(offsets[other] + component.size[other], to: alignment))
    }
    return best?.offset ?? bottom
  }

  private mutating func insert(_ item: Int, at offset: Int) {
    offsets[item] = offset
    var (low, high) = (0, placed.count)
    while low < high {
      let middle = (low + high) / 2
      if offsets[placed[middle]] <= offset { low = middle + 1 } else { high = middle }
    }
    placed.insert(item, at: low)
  }
}

/// The orders in which greedy placement takes the items.
struct Ranking {
  private let component: Component
  /// The most units live at once with each item.
  private var breadth: [Int]
  /// The number of items that overlap each item in time, itself included.
  private var conflicts: [Int]

  init(_ component: Component) {
    self.component = component
    let load = component.load
    breadth = (0..<component.count).map { load[component.first[$0]..<component.end[$0]].max() ?? 0 }
    // Those that overlap an item are those that start before its end, less those that end before its start.
    var started = Array(repeating: 0, count: component.sectionCount + 1)
    var ended = started
    for item in 0..<component.count {
      started[component.first[item] + 1] += 1
      ended[component.end[item]] += 1
    }
    for section in 0..<component.sectionCount {
      started[section + 1] += started[section]
      ended[section + 1] += ended[section]
    }
    conflicts = (0..<component.count).map { started[component.end[$0]] - ended[component.first[$0]] }
  }

  /// The items in the order of a rule, those of equal rank by index.
  func items(by order: Strategy.Order) -> [Int] {
    let keys = (0..<component.count).map { key($0, order) }
    return (0..<component.count).sorted { keys[$0] == keys[$1] ? $0 < $1 : keys[$0] > keys[$1] }
  }

  private func key(_ item: Int, _ order: Strategy.Order) -> (Double, Double, Double) {
    let (size, width) = (Double(component.size[item]), Double(component.end[item] - component.first[item]))
    return switch order {
    case .size: (size, width, 0)
    case .area: (size * width, 0, 0)
    case .duration: (width, size, 0)
    case .breadth: (Double(breadth[item]), size * width, 0)
    case .start: (-Double(component.first[item]), size, 0)
    case .conflicts: (Double(conflicts[item]), size * width, 0)
    case .shape: (width, size * width, Double(breadth[item]))
    }
  }
}
