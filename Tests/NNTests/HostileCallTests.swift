import LatheCore
import LatheNN
import TestSupport
import Testing

/// A call of the public API with an argument that a program may have computed wrongly.
private struct Call<Argument: Sendable>: Sendable {
  let name: String
  let build: @Sendable (_ x: Tensor, _ argument: Argument) -> Any

  init(_ name: String, _ build: @escaping @Sendable (_ x: Tensor, _ argument: Argument) -> Any) {
    self.name = name
    self.build = build
  }
}

private let integers = [Int.min, -1 << 40, -7, -1, 0, 1, 2, 7, 1 << 31, 1 << 40, Int.max]
private let numbers: [Double] = [.nan, .infinity, -.infinity, 1e300, -1e300, -1, -0.5, 0, 0.5, 0x1p-1063]

/// What takes an integer: `x` is `f32[1,2,6]`.
private let integerCalls: [Call<Int>] = [
  Call("softmax") { softmax($0, dim: $1) }, Call("logSoftmax") { logSoftmax($0, dim: $1) },
  Call("glu") { glu($0, dim: $1) }, Call("adaptiveAvgPool1d") { adaptiveAvgPool1d($0, $1) },
  Call("adaptiveMaxPool1d") { adaptiveMaxPool1d($0, $1) },
  Call("maxPool1d kernel") { maxPool1d($0, kernelSize: $1) },
  Call("maxPool1d stride") { maxPool1d($0, kernelSize: 2, stride: $1) },
  Call("maxPool1d padding") { maxPool1d($0, kernelSize: 2, padding: $1) },
  Call("maxPool1d dilation") { maxPool1d($0, kernelSize: 2, dilation: $1, ceilMode: true) },
  Call("avgPool1d kernel") { avgPool1d($0, kernelSize: $1, ceilMode: true) },
  Call("avgPool1d divisor") { avgPool1d($0, kernelSize: 2, padding: $1) },
  Call("lpPool1d") { lpPool1d($0, normType: 2, kernelSize: $1, ceilMode: true) },
  Call("maxUnpool") { maxUnpool($0, $0.convert(to: .i64), spatial: 1, kernelSize: $1) },
  Call("conv1d stride") { conv1d($0, $0, stride: $1) },
  Call("conv1d padding") { conv1d($0, $0, padding: .init(integerLiteral: $1)) },
  Call("conv1d dilation") { conv1d($0, $0, dilation: $1) }, Call("conv1d groups") { conv1d($0, $0, groups: $1) },
  Call("convTranspose1d stride") { convTranspose1d($0, $0.movedim(1, 0), stride: $1) },
  Call("convTranspose1d outputPadding") { convTranspose1d($0, $0.movedim(1, 0), outputPadding: $1) },
  Call("zeros") { $0.builder.zeros([$1, 2]) }, Call("full") { $0.builder.full([$1], 1) },
  Call("arange") { $0.builder.arange($1) }, Call("linspace") { $0.builder.linspace(0, 1, steps: $1) },
  Call("logspace") { $0.builder.logspace(0, 1, steps: $1) }, Call("eye") { $0.builder.eye($1) },
  Call("eye m") { $0.builder.eye(2, $1) }, Call("newFull") { $0.newFull([$1], 1) },
  Call("rand") { $0.builder.rand([Dim($1)]) }, Call("tril") { $0.tril(diagonal: $1) },
  Call("triu") { $0.triu(diagonal: $1) }, Call("diagonal") { $0.diagonal(offset: $1, dim1: 1, dim2: 2) },
  Call("diagonal dim1") { $0.diagonal(dim1: $1) }, Call("diagEmbed") { $0.diagEmbed(offset: $1) },
  Call("diag") { $0.select(dim: 0, index: 0).select(dim: 0, index: 0).diag(diagonal: $1) },
  Call("round") { $0.round(decimals: $1) }, Call("affineGrid") { affineGrid($0, size: [1, 1, $1, 2]) },
  Call("indexSelect") { $0.indexSelect(dim: $1, $0.builder.arange(1)) },
  Call("gather") { $0.gather(dim: $1, $0.convert(to: .i64)) },
  Call("takeAlongDim") { $0.takeAlongDim($0.convert(to: .i64), dim: $1) },
  Call("scatter") { $0.scatter(dim: $1, $0.convert(to: .i64), $0) },
  Call("scatterAdd") { $0.scatterAdd(dim: $1, $0.convert(to: .i64), $0) },
  Call("indexAdd") { $0.indexAdd(dim: $1, $0.builder.arange(1), $0) },
  Call("indexFill") { $0.indexFill(dim: $1, $0.builder.arange(1), 1) },
  Call("selectScatter") { $0.selectScatter($0.select(dim: 1, index: 0), dim: 1, index: $1) },
  Call("sliceScatter") { $0.sliceScatter($0, dim: 1, start: $1) },
  Call("sliceScatter step") { $0.sliceScatter($0, dim: 1, step: $1) },
  Call("oneHot") { oneHot($0.convert(to: .i64), numClasses: $1) },
  Call("embedding") { embedding($0.convert(to: .i64), $0.reshape([2, 6]), paddingIdx: $1) },
  Call("view") { $0.view($1, 6) }, Call("view alone") { $0.view($1) }, Call("flatten") { $0.flatten(startDim: $1) },
  Call("flatten end") { $0.flatten(startDim: 0, endDim: $1) },
  Call("unflatten") { $0.unflatten(dim: 2, [$1, 2]) }, Call("unflatten dim") { $0.unflatten(dim: $1, [1, 2]) },
  Call("squeeze") { $0.squeeze(dim: $1) }, Call("unsqueeze") { $0.unsqueeze(dim: $1) },
  Call("transpose") { $0.transpose(0, $1) }, Call("permute") { $0.permute(0, 1, $1) },
  Call("movedim") { $0.movedim(0, $1) }, Call("expand") { $0.expand($1, 2, 6) },
  Call("broadcastTo") { $0.broadcastTo([$1, 2, 6]) }, Call("repeat") { $0.repeat($1, 1, 1) },
  Call("repeatInterleave") { $0.repeatInterleave($1, dim: 0) },
  Call("repeatInterleave dim") { $0.repeatInterleave(2, dim: $1) },
  Call("split") { $0.split($1, dim: 2)[1] }, Call("split dim") { $0.split(2, dim: $1)[1] },
  Call("split sizes") { $0.split([$1, 2], dim: 2)[1] }, Call("chunk") { $0.chunk($1, dim: 2)[1] },
  Call("unbind") { $0.unbind(dim: $1)[5] }, Call("narrow") { $0.narrow(dim: 2, start: $1, length: 2) },
  Call("narrow length") { $0.narrow(dim: 2, start: 1, length: $1) }, Call("select") { $0.select(dim: 2, index: $1) },
  Call("select dim") { $0.select(dim: $1, index: 0) },
  Call("slice start") { $0.slice(dim: 2, start: $1) }, Call("slice end") { $0.slice(dim: 2, end: $1) },
  Call("slice step") { $0.slice(dim: 2, step: $1) }, Call("flip") { $0.flip(dims: $1) },
  Call("roll") { $0.roll(shifts: $1, dims: 2) }, Call("roll dims") { $0.roll(shifts: 1, dims: $1) },
  Call("rot90") { $0.rot90($1) }, Call("tensorSplit") { $0.tensorSplit($1, dim: 2)[1] },
  Call("unfold size") { $0.unfold(dimension: 2, size: $1, step: 1) },
  Call("unfold step") { $0.unfold(dimension: 2, size: 2, step: $1) },
  Call("cat") { cat([$0, $0], dim: $1) }, Call("stack") { stack([$0, $0], dim: $1) },
  Call("pixelShuffle") { pixelShuffle($0, $1) }, Call("pixelUnshuffle") { pixelUnshuffle($0, $1) },
  Call("channelShuffle") { channelShuffle($0, groups: $1) }, Call("sum") { $0.sum(dim: $1) },
  Call("mean") { $0.mean(dim: $1) }, Call("var") { $0.var(dim: $1) }, Call("std") { $0.std(dim: $1) },
  Call("argmax") { $0.argmax(dim: $1) }, Call("logsumexp") { $0.logsumexp(dim: $1) }, Call("norm") { $0.norm(dim: $1) },
  Call("cumsum") { $0.cumsum(dim: $1) }, Call("cummax") { $0.cummax(dim: $1).values },
  Call("logcumsumexp") { $0.logcumsumexp(dim: $1) }, Call("diff") { $0.diff(n: $1) },
  Call("pad") { pad($0, [$1, 1]) }, Call("pad reflect") { pad($0, [$1, 1], mode: .reflect) },
  Call("interpolate") { interpolate($0, size: [$1]) },
  Call("slice(axis:)") { $0.slice(axis: $1, from: 0, to: 1) },
  Call("slice(axis:) from") { $0.slice(axis: 2, from: $1, to: 1) },
  Call("slice(axis:) to") { $0.slice(axis: 2, from: 0, to: $1) },
  Call("slice(axis:) stride") { $0.slice(axis: 2, from: 0, to: 4, stride: $1) },
  Call("gatherAlong") { $0.gatherAlong(axis: $1, indices: $0.convert(to: .i64)) },
  Call("scatterAlong") { $0.scatterAlong(axis: $1, indices: $0.convert(to: .i64), updates: $0, combiner: nil) },
  Call("reduce") { $0.reduce(.sum, axes: [$1]) }, Call("reverse") { $0.reverse([$1]) },
  Call("broadcast") { $0.broadcast(to: [Dim($1), 2, 6], axes: [0, 1, 2]) },
  Call("broadcast axes") { $0.broadcast(to: [1, 2, 6], axes: [0, 1, $1]) },
  Call("groupNorm") { groupNorm($0, numGroups: $1) }, Call("layerNorm") { layerNorm($0, [$1]) },
  Call("localResponseNorm") { localResponseNorm($0, size: $1) },
  Call("Linear in") { Linear($1, 2)($0) }, Call("Linear out") { Linear(6, $1)($0) },
  Call("Linear both") { Linear($1, $1)($0) }, Call("Conv1d in") { Conv1d($1, 3, kernelSize: 3)($0) },
  Call("Conv1d out") { Conv1d(2, $1, kernelSize: 3)($0) }, Call("Conv1d kernel") { Conv1d(2, 3, kernelSize: $1)($0) },
  Call("Conv1d groups") { Conv1d(2, 4, kernelSize: 3, groups: $1)($0) },
  Call("Embedding") { Embedding($1, 3)($0.convert(to: .i64)) },
  Call("Embedding width") { Embedding(3, $1)($0.convert(to: .i64)) },
  Call("BatchNorm1d") { BatchNorm1d($1)($0) }, Call("GroupNorm") { GroupNorm($1, 2)($0) },
  Call("LayerNorm") { LayerNorm([$1])($0) }, Call("MaxPool1d") { MaxPool1d(kernelSize: $1)($0) },
  Call("LSTM") { LSTM(6, $1)($0).output }, Call("GRU layers") { GRU(6, 2, numLayers: $1)($0).output },
  Call("MultiheadAttention") { MultiheadAttention(6, $1)($0, $0, $0) },
  Call("maxUnpool1d size") { maxUnpool1d($0, $0.convert(to: .i64), kernelSize: 2, outputSize: [$1]) },
  Call("maxUnpool1d padding") { maxUnpool1d($0, $0.convert(to: .i64), kernelSize: 2, padding: $1) },
  Call("avgPool1d divisorOverride") { avgPool1d($0, kernelSize: 2, divisorOverride: $1) },
  Call("avgPool1d ends") {
    avgPool1d($0, kernelSize: 2, stride: $1, padding: 1, ceilMode: true, countIncludePad: false)
  },
  Call("lpPool1d stride") { lpPool1d($0, normType: 3, kernelSize: 2, stride: $1) },
  Call("adaptiveMaxPool1dWithIndices") { adaptiveMaxPool1dWithIndices($0, [$1]).indices },
  Call("fractionalMaxPool2d") { fractionalMaxPool2d($0, kernelSize: $1, outputSize: 1) },
  Call("fractionalMaxPool2d size") { fractionalMaxPool2d($0, kernelSize: 1, outputSize: $1) },
  Call("embedding renorm") { embeddingRenorm($0.convert(to: .i64), $0.reshape([2, 6]), maxNorm: Double($1)) },
  Call("multiMarginLoss") { multiMarginLoss($0.reshape([2, 6]), $0.builder.zeros([2], dtype: .i64), p: $1) },
  Call("nllLoss") { nllLoss($0.reshape([2, 6]), $0.builder.zeros([2], dtype: .i64), ignoreIndex: $1) },
  Call("cosineSimilarity") { cosineSimilarity($0, $0, dim: $1) }, Call("normalize") { normalize($0, dim: $1) },
  Call("Linalg.norm") { Linalg.norm($0, dim: [$1]) }, Call("matrixNorm") { Linalg.matrixNorm($0, dim: [0, $1]) },
  Call("nuclear norm") { $0.norm(.nuclear, dim: [$1, 1]) },
  Call("Conv1d stride") { Conv1d(2, 3, kernelSize: 3, stride: $1)($0) },
  Call("Conv1d dilation") { Conv1d(2, 3, kernelSize: 3, dilation: $1, paddingMode: .reflect)($0) },
  Call("Conv1d padding") { Conv1d(2, 3, kernelSize: 3, padding: .init($1), paddingMode: .circular)($0) },
  Call("ConvTranspose1d groups") { ConvTranspose1d(2, 4, kernelSize: 3, groups: $1)($0) },
  Call("ConvTranspose1d padding") { ConvTranspose1d(2, 4, kernelSize: 3, padding: $1)($0) },
  Call("ConvTranspose1d dilation") { ConvTranspose1d(2, 4, kernelSize: 3, dilation: $1)($0) },
  Call("ConvTranspose1d size") { ConvTranspose1d(2, 4, kernelSize: 3, stride: $1)($0, outputSize: [$1]) },
  Call("InstanceNorm1d") { InstanceNorm1d($1, affine: true, trackRunningStats: true)($0) },
  Call("RMSNorm") { RMSNorm($1)($0) }, Call("PReLU") { PReLU($1)($0) }, Call("Bilinear") { Bilinear($1, 6, 2)($0, $0) },
  Call("LocalResponseNorm") { LocalResponseNorm($1)($0) }, Call("Flatten") { Flatten(startDim: $1, endDim: $1)($0) },
  Call("Softmax") { Softmax(dim: $1)($0) }, Call("GLU") { GLU(dim: $1)($0) },
  Call("PixelShuffle") { PixelShuffle($1)($0.unsqueeze(dim: 0)) }, Call("Upsample") { Upsample(size: $1)($0) },
  Call("Embedding padding") { Embedding(3, 2, paddingIdx: $1)($0.convert(to: .i64)) },
  Call("TransformerEncoderLayer") { TransformerEncoderLayer(6, $1, dimFeedforward: 2)($0) },
  Call("TransformerEncoderLayer width") { TransformerEncoderLayer(6, 2, dimFeedforward: $1)($0) },
  Call("AdaptiveLogSoftmaxWithLoss") { AdaptiveLogSoftmaxWithLoss(6, $1, cutoffs: [1, $1]).logProb($0) },
  Call("AdaptiveLogSoftmaxWithLoss in") { AdaptiveLogSoftmaxWithLoss($1, 4, cutoffs: [2], divValue: 1).logProb($0) },
  Call("ReflectionPad1d") { ReflectionPad1d($1)($0) }, Call("ConstantPad1d") { ConstantPad1d([$1, 2], 1)($0) },
  Call("RNNCell") { RNNCell($1, 2)($0.select(dim: 0, index: 0)) },
  Call("LSTM projection") { LSTM(6, 2, projSize: $1)($0).output },
  Call("matrixPower") { Linalg.matrixPower($0.narrow(dim: 2, start: 0, length: 2), $1) },
  Call("linalg vander") { Linalg.vander($0, $1) }, Call("linalg diagonal") { Linalg.diagonal($0, offset: $1) },
  Call("linalg diagonal dim") { Linalg.diagonal($0, dim1: $1) }, Call("tensorinv") { Linalg.tensorinv($0, ind: $1) },
  Call("linalg cross") { Linalg.cross($0, $0, dim: $1) }, Call("vecdot") { Linalg.vecdot($0, $0, dim: $1) },
  Call("linalg norm") { Linalg.norm($0, dim: [$1]) },
  Call("linalg norm of axes") { Linalg.norm($0, ord: 1, dim: [$1, 1]) },
  Call("packPaddedSequence") { packPaddedSequence($0, lengths: [$1, 1]).padded },
  Call("packPaddedSequence batchFirst") { packPaddedSequence($0, lengths: [$1], batchFirst: true).data },
  Call("padPackedSequence") { padPackedSequence(packPaddedSequence($0, lengths: [1, 1]), totalLength: $1).output },
  Call("unpadSequence") { unpadSequence($0, lengths: [$1]).first as Any },
]

