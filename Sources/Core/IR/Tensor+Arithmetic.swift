/// Scalar functions on tensors, with PyTorch's broadcasting and type promotion.
extension Tensor {
  /// Applies a scalar function after bringing the operands to one type and shape.
  ///
  /// Sources: https://pytorch.org/docs/stable/notes/broadcasting.html,
  /// https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
  package static func pointwise(_ function: Pointwise, _ operands: Tensor...) -> Tensor {
    pointwise(function, operands)
  }

  /// Applies a scalar function after bringing the operands to one type and shape.
  package static func pointwise(_ function: Pointwise, _ operands: [Tensor]) -> Tensor {
    let builder = innermostBuilder(of: operands)
    guard !operands.contains(where: \.isPoisoned) else { return builder.poison }
    do {
      let shape = try broadcastShape(operands.map(\.type))
      try TypeFault.requireCount(operands.map(\.type), function.arity)
      let numbers = function == .select ? Array(operands.dropFirst()) : operands
      let dtype = ScalarType.resultType(of: numbers.map(\.type))
      let function = dtype == .bool ? function.onBool : function
      let aligned = operands.enumerated().map { position, operand in
        (function == .select && position == 0 ? operand : operand.convert(to: dtype)).expanded(to: shape)
      }
      return apply(.pointwise(function), aligned)
    } catch {
      builder.record(error, operation: function.name, operands: operands)
      return builder.poison
    }
  }

  /// The common shape of operands: aligned at their last axes, sizes equal or 1.
  package static func broadcastShape(_ types: [TensorType]) throws(TypeFault) -> [Dim] {
    let rank = types.map(\.rank).max() ?? 0
    var shape = [Dim](repeating: 1, count: rank)
    for type in types {
      for (axis, size) in type.shape.enumerated() {
        let target = rank - type.rank + axis
        if shape[target] == 1 {
          shape[target] = size
        } else if size != 1 && size != shape[target] {
          throw TypeFault(
            "\(types.map(\.shape.text).joined(separator: " and ")) do not broadcast: sizes \(shape[target]) and \(size) meet on axis \(target) of the result",
            help: "sizes must be equal or 1, aligned at the last axis")
        }
      }
    }
    return shape
  }

  /// Broadcasts to a shape of at least this rank, aligned at the last axes.
  public func expanded(to shape: [Dim]) -> Tensor {
    broadcast(to: shape, axes: Array(Swift.max(shape.count - rank, 0)..<shape.count))
  }

  /// A number as a tensor without axes: of this tensor's type, unless the number is of a higher category.
  package func lift(_ number: some Number) -> Tensor {
    let dtype = dtype.promoted(withNumber: number)
    return builder.scalar(dtype.literal(number), dtype)
  }

  /// Integers and `bool` in the default type of floats, as PyTorch's floating functions take them.
  package var floating: Tensor { dtype.isFloat ? self : convert(to: .defaultFloat) }
}

// MARK: Operators

/// Powers bind closer than products: `a ** b`.
precedencegroup ExponentiationPrecedence {
  associativity: right
  higherThan: MultiplicationPrecedence
}

/// The power.
infix operator ** : ExponentiationPrecedence

extension Tensor {
  /// The sum; of two `bool`, whether any is true.
  public static func + (a: Tensor, b: Tensor) -> Tensor { pointwise(.add, a, b) }
  /// The sum; of two `bool`, whether any is true.
  public static func + (a: Tensor, b: Int) -> Tensor { a + a.lift(b) }
  /// The sum; of two `bool`, whether any is true.
  public static func + (a: Tensor, b: Double) -> Tensor { a + a.lift(b) }
  /// The sum; of two `bool`, whether any is true.
  public static func + (a: Int, b: Tensor) -> Tensor { b.lift(a) + b }
  /// The sum; of two `bool`, whether any is true.
  public static func + (a: Double, b: Tensor) -> Tensor { b.lift(a) + b }

