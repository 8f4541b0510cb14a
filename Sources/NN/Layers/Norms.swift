public import LatheCore

/// The parameters and buffers of the batch normalizations of all ranks.
private typealias BatchNormState = (
  weight: Parameter?, bias: Parameter?, runningMean: Parameter?, runningVar: Parameter?, numBatchesTracked: Parameter?
)

private func batchNormState(_ features: Int, affine: Bool, bias: Bool, trackRunningStats: Bool) -> BatchNormState {
  (
    affine ? Parameter([features], initializer: .ones) : nil,
    affine && bias ? Parameter([features], initializer: .zeros) : nil,
    trackRunningStats ? Parameter([features], role: .buffer, initializer: .zeros) : nil,
    trackRunningStats ? Parameter([features], role: .buffer, initializer: .ones) : nil,
    trackRunningStats ? Parameter([], dtype: .i64, role: .buffer, initializer: .zeros) : nil
  )
}

/// Normalizes each channel over the batch while training, by running averages otherwise.
///
/// While training, the running averages and the counter of batches are updates of the graph.
private func normalized(
  _ x: Tensor, _ name: String, _ ranks: ClosedRange<Int>, _ state: BatchNormState, momentum: Double?, eps: Double,
  _ identity: LayerIdentity, in builder: Builder
) -> Tensor {
  let checked = composite(name, [x]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(ranks, "the input")
    return x
  }
  let (weight, bias) = (state.weight?.read(in: builder), state.bias?.read(in: builder))
  guard let runningMean = state.runningMean, let runningVar = state.runningVar,
    let numBatchesTracked = state.numBatchesTracked
  else { return batchNorm(checked, weight: weight, bias: bias, eps: eps) }
  // A layer that is applied twice goes on from its own update, as PyTorch's buffers do.
  let (mean, variance) = (runningMean.updated(in: builder), runningVar.updated(in: builder))
  guard identity.isTraining(in: builder) else {
    return batchNorm(checked, mean, variance, weight: weight, bias: bias, eps: eps)
  }
  let counter = numBatchesTracked.updated(in: builder) + 1
  numBatchesTracked.update(to: counter)
  guard let momentum else {
    // Without momentum the averages are plain means over all batches so far.
    let batch = batchNormTraining(checked, mean, variance, weight: weight, bias: bias, momentum: 1, eps: eps)
    let share = 1 / counter.convert(to: mean.dtype)
    runningMean.update(to: mean + (batch.runningMean - mean) * share)
    runningVar.update(to: variance + (batch.runningVar - variance) * share)
    return batch.output
  }
  let batch = batchNormTraining(checked, mean, variance, weight: weight, bias: bias, momentum: momentum, eps: eps)
  runningMean.update(to: batch.runningMean)
  runningVar.update(to: batch.runningVar)
  return batch.output
}

/// Batch normalization of `[N, C] or [N, C, L]`.
public struct BatchNorm1d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  /// The running average of the batches' means.
  public let runningMean: Parameter?
  /// The running average of the batches' unbiased variances.
  public let runningVar: Parameter?
  /// How many batches are in the averages.
  public let numBatchesTracked: Parameter?
  private let numFeatures: Int
  private let affine: Bool
  private let momentum: Double?
  private let eps: Double
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": momentum, "affine": affine,
      "bias": bias != nil, "track_running_stats": runningMean != nil,
    ])
  }

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - momentum: The share of a batch in the running averages; nil for plain means over all batches.
  ///   - affine: Whether there are a trained weight and bias.
  ///   - trackRunningStats: Whether there are running averages; without, the batch decides in evaluation too.
  ///   - bias: Whether there is a bias beside the weight.
  public init(
    _ numFeatures: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    trackRunningStats: Bool = true, bias: Bool = true
  ) {
    (weight, self.bias, runningMean, runningVar, numBatchesTracked) = batchNormState(
      numFeatures, affine: affine, bias: bias, trackRunningStats: trackRunningStats)
    self.numFeatures = numFeatures
    self.affine = affine
    self.momentum = momentum
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      normalized(
        x, "batchNorm1d", 2...3, (weight, bias, runningMean, runningVar, numBatchesTracked), momentum: momentum,
        eps: eps, identity,
        in: $0)
    }
  }
}