/// What takes a number: `x` is `f32[1,2,6]`.
private let numberCalls: [Call<Double>] = [
  Call("full") { $0.builder.full([2], $1, dtype: .i32) }, Call("full bool") { $0.builder.full([2], $1, dtype: .bool) },
  Call("arange end") { $0.builder.arange(0, $1) }, Call("arange start") { $0.builder.arange($1, 1) },
  Call("arange step") { $0.builder.arange(0, 1, step: $1) }, Call("linspace") { $0.builder.linspace($1, 1, steps: 3) },
  Call("tensor") { $0.builder.tensor([$1], dtype: .i64) }, Call("fullLike") { $0.fullLike($1, dtype: .u8) },
  Call("clamp") { $0.convert(to: .i32).clamp(min: $1) }, Call("remainder") { $0.convert(to: .i32).remainder($1) },
  Call("add") { $0.convert(to: .i64) + $1 }, Call("power") { $0.convert(to: .i64).pow($1) },
  Call("equal") { $0.convert(to: .u8) .== $1 }, Call("maskedFill") { $0.convert(to: .i32).maskedFill($0 .> 0, $1) },
  Call("indexFill") { $0.convert(to: .i32).indexFill(dim: 0, $0.builder.arange(1), $1) },
  Call("scatter value") { $0.convert(to: .i8).scatter(dim: 0, $0.convert(to: .i64), value: $1) },
  Call("pad") { pad($0.convert(to: .i32), [1, 1], value: $1) },
  Call("lpPool1d") { lpPool1d($0, normType: $1, kernelSize: 2) },
  Call("norm") { $0.norm(p: $1) }, Call("dropout") { dropout($0, p: $1) },
  Call("bernoulli") { $0.builder.bernoulli([2], p: $1) }, Call("interpolate") { interpolate($0, scaleFactor: [$1]) },
  Call("leakyRelu") { leakyRelu($0, negativeSlope: $1) }, Call("celu") { celu($0, alpha: $1) },
  Call("hardtanh") { hardtanh($0, minVal: $1, maxVal: 1) }, Call("softplus") { softplus($0, beta: $1) },
  Call("threshold") { threshold($0, $1, $1) }, Call("logit") { $0.logit(eps: $1) },
  Call("nanToNum") { $0.nanToNum(nan: $1) }, Call("std") { $0.std(correction: $1) },
  Call("layerNorm") { layerNorm($0, [6], eps: $1) }, Call("huberLoss") { huberLoss($0, $0, delta: $1) },
  Call("smoothL1Loss") { smoothL1Loss($0, $0, beta: $1) }, Call("Dropout") { Dropout($1)($0) },
  Call("Dropout1d") { Dropout1d($1)($0) }, Call("vectorNorm") { Linalg.vectorNorm($0, ord: $1, dim: [1]) },
  Call("matrixNorm") { Linalg.matrixNorm($0, ord: .order($1)) }, Call("normalize") { normalize($0, p: $1, eps: $1) },
  Call("embedding") { embedding($0.convert(to: .i64), $0.reshape([2, 6]), maxNorm: $1, normType: $1) },
  Call("BatchNorm1d") { BatchNorm1d(2, eps: $1, momentum: $1)($0) },
  Call("crossEntropy") { crossEntropy($0, $0, labelSmoothing: $1) },
  Call("pairwiseDistance") { pairwiseDistance($0, $0, p: $1) },
  Call("Upsample") { Upsample(scaleFactor: $1)($0) },
  Call("UpsamplingNearest2d") { UpsamplingNearest2d(scaleFactor: $1)($0) },
  Call("FractionalMaxPool2d") { FractionalMaxPool2d(kernelSize: 1, outputRatio: $1)($0) },
  Call("AdaptiveLogSoftmaxWithLoss") { AdaptiveLogSoftmaxWithLoss(6, 4, cutoffs: [2], divValue: $1).logProb($0) },
]