  /// The difference.
  public static func - (a: Tensor, b: Tensor) -> Tensor { pointwise(.subtract, a, b) }
  /// The difference.
  public static func - (a: Tensor, b: Int) -> Tensor { a - a.lift(b) }
  /// The difference.
  public static func - (a: Tensor, b: Double) -> Tensor { a - a.lift(b) }
  /// The difference.
  public static func - (a: Int, b: Tensor) -> Tensor { b.lift(a) - b }
  /// The difference.
  public static func - (a: Double, b: Tensor) -> Tensor { b.lift(a) - b }

  /// The product; of two `bool`, whether both are true.
  public static func * (a: Tensor, b: Tensor) -> Tensor { pointwise(.multiply, a, b) }
  /// The product; of two `bool`, whether both are true.
  public static func * (a: Tensor, b: Int) -> Tensor { a * a.lift(b) }
  /// The product; of two `bool`, whether both are true.
  public static func * (a: Tensor, b: Double) -> Tensor { a * a.lift(b) }
  /// The product; of two `bool`, whether both are true.
  public static func * (a: Int, b: Tensor) -> Tensor { b.lift(a) * b }
  /// The product; of two `bool`, whether both are true.
  public static func * (a: Double, b: Tensor) -> Tensor { b.lift(a) * b }

  /// True division: integers are divided in the default type of floats.
  public static func / (a: Tensor, b: Tensor) -> Tensor { pointwise(.divide, a.meeting(b), b.meeting(a)) }
  /// True division: integers are divided in the default type of floats.
  public static func / (a: Tensor, b: Int) -> Tensor { a / a.lift(b) }
  /// True division: integers are divided in the default type of floats.
  public static func / (a: Tensor, b: Double) -> Tensor { a / a.lift(b) }
  /// True division: integers are divided in the default type of floats.
  public static func / (a: Int, b: Tensor) -> Tensor { b.lift(a) / b }
  /// True division: integers are divided in the default type of floats.
  public static func / (a: Double, b: Tensor) -> Tensor { b.lift(a) / b }

  /// The remainder with the sign of the divisor, as Python's `%`.
  public static func % (a: Tensor, b: Tensor) -> Tensor { a.remainder(b) }
  /// The remainder with the sign of the divisor, as Python's `%`.
  public static func % (a: Tensor, b: Int) -> Tensor { a % a.lift(b) }
  /// The remainder with the sign of the divisor, as Python's `%`.
  public static func % (a: Tensor, b: Double) -> Tensor { a % a.lift(b) }
  /// The remainder with the sign of the divisor, as Python's `%`.
  public static func % (a: Int, b: Tensor) -> Tensor { b.lift(a) % b }
  /// The remainder with the sign of the divisor, as Python's `%`.
  public static func % (a: Double, b: Tensor) -> Tensor { b.lift(a) % b }

  /// The power.
  public static func ** (a: Tensor, b: Tensor) -> Tensor { a.pow(b) }
  /// The power.
  public static func ** (a: Tensor, b: Int) -> Tensor { a.pow(b) }
  /// The power.
  public static func ** (a: Tensor, b: Double) -> Tensor { a.pow(b) }
  /// The power.
  public static func ** (a: Int, b: Tensor) -> Tensor { b.lift(a).pow(b) }
  /// The power.
  public static func ** (a: Double, b: Tensor) -> Tensor { b.lift(a).pow(b) }

  /// Two tensors of which none is of floats meet in the default type of floats.
  private func meeting(_ other: Tensor) -> Tensor { other.dtype.isFloat ? self : floating }

