/// The integers between two ends; an end that is nil is not known.
struct ValueRange: Hashable {
  var low: Int?
  var high: Int?

  static let all = ValueRange()

  init(_ low: Int? = nil, _ high: Int? = nil) {
    self.low = low
    self.high = high
  }

  init(_ range: ClosedRange<Int>) { self.init(range.lowerBound, range.upperBound) }

  /// The number, where there is only one.
  var only: Int? { low == high ? low : nil }

  var isEmpty: Bool {
    guard let low, let high else { return false }
    return low > high
  }

  /// How many integers these are; nil where an end is not known.
  var count: Int? {
    guard let low, let high else { return nil }
    return max(0, high - low + 1)
  }

  func contains(_ other: ValueRange) -> Bool {
    (low.map { low in other.low.map { $0 >= low } ?? false } ?? true)
      && (high.map { high in other.high.map { $0 <= high } ?? false } ?? true)
  }

  func intersection(_ other: ValueRange) -> ValueRange {
    func join(_ a: Int?, _ b: Int?, _ f: (Int, Int) -> Int) -> Int? { if let a, let b { f(a, b) } else { a ?? b } }
    return ValueRange(join(low, other.low, max), join(high, other.high, min))
  }

  func union(_ other: ValueRange) -> ValueRange {
    func join(_ a: Int?, _ b: Int?, _ f: (Int, Int) -> Int) -> Int? { if let a, let b { f(a, b) } else { nil } }
    return ValueRange(join(low, other.low, min), join(high, other.high, max))
  }

  static func + (a: ValueRange, b: ValueRange) -> ValueRange {
    func sum(_ a: Int?, _ b: Int?) -> Int? {
      guard let a, let b else { return nil }
      let (sum, overflow) = a.addingReportingOverflow(b)
      return overflow ? nil : sum
    }
    return ValueRange(sum(a.low, b.low), sum(a.high, b.high))
  }

  static func * (a: ValueRange, factor: Int) -> ValueRange {
    func product(_ a: Int?) -> Int? {
      guard let a else { return nil }
      let (product, overflow) = a.multipliedReportingOverflow(by: factor)
      return overflow ? nil : product
    }
    if factor == 0 { return ValueRange(0, 0) }
    return factor > 0 ? ValueRange(product(a.low), product(a.high)) : ValueRange(product(a.high), product(a.low))
  }

  static func + (a: ValueRange, b: Int) -> ValueRange { a + ValueRange(b, b) }

  func floorDivided(by divisor: Int) -> ValueRange {
    ValueRange(low?.floorDivided(by: divisor), high?.floorDivided(by: divisor))
  }
}

/// What is known of loop variables and registers at a place in a kernel: the range of each, and ranges of sums of them.
///
/// Loops' ends and conditions that hold around the place are such facts. All are linear, divisions being taken for
/// variables of their own.
struct IndexFacts {
  /// Ranges of variables, registers and divisions.
  private(set) var atoms: [Index.Atom: ValueRange] = [:]
  /// Ranges of sums of at least two: without a constant, the first coefficient positive, without a common divisor.
  private(set) var sums: [Index: ValueRange] = [:]
  /// Whether the facts contradict each other: the place is never reached.
  private(set) var areContradictory = false

  /// The most that is deduced of one fact about others.
  private static let roundLimit = 4

  // MARK: Ranges

  func range(_ atom: Index.Atom) -> ValueRange {
    let own: ValueRange
    switch atom {
    case .variable(let variable): own = ValueRange(0, max(0, variable.extent - 1))
    case .value: own = .all
    case .floorDivide(let index, let divisor): own = range(index).floorDivided(by: divisor)
    case .modulo(let index, let divisor):
      let inner = range(index)
      let period = inner.floorDivided(by: divisor)
      if let whole = period.only { own = inner + -whole * divisor } else { own = ValueRange(0, divisor - 1) }
    }
    return atoms[atom].map { $0.intersection(own) } ?? own
  }

  /// The values that an index takes, by the ranges of what it is made of alone.
  func range(_ index: Index) -> ValueRange {
    var result = ValueRange(index.constant, index.constant)
    for term in index.terms { result = result + range(term.atom) * term.coefficient }
    return result
  }

  // MARK: Learning

