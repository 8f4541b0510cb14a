public import LatheCore

/// A probability distribution over tensors of a graph: `torch.distributions.Distribution`.
///
/// Its parameters are tensors, so that their gradients go through `logProb`, `entropy` and `rsample`. Numbers are drawn by
/// every run (see `Builder.rand`). Parameters are not checked: they are data of a run, and those that have no meaning make
/// NaN.
public protocol Distribution: Sendable {
  /// The shape of independent distributions that the parameters say.
  var batchShape: [Dim] { get }
  /// The shape of one draw of one of them.
  var eventShape: [Dim] { get }
  /// The expected value.
  var mean: Tensor { get }
  /// The expected square of the distance from the mean.
  var variance: Tensor { get }
  /// Draws, `[sample shape, batch shape, event shape]`, through which no gradient goes.
  func sample(_ sampleShape: [Int]) -> Tensor
  /// Draws as a function of the parameters, so that gradients go through them.
  func rsample(_ sampleShape: [Int]) -> Tensor
  /// The logarithm of the density, or the probability, at a value.
  func logProb(_ value: Tensor) -> Tensor
  /// The expected value of `-logProb`.
  func entropy() -> Tensor
  /// The probability of values up to this one.
  func cdf(_ value: Tensor) -> Tensor
  /// The value up to which there is this probability.
  func icdf(_ probability: Tensor) -> Tensor
}

extension Distribution {
  /// One number.
  public var eventShape: [Dim] { [] }

  /// The root of the variance.
  public var stddev: Tensor { variance.sqrt() }

  /// The exponential of the entropy.
  public func perplexity() -> Tensor { entropy().exp() }

  /// One draw of each.
  public func sample() -> Tensor { sample([]) }

  /// One draw of each as a function of the parameters.
  public func rsample() -> Tensor { rsample([]) }

  /// What `rsample` draws, without gradients.
  public func sample(_ sampleShape: [Int]) -> Tensor { rsample(sampleShape).detach() }

  /// A fault: draws are no function of the parameters that has a gradient.
  public func rsample(_ sampleShape: [Int]) -> Tensor { without("rsample", mean) }

  /// A fault: there is no formula.
  public func entropy() -> Tensor { without("entropy", mean) }

  /// A fault: there is no formula.
  public func cdf(_ value: Tensor) -> Tensor { without("cdf", value) }

  /// A fault: there is no formula.
  public func icdf(_ probability: Tensor) -> Tensor { without("icdf", probability) }

  /// The fault that a function is not defined.
  func without(_ function: String, _ operand: Tensor) -> Tensor {
    composite("\(Self.self).\(function)", [operand]) { () throws(TypeFault) -> Tensor in
      throw TypeFault("\(Self.self) has no \(function)")
    }
  }

  /// The shape of draws.
  func extended(_ sampleShape: [Int]) -> [Dim] { sampleShape.map { Dim($0) } + batchShape + eventShape }
}

/// The distributions that there are: `torch.distributions`.
public enum Distributions {}

extension Tensor {
  /// Evenly distributed numbers of a shape above 0 and below 1, of this type.
  func noise(_ shape: [Dim]) -> Tensor {
    let uniform = builder.rand(shape, dtype: dtype)
    return (uniform .== 0).select(uniform.fullLike(0x1p-25), uniform)
  }

  /// `log(x)`, and `-infinity` where a condition does not hold.
  func where0(_ condition: Tensor) -> Tensor { condition.select(self, fullLike(-.infinity)) }
}

/// Parameters as floats of one type and shape.
func parameters(_ first: Tensor, _ others: any TensorOperand...) -> [Tensor] {
  let tensors = [first.floating] + others.map { $0.tensor(beside: first.floating) }
  let dtype = tensors.dropFirst().reduce(first.floating.dtype) { $0.promoted(with: $1.dtype) }
  return broadcastTensors(tensors.map { $0.convert(to: dtype) })
}
