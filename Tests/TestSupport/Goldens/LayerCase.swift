public import LatheCore
import LatheNN
public import Testing

/// A forward and backward pass of a layer with options that are no defaults, as `tools/layer_goldens.py` wrote it.
public struct LayerCase: Sendable, CustomTestStringConvertible {
  /// The case's name in `layers.npz`.
  public let name: String
  private let module: any Parameterized
  private let call: @Sendable ([Tensor]) -> [Tensor]

  /// The case's name.
  public var testDescription: String { name }

  init<M: Module, each Argument: TracedArgument>(
    _ name: String, _ module: M
  ) where M.Input == (repeat each Argument) {
    self.init(name, module) { tensors in
      var rest = tensors[...]
      return module((repeat (each Argument).first(of: &rest)))
    }
  }

  init(_ name: String, _ module: some Parameterized, _ call: @escaping @Sendable ([Tensor]) -> Any) {
    self.name = name
    self.module = module
    self.call = { Self.tensors(in: call($0)) }
  }

  private static func tensors(in value: Any) -> [Tensor] {
    if let tensor = value as? Tensor { return [tensor] }
    return Mirror(reflecting: value).children.flatMap { tensors(in: $0.value) }
  }

  private static let file = goldenArrays("layers.npz")

  private func arrays(_ prefix: String, _ dtype: ScalarType) -> [(name: String, array: NDArray)] {
    let prefix = "\(name)/\(prefix)/"
    return Self.file.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.map {
      (String($0.key.dropFirst(prefix.count)), $0.value.dtype.isFloat ? $0.value.converted(to: dtype) : $0.value)
    }
  }

  /// The forward and backward pass as a graph in training mode, with the outputs `output/I` and `grad/NAME`.
  public func graph(_ dtype: ScalarType) throws(DiagnosticsError) -> Graph {
    let (inputs, cotangents) = (arrays("input", dtype), arrays("cotangent", dtype))
    let contents = arrays("param", dtype) + arrays("buffer", dtype)
    let wanted = Set(arrays("grad", dtype).map(\.name))
    return try trace(
      module, inputs: (inputs + cotangents).map(\.array.type),
      options: TraceOptions(
        name: name, inputNames: inputs.map { "input/\($0.name)" } + cotangents.map { "cotangent/\($0.name)" },
        isTraining: true, parameters: Dictionary(uniqueKeysWithValues: contents.map { ($0.name, $0.array) }),
        floatType: dtype)
    ) { builder, tensors -> [String: Tensor] in
      let results = call(Array(tensors.prefix(inputs.count)))
      let seeds = zip(results, tensors.dropFirst(inputs.count)).map { (tensor: $0, cotangent: $1) }
      let sources = zip(inputs, tensors).map { (name: $0.name, tensor: $1) } + builder.parameters
      let targets = sources.filter { wanted.contains($0.name) }
      var named: [String: Tensor] = [:]
      for (position, result) in results.enumerated() { named["output/\(position)"] = result }
      for (target, gradient) in zip(targets, gradients(of: seeds, withRespectTo: targets.map(\.tensor))) {
        named["grad/\(target.name)"] = gradient
      }
      return named
    }
  }

  /// The contents of the graph's inputs.
  public func contents(_ dtype: ScalarType) -> [String: NDArray] {
    var contents: [String: NDArray] = [:]
    for prefix in ["input", "cotangent"] {
      for (name, array) in arrays(prefix, dtype) { contents["\(prefix)/\(name)"] = array }
    }
    return contents
  }

  /// The expected outputs and gradients by the graph's names.
  public func expected() -> [String: NDArray] {
    var expected: [String: NDArray] = [:]
    for prefix in ["output", "grad"] {
      for (name, array) in arrays(prefix, .f32) { expected["\(prefix)/\(name)"] = array }
    }
    return expected
  }