/// Batch normalization of `[N, C, H, W]`.
public struct BatchNorm2d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  /// The running average of the batches' means.
  public let runningMean: Parameter?
  /// The running average of the batches' unbiased variances.
  public let runningVar: Parameter?
  /// How many batches are in the averages.
  public let numBatchesTracked: Parameter?
  private let numFeatures: Int
  private let affine: Bool
  private let momentum: Double?
  private let eps: Double
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": momentum, "affine": affine,
      "bias": bias != nil, "track_running_stats": runningMean != nil,
    ])
  }

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - momentum: The share of a batch in the running averages; nil for plain means over all batches.
  ///   - affine: Whether there are a trained weight and bias.
  ///   - trackRunningStats: Whether there are running averages; without, the batch decides in evaluation too.
  ///   - bias: Whether there is a bias beside the weight.
  public init(
    _ numFeatures: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    trackRunningStats: Bool = true, bias: Bool = true
  ) {
    (weight, self.bias, runningMean, runningVar, numBatchesTracked) = batchNormState(
      numFeatures, affine: affine, bias: bias, trackRunningStats: trackRunningStats)
    self.numFeatures = numFeatures
    self.affine = affine
    self.momentum = momentum
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      normalized(
        x, "batchNorm2d", 4...4, (weight, bias, runningMean, runningVar, numBatchesTracked), momentum: momentum,
        eps: eps, identity,
        in: $0)
    }
  }
}

/// Batch normalization of `[N, C, D, H, W]`.
public struct BatchNorm3d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  /// The running average of the batches' means.
  public let runningMean: Parameter?
  /// The running average of the batches' unbiased variances.
  public let runningVar: Parameter?
  /// How many batches are in the averages.
  public let numBatchesTracked: Parameter?
  private let numFeatures: Int
  private let affine: Bool
  private let momentum: Double?
  private let eps: Double
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": momentum, "affine": affine,
      "bias": bias != nil, "track_running_stats": runningMean != nil,
    ])
  }

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - momentum: The share of a batch in the running averages; nil for plain means over all batches.
  ///   - affine: Whether there are a trained weight and bias.
  ///   - trackRunningStats: Whether there are running averages; without, the batch decides in evaluation too.
  ///   - bias: Whether there is a bias beside the weight.
  public init(
    _ numFeatures: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    trackRunningStats: Bool = true, bias: Bool = true
  ) {
    (weight, self.bias, runningMean, runningVar, numBatchesTracked) = batchNormState(
      numFeatures, affine: affine, bias: bias, trackRunningStats: trackRunningStats)
    self.numFeatures = numFeatures
    self.affine = affine
    self.momentum = momentum
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      normalized(
        x, "batchNorm3d", 5...5, (weight, bias, runningMean, runningVar, numBatchesTracked), momentum: momentum,
        eps: eps, identity,
        in: $0)
    }
  }
}

/// Instance normalization of `[N, C, L]`: every channel of every sample by itself.
public struct InstanceNorm1d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  private let numFeatures: Int
  private let eps: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": 0.1, "affine": weight != nil,
      "bias": bias != nil, "track_running_stats": false,
    ])
  }

  /// Makes a layer with the given options.
  public init(_ numFeatures: Int, eps: Double = 1e-5, affine: Bool = false) {
    weight = affine ? Parameter([numFeatures], initializer: .ones) : nil
    bias = affine ? Parameter([numFeatures], initializer: .zeros) : nil
    self.numFeatures = numFeatures
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { instanceNorm(x, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps) }
  }
}

