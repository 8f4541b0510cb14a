/// A partial packing of one component, with what it implies for the items not yet placed.
///
/// The items of a section are piled up from the bottom, so the state is a skyline. Every item not yet placed has a lowest
/// offset, and every section a floor: the least of the lowest offsets of its items, since nothing can lie below it.
/// Everything lives in flat memory and every change is on a trail, so that a move allocates nothing.
struct SearchState: ~Copyable {
  let count: Int
  let sectionCount: Int
  /// The height that must not be exceeded.
  private(set) var limit = 0

  // The component, as plain memory. Items are in the order of their first sections.
  let size, first, end, fixed: UnsafeMutablePointer<Int>
  private let alignment: UnsafeMutablePointer<Int>
  /// The items that start in section s are those from `firstItem[s]` up to `firstItem[s + 1]`.
  let firstItem: UnsafeMutablePointer<Int>
  /// The items live in section s are at `memberStart[s]` up to `memberStart[s + 1]` of `member`.
  private let memberStart, member: UnsafeMutablePointer<Int>

  // The packing.
  /// The offset of a placed item, the lowest possible offset of another.
  let offset: UnsafeMutablePointer<Int>
  let isPlaced: UnsafeMutablePointer<Bool>
  let floor: UnsafeMutablePointer<Int>
  /// The end of the highest placed item of a section.
  let skyline: UnsafeMutablePointer<Int>
  /// The units of a section that are not yet placed.
  let rest: UnsafeMutablePointer<Int>
  /// The items not yet placed that are live both in a section and in the next.
  let crossing: UnsafeMutablePointer<Int>
  /// An item not yet placed whose lowest offset is the floor; only when it moves can the floor rise.
  private let witness: UnsafeMutablePointer<Int>

  private var trail: [(cell: UnsafeMutablePointer<Int>, old: Int)] = []
  /// The sections whose floor must be found anew, and for each section the move in which it was last listed.
  private let stale, staleSince: UnsafeMutablePointer<Int>
  private var staleCount = 0
  private var move = 0
  /// The work done, in memory cells looked at.
  private var steps = 0