  /// What the pass leaves in the variables that it changes.
  public func expectedUpdates() -> [String: NDArray] {
    Dictionary(uniqueKeysWithValues: arrays("after", .f32).map { ($0.name, $0.array) })
  }

  /// Weights whose numbers are in the file.
  private static func given(_ count: Int) -> NDArray { NDArray([Float](repeating: 1, count: count)) }

  /// All cases.
  public static let all: [LayerCase] =
    convolutions + pooling + padding + activations + norms + recurrent + others + losses

  private static let convolutions: [LayerCase] = [
    LayerCase(
      "conv1d", Conv1d(4, 6, kernelSize: 3, stride: 2, padding: 1, dilation: 2, groups: 2, bias: false)),
    LayerCase("conv2d", Conv2d(2, 3, kernelSize: [3, 2], padding: [1, 2], paddingMode: .reflect)),
    LayerCase("conv2d_same", Conv2d(2, 3, kernelSize: 3, padding: .same, paddingMode: .circular)),
    LayerCase("conv3d", Conv3d(2, 2, kernelSize: 2, stride: [1, 2, 1], padding: 1, paddingMode: .replicate)),
    LayerCase(
      "conv_transpose1d",
      ConvTranspose1d(4, 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2, bias: false)),
    LayerCase("conv_transpose2d", ConvTranspose2d(2, 3, kernelSize: [3, 2], stride: 2, dilation: [1, 2])),
    LayerCase("conv_transpose3d", ConvTranspose3d(2, 2, kernelSize: 2, stride: 2, padding: 1)),
  ]

  private static let pooling: [LayerCase] = [
    LayerCase("max_pool1d", MaxPool1d(kernelSize: 3, stride: 2, padding: 1, dilation: 2)),
    LayerCase("max_pool2d", MaxPool2d(kernelSize: [3, 2], stride: 2, padding: 1, ceilMode: true)),
    LayerCase("max_pool3d", MaxPool3d(kernelSize: 2, stride: [1, 2, 2])),
    LayerCase("avg_pool1d", AvgPool1d(kernelSize: 3, stride: 2, padding: 1, countIncludePad: false)),
    LayerCase("avg_pool2d", AvgPool2d(kernelSize: 3, stride: 2, padding: 1, ceilMode: true, divisorOverride: 5)),
    LayerCase("avg_pool3d", AvgPool3d(kernelSize: 2, stride: 1, divisorOverride: 3)),
    LayerCase("adaptive_max_pool1d", AdaptiveMaxPool1d(3)),
    LayerCase("adaptive_max_pool2d", AdaptiveMaxPool2d([2, 3])),
    LayerCase("adaptive_max_pool3d", AdaptiveMaxPool3d(2)),
    LayerCase("adaptive_avg_pool1d", AdaptiveAvgPool1d(3)),
    LayerCase("adaptive_avg_pool2d", AdaptiveAvgPool2d([2, 3])),
    LayerCase("adaptive_avg_pool3d", AdaptiveAvgPool3d(2)),
    LayerCase("lp_pool1d", LPPool1d(2, kernelSize: 3, stride: 2)),
    LayerCase("lp_pool2d", LPPool2d(1, kernelSize: 2, ceilMode: true)),
    LayerCase("lp_pool3d", LPPool3d(2, kernelSize: 2, stride: 1)),
    LayerCase("max_unpool1d", MaxUnpool1d(kernelSize: 2)),
    LayerCase("max_unpool1d_padded", MaxUnpool1d(kernelSize: 2, stride: 3, padding: 1)),
    LayerCase("max_unpool3d_strided", MaxUnpool3d(kernelSize: 2, stride: 3)),
    LayerCase("max_unpool2d", MaxUnpool2d(kernelSize: 2, stride: 2)),
    LayerCase("max_unpool3d", MaxUnpool3d(kernelSize: 2)),
  ]

