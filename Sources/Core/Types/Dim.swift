/// The size of one axis (`torch.export.Dim`): a number, or a polynomial over named symbols with integer coefficients.
///
/// `N`, `2*N + 1`, `floor((N + 1) / 2)` and `min(N, 1000)` are dimensions, so that one check of a model covers every batch
/// size. Two dimensions are equal when their canonical forms are. Symbols stand for positive sizes.
///
/// A size that only data decides is a symbol too, written `?n0`: an `Extent` of the graph computes it, and bounds it by a
/// capacity. It may be 0.
public struct Dim: Hashable, Sendable {
  /// A product of atoms with its coefficient.
  private struct Term: Hashable, Sendable {
    var atoms: [Atom]
    var coefficient: Int

    /// The two dimensions whose minimum the term is, times its coefficient.
    var minimum: (Dim, Dim)? {
      if atoms.count == 1, case .minimum(let a, let b) = atoms[0] { (a, b) } else { nil }
    }

    /// What the product of the atoms is at least, where each is a symbol: those that data decides may be 0.
    var leastProduct: Int? {
      var least = 1
      for atom in atoms {
        switch atom {
        case .symbol: continue
        case .extent: least = 0
        case .floorDivide, .minimum: return nil
        }
      }
      return least
    }
  }

  private indirect enum Atom: Hashable, Sendable {
    case symbol(String)
    case extent(String)
    case floorDivide(Dim, Int)
    case minimum(Dim, Dim)

    var text: String {
      switch self {
      case .symbol(let name): ["floor", "min"].contains(name) ? "\"\(name)\"" : TextName.quoted(name)
      case .extent(let name): Extent.prefix + TextName.quoted(name)
      case .floorDivide(let dividend, let divisor): "floor((\(dividend.text)) / \(divisor))"
      case .minimum(let a, let b): "min(\(a.text), \(b.text))"
      }
    }

    var symbols: [String] {
      switch self {
      case .symbol(let name): [name]
      case .extent: []
      case .floorDivide(let dividend, _): dividend.symbols
      case .minimum(let a, let b): a.symbols + b.symbols
      }
    }

    var extents: [String] {
      switch self {
      case .symbol: []
      case .extent(let name): [name]
      case .floorDivide(let dividend, _): dividend.extents
      case .minimum(let a, let b): a.extents + b.extents
      }
    }
  }

  private var constant: Int
  private var terms: [Term]

  private init(constant: Int, terms: [Term]) {
    self.constant = constant
    self.terms = terms
  }

  /// A known size.
  public init(_ value: Int) {
    self.init(constant: value, terms: [])
  }

  /// A size known by name only.
  public init(symbol: String) {
    self.init(constant: 0, terms: [Term(atoms: [.symbol(symbol)], coefficient: 1)])
  }

  /// A size that data decides, by the name that its `Extent` gives it.
  public init(extent: String) {
    self.init(constant: 0, terms: [Term(atoms: [.extent(extent)], coefficient: 1)])
  }

  /// The number, or nil when symbols remain.
  public var known: Int? { terms.isEmpty ? constant : nil }

  /// The names of the symbols in this dimension, sorted, without those that data decides.
  public var symbols: [String] {
    Set(terms.flatMap { $0.atoms.flatMap(\.symbols) }).sorted()
  }

  /// The names of the sizes in this dimension that data decides, sorted.
  public var extents: [String] {
    terms.isEmpty ? [] : Set(terms.flatMap { $0.atoms.flatMap(\.extents) }).sorted()
  }

  /// The dimension with symbols replaced by the sizes bound to them.
  public func substituting(_ bindings: [String: Int]) -> Dim {
    guard !terms.isEmpty else { return self }
    var result = Dim(constant)
    for term in terms {
      var product = Dim(term.coefficient)
      for atom in term.atoms {
        switch atom {
        case .symbol(let name): product = product * (bindings[name].map { Dim($0) } ?? Dim(symbol: name))
        case .extent(let name): product = product * Dim(extent: name)
        case .floorDivide(let dividend, let divisor):
          product = product * dividend.substituting(bindings).floorDivided(by: divisor)
        case .minimum(let a, let b):
          product = product * .minimum(a.substituting(bindings), b.substituting(bindings))
        }
      }
      result = result + product
    }
    return result
  }

  /// The sum, wrapping on overflow; sizes are checked against `maximum` by the type rules.
  public static func + (a: Dim, b: Dim) -> Dim {
    Dim(constant: a.constant &+ b.constant, terms: a.terms.isEmpty ? b.terms : merged(a.terms + b.terms))
  }

  /// The difference.
  public static func - (a: Dim, b: Dim) -> Dim { a + b * Dim(-1) }

