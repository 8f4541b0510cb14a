internal import Foundation
public import LatheCore

/// The gamma function's kin.
extension Tensor {
  /// The logarithm of the multivariate gamma function of dimension `p`: `torch.mvlgamma`, `torch.special.multigammaln`.
  public func multigammaln(_ p: Int) -> Tensor {
    composite("multigammaln", [self]) { () throws(TypeFault) -> Tensor in
      guard (1...1 << 16).contains(p) else { throw TypeFault("p is \(p)", help: "p is at least 1") }
      let x = floating
      let offset = Double(p * (p - 1)) / 4 * Foundation.log(Double.pi)
      return (1..<p).reduce(x.lgamma()) { $0 + (x - Double($1) / 2).lgamma() } + offset
    }
  }

  /// The logarithm of the multivariate gamma function: another name of ``multigammaln(_:)``.
  public func mvlgamma(_ p: Int) -> Tensor { multigammaln(p) }

  /// Hurwitz's zeta function of this and `q`: the sum of `1 / (q + k)^x` over all whole `k` from 0 on.
  ///
  /// Below 1 it is NaN, at 1 infinite. For `q` below 0 only whole `x` have a value, and infinite ones at whole `q`.
  public func zeta(_ q: some TensorOperand) -> Tensor {
    let q = q.tensor(beside: self)
    return composite("zeta", [self, q]) {
      let (x, q) = pair(self, q)
      if x.dtype.byteCount < 4 {
        return x.convert(to: .f32).zeta(q.convert(to: .f32)).convert(to: x.dtype)
      }
      let isInside = (x .> 1) .& (q .> 0)
      let (s, start) = (x.where(isInside, else: 2), q.where(isInside, else: 1))
      // Terms up to where Euler and Maclaurin's series takes over: https://dlmf.nist.gov/25.11 (25.11.5).
      let count = 10
      var sum = (1..<count).reduce(start.pow(-s)) { $0 + (start + Double($1)).pow(-s) }
      let end = start + Double(count)
      let power = end.pow(-s)
      sum = sum + end * power / (s - 1) + power * 0.5
      var factor = s * power / end
      for (j, coefficient) in Pointwise.polygammaSeries.enumerated() {
        sum = sum + factor * coefficient
        factor = factor * (s + Double(2 * j + 1)) * (s + Double(2 * j + 2)) / (end * end)
      }
      // Below 0, with whole exponents, it is a derivative of digamma.
      let isWhole = (x .== x.floor()) .& (x .> 1) .& (q .<= 0)
      let (n, low) = (x.where(isWhole, else: 2).detach(), q.where(isWhole, else: -0.5))
      let sign = ((n * 0.5).floor() * 2 .== n).select(n.onesLike(), -n.onesLike())
      let reflected = sign * .pointwise(.polygamma, n - 1, low) * (-n.lgamma()).exp()
      let isPole = (q .<= 0) .& (q .== q.floor())
      let below = isWhole.select(isPole.select(x.fullLike(.infinity), reflected), x.fullLike(.nan))
      let value = isInside.select(sum, below)
      return (x .== 1).select(x.fullLike(.infinity), value)
    }
  }

  /// The lower incomplete gamma function of order `a`, this, at `x`, in proportion to the whole: `P(a, x)`.
  ///
  /// Both operands have gradients.
  public func gammainc(_ x: some TensorOperand) -> Tensor { incompleteGamma("gammainc", x, isUpper: false) }

  /// The upper incomplete gamma function of order `a`, this, at `x`, in proportion to the whole: `Q(a, x)`.
  ///
  /// Both operands have gradients.
  public func gammaincc(_ x: some TensorOperand) -> Tensor { incompleteGamma("gammaincc", x, isUpper: true) }

  private func incompleteGamma(_ name: String, _ x: some TensorOperand, isUpper: Bool) -> Tensor {
    let x = x.tensor(beside: self)
    return composite(name, [self, x]) {
      let (a, x) = pair(self, x)
      if a.dtype.byteCount < 4 {
        return a.convert(to: .f32).incompleteGamma(name, x.convert(to: .f32), isUpper: isUpper).convert(to: a.dtype)
      }
      return withGradient(name, [a, x]) {
        [Self.gammaShare($0[0], $0[1], isUpper: isUpper)]
      } backward: { inputs, _, gradients in
        let (a, x) = (inputs[0], inputs[1])
        let value = Self.gammaShare(a, x, isUpper: isUpper)
        let byOrder = LatheNN.gradients(of: [(value, gradients[0])], withRespectTo: [a])[0]
        let byPlace = gradients[0] * Self.gammaDensity(a, x)
        return [byOrder, isUpper ? -byPlace : byPlace]
      }[0]
    }
  }

  /// Two operands as floats of one type and shape.
  private func pair(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
    let both = broadcastTensors([a.floating, b.floating])
    let dtype = both[0].dtype.promoted(with: both[1].dtype)
    return (both[0].convert(to: dtype), both[1].convert(to: dtype))
  }

  /// The density of the gamma distribution of order `a` at `x`.
  static func gammaDensity(_ a: Tensor, _ x: Tensor) -> Tensor { gammaWeight(a, x) * a / x }

