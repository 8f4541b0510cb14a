extension Mathematics {
  /// A positive number as `(1 + fraction) * 2^exponent` with `fraction` between -1/3 and 1/3.
  struct Split<F: MathFloat> {
    var fraction: F
    var exponent: F

    /// The bits of 2/3, where exponents change.
    static var start: UInt32 { 0x3f2a_aaab }

    @inline(__always)
    init(_ x: F) {
      let isSubnormal = x < 0x1p-126
      let normal = F.choose(isSubnormal, x * 0x1p23, x)
      let offset = (normal.bits - Self.start).named("offset")
      let exponent = offset.signedShiftRight(23).signedValue
      self.exponent = F.choose(isSubnormal, exponent - 23, exponent).named("e")
      fraction = (((offset & 0x7f_ffff) + Self.start).number - 1).named("f")
    }
  }

  /// `log(1 + f) - f + extra` for `f` between -1/3 and 1/3 and a small `extra`.
  @inline(__always)
  static func logarithmLessFirst<F: MathFloat>(_ f: F, extra: F? = nil) -> F {
    let z = (f * f).named("z")
    // log(1 + f) = f - f * f / 2 + f * f * f * p, weighted by f * f * f / log(1 + f)
    var p = (f * -0.1288907 + 0.13986897).times(f, plus: -0.12184893).times(f, plus: 0.14005306).named("p")
    p = p.times(f, plus: -0.16680439).times(f, plus: 0.20010446).times(f, plus: -0.24999799).named("p")
    let third = p.times(f, plus: 0.33333215) * f * z
    return (extra.map { third + $0 } ?? third) - z * 0.5
  }

  /// The logarithm `y` of `x` where `x` is finite and above the pole, else what it is at the pole, below it, at infinity
  /// and NaN.
  @inline(__always)
  private static func logarithm<F: MathFloat>(_ y: F, ofFinite x: F, from pole: Float) -> F {
    let low = F.choose(x == pole, x.constant(-.infinity), .choose(x < pole, x.constant(.nan), x))
    return .choose(x > pole, .choose(x < .infinity, y, x), low)
  }

  @inline(__always)
  static func log<F: MathFloat>(_ x: F) -> F {
    let split = Split(x)
    let (e, f) = (split.exponent, split.fraction)
    // ln 2 in two parts: the product with the first one is exact
    let y = e * 0.693145752 + (f + logarithmLessFirst(f, extra: e * 1.42860677e-6))
    return logarithm(y.named("y"), ofFinite: x, from: 0)
  }

  /// `log(1 + f)` in two parts, of which the first has 12 bits.
  @inline(__always)
  private static func parts<F: MathFloat>(_ f: F) -> (high: F, low: F) {
    let y = logarithmLessFirst(f).named("y")
    let high = ((f + y).bits & 0xffff_f000).number.named("high")
    return (high, (f - high + y).named("low"))
  }

  @inline(__always)
  static func log2<F: MathFloat>(_ x: F) -> F {
    let split = Split(x)
    let (high, low) = parts(split.fraction)
    // 1 / ln 2 in two parts: the product of the first ones is exact
    let scaled = high * 1.4423828125 + ((high + low) * 3.122284e-4 + low * 1.4423828125)
    return logarithm((split.exponent + scaled).named("result"), ofFinite: x, from: 0)
  }

  @inline(__always)
  static func log10<F: MathFloat>(_ x: F) -> F {
    let split = Split(x)
    let e = split.exponent
    let (high, low) = parts(split.fraction)
    // log10 2 and 1 / ln 10 in two parts each: the products of the first ones are exact
    let small = e * 4.605039e-6 + ((high + low) * 9.0380337e-5 + low * 0.4342041015625)
    let scaled = e * 0.301025390625 + (high * 0.4342041015625 + small)
    return logarithm(scaled.named("result"), ofFinite: x, from: 0)
  }

  /// `1 + x` decides the exponent, and the fraction is made of `x` itself.
  @inline(__always)
  static func log1p<F: MathFloat>(_ x: F) -> F {
    let k = (((x + 1).bits - Split<F>.start) & 0xff80_0000).named("k")
    // 4 / 2^e, so that it is normal for every e
    let scale = (0x4080_0000 - k).number.named("scale")
    let e = k.signedShiftRight(23).signedValue.named("e")
    let f = (x * scale * 0.25 + (scale * 0.25 - 1)).named("f")
    let y = e * 0.693145752 + (f + logarithmLessFirst(f, extra: e * 1.42860677e-6))
    return .choose(x == 0, x, logarithm(y.named("y"), ofFinite: x, from: -1))
  }

  /// A polynomial near 0, `log1p(2 a / (1 - a)) / 2` elsewhere.
  @inline(__always)
  static func atanh<F: MathFloat>(_ x: F) -> F {
    let a = x.absolute.named("a")
    let z = (a * a).named("z")
    // atanh a = a + a * z * p, weighted by a * z / atanh a
    var p = (z * 0.1763785 + 0.05160436).times(z, plus: 0.11816386).times(z, plus: 0.14223786).named("p")
    p = p.times(z, plus: 0.20002453).times(z, plus: 0.33333302) * z
    let large = log1p((a * 2 / (1 - a)).named("ratio")) * 0.5
    return F.choose(a < 0.5, p.times(a, plus: a), large).withSign(of: x)
  }
}
