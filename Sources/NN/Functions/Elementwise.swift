public import LatheCore

/// Functions of single elements that are written in the primitive ones; the primitive ones are methods in `LatheCore`.
extension Tensor {
  /// Limits every element to a range.
  ///
  /// Elements at its ends pass their gradient on, NaN stays.
  public func clamp(min: Double? = nil, max: Double? = nil) -> Tensor {
    composite("clamp", [self]) {
      var result = self
      if let min { result = (result .< min).select(result.lift(min), result) }
      if let max { result = (result .> max).select(result.lift(max), result) }
      return result
    }
  }

  /// Limits every element to bounds that are tensors.
  public func clamp(min: Tensor? = nil, max: Tensor? = nil) -> Tensor {
    composite("clamp", [self] + [min, max].compactMap { $0 }) {
      var result = self
      if let min { result = (result .< min).select(min, result) }
      if let max { result = (result .> max).select(max, result) }
      return result
    }
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

  /// The quotient rounded as named: `div` with `rounding_mode`.
  public func div(_ other: Tensor, roundingMode: RoundingMode? = nil) -> Tensor {
    switch roundingMode {
    case nil: self / other
    case .trunc: dtype.isFloat || other.dtype.isFloat ? (self / other).trunc() : .pointwise(.divide, self, other)
    case .floor: floorDivide(other)
    }
  }

  /// The quotient rounded down.
  public func floorDivide(_ other: Tensor) -> Tensor {
    composite("floorDivide", [self, other]) {
      if dtype.isFloat || other.dtype.isFloat { return flooredQuotient(floating, other.floating) }
      let quotient = Tensor.pointwise(.divide, self, other)
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

  /// The remainder with the sign of the divisor, Python's `%`.
  public func remainder(_ other: Tensor) -> Tensor {
    composite("remainder", [self, other]) {
      let rest = fmod(other)
      let wrong = (rest .!= 0) .& ((rest .< 0) .!= (other .< 0))
      return wrong.select(rest + other, rest)
    }
  }

  /// The remainder by a number.
  public func remainder(_ other: Double) -> Tensor { isPoisoned ? self : remainder(lift(other)) }

  /// `self + weight * (end - self)`.
  public func lerp(_ end: Tensor, weight: Tensor) -> Tensor { self + weight * (end - self) }

  /// `self + weight * (end - self)`.
  public func lerp(_ end: Tensor, weight: Double) -> Tensor { self + (end - self) * weight }

  /// `self + value * a * b`.
  public func addcmul(_ a: Tensor, _ b: Tensor, value: Double = 1) -> Tensor {
    value == 1 ? self + a * b : self + a * b * value
  }

  /// `self + value * a / b`.
  public func addcdiv(_ a: Tensor, _ b: Tensor, value: Double = 1) -> Tensor {
    value == 1 ? self + a / b : self + a / b * value
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
  public func xlogy(_ other: Tensor) -> Tensor {
    composite("xlogy", [self, other]) {
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
      return floating * wide.fullLike(2).power(wide)
    }
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

  /// The normal distribution's cumulative function.
  public func ndtr() -> Tensor { (floating * -0.5.squareRoot()).erfc() * 0.5 }

  /// Whether each element occurs among those of another tensor.
  public func isIn(_ elements: Tensor) -> Tensor {
    composite("isIn", [self, elements]) { (unsqueeze(dim: -1) .== elements.flatten()).any(dim: -1) }
  }

  /// Anything but zero.
  private var truth: Tensor { dtype == .bool ? self : self .!= 0 }
}

/// How `div` rounds.
public enum RoundingMode: String, Sendable {
  case trunc, floor
}

/// `a` where the condition holds, `b` elsewhere.
public func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { condition.select(a, b) }