  /// `x^a exp(-x) / Gamma(a + 1)`, for large `a` by Stirling's series around the greatest value, where nothing cancels.
  private static func gammaWeight(_ a: Tensor, _ x: Tensor) -> Tensor {
    let isLarge = a .> 10
    let small = a.where(~isLarge, else: 1)
    let direct = (small * x.log() - x - (small + 1).lgamma()).exp()
    let large = a.where(isLarge, else: 20)
    let apart = (x - large) / large
    let inverse = 1 / large
    let rest = inverse * (inverse * inverse).polynomial([1.0 / 1260, -1.0 / 360, 1.0 / 12])
    let stirling = (large * (apart.log1p() - apart) - rest).exp() * (large * (2 * Double.pi)).rsqrt()
    return isLarge.select(stirling, direct)
  }

  /// `P(a, x)` or `Q(a, x)`: for orders below 100 by the power series up to `a + 1` and by the continued fraction beyond,
  /// for others by quadrature over the one hump that the density is.
  ///
  /// Source: Press, Teukolsky, Vetterling, Flannery: Numerical Recipes, 3rd edition, 6.2.
  private static func gammaShare(_ a: Tensor, _ x: Tensor, isUpper: Bool) -> Tensor {
    let isInside = (a .> 0) .& (x .> 0) .& a.isFinite() .& x.isFinite()
    let isSmall = a .< 100
    let isSeries = isSmall .& (x .< a + 1)
    let isFraction = isSmall .& (x .>= a + 1)

    let (a1, x1) = (a.where(isInside .& isSeries, else: 1), x.where(isInside .& isSeries, else: 1))
    let series = scan([x1.onesLike(), x1.onesLike(), a1], over: [], length: 128) { state, _ in
      let order = state[2] + 1
      let term = state[1] * x1 / order
      return ([state[0] + term, term, order], [])
    }.state[0]
    let lower = gammaWeight(a1, x1) * series

    // Lentz's method.
    let (a2, x2) = (a.where(isInside .& isFraction, else: 1), x.where(isInside .& isFraction, else: 2))
    let tiny = 1e-30
    func away(_ number: Tensor) -> Tensor { (number.abs() .< tiny).select(number.fullLike(tiny), number) }
    let first = x2 + 1 - a2
    let inverse = 1 / away(first)
    let initial = [inverse, first, first.fullLike(1 / tiny), inverse, first.zerosLike()]
    let fraction = scan(initial, over: [], length: 96) { state, _ in
      let step = state[4] + 1
      let factor = -(step * (step - a2))
      let next = state[1] + 2
      let d = 1 / away(factor * state[3] + next)
      let c = away(next + factor / state[2])
      return ([state[0] * d * c, next, c, d, step], [])
    }.state[0]
    let upper = gammaWeight(a2, x2) * a2 * fraction

    let (a3, x3) = (a.where(isInside .& ~isSmall, else: 200), x.where(isInside .& ~isSmall, else: 200))
    let top = a3 - 1
    let width = top.sqrt()
    let isAbove = x3 .> top
    let end = isAbove.select(
      (top + width * 11.5).maximum(x3 + width * 6), (top - width * 7.5).minimum(x3 - width * 5).maximum(0))
    let nodes = GaussLegendre(32)
    let builder = a.builder
    let places = builder.tensor(nodes.places, dtype: a.dtype)
    let t = x3.unsqueeze(dim: -1) + (end - x3).unsqueeze(dim: -1) * places
    let share = (t - top.unsqueeze(dim: -1)) / top.unsqueeze(dim: -1)
    let hump = (top.unsqueeze(dim: -1) * (share.log1p() - share)).exp() * builder.tensor(nodes.weights, dtype: a.dtype)
    let inverseTop = 1 / top
    let rest = inverseTop * (inverseTop * inverseTop).polynomial([1.0 / 1260, -1.0 / 360, 1.0 / 12])
    let area = hump.sum(dim: [-1]) * (end - x3).abs() * (-rest).exp() * (top * (2 * Double.pi)).rsqrt()

    // Which of both was computed, and which is asked for.
    let isLower = isSeries .| (~isSmall .& ~isAbove)
    let value = isSeries.select(lower, isFraction.select(upper, area))
    let asked = isUpper ? isLower.select(1 - value, value) : isLower.select(value, 1 - value)

    let (none, all) = (a.zerosLike(), a.onesLike())
    let isFull = ((a .== 0) .& (x .> 0)) .| ((x .== .infinity) .& (a .>= 0) .& a.isFinite())
    let isEmpty = ((x .== 0) .& (a .> 0)) .| ((a .== .infinity) .& (x .>= 0) .& x.isFinite())
    let outside = isFull.select(isUpper ? none : all, isEmpty.select(isUpper ? all : none, a.fullLike(.nan)))
    return isInside.select(asked, outside)
  }
}

/// The places in `0 ..< 1` and the weights of Gauss and Legendre's quadrature.
struct GaussLegendre {
  var places: [Double] = []
  var weights: [Double] = []

  /// Roots of Legendre's polynomial by Newton's method.
  init(_ count: Int) {
    for position in 0..<count {
      var z = cos(Double.pi * (Double(position) + 0.75) / (Double(count) + 0.5))
      var slope = 0.0
      for _ in 0..<100 {
        var (value, before) = (1.0, 0.0)
        for k in 1...count {
          (before, value) = (value, (Double(2 * k - 1) * z * value - Double(k - 1) * before) / Double(k))
        }
        slope = Double(count) * (z * value - before) / (z * z - 1)
        let step = value / slope
        z -= step
        if abs(step) < 1e-15 { break }
      }
      places.append((1 - z) / 2)
      weights.append(1 / ((1 - z * z) * slope * slope))
    }
  }
}