  init(_ component: Component) {
    func cells(_ values: [Int]) -> UnsafeMutablePointer<Int> {
      let cells = UnsafeMutablePointer<Int>.allocate(capacity: max(1, values.count))
      cells.initialize(from: values, count: values.count)
      return cells
    }
    let (items, sections) = (component.count, component.sectionCount)
    var members: [[Int]] = Array(repeating: [], count: sections)
    for item in 0..<items {
      for section in component.first[item]..<component.end[item] { members[section].append(item) }
    }
    var starts = Array(repeating: 0, count: sections + 1)
    for section in component.first { starts[section + 1] += 1 }
    for section in 0..<sections { starts[section + 1] += starts[section] }
    count = items
    sectionCount = sections
    size = cells(component.size)
    first = cells(component.first)
    end = cells(component.end)
    fixed = cells(component.fixed)
    alignment = cells(component.alignment)
    firstItem = cells(starts)
    memberStart = cells(members.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) })
    member = cells(Array(members.joined()))
    offset = cells(Array(repeating: 0, count: items))
    isPlaced = .allocate(capacity: max(1, items))
    isPlaced.initialize(repeating: false, count: items)
    let zeros = Array(repeating: 0, count: sections)
    floor = cells(zeros)
    skyline = cells(zeros)
    rest = cells(zeros)
    crossing = cells(zeros)
    witness = cells(zeros)
    stale = cells(zeros)
    staleSince = cells(zeros)
  }

  deinit {
    isPlaced.deallocate()
    for cells in [size, first, end, fixed, alignment, firstItem, memberStart, member] { cells.deallocate() }
    for cells in [offset, floor, skyline, rest, crossing, witness, stale, staleSince] { cells.deallocate() }
  }

  /// Starts over with nothing placed.
  ///
  /// - Returns: whether all items can possibly be kept within `limit`.
  mutating func reset(limit: Int) -> Bool {
    self.limit = limit
    trail.removeAll(keepingCapacity: true)
    for section in 0..<sectionCount {
      floor[section] = -1
      skyline[section] = 0
      rest[section] = 0
      crossing[section] = 0
    }
    for item in 0..<count {
      isPlaced[item] = false
      offset[item] = max(0, fixed[item])
      if offset[item] + size[item] > limit { return false }
      for section in first[item]..<end[item] {
        rest[section] += size[item]
        if section + 1 < end[item] { crossing[section] += 1 }
      }
    }
    beginMove()
    for section in 0..<sectionCount { markStale(section) }
    return raiseFloors()
  }

  /// The work done since the last call.
  mutating func takeSteps() -> Int {
    defer { steps = 0 }
    return steps
  }

  // MARK: Moves

  /// The point of the trail to which ``undo(to:)`` returns.
  var mark: Int { trail.count }

  mutating func undo(to mark: Int) {
    while trail.count > mark {
      let (cell, old) = trail.removeLast()
      cell.pointee = old
    }
  }

  /// Puts an item at its lowest offset; `lower` is the first section of the range that is being solved.
  ///
  /// - Returns: whether the others can possibly be kept within the limit.
  mutating func place(_ item: Int, from lower: Int) -> Bool {
    let top = offset[item] + size[item]
    isPlaced[item] = true
    beginMove()
    for section in first[item]..<end[item] {
      set(skyline + section, to: top)
      rest[section] -= size[item]
      if section + 1 < end[item] { crossing[section] -= 1 }
      if witness[section] == item { markStale(section) }
    }
    let (start, stop) = (firstItem[lower], firstItem[end[item]])
    for other in start..<stop where end[other] > first[item] && offset[other] < top && !isPlaced[other] {
      if !lift(other, to: top) { return false }
    }
    steps += stop - start
    return raiseFloors()
  }

  /// Takes back the item placed last, after ``undo(to:)``.
  mutating func remove(_ item: Int) {
    isPlaced[item] = false
    for section in first[item]..<end[item] {
      rest[section] += size[item]
      if section + 1 < end[item] { crossing[section] += 1 }
    }
  }

  /// Rules out that anything lies at the floor of a section.
  ///
  /// Whatever lies next above that floor then rests on an item that is not live in the section, and not yet placed.
  ///
  /// - Returns: whether the items can possibly be kept within the limit.
  mutating func skip(_ section: Int, from lower: Int) -> Bool {
    let bottom = floor[section]
    let items = memberStart[section]..<memberStart[section + 1]
    var next = Int.max
    for position in items where !isPlaced[member[position]] {
      let item = member[position]
      next = min(next, offset[item] > bottom ? offset[item] : lowestSupport(of: item, outside: section, from: lower))
    }
    if next == .max || next + rest[section] > limit { return false }
    beginMove()
    for position in items where !isPlaced[member[position]] && offset[member[position]] < next {
      if !lift(member[position], to: next) { return false }
    }
    return raiseFloors()
  }

  /// Whether an item at its lowest offset lies on the floor everywhere and rests on the bottom or on a placed item.
  ///
  /// A fixed item rests on nothing.
  func canLie(_ item: Int) -> Bool {
    let bottom = offset[item]
    var rests = bottom == 0 || fixed[item] >= 0
    for section in first[item]..<end[item] {
      if floor[section] != bottom { return false }
      if !rests { rests = roundUp(skyline[section], to: alignment[item]) == bottom }
    }
    return rests
  }

  /// The lowest end of an item not yet placed that overlaps `item` but is not live in `section`, aligned for `item`.
  private mutating func lowestSupport(of item: Int, outside section: Int, from lower: Int) -> Int {
    if fixed[item] >= 0 { return .max }
    var lowest = Int.max
    let (start, stop) = (firstItem[lower], firstItem[end[item]])
    for other in start..<stop where end[other] > first[item] && !isPlaced[other] {
      if first[other] > section || end[other] <= section { lowest = min(lowest, offset[other] + size[other]) }
    }
    steps += stop - start
    return lowest == .max ? .max : roundUp(lowest, to: alignment[item])
  }

  // MARK: Consequences

  private mutating func set(_ cell: UnsafeMutablePointer<Int>, to value: Int) {
    trail.append((cell, cell.pointee))
    cell.pointee = value
  }

  private mutating func beginMove() {
    move += 1
    staleCount = 0
  }

  private mutating func markStale(_ section: Int) {
    if staleSince[section] == move { return }
    staleSince[section] = move
    stale[staleCount] = section
    staleCount += 1
  }

  /// Raises the lowest offset of an item; false if it then cannot stay within the limit.
  private mutating func lift(_ item: Int, to value: Int) -> Bool {
    let value = roundUp(value, to: alignment[item])
    set(offset + item, to: value)
    if value + size[item] > limit || (fixed[item] >= 0 && value > fixed[item]) { return false }
    for section in first[item]..<end[item] where witness[section] == item { markStale(section) }
    steps += end[item] - first[item]
    return true
  }

  /// Finds the stale floors anew; false if what remains of a section does not fit above its floor.
  private mutating func raiseFloors() -> Bool {
    for index in 0..<staleCount {
      let section = stale[index]
      if rest[section] == 0 { continue }
      var (lowest, item) = (Int.max, -1)
      for position in memberStart[section]..<memberStart[section + 1] {
        let other = member[position]
        if offset[other] < lowest && !isPlaced[other] { (lowest, item) = (offset[other], other) }
      }
      steps += memberStart[section + 1] - memberStart[section]
      set(witness + section, to: item)
      if lowest != floor[section] { set(floor + section, to: lowest) }
      if lowest + rest[section] > limit { return false }
    }
    return true
  }
}
