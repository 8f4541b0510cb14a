public import LatheCore
public import LatheNN

/// Dosovitskiy and others, An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale (2020).
///
/// It takes square images `[N, 3, imageSize, imageSize]` and gives scores `[N, numClasses]`.
public struct VisionTransformer: Module {
  /// The features of each patch.
  public var convProj: Conv2d
  /// The token before the patches, from whose features the scores are computed.
  public var classToken: Parameter
  private var encoder: Encoder
  /// The linear layers.
  public var heads: Sequential

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - patchSize: The sides of the patches, which divide the image.
  ///   - mlpDim: The features within a block.
  ///   - representationSize: The features of a layer before the last, which there is not by default.
  public init(
    imageSize: Int = 224, patchSize: Int, numLayers: Int, numHeads: Int, hiddenDim: Int, mlpDim: Int,
    dropout: Double = 0, attentionDropout: Double = 0, numClasses: Int = 1000, representationSize: Int? = nil
  ) {
    convProj = Conv2d(3, hiddenDim, kernelSize: patchSize, stride: patchSize)
    classToken = Parameter([1, 1, hiddenDim], initializer: .zeros)
    let patches = patchSize > 0 ? imageSize / patchSize : 0
    encoder = Encoder(
      patches &* patches &+ 1, numLayers, numHeads, hiddenDim, mlpDim, dropout: dropout,
      attentionDropout: attentionDropout)
    let preLogits = representationSize.map { Linear(hiddenDim, $0) }
    let head = Linear(representationSize ?? hiddenDim, numClasses)
    heads = Sequential(
      named: (preLogits.map { [("pre_logits", $0), ("act", Tanh())] } ?? []) + [("head", head)])
    convProj.drawWeights(convolution: patchwise(3 &* patchSize &* patchSize))
    preLogits?.drawWeights(linear: patchwise(hiddenDim))
    head.drawWeights(linear: .zeros)
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let patches = convProj(x).flatten(startDim: 2).transpose(1, 2)
    let token = classToken(for: x).expandAs(patches.narrow(dim: 1, start: 0, length: 1))
    return heads(encoder(cat([token, patches], dim: 1)).select(dim: 1, index: 0))
  }
}

/// Numbers that keep the variance of so many inputs.
private func patchwise(_ fanIn: Int) -> Initializer { .truncNormal(std: (1 / Double(fanIn)).squareRoot()) }

/// Blocks over the sum of patches and positions.
private struct Encoder: Module {
  let posEmbedding: Parameter
  let dropout: Dropout
  let layers: Sequential
  let ln: LayerNorm

  init(
    _ length: Int, _ numLayers: Int, _ numHeads: Int, _ hiddenDim: Int, _ mlpDim: Int, dropout: Double,
    attentionDropout: Double
  ) {
    posEmbedding = Parameter([1, length, hiddenDim], initializer: .normal(std: 0.02))
    self.dropout = Dropout(dropout)
    layers = Sequential(
      named: (0..<max(numLayers, 0)).map {
        ("encoder_layer_\($0)", EncoderBlock(numHeads, hiddenDim, mlpDim, dropout, attentionDropout))
      })
    ln = LayerNorm(hiddenDim, eps: 1e-6)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { ln(layers(dropout(x + posEmbedding(for: x)))) }
}

/// Attention and two linear layers, each normalized before and beside the identity.
private struct EncoderBlock: Module {
  let firstNorm: LayerNorm
  let selfAttention: MultiheadAttention
  let dropout: Dropout
  let secondNorm: LayerNorm
  let mlp: Sequential
  let stateNames = ["firstNorm": "ln_1", "secondNorm": "ln_2"]

  init(_ numHeads: Int, _ hiddenDim: Int, _ mlpDim: Int, _ dropout: Double, _ attentionDropout: Double) {
    firstNorm = LayerNorm(hiddenDim, eps: 1e-6)
    selfAttention = MultiheadAttention(hiddenDim, numHeads, dropout: attentionDropout, batchFirst: true)
    self.dropout = Dropout(dropout)
    secondNorm = LayerNorm(hiddenDim, eps: 1e-6)
    let linear = [Linear(hiddenDim, mlpDim), Linear(mlpDim, hiddenDim)]
    mlp = Sequential(linear[0], GELU(), Dropout(dropout), linear[1], Dropout(dropout))
    for layer in linear {
      layer.weight.initializer = .xavierUniform()
      layer.bias?.initializer = .normal(std: 1e-6)
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = firstNorm(x)
    let attended = x + dropout(selfAttention(y, y, y).output)
    return attended + mlp(secondNorm(attended))
  }
}

/// The base transformer over patches of 16 x 16.
public func vitB16(imageSize: Int = 224, numClasses: Int = 1000, dropout: Double = 0) -> VisionTransformer {
  VisionTransformer(
    imageSize: imageSize, patchSize: 16, numLayers: 12, numHeads: 12, hiddenDim: 768, mlpDim: 3072, dropout: dropout,
    numClasses: numClasses)
}

/// The base transformer over patches of 32 x 32.
public func vitB32(imageSize: Int = 224, numClasses: Int = 1000, dropout: Double = 0) -> VisionTransformer {
  VisionTransformer(
    imageSize: imageSize, patchSize: 32, numLayers: 12, numHeads: 12, hiddenDim: 768, mlpDim: 3072, dropout: dropout,
    numClasses: numClasses)
}

/// The large transformer over patches of 16 x 16.
public func vitL16(imageSize: Int = 224, numClasses: Int = 1000, dropout: Double = 0) -> VisionTransformer {
  VisionTransformer(
    imageSize: imageSize, patchSize: 16, numLayers: 24, numHeads: 16, hiddenDim: 1024, mlpDim: 4096, dropout: dropout,
    numClasses: numClasses)
}

/// The large transformer over patches of 32 x 32.
public func vitL32(imageSize: Int = 224, numClasses: Int = 1000, dropout: Double = 0) -> VisionTransformer {
  VisionTransformer(
    imageSize: imageSize, patchSize: 32, numLayers: 24, numHeads: 16, hiddenDim: 1024, mlpDim: 4096, dropout: dropout,
    numClasses: numClasses)
}

/// The huge transformer over patches of 14 x 14.
public func vitH14(imageSize: Int = 224, numClasses: Int = 1000, dropout: Double = 0) -> VisionTransformer {
  VisionTransformer(
    imageSize: imageSize, patchSize: 14, numLayers: 32, numHeads: 16, hiddenDim: 1280, mlpDim: 5120, dropout: dropout,
    numClasses: numClasses)
}
