extension Mathematics {
  /// A power of e as `(1 + fraction) * 2^exponent`, with `fraction` between -0.3 and 0.42.
  struct Power<F: MathFloat> {
    var fraction: F
    /// The exponent plus the bias, in the lowest 9 bits.
    var biased: F.Bits

    /// - Parameters:
    ///   - x: between -105 and 91, or NaN.
    ///   - bias: 127 for `scale`, 254 for `scales`; less by one halves what they are.
    @inline(__always)
    init(of x: F, bias: Float) {
      // the sum's lowest bits are the nearest integer: it is so large that its last bit counts ones
      let magic = 0x1.8p23 + bias
      let shifted = (x * 1.44269504 + magic).named("shifted")
      let n = (shifted - magic).named("n")
      // ln 2 in two parts: the product with the first one is exact
      let r = (x - n * 0.693145752 - n * 1.42860677e-6).named("r")
      // e^r = 1 + r + r * r * q, weighted by r * r / e^r
      let q = (r * 0.0013819541 + 0.008368694).times(r, plus: 0.04166828).named("q")
      fraction = (q.times(r, plus: 0.16666521).times(r, plus: 0.49999994) * r).times(r, plus: r)
      biased = shifted.bits.named("k")
    }

    /// `2^exponent` for a bias of 127 and an exponent from -126 on.
    @inline(__always)
    var scale: F { (biased << 23).number.named("scale") }

    /// Two numbers whose product is `2^exponent`, for a bias of 254.
    @inline(__always)
    var scales: (F, F) { Self.scales(biased) }

    @inline(__always)
    static func scales(_ biased: F.Bits) -> (F, F) {
      // what is above the lowest 9 bits leaves the word with the shifts
      let half = (biased >> 1).named("half")
      return ((half << 23).number.named("scale"), ((biased - half) << 23).number.named("rest"))
    }
  }

  @inline(__always)
  static func exp<F: MathFloat>(_ x: F) -> F {
    // beyond the ends the result is 0 or infinite all the same
    let power = Power(of: x.clamped(-105, 90).named("a"), bias: 254)
    let (scale, rest) = power.scales
    return (power.fraction + 1) * scale * rest
  }

  @inline(__always)
  static func exp2<F: MathFloat>(_ x: F) -> F {
    // beyond the ends the result is 0 or infinite all the same
    let a = x.clamped(-151, 129).named("a")
    let shifted = (a + (0x1.8p23 + 254)).named("shifted")
    let r = (a - (shifted - (0x1.8p23 + 254))).named("r")
    // 2^r = 1 + r * q, weighted by r / 2^r
    var q = (r * 1.5329264e-4 + 0.0013390969).times(r, plus: 0.009618499).times(r, plus: 0.055503596).named("q")
    q = q.times(r, plus: 0.24022648).times(r, plus: 0.6931472)
    let scales = Power<F>.scales(shifted.bits.named("k"))
    return (q * r + 1) * scales.0 * scales.1
  }

  /// `2^n * (fraction + (1 - 2^-n))`, with the exponent `n` of the power.
  @inline(__always)
  static func expm1<F: MathFloat>(_ x: F) -> F {
    let power = Power(of: x.clamped(-18, 90).named("a"), bias: 254)
    let (scale, rest) = power.scales
    let inverse = ((381 - power.biased) << 23).number.named("inverse")
    // from 25 on there is nothing of it left
    let one = F.choose(x > 25, x.constant(1), 1 - inverse).named("one")
    return ((power.fraction + one) * scale * rest).withSign(of: x)
  }

  /// Half of `e^a`, and of `e^-a`, for `a` from 0 on: cosh is the sum and sinh the difference.
  @inline(__always)
  private static func halves<F: MathFloat>(_ a: F) -> (rising: F, falling: F) {
    // beyond the end the results are infinite all the same
    let power = Power(of: a.atMost(91), bias: 253)
    let (scale, rest) = power.scales
    let rising = ((power.fraction + 1) * scale * rest).named("rising")
    return (rising, (0.25 / rising).named("falling"))
  }

  /// A polynomial below 1, the difference of exponentials from there on.
  @inline(__always)
  static func sinh<F: MathFloat>(_ x: F) -> F {
    let a = x.absolute.named("a")
    let z = (a * a).named("z")
    // sinh a = a + a * z * p, weighted by a * z / sinh a
    let p = (z * 2.7822132e-6 + 1.9842896e-4).times(z, plus: 0.0083333105).times(z, plus: 0.16666667) * z
    let (rising, falling) = halves(a)
    return F.choose(a < 1, p.times(a, plus: a), rising - falling).withSign(of: x)
  }

  @inline(__always)
  static func cosh<F: MathFloat>(_ x: F) -> F {
    let (rising, falling) = halves(x.absolute.named("a"))
    return rising + falling
  }

  /// From `e = exp(-|x|)`: `1 - e / (1 + e)`, or `e / (1 + e)` for negative numbers.
  ///
  /// Small quotients carry the error of `e`; `e - e * quotient` is the same with less.
  @inline(__always)
  static func sigmoid<F: MathFloat>(_ x: F) -> F {
    let power = Power(of: (-x.absolute).atLeast(-105).named("a"), bias: 254)
    let (scale, rest) = power.scales
    let change = (power.fraction * scale).named("change")
    let part = (change + scale).named("part")
    let e = (part * rest).named("e")
    let quotient = (e / (e + 1)).named("quotient")
    let small = (change - part * quotient + scale) * rest
    return .choose(x < 0, .choose(e > 0.375, quotient, small), 1 - quotient)
  }

  /// A polynomial near 0, `1 - 2 e / (1 + e)` with `e = exp(-2 |x|)` elsewhere.
  @inline(__always)
  static func tanh<F: MathFloat>(_ x: F) -> F {
    let a = x.absolute.named("a")
    let z = (a * a).named("z")
    // tanh a = a + a * z * p, weighted by a / tanh a
    let p = (z * -0.0056993747 + 0.020633498).times(z, plus: -0.053737767).named("p")
    let small = (p.times(z, plus: 0.13331415).times(z, plus: -0.3333328) * z).times(a, plus: a).named("small")
    let power = Power(of: a.atMost(10) * -2, bias: 127)
    let e = (power.fraction * power.scale + power.scale).named("e")
    let large = 1 - (e * 2) / (e + 1)
    return F.choose(a < 0.625, small, large).withSign(of: x)
  }
}
