public import LatheCore

extension Distributions {
  /// A distribution of which axes of the batch count as axes of a draw: their densities are multiplied.
  public struct Independent: Distribution {
    private let base: any Distribution
    private let count: Int

    /// - Parameter reinterpretedBatchNdims: How many of the last axes of the batch belong to a draw.
    public init(_ base: any Distribution, _ reinterpretedBatchNdims: Int) {
      self.base = base
      count = Swift.max(0, Swift.min(reinterpretedBatchNdims, base.batchShape.count))
    }

    public var batchShape: [Dim] { base.batchShape.dropLast(count) }
    public var eventShape: [Dim] { base.batchShape.suffix(count) + base.eventShape }
    public var mean: Tensor { base.mean }
    public var variance: Tensor { base.variance }
    public func sample(_ sampleShape: [Int]) -> Tensor { base.sample(sampleShape) }
    public func rsample(_ sampleShape: [Int]) -> Tensor { base.rsample(sampleShape) }
    public func logProb(_ value: Tensor) -> Tensor { summed(base.logProb(value)) }
    public func entropy() -> Tensor { summed(base.entropy()) }

    private func summed(_ x: Tensor) -> Tensor { count == 0 ? x : x.sum(dim: (1...count).map { -$0 }) }

    /// The divergence of two of the same axes.
    func divergence(_ other: Independent) -> Tensor { summed(klDivergence(base, other.base)) }
  }

  /// Draws of which one of several distributions each comes from; the last axis of their batch is the choice.
  public struct MixtureSameFamily: Distribution {
    private let mixture: Categorical
    private let components: any Distribution

    /// The mixture of components by weights.
    public init(_ mixture: Categorical, _ components: any Distribution) {
      self.mixture = mixture
      self.components = components
    }

