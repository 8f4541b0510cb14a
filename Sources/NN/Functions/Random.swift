public import LatheCore

/// Random tensors, as PyTorch draws them: other numbers for every call and in every run, and the same again for the
/// same seed, in all back-ends.
extension Builder {
  /// Random bits, `u32`, from the graph's own seed.
  ///
  /// The seed is the variable `random.seed`, which starts from the seed of `TraceOptions` and which every run moves on.
  /// The numbers of calls are kept apart by their order in the trace; the body of a loop draws the same in each step.
  public func randomBits(_ shape: [Dim]) -> Tensor {
    let name = Self.seedVariable
    let numbers = KeyedNumbers(seed: (context as? ModuleNames)?.seed ?? 0, name: name)
    let start = NDArray(scalar: .integer(Int(truncatingIfNeeded: numbers.bits(0))), dtype: .u64)
    let seed = variable(Variable(name: name, role: .buffer, initial: start))
    seed.builder.update(name, to: seed + 1)
    return randomBits(shape, seed: seed)
  }

  /// Evenly distributed in `0 ..< 1`: multiples of 2^-24 in `f32`, of 2^-32 in `f64`.
  public func rand(_ shape: [Dim], dtype: ScalarType? = nil) -> Tensor {
    let dtype = dtype ?? .defaultFloat
    guard dtype.isFloat else { return refused("rand", TypeFault("gives floats, not \(dtype)")) }
    let digits = [.f16: 11, .bf16: 8, .f32: 24][dtype] ?? 32
    let bits = randomBits(shape)
    let whole = Tensor.pointwise(.shiftRight, bits, scalar(.integer(32 - digits), .u32))
    return whole.convert(to: dtype) * (1 / Double(1 << digits))
  }

  /// Normally distributed with mean 0 and deviation 1, by Box and Muller.
  public func randn(_ shape: [Dim], dtype: ScalarType? = nil) -> Tensor {
    let radius = ((1 - rand(shape, dtype: dtype)).log() * -2).sqrt()
    return radius * (rand(shape, dtype: dtype) * (2 * .pi)).cos()
  }

  /// Evenly distributed in `0 ..< 1`.
  public func rand(_ shape: Int..., dtype: ScalarType? = nil) -> Tensor {
    rand(shape.map { Dim($0) }, dtype: dtype)
  }

  /// Normally distributed with mean 0 and deviation 1.
  public func randn(_ shape: Int..., dtype: ScalarType? = nil) -> Tensor {
    randn(shape.map { Dim($0) }, dtype: dtype)
  }

  /// Normally distributed numbers of a mean and a deviation.
  public func normal(mean: Double, std: Double, _ shape: [Dim], dtype: ScalarType? = nil) -> Tensor {
    guard std >= 0 else { return refused("normal", TypeFault("std is \(std)", help: "a deviation is not negative")) }
    return randn(shape, dtype: dtype) * std + mean
  }

  /// Integers from `low` below `high`, evenly distributed to within 2^-32.
  public func randint(_ low: Int, _ high: Int, _ shape: [Dim], dtype: ScalarType = .i64) -> Tensor {
    let (range, isBeyond) = high.subtractingReportingOverflow(low)
    guard !isBeyond, (1...(1 << 32)).contains(range) else {
      return refused("randint", TypeFault("\(low) ..< \(high) has no integers, or more than 2^32"))
    }
    // The upper half of a product of 32 by 32 bits: no remainder, which would favour some.
    let bits = randomBits(shape).convert(to: .u64)
    return (((bits * range) >> 32).convert(to: .i64) + low).convert(to: dtype)
  }

  /// Integers from 0 below `high`, evenly distributed.
  public func randint(_ high: Int, _ shape: [Dim], dtype: ScalarType = .i64) -> Tensor {
    randint(0, high, shape, dtype: dtype)
  }

  /// True with probability `p`, to within 2^-32.
  public func bernoulli(_ shape: [Dim], p: Double) -> Tensor {
    guard (0...1).contains(p) else { return refused("bernoulli", TypeFault("p is \(p)", help: "p is a share, 0 to 1")) }
    let bits = randomBits(shape)
    if p == 1 { return bits.onesLike().convert(to: .bool) }
    return bits .< scalar(.integer(Int((p * 0x1p32).rounded(.down))), .u32)
  }

  private func refused(_ name: String, _ fault: TypeFault) -> Tensor {
    record(fault, operation: name, operands: [])
    return poison
  }
}

/// Normally distributed numbers of means and deviations that broadcast; they have no gradient.
public func normal(mean: Tensor, std: Tensor) -> Tensor {
  composite("normal", [mean, std]) { () throws(TypeFault) -> Tensor in
    let shape = try Tensor.broadcastShape([mean.type, std.type])
    let (mean, std) = (mean.detach().floating, std.detach().floating)
    return mean + std * mean.builder.randn(shape, dtype: ScalarType.resultType(of: [mean.type, std.type]))
  }
}

/// Normally distributed numbers of means and one deviation.
public func normal(mean: Tensor, std: Double) -> Tensor { normal(mean: mean, std: mean.floating.lift(std)) }

/// Normally distributed numbers of one mean and deviations.
public func normal(mean: Double, std: Tensor) -> Tensor { normal(mean: std.floating.lift(mean), std: std) }

extension Tensor {
  /// Evenly distributed in `0 ..< 1`, in this shape and type.
  public func randLike(dtype: ScalarType? = nil) -> Tensor {
    isPoisoned ? self : builder.rand(shape, dtype: dtype ?? self.dtype)
  }