  /// The facts where an index lies in a range.
  mutating func learn(_ index: Index, in range: ValueRange) {
    guard let (sum, factor) = index.linearForm else {
      if !range.contains(ValueRange(index.constant, index.constant)) { areContradictory = true }
      return
    }
    // factor * sum + constant in range
    let shifted = range + -index.constant
    var bounds: ValueRange
    if factor > 0 {
      bounds = ValueRange(
        shifted.low.map { -(-$0).floorDivided(by: factor) }, shifted.high?.floorDivided(by: factor))
    } else {
      bounds = ValueRange(
        shifted.high.map { -$0.floorDivided(by: -factor) }, shifted.low.map { (-$0).floorDivided(by: -factor) })
    }
    if sum.terms.count == 1 {
      narrow(sum.terms[0].atom, to: bounds)
    } else {
      if let known = sums[sum] { bounds = bounds.intersection(known) }
      sums[sum] = bounds
      if bounds.isEmpty { areContradictory = true }
    }
    propagate()
  }

  mutating func learn(_ constraint: Constraint) {
    switch constraint {
    case .inRange(let index, let range): learn(index, in: ValueRange(range.lowerBound, range.upperBound - 1))
    case .multiple(let index, let divisor): narrow(.modulo(index, divisor), to: ValueRange(0, 0))
    }
  }

  /// The facts inside of a loop.
  mutating func enter(_ variable: LoopVariable, from lower: Bound, to upper: Bound) {
    let own = Index(atom: .variable(variable))
    narrow(.variable(variable), to: ValueRange(lower.constant, upper.constant - 1))
    // v >= ceil(d / q)  <=>  q v - d >= 0;  v < ceil(d / q)  <=>  q v - d < 0
    for quotient in lower.quotients { learn(own * quotient.divisor - quotient.dividend, in: ValueRange(0, nil)) }
    for quotient in upper.quotients { learn(own * quotient.divisor - quotient.dividend, in: ValueRange(nil, -1)) }
    propagate()
  }

  mutating func narrow(_ atom: Index.Atom, to range: ValueRange) {
    let narrowed = self.range(atom).intersection(range)
    atoms[atom] = narrowed
    if narrowed.isEmpty { areContradictory = true }
  }

  /// Narrows the ranges of the parts of sums by the ranges of the sums.
  private mutating func propagate() {
    for _ in 0..<Self.roundLimit where !areContradictory {
      var isChanged = false
      for (sum, bounds) in sums {
        for term in sum.terms {
          let rest = range(sum - Index(atom: term.atom) * term.coefficient)
          // coefficient * atom in bounds - rest
          let difference = bounds + rest * -1
          let (low, high) =
            term.coefficient > 0
            ? (difference.low, difference.high)
            : (difference.high.map { -$0 }, difference.low.map { -$0 })
          let factor = abs(term.coefficient)
          let narrowed = ValueRange(low.map { -(-$0).floorDivided(by: factor) }, high?.floorDivided(by: factor))
          if !narrowed.contains(range(term.atom)) {
            narrow(term.atom, to: narrowed)
            isChanged = true
          }
        }
      }
      if !isChanged { return }
    }
  }

  /// The facts where an atom has one value.
  func fixing(_ atom: Index.Atom, at value: Int) -> IndexFacts {
    var result = self
    result.learn(Index(atom: atom), in: ValueRange(value, value))
    // A remainder may have become another than is known.
    if result.atoms.keys.contains(where: { result.range($0).isEmpty }) { result.areContradictory = true }
    return result
  }

  // MARK: Proofs

  /// The most values of variables that are tried one by one.
  static let trialLimit = 4096
  /// How many sums one proof may use.
  private static let proofDepth = 4

  /// Whether an index lies in a range wherever the facts hold.
  func proves(_ index: Index, in range: Range<Int>) -> Bool {
    if areContradictory { return true }
    if isAtLeast(index, range.lowerBound), isAtLeast(index * -1, 1 - range.upperBound) { return true }
    var trials = Self.trialLimit
    return proves(index, in: range, &trials)
  }

  /// Tries the values of the variables that are divided, one by one.
  private func proves(_ index: Index, in range: Range<Int>, _ trials: inout Int) -> Bool {
    for variable in index.divisions.flatMap({ $0.0.variables }) {
      let own = self.range(.variable(variable))
      guard let low = own.low, let high = own.high, low < high else { continue }
      guard high - low < trials else { return false }
      trials -= high - low + 1
      for value in low...high where !fixing(.variable(variable), at: value).proves(index, in: range, &trials) {
        return false
      }
      return true
    }
    return areContradictory
      || isAtLeast(index, range.lowerBound) && isAtLeast(index * -1, 1 - range.upperBound)
  }

  private func isAtLeast(_ index: Index, _ limit: Int) -> Bool {
    var facts = self
    facts.learnDivisions(of: index, depth: 2)
    return facts.isAtLeast(index, limit, Self.proofDepth, [])
  }