    public var batchShape: [Dim] { components.batchShape.dropLast() }
    public var eventShape: [Dim] { components.eventShape }
    /// The weights with an axis of size 1 for each axis of a draw.
    private var weights: Tensor { eventShape.reduce(mixture.probs) { weights, _ in weights.unsqueeze(dim: -1) } }
    private var axis: Int { -1 - eventShape.count }
    public var mean: Tensor { (weights * components.mean).sum(dim: [axis]) }
    public var variance: Tensor {
      let apart = components.mean - mean.unsqueeze(dim: axis)
      return (weights * (components.variance + apart * apart)).sum(dim: [axis])
    }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      composite("MixtureSameFamily.sample", [mixture.logits]) { () throws(TypeFault) -> Tensor in
        let all = components.sample(sampleShape)
        let choices = try mixture.logits.knownSize(mixture.logits.rank - 1)
        var mask = oneHot(mixture.sample(sampleShape), numClasses: choices) .== 1
        for _ in eventShape { mask = mask.unsqueeze(dim: -1) }
        return mask.select(all, all.zerosLike()).sum(dim: [axis])
      }
    }
    public func logProb(_ value: Tensor) -> Tensor {
      (components.logProb(value.unsqueeze(dim: axis)) + mixture.logits).logsumexp(dim: [-1])
    }
    public func cdf(_ value: Tensor) -> Tensor {
      (components.cdf(value.unsqueeze(dim: axis)) * mixture.probs).sum(dim: [-1])
    }
  }

  /// An invertible function of draws.
  public struct Transform: Sendable {
    /// The function.
    public let forward: @Sendable (Tensor) -> Tensor
    /// Its inverse.
    public let inverse: @Sendable (Tensor) -> Tensor
    /// The logarithm of the magnitude of its derivative at a value, given what becomes of the value.
    public let logAbsDetJacobian: @Sendable (_ x: Tensor, _ y: Tensor) -> Tensor
    /// Whether it turns the order of numbers round.
    public let isDecreasing: Bool

    /// A transform of one's own, of each number by itself.
    public init(
      forward: @escaping @Sendable (Tensor) -> Tensor, inverse: @escaping @Sendable (Tensor) -> Tensor,
      logAbsDetJacobian: @escaping @Sendable (_ x: Tensor, _ y: Tensor) -> Tensor, isDecreasing: Bool = false
    ) {
      self.forward = forward
      self.inverse = inverse
      self.logAbsDetJacobian = logAbsDetJacobian
      self.isDecreasing = isDecreasing
    }

    /// `exp(x)`.
    public static let exp = Transform(forward: { $0.exp() }, inverse: { $0.log() }, logAbsDetJacobian: { x, _ in x })
    /// `1 / (1 + exp(-x))`.
    public static let sigmoid = Transform(
      forward: { $0.sigmoid() }, inverse: { $0.logit() },
      logAbsDetJacobian: { x, _ in -softplus(-x) - softplus(x) })
    /// `tanh(x)`.
    public static let tanh = Transform(
      forward: { $0.tanh() }, inverse: { $0.atanh() },
      logAbsDetJacobian: { x, _ in (logTwo - x - softplus(x * -2)) * 2 })
    /// `softplus(x)`.
    public static let softplusTransform = Transform(
      forward: { softplus($0) }, inverse: { (-(-$0).expm1()).log() + $0 }, logAbsDetJacobian: { x, _ in -softplus(-x) })
    /// `loc + scale x`, with numbers that are known while tracing.
    public static func affine(loc: Double, scale: Double) -> Transform {
      Transform(
        forward: { $0 * scale + loc }, inverse: { ($0 - loc) / scale },
        logAbsDetJacobian: { x, _ in x.fullLike(Swift.abs(scale)).log() }, isDecreasing: scale < 0)
    }
    /// `x ** exponent` of positive numbers.
    public static func power(_ exponent: Double) -> Transform {
      Transform(
        forward: { $0.pow(exponent) }, inverse: { $0.pow(1 / exponent) },
        logAbsDetJacobian: { x, y in (y * exponent / x).abs().log() }, isDecreasing: exponent < 0)
    }
  }

  /// What becomes of draws of a distribution of single numbers by transforms, in their order.
  public struct TransformedDistribution: Distribution {
    private let base: any Distribution
    private let transforms: [Transform]

    /// The distribution of transformed draws.
    public init(_ base: any Distribution, _ transforms: [Transform]) {
      self.base = base
      self.transforms = transforms
    }

    public var batchShape: [Dim] { base.batchShape }
    public var eventShape: [Dim] { base.eventShape }
    /// A fault: there is no formula.
    public var mean: Tensor { without("mean", base.mean) }
    /// A fault: there is no formula.
    public var variance: Tensor { without("variance", base.mean) }
    public func sample(_ sampleShape: [Int]) -> Tensor { transformed(base.sample(sampleShape)) }
    public func rsample(_ sampleShape: [Int]) -> Tensor { transformed(base.rsample(sampleShape)) }
    private func transformed(_ x: Tensor) -> Tensor { transforms.reduce(x) { $1.forward($0) } }
    private func original(_ y: Tensor) -> Tensor { transforms.reversed().reduce(y) { $1.inverse($0) } }
    public func logProb(_ value: Tensor) -> Tensor {
      var (y, change) = (value, value.zerosLike())
      for transform in transforms.reversed() {
        let x = transform.inverse(y)
        change = change + transform.logAbsDetJacobian(x, y)
        y = x
      }
      let axes = eventShape.indices.map { -1 - $0 }
      return base.logProb(y) - (axes.isEmpty ? change : change.sum(dim: axes))
    }
    private var isDecreasing: Bool { transforms.count(where: \.isDecreasing) % 2 == 1 }
    public func cdf(_ value: Tensor) -> Tensor {
      let share = base.cdf(original(value))
      return isDecreasing ? 1 - share : share
    }
    public func icdf(_ probability: Tensor) -> Tensor {
      transformed(base.icdf(isDecreasing ? 1 - probability : probability))
    }
  }
}

