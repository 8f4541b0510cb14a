public import LatheCore

/// A number or several: what PyTorch takes as "int or tuple".
public protocol IntegerList: Sendable {
  /// The numbers in order.
  var integers: [Int] { get }
}

extension Int: IntegerList {
  /// The number alone.
  public var integers: [Int] { [self] }
}

extension Array: IntegerList where Element == Int {
  /// The numbers.
  public var integers: [Int] { self }
}

/// A factor or several: what PyTorch takes as "float or tuple".
public protocol FactorList: Sendable {
  /// The factors in order.
  var factors: [Double] { get }
}

extension Int: FactorList {
  /// The factor alone.
  public var factors: [Double] { [Double(self)] }
}

extension Double: FactorList {
  /// The factor alone.
  public var factors: [Double] { [self] }
}

extension Array: FactorList where Element: Number {
  /// The factors.
  public var factors: [Double] { map(\.scalarValue.double) }
}

extension FactorList {
  /// One factor for each of `count` axes; a single factor stands for all of them.
  func spreadFactors(_ count: Int, _ what: String) throws(TypeFault) -> [Double] {
    let factors = factors
    if factors.count == 1 { return Array(repeating: factors[0], count: count) }
    guard factors.count == count else { throw TypeFault("\(what) has \(factors.count) numbers for \(count) axes") }
    return factors
  }
}

extension IntegerList {
  /// One number for each of `count` axes; a single number stands for all of them.
  func spread(_ count: Int, _ what: String) throws(TypeFault) -> [Int] {
    let numbers = integers
    for number in numbers { try requireBounded(number, what) }
    if numbers.count == 1 { return Array(repeating: numbers[0], count: count) }
    guard numbers.count == count else {
      throw TypeFault("\(what) has \(numbers.count) numbers for \(count) axes", help: "give one number or \(count)")
    }
    return numbers
  }
}

/// Builds a function of the user's vocabulary from others: poison in, poison out, and every fault on the way is one
/// diagnostic with this function's name and operands at the place of the user's call.
///
/// - Parameter operands: Those that are not given are nil.
func composite(
  _ name: String, _ operands: [Tensor?], _ body: () throws(TypeFault) -> Tensor
) -> Tensor {
  composite(name, operands, count: 1) { () throws(TypeFault) -> [Tensor] in [try body()] }[0]
}

/// The same for a function with `count` results.
func composite(
  _ name: String, _ operands: [Tensor?], count: Int, _ body: () throws(TypeFault) -> [Tensor]
) -> [Tensor] {
  let operands = operands.compactMap { $0 }
  let builder = Tensor.innermostBuilder(of: operands)
  let poisoned = Array(repeating: builder.poison, count: count)
  guard !operands.contains(where: \.isPoisoned) else { return poisoned }
  return builder.composite(name, operands) {
    do throws(TypeFault) {
      let results = try body()
      return results.count == count ? results : poisoned
    } catch {
      builder.record(error, operation: name, operands: operands)
      return poisoned
    }
  }
}

extension Tensor {
  /// The tensor, or the silent fault when it could not be built; for intermediate values whose shape is looked at.
  func checked() throws(TypeFault) -> Tensor {
    if isPoisoned { throw TypeFault.poisoned }
    return self
  }

  /// The axis that a possibly negative number means, counted as PyTorch does.
  func axis(_ dim: Int, rank: Int? = nil) throws(TypeFault) -> Int {
    let rank = rank ?? self.rank
    let axis = dim < 0 ? dim + rank : dim
    guard axis >= 0, axis < rank else {
      throw TypeFault(
        "dim \(dim) is outside \(type), which has \(rank) axes",
        help: rank == 0 ? "the tensor has no axes" : "dim is \(-rank)...\(rank - 1)")
    }
    return axis
  }

  /// Distinct axes that possibly negative numbers mean, in the order given.
  func axes(_ dims: [Int]) throws(TypeFault) -> [Int] {
    let axes = try dims.map { (dim) throws(TypeFault) -> Int in try axis(dim) }
    guard Set(axes).count == axes.count else { throw TypeFault("dims \(dims) name an axis of \(type) twice") }
    return axes
  }

  /// The size of an axis where it has to be known while tracing.
  func knownSize(_ axis: Int) throws(TypeFault) -> Int {
    guard let size = shape[axis].known else {
      throw TypeFault("needs the size of axis \(axis) of \(type)", unbound: [shape[axis]])
    }
    return size
  }

  func requireRank(_ ranks: ClosedRange<Int>, _ what: String) throws(TypeFault) {
    guard ranks.contains(rank) else {
      let wanted = ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
      throw TypeFault("\(what) has \(rank) axes (\(type)), needs \(wanted)")
    }
  }

  func requireFloat(_ what: String) throws(TypeFault) {
    guard dtype.isFloat else { throw TypeFault("\(what) is \(type), needs floats", help: "convert it to f32") }
  }

  /// A number as a tensor without axes and with this tensor's type; integers take its whole part.
  func number(_ value: some Number) throws(TypeFault) -> Tensor {
    builder.scalar(try dtype.number(value), dtype)
  }

  /// In the type that sums are accumulated in: 16-bit floats as `f32`.
  var wide: Tensor { convert(to: dtype.computeType) }
}

extension ScalarType {
  /// The machine epsilon of the type that sums are accumulated in.
  var computeEpsilon: Double { self == .f64 ? Double.ulpOfOne : Double(Float.ulpOfOne) }
}

/// Throws unless a number is so small that no arithmetic on a few of them overflows.
func requireBounded(_ number: Int, _ what: String) throws(TypeFault) {
  guard number.magnitude <= 1 << 31 else { throw TypeFault("\(what) is \(number), beyond 2^31") }
}

/// Throws unless a table that is computed while tracing, with an element for each combination of the counts, is of
/// reasonable size.
func requireTable(_ counts: Int..., of what: String) throws(TypeFault) {
  guard let count = counts.map({ Dim(max($0, 0)) }).elementCount.known, count <= 1 << 26 else {
    throw TypeFault("needs a table of \(counts.map(String.init).joined(separator: " x ")) \(what), more than 2^26")
  }
}

/// Throws unless a tensor's shape broadcasts to another.
func requireBroadcast(_ tensor: Tensor, to shape: [Dim], _ what: String) throws(TypeFault) {
  let fits =
    tensor.rank <= shape.count
    && zip(tensor.shape.reversed(), shape.reversed()).allSatisfy { $0 == $1 || $0 == 1 }
  guard fits else { throw TypeFault("\(what) \(tensor.type) does not broadcast to \(shape.text)") }
}
