public import LatheCore

/// `y = x . weight^T + bias` over the last axis.
public struct Linear: Module {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let identity = LayerIdentity()

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
public struct Bilinear: BinaryModule {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(_ in1Features: Int, _ in2Features: Int, _ outFeatures: Int, bias: Bool = true) {
    weight = Parameter([outFeatures, in1Features, in2Features], initializer: .fanIn(in1Features))
    self.bias = bias ? Parameter([outFeatures], initializer: .fanIn(in1Features)) : nil
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    identity.scope(of: a) { bilinear(a, b, weight.read(in: $0), bias?.read(in: $0)) }
  }
}

/// Rows of a trained table at places of any shape.
public struct Embedding: Module {
  /// The weight.
  public let weight: Parameter
  private let paddingIdx: Int?
  private let identity = LayerIdentity()

  /// Makes a table.
  ///
  /// - Parameter paddingIdx: A row that starts with zeros and is not trained.
  public init(_ numEmbeddings: Int, _ embeddingDim: Int, paddingIdx: Int? = nil, dtype: ScalarType = .f32) {
    var row: Int?
    if let paddingIdx, numEmbeddings > 0 { row = paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx }
    weight = Parameter(
      [numEmbeddings, embeddingDim], dtype: dtype, initializer: .normal(mean: 0, std: 1, zeroRow: row))
    self.paddingIdx = paddingIdx
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { embedding(x, weight.read(in: $0), paddingIdx: paddingIdx) }
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
public struct Flatten: Module {
  private let startDim: Int
  private let endDim: Int
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(startDim: Int = 1, endDim: Int = -1) {
    self.startDim = startDim
    self.endDim = endDim
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in x.flatten(startDim: startDim, endDim: endDim) }
  }
}

/// Leaves out elements at random while training; the argument itself otherwise.
public struct Dropout: Module {
  private let p: Double
  private let identity = LayerIdentity()

  /// Makes a layer.
  ///
  /// - Parameter p: The share that is left out.
  public init(_ p: Double = 0.5) { self.p = p }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { dropout(x, p: p, training: $0.isTraining) }
  }
}
