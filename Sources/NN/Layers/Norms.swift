public import LatheCore

/// The parameters, buffers and options of a batch or instance normalization, with PyTorch's names.
public struct NormParameters: Sendable {
  let identity = LayerIdentity()
  fileprivate let weight: Parameter?
  fileprivate let bias: Parameter?
  fileprivate let runningMean: Parameter?
  fileprivate let runningVar: Parameter?
  fileprivate let numBatchesTracked: Parameter?
  fileprivate let momentum: Double?
  fileprivate let eps: Double
  fileprivate let extraRepr: String

  fileprivate init(
    _ numFeatures: Int, eps: Double, momentum: Double?, affine: Bool, trackRunningStats: Bool, bias: Bool,
    dtype: ScalarType
  ) {
    weight = affine ? Parameter([numFeatures], dtype: dtype, initializer: .ones) : nil
    self.bias = affine && bias ? Parameter([numFeatures], dtype: dtype, initializer: .zeros) : nil
    func buffer(_ shape: [Int], _ dtype: ScalarType, _ initializer: Initializer) -> Parameter? {
      trackRunningStats ? Parameter(shape, dtype: dtype, role: .buffer, initializer: initializer) : nil
    }
    runningMean = buffer([numFeatures], dtype, .zeros)
    runningVar = buffer([numFeatures], dtype, .ones)
    numBatchesTracked = buffer([], .i64, .zeros)
    self.momentum = momentum
    self.eps = eps
    extraRepr = options([
      "": numFeatures, "eps": eps, "momentum": momentum, "affine": affine,
      "bias": self.bias != nil, "track_running_stats": trackRunningStats,
    ])
  }

  var namedParts: [(name: String, child: Any)] {
    [
      ("weight", weight), ("bias", bias), ("running_mean", runningMean), ("running_var", runningVar),
      ("num_batches_tracked", numBatchesTracked),
    ].compactMap { name, parameter in parameter.map { (name, $0) } }
  }

  /// The input, which has to have as many axes as the layer normalizes.
  fileprivate func ranked(_ x: Tensor, _ name: String, _ ranks: ClosedRange<Int>) -> Tensor {
    composite(name, [x]) { () throws(TypeFault) -> Tensor in
      try x.requireRank(ranks, "the input")
      return x
    }
  }
}

/// A layer that normalizes channels, over the batch or by themselves: ``BatchNormNd`` or ``InstanceNormNd``.
public protocol FeatureNorm: Module where Input == Tensor, Output == Tensor {
  /// The layer's parameters, buffers and options.
  var parameters: NormParameters { get }
}

extension FeatureNorm {
  /// The weight.
  public var weight: Parameter? { parameters.weight }
  /// The bias.
  public var bias: Parameter? { parameters.bias }
  /// The running average of the means.
  public var runningMean: Parameter? { parameters.runningMean }
  /// The running average of the unbiased variances.
  public var runningVar: Parameter? { parameters.runningVar }
  /// How many batches are in the averages; an instance normalization keeps it, as PyTorch's, and does not count.
  public var numBatchesTracked: Parameter? { parameters.numBatchesTracked }

  /// The options as PyTorch prints them.
  public var extraRepr: String { parameters.extraRepr }
}

/// Batch normalization of `[N, C]` or `[N, C, L]`.
public typealias BatchNorm1d = BatchNormNd<1>
/// Batch normalization of `[N, C, H, W]`.
public typealias BatchNorm2d = BatchNormNd<2>
/// Batch normalization of `[N, C, D, H, W]`.
public typealias BatchNorm3d = BatchNormNd<3>

/// Batch normalization over `rank` axes: normalizes each channel over the batch while training, by running averages
/// otherwise.
///
/// While training, the running averages and the counter of batches are updates of the graph.
public struct BatchNormNd<let rank: Int>: FeatureNorm {
  /// The layer's parameters, buffers and options.
  public let parameters: NormParameters

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - momentum: The share of a batch in the running averages; nil for plain means over all batches.
  ///   - affine: Whether there are a trained weight and bias.
  ///   - trackRunningStats: Whether there are running averages; without, the batch decides in evaluation too.
  ///   - bias: Whether there is a bias beside the weight.
  public init(
    _ numFeatures: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    trackRunningStats: Bool = true, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    parameters = NormParameters(
      numFeatures, eps: eps, momentum: momentum, affine: affine, trackRunningStats: trackRunningStats, bias: bias,
      dtype: dtype)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      normalized(parameters.ranked(x, "batchNorm\(rank)d", (rank == 1 ? 2 : rank + 2)...(rank + 2)), in: $0)
    }
  }

  private func normalized(_ x: Tensor, in builder: Builder) -> Tensor {
    let (eps, weight, bias) = (parameters.eps, weight?.read(in: builder), bias?.read(in: builder))
    guard let runningMean, let runningVar, let numBatchesTracked else {
      return batchNorm(x, weight: weight, bias: bias, eps: eps)
    }
    // A layer that is applied twice goes on from its own update, as PyTorch's buffers do.
    let (mean, variance) = (runningMean.updated(in: builder), runningVar.updated(in: builder))
    guard identity.isTraining(in: builder) else {
      return batchNorm(x, mean, variance, weight: weight, bias: bias, eps: eps)
    }
    let counter = numBatchesTracked.updated(in: builder) + 1
    numBatchesTracked.update(to: counter)
    guard let momentum = parameters.momentum else {
      // Without momentum the averages are plain means over all batches so far.
      let batch = batchNormTraining(x, mean, variance, weight: weight, bias: bias, momentum: 1, eps: eps)
      let share = 1 / counter.convert(to: mean.dtype)
      runningMean.update(to: mean + (batch.runningMean - mean) * share)
      runningVar.update(to: variance + (batch.runningVar - variance) * share)
      return batch.output
    }
    let batch = batchNormTraining(x, mean, variance, weight: weight, bias: bias, momentum: momentum, eps: eps)
    runningMean.update(to: batch.runningMean)
    runningVar.update(to: batch.runningVar)
    return batch.output
  }
}

