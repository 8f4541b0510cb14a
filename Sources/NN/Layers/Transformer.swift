public import LatheCore

/// Attention with several heads over `[L, N, E]`, or `[N, L, E]` with `batchFirst`; `[L, E]` without batch.
public struct MultiheadAttention: Module {
  /// The projections of query, key and value, one below the other; nil where keys or values have sizes of their own.
  public let inProjWeight: Parameter?
  /// The projection of the query where `inProjWeight` is nil.
  public let qProjWeight: Parameter?
  /// The projection of the key where `inProjWeight` is nil.
  public let kProjWeight: Parameter?
  /// The projection of the value where `inProjWeight` is nil.
  public let vProjWeight: Parameter?
  /// The biases of the projections.
  public let inProjBias: Parameter?
  /// The key that every sequence has in addition.
  public let biasK: Parameter?
  /// The value of that key.
  public let biasV: Parameter?
  /// The linear layer behind the heads.
  public let outProj: NonDynamicallyQuantizableLinear
  private let numHeads: Int
  private let addZeroAttn: Bool
  private let batchFirst: Bool
  private let dropout: Double
  private let identity = LayerIdentity()

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - dropout: The share of the attention weights that is left out in training.
  ///   - addBiasKv: Whether every sequence has one more key and value, which are trained.
  ///   - addZeroAttn: Whether every sequence has one more key and value of zeros.
  ///   - kdim: The features of keys; by default those of queries.
  ///   - vdim: The features of values; by default those of queries.
  public init(
    _ embedDim: Int, _ numHeads: Int, dropout: Double = 0, bias: Bool = true, addBiasKv: Bool = false,
    addZeroAttn: Bool = false, kdim: Int? = nil, vdim: Int? = nil, batchFirst: Bool = false, dtype: ScalarType = .f32
  ) {
    // In PyTorch's order, in which numbers are drawn.
    outProj = NonDynamicallyQuantizableLinear(embedDim, embedDim, bias: bias, dtype: dtype)
    let isJoined = (kdim ?? embedDim) == embedDim && (vdim ?? embedDim) == embedDim
    func weight(_ shape: [Int], _ isMade: Bool) -> Parameter? {
      isMade ? Parameter(shape, dtype: dtype, initializer: .xavierUniform()) : nil
    }
    inProjWeight = weight([product([3, embedDim]), embedDim], isJoined)
    qProjWeight = weight([embedDim, embedDim], !isJoined)
    kProjWeight = weight([embedDim, kdim ?? embedDim], !isJoined)
    vProjWeight = weight([embedDim, vdim ?? embedDim], !isJoined)
    inProjBias = bias ? Parameter([product([3, embedDim])], dtype: dtype, initializer: .zeros) : nil
    biasK = addBiasKv ? Parameter([1, 1, embedDim], dtype: dtype, initializer: .xavierNormal()) : nil
    biasV = addBiasKv ? Parameter([1, 1, embedDim], dtype: dtype, initializer: .xavierNormal()) : nil
    self.numHeads = numHeads
    self.addZeroAttn = addZeroAttn
    self.batchFirst = batchFirst
    self.dropout = dropout
  }

  /// The projections, `[E, features]`.
  private func projections(in builder: Builder) -> (q: Tensor, k: Tensor, v: Tensor) {
    let separate = [qProjWeight, kProjWeight, vProjWeight].compactMap { $0?.read(in: builder) }
    let parts = inProjWeight.map { Array($0.read(in: builder).chunk(3, dim: 0)) } ?? separate
    return (parts[0], parts[1], parts[2])
  }

  /// Attention without masks.
  public func callAsFunction(_ inputs: (Tensor, Tensor, Tensor)) -> (output: Tensor, weights: Tensor) {
    self(inputs.0, inputs.1, inputs.2, keyPaddingMask: nil)
  }

  /// Attention with masks.
  ///
  /// - Parameters:
  ///   - keyPaddingMask: `bool[N, S]`; true leaves a key out.
  ///   - attnMask: `bool` (true leaves out) or a float that is added; `[L, S]` or `[N heads, L, S]`.
  ///   - averageAttnWeights: Whether the weights are averaged over heads.
  /// - Returns: The output, and the weights, which cost nothing where nobody reads them.
  public func callAsFunction(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, keyPaddingMask: Tensor?, attnMask: Tensor? = nil,
    averageAttnWeights: Bool = true, isCausal: Bool = false
  ) -> (output: Tensor, weights: Tensor) {
    identity.scope(of: query) { builder in
      multiHeadAttention(
        query, key, value, numHeads: numHeads, inProj: projections(in: builder),
        inProjBias: inProjBias?.read(in: builder), biasK: biasK?.read(in: builder), biasV: biasV?.read(in: builder),
        addZeroAttn: addZeroAttn, outProjWeight: outProj.weight.read(in: builder),
        outProjBias: outProj.bias?.read(in: builder), keyPaddingMask: keyPaddingMask, attnMask: attnMask,
        isCausal: isCausal, batchFirst: batchFirst, dropout: identity.isTraining(in: builder) ? dropout : 0,
        averageAttnWeights: averageAttnWeights)
    }
  }
}