  /// Makes the variable the sum: nothing is written in place, other variables keep what they hold.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  /// Makes the variable the sum: nothing is written in place, other variables keep what they hold.
  public static func += (a: inout Tensor, b: Int) { a = a + b }
  /// Makes the variable the sum: nothing is written in place, other variables keep what they hold.
  public static func += (a: inout Tensor, b: Double) { a = a + b }
  /// Makes the variable the difference: nothing is written in place, other variables keep what they hold.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  /// Makes the variable the difference: nothing is written in place, other variables keep what they hold.
  public static func -= (a: inout Tensor, b: Int) { a = a - b }
  /// Makes the variable the difference: nothing is written in place, other variables keep what they hold.
  public static func -= (a: inout Tensor, b: Double) { a = a - b }
  /// Makes the variable the product: nothing is written in place, other variables keep what they hold.
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  /// Makes the variable the product: nothing is written in place, other variables keep what they hold.
  public static func *= (a: inout Tensor, b: Int) { a = a * b }
  /// Makes the variable the product: nothing is written in place, other variables keep what they hold.
  public static func *= (a: inout Tensor, b: Double) { a = a * b }
  /// Makes the variable the quotient: nothing is written in place, other variables keep what they hold.
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }
  /// Makes the variable the quotient: nothing is written in place, other variables keep what they hold.
  public static func /= (a: inout Tensor, b: Int) { a = a / b }
  /// Makes the variable the quotient: nothing is written in place, other variables keep what they hold.
  public static func /= (a: inout Tensor, b: Double) { a = a / b }
  /// Makes the variable the remainder: nothing is written in place, other variables keep what they hold.
  public static func %= (a: inout Tensor, b: Tensor) { a = a % b }
  /// Makes the variable the remainder: nothing is written in place, other variables keep what they hold.
  public static func %= (a: inout Tensor, b: Int) { a = a % b }
  /// Makes the variable the remainder: nothing is written in place, other variables keep what they hold.
  public static func %= (a: inout Tensor, b: Double) { a = a % b }

  /// The negative.
  public static prefix func - (a: Tensor) -> Tensor { pointwise(.negate, a) }
  /// The bits inverted; of `bool`, the opposite.
  public static prefix func ~ (a: Tensor) -> Tensor { pointwise(.not, a) }

  /// Whether elements are equal.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { pointwise(.equal, a, b) }
  /// Whether elements are equal.
  public static func .== (a: Tensor, b: Int) -> Tensor { a .== a.lift(b) }
  /// Whether elements are equal.
  public static func .== (a: Tensor, b: Double) -> Tensor { a .== a.lift(b) }
  /// Whether elements are equal.
  public static func .== (a: Int, b: Tensor) -> Tensor { b.lift(a) .== b }
  /// Whether elements are equal.
  public static func .== (a: Double, b: Tensor) -> Tensor { b.lift(a) .== b }

  /// Whether elements differ.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { pointwise(.notEqual, a, b) }
  /// Whether elements differ.
  public static func .!= (a: Tensor, b: Int) -> Tensor { a .!= a.lift(b) }
  /// Whether elements differ.
  public static func .!= (a: Tensor, b: Double) -> Tensor { a .!= a.lift(b) }
  /// Whether elements differ.
  public static func .!= (a: Int, b: Tensor) -> Tensor { b.lift(a) .!= b }
  /// Whether elements differ.
  public static func .!= (a: Double, b: Tensor) -> Tensor { b.lift(a) .!= b }

  /// Whether elements are less.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { pointwise(.less, a, b) }
  /// Whether elements are less.
  public static func .< (a: Tensor, b: Int) -> Tensor { a .< a.lift(b) }
  /// Whether elements are less.
  public static func .< (a: Tensor, b: Double) -> Tensor { a .< a.lift(b) }
  /// Whether elements are less.
  public static func .< (a: Int, b: Tensor) -> Tensor { b.lift(a) .< b }
  /// Whether elements are less.
  public static func .< (a: Double, b: Tensor) -> Tensor { b.lift(a) .< b }

  /// Whether elements are less or equal.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { pointwise(.lessEqual, a, b) }
  /// Whether elements are less or equal.
  public static func .<= (a: Tensor, b: Int) -> Tensor { a .<= a.lift(b) }
  /// Whether elements are less or equal.
  public static func .<= (a: Tensor, b: Double) -> Tensor { a .<= a.lift(b) }
  /// Whether elements are less or equal.
  public static func .<= (a: Int, b: Tensor) -> Tensor { b.lift(a) .<= b }
  /// Whether elements are less or equal.
  public static func .<= (a: Double, b: Tensor) -> Tensor { b.lift(a) .<= b }

  /// Whether elements are greater.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { pointwise(.greater, a, b) }
  /// Whether elements are greater.
  public static func .> (a: Tensor, b: Int) -> Tensor { a .> a.lift(b) }
  /// Whether elements are greater.
  public static func .> (a: Tensor, b: Double) -> Tensor { a .> a.lift(b) }
  /// Whether elements are greater.
  public static func .> (a: Int, b: Tensor) -> Tensor { b.lift(a) .> b }
  /// Whether elements are greater.
  public static func .> (a: Double, b: Tensor) -> Tensor { b.lift(a) .> b }

  /// Whether elements are greater or equal.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { pointwise(.greaterEqual, a, b) }
  /// Whether elements are greater or equal.
  public static func .>= (a: Tensor, b: Int) -> Tensor { a .>= a.lift(b) }
  /// Whether elements are greater or equal.
  public static func .>= (a: Tensor, b: Double) -> Tensor { a .>= a.lift(b) }
  /// Whether elements are greater or equal.
  public static func .>= (a: Int, b: Tensor) -> Tensor { b.lift(a) .>= b }
  /// Whether elements are greater or equal.
  public static func .>= (a: Double, b: Tensor) -> Tensor { b.lift(a) .>= b }

  /// The bits that both have; of `bool`, whether both are true.
  public static func .& (a: Tensor, b: Tensor) -> Tensor { pointwise(.and, a, b) }
  /// The bits that both have; of `bool`, whether both are true.
  public static func .& (a: Tensor, b: Int) -> Tensor { a .& a.lift(b) }
  /// The bits that both have; of `bool`, whether both are true.
  public static func .& (a: Tensor, b: Double) -> Tensor { a .& a.lift(b) }

  /// The bits that any has; of `bool`, whether any is true.
  public static func .| (a: Tensor, b: Tensor) -> Tensor { pointwise(.or, a, b) }
  /// The bits that any has; of `bool`, whether any is true.
  public static func .| (a: Tensor, b: Int) -> Tensor { a .| a.lift(b) }
  /// The bits that any has; of `bool`, whether any is true.
  public static func .| (a: Tensor, b: Double) -> Tensor { a .| a.lift(b) }

  /// The bits in which both differ; of `bool`, whether one is true.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor { pointwise(.xor, a, b) }
  /// The bits in which both differ; of `bool`, whether one is true.
  public static func .^ (a: Tensor, b: Int) -> Tensor { a .^ a.lift(b) }
  /// The bits in which both differ; of `bool`, whether one is true.
  public static func .^ (a: Tensor, b: Double) -> Tensor { a .^ a.lift(b) }

  /// The bits moved up.
  public static func << (a: Tensor, b: Tensor) -> Tensor { pointwise(.shiftLeft, a, b) }
  /// The bits moved up.
  public static func << (a: Tensor, b: Int) -> Tensor { a << a.lift(b) }
  /// The bits moved up.
  public static func << (a: Tensor, b: Double) -> Tensor { a << a.lift(b) }

  /// The bits moved down; the sign stays.
  public static func >> (a: Tensor, b: Tensor) -> Tensor { pointwise(.shiftRight, a, b) }
  /// The bits moved down; the sign stays.
  public static func >> (a: Tensor, b: Int) -> Tensor { a >> a.lift(b) }
  /// The bits moved down; the sign stays.
  public static func >> (a: Tensor, b: Double) -> Tensor { a >> a.lift(b) }

}

