extension Mathematics {
  /// An angle less multiples of a right one, exactly as far as `float` goes, by Payne and Hanek's method.
  ///
  /// Of the product with 2/pi only the bits are computed that tell multiples of four right angles apart and those behind
  /// the point. Payne, Hanek: Radian Reduction for Trigonometric Functions, ACM SIGNUM Newsletter 18 (1983).
  struct ReducedAngle<F: MathFloat> {
    /// Between -pi/4 and pi/4.
    var r: F
    /// What `r` lacks.
    var tail: F
    /// Right angles that were taken off, modulo 4.
    var quadrant: F.Bits

    /// The sign of the angle is left out.
    @inline(__always)
    init(_ x: F) {
      let u = (x.bits & 0x7fff_ffff).named("u")
      let m = (u << 8 | 0x8000_0000).named("m")
      // From which bit on 2/pi is wanted: fewer than 0 are not, because angles below pi/4 stay as they are.
      let offset = ((u >> 23) - 126).named("offset")
      let word = (offset >> 5).named("word")
      let shift = (offset & 31).named("shift")
      // four words of 2/pi behind 34 zeros, from that one on
      let (isOdd, isSecond, isFourth) = ((word & 1) == 1, (word & 2) == 2, (word & 4) == 4)
      func pick(_ low: UInt32, _ high: UInt32) -> F.Bits {
        .choose(isSecond, word.constant(high), word.constant(low))
      }
      let (w0, w1, w2) = (pick(0, 0x9391_054a), pick(0x28be_60db, 0x7f09_d5f4), pick(0x9391_054a, 0x7d4d_3770))
      let (w3, w4) = (pick(0x7f09_d5f4, 0x36d8_a566), pick(0x7d4d_3770, 0x4f10_e410))
      let a = F.Bits.choose(isFourth, word.constant(0x7d4d_3770), .choose(isOdd, w1, w0)).named("a")
      let b = F.Bits.choose(isFourth, word.constant(0x36d8_a566), .choose(isOdd, w2, w1)).named("b")
      let c = F.Bits.choose(isFourth, word.constant(0x4f10_e410), .choose(isOdd, w3, w2)).named("c")
      let d = F.Bits.choose(isFourth, word.constant(0x7f94_58ea), .choose(isOdd, w4, w3)).named("d")
      let rest = (31 - shift).named("rest")
      let first = (a << shift) | ((b >> 1) >> rest)
      let second = ((b << shift) | ((c >> 1) >> rest)).named("second")
      let third = (c << shift) | ((d >> 1) >> rest)
      // the product: 2 bits of the quadrant, 62 behind the point
      let middle = (m * second).named("middle")
      let low = (middle + m.timesHigh(third)).named("low")
      let carry = F.Bits.choose(low < middle, m.constant(1), m.constant(0))
      let high = (m * first + m.timesHigh(second) + carry).named("high")
      let turns = ((high + 0x2000_0000) >> 30).named("turns")
      let fraction = (high - (turns << 30)).named("fraction")
      // The size, but for the last bit, in parts that are exact as numbers, so that small angles are as precise as others.
      let negative = fraction.signedShiftRight(31).named("negative")
      let size = (fraction ^ negative).named("size")
      let coarse = (size >> 15).signedValue.named("coarse")
      let fine = (size & 0x7fff).signedValue.named("fine")
      let finest: F = ((low ^ negative) >> 8).signedValue * (1.5707964 * 0x1p-54)
      // times pi/2, in two parts: the products with the first one are exact
      let coarseAngle: F = (coarse * (1.5703125 * 0x1p-15)).named("coarseAngle")
      let fineAngle: F = (fine * (1.5703125 * 0x1p-30)).named("fineAngle")
      let big: F = (coarseAngle + fineAngle).named("big")
      let small: F = (finest + fine * (4.838268e-4 * 0x1p-30) + coarse * (4.838268e-4 * 0x1p-15)).named("small")
      let sum: F = (big + small).named("sum")
      let sign = (negative & 0x8000_0000).named("sign")
      let isSmall = u < 0x3f49_0fdb
      self.r = F.choose(isSmall, u.number, (sum.bits ^ sign).number).named("r")
      let lost = fineAngle - (big - coarseAngle) + (small - (sum - big))
      tail = F.choose(isSmall, x.constant(0), (lost.bits ^ sign).number).named("tail")
      quadrant = F.Bits.choose(isSmall, m.constant(0), turns).named("quadrant")
    }

    /// Sine and cosine of the reduced angle.
    @inline(__always)
    var sineAndCosine: (F, F) {
      let z = (r * r).named("z")
      // sin r = r + r * z * p and cos r = 1 - z / 2 + z * z * q, weighted by r * z / sin r and z * z / cos r
      let p = (z * -1.9518285e-4 + 0.008332189).times(z, plus: -0.16666655)
      let q = (z * 2.4432562e-5 + -0.0013887311).times(z, plus: 0.041666646)
      let sine = (p * z * r + tail + r).named("sine")
      let cosine = (q * z * z - r * tail - z * 0.5 + 1).named("cosine")
      return (sine, cosine)
    }
  }

