public import LatheCore

/// `y = x . weight^T + bias` over the last axis.
public struct Linear: Module {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["in_features": weight.sizes[1], "out_features": weight.sizes[0], "bias": bias != nil])
  }

  /// Makes a layer with the given options.
  public init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, dtype: ScalarType = .f32) {
    weight = Parameter([outFeatures, inFeatures], dtype: dtype, initializer: .fanIn(inFeatures))
    self.bias = bias ? Parameter([outFeatures], dtype: dtype, initializer: .fanIn(inFeatures)) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { linear(x, weight.read(in: $0), bias?.read(in: $0)) }
  }
}

/// `sum over i, j of a[i] weight[o, i, j] b[j] + bias[o]`.
public struct Bilinear: Module {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    let sizes = weight.sizes
    return options([
      "in1_features": sizes[1], "in2_features": sizes[2], "out_features": sizes[0], "bias": bias != nil,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    _ in1Features: Int, _ in2Features: Int, _ outFeatures: Int, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    weight = Parameter([outFeatures, in1Features, in2Features], dtype: dtype, initializer: .fanIn(in1Features))
    self.bias = bias ? Parameter([outFeatures], dtype: dtype, initializer: .fanIn(in1Features)) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
    identity.scope(of: inputs.0) { bilinear(inputs.0, inputs.1, weight.read(in: $0), bias?.read(in: $0)) }
  }
}

/// Rows of a trained table at places of any shape.
public struct Embedding: Module {
  /// The weight.
  public let weight: Parameter
  private let paddingIdx: Int?
  private let maxNorm: Double?
  private let normType: Double
  private let scaleGradByFreq: Bool
  private let identity = LayerIdentity()

  /// Makes a table.
  ///
  /// - Parameters:
  ///   - paddingIdx: A row that starts with zeros and is not trained.
  ///   - maxNorm: Rows that are longer are shortened to this when they are taken, as an update of the weight.
  ///   - normType: The `p` of the norm that `maxNorm` bounds.
  ///   - scaleGradByFreq: Whether the gradient of a row is divided by how often the batch takes it.
  public init(
    _ numEmbeddings: Int, _ embeddingDim: Int, paddingIdx: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
    scaleGradByFreq: Bool = false, dtype: ScalarType = .f32
  ) {
    var row: Int?
    if let paddingIdx, numEmbeddings > 0 { row = paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx }
    let weight = Parameter(
      [numEmbeddings, embeddingDim], dtype: dtype, initializer: .normal(mean: 0, std: 1, zeroRow: row))
    self.init(weight, paddingIdx, maxNorm, normType, scaleGradByFreq)
  }

  /// A table with given rows, `[numEmbeddings, embeddingDim]`, which are not trained with `freeze`.
  public static func fromPretrained(
    _ embeddings: NDArray, freeze: Bool = true, paddingIdx: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
    scaleGradByFreq: Bool = false
  ) -> Embedding {
    Embedding(Parameter(embeddings, requiresGrad: !freeze), paddingIdx, maxNorm, normType, scaleGradByFreq)
  }

  private init(
    _ weight: Parameter, _ paddingIdx: Int?, _ maxNorm: Double?, _ normType: Double, _ scaleGradByFreq: Bool
  ) {
    self.weight = weight
    self.paddingIdx = paddingIdx
    self.maxNorm = maxNorm
    self.normType = normType
    self.scaleGradByFreq = scaleGradByFreq
  }

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    var text = weight.sizes.map { "\($0)" }.joined(separator: ", ")
    if let paddingIdx { text += ", padding_idx=\(paddingIdx)" }
    if let maxNorm { text += ", max_norm=\(maxNorm)" }
    if normType != 2 { text += ", norm_type=\(normType)" }
    if scaleGradByFreq { text += ", scale_grad_by_freq=True" }
    return text
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      let table = weight.table(for: x, maxNorm: maxNorm, normType: normType, in: $0)
      return embedding(x, table, paddingIdx: paddingIdx, scaleGradByFreq: scaleGradByFreq)
    }
  }
}

extension Parameter {
  /// The rows that places are looked up in; those that are longer than `maxNorm` are shortened, as an update.
  fileprivate func table(for x: Tensor, maxNorm: Double?, normType: Double, in builder: Builder) -> Tensor {
    let table = updated(in: builder)
    guard let maxNorm else { return table }
    let shortened = embeddingRenorm(x, table, maxNorm: maxNorm, normType: normType)
    update(to: shortened)
    return shortened
  }
}