  /// The product.
  public static func * (a: Dim, b: Dim) -> Dim {
    if a.terms.isEmpty && b.terms.isEmpty {
      let (product, overflow) = a.constant.multipliedReportingOverflow(by: b.constant)
      return Dim(overflow ? Int.max / 2 : product)
    }
    var terms: [Term] = []
    for x in a.allTerms {
      for y in b.allTerms {
        let atoms = (x.atoms + y.atoms).sorted { $0.text < $1.text }
        terms.append(Term(atoms: atoms, coefficient: x.coefficient &* y.coefficient))
      }
    }
    let constants = terms.filter(\.atoms.isEmpty).reduce(0) { $0 &+ $1.coefficient }
    return Dim(constant: constants, terms: merged(terms.filter { !$0.atoms.isEmpty }))
  }

  /// The quotient rounded towards negative infinity; `divisor` is positive.
  package func floorDivided(by divisor: Int) -> Dim {
    guard divisor > 0 else { internalError("\(self) is divided by \(divisor)") }
    if divisor == 1 { return self }
    if terms.isEmpty {
      let quotient = constant / divisor
      return Dim(constant % divisor < 0 ? quotient - 1 : quotient)
    }
    if terms.allSatisfy({ $0.coefficient % divisor == 0 }) {
      let quotient = Dim(constant).floorDivided(by: divisor)
      let divided = terms.map { Term(atoms: $0.atoms, coefficient: $0.coefficient / divisor) }
      return Dim(constant: quotient.constant, terms: divided)
    }
    return Dim(constant: 0, terms: [Term(atoms: [.floorDivide(self, divisor)], coefficient: 1)])
  }

  /// The smaller of two dimensions.
  public static func minimum(_ a: Dim, _ b: Dim) -> Dim {
    if b.isAtLeast(a) { return a }
    if a.isAtLeast(b) { return b }
    // `min(N - 1, 0)` is `min(N, 1) - 1`: one form for what is the same.
    let shift = a.known != nil ? b.constant : b.known != nil ? a.constant : min(a.constant, b.constant)
    let (first, second) = (a - Dim(shift), b - Dim(shift))
    let isSwapped = first.known != nil || (second.known == nil && second.text < first.text)
    let atom = isSwapped ? Atom.minimum(second, first) : .minimum(first, second)
    return Dim(constant: shift, terms: [Term(atoms: [atom], coefficient: 1)])
  }

  /// The larger of two dimensions.
  public static func maximum(_ a: Dim, _ b: Dim) -> Dim { a + b - minimum(a, b) }

  /// Whether the dimension is as large as another one for all sizes of the symbols; false may also mean that this cannot
  /// be told.
  public func isAtLeast(_ other: Dim) -> Bool { (self - other).isNatural(trials: 8) }

  /// Whether the dimension is known not to be negative; each minimum in it takes a trial for either of its two values.
  private func isNatural(trials: Int) -> Bool {
    if trials > 0, let position = terms.firstIndex(where: { $0.minimum != nil }), let (a, b) = terms[position].minimum {
      var rest = self
      let term = rest.terms.remove(at: position)
      func holds(_ value: Dim) -> Bool {
        (rest + value * Dim(term.coefficient)).isNatural(trials: trials - 1)
      }
      // A minimum is one of the two, and at most either.
      return term.coefficient > 0 ? holds(a) && holds(b) : holds(a) || holds(b)
    }
    var least = constant
    for term in terms {
      guard term.coefficient > 0, let bound = term.leastProduct else { return false }
      least &+= term.coefficient &* bound
    }
    return least >= 0
  }

  /// The symbol that decides this dimension alone and linearly, and the size of it that makes the dimension `value`:
  /// nil where no size does.
  package func solved(for value: Int) -> (symbol: String, size: Int?)? {
    guard terms.count == 1, let term = terms.first, term.atoms.count == 1, case .symbol(let name) = term.atoms[0] else {
      return nil
    }
    let rest = value - constant
    return (name, rest % term.coefficient == 0 && rest / term.coefficient >= 0 ? rest / term.coefficient : nil)
  }

  /// The exact quotient of two dimensions, or nil when `self` is not a known multiple of `other`.
  public func divided(exactlyBy other: Dim) -> Dim? {
    if self == other { return Dim(1) }
    if let divisor = other.known {
      guard divisor > 0, allTerms.allSatisfy({ $0.coefficient % divisor == 0 }) else { return nil }
      return Dim(
        constant: constant / divisor, terms: terms.map { Term(atoms: $0.atoms, coefficient: $0.coefficient / divisor) })
    }
    // A symbolic divisor of one term divides when every term of the dividend contains it.
    guard other.constant == 0, other.terms.count == 1, constant == 0 else { return nil }
    let divisor = other.terms[0]
    var quotient = Dim(0)
    for term in terms {
      guard divisor.coefficient > 0, term.coefficient % divisor.coefficient == 0 else { return nil }
      var atoms = term.atoms
      for atom in divisor.atoms {
        guard let position = atoms.firstIndex(of: atom) else { return nil }
        atoms.remove(at: position)
      }
      let coefficient = term.coefficient / divisor.coefficient
      quotient =
        quotient
        + (atoms.isEmpty
          ? Dim(coefficient) : Dim(constant: 0, terms: [Term(atoms: atoms, coefficient: coefficient)]))
    }
    return quotient
  }