extension BatchNormNd: ModuleContainer {
  var identity: LayerIdentity { parameters.identity }
  var namedParts: [(name: String, child: Any)] { parameters.namedParts }
}

/// Instance normalization of `[N, C, L]` or `[C, L]`.
public typealias InstanceNorm1d = InstanceNormNd<1>
/// Instance normalization of `[N, C, H, W]` or `[C, H, W]`.
public typealias InstanceNorm2d = InstanceNormNd<2>
/// Instance normalization of `[N, C, D, H, W]` or `[C, D, H, W]`.
public typealias InstanceNorm3d = InstanceNormNd<3>

/// Instance normalization over `rank` axes: every channel of every sample by itself; with running averages, by those in
/// evaluation.
public struct InstanceNormNd<let rank: Int>: FeatureNorm {
  /// The layer's parameters, buffers and options.
  public let parameters: NormParameters

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - momentum: The share of a batch in the running averages; nil for none.
  ///   - affine: Whether there are a trained weight and bias.
  ///   - trackRunningStats: Whether there are running averages; without, samples decide in evaluation too.
  ///   - bias: Whether there is a bias beside the weight.
  public init(
    _ numFeatures: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = false,
    trackRunningStats: Bool = false, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    parameters = NormParameters(
      numFeatures, eps: eps, momentum: momentum, affine: affine, trackRunningStats: trackRunningStats, bias: bias,
      dtype: dtype)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      let checked = parameters.ranked(x, "instanceNorm\(rank)d", (rank + 1)...(rank + 2))
      guard x.rank == rank + 1 else { return normalized(checked, in: $0) }
      return normalized(checked.unsqueeze(dim: 0), in: $0).squeeze(dim: 0)
    }
  }

  private func normalized(_ x: Tensor, in builder: Builder) -> Tensor {
    let (eps, weight, bias) = (parameters.eps, weight?.read(in: builder), bias?.read(in: builder))
    guard let runningMean, let runningVar else { return instanceNorm(x, weight: weight, bias: bias, eps: eps) }
    let (mean, variance) = (runningMean.updated(in: builder), runningVar.updated(in: builder))
    guard identity.isTraining(in: builder) else {
      return instanceNorm(x, mean, variance, weight: weight, bias: bias, eps: eps)
    }
    let batch = instanceNormTraining(
      x, mean, variance, weight: weight, bias: bias, momentum: parameters.momentum ?? 0, eps: eps)
    runningMean.update(to: batch.runningMean)
    runningVar.update(to: batch.runningVar)
    return batch.output
  }
}

extension InstanceNormNd: ModuleContainer {
  var identity: LayerIdentity { parameters.identity }
  var namedParts: [(name: String, child: Any)] { parameters.namedParts }
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
    _ normalizedShape: some IntegerList, eps: Double = 1e-5, elementwiseAffine: Bool = true, bias: Bool = true,
    dtype: ScalarType = .f32
  ) {
    self.normalizedShape = normalizedShape.integers
    self.eps = eps
    weight = elementwiseAffine ? Parameter(normalizedShape.integers, dtype: dtype, initializer: .ones) : nil
    self.bias = elementwiseAffine && bias ? Parameter(normalizedShape.integers, dtype: dtype, initializer: .zeros) : nil
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
  public init(
    _ normalizedShape: some IntegerList, eps: Double? = nil, elementwiseAffine: Bool = true, dtype: ScalarType = .f32
  ) {
    self.normalizedShape = normalizedShape.integers
    self.eps = eps
    weight = elementwiseAffine ? Parameter(normalizedShape.integers, dtype: dtype, initializer: .ones) : nil
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
  public init(
    _ numGroups: Int, _ numChannels: Int, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true,
    dtype: ScalarType = .f32
  ) {
    self.numGroups = numGroups
    self.numChannels = numChannels
    self.eps = eps
    weight = affine ? Parameter([numChannels], dtype: dtype, initializer: .ones) : nil
    self.bias = affine && bias ? Parameter([numChannels], dtype: dtype, initializer: .zeros) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      groupNorm(x, numGroups: numGroups, weight: weight?.read(in: $0), bias: bias?.read(in: $0), eps: eps)
    }
  }
}

/// Divides by a power of the sum of squares over neighbouring channels.
public struct LocalResponseNorm: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
    function = LayerFunction(["": size, "alpha": alpha, "beta": beta, "k": k]) {
      localResponseNorm($0, size: size, alpha: alpha, beta: beta, k: k)
    }
  }
}