  private static let padding: [LayerCase] = [
    LayerCase("constant_pad1d", ConstantPad1d([2, -1], 3.5)), LayerCase("constant_pad2d", ConstantPad2d(1, -0.5)),
    LayerCase("constant_pad3d", ConstantPad3d([1, 0, 0, 2, 1, 1], 0.5)), LayerCase("zero_pad1d", ZeroPad1d(2)),
    LayerCase("zero_pad2d", ZeroPad2d([0, 1, 2, 0])), LayerCase("zero_pad3d", ZeroPad3d(1)),
    LayerCase("reflection_pad1d", ReflectionPad1d([2, 1])), LayerCase("reflection_pad2d", ReflectionPad2d(1)),
    LayerCase("reflection_pad3d", ReflectionPad3d([1, 0, 1, 1, 0, 1])),
    LayerCase("replication_pad1d", ReplicationPad1d([3, 1])), LayerCase("replication_pad2d", ReplicationPad2d(2)),
    LayerCase("replication_pad3d", ReplicationPad3d([1, 0, 1, 1, 0, 2])),
    LayerCase("circular_pad1d", CircularPad1d([3, 1])), LayerCase("circular_pad2d", CircularPad2d(2)),
    LayerCase("circular_pad3d", CircularPad3d([1, 0, 1, 1, 0, 2])),
  ]

  private static let activations: [LayerCase] = [
    LayerCase("elu", ELU(alpha: 0.5)), LayerCase("celu", CELU(alpha: 0.5)), LayerCase("leaky_relu", LeakyReLU(0.2)),
    LayerCase("gelu", GELU(approximate: .tanh)), LayerCase("softplus", Softplus(beta: 2, threshold: 1)),
    LayerCase("softshrink", Softshrink(lambda: 0.3)), LayerCase("hardshrink", Hardshrink(lambda: 0.3)),
    LayerCase("hardtanh", Hardtanh(minVal: -0.5, maxVal: 0.7)), LayerCase("threshold", Threshold(0.1, -2)),
    LayerCase("prelu", PReLU(4, init: 0.3)), LayerCase("relu6", ReLU6()), LayerCase("selu", SELU()),
    LayerCase("silu", SiLU()), LayerCase("mish", Mish()), LayerCase("hardswish", Hardswish()),
    LayerCase("hardsigmoid", Hardsigmoid()), LayerCase("sigmoid", Sigmoid()), LayerCase("tanh", Tanh()),
    LayerCase("log_sigmoid", LogSigmoid()), LayerCase("softsign", Softsign()), LayerCase("tanhshrink", Tanhshrink()),
    LayerCase("softmax", Softmax(dim: 0)), LayerCase("log_softmax", LogSoftmax(dim: 0)),
    LayerCase("softmin", Softmin(dim: 0)), LayerCase("glu", GLU(dim: 0)),
  ]

  private static let norms: [LayerCase] = [
    LayerCase("batch_norm1d", BatchNorm1d(3, eps: 1e-3, momentum: 0.3, trackRunningStats: false)),
    LayerCase("batch_norm2d", BatchNorm2d(3, eps: 1e-3, momentum: nil)),
    LayerCase("batch_norm3d", BatchNorm3d(2, affine: false)),
    LayerCase("batch_norm_weight", BatchNorm1d(3, bias: false)),
    LayerCase("instance_norm1d", InstanceNorm1d(3, eps: 1e-3, affine: true)),
    LayerCase("instance_norm2d", InstanceNorm2d(2, affine: true)),
    LayerCase("instance_norm3d", InstanceNorm3d(2, eps: 1e-2)),
    LayerCase("layer_norm", LayerNorm([3, 4], eps: 1e-3, bias: false)),
    LayerCase("rms_norm", RMSNorm(4, eps: 1e-3)),
    LayerCase("group_norm", GroupNorm(2, 6, eps: 1e-3)),
    LayerCase("group_norm_weight", GroupNorm(3, 6, bias: false)),
    LayerCase(
      "instance_norm_running",
      InstanceNorm1d(3, momentum: 0.3, affine: true, trackRunningStats: true, bias: false)),
    LayerCase("instance_norm_unbatched", InstanceNorm2d(2, trackRunningStats: true)),
    LayerCase("layer_norm_plain", LayerNorm(4, elementwiseAffine: false)),
    LayerCase("rms_norm_plain", RMSNorm([3, 4], elementwiseAffine: false)),
    LayerCase("group_norm_plain", GroupNorm(2, 4, affine: false)),
    LayerCase("local_response_norm", LocalResponseNorm(3, alpha: 0.1, beta: 0.5, k: 2)),
  ]

