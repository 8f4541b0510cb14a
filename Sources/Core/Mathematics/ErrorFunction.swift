extension Mathematics {
  /// A polynomial near 0, `1 - exp(p)` elsewhere, where `p` is the logarithm of what is missing to 1.
  @inline(__always)
  static func erf<F: MathFloat>(_ x: F) -> F {
    let a = x.absolute.atMost(4).named("a")
    let z = (a * a).named("z")
    // erf a = a + a * q, weighted by a / erf a
    var q = (z * -6.064171e-4 + 0.005006907).times(z, plus: -0.02677546).named("q")
    q = q.times(z, plus: 0.112820424).times(z, plus: -0.37612513).times(z, plus: 0.12837915)
    let small = q.times(a, plus: a).named("small")
    // log erfc a = a * (p - 1), weighted by erfc a / erf a
    var p = (a * 2.1460277e-4 + -0.0032200404).times(a, plus: 0.022906234).named("p")
    p = p.times(a, plus: -0.10528716).times(a, plus: -0.63569915).times(a, plus: -0.12852001)
    let power = Power(of: (p * a - a).named("exponent"), bias: 127)
    let large = 1 - (power.fraction * power.scale + power.scale)
    return F.choose(a < 0.9, small, large).withSign(of: x)
  }
}