/// Instance normalization of `[N, C, H, W]`: every channel of every sample by itself.
public struct InstanceNorm2d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  private let numFeatures: Int
  private let eps: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": 0.1, "affine": weight != nil,
      "bias": bias != nil, "track_running_stats": false,
    ])
  }

  /// Makes a layer with the given options.
  public init(_ numFeatures: Int, eps: Double = 1e-5, affine: Bool = false) {
    weight = affine ? Parameter([numFeatures], initializer: .ones) : nil
    bias = affine ? Parameter([numFeatures], initializer: .zeros) : nil
    self.numFeatures = numFeatures
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { instanceNorm(x, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps) }
  }
}

/// Instance normalization of `[N, C, D, H, W]`: every channel of every sample by itself.
public struct InstanceNorm3d: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  private let numFeatures: Int
  private let eps: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": numFeatures, "eps": eps, "momentum": 0.1, "affine": weight != nil,
      "bias": bias != nil, "track_running_stats": false,
    ])
  }

  /// Makes a layer with the given options.
  public init(_ numFeatures: Int, eps: Double = 1e-5, affine: Bool = false) {
    weight = affine ? Parameter([numFeatures], initializer: .ones) : nil
    bias = affine ? Parameter([numFeatures], initializer: .zeros) : nil
    self.numFeatures = numFeatures
    self.eps = eps
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { instanceNorm(x, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps) }
  }
}

/// Normalizes the last axes of every element.
public struct LayerNorm: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  private let normalizedShape: [Int]
  private let eps: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "": normalizedShape, "eps": eps, "elementwise_affine": weight != nil, "bias": bias != nil,
    ])
  }

  /// Makes a layer.
  ///
  /// - Parameter normalizedShape: The sizes of the last axes.
  public init(
    _ normalizedShape: some IntegerList, eps: Double = 1e-5, elementwiseAffine: Bool = true, bias: Bool = true
  ) {
    self.normalizedShape = normalizedShape.integers
    self.eps = eps
    weight = elementwiseAffine ? Parameter(normalizedShape.integers, initializer: .ones) : nil
    self.bias = elementwiseAffine && bias ? Parameter(normalizedShape.integers, initializer: .zeros) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      layerNorm(x, normalizedShape, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps)
    }
  }
}

/// Divides by the root of the mean square over the last axes.
public struct RMSNorm: Module {
  /// The weight.
  public let weight: Parameter?
  private let normalizedShape: [Int]
  private let eps: Double?
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["": normalizedShape, "eps": eps, "elementwise_affine": weight != nil]) }

  /// Makes a layer.
  ///
  /// - Parameter eps: By default the machine epsilon of the element type.
  public init(_ normalizedShape: some IntegerList, eps: Double? = nil, elementwiseAffine: Bool = true) {
    self.normalizedShape = normalizedShape.integers
    self.eps = eps
    weight = elementwiseAffine ? Parameter(normalizedShape.integers, initializer: .ones) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { rmsNorm(x, normalizedShape, weight: weight?.read(in: $0), eps: eps) }
  }
}

/// Normalizes groups of channels of every sample.
public struct GroupNorm: Module {
  /// The weight.
  public let weight: Parameter?
  /// The bias.
  public let bias: Parameter?
  private let numGroups: Int
  private let numChannels: Int
  private let eps: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["": numGroups, "": numChannels, "eps": eps, "affine": weight != nil, "bias": bias != nil])
  }

  /// Makes a layer with the given options; `affine` without `bias` is a weight alone.
  public init(_ numGroups: Int, _ numChannels: Int, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true) {
    self.numGroups = numGroups
    self.numChannels = numChannels
    self.eps = eps
    weight = affine ? Parameter([numChannels], initializer: .ones) : nil
    self.bias = affine && bias ? Parameter([numChannels], initializer: .zeros) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      groupNorm(x, numGroups: numGroups, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps)
    }
  }
}

/// Divides by a power of the sum of squares over neighbouring channels.
public struct LocalResponseNorm: Module {
  private let size: Int
  private let alpha: Double
  private let beta: Double
  private let k: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["": size, "alpha": alpha, "beta": beta, "k": k]) }

  /// Makes a layer with the given options.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.k = k
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in localResponseNorm(x, size: size, alpha: alpha, beta: beta, k: k) }
  }
}
