/// Positions in a memory as runs of neighbours, ascending, that neither meet nor touch.
struct PositionSet: Hashable {
  private(set) var runs: [Range<Int>] = []

  static let empty = PositionSet()

  init() {}

  init(_ range: Range<Int>) { if !range.isEmpty { runs = [range] } }

  /// Joins runs in any order.
  init(joining runs: [Range<Int>]) {
    let isSorted = zip(runs, runs.dropFirst()).allSatisfy { $0.lowerBound <= $1.lowerBound }
    for run in isSorted ? runs : runs.sorted(by: { $0.lowerBound < $1.lowerBound }) where !run.isEmpty {
      if let last = self.runs.last, run.lowerBound <= last.upperBound {
        self.runs[self.runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
      } else {
        self.runs.append(run)
      }
    }
  }

  var isEmpty: Bool { runs.isEmpty }

  /// The first run that ends behind a position.
  private func firstRun(endingBehind position: Int) -> Int {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].upperBound > position { high = middle } else { low = middle + 1 }
    }
    return low
  }

  func contains(_ range: Range<Int>) -> Bool {
    let position = firstRun(endingBehind: range.lowerBound)
    return range.isEmpty
      || position < runs.count && runs[position].lowerBound <= range.lowerBound
        && range.upperBound <= runs[position].upperBound
  }

  func overlaps(_ range: Range<Int>) -> Bool {
    let position = firstRun(endingBehind: range.lowerBound)
    return !range.isEmpty && position < runs.count && runs[position].lowerBound < range.upperBound
  }

  func union(_ other: PositionSet) -> PositionSet {
    if isEmpty || other.runs.count == 1 && other.contains(span) { return other }
    if other.isEmpty || runs.count == 1 && contains(other.span) { return self }
    return PositionSet(joining: runs + other.runs)
  }

  func intersection(_ other: PositionSet) -> PositionSet {
    var result: [Range<Int>] = []
    var (a, b) = (0, 0)
    while a < runs.count, b < other.runs.count {
      let common =
        max(
          runs[a].lowerBound, other.runs[b].lowerBound)..<max(
          max(runs[a].lowerBound, other.runs[b].lowerBound), min(runs[a].upperBound, other.runs[b].upperBound))
      if !common.isEmpty { result.append(common) }
      if runs[a].upperBound < other.runs[b].upperBound { a += 1 } else { b += 1 }
    }
    return PositionSet(joining: result)
  }

  /// From the first to the last position.
  private var span: Range<Int> {
    guard let first = runs.first, let last = runs.last else { return 0..<0 }
    return first.lowerBound..<last.upperBound
  }
}

/// The positions that a sum of independent counters makes: `start + stride * (0 ..< count) + …`.
struct StridedPositions: Hashable {
  struct Digit: Hashable {
    /// Positive.
    var stride: Int
    /// At least 2.
    var count: Int
  }

  private(set) var start: Int
  /// By ascending strides.
  private(set) var digits: [Digit] = []
  /// How many neighbours there are at each place that the digits make.
  private(set) var length = 1

  init(start: Int, digits: [Digit]) {
    self.start = start
    for digit in digits.sorted(by: { ($0.stride, $0.count) < ($1.stride, $1.count) }) {
      if self.digits.isEmpty, digit.stride <= length {
        length += digit.stride * (digit.count - 1)
      } else if let last = self.digits.last, digit.stride % last.stride == 0, digit.stride <= last.stride * last.count {
        // Digits of one stride whose places meet are one.
        self.digits[self.digits.count - 1].count += digit.stride / last.stride * (digit.count - 1)
      } else {
        self.digits.append(digit)
      }
    }
  }

  /// From the first to the last position.
  var span: Range<Int> { start..<start + digits.reduce(length) { $0 + $1.stride * ($1.count - 1) } }

  /// How many runs of neighbours these are; more where the number overflows.
  var runCount: Int { digits.reduce(1) { $0.multipliedReportingOverflow(by: $1.count).partialValue } }

  /// Every run of neighbours, until the body returns false.
  func allSatisfy(_ body: (Range<Int>) -> Bool) -> Bool {
    func visit(_ depth: Int, _ start: Int) -> Bool {
      if depth < 0 { return body(start..<start + length) }
      for index in 0..<digits[depth].count
      where !visit(depth - 1, start + index * digits[depth].stride) { return false }
      return true
    }
    return visit(digits.count - 1, start)
  }

  var positions: PositionSet {
    if digits.isEmpty { return PositionSet(span) }
    var runs: [Range<Int>] = []
    runs.reserveCapacity(min(runCount, 1 << 20))
    _ = allSatisfy {
      runs.append($0)
      return true
    }
    return PositionSet(joining: runs)
  }