  /// Carries out the dimension's arithmetic in other values than dimensions.
  package func computed<T>(in arithmetic: DimensionArithmetic<T>) -> T {
    var sum = terms.isEmpty || constant != 0 ? arithmetic.number(constant) : nil
    for term in terms {
      var product = term.coefficient == 1 ? nil : arithmetic.number(term.coefficient)
      for atom in term.atoms {
        let value: T =
          switch atom {
          case .symbol(let name): arithmetic.symbol(name)
          case .extent(let name): arithmetic.extent(name)
          case .floorDivide(let dividend, let divisor):
            arithmetic.floorDivide(dividend.computed(in: arithmetic), divisor)
          case .minimum(let a, let b): arithmetic.minimum(a.computed(in: arithmetic), b.computed(in: arithmetic))
          }
        product = product.map { arithmetic.multiply($0, value) } ?? value
      }
      guard let product else { internalError("\(self) has a term without factors") }
      sum = sum.map { arithmetic.add($0, product) } ?? product
    }
    guard let sum else { internalError("\(self) has no terms") }
    return sum
  }

  private var allTerms: [Term] {
    constant == 0 && !terms.isEmpty ? terms : terms + [Term(atoms: [], coefficient: constant)]
  }

  private static func merged(_ terms: [Term]) -> [Term] {
    var coefficients: [[Atom]: Int] = [:]
    for term in terms { coefficients[term.atoms, default: 0] &+= term.coefficient }
    return coefficients.filter { $0.value != 0 }
      .map { Term(atoms: $0.key, coefficient: $0.value) }
      .sorted { $0.atoms.map(\.text).joined(separator: "*") < $1.atoms.map(\.text).joined(separator: "*") }
  }
}

/// The arithmetic of dimensions in values of another kind, such as intervals, or tensors of the graph.
package struct DimensionArithmetic<T> {
  var number: (Int) -> T
  var symbol: (String) -> T
  var extent: (String) -> T
  var add: (T, T) -> T
  var multiply: (T, T) -> T
  /// Rounds towards negative infinity; the divisor is positive.
  var floorDivide: (T, Int) -> T
  var minimum: (T, T) -> T

  package init(
    number: @escaping (Int) -> T, symbol: @escaping (String) -> T, extent: @escaping (String) -> T,
    add: @escaping (T, T) -> T, multiply: @escaping (T, T) -> T, floorDivide: @escaping (T, Int) -> T,
    minimum: @escaping (T, T) -> T
  ) {
    self.number = number
    self.symbol = symbol
    self.extent = extent
    self.add = add
    self.multiply = multiply
    self.floorDivide = floorDivide
    self.minimum = minimum
  }
}

extension Dim: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, CustomStringConvertible {
  /// A known size.
  public init(integerLiteral value: Int) { self.init(value) }

  /// A symbol: `let batch: Dim = "N"`.
  public init(stringLiteral value: String) { self.init(symbol: value) }

  /// The text as messages show it: polynomials that nobody would read are cut short.
  public var description: String {
    let text = text
    return text.count <= 80 ? text : "\(text.prefix(40))... (\(terms.count) terms)"
  }

  /// The canonical text, which the parser of the text form reads back: `2*N + 1`.
  var text: String {
    if terms.isEmpty { return String(constant) }
    var text = ""
    for term in terms {
      let product = term.atoms.map(\.text).joined(separator: "*")
      let magnitude = term.coefficient.magnitude
      let factor = magnitude == 1 ? product : "\(magnitude)*\(product)"
      if text.isEmpty {
        text = term.coefficient < 0 ? "-\(factor)" : factor
      } else {
        text += term.coefficient < 0 ? " - \(factor)" : " + \(factor)"
      }
    }
    if constant != 0 { text += constant < 0 ? " - \(constant.magnitude)" : " + \(constant)" }
    return text
  }
}

extension [Dim] {
  /// The names of the sizes that data decides, sorted.
  public var extents: [String] {
    allSatisfy { $0.known != nil } ? [] : Set(flatMap(\.extents)).sorted()
  }

  /// The number of elements of a shape.
  public var elementCount: Dim { reduce(Dim(1), *) }

  /// The sizes when every dimension is known, else nil.
  public var known: [Int]? {
    var sizes: [Int] = []
    sizes.reserveCapacity(count)
    for dimension in self {
      guard let size = dimension.known else { return nil }
      sizes.append(size)
    }
    return sizes
  }

  /// The shape as messages show it, `[1,64,N]`.
  public var text: String { "[" + map(\.description).joined(separator: ",") + "]" }
}
