public import LatheCore

/// Attention with several heads over `[L, N, E]`, or `[N, L, E]` with `batchFirst`; `[L, E]` without batch.
public struct MultiheadAttention: TernaryModule {
  /// A linear layer whose bias starts at zero.
  private struct Projection: Parameterized {
    let weight: Parameter
    let bias: Parameter?
  }

  /// The projections of query, key and value, one below the other.
  public let inProjWeight: Parameter
  /// The biases of the projections.
  public let inProjBias: Parameter?
  private let outProj: Projection
  private let numHeads: Int
  private let batchFirst: Bool
  private let dropout: Double
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(
    _ embedDim: Int, _ numHeads: Int, dropout: Double = 0, bias: Bool = true, batchFirst: Bool = false
  ) {
    inProjWeight = Parameter(
      [product([3, embedDim]), embedDim],
      initializer: .xavierUniform(fanIn: embedDim, fanOut: product([3, embedDim])))
    inProjBias = bias ? Parameter([product([3, embedDim])], initializer: .zeros) : nil
    outProj = Projection(
      weight: Parameter([embedDim, embedDim], initializer: .fanIn(embedDim)),
      bias: bias ? Parameter([embedDim], initializer: .zeros) : nil)
    self.numHeads = numHeads
    self.batchFirst = batchFirst
    self.dropout = dropout
  }

  /// Attention without masks.
  public func callAsFunction(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> (output: Tensor, weights: Tensor) {
    self(query, key, value, keyPaddingMask: nil)
  }

  /// Attention with masks.
  ///
  /// - Parameters:
  ///   - keyPaddingMask: `bool[N, S]`; true leaves a key out.
  ///   - attnMask: `bool` (true leaves out) or a float that is added; `[L, S]` or `[N heads, L, S]`.
  /// - Returns: The output, and the weights averaged over heads.
  public func callAsFunction(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, keyPaddingMask: Tensor?, attnMask: Tensor? = nil,
    isCausal: Bool = false
  ) -> (output: Tensor, weights: Tensor) {
    identity.scope(of: query) { builder in
      multiHeadAttention(
        query, key, value, numHeads: numHeads, inProjWeight: inProjWeight.read(in: builder),
        inProjBias: inProjBias?.read(in: builder), outProjWeight: outProj.weight.read(in: builder),
        outProjBias: outProj.bias?.read(in: builder), keyPaddingMask: keyPaddingMask, attnMask: attnMask,
        isCausal: isCausal, batchFirst: batchFirst, dropout: builder.isTraining ? dropout : 0)
    }
  }
}

/// The activation between the two linear layers of a transformer layer.
public enum TransformerActivation: String, Sendable {
  case relu, gelu

  fileprivate func callAsFunction(_ x: Tensor) -> Tensor { self == .relu ? LatheNN.relu(x) : LatheNN.gelu(x) }
}

/// Self-attention and two linear layers, each with a residual connection and a normalization.
public struct TransformerEncoderLayer: Module {
  private let selfAttn: MultiheadAttention
  private let linear1: Linear
  private let dropout: Dropout
  private let linear2: Linear
  private let norm1: LayerNorm
  private let norm2: LayerNorm
  private let dropout1: Dropout
  private let dropout2: Dropout
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
    normFirst: Bool = false, bias: Bool = true
  ) {
    selfAttn = MultiheadAttention(dModel, nhead, dropout: dropout, bias: bias, batchFirst: batchFirst)
    linear1 = Linear(dModel, dimFeedforward, bias: bias)
    self.dropout = Dropout(dropout)
    linear2 = Linear(dimFeedforward, dModel, bias: bias)
    norm1 = LayerNorm(dModel, eps: layerNormEps, bias: bias)
    norm2 = LayerNorm(dModel, eps: layerNormEps, bias: bias)
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
  private let layers: [TransformerEncoderLayer]
  private let fault: TypeFault?
  private let norm: LayerNorm?
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