  private static let recurrent: [LayerCase] = {
    let encoder = TransformerEncoder(numLayers: 2, norm: LayerNorm(4)) {
      TransformerEncoderLayer(4, 2, dimFeedforward: 8, dropout: 0)
    }
    let addedAttention = MultiheadAttention(4, 2, addBiasKv: true, addZeroAttn: true, batchFirst: true)
    let (gruCell, rnnCell) = (GRUCell(3, 4), RNNCell(3, 4, bias: false, nonlinearity: .relu))
    return [
      LayerCase("lstm_projected", LSTM(3, 5, numLayers: 2, bidirectional: true, projSize: 2)),
      LayerCase("gru_bidirectional", GRU(3, 4, numLayers: 2, bias: false, bidirectional: true)),
      LayerCase("rnn_unbatched", RNN(3, 4, nonlinearity: .relu, bias: false)),
      LayerCase("lstm_cell", LSTMCell(3, 4, bias: false)),
      LayerCase("gru_cell", gruCell) { gruCell($0[0], $0[1]) },
      LayerCase("gru_cell_zeros", GRUCell(3, 4, bias: false)),
      LayerCase("rnn_cell", rnnCell) { rnnCell($0[0], $0[1]) },
      LayerCase("lstm_no_bias", LSTM(3, 4, bias: false, batchFirst: true)),
      LayerCase("gru_dropout", GRU(3, 4, numLayers: 2, dropout: 1)),
      LayerCase("rnn_dropout", RNN(3, 4, numLayers: 2, batchFirst: true, dropout: 1)),
      LayerCase("multihead_attention_sizes", MultiheadAttention(4, 2, kdim: 3, vdim: 5)),
      LayerCase("multihead_attention_added", addedAttention) {
        addedAttention($0[0], $0[1], $0[2], keyPaddingMask: $0[3], attnMask: $0[4], averageAttnWeights: false)
      },
      LayerCase("multihead_attention_no_bias", MultiheadAttention(4, 2, bias: false)),
      LayerCase("multihead_attention_dropout", MultiheadAttention(4, 2, dropout: 1)),
      LayerCase(
        "encoder_layer", TransformerEncoderLayer(4, 2, dimFeedforward: 8, dropout: 0, layerNormEps: 1e-3, bias: false)),
      LayerCase("encoder", encoder),
    ]
  }()