// MARK: Functions

extension Tensor {
  /// The negative.
  public func negate() -> Tensor { .pointwise(.negate, self) }
  /// The magnitude.
  public func abs() -> Tensor { .pointwise(.abs, self) }
  /// -1, 0 or 1.
  public func sign() -> Tensor { .pointwise(.sign, self) }
  /// `e` to the power.
  public func exp() -> Tensor { .pointwise(.exp, floating) }
  /// 2 to the power.
  public func exp2() -> Tensor { .pointwise(.exp2, floating) }
  /// `exp(x) - 1`, exact near 0.
  public func expm1() -> Tensor { .pointwise(.expm1, floating) }
  /// The natural logarithm.
  public func log() -> Tensor { .pointwise(.log, floating) }
  /// `log(1 + x)`, exact near 0.
  public func log1p() -> Tensor { .pointwise(.log1p, floating) }
  /// The logarithm to base 2.
  public func log2() -> Tensor { .pointwise(.log2, floating) }
  /// The logarithm to base 10.
  public func log10() -> Tensor { .pointwise(.log10, floating) }
  /// The square root.
  public func sqrt() -> Tensor { .pointwise(.sqrt, floating) }
  /// One over the square root.
  public func rsqrt() -> Tensor { .pointwise(.rsqrt, floating) }
  /// The sine.
  public func sin() -> Tensor { .pointwise(.sin, floating) }
  /// The cosine.
  public func cos() -> Tensor { .pointwise(.cos, floating) }
  /// The tangent.
  public func tan() -> Tensor { .pointwise(.tan, floating) }
  /// The arc sine.
  public func asin() -> Tensor { .pointwise(.asin, floating) }
  /// The arc cosine.
  public func acos() -> Tensor { .pointwise(.acos, floating) }
  /// The arc tangent.
  public func atan() -> Tensor { .pointwise(.atan, floating) }
  /// The hyperbolic sine.
  public func sinh() -> Tensor { .pointwise(.sinh, floating) }
  /// The hyperbolic cosine.
  public func cosh() -> Tensor { .pointwise(.cosh, floating) }
  /// The hyperbolic tangent.
  public func tanh() -> Tensor { .pointwise(.tanh, floating) }
  /// The inverse of `sinh`.
  public func asinh() -> Tensor { .pointwise(.asinh, floating) }
  /// The inverse of `cosh`.
  public func acosh() -> Tensor { .pointwise(.acosh, floating) }
  /// The inverse of `tanh`.
  public func atanh() -> Tensor { .pointwise(.atanh, floating) }
  /// `1 / (1 + exp(-x))`.
  public func sigmoid() -> Tensor { .pointwise(.sigmoid, floating) }
  /// The error function.
  public func erf() -> Tensor { .pointwise(.erf, floating) }
  /// One less the error function.
  public func erfc() -> Tensor { .pointwise(.erfc, floating) }
  /// The logarithm of the gamma function's magnitude.
  public func lgamma() -> Tensor { .pointwise(.lgamma, floating) }
  /// The derivative of `lgamma`.
  public func digamma() -> Tensor { polygamma(0) }

