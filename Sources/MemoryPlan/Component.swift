/// A set of storages that no step of time divides in two, in the compact form that the algorithms work on.
///
/// Bytes are counted in units that divide everything. Time is counted in sections: the steps between the start of one
/// storage and the next end of another, of which only those matter that no other section contains. (They are the cross
/// sections of MiniMalloc; see ``Search``.)
struct Component {
  /// The index of each item among the storages of the problem.
  var storage: [Int] = []
  /// The units that each item needs, padding to the common alignment included.
  var size: [Int] = []
  /// The first section in which each item is live.
  var first: [Int] = []
  /// The section after the last in which each item is live.
  var end: [Int] = []
  /// The units that each offset must be a multiple of.
  var alignment: [Int] = []
  /// The offset in units that an item must have, or -1.
  var fixed: [Int] = []
  var sectionCount = 0

  var count: Int { size.count }

  /// The units live in each section.
  var load: [Int] {
    var load = Array(repeating: 0, count: sectionCount)
    for item in 0..<count {
      for section in first[item]..<end[item] { load[section] += size[item] }
    }
    return load
  }

  /// The units that no plan of this component can go below.
  var lowerBound: Int {
    var bound = load.max() ?? 0
    for item in 0..<count where fixed[item] >= 0 { bound = max(bound, fixed[item] + size[item]) }
    return bound
  }

  func height(_ offsets: [Int]) -> Int {
    var height = 0
    for item in 0..<count { height = max(height, offsets[item] + size[item]) }
    return height
  }

  func overlap(_ a: Int, _ b: Int) -> Bool { first[a] < end[b] && first[b] < end[a] }
}

/// The number rounded up to a multiple of a power of two.
func roundUp(_ value: Int, to alignment: Int) -> Int { (value + alignment - 1) & ~(alignment - 1) }

/// A list of storages divided into components.
struct Decomposition {
  /// The bytes in a unit.
  let unit: Int
  /// The alignment that all storages have; sizes are rounded up to it.
  let grain: Int
  private(set) var components: [Component] = []
  /// The bytes that no plan can go below.
  let lowerBound: Int

  init(_ storages: [Storage]) {
    let items = storages.indices.filter { storages[$0].size > 0 }
    let grain = items.lazy.map { storages[$0].alignment }.min() ?? 1
    var unit = 0
    for item in items {
      unit = gcd(unit, roundUp(storages[item].size, to: grain))
      unit = gcd(unit, storages[item].fixedOffset ?? 0)
    }
    for item in items where unit % storages[item].alignment != 0 { unit = gcd(unit, storages[item].alignment) }
    self.unit = max(unit, 1)
    self.grain = grain
    var sweep = Sweep(storages: storages, grain: grain, unit: self.unit)
    sweep.run(items)
    components = sweep.components
    lowerBound = sweep.lowerBound
  }
}

private func gcd(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}

/// One pass over the starts and ends of lifetimes.
private struct Sweep {
  let storages: [Storage]
  let grain: Int
  let unit: Int
  var components: [Component] = []
  var lowerBound = 0

  private var current = Component()
  /// The position in the current component of each live storage.
  private var position: [Int: Int] = [:]

  init(storages: [Storage], grain: Int, unit: Int) {
    self.storages = storages
    self.grain = grain
    self.unit = unit
  }

  mutating func run(_ items: [Int]) {
    // Ends come before starts, since lifetimes are half-open.
    let points =
      items.flatMap { item in
        let span = storages[item].lifetime
        return [(time: span.lowerBound, starts: 1, item: item), (time: span.upperBound, starts: 0, item: item)]
      }
      .sorted { ($0.time, $0.starts, $0.item) < ($1.time, $1.starts, $1.item) }
    // Whether something has started since the last section was closed; if not, the live storages are fewer than then.
    var grew = false
    var liveBytes = 0
    for point in points {
      let storage = storages[point.item]
      if point.starts == 1 {
        position[point.item] = current.count
        append(storage, item: point.item)
        liveBytes += roundUp(storage.size, to: grain)
        grew = true
      } else {
        if grew {
          noteLowerBound(liveBytes)
          current.sectionCount += 1
          grew = false
        }
        liveBytes -= roundUp(storage.size, to: grain)
        if let index = position.removeValue(forKey: point.item) { current.end[index] = current.sectionCount }
        if position.isEmpty {
          components.append(current)
          current = Component()
        }
      }
    }
  }

  private mutating func append(_ storage: Storage, item: Int) {
    current.storage.append(item)
    current.size.append(roundUp(storage.size, to: grain) / unit)
    current.first.append(current.sectionCount)
    current.end.append(current.sectionCount)
    current.alignment.append(max(1, storage.alignment / unit))
    current.fixed.append(storage.fixedOffset.map { $0 / unit } ?? -1)
    if let offset = storage.fixedOffset { lowerBound = max(lowerBound, offset + storage.size) }
  }

  /// The highest storage of a section needs no padding, so the largest padding is not counted.
  private mutating func noteLowerBound(_ liveBytes: Int) {
    let slack = grain == 1 ? 0 : position.keys.map { -storages[$0].size & (grain - 1) }.max() ?? 0
    lowerBound = max(lowerBound, liveBytes - slack)
  }
}