/// A table of rows that are joined bag by bag.
public struct EmbeddingBag: Module {
  /// The weight.
  public let weight: Parameter
  private let mode: EmbeddingBagMode
  private let includeLastOffset: Bool
  private let paddingIdx: Int?
  private let maxNorm: Double?
  private let normType: Double
  private let scaleGradByFreq: Bool
  private let identity = LayerIdentity()

  /// Makes a table.
  ///
  /// - Parameters:
  ///   - mode: How the rows of a bag are joined.
  ///   - includeLastOffset: Whether the last of the offsets is the end of the input.
  ///   - paddingIdx: A row that starts with zeros, takes no part and is not trained.
  ///   - maxNorm: Rows that are longer are shortened to this when they are taken, as an update of the weight.
  ///   - normType: The `p` of the norm that `maxNorm` bounds.
  ///   - scaleGradByFreq: Whether the gradient of a row is divided by how often the batch takes it.
  public init(
    _ numEmbeddings: Int, _ embeddingDim: Int, mode: EmbeddingBagMode = .mean, includeLastOffset: Bool = false,
    paddingIdx: Int? = nil, maxNorm: Double? = nil, normType: Double = 2, scaleGradByFreq: Bool = false,
    dtype: ScalarType = .f32
  ) {
    weight = Embedding(numEmbeddings, embeddingDim, paddingIdx: paddingIdx, dtype: dtype).weight
    self.mode = mode
    self.includeLastOffset = includeLastOffset
    self.paddingIdx = paddingIdx
    self.maxNorm = maxNorm
    self.normType = normType
    self.scaleGradByFreq = scaleGradByFreq
  }

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    var text = weight.sizes.map { "\($0)" }.joined(separator: ", ")
    if let maxNorm { text += ", max_norm=\(maxNorm)" }
    if normType != 2 { text += ", norm_type=\(normType)" }
    if scaleGradByFreq { text += ", scale_grad_by_freq=True" }
    text += ", mode='\(mode)'"
    if let paddingIdx { text += ", padding_idx=\(paddingIdx)" }
    return text
  }

  /// Bags of one length, `[bags, length]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, offsets: nil) }

  /// Bags that start at offsets of a row of places, or weighted ones: as `embeddingBag` takes them.
  public func callAsFunction(_ x: Tensor, offsets: Tensor?, perSampleWeights: Tensor? = nil) -> Tensor {
    identity.scope(of: x) {
      let table = weight.table(for: x, maxNorm: maxNorm, normType: normType, in: $0)
      return embeddingBag(
        x, table, offsets: offsets, mode: mode, perSampleWeights: perSampleWeights,
        includeLastOffset: includeLastOffset, paddingIdx: paddingIdx, scaleGradByFreq: scaleGradByFreq)
    }
  }
}

/// The argument itself.
public struct Identity: Module {
  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { x }
}

/// Joins the axes `startDim ... endDim` into one.
public struct Flatten: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(startDim: Int = 1, endDim: Int = -1) {
    function = LayerFunction(["start_dim": startDim, "end_dim": endDim]) {
      $0.flatten(startDim: startDim, endDim: endDim)
    }
  }
}

/// Leaves out elements at random while training; the argument itself otherwise.
public struct Dropout: Module {
  private let p: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["p": p, "inplace": false]) }

  /// Makes a layer.
  ///
  /// - Parameter p: The share that is left out.
  public init(_ p: Double = 0.5) { self.p = p }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { dropout(x, p: p, training: identity.isTraining(in: $0)) }
  }
}

/// Leaves out whole channels of `[N, C, L]` at random while training; the argument itself otherwise.
public typealias Dropout1d = DropoutNd<1>
/// Leaves out whole channels of `[N, C, H, W]` at random while training; the argument itself otherwise.
public typealias Dropout2d = DropoutNd<2>
/// Leaves out whole channels of `[N, C, D, H, W]` at random while training; the argument itself otherwise.
public typealias Dropout3d = DropoutNd<3>

/// Leaves out whole channels, each of `rank` axes, at random while training; the argument itself otherwise.
public struct DropoutNd<let rank: Int>: Module {
  private let p: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["p": p, "inplace": false]) }

  /// Makes a layer.
  ///
  /// - Parameter p: The share that is left out.
  public init(_ p: Double = 0.5) { self.p = p }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      ChannelDropoutFunction(spatial: rank)(x, p: p, training: identity.isTraining(in: $0))
    }
  }
}