  /// Derivative `n` of `digamma`, for `n` from 0 on.
  public func polygamma(_ n: Int) -> Tensor { .pointwise(.polygamma, floating.lift(n), floating) }
  /// The next integer below.
  public func floor() -> Tensor { dtype.isFloat ? .pointwise(.floor, self) : self }
  /// The next integer above.
  public func ceil() -> Tensor { dtype.isFloat ? .pointwise(.ceil, self) : self }
  /// The nearest integer, half to even.
  public func round() -> Tensor { dtype.isFloat ? .pointwise(.round, self) : self }
  /// The integer part.
  public func trunc() -> Tensor { dtype.isFloat ? .pointwise(.trunc, self) : self }
  /// Whether elements are NaN.
  public func isNaN() -> Tensor { .pointwise(.isNaN, floating) }
  /// Whether elements are neither infinite nor NaN.
  public func isFinite() -> Tensor { .pointwise(.isFinite, floating) }
  /// The bits inverted; of `bool`, the opposite.
  public func bitwiseNot() -> Tensor { .pointwise(.not, self) }
  /// The remainder with the sign of the dividend, C's `fmod`.
  ///
  /// Of floats, the remainder with 0 is NaN. Of integers, a literal 0 among the divisors is a mistake, and what run-time
  /// data divides by 0 has the remainder 0.
  public func fmod(_ other: some TensorOperand) -> Tensor {
    let other = other.tensor(beside: self)
    return refused(divisionFault(other), "fmod", other) ?? .pointwise(.fmod, self, other)
  }