/// What takes `x`, `f32[N, C, L]` where one of the sizes is 0.
private let emptyCalls: [(name: String, build: @Sendable (Tensor) -> Any)] = [
  ("maxPool1d", { maxPool1d($0, kernelSize: 2, padding: 1, ceilMode: true) }),
  ("avgPool1d", { avgPool1d($0, kernelSize: 2, padding: 1, countIncludePad: false) }),
  ("lpPool1d", { lpPool1d($0, normType: 2, kernelSize: 2) }), ("adaptiveAvgPool1d", { adaptiveAvgPool1d($0, 4) }),
  ("adaptiveMaxPool1d", { adaptiveMaxPool1d($0, 4) }), ("adaptiveMaxPool1d kept", { adaptiveMaxPool1d($0, -1) }),
  ("maxUnpool1d", { maxUnpool1d($0, $0.convert(to: .i64), kernelSize: 2) }),
  ("interpolate", { interpolate($0, size: [3]) }), ("pad reflect", { pad($0, [1, 1], mode: .reflect) }),
  ("pad circular", { pad($0, [1, 1], mode: .circular) }), ("softmax", { softmax($0, dim: 2) }),
  ("logSoftmax", { logSoftmax($0, dim: 1) }), ("glu", { glu($0, dim: 2) }),
  ("batchNorm", { batchNorm($0) }), ("instanceNorm", { instanceNorm($0) }),
  ("groupNorm", { groupNorm($0, numGroups: 1) }),
  ("localResponseNorm", { localResponseNorm($0, size: 2) }), ("normalize", { normalize($0) }),
  ("norm", { $0.norm(p: .infinity, dim: [2]) }), ("matrixNorm", { Linalg.matrixNorm($0, ord: .order(1)) }),
  ("nuclear norm", { $0.norm(.nuclear, dim: [1, 2]) }), ("max", { $0.max(dim: 2).values }), ("amin", { $0.amin() }),
  ("median", { $0.median() }), ("sort", { $0.sort(dim: 2).values }), ("topk", { $0.topk(1).values }),
  ("mean", { $0.mean() }), ("std", { $0.std(dim: 2) }), ("logsumexp", { $0.logsumexp(dim: 2) }),
  ("cumsum", { $0.cumsum(dim: 2) }), ("cummax", { $0.cummax(dim: 2).values }), ("mseLoss", { mseLoss($0, $0) }),
  ("crossEntropy", { crossEntropy($0, $0) }), ("klDiv", { klDiv($0, $0, reduction: .batchMean) }),
  ("cosineSimilarity", { cosineSimilarity($0, $0) }), ("pairwiseDistance", { pairwiseDistance($0, $0) }),
  ("cdist", { cdist($0, $0) }),
  ("embedding", { embedding($0.convert(to: .i64), $0.builder.zeros([3, 2]), maxNorm: 1) }),
  ("conv1d", { conv1d($0, $0.builder.zeros([2, $0.shape[1].known ?? 1, 1])) }),
  ("Conv1d", { Conv1d(2, 3, kernelSize: 2)($0) }),
  ("ConvTranspose1d", { ConvTranspose1d(2, 3, kernelSize: 2)($0) }), ("Linear", { Linear(6, 2)($0) }),
  ("BatchNorm1d", { BatchNorm1d(2)($0) }), ("InstanceNorm1d", { InstanceNorm1d(2, trackRunningStats: true)($0) }),
  ("LayerNorm", { LayerNorm(6)($0) }), ("LSTM", { LSTM(6, 2)($0).output }),
  ("GRU", { GRU(6, 2, batchFirst: true)($0).output }),
  ("MultiheadAttention", { MultiheadAttention(6, 2)($0, $0, $0).output }), ("flatten", { $0.flatten(startDim: 1) }),
  ("view", { $0.view(-1, 2) }), ("split", { $0.split(2, dim: 2).count }), ("chunk", { $0.chunk(3, dim: 2).count }),
  ("pixelShuffle", { pixelShuffle($0, 2) }), ("dropout1d", { dropout1d($0) }), ("bmm", { bmm($0, $0.mT) }),
  ("argmax", { $0.argmax(dim: 2) }), ("mode", { $0.mode(dim: 2).values }), ("kthvalue", { $0.kthvalue(1).values }),
  ("quantile", { $0.quantile(0.5, dim: 2) }), ("diff", { $0.diff() }), ("roll", { $0.roll(shifts: 1, dims: 2) }),
  ("svd", { Linalg.svd($0).u }), ("svdvals", { Linalg.svdvals($0) }), ("pinv", { Linalg.pinv($0) }),
  ("lstsq", { Linalg.lstsq($0, $0, driver: .gelsd).solution }),
  ("gels", { Linalg.lstsq($0, $0, driver: .gels).solution }),
  ("matrixRank", { Linalg.matrixRank($0) }), ("qr", { Linalg.qr($0, mode: .complete).q }), ("lu", { Linalg.lu($0).p }),
  ("luUnpack", { Linalg.luUnpack($0, $0.narrow(dim: 2, start: 0, length: 0).sum(dim: 2).convert(to: .i32)).l }),
  ("cond", { Linalg.cond($0) }), ("det", { Linalg.det(matmul($0, $0.mT)) }),
  ("slogdet", { Linalg.slogdet(matmul($0, $0.mT)).sign }),
  ("matrixExp", { Linalg.matrixExp(matmul($0, $0.mT)) }), ("eigh", { Linalg.eigh(matmul($0, $0.mT)).eigenvectors }),
  ("eig", { Linalg.eig(matmul($0, $0.mT)).eigenvectors.real }), ("erfinv", { $0.erfinv() }),

  ("householderProduct", { Linalg.householderProduct($0.mT, $0.sum(dim: 2)) }),
  ("packPaddedSequence", { packPaddedSequence($0, lengths: $0.sum(dim: [0, 2]).convert(to: .i64)).padded }),
  ("padPackedSequence", { padPackedSequence(packPaddedSequence($0, lengths: [1, 1])).output }),
  ("LSTM packed", { LSTM(6, 2)(packPaddedSequence($0, lengths: $0.builder.tensor([1, 1]))).h }),
  (
    "multiLabelMarginLoss",
    { multiLabelMarginLoss($0.flatten(startDim: 0, endDim: 1), $0.flatten(startDim: 0, endDim: 1).convert(to: .i64)) }
  ),
]

