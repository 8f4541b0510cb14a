public import LatheCore

extension Distributions {
  /// 1 with a probability, else 0.
  public struct Bernoulli: Distribution {
    /// The logarithm of the odds.
    public let logits: Tensor
    /// The probability of 1.
    public let probs: Tensor

    /// The distribution of a probability.
    public init(probs: Tensor) {
      self.probs = probs.floating
      logits = probs.floating.clampedShare.logit()
    }

    /// The distribution of the logarithm of odds.
    public init(logits: Tensor) {
      self.logits = logits.floating
      probs = logits.floating.sigmoid()
    }

    public var batchShape: [Dim] { probs.shape }
    public var mean: Tensor { probs }
    public var variance: Tensor { probs * (1 - probs) }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      probs.detach().expanded(to: extended(sampleShape)).bernoulli()
    }
    public func logProb(_ value: Tensor) -> Tensor {
      -binaryCrossEntropyWithLogits(
        logits.broadcast(with: value), value.broadcast(with: logits), reduction: .none)
    }
    public func entropy() -> Tensor { binaryCrossEntropyWithLogits(logits, probs, reduction: .none) }
  }

  /// A number of a category, along the last axis of the parameters.
  public struct Categorical: Distribution {
    /// The logarithms of the probabilities, which add up to one.
    public let logits: Tensor
    /// The probabilities.
    public let probs: Tensor

    /// The distribution of weights, which need not add up to one.
    public init(probs: Tensor) {
      self.probs = probs.floating / probs.floating.sum(dim: [-1], keepdim: true)
      logits = self.probs.clampedShare.log()
    }

    /// The distribution of logarithms of weights.
    public init(logits: Tensor) {
      self.logits = logits.floating - logits.floating.logsumexp(dim: [-1], keepdim: true)
      probs = softmax(logits.floating, dim: -1)
    }

    public var batchShape: [Dim] { logits.shape.dropLast() }
    /// NaN: numbers of categories are no quantities.
    public var mean: Tensor { probs.sum(dim: [-1]).fullLike(.nan) }
    /// NaN: numbers of categories are no quantities.
    public var variance: Tensor { mean }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      let shape = sampleShape.map { Dim($0) } + logits.shape
      let noise = -(-logits.noise(shape).log()).log()
      return (logits.detach() + noise).argmax(dim: -1)
    }
    public func logProb(_ value: Tensor) -> Tensor {
      composite("Categorical.logProb", [logits, value]) { () throws(TypeFault) -> Tensor in
        let shape = try Tensor.broadcastShape([value.type, TensorType(value.dtype, batchShape)])
        let table = logits.expanded(to: shape + logits.shape.suffix(1))
        let index = value.convert(to: .i64).expanded(to: shape).unsqueeze(dim: -1)
        return table.gather(dim: -1, index).squeeze(dim: -1)
      }
    }
    public func entropy() -> Tensor { -(logits * probs).sum(dim: [-1]) }
  }

  /// A category as a vector with a one in its place.
  public struct OneHotCategorical: Distribution {
    private let base: Categorical

    /// The distribution of weights.
    public init(probs: Tensor) { base = Categorical(probs: probs) }
    /// The distribution of logarithms of weights.
    public init(logits: Tensor) { base = Categorical(logits: logits) }

    /// The probabilities.
    public var probs: Tensor { base.probs }
    /// The logarithms of the probabilities.
    public var logits: Tensor { base.logits }
    public var batchShape: [Dim] { base.batchShape }
    public var eventShape: [Dim] { logits.shape.suffix(1) }
    public var mean: Tensor { probs }
    public var variance: Tensor { probs * (1 - probs) }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      composite("OneHotCategorical.sample", [logits]) { () throws(TypeFault) -> Tensor in
        let classes = try logits.knownSize(logits.rank - 1)
        return oneHot(base.sample(sampleShape), numClasses: classes).convert(to: logits.dtype)
      }
    }
    public func logProb(_ value: Tensor) -> Tensor { base.logProb(value.argmax(dim: -1)) }
    public func entropy() -> Tensor { base.entropy() }
  }

  /// How often each category is drawn in several draws.
  public struct Multinomial: Distribution {
    private let base: Categorical
    /// The number of draws.
    public let totalCount: Int

    /// The distribution of a number of draws and weights.
    public init(_ totalCount: Int, probs: Tensor) {
      self.totalCount = totalCount
      base = Categorical(probs: probs)
    }

    /// The distribution of a number of draws and logarithms of weights.
    public init(_ totalCount: Int, logits: Tensor) {
      self.totalCount = totalCount
      base = Categorical(logits: logits)
    }

    /// The probabilities.
    public var probs: Tensor { base.probs }
    /// The logarithms of the probabilities.
    public var logits: Tensor { base.logits }
    public var batchShape: [Dim] { base.batchShape }
    public var eventShape: [Dim] { logits.shape.suffix(1) }
    public var mean: Tensor { probs * Double(totalCount) }
    public var variance: Tensor { probs * (1 - probs) * Double(totalCount) }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      composite("Multinomial.sample", [logits]) { () throws(TypeFault) -> Tensor in
        guard totalCount >= 0 else { throw TypeFault("the number of draws is \(totalCount)") }
        let classes = try logits.knownSize(logits.rank - 1)
        return oneHot(base.sample([totalCount] + sampleShape), numClasses: classes).convert(to: logits.dtype).sum(dim: [
          0
        ])
      }
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let value = value.convert(to: logits.dtype)
      let isNothing = (value .== 0) .& (logits .== -.infinity)
      let terms = isNothing.select(value.zerosLike().broadcast(with: logits), logits * value)
      return (value.sum(dim: [-1]) + 1).lgamma() - (value + 1).lgamma().sum(dim: [-1]) + terms.sum(dim: [-1])
    }
  }

  /// How many events come in a unit of time.
  public struct Poisson: Distribution {
    /// The expected number.
    public let rate: Tensor

    /// The distribution of a rate.
    public init(_ rate: Tensor) { self.rate = rate.floating }

    public var batchShape: [Dim] { rate.shape }
    public var mean: Tensor { rate }
    public var variance: Tensor { rate }
    public func sample(_ sampleShape: [Int]) -> Tensor { rate.expanded(to: extended(sampleShape)).poissonNumber() }
    public func logProb(_ value: Tensor) -> Tensor {
      let value = value.convert(to: rate.dtype)
      return value.xlogy(rate) - rate - (value + 1).lgamma()
    }
  }

  /// How many of several trials succeed.
  public struct Binomial: Distribution {
    /// The number of trials.
    public let totalCount: Tensor
    private let base: Bernoulli

    /// The distribution of a number of trials and the probability of each.
    public init(_ totalCount: some TensorOperand, probs: Tensor) {
      let all = parameters(probs, totalCount)
      (base, self.totalCount) = (Bernoulli(probs: all[0]), all[1])
    }

    /// The distribution of a number of trials and the logarithm of the odds of each.
    public init(_ totalCount: some TensorOperand, logits: Tensor) {
      let all = parameters(logits, totalCount)
      (base, self.totalCount) = (Bernoulli(logits: all[0]), all[1])
    }

    /// The probability of each trial.
    public var probs: Tensor { base.probs }
    /// The logarithm of the odds of each trial.
    public var logits: Tensor { base.logits }
    public var batchShape: [Dim] { totalCount.shape }
    public var mean: Tensor { totalCount * probs }
    public var variance: Tensor { totalCount * probs * (1 - probs) }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      let shape = extended(sampleShape)
      return totalCount.expanded(to: shape).binomialNumber(probs.expanded(to: shape))
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let value = value.convert(to: logits.dtype)
      let combinations =
        (totalCount + 1).lgamma() - (value + 1).lgamma() - (totalCount - value + 1).lgamma()
      // No exponential of a positive number.
      let positive = logits.clamp(min: 0)
      return combinations + value * logits - totalCount * positive - totalCount * (-logits.abs()).exp().log1p()
    }
  }

  /// How many trials fail before the first that succeeds.
  public struct Geometric: Distribution {
    private let base: Bernoulli

    /// The distribution of the probability of each trial.
    public init(probs: Tensor) { base = Bernoulli(probs: probs) }
    /// The distribution of the logarithm of the odds of each trial.
    public init(logits: Tensor) { base = Bernoulli(logits: logits) }

    /// The probability of each trial.
    public var probs: Tensor { base.probs }
    /// The logarithm of the odds of each trial.
    public var logits: Tensor { base.logits }
    public var batchShape: [Dim] { probs.shape }
    public var mean: Tensor { 1 / probs - 1 }
    public var variance: Tensor { (1 / probs - 1) / probs }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      (probs.noise(extended(sampleShape)).log() / (-probs.detach()).log1p()).floor()
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let value = value.convert(to: probs.dtype)
      let isCertain = (probs .== 1) .& (value .== 0)
      let rest = isCertain.select(probs.zerosLike().broadcast(with: value), probs.broadcast(with: value))
      return value * (-rest).log1p() + probs.log()
    }
    public func entropy() -> Tensor { base.entropy() / probs }
  }

  /// How many trials succeed before as many as said have failed.
  public struct NegativeBinomial: Distribution {
    /// How many fail.
    public let totalCount: Tensor
    private let base: Bernoulli

    /// The distribution of a number of failures and the probability of each success.
    public init(_ totalCount: some TensorOperand, probs: Tensor) {
      let all = parameters(probs, totalCount)
      (base, self.totalCount) = (Bernoulli(probs: all[0]), all[1])
    }

    /// The probability of each success.
    public var probs: Tensor { base.probs }
    public var batchShape: [Dim] { totalCount.shape }
    public var mean: Tensor { totalCount * base.logits.exp() }
    public var variance: Tensor { mean / (-base.logits).sigmoid() }
    public func sample(_ sampleShape: [Int]) -> Tensor {
      let shape = extended(sampleShape)
      return (totalCount.detach().expanded(to: shape).standardGamma() * base.logits.exp()).poissonNumber()
    }
    public func logProb(_ value: Tensor) -> Tensor {
      let value = value.convert(to: totalCount.dtype)
      let combinations = (totalCount + value).lgamma() - (value + 1).lgamma() - totalCount.lgamma()
      return totalCount * logsigmoid(-base.logits) + value * logsigmoid(base.logits) + combinations
    }
  }
}

extension Tensor {
  /// Shares, away from 0 and 1 by the precision of the type, so that they have logarithms.
  var clampedShare: Tensor {
    let eps = dtype == .f64 ? Double.ulpOfOne : dtype == .f32 ? Double(Float.ulpOfOne) : 0x1p-10
    return clamp(min: eps, max: 1 - eps)
  }

  /// This in its own type and the shape in which it meets another.
  func broadcast(with other: Tensor) -> Tensor { broadcastTensors([self, other.convert(to: dtype)])[0] }
}
