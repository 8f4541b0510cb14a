/// A loop's counter: takes the values `0 ..< extent`.
package struct LoopVariable: Hashable, Sendable, Comparable {
  package let id: Int
  package let extent: Int

  package init(id: Int, extent: Int) {
    self.id = id
    self.extent = extent
  }

  package static func < (a: LoopVariable, b: LoopVariable) -> Bool { a.id < b.id }
}

/// An integer expression over loop variables, kept in a canonical affine form while it is built.
///
/// `floorDivided` and `modulo` simplify by the bounds of their operands, so that reshapes that only split, merge or
/// rename axes leave no division behind.
package struct Index: Hashable, Sendable {
  /// What a coefficient multiplies.
  package indirect enum Atom: Hashable, Sendable {
    case variable(LoopVariable)
    case floorDivide(Index, Int)
    case modulo(Index, Int)
    /// An integer computed from data, as in a gather.
    case value(Scalar)

    fileprivate var order: (Int, Int) {
      switch self {
      case .variable(let variable): (0, variable.id)
      case .value(let scalar): (1, Int(scalar.id))
      case .floorDivide(let index, _): (2, index.terms.first?.atom.order.1 ?? 0)
      case .modulo(let index, _): (3, index.terms.first?.atom.order.1 ?? 0)
      }
    }
  }

  package struct Term: Hashable, Sendable {
    package var atom: Atom
    package var coefficient: Int
  }

  package private(set) var constant: Int
  package private(set) var terms: [Term]

  /// Takes the terms as they are.
  init(constant: Int, terms: [Term]) {
    self.constant = constant
    self.terms = terms
  }

  package init(_ constant: Int) {
    self.init(constant: constant, terms: [])
  }

  /// The counter itself; a loop that runs once has the constant 0.
  package init(_ variable: LoopVariable) {
    if variable.extent == 1 {
      self.init(0)
    } else {
      self.init(constant: 0, terms: [Term(atom: .variable(variable), coefficient: 1)])
    }
  }

  package init(_ scalar: Scalar) {
    self.init(atom: .value(scalar))
  }

  init(atom: Atom) {
    self.init(constant: 0, terms: [Term(atom: atom, coefficient: 1)])
  }

  package static func + (a: Index, b: Index) -> Index {
    if b.terms.isEmpty { return Index(constant: a.constant + b.constant, terms: a.terms) }
    if a.terms.isEmpty { return Index(constant: a.constant + b.constant, terms: b.terms) }
    var terms = a.terms
    for term in b.terms {
      if let position = terms.firstIndex(where: { $0.atom == term.atom }) {
        terms[position].coefficient += term.coefficient
        if terms[position].coefficient == 0 { terms.remove(at: position) }
      } else {
        terms.append(term)
      }
    }
    terms.sort { $0.atom.order < $1.atom.order }
    return Index(constant: a.constant + b.constant, terms: terms)
  }

  package static func - (a: Index, b: Index) -> Index { a + b * -1 }

  package static func * (a: Index, factor: Int) -> Index {
    if factor == 0 { return Index(0) }
    if factor == 1 { return a }
    return Index(
      constant: a.constant * factor,
      terms: a.terms.map { Term(atom: $0.atom, coefficient: $0.coefficient * factor) })
  }

  package static func + (a: Index, b: Int) -> Index { Index(constant: a.constant + b, terms: a.terms) }

  package static func - (a: Index, b: Int) -> Index { a + -b }

  /// The number, when no variable is left.
  package var known: Int? { terms.isEmpty ? constant : nil }

  /// The least and greatest value over all iterations, or nil when data decides.
  package var bounds: ClosedRange<Int>? {
    var low = constant
    var high = constant
    for term in terms {
      let range: ClosedRange<Int>
      switch term.atom {
      case .variable(let variable): range = 0...max(0, variable.extent - 1)
      case .floorDivide(let index, let divisor):
        guard let inner = index.bounds else { return nil }
        range = inner.lowerBound.floorDivided(by: divisor)...inner.upperBound.floorDivided(by: divisor)
      case .modulo(_, let divisor): range = 0...(divisor - 1)
      case .value: return nil
      }
      let ends = [range.lowerBound * term.coefficient, range.upperBound * term.coefficient]
      low += ends.min() ?? 0
      high += ends.max() ?? 0
    }
    return low...high
  }

  /// Whether data decides the value.
  package var isDynamic: Bool {
    terms.contains {
      switch $0.atom {
      case .value: true
      case .variable: false
      case .floorDivide(let index, _), .modulo(let index, _): index.isDynamic
      }
    }
  }

  /// Whether the expression is affine in loop variables and data: free of division.
  package var isAffine: Bool {
    terms.allSatisfy {
      switch $0.atom {
      case .variable, .value: true
      case .floorDivide, .modulo: false
      }
    }
  }

  /// The factor of a variable outside of divisions.
  package func coefficient(of variable: LoopVariable) -> Int {
    terms.first { $0.atom == .variable(variable) }?.coefficient ?? 0
  }

  /// The loop variables that occur.
  package var variables: Set<LoopVariable> {
    var result = Set<LoopVariable>()
    for term in terms {
      switch term.atom {
      case .variable(let variable): result.insert(variable)
      case .floorDivide(let index, _), .modulo(let index, _): result.formUnion(index.variables)
      case .value: break
      }
    }
    return result
  }

  /// The quotient rounded down, by a positive constant.
  package func floorDivided(by divisor: Int) -> Index {
    if divisor == 1 { return self }
    let (quotient, remainder) = split(by: divisor)
    if let bounds = remainder.bounds,
      bounds.lowerBound.floorDivided(by: divisor) == bounds.upperBound.floorDivided(by: divisor)
    {
      return quotient + bounds.lowerBound.floorDivided(by: divisor)
    }
    // floor((floor(x / a) + ...) / b) with a lone inner quotient is floor(x / (a * b)).
    if remainder.constant == 0, remainder.terms.count == 1, remainder.terms[0].coefficient == 1,
      case .floorDivide(let inner, let first) = remainder.terms[0].atom
    {
      return quotient + inner.floorDivided(by: first * divisor)
    }
    return quotient + Index(constant: 0, terms: [Term(atom: .floorDivide(remainder, divisor), coefficient: 1)])
  }

  /// The remainder in `0 ..< divisor`, for a positive constant.
  package func modulo(_ divisor: Int) -> Index {
    if divisor == 1 { return Index(0) }
    let (_, remainder) = split(by: divisor)
    if let bounds = remainder.bounds {
      let quotient = bounds.lowerBound.floorDivided(by: divisor)
      if quotient == bounds.upperBound.floorDivided(by: divisor) { return remainder - quotient * divisor }
    }
    return Index(constant: 0, terms: [Term(atom: .modulo(remainder, divisor), coefficient: 1)])
  }

  /// `self == quotient * divisor + remainder`, with all multiples of the divisor in the quotient.
  private func split(by divisor: Int) -> (quotient: Index, remainder: Index) {
    let whole = constant.floorDivided(by: divisor)
    var quotient = Index(whole)
    var remainder = Index(constant - whole * divisor)
    for term in terms {
      let part = term.coefficient.floorDivided(by: divisor)
      if part != 0 { quotient = quotient + Index(constant: 0, terms: [Term(atom: term.atom, coefficient: part)]) }
      let rest = term.coefficient - part * divisor
      if rest != 0 { remainder = remainder + Index(constant: 0, terms: [Term(atom: term.atom, coefficient: rest)]) }
    }
    return (quotient, remainder)
  }

  /// The expression with variables and data replaced.
  package func substituting(
    _ variable: (LoopVariable) -> Index, value: (Scalar) -> Index = { Index($0) }
  ) -> Index {
    var result = Index(constant)
    for term in terms {
      let replaced: Index =
        switch term.atom {
        case .variable(let name): variable(name)
        case .value(let scalar): value(scalar)
        case .floorDivide(let index, let divisor): index.substituting(variable, value: value).floorDivided(by: divisor)
        case .modulo(let index, let divisor): index.substituting(variable, value: value).modulo(divisor)
        }
      result = result + replaced * term.coefficient
    }
    return result
  }

  /// The row-major position of an element of a tensor.
  package static func flattened(_ indices: [Index], shape: [Int]) -> Index {
    var position = Index(0)
    for (index, size) in zip(indices, shape) { position = position * size + index }
    return position
  }

  /// The element of a tensor at a row-major position; where it has no elements, no position is asked for.
  package static func unflattened(_ position: Index, shape: [Int]) -> [Index] {
    if shape.contains(0) { return shape.map { _ in Index(0) } }
    var indices: [Index] = []
    var stride = shape.reduce(1, *)
    for (axis, size) in shape.enumerated() {
      stride /= size
      let quotient = position.floorDivided(by: stride)
      indices.append(axis == 0 ? quotient : quotient.modulo(size))
    }
    return indices
  }
}