  /// Normally distributed with mean 0 and deviation 1, in this shape and type.
  public func randnLike(dtype: ScalarType? = nil) -> Tensor {
    isPoisoned ? self : builder.randn(shape, dtype: dtype ?? self.dtype)
  }

  /// Exponentially distributed numbers of a rate, in this shape and type: `exponential_`.
  public func exponentialLike(rate: Double = 1) -> Tensor {
    composite("exponential", [self]) { () throws(TypeFault) -> Tensor in
      guard rate > 0 else { throw TypeFault("the rate is \(rate)", help: "it is positive") }
      return -(-randLike()).log1p() / rate
    }
  }

  /// How many trials of probability `p` the first success takes, in this shape and type: `geometric_`.
  public func geometricLike(p: Double) -> Tensor {
    composite("geometric", [self]) { () throws(TypeFault) -> Tensor in
      guard 0 < p, p < 1 else { throw TypeFault("p is \(p)", help: "p is a share, between 0 and 1") }
      let x = builder.rand(shape, dtype: dtype.isFloat ? dtype : .defaultFloat)
      return ((-x).log1p() / x.fullLike(-p).log1p()).floor().convert(to: dtype) + 1
    }
  }

  /// Numbers of a Cauchy distribution, in this shape and type: `cauchy_`.
  public func cauchyLike(median: Double = 0, sigma: Double = 1) -> Tensor {
    composite("cauchy", [self]) { ((randLike() - 0.5) * Double.pi).tan() * sigma + median }
  }

  /// Numbers whose logarithms have a mean and a deviation, in this shape and type: `log_normal_`.
  public func logNormalLike(mean: Double = 1, std: Double = 2) -> Tensor {
    composite("logNormal", [self]) { (randnLike() * std + mean).exp() }
  }

  /// Numbers of categories (`i64`), each drawn as often as its weight in a row says: `torch.multinomial` in a graph.
  ///
  /// - Parameters:
  ///   - count: How many are drawn from each row of weights, `[categories]` or `[rows, categories]`.
  ///   - replacement: Whether a category may be drawn again. Without, once those with weights are used up, others follow.
  public func multinomial(_ count: Int, replacement: Bool = false) -> Tensor {
    composite("multinomial", [self]) { () throws(TypeFault) -> Tensor in
      try requireFloat("the weights")
      try requireRank(1...2, "the weights")
      let categories = try knownSize(rank - 1)
      guard count > 0, categories > 0, replacement || count <= categories else {
        throw TypeFault("\(count) draws of \(categories) categories")
      }
      // The first of exponential waiting times, as PyTorch has it.
      guard replacement, count > 1 else { return (self / exponentialLike()).topk(count).indices }
      let sums = cumsum(dim: -1)
      let total = sums.slice(axis: rank - 1, from: categories - 1, to: categories)
      let points = builder.rand(Array(shape.dropLast()) + [Dim(count)], dtype: dtype) * total
      return sums.searchsorted(points, right: true).clamp(max: categories - 1)
    }
  }

  /// True with the probability that each element is: as 0 and 1 of this type.
  public func bernoulli() -> Tensor {
    composite("bernoulli", [self]) { () throws(TypeFault) -> Tensor in
      try requireFloat("the input")
      return (builder.rand(shape, dtype: dtype) .< self).convert(to: dtype)
    }
  }
}

/// Sets elements to zero at random and scales the others so that the mean stays.
///
/// - Parameters:
///   - p: The share of zeros.
///   - training: Without, `x` is the result.
public func dropout(_ x: Tensor, p: Double = 0.5, training: Bool = true) -> Tensor {
  dropped("dropout", x, p, training, x.shape)
}

/// As `dropout`, of whole channels of `[N, C, L]` or `[C, L]`.
public let dropout1d = ChannelDropoutFunction(spatial: 1)
/// As `dropout`, of whole channels of `[N, C, H, W]` or `[C, H, W]`.
public let dropout2d = ChannelDropoutFunction(spatial: 2)
/// As `dropout`, of whole channels of `[N, C, D, H, W]` or `[C, D, H, W]`.
public let dropout3d = ChannelDropoutFunction(spatial: 3)

/// What `dropout1d`, `dropout2d` and `dropout3d` are: channels left out at random.
public struct ChannelDropoutFunction: Sendable {
  let spatial: Int

  /// Applies the function.
  public func callAsFunction(_ x: Tensor, p: Double = 0.5, training: Bool = true) -> Tensor {
    let kept = Array(x.shape.dropLast(spatial)) + [Dim](repeating: 1, count: spatial)
    return dropped("dropout\(spatial)d", x, p, training, kept, ranks: spatial + 1...spatial + 2)
  }
}

/// - Parameter shape: One number decides what the same element of this shape is repeated to.
private func dropped(
  _ name: String, _ x: Tensor, _ p: Double, _ training: Bool, _ shape: [Dim], ranks: ClosedRange<Int>? = nil
) -> Tensor {
  composite(name, [x]) { () throws(TypeFault) -> Tensor in
    guard (0...1).contains(p) else { throw TypeFault("p is \(p)", help: "p is a share, 0 to 1") }
    if let ranks { try x.requireRank(ranks, "the input") }
    if !training || p == 0 { return x }
    try x.requireFloat("the input")
    if p == 1 { return x.zerosLike() }
    return x.builder.bernoulli(shape, p: 1 - p).select(x * (1 / (1 - p)), x.zerosLike())
  }
}