  func isSubset(of set: PositionSet) -> Bool { set.contains(span) || allSatisfy { set.contains($0) } }

  func overlaps(_ set: PositionSet) -> Bool { set.overlaps(span) && !allSatisfy { !set.overlaps($0) } }
}

extension IndexFacts {
  /// The values of an index wherever the facts hold.
  struct Image {
    var positions: StridedPositions
    /// Whether each of the positions is really taken; else they are too many.
    var isExact: Bool
  }

  /// The positions that an index takes; nil where they have no end that is known.
  func image(_ index: Index) -> Image? {
    var isExact = true
    var rest = index
    var start = 0
    var digits: [StridedPositions.Digit] = []
    func add(_ range: ValueRange, _ coefficient: Int) -> Bool {
      guard let low = range.low, let high = range.high, low <= high else { return false }
      let (first, overflow) = (coefficient > 0 ? low : high).multipliedReportingOverflow(by: coefficient)
      guard !overflow else { return false }
      start += first
      if high > low { digits.append(StridedPositions.Digit(stride: abs(coefficient), count: high - low + 1)) }
      return true
    }
    // Sums whose ranges are known move as one.
    for (sum, bounds) in openSums.sorted(by: { ($1.0.terms.count, $1.0.constant) < ($0.0.terms.count, $0.0.constant) })
    {
      guard let first = rest.terms.first(where: { $0.atom == sum.terms[0].atom }),
        first.coefficient % sum.terms[0].coefficient == 0
      else { continue }
      let factor = first.coefficient / sum.terms[0].coefficient
      guard sum.terms.allSatisfy({ rest.coefficient(of: $0.atom) == $0.coefficient * factor }) else { continue }
      let own = bounds.intersection(range(sum))
      guard add(own, factor) else { continue }
      if !isContiguous(sum) { isExact = false }
      rest = rest - sum * factor
    }
    let moved = Set(index.atoms).subtracting(rest.atoms)
    for term in rest.terms {
      let range = range(term.atom)
      guard add(range, term.coefficient) else { return nil }
      switch term.atom {
      case .variable: break
      case .value: isExact = false
      case .floorDivide, .modulo: if range.only == nil { isExact = false }
      }
    }
    start += rest.constant
    // What relates variables that move apart keeps some of the positions from being taken.
    for (sum, _) in openSums where !sum.atoms.allSatisfy(moved.contains) {
      if !sum.atoms.filter({ range($0).only == nil }).isEmpty { isExact = false }
    }
    return Image(positions: StridedPositions(start: start, digits: digits), isExact: isExact)
  }

  /// The sums whose ranges say more than those of their parts.
  private var openSums: [(Index, ValueRange)] {
    sums.filter { !$0.value.contains(range($0.key)) }.map { ($0.key, $0.value) }
  }

  /// Whether a sum takes every value between its ends.
  private func isContiguous(_ sum: Index) -> Bool {
    var digits: [StridedPositions.Digit] = []
    for term in sum.terms {
      guard let count = range(term.atom).count else { return false }
      if count > 1 { digits.append(StridedPositions.Digit(stride: abs(term.coefficient), count: count)) }
    }
    return StridedPositions(start: 0, digits: digits).digits.isEmpty
  }

  /// Positions that together are exactly those that an index takes: where variables depend on each other, for each value
  /// of some of them; nil where that would be too many, or where data decides.
  func exactImages(_ index: Index) -> [StridedPositions]? {
    var trials = Self.trialLimit
    var result: [StridedPositions] = []
    return collect(index, &result, &trials) ? result : nil
  }

  private func collect(_ index: Index, _ result: inout [StridedPositions], _ trials: inout Int) -> Bool {
    if areContradictory { return true }
    guard let image = image(index) else { return false }
    if image.isExact {
      result.append(image.positions)
      return true
    }
    var fewest: (atom: Index.Atom, range: ClosedRange<Int>)?
    for variable in openSums.flatMap({ $0.0.variables }) + index.divisions.flatMap({ $0.0.variables }) {
      let range = range(.variable(variable))
      guard let low = range.low, let high = range.high, low < high,
        fewest.map({ high - low < $0.range.upperBound - $0.range.lowerBound }) ?? true
      else { continue }
      fewest = (.variable(variable), low...high)
    }
    guard let fewest, fewest.range.count <= trials else { return false }
    trials -= fewest.range.count
    for value in fewest.range where !fixing(fewest.atom, at: value).collect(index, &result, &trials) { return false }
    return true
  }
}

extension Index {
  fileprivate var atoms: [Atom] { terms.map(\.atom) }

  fileprivate func coefficient(of atom: Atom) -> Int { terms.first { $0.atom == atom }?.coefficient ?? 0 }
}