/// What takes tensors that do not fit, or none.
private let otherCalls: [(name: String, build: @Sendable (Tensor) -> Any)] = [
  ("cat of nothing", { _ in cat([]) }), ("stack of nothing", { _ in stack([]) }),
  ("pointwise of nothing", { _ in Tensor.pointwise(.add, []) }),
  ("pointwise of one", { Tensor.pointwise(.add, [$0]) }), ("meshgrid of nothing", { _ in meshgrid([]).first as Any }),
  ("einsum of nothing", { _ in einsum("ij->i", []) }), ("einsum of no equation", { einsum("", $0) }),
  ("empty kernel", { maxPool1d($0, kernelSize: [Int]()) }), ("empty stride", { conv1d($0, $0, stride: [Int]()) }),
  ("empty view", { $0.view([Int]()) }), ("empty permutation", { $0.permute(dims: []) }),
  ("pieces of a faulty tensor", { $0.view(5).split(2)[7] }), ("rows of a faulty tensor", { $0.view(5).unbind()[1] }),
  ("parts of a faulty tensor", { $0.view(5).chunk(3)[2] }),
  ("Conv1d without kernel", { Conv1d(2, 3, kernelSize: [Int]())($0) }),
  ("gradients of integers", { gradients(of: $0.convert(to: .i32).sum(), withRespectTo: [$0]).first as Any }),
  ("gradients of nothing", { gradients(of: $0.sum(), withRespectTo: []).count }),
  ("crossEntropy of ranks", { crossEntropy($0, $0) }), ("matmul of scalars", { matmul($0.sum(), $0.sum()) }),
  ("inverse of a scalar", { Linalg.inv($0.sum()) }),
  ("determinant of a row", { Linalg.det($0.select(dim: 0, index: 0).select(dim: 0, index: 0)) }),
  ("singular values of integers", { Linalg.svdvals($0.convert(to: .i32)) }),
  ("eigh of no square", { Linalg.eigh($0).eigenvalues }),
  ("eig of a scalar", { eig($0.sum()).eigenvalues }),
  ("lstsq of scalars", { Linalg.lstsq($0.sum(), $0.sum()).solution }),
  ("lstsq of sizes", { Linalg.lstsq($0, $0.mT).solution }), ("solve of scalars", { Linalg.solve($0.sum(), $0.sum()) }),
  ("solve of sizes", { Linalg.solve(matmul($0.mT, $0), $0) }),
  ("solveTriangular of scalars", { Linalg.solveTriangular($0.sum(), $0, upper: true) }),
  ("luSolve of sizes", { Linalg.luSolve($0, $0.convert(to: .i32), $0) }),
  ("luSolve of scalars", { Linalg.luSolve($0.sum(), $0.sum().convert(to: .i32), $0) }),
  ("luUnpack of scalars", { Linalg.luUnpack($0.sum(), $0.sum().convert(to: .i32)).p }),
  ("householderProduct of sizes", { Linalg.householderProduct($0, $0) }),
  ("householderProduct of scalars", { Linalg.householderProduct($0.sum(), $0) }),
  ("multiDot of nothing", { _ in Linalg.multiDot([]) }), ("multiDot of ranks", { Linalg.multiDot([$0, $0]) }),
  ("tensorsolve of ranks", { Linalg.tensorsolve($0, $0) }), ("cross of sizes", { Linalg.cross($0, $0) }),
  ("norm of three axes", { Linalg.norm($0, ord: 2) }), ("norm of a scalar", { Linalg.norm($0.sum(), ord: .nuclear) }),
  ("choleskySolve of scalars", { choleskySolve($0.sum(), $0.sum()) }),
  ("choleskyInverse of scalars", { choleskyInverse($0.sum()) }), ("vander of a scalar", { Linalg.vander($0.sum()) }),
  ("padSequence of nothing", { _ in padSequence([]) }), ("padSequence of scalars", { padSequence([$0.sum()]) }),
  ("packSequence of nothing", { _ in packSequence([]).padded }),
  ("packSequence of scalars", { packSequence([$0.sum()]).padded }),
  ("packed without lengths", { packPaddedSequence($0, lengths: []).data }),
  ("packed scalar", { packPaddedSequence($0.sum(), lengths: [1]).padded }),
  ("packed data of no lengths", { packPaddedSequence($0, lengths: $0.builder.tensor([1, 1])).data }),
  ("packed of wrong lengths", { packPaddedSequence($0, lengths: $0).padded }),
  (
    "unpacked of no lengths",
    { unpackSequence(packPaddedSequence($0, lengths: $0.builder.tensor([1, 1]))).first as Any }
  ),
  ("a sequence of a faulty pack", { unpackSequence(packPaddedSequence($0, lengths: [9]))[3] }),
  ("a sequence that is not there", { unpackSequence(packPaddedSequence($0, lengths: [1, 1]))[2] }),
  ("unpadded scalar", { unpadSequence($0.sum(), lengths: [1]).first as Any }),
  (
    "a tensor of another trace",
    {
      _ = $0; return Builder().input("y", .f32(2)) + $0
    }
  ),
]