/// How far a distribution is from another, the expected difference of the logarithms of their densities:
/// `torch.distributions.kl_divergence`.
///
/// A pair without a formula is a fault.
public func klDivergence(_ p: any Distribution, _ q: any Distribution) -> Tensor {
  typealias D = Distributions
  switch (p, q) {
  case (let p as D.Normal, let q as D.Normal):
    let ratio = (p.scale / q.scale).square()
    let apart = ((p.loc - q.loc) / q.scale).square()
    return (ratio + apart - 1 - ratio.log()) * 0.5
  case (let p as D.LogNormal, let q as D.LogNormal):
    return klDivergence(D.Normal(p.loc, p.scale), D.Normal(q.loc, q.scale))
  case (let p as D.HalfNormal, let q as D.HalfNormal): return klDivergence(p.base, q.base)
  case (let p as D.Chi2, let q as D.Chi2): return klDivergence(p.base, q.base)
  case (let p as D.Uniform, let q as D.Uniform):
    let inside = (q.low .<= p.low) .& (q.high .>= p.high)
    let value = ((q.high - q.low) / (p.high - p.low)).log()
    return inside.select(value, value.fullLike(.infinity))
  case (let p as D.Exponential, let q as D.Exponential):
    let ratio = q.rate / p.rate
    return ratio - ratio.log() - 1
  case (let p as D.Laplace, let q as D.Laplace):
    let ratio = p.scale / q.scale
    let apart = (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1
  case (let p as D.Gumbel, let q as D.Gumbel):
    let ratio = p.scale / q.scale
    let (first, second) = (q.loc / q.scale, p.loc / q.scale)
    let last = (first - second + (ratio + 1).lgamma()).exp()
    return -ratio.log() - first + second + ratio * eulerGamma + last - (1 + eulerGamma)
  case (let p as D.Gamma, let q as D.Gamma):
    return q.concentration * (p.rate / q.rate).log() + q.concentration.lgamma() - p.concentration.lgamma()
      + (p.concentration - q.concentration) * p.concentration.digamma()
      + (q.rate - p.rate) * (p.concentration / p.rate)
  case (let p as D.Beta, let q as D.Beta):
    let (first, second) = (p.concentration1 + p.concentration0, q.concentration1 + q.concentration0)
    let weights =
      (q.concentration1.lgamma() + q.concentration0.lgamma() + first.lgamma())
      - (p.concentration1.lgamma() + p.concentration0.lgamma() + second.lgamma())
    return weights + (p.concentration1 - q.concentration1) * p.concentration1.digamma()
      + (p.concentration0 - q.concentration0) * p.concentration0.digamma() + (second - first) * first.digamma()
  case (let p as D.Dirichlet, let q as D.Dirichlet):
    let (a, b) = (p.concentration, q.concentration)
    let (first, second) = (a.sum(dim: [-1]), b.sum(dim: [-1]))
    let weights = first.lgamma() - second.lgamma() - (a.lgamma() - b.lgamma()).sum(dim: [-1])
    return weights + ((a - b) * (a.digamma() - first.digamma().unsqueeze(dim: -1))).sum(dim: [-1])
  case (let p as D.Bernoulli, let q as D.Bernoulli):
    let one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    return one + (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
  case (let p as D.Binomial, let q as D.Binomial):
    return p.totalCount * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
  case (let p as D.Categorical, let q as D.Categorical):
    return (p.probs * (p.logits - q.logits)).sum(dim: [-1])
  case (let p as D.OneHotCategorical, let q as D.OneHotCategorical):
    return (p.probs * (p.logits - q.logits)).sum(dim: [-1])
  case (let p as D.Poisson, let q as D.Poisson):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)
  case (let p as D.Geometric, let q as D.Geometric):
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits
  case (let p as D.MultivariateNormal, let q as D.MultivariateNormal):
    let logs = { (d: D.MultivariateNormal) in
      d.scaleTril.diagonal(offset: 0, dim1: -2, dim2: -1).log().sum(dim: [-1])
    }
    let solved = Linalg.solveTriangular(q.scaleTril, p.scaleTril, upper: false).square().sum(dim: [-2, -1])
    let count = p.loc.onesLike().sum(dim: [-1])
    return logs(q) - logs(p) + (solved + q.mahalanobis(q.loc - p.loc) - count) * 0.5
  case (let p as D.Independent, let q as D.Independent):
    return p.divergence(q)
  default:
    let (first, second) = (p.mean, q.mean)
    return composite("klDivergence", [first, second]) { () throws(TypeFault) -> Tensor in
      throw TypeFault(
        "there is no formula for \(type(of: p)) and \(type(of: q))",
        help: "the mean of p.logProb(x) - q.logProb(x) over draws x = p.rsample([n]) estimates it")
    }
  }
}
