public import LatheCore

/// Functions of single elements that are written in the primitive ones; the primitive ones are methods in `LatheCore`.
extension Tensor {
  /// Limits every element to a range, whose ends are numbers or tensors: `clamp`, once `clip`.
  ///
  /// Elements at its ends pass no gradient on. NaN stays, as an element and as an end.
  public func clamp(
    min: (some TensorOperand)? = Double?.none, max: (some TensorOperand)? = Double?.none
  ) -> Tensor {
    clamped(min?.tensor(beside: self), max?.tensor(beside: self))
  }

  /// Limits every element to a range of numbers.
  public func clamp(min: Double? = nil, max: Double? = nil) -> Tensor { clamped(min.map(lift), max.map(lift)) }

  private func clamped(_ low: Tensor?, _ high: Tensor?) -> Tensor {
    composite("clamp", [self, low, high]) {
      let dtype = ScalarType.resultType(of: [self, low, high].compactMap { $0?.type })
      let (low, high) = (low?.convert(to: dtype), high?.convert(to: dtype))
      var result = convert(to: dtype)
      if let low { result = result.limited(by: low, { $0 .< $1 }, { $0 .<= $1 }) }
      if let high { result = result.limited(by: high, { $0 .> $1 }, { $0 .>= $1 }) }
      return result
    }
  }