/// The parameters of a linear layer whose bias starts at zeros, by the name that PyTorch prints.
public struct NonDynamicallyQuantizableLinear: Parameterized {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?

  init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool, dtype: ScalarType) {
    weight = Parameter([outFeatures, inFeatures], dtype: dtype, initializer: .fanIn(inFeatures))
    // PyTorch draws a bias before it makes it zeros.
    if bias { _ = Parameter([outFeatures], dtype: dtype, initializer: .fanIn(inFeatures)) }
    self.bias = bias ? Parameter([outFeatures], dtype: dtype, initializer: .zeros) : nil
  }

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["in_features": weight.sizes[1], "out_features": weight.sizes[0], "bias": bias != nil])
  }
}

/// The activation between the two linear layers of a transformer layer.
public enum TransformerActivation: String, Sendable {
  /// The activation of that name.
  case relu, gelu

  fileprivate func callAsFunction(_ x: Tensor) -> Tensor { self == .relu ? LatheNN.relu(x) : LatheNN.gelu(x) }
}

/// Self-attention and two linear layers, each with a residual connection and a normalization.
public struct TransformerEncoderLayer: Module {
  /// The layer `selfAttn` of PyTorch's.
  public let selfAttn: MultiheadAttention
  /// The layer `linear1` of PyTorch's.
  public let linear1: Linear
  /// The layer `dropout` of PyTorch's.
  public let dropout: Dropout
  /// The layer `linear2` of PyTorch's.
  public let linear2: Linear
  /// The layer `norm1` of PyTorch's.
  public let norm1: LayerNorm
  /// The layer `norm2` of PyTorch's.
  public let norm2: LayerNorm
  /// The layer `dropout1` of PyTorch's.
  public let dropout1: Dropout
  /// The layer `dropout2` of PyTorch's.
  public let dropout2: Dropout
  private let activation: TransformerActivation
  private let normFirst: Bool
  private let identity = LayerIdentity()

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - dropout: As in PyTorch 0.1 by default, which acts in training only.
  ///   - normFirst: Whether to normalize before attention and linear layers rather than after.
  public init(
    _ dModel: Int, _ nhead: Int, dimFeedforward: Int = 2048, dropout: Double = 0.1,
    activation: TransformerActivation = .relu, layerNormEps: Double = 1e-5, batchFirst: Bool = false,
    normFirst: Bool = false, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    selfAttn = MultiheadAttention(
      dModel, nhead, dropout: dropout, bias: bias, batchFirst: batchFirst, dtype: dtype)
    linear1 = Linear(dModel, dimFeedforward, bias: bias, dtype: dtype)
    self.dropout = Dropout(dropout)
    linear2 = Linear(dimFeedforward, dModel, bias: bias, dtype: dtype)
    norm1 = LayerNorm(dModel, eps: layerNormEps, bias: bias, dtype: dtype)
    norm2 = LayerNorm(dModel, eps: layerNormEps, bias: bias, dtype: dtype)
    dropout1 = Dropout(dropout)
    dropout2 = Dropout(dropout)
    self.activation = activation
    self.normFirst = normFirst
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil) }

  /// With a mask over pairs of positions and one over keys, as `MultiheadAttention` takes them.
  public func callAsFunction(_ x: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false)
    -> Tensor
  {
    func attended(_ x: Tensor) -> Tensor {
      dropout1(selfAttn(x, x, x, keyPaddingMask: keyPaddingMask, attnMask: mask, isCausal: isCausal).output)
    }
    func fed(_ x: Tensor) -> Tensor { dropout2(linear2(dropout(activation(linear1(x))))) }
    return identity.scope(of: x) { _ in
      if normFirst {
        let y = x + attended(norm1(x))
        return y + fed(norm2(y))
      }
      let y = norm1(x + attended(x))
      return norm2(y + fed(y))
    }
  }
}

/// Several encoder layers one after another, with a final normalization if wanted.
public struct TransformerEncoder: Module {
  /// The layers, first to last.
  public let layers: [TransformerEncoderLayer]
  private let fault: TypeFault?
  /// The final normalization.
  public let norm: LayerNorm?
  private let identity = LayerIdentity()

  /// Makes an encoder.
  ///
  /// - Parameter layer: Makes one layer; called once for each, so that every layer has parameters of its own.
  public init(numLayers: Int, norm: LayerNorm? = nil, _ layer: () -> TransformerEncoderLayer) {
    fault = numLayers > layerLimit ? TypeFault("numLayers is \(numLayers), beyond \(layerLimit)") : nil
    layers = fault == nil ? (0..<max(numLayers, 0)).map { _ in layer() } : []
    self.norm = norm
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil) }

  /// With a mask over pairs of positions and one over keys, as `MultiheadAttention` takes them.
  public func callAsFunction(_ x: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false)
    -> Tensor
  {
    identity.scope(of: x) { builder in
      if let fault {
        builder.record(fault, operation: "transformerEncoder", operands: [x])
        return builder.poison
      }
      let y = layers.reduce(x) { $1($0, mask: mask, keyPaddingMask: keyPaddingMask, isCausal: isCausal) }
      return norm.map { $0(y) } ?? y
    }
  }
}