@Suite("Calls with bad arguments throw or are valid, they never trap")
struct HostileCallTests {
  /// Traces a call; what is wrong must be said.
  ///
  /// - Parameter place: Where the call counts as being; by default the place is found in the stack, which takes long.
  /// - Returns: The graph, where nothing is wrong.
  @discardableResult
  private func check(
    _ name: String, at place: Location? = nil, _ shape: [Int] = [1, 2, 6], _ build: (Tensor) -> Any
  ) -> Graph? {
    do throws(DiagnosticsError) {
      return try trace(TensorType(.f32, shape), options: TraceOptions()) { x -> Tensor in
        let result = place.map { x.builder.at($0) { build(x) } } ?? build(x)
        return result as? Tensor ?? x
      }
    } catch {
      #expect(!error.diagnostics.isEmpty)
      for diagnostic in error.diagnostics {
        let file = diagnostic.location.file ?? "nowhere"
        #expect(file.hasSuffix("HostileCallTests.swift"), "\(name): \(diagnostic.message), at \(file)")
      }
      return nil
    }
  }

  private static let here = Location(file: "HostileCallTests.swift", line: 1)

  @Test(arguments: integerCalls.map(\.name)) func integer(_ name: String) throws {
    let call = try #require(integerCalls.first { $0.name == name })
    for integer in integers { check("\(name) of \(integer)", at: Self.here) { call.build($0, integer) } }
  }