extension Int {
  /// The quotient rounded towards negative infinity, by a positive divisor.
  func floorDivided(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

/// A condition on an index that a guarded element depends on.
package enum Constraint: Hashable, Sendable {
  /// `lower <= index < upper`.
  case inRange(Index, Range<Int>)
  /// `index` is a multiple of a positive constant.
  case multiple(Index, of: Int)

  package var index: Index {
    switch self {
    case .inRange(let index, _), .multiple(let index, _): index
    }
  }

  /// True or false where the bounds of the index decide, else nil.
  package var known: Bool? {
    switch self {
    case .inRange(let index, let range):
      if range.isEmpty { return false }
      guard let bounds = index.bounds else { return nil }
      if bounds.lowerBound >= range.lowerBound && bounds.upperBound < range.upperBound { return true }
      if bounds.upperBound < range.lowerBound || bounds.lowerBound >= range.upperBound { return false }
      return nil
    case .multiple(let index, let divisor):
      return index.modulo(divisor).known.map { $0 == 0 }
    }
  }

  package func mapIndex(_ transform: (Index) -> Index) -> Constraint {
    switch self {
    case .inRange(let index, let range): .inRange(transform(index), range)
    case .multiple(let index, let divisor): .multiple(transform(index), of: divisor)
    }
  }
}