  /// The end of a range where the elements lie beyond it; where they lie at it, without a gradient for either.
  private func limited(
    by end: Tensor, _ isBeyond: (Tensor, Tensor) -> Tensor, _ isReached: (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    // A number has no gradient, and is no NaN that data could bring.
    if end.literal?.count == 1 {
      return end.literal?.doubles.first?.isNaN == true ? self * Double.nan : isReached(self, end).select(end, self)
    }
    let reached = end.dtype.isFloat ? isReached(self, end) .| end.isNaN() : isReached(self, end)
    return reached.select((isBeyond(self, end) .| (end .!= end)).select(end, end.detach()), self)
  }

  /// Every element times itself.
  public func square() -> Tensor { self * self }

  /// One over every element.
  public func reciprocal() -> Tensor { 1 / floating }

  /// The fractional part, with the sign of the element.
  public func frac() -> Tensor { self - trunc() }

  /// `log(x / (1 - x))`, after limiting x to `eps ... 1 - eps`.
  public func logit(eps: Double? = nil) -> Tensor {
    let x = eps.map { floating.clamp(min: $0, max: 1 - $0) } ?? floating
    return (x / (1 - x)).log()
  }

  /// `sin(pi x) / (pi x)`, 1 at 0.
  public func sinc() -> Tensor {
    let x = floating * Double.pi
    let isZero = x .== 0
    return isZero.select(x.onesLike(), x.sin() / isZero.select(x.onesLike(), x))
  }

  /// Degrees as radians.
  public func deg2rad() -> Tensor { floating * (Double.pi / 180) }

  /// Radians as degrees.
  public func rad2deg() -> Tensor { floating * (180 / Double.pi) }

  /// Whether elements are infinite.
  public func isInf() -> Tensor { dtype.isFloat ? abs() .== .infinity : self .!= self }

  /// NaN and infinities replaced by finite numbers, by default 0 and the ends of the type.
  public func nanToNum(nan: Double = 0, posinf: Double? = nil, neginf: Double? = nil) -> Tensor {
    guard !isPoisoned, dtype.isFloat else { return self }
    let greatest: Double =
      switch dtype {
      case .f64: Double.greatestFiniteMagnitude
      case .f16: 65504
      case .bf16: 0x1.FEp127
      default: Double(Float.greatestFiniteMagnitude)
      }
    var x = isNaN().select(fullLike(nan), self)
    x = (x .== .infinity).select(fullLike(posinf ?? greatest), x)
    return (x .== -.infinity).select(fullLike(neginf ?? -greatest), x)
  }

  /// The sum with `alpha` times another tensor or number.
  public func add(_ other: some TensorOperand, alpha: some Number = 1) -> Tensor {
    self + other.tensor(beside: self).scaled(by: alpha)
  }

  /// The difference from `alpha` times another tensor or number.
  public func sub(_ other: some TensorOperand, alpha: some Number = 1) -> Tensor {
    self - other.tensor(beside: self).scaled(by: alpha)
  }

  private func scaled<Factor: Number>(by alpha: Factor) -> Tensor {
    alpha.scalarValue.double == 1 ? self : self * lift(alpha)
  }

  /// So many times this tensor; integers stay integers, and wrap around.
  func multiple(_ factor: Double) -> Tensor {
    if dtype.isInteger, let whole = Int(exactly: factor) { return scaled(by: whole) }
    return scaled(by: factor)
  }

  /// The product.
  public func mul(_ other: some TensorOperand) -> Tensor { self * other.tensor(beside: self) }

  /// The negative.
  public func neg() -> Tensor { -self }

  /// Whether elements are equal.
  public func eq(_ other: some TensorOperand) -> Tensor { self .== other.tensor(beside: self) }
  /// Whether elements differ.
  public func ne(_ other: some TensorOperand) -> Tensor { self .!= other.tensor(beside: self) }
  /// Whether elements are less.
  public func lt(_ other: some TensorOperand) -> Tensor { self .< other.tensor(beside: self) }
  /// Whether elements are less or equal.
  public func le(_ other: some TensorOperand) -> Tensor { self .<= other.tensor(beside: self) }
  /// Whether elements are greater.
  public func gt(_ other: some TensorOperand) -> Tensor { self .> other.tensor(beside: self) }
  /// Whether elements are greater or equal.
  public func ge(_ other: some TensorOperand) -> Tensor { self .>= other.tensor(beside: self) }

  /// The quotient; with a rounding mode, of integers an integer.
  public func div(_ other: some TensorOperand, roundingMode: RoundingMode? = nil) -> Tensor {
    let other = other.tensor(beside: self)
    switch roundingMode {
    case nil: return self / other
    case .trunc: return dtype.isFloat || other.dtype.isFloat ? (self / other).trunc() : integerQuotient("div", other)
    case .floor: return floorDivide(other)
    }
  }

  /// The quotient of integers, truncated; a literal 0 divides nothing.
  private func integerQuotient(_ name: String, _ other: Tensor) -> Tensor {
    composite(name, [self, other]) { () throws(TypeFault) -> Tensor in
      if let fault = divisionFault(other) { throw fault }
      return .pointwise(.divide, self, other)
    }
  }

  /// The quotient rounded down.
  ///
  /// Of integers, what run-time data divides by 0 is 0.
  public func floorDivide(_ other: some TensorOperand) -> Tensor {
    let other = other.tensor(beside: self)
    return composite("floorDivide", [self, other]) {
      if dtype.isFloat || other.dtype.isFloat { return flooredQuotient(floating, other.floating) }
      let quotient = integerQuotient("floorDivide", other)
      let rest = Tensor.pointwise(.fmod, self, other)
      let rounds = (rest .!= 0) .& ((rest .< 0) .!= (other .< 0))
      return rounds.select(quotient - 1, quotient)
    }
  }

  /// The floor of the exact quotient, as Python and PyTorch compute it: what is left without the remainder divides
  /// nearly without rounding, where `a / b` itself may round up to the next whole number.
  private func flooredQuotient(_ a: Tensor, _ b: Tensor) -> Tensor {
    let rest = a.fmod(b)
    let isMixed = (rest .!= 0) .& ((b .< 0) .!= (rest .< 0))
    let exact = (a - rest) / b
    let quotient = isMixed.select(exact - 1, exact)
    let floor = quotient.floor()
    let nearest = ((quotient - floor) .> 0.5).select(floor + 1, floor)
    let result = (quotient .== 0).select((a / b) * 0, nearest)
    return (b .== 0).select(a / b, result)
  }

  /// `self + weight * (end - self)`.
  public func lerp(_ end: Tensor, weight: some TensorOperand) -> Tensor {
    self + (end - self) * weight.tensor(beside: self)
  }

  /// `self + value * a * b`.
  public func addcmul(_ a: Tensor, _ b: Tensor, value: some Number = 1) -> Tensor {
    self + (a * b).scaled(by: value)
  }

  /// `self + value * a / b`.
  public func addcdiv(_ a: Tensor, _ b: Tensor, value: some Number = 1) -> Tensor {
    self + (a / b).scaled(by: value)
  }

  /// `sqrt(a^2 + b^2)`.
  public func hypot(_ other: Tensor) -> Tensor { (self * self + other * other).sqrt() }

  /// `log(exp(a) + exp(b))` without overflow.
  public func logaddexp(_ other: Tensor) -> Tensor {
    let greater = maximum(other)
    let difference = (-(self - other).abs()).exp().log1p()
    // Equal infinities have no difference.
    return (self .== other).select(greater + 0.693_147_180_559_945_3, greater + difference)
  }

  /// `self * log(other)`, 0 where this is 0.
  public func xlogy(_ other: some TensorOperand) -> Tensor {
    let other = other.tensor(beside: self)
    return composite("xlogy", [self, other]) {
      let y = other.floating
      // Where 0 would meet an infinite logarithm; elsewhere the gradient is the logarithm, at 0 too.
      let isUndefined = (self .== 0) .& ((y .<= 0) .| (y .== .infinity))
      return floating * isUndefined.select(y.onesLike(), y).log()
    }
  }

  /// Whether elements are zero.
  public func logicalNot() -> Tensor { self .== 0 }
  /// Whether both elements are not zero.
  public func logicalAnd(_ other: Tensor) -> Tensor { truth .& other.truth }
  /// Whether any of both elements is not zero.
  public func logicalOr(_ other: Tensor) -> Tensor { truth .| other.truth }
  /// Whether exactly one of both elements is not zero.
  public func logicalXor(_ other: Tensor) -> Tensor { .pointwise(.xor, truth, other.truth) }
  /// The bits that both have.
  public func bitwiseAnd(_ other: Tensor) -> Tensor { self .& other }
  /// The bits that any of both has.
  public func bitwiseOr(_ other: Tensor) -> Tensor { self .| other }
  /// The bits in which both differ.
  public func bitwiseXor(_ other: Tensor) -> Tensor { .pointwise(.xor, self, other) }
  /// The bits moved up.
  public func bitwiseLeftShift(_ other: Tensor) -> Tensor { .pointwise(.shiftLeft, self, other) }
  /// The bits moved down; the sign stays.
  public func bitwiseRightShift(_ other: Tensor) -> Tensor { .pointwise(.shiftRight, self, other) }

  /// 0 below zero, `values` at zero, 1 above.
  public func heaviside(_ values: Tensor) -> Tensor {
    (self .== 0).select(values, (self .> 0).convert(to: dtype))
  }

  /// Where two tensors agree: `|a - b| <= atol + rtol * |b|`.
  ///
  /// - Parameter equalNaN: Whether NaN agrees with NaN.
  public func isClose(
    _ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false
  ) -> Tensor {
    composite("isClose", [self, other]) {
      let near = ((self - other).abs() .<= other.abs() * rtol + atol) .& other.abs().floating.isFinite()
      let agrees = near .| (self .== other)
      return equalNaN ? agrees .| (floating.isNaN() .& other.floating.isNaN()) : agrees
    }
  }

  /// Whether two tensors have one shape and equal elements: one truth.
  public func equal(_ other: Tensor) -> Tensor {
    composite("equal", [self, other]) {
      shape == other.shape ? (self .== other).all() : builder.scalar(.integer(0), .bool)
    }
  }

  /// Whether all elements agree, as `isClose` says: one truth.
  public func allClose(_ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Tensor {
    composite("allClose", [self, other]) { isClose(other, rtol: rtol, atol: atol, equalNaN: equalNaN).all() }
  }

  /// Rounds to decimals, half to even; negative numbers of decimals round to tens.
  public func round(decimals: Int) -> Tensor {
    guard decimals != 0, dtype.isFloat else { return round() }
    // Beyond 10^308 a power of ten is infinite.
    let scale = (0..<Swift.min(decimals.magnitude, 309)).reduce(1.0) { scale, _ in scale * 10 }
    return decimals > 0 ? (self * scale).round() / scale : (self / scale).round() * scale
  }

  /// Whether the sign bit is set; integers have it where negative.
  public func signbit() -> Tensor {
    composite("signbit", [self]) {
      let bits: ScalarType? =
        switch dtype {
        case .f64: .i64
        case .f32: .i32
        case .f16, .bf16: .i16
        default: nil
        }
      return (bits.map { bitcast(to: $0) } ?? self) .< 0
    }
  }

  /// Whether elements are positive infinity.
  public func isPosInf() -> Tensor { dtype.isFloat ? self .== .infinity : self .!= self }

  /// Whether elements are negative infinity.
  public func isNegInf() -> Tensor { dtype.isFloat ? self .== -.infinity : self .!= self }

  /// The magnitude of this with the sign of another.
  public func copysign(_ other: Tensor) -> Tensor {
    composite("copysign", [self, other]) {
      let magnitude = floating.abs()
      return other.signbit().select(-magnitude, magnitude)
    }
  }

  /// The greater element, where NaN counts as missing.
  public func fmax(_ other: Tensor) -> Tensor {
    composite("fmax", [self, other]) {
      guard dtype.isFloat || other.dtype.isFloat else { return maximum(other) }
      return (other.floating.isNaN() .| (self .>= other)).select(self, other)
    }
  }

  /// The lesser element, where NaN counts as missing.
  public func fmin(_ other: Tensor) -> Tensor {
    composite("fmin", [self, other]) {
      guard dtype.isFloat || other.dtype.isFloat else { return minimum(other) }
      return (other.floating.isNaN() .| (self .<= other)).select(self, other)
    }
  }

  /// `log2(2^a + 2^b)` without overflow.
  public func logaddexp2(_ other: Tensor) -> Tensor {
    composite("logaddexp2", [self, other]) {
      let ln2 = 0.693_147_180_559_945_3
      return (self * ln2).logaddexp(other * ln2) / ln2
    }
  }

  /// `self * log(1 + other)`, 0 where this is 0.
  public func xlog1py(_ other: Tensor) -> Tensor {
    composite("xlog1py", [self, other]) {
      let y = other.floating
      let isUndefined = (self .== 0) .& ((y .<= -1) .| (y .== .infinity))
      return floating * isUndefined.select(y.zerosLike(), y).log1p()
    }
  }

  /// `self * 2^exponent`.
  public func ldexp(_ exponent: Tensor) -> Tensor {
    composite("ldexp", [self, exponent]) {
      let wide = exponent.convert(to: floating.dtype)
      return floating * wide.fullLike(2).pow(wide)
    }
  }

  /// The mantissa, of magnitude 0.5 up to 1, and the exponent `i32` of the power of two that it goes with.
  ///
  /// Of zeros, infinities and NaN the mantissa is the number itself and the exponent 0.
  public func frexp() -> (mantissa: Tensor, exponent: Tensor) {
    let results = composite("frexp", [self], count: 2) { () throws(TypeFault) -> [Tensor] in
      try requireFloat("the input")
      let x = dtype == .f64 ? self : convert(to: .f32)
      let isWide = x.dtype == .f64
      let (integer, bits, bias): (ScalarType, Int, Int) = isWide ? (.i64, 52, 1023) : (.i32, 23, 127)
      func whole(_ number: Int) -> Tensor { x.fullLike(0).convert(to: integer).fullLike(number) }
      // The least numbers have no exponent of their own.
      let isSmall = x.abs() .< (isWide ? 0x1p-1022 : 0x1p-126)
      let scaled = isSmall.select(x * (isWide ? 0x1p54 : 0x1p24), x)
      let power = scaled.abs().bitcast(to: integer).bitwiseRightShift(whole(bits))
      let isPlain = (x .!= 0) .& x.isFinite()
      let exponent = isPlain.select(power - (bias - 1), whole(0))
      // In two steps, either of which there is a power of two for.
      let half = exponent.bitwiseRightShift(whole(1))
      func negated(_ power: Tensor) -> Tensor {
        (whole(bias) - power).bitwiseLeftShift(whole(bits)).bitcast(to: x.dtype)
      }
      let mantissa = scaled * negated(half) * negated(exponent - half)
      let offset = isSmall.select(whole(isWide ? 54 : 24), whole(0))
      return [
        isPlain.select(mantissa, x).convert(to: dtype),
        isPlain.select(exponent - offset, whole(0)).convert(to: .i32),
      ]
    }
    return (results[0], results[1])
  }

  /// `-x log(x)`, 0 at 0 and minus infinity below.
  public func entr() -> Tensor {
    composite("entr", [self]) {
      let x = floating
      let isPositive = x .> 0
      let inner = -(x * isPositive.select(x, x.onesLike()).log())
      let outer = (x .== 0).select(x.zerosLike(), x.fullLike(-.infinity))
      return (isPositive .| x.isNaN()).select(inner, outer)
    }
  }

  /// The inverse of the error function; NaN outside of `-1 ... 1`.
  public func erfinv() -> Tensor {
    special("erfinv", inverseError) { _, y in (y * y).exp() * (Double.pi.squareRoot() / 2) }
  }

  /// Source: Giles, Approximating the erfinv function, 2010, for single precision; for double precision what PyTorch
  /// starts from, https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/Math.h, and Newton's steps.
  private func inverseError(_ x: Tensor) -> Tensor {
    func polynomial(_ coefficients: [Double], _ w: Tensor) -> Tensor { w.polynomial(coefficients) }
    if x.dtype == .f64 {
      let size = x.abs()
      let square = x * x
      let central =
        size * polynomial([-0.140543331, 0.914624893, -1.645349621, 0.886226899], square)
        / polynomial([0.012229801, -0.329097515, 1.442710462, -2.118377725, 1], square)
      let w = (-((1 - size) * 0.5).log()).sqrt()
      let tail =
        polynomial([1.641345311, 3.429567803, -1.624906493, -1.970840454], w)
        / polynomial([1.637067800, 3.543889200, 1], w)
      var y = (size .<= 0.7).select(central, tail)
      for _ in 0..<2 {
        // Near 1 the complement has the digits.
        let error = (size .> 0.5).select((1 - size) - y.erfc(), y.erf() - size)
        y = y - error * (y * y).exp() * (Double.pi.squareRoot() / 2)
      }
      return x.sign() * (size .== 1).select(size * .infinity, y)
    }
    let w = -((1 - x) * (1 + x)).log()
    let central = polynomial(
      [
        2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
        0.246640727, 1.50140941,
      ], w - 2.5)
    let tail = polynomial(
      [
        -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
        1.00167406, 2.83297682,
      ], w.sqrt() - 3)
    return (x.abs() .== 1).select(x * .infinity, (w .< 5).select(central, tail) * x)
  }

  /// The normal distribution's cumulative function.
  public func ndtr() -> Tensor { (floating * -0.5.squareRoot()).erfc() * 0.5 }

  /// Whether each element occurs among those of another tensor; with `invert`, whether it does not.
  public func isIn(_ elements: Tensor, invert: Bool = false) -> Tensor {
    composite("isIn", [self, elements]) {
      let isFound = (unsqueeze(dim: -1) .== elements.flatten()).any(dim: -1)
      return invert ? ~isFound : isFound
    }
  }

  /// Anything but zero.
  private var truth: Tensor { dtype == .bool ? self : self .!= 0 }
}

/// How `div` rounds.
public enum RoundingMode: String, Sendable {
  /// Towards zero, or down.
  case trunc, floor
}

/// `a` where the condition holds, `b` elsewhere; both may be numbers.
///
/// Their types meet as in arithmetic. The form with a condition alone has a result whose size data decides: see
/// ``Tensor/nonzero()``.
public func `where`<A: TensorOperand, B: TensorOperand>(_ condition: Tensor, _ a: A, _ b: B) -> Tensor {
  if let tensor = a as? Tensor { return condition.select(tensor, b.tensor(beside: tensor)) }
  if let tensor = b as? Tensor { return condition.select(a.tensor(beside: tensor), tensor) }
  // Two numbers meet as truths do, which any number is above of.
  let first = a.tensor(beside: condition)
  return condition.select(first, b.tensor(beside: first))
}

/// `a` where the condition holds, a number elsewhere.
public func `where`(_ condition: Tensor, _ a: Tensor, _ b: Double) -> Tensor { condition.select(a, a.lift(b)) }

/// The power of a number.
public func pow(_ base: some Number, _ exponent: Tensor) -> Tensor { exponent.lift(base).pow(exponent) }

/// Whether a value is a tensor of a trace: `is_tensor`.
public func isTensor(_ value: Any) -> Bool { value is Tensor }