  /// Records a fault of a function of this tensor and another, and gives poison; nil where there is no fault.
  private func refused(_ fault: TypeFault?, _ name: String, _ other: Tensor) -> Tensor? {
    guard let fault else { return nil }
    let builder = Tensor.innermostBuilder(of: [self, other])
    builder.record(fault, operation: name, operands: [self, other])
    return builder.poison
  }

  /// That integers are divided by a literal 0.
  package func divisionFault(_ divisor: Tensor) -> TypeFault? {
    guard !isPoisoned, !dtype.isFloat, let known = divisor.literal, known.dtype.isInteger, known.integers.contains(0)
    else { return nil }
    return TypeFault("integers are divided by 0")
  }

  /// That integers have a literal negative power.
  private func powerFault(_ exponent: Tensor) -> TypeFault? {
    guard !isPoisoned, !dtype.isFloat, let known = exponent.literal, known.dtype.isInteger, known.dtype.isSigned,
      let negative = known.integers.first(where: { $0 < 0 })
    else { return nil }
    return TypeFault("integers have no power of \(negative)", help: "convert the base to floats")
  }

  /// The remainder with the sign of the divisor, Python's `%`.
  ///
  /// Of floats, the remainder with 0 is NaN. Of integers, a literal 0 among the divisors is a mistake, and what run-time
  /// data divides by 0 has the remainder 0.
  public func remainder(_ other: some TensorOperand) -> Tensor {
    let other = other.tensor(beside: self)
    return Tensor.innermostBuilder(of: [self, other]).composite("remainder", [self, other]) {
      let rest = fmod(other)
      return ((rest .!= 0) .& ((rest .< 0) .!= (other .< 0))).select(rest + other, rest)
    }
  }

  /// The power; integers have none with a negative integer.
  public func pow(_ exponent: some TensorOperand) -> Tensor {
    let exponent = exponent.tensor(beside: self)
    return refused(powerFault(exponent), "pow", exponent) ?? .pointwise(.power, self, exponent)
  }

  /// The greater element; NaN where any is, and ties share the gradient.
  public func maximum(_ other: some TensorOperand) -> Tensor {
    .pointwise(.maximum, self, other.tensor(beside: self))
  }

  /// The lesser element; NaN where any is, and ties share the gradient.
  public func minimum(_ other: some TensorOperand) -> Tensor {
    .pointwise(.minimum, self, other.tensor(beside: self))
  }

  /// The angle of the point `(other, self)`.
  public func atan2(_ other: Tensor) -> Tensor { .pointwise(.atan2, floating, other.floating) }

  /// `a` where this tensor of `bool` is true, `b` elsewhere.
  public func select(_ a: Tensor, _ b: Tensor) -> Tensor { .pointwise(.select, self, a, b) }
}

extension Pointwise {
  /// The function on truths: a sum is "or", a product "and".
  var onBool: Pointwise {
    switch self {
    case .add: .or
    case .multiply: .and
    default: self
    }
  }
}