  private static let others: [LayerCase] = {
    let maximaOfBags = EmbeddingBag(6, 3, mode: .max, includeLastOffset: true)
    let weightedBags = EmbeddingBag(6, 3, mode: .sum, maxNorm: 0.75, normType: 1, scaleGradByFreq: true)
    return [
      LayerCase("pixel_shuffle", PixelShuffle(2)), LayerCase("pixel_unshuffle", PixelUnshuffle(2)),
      LayerCase("flatten", Flatten(startDim: 0, endDim: 1)), LayerCase("bilinear", Bilinear(3, 4, 2, bias: false)),
      LayerCase("embedding", Embedding(6, 3, paddingIdx: -2)),
      LayerCase("embedding_bag", EmbeddingBag(6, 3, paddingIdx: 1)),
      LayerCase("embedding_bag_offsets", maximaOfBags) { maximaOfBags($0[0], offsets: $0[1]) },
      LayerCase("embedding_bag_weights", weightedBags) { weightedBags($0[0], offsets: nil, perSampleWeights: $0[1]) },
      LayerCase("rrelu", RReLU(lower: 0.25, upper: 0.25)),
      LayerCase("embedding_max_norm", Embedding(6, 3, maxNorm: 0.75, normType: 1, scaleGradByFreq: true)),
      LayerCase("upsample_recompute", Upsample(scaleFactor: 1.7, mode: .linear, recomputeScaleFactor: true)),
      LayerCase("upsampling_nearest2d_size", UpsamplingNearest2d(size: [5, 7])),
      LayerCase("upsampling_bilinear2d_factor", UpsamplingBilinear2d(scaleFactor: 1.5)),
      LayerCase(
        "adaptive_log_softmax_bias", AdaptiveLogSoftmaxWithLoss(6, 10, cutoffs: [3, 6], divValue: 2, headBias: true)),
      LayerCase("upsample", Upsample(scaleFactor: 1.7, mode: .bicubic, alignCorners: true)),
      LayerCase("upsample_size", Upsample(size: 7, mode: .linear)),
      LayerCase("upsampling_nearest2d", UpsamplingNearest2d(scaleFactor: 2)),
      LayerCase("upsampling_bilinear2d", UpsamplingBilinear2d(size: [5, 4])),
      LayerCase("pairwise_distance", PairwiseDistance(p: 1, eps: 1e-3, keepdim: true)),
      LayerCase("cosine_similarity", CosineSimilarity(dim: 0, eps: 1e-3)),
    ]
  }()

  private static let losses: [LayerCase] = [
    LayerCase("l1_loss", L1Loss(reduction: .sum)), LayerCase("mse_loss", MSELoss(reduction: .none)),
    LayerCase("smooth_l1_loss", SmoothL1Loss(reduction: .sum, beta: 0.5)),
    LayerCase("huber_loss", HuberLoss(reduction: .none, delta: 0.5)),
    LayerCase(
      "cross_entropy_loss",
      CrossEntropyLoss(weight: given(4), ignoreIndex: 2, reduction: .sum, labelSmoothing: 0.1)),
    LayerCase("ctc_loss", CTCLoss(blank: 2, reduction: .sum, zeroInfinity: true)),
    LayerCase("nll_loss_sum", NLLLoss(reduction: .sum)),
    LayerCase("nll_loss", NLLLoss(weight: given(4), ignoreIndex: 1)),
    LayerCase("kl_div_loss", KLDivLoss(reduction: .batchMean, logTarget: true)),
    LayerCase("bce_loss", BCELoss(weight: given(4), reduction: .sum)),
    LayerCase(
      "bce_with_logits_loss", BCEWithLogitsLoss(weight: given(4), reduction: .sum, posWeight: given(4))),
    LayerCase("poisson_nll_loss", PoissonNLLLoss(logInput: false, full: true, eps: 1e-3, reduction: .sum)),
    LayerCase("gaussian_nll_loss", GaussianNLLLoss(full: true, eps: 1e-3, reduction: .sum)),
    LayerCase("margin_ranking_loss", MarginRankingLoss(margin: 0.5, reduction: .sum)),
    LayerCase("hinge_embedding_loss", HingeEmbeddingLoss(margin: 0.5, reduction: .sum)),
    LayerCase("soft_margin_loss", SoftMarginLoss(reduction: .sum)),
    LayerCase("cosine_embedding_loss", CosineEmbeddingLoss(margin: 0.2, reduction: .sum)),
    LayerCase("triplet_margin_loss", TripletMarginLoss(margin: 0.5, p: 1, eps: 1e-3, swap: true, reduction: .sum)),
    LayerCase("multi_margin_loss", MultiMarginLoss(p: 2, margin: 0.5, weight: given(4), reduction: .sum)),
    LayerCase("multilabel_margin_loss", MultiLabelMarginLoss(reduction: .sum)),
    LayerCase("multilabel_soft_margin_loss", MultiLabelSoftMarginLoss(weight: given(4), reduction: .sum)),
  ]
}
