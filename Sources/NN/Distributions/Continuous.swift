public import LatheCore

/// `log(2 pi) / 2`.
private let halfLogTwoPi = 0.918_938_533_204_672_7
/// `log(2)`.
let logTwo = 0.693_147_180_559_945_3
/// `log(pi)`.
private let logPi = 1.144_729_885_849_400_2
/// The difference of a harmonic sum and its logarithm.
let eulerGamma = 0.577_215_664_901_532_9

extension Distributions {
  /// The normal distribution.
  public struct Normal: Distribution {
    /// The mean.
    public let loc: Tensor
    /// The standard deviation.
    public let scale: Tensor

    /// The normal distribution of a mean and a deviation.
    public init(_ loc: Tensor, _ scale: some TensorOperand) {
      let all = parameters(loc, scale)
      (self.loc, self.scale) = (all[0], all[1])
    }

    public var batchShape: [Dim] { loc.shape }
    public var mean: Tensor { loc }
    public var variance: Tensor { scale * scale }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      loc + scale * loc.builder.randn(extended(sampleShape), dtype: loc.dtype)
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let z = (value - loc) / scale
      return z * z * -0.5 - scale.log() - halfLogTwoPi
    }
    public func entropy() -> Tensor { scale.log() + (0.5 + halfLogTwoPi) }
    public func cdf(_ value: Tensor) -> Tensor { ((value - loc) / scale).ndtr() }
    public func icdf(_ probability: Tensor) -> Tensor {
      loc + scale * (probability * 2 - 1).erfinv() * 2.0.squareRoot()
    }
  }

  /// The distribution of the exponential of a normal number.
  public struct LogNormal: Distribution {
    private let base: Normal

    /// The distribution whose logarithm is normal with this mean and deviation.
    public init(_ loc: Tensor, _ scale: some TensorOperand) { base = Normal(loc, scale) }

    /// The mean of the logarithm.
    public var loc: Tensor { base.loc }
    /// The deviation of the logarithm.
    public var scale: Tensor { base.scale }
    public var batchShape: [Dim] { base.batchShape }
    public var mean: Tensor { (loc + base.variance * 0.5).exp() }
    public var variance: Tensor { base.variance.expm1() * (loc * 2 + base.variance).exp() }
    public func rsample(_ sampleShape: [Int]) -> Tensor { base.rsample(sampleShape).exp() }
    public func logProb(_ value: Tensor) -> Tensor { base.logProb(value.log()) - value.log() }
    public func entropy() -> Tensor { base.entropy() + loc }
    public func cdf(_ value: Tensor) -> Tensor { base.cdf(value.log()) }
    public func icdf(_ probability: Tensor) -> Tensor { base.icdf(probability).exp() }
  }

  /// The distribution of the magnitude of a normal number of mean 0.
  public struct HalfNormal: Distribution {
    let base: Normal

    /// The magnitude of normal numbers of this deviation.
    public init(_ scale: Tensor) { base = Normal(scale.floating.zerosLike(), scale) }

    public var batchShape: [Dim] { base.batchShape }
    public var mean: Tensor { base.scale * (2 / Double.pi).squareRoot() }
    public var variance: Tensor { base.variance * (1 - 2 / Double.pi) }
    public func rsample(_ sampleShape: [Int]) -> Tensor { base.rsample(sampleShape).abs() }
    public func logProb(_ value: Tensor) -> Tensor {
      (base.logProb(value) + logTwo).where0(value .>= 0)
    }
    public func entropy() -> Tensor { base.entropy() - logTwo }
    public func cdf(_ value: Tensor) -> Tensor { (base.cdf(value) * 2 - 1).clamp(min: 0) }
    public func icdf(_ probability: Tensor) -> Tensor { base.icdf((probability + 1) * 0.5) }
  }

  /// The same density everywhere from `low` up to `high`.
  public struct Uniform: Distribution {
    /// The first number.
    public let low: Tensor
    /// The end.
    public let high: Tensor

    /// The distribution from one number to another.
    public init(_ low: Tensor, _ high: some TensorOperand) {
      let all = parameters(low, high)
      (self.low, self.high) = (all[0], all[1])
    }

    public var batchShape: [Dim] { low.shape }
    public var mean: Tensor { (low + high) * 0.5 }
    public var variance: Tensor { (high - low).square() / 12 }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      low + (high - low) * low.builder.rand(extended(sampleShape), dtype: low.dtype)
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let isInside = (low .<= value) .& (high .> value)
      return (-(high - low).log() + (value - value).floating).where0(isInside)
    }
    public func entropy() -> Tensor { (high - low).log() }
    public func cdf(_ value: Tensor) -> Tensor { ((value - low) / (high - low)).clamp(min: 0, max: 1) }
    public func icdf(_ probability: Tensor) -> Tensor { probability * (high - low) + low }
  }

  /// The time to the next of events that come at a rate.
  public struct Exponential: Distribution {
    /// How many events there are in a unit of time.
    public let rate: Tensor

    /// The distribution of a rate.
    public init(_ rate: Tensor) { self.rate = rate.floating }

    public var batchShape: [Dim] { rate.shape }
    public var mean: Tensor { 1 / rate }
    public var variance: Tensor { 1 / (rate * rate) }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      -(-rate.builder.rand(extended(sampleShape), dtype: rate.dtype)).log1p() / rate
    }
    public func logProb(_ value: Tensor) -> Tensor { (rate.log() - rate * value).where0(value .>= 0) }
    public func entropy() -> Tensor { 1 - rate.log() }
    public func cdf(_ value: Tensor) -> Tensor { 1 - (-rate * value).exp() }
    public func icdf(_ probability: Tensor) -> Tensor { -(-probability).log1p() / rate }
  }

  /// Exponential to both sides.
  public struct Laplace: Distribution {
    /// The mean.
    public let loc: Tensor
    /// The expected distance from it.
    public let scale: Tensor

    /// The distribution of a mean and a scale.
    public init(_ loc: Tensor, _ scale: some TensorOperand) {
      let all = parameters(loc, scale)
      (self.loc, self.scale) = (all[0], all[1])
    }

    public var batchShape: [Dim] { loc.shape }
    public var mean: Tensor { loc }
    public var variance: Tensor { scale * scale * 2 }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      let u = loc.noise(extended(sampleShape)) * 2 - 1
      return loc - scale * u.sign() * (-u.abs()).log1p()
    }
    public func logProb(_ value: Tensor) -> Tensor { -(scale * 2).log() - (value - loc).abs() / scale }
    public func entropy() -> Tensor { (scale * 2).log() + 1 }
    public func cdf(_ value: Tensor) -> Tensor {
      0.5 - (value - loc).sign() * (-(value - loc).abs() / scale).expm1() * 0.5
    }
    public func icdf(_ probability: Tensor) -> Tensor {
      let term = probability - 0.5
      return loc - scale * term.sign() * (term.abs() * -2).log1p()
    }
  }

  /// The distribution of the greatest of many numbers.
  public struct Gumbel: Distribution {
    /// The likeliest value.
    public let loc: Tensor
    /// How far values spread.
    public let scale: Tensor

    /// The distribution of a place and a scale.
    public init(_ loc: Tensor, _ scale: some TensorOperand) {
      let all = parameters(loc, scale)
      (self.loc, self.scale) = (all[0], all[1])
    }

    public var batchShape: [Dim] { loc.shape }
    public var mean: Tensor { loc + scale * eulerGamma }
    public var variance: Tensor { scale * scale * (Double.pi * Double.pi / 6) }
    public func rsample(_ sampleShape: [Int]) -> Tensor { icdf(loc.noise(extended(sampleShape))) }
    public func logProb(_ value: Tensor) -> Tensor {
      let y = (loc - value) / scale
      return y - y.exp() - scale.log()
    }
    public func entropy() -> Tensor { scale.log() + (1 + eulerGamma) }
    public func cdf(_ value: Tensor) -> Tensor { (-((loc - value) / scale).exp()).exp() }
    public func icdf(_ probability: Tensor) -> Tensor { loc - scale * (-probability.log()).log() }
  }

  /// The distribution of the quotient of two normal numbers.
  public struct Cauchy: Distribution {
    /// The middle; there is no mean.
    public let loc: Tensor
    /// Half of the numbers are nearer than this.
    public let scale: Tensor

    /// The distribution of a middle and a scale.
    public init(_ loc: Tensor, _ scale: some TensorOperand) {
      let all = parameters(loc, scale)
      (self.loc, self.scale) = (all[0], all[1])
    }

    public var batchShape: [Dim] { loc.shape }
    public var mean: Tensor { loc.fullLike(.nan) }
    public var variance: Tensor { loc.fullLike(.infinity) }
    public func rsample(_ sampleShape: [Int]) -> Tensor { icdf(loc.noise(extended(sampleShape))) }
    public func logProb(_ value: Tensor) -> Tensor {
      -scale.log() - ((value - loc) / scale).square().log1p() - logPi
    }
    public func entropy() -> Tensor { (scale * (4 * Double.pi)).log() }
    public func cdf(_ value: Tensor) -> Tensor { ((value - loc) / scale).atan() / Double.pi + 0.5 }
    public func icdf(_ probability: Tensor) -> Tensor { ((probability - 0.5) * Double.pi).tan() * scale + loc }
  }

  /// The distribution of sums of exponential numbers.
  public struct Gamma: Distribution {
    /// The shape.
    public let concentration: Tensor
    /// One over the scale.
    public let rate: Tensor

    /// The distribution of a shape and a rate.
    public init(_ concentration: Tensor, _ rate: some TensorOperand) {
      let all = parameters(concentration, rate)
      (self.concentration, self.rate) = (all[0], all[1])
    }

    public var batchShape: [Dim] { concentration.shape }
    public var mean: Tensor { concentration / rate }
    public var variance: Tensor { concentration / (rate * rate) }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      concentration.expanded(to: extended(sampleShape)).standardGamma() / rate
    }
    public func logProb(_ value: Tensor) -> Tensor {
      concentration.xlogy(rate) + (concentration - 1).xlogy(value) - rate * value - concentration.lgamma()
    }
    public func entropy() -> Tensor {
      concentration - rate.log() + concentration.lgamma() + (1 - concentration) * concentration.digamma()
    }
    public func cdf(_ value: Tensor) -> Tensor { concentration.gammainc(rate * value) }
  }

  /// The distribution of sums of squares of normal numbers.
  public struct Chi2: Distribution {
    let base: Gamma

    /// The distribution of the squares of as many numbers.
    public init(_ df: Tensor) { base = Gamma(df.floating * 0.5, 0.5) }

    public var batchShape: [Dim] { base.batchShape }
    public var mean: Tensor { base.mean }
    public var variance: Tensor { base.variance }
    public func rsample(_ sampleShape: [Int]) -> Tensor { base.rsample(sampleShape) }
    public func logProb(_ value: Tensor) -> Tensor { base.logProb(value) }
    public func entropy() -> Tensor { base.entropy() }
    public func cdf(_ value: Tensor) -> Tensor { base.cdf(value) }
  }

  /// The distribution of shares of one.
  public struct Beta: Distribution {
    /// The weight of numbers near 1.
    public let concentration1: Tensor
    /// The weight of numbers near 0.
    public let concentration0: Tensor

    /// The distribution of two weights.
    public init(_ concentration1: Tensor, _ concentration0: some TensorOperand) {
      let all = parameters(concentration1, concentration0)
      (self.concentration1, self.concentration0) = (all[0], all[1])
    }

    private var total: Tensor { concentration1 + concentration0 }
    public var batchShape: [Dim] { concentration1.shape }
    public var mean: Tensor { concentration1 / total }
    public var variance: Tensor { concentration1 * concentration0 / (total * total * (total + 1)) }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      let shape = extended(sampleShape)
      let first = concentration1.expanded(to: shape).standardGamma()
      return first / (first + concentration0.expanded(to: shape).standardGamma())
    }
    public func logProb(_ value: Tensor) -> Tensor {
      (concentration1 - 1).xlogy(value) + (concentration0 - 1).xlogy(1 - value) + total.lgamma()
        - concentration1.lgamma() - concentration0.lgamma()
    }
    public func entropy() -> Tensor {
      concentration1.lgamma() + concentration0.lgamma() - total.lgamma() - (2 - total) * total.digamma()
        - (concentration1 - 1) * concentration1.digamma() - (concentration0 - 1) * concentration0.digamma()
    }
  }

  /// The distribution of means of normal numbers over their deviation.
  public struct StudentT: Distribution {
    /// The degrees of freedom.
    public let df: Tensor
    /// The middle.
    public let loc: Tensor
    /// How far values spread.
    public let scale: Tensor

    /// The distribution of degrees of freedom, a middle and a scale.
    public init(_ df: Tensor, _ loc: some TensorOperand = 0.0, _ scale: some TensorOperand = 1.0) {
      let all = parameters(df, loc, scale)
      (self.df, self.loc, self.scale) = (all[0], all[1], all[2])
    }

    public var batchShape: [Dim] { df.shape }
    public var mean: Tensor { (df .<= 1).select(df.fullLike(.nan), loc) }
    public var variance: Tensor {
      let isFinite = df .> 2
      let safe = isFinite.select(df, df.fullLike(3))
      let other = (df .<= 1).select(df.fullLike(.nan), df.fullLike(.infinity))
      return isFinite.select(scale.square() * safe / (safe - 2), other)
    }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      let shape = extended(sampleShape)
      let squares = (df * 0.5).expanded(to: shape).standardGamma() * 2
      return loc + scale * df.builder.randn(shape, dtype: df.dtype) * (squares / df).rsqrt()
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let y = (value - loc) / scale
      let z =
        scale.log() + df.log() * 0.5 + 0.5 * logPi + (df * 0.5).lgamma()
        - ((df + 1) * 0.5).lgamma()
      return (df + 1) * -0.5 * (y * y / df).log1p() - z
    }
    public func entropy() -> Tensor {
      let logBeta = (df * 0.5).lgamma() + 0.5 * logPi - ((df + 1) * 0.5).lgamma()
      return scale.log() + (df + 1) * 0.5 * (((df + 1) * 0.5).digamma() - (df * 0.5).digamma()) + df.log() * 0.5
        + logBeta
    }
  }

  /// Points of positive parts that add up to one, along the last axis.
  public struct Dirichlet: Distribution {
    /// The weights, `[..., parts]`.
    public let concentration: Tensor

    /// The distribution of weights.
    public init(_ concentration: Tensor) { self.concentration = concentration.floating }

    private var total: Tensor { concentration.sum(dim: [-1]) }
    public var batchShape: [Dim] { concentration.shape.dropLast() }
    public var eventShape: [Dim] { concentration.shape.suffix(1) }
    public var mean: Tensor { concentration / concentration.sum(dim: [-1], keepdim: true) }
    public var variance: Tensor {
      let sum = concentration.sum(dim: [-1], keepdim: true)
      return concentration * (sum - concentration) / (sum * sum * (sum + 1))
    }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      let parts = concentration.expanded(to: extended(sampleShape)).standardGamma()
      return parts / parts.sum(dim: [-1], keepdim: true)
    }
    public func logProb(_ value: Tensor) -> Tensor {
      (concentration - 1).xlogy(value).sum(dim: [-1]) + total.lgamma() - concentration.lgamma().sum(dim: [-1])
    }
    public func entropy() -> Tensor {
      let count = concentration.onesLike().sum(dim: [-1])
      return concentration.lgamma().sum(dim: [-1]) - total.lgamma() - (count - total) * total.digamma()
        - ((concentration - 1) * concentration.digamma()).sum(dim: [-1])
    }
  }

  /// Normal vectors whose parts depend on each other.
  public struct MultivariateNormal: Distribution {
    /// The mean, `[..., n]`.
    public let loc: Tensor
    /// The lower triangular factor of the covariance, `[..., n, n]`.
    public let scaleTril: Tensor

    /// The distribution of a mean and a covariance.
    public init(_ loc: Tensor, covarianceMatrix: Tensor) {
      self.init(loc, scaleTril: Linalg.cholesky(covarianceMatrix))
    }

    /// The distribution of a mean and one over a covariance.
    public init(_ loc: Tensor, precisionMatrix: Tensor) {
      self.init(loc, covarianceMatrix: Linalg.inv(precisionMatrix))
    }

    /// The distribution of a mean and the lower triangular factor of a covariance.
    public init(_ loc: Tensor, scaleTril: Tensor) {
      // The batch is that of both.
      let isPoisoned = loc.isPoisoned || scaleTril.isPoisoned || loc.rank < 1 || scaleTril.rank < 2
      let size = Array(loc.shape.suffix(1))
      let batch =
        isPoisoned
        ? nil
        : try? Tensor.broadcastShape([
          TensorType(loc.dtype, Array(loc.shape.dropLast())), TensorType(loc.dtype, Array(scaleTril.shape.dropLast(2))),
        ])
      self.loc = batch.map { loc.expanded(to: $0 + size) } ?? loc
      self.scaleTril = batch.map { scaleTril.expanded(to: $0 + size + size) } ?? scaleTril
    }

    public var batchShape: [Dim] { loc.shape.dropLast() }
    public var eventShape: [Dim] { loc.shape.suffix(1) }
    /// The expected product of distances from the mean.
    public var covarianceMatrix: Tensor { matmul(scaleTril, scaleTril.transpose(-1, -2)) }
    public var mean: Tensor { loc }
    public var variance: Tensor { scaleTril.square().sum(dim: [-1]) }
    private var halfLogDeterminant: Tensor {
      scaleTril.diagonal(offset: 0, dim1: -2, dim2: -1).log().sum(dim: [-1])
    }
    private var count: Tensor { loc.onesLike().sum(dim: [-1]) }
    public func rsample(_ sampleShape: [Int]) -> Tensor {
      let noise = loc.builder.randn(extended(sampleShape), dtype: loc.dtype)
      return loc + matmul(scaleTril, noise.unsqueeze(dim: -1)).squeeze(dim: -1)
    }
    public func logProb(_ value: Tensor) -> Tensor {
      mahalanobis(value - loc) * -0.5 - count * halfLogTwoPi - halfLogDeterminant
    }

    /// The square of a vector's length in units of the deviation.
    func mahalanobis(_ difference: Tensor) -> Tensor {
      composite("MultivariateNormal.logProb", [difference, scaleTril]) { () throws(TypeFault) -> Tensor in
        let shape = try Tensor.broadcastShape([
          TensorType(difference.dtype, Array(difference.shape.dropLast())), TensorType(loc.dtype, batchShape),
        ])
        let vectors = difference.expanded(to: shape + eventShape).unsqueeze(dim: -1)
        let factors = scaleTril.expanded(to: shape + eventShape + eventShape)
        return Linalg.solveTriangular(factors, vectors, upper: false).squeeze(dim: -1).square().sum(dim: [-1])
      }
    }
    public func entropy() -> Tensor { halfLogDeterminant + count * (0.5 + halfLogTwoPi) }
  }
}