  @inline(__always)
  static func sin<F: MathFloat>(_ x: F) -> F {
    let angle = ReducedAngle(x)
    let (sine, cosine) = angle.sineAndCosine
    let y = F.choose((angle.quadrant & 1) == 0, sine, cosine)
    let signed = (y.bits ^ ((angle.quadrant & 2) << 30) ^ (x.bits & 0x8000_0000)).number
    return .choose(x.absolute < .infinity, signed, x - x)
  }

  @inline(__always)
  static func cos<F: MathFloat>(_ x: F) -> F {
    let angle = ReducedAngle(x)
    let (sine, cosine) = angle.sineAndCosine
    let y = F.choose((angle.quadrant & 1) == 0, cosine, sine)
    let signed = (y.bits ^ (((angle.quadrant + 1) & 2) << 30)).number
    return .choose(x.absolute < .infinity, signed, x - x)
  }

  @inline(__always)
  static func tan<F: MathFloat>(_ x: F) -> F {
    let angle = ReducedAngle(x)
    let (r, tail) = (angle.r, angle.tail)
    let z = (r * r).named("z")
    // tan r = r + r * z * p, weighted by r * z / tan r
    var p = (z * 0.0043723844 + 9.8771176e-5).times(z, plus: 0.010827125).times(z, plus: 0.02128629).named("p")
    p = p.times(z, plus: 0.054058906).times(z, plus: 0.13332675).times(z, plus: 0.3333335)
    let rest = (p * z * r + (tail * z + tail)).named("rest")
    let y = (r + rest).named("y")
    // -1 / (y + what y lacks)
    let inverse = (-1 / y).named("inverse")
    let turned = F.choose((angle.quadrant & 1) == 0, y, inverse * inverse * (rest - (y - r)) + inverse)
    let signed = (turned.bits ^ (x.bits & 0x8000_0000)).number
    return .choose(x.absolute < .infinity, signed, x - x)
  }

  /// A polynomial up to 1, `pi/2 - atan(1/x)` above.
  @inline(__always)
  static func atan<F: MathFloat>(_ x: F) -> F {
    let a = x.absolute.named("a")
    let w = F.choose(a > 1, 1 / a, a).named("w")
    let z = (w * w).named("z")
    // atan w = w + w * z * p, weighted by w * z / atan w
    var p = (z * -0.0017904058 + 0.0108996965).times(z, plus: -0.031148937).times(z, plus: 0.05792723).named("p")
    p = p.times(z, plus: -0.08401582).times(z, plus: 0.10951506).times(z, plus: -0.14264102).named("p")
    let rest = (p.times(z, plus: 0.19998534).times(z, plus: -0.333333) * z * w).named("rest")
    return F.choose(a > 1, 1.57079637 - (rest + 4.37113883e-8 + w), rest + w).withSign(of: x)
  }

  /// A number whose arc sine is a polynomial: `|x|` itself below 0.5, else `sqrt((1 - |x|) / 2)`, the sine of half the
  /// complement.
  struct ArcSine<F: MathFloat> {
    /// Whether `|x|` is below 0.5.
    var isDirect: F.Condition
    var w: F
    /// `asin w - w`.
    var rest: F

    @inline(__always)
    init(_ x: F) {
      let a = x.absolute.named("a")
      let half = (a * -0.5 + 0.5).named("half")
      isDirect = a < 0.5
      let z = F.choose(isDirect, a * a, half).named("z")
      w = F.choose(isDirect, a, half.squareRoot).named("w")
      // asin w = w + w * z * p, weighted by w * z / asin w
      let p = (z * 0.037615255 + 0.014365203).times(z, plus: 0.031828117).times(z, plus: 0.044514358).named("p")
      rest = (p.times(z, plus: 0.07500519).times(z, plus: 0.1666666) * z * w).named("rest")
    }
  }

  /// `pi/2 - asin x` below 0.5 in size, else twice the arc sine of half the complement, or pi less that for negative
  /// numbers.
  @inline(__always)
  static func acos<F: MathFloat>(_ x: F) -> F {
    let arc = ArcSine(x)
    let w = arc.w.withSign(of: x).named("side")
    let rest = arc.rest.withSign(of: x).named("little")
    let middle = 1.57079637 - (w + (rest + 4.37113883e-8))
    let below = 3.14159274 - (arc.rest * 2 + 8.74227766e-8 + arc.w * 2)
    return .choose(arc.isDirect, middle, .choose(x < 0, below, (arc.w + arc.rest) * 2))
  }
}