  /// A division lies within its divisor of the dividend; a remainder is what is left.
  private mutating func learnDivisions(of index: Index, depth: Int) {
    guard depth > 0 else { return }
    for term in index.terms {
      switch term.atom {
      case .variable, .value: continue
      case .floorDivide(let inner, let divisor):
        learnDivisions(of: inner, depth: depth - 1)
        learn(inner - Index(atom: term.atom) * divisor, in: ValueRange(0, divisor - 1))
      case .modulo(let inner, let divisor):
        learnDivisions(of: inner, depth: depth - 1)
        let quotient = Index(atom: .floorDivide(inner, divisor))
        learn(inner - quotient * divisor - Index(atom: term.atom), in: ValueRange(0, 0))
        learn(inner - quotient * divisor, in: ValueRange(0, divisor - 1))
      }
    }
  }

  /// Takes multiples of sums whose ranges are known out of an index until what is left is large enough by itself.
  private func isAtLeast(_ index: Index, _ limit: Int, _ depth: Int, _ used: Set<Index>) -> Bool {
    if let low = range(index).low, low >= limit { return true }
    guard depth > 0 else { return false }
    for (sum, bounds) in sums where !used.contains(sum) {
      var tried = Set<Int>()
      for term in sum.terms {
        guard let own = index.terms.first(where: { $0.atom == term.atom }), own.coefficient % term.coefficient == 0
        else { continue }
        let factor = own.coefficient / term.coefficient
        guard tried.insert(factor).inserted, let least = (bounds * factor).low else { continue }
        let (rest, overflow) = limit.subtractingReportingOverflow(least)
        if !overflow, isAtLeast(index - sum * factor, rest, depth - 1, used.union([sum])) { return true }
      }
    }
    return false
  }
}

extension Index {
  /// `self == factor * sum + constant`, where the sum's first coefficient is positive and its coefficients have no common
  /// divisor; nil for a constant.
  var linearForm: (sum: Index, factor: Int)? {
    guard let first = terms.first else { return nil }
    var divisor = 0
    for term in terms { divisor = greatestCommonDivisor(divisor, abs(term.coefficient)) }
    let factor = first.coefficient < 0 ? -divisor : divisor
    var sum = Index(0)
    for term in terms { sum = sum + Index(atom: term.atom) * (term.coefficient / factor) }
    return (sum, factor)
  }
}

extension IndexFacts {
  /// The values of an expression of integers.
  func range(_ expression: Expression) -> ValueRange {
    let type = expression.type
    let own = type.range
    let known: ValueRange
    switch expression {
    case .constant(.integer(let value), _): known = ValueRange(value, value)
    case .constant, .load, .bitcast: known = own
    case .register(let register): known = range(.value(Scalar(id: register.id)))
    case .index(let index): known = range(index)
    // Elsewhere the value is 0.
    case .checked(_, let extent): known = ValueRange(0, max(0, extent - 1))
    case .convert(let operand, _): known = operand.type.isFloat ? own : range(operand)
    case .select(let constraints, let then, let otherwise):
      var inner = self
      for constraint in constraints { inner.learn(constraint) }
      known = inner.range(then).union(range(otherwise))
    case .pointwise(let function, let operands):
      guard type.isInteger, type != .u64, function == .select || operands.allSatisfy({ $0.type == type }) else {
        return own
      }
      let ranges = operands.map { range($0) }
      switch function {
      case .add: known = ranges[0] + ranges[1]
      case .subtract: known = ranges[0] + ranges[1] * -1
      case .negate: known = ranges[0] * -1
      case .multiply: known = ranges[1].only.map { ranges[0] * $0 } ?? ranges[0].only.map { ranges[1] * $0 } ?? own
      case .minimum:
        known = ValueRange(
          ranges[0].low.flatMap { a in ranges[1].low.map { min(a, $0) } },
          [ranges[0].high, ranges[1].high].compactMap { $0 }.min())
      case .maximum:
        known = ValueRange(
          [ranges[0].low, ranges[1].low].compactMap { $0 }.max(),
          ranges[0].high.flatMap { a in ranges[1].high.map { max(a, $0) } })
      case .select: known = ranges[1].union(ranges[2])
      default: known = own
      }
    }
    // What leaves the type's range wraps.
    return own.contains(known) ? known : own
  }
}

extension ScalarType {
  /// The integers that the type holds, where they are fewer than those of indices.
  fileprivate var range: ValueRange {
    switch self {
    case .i8, .i16, .i32, .u8, .u16, .u32, .bool:
      if case .integer(let low) = lowest, case .integer(let high) = highest { ValueRange(low, high) } else { .all }
    case .i64, .u64, .f64, .f32, .f16, .bf16: .all
    default: narrow.map { $0.isFloat ? .all : ValueRange($0.range.lowerBound, $0.range.upperBound) } ?? .all
    }
  }
}