  @Test(arguments: numberCalls.map(\.name)) func number(_ name: String) throws {
    let call = try #require(numberCalls.first { $0.name == name })
    for number in numbers { check("\(name) of \(number)", at: Self.here) { call.build($0, number) } }
  }

  @Test(arguments: otherCalls.map(\.name)) func other(_ name: String) throws {
    let call = try #require(otherCalls.first { $0.name == name })
    check(name) { call.build($0) }
  }

  @Test("what is empty is valid or a diagnostic, and what is valid can be run", arguments: emptyCalls.map(\.name))
  func empty(_ name: String) throws {
    let call = try #require(emptyCalls.first { $0.name == name })
    for shape in [[0, 2, 6], [1, 0, 6], [1, 2, 0], [0, 0, 0]] {
      guard let graph = check("\(name) of \(shape)", at: Self.here, shape, call.build) else { continue }
      let results = try ReferenceEvaluator.run(graph, inputs: ["input": NDArray.zeros(.f32, shape)]).outputs
      #expect(results["output"]?.type == graph.type(of: graph.outputs[0].value), "\(name) of \(shape)")
    }
  }

  @Test func arraysCheckWhatTheyAreGiven() throws {
    let two = NDArray([1.0, 2])
    #expect(throws: DiagnosticsError.self) { _ = try two[5] }
    #expect(throws: DiagnosticsError.self) { _ = try two[-1] }
    for shape in [[3], [-1, -2], [.max, .max, 2], [-1], []] {
      #expect(throws: DiagnosticsError.self) { _ = try NDArray([1.0, 2], shape: shape) }
      #expect(throws: DiagnosticsError.self) { _ = try NDArray(dtype: .f32, shape: shape, bytes: [0, 0]) }
      #expect(throws: DiagnosticsError.self) { _ = try two.reshaped(shape) }
    }
    for shape in [[-1], [1 << 40, 1 << 40], [.max]] {
      #expect(throws: DiagnosticsError.self) { _ = try NDArray.zeros(.f32, shape) }
    }
  }
}
