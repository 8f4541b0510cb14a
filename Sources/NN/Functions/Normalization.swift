public import LatheCore

/// The result of a batch or instance normalization that uses the batch's own statistics.
public struct BatchNormResult: Sendable {
  /// The output, of the batch's own statistics.
  public let output: Tensor
  /// The running averages of the mean after this batch.
  public let runningMean: Tensor
  /// The running averages of the variance, with Bessel's correction.
  public let runningVar: Tensor
}

/// Normalizes every channel (axis 1) by given statistics.
public func batchNorm(
  _ x: Tensor, _ runningMean: Tensor, _ runningVar: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  eps: Double = 1e-5
) -> Tensor {
  normalized("batchNorm", x, runningMean, runningVar, weight, bias, eps)
}

private func normalized(
  _ name: String, _ x: Tensor, _ runningMean: Tensor, _ runningVar: Tensor, _ weight: Tensor?, _ bias: Tensor?,
  _ eps: Double
) -> Tensor {
  composite(name, [x, runningMean, runningVar, weight, bias]) { () throws(TypeFault) -> Tensor in
    try requireChannels(x, [runningMean, runningVar, weight, bias])
    let scale = (runningVar + eps).rsqrt()
    return affine((x - x.perChannel(runningMean)) * x.perChannel(scale), x, weight, bias)
  }
}

/// Normalizes every channel (axis 1) by the mean and variance of the batch, and moves running averages towards them.
///
/// - Parameter momentum: The share of the batch in the averages; the variance enters them with Bessel's correction.
public func batchNormTraining(
  _ x: Tensor, _ runningMean: Tensor, _ runningVar: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  momentum: Double = 0.1, eps: Double = 1e-5
) -> BatchNormResult {
  training("batchNorm", x, x.shape.indices.filter { $0 != 1 }, runningMean, runningVar, weight, bias, momentum, eps)
}

/// Normalizes every channel of every sample by its own mean and variance, and moves running averages, one for each
/// channel, towards those of the samples.
///
/// - Parameter momentum: The share of the batch in the averages; the variances enter them with Bessel's correction.
public func instanceNormTraining(
  _ x: Tensor, _ runningMean: Tensor, _ runningVar: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  momentum: Double = 0.1, eps: Double = 1e-5
) -> BatchNormResult {
  training("instanceNorm", x, Array(x.shape.indices.dropFirst(2)), runningMean, runningVar, weight, bias, momentum, eps)
}

private func training(
  _ name: String, _ x: Tensor, _ axes: [Int], _ runningMean: Tensor, _ runningVar: Tensor, _ weight: Tensor?,
  _ bias: Tensor?, _ momentum: Double, _ eps: Double
) -> BatchNormResult {
  let operands = [x, runningMean, runningVar, weight, bias]
  let results = composite(name, operands, count: 3) { () throws(TypeFault) -> [Tensor] in
    try requireChannels(x, [runningMean, runningVar, weight, bias])
    var count = 1
    for axis in axes { count *= try x.knownSize(axis) }
    guard count > 1 else {
      throw TypeFault("one value for each channel of \(x.type) has no variance", help: "train with larger batches")
    }
    var (output, mean, variance) = standardized(x, axes: axes, eps: eps)
    if mean.rank == 2 { (mean, variance) = (mean.mean(dim: 0), variance.mean(dim: 0)) }
    let unbiased = variance * (Double(count) / Double(count - 1))
    return [
      affine(output, x, weight, bias), runningMean * (1 - momentum) + mean.detach() * momentum,
      runningVar * (1 - momentum) + unbiased.detach() * momentum,
    ]
  }
  return BatchNormResult(output: results[0], runningMean: results[1], runningVar: results[2])
}

/// Normalizes every channel by the statistics of the batch alone.
public func batchNorm(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  composite("batchNorm", [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try requireChannels(x, [weight, bias])
    let (output, _, _) = standardized(x, axes: x.shape.indices.filter { $0 != 1 }, eps: eps)
    return affine(output, x, weight, bias)
  }
}

/// Normalizes the last axes, whose shape is given, of every element.
public func layerNorm(
  _ x: Tensor, _ normalizedShape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  composite("layerNorm", [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    let axes = try normalizedAxes(x, normalizedShape, [weight, bias])
    var (y, _, _) = standardized(x, axes: axes, eps: eps)
    if let weight { y = y * weight }
    if let bias { y = y + bias }
    return y
  }
}

/// Divides by the root of the mean square over the last axes, whose shape is given.
///
/// - Parameter eps: By default the machine epsilon of the element type, as in PyTorch.
public func rmsNorm(_ x: Tensor, _ normalizedShape: [Int], weight: Tensor? = nil, eps: Double? = nil) -> Tensor {
  composite("rmsNorm", [x, weight]) { () throws(TypeFault) -> Tensor in
    let axes = try normalizedAxes(x, normalizedShape, [weight])
    let wide = x.wide
    let epsilon = eps ?? x.dtype.computeEpsilon
    let mean = (wide * wide).mean(dim: axes, keepdim: true)
    let y = (wide * (mean + epsilon).rsqrt()).convert(to: x.dtype)
    return weight.map { y * $0 } ?? y
  }
}

private func normalizedAxes(_ x: Tensor, _ shape: [Int], _ scales: [Tensor?]) throws(TypeFault) -> [Int] {
  try x.requireFloat("the input")
  let wanted = shape.map { Dim($0) }
  guard !shape.isEmpty, x.rank >= shape.count, Array(x.shape.suffix(shape.count)) == wanted else {
    throw TypeFault("the last axes of \(x.type) are not the normalized shape \(wanted.text)")
  }
  for case let scale? in scales where scale.shape != wanted {
    throw TypeFault("a weight or bias is \(scale.type), needs shape \(wanted.text)")
  }
  return Array((x.rank - shape.count)..<x.rank)
}

/// Normalizes groups of channels of every sample.
public func groupNorm(
  _ x: Tensor, numGroups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
) -> Tensor {
  composite("groupNorm", [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try requireChannels(x, [weight, bias])
    guard numGroups > 0, let inner = x.shape[1].divided(exactlyBy: Dim(numGroups)) else {
      throw TypeFault("\(x.shape[1]) channels do not divide into \(numGroups) groups")
    }
    let grouped = x.reshape([x.shape[0], Dim(numGroups), inner] + x.shape[2...])
    let (y, _, _) = standardized(grouped, axes: Array(2..<grouped.rank), eps: eps)
    return affine(y.reshape(x.shape), x, weight, bias)
  }
}

/// Normalizes every channel of every sample by given statistics, one for each channel.
public func instanceNorm(
  _ x: Tensor, _ runningMean: Tensor, _ runningVar: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  eps: Double = 1e-5
) -> Tensor {
  normalized("instanceNorm", x, runningMean, runningVar, weight, bias, eps)
}

/// Normalizes every channel of every sample.
public func instanceNorm(_ x: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
  composite("instanceNorm", [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try requireChannels(x, [weight, bias])
    guard x.rank > 2 else { throw TypeFault("the input \(x.type) has no axes besides batch and channels") }
    let (y, _, _) = standardized(x, axes: Array(2..<x.rank), eps: eps)
    return affine(y, x, weight, bias)
  }
}

/// Divides by a power of the sum of squares over neighbouring channels.
public func localResponseNorm(
  _ x: Tensor, size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1
) -> Tensor {
  composite("localResponseNorm", [x]) { () throws(TypeFault) -> Tensor in
    guard x.rank >= 3, size > 0 else { throw TypeFault("\(x.type) with windows of \(size) channels") }
    // The window slides over the channels; the other axes keep windows of one.
    let spatial = x.rank - 1
    var window = WindowShape(
      size: Array(repeating: 1, count: spatial), stride: Array(repeating: 1, count: spatial),
      low: Array(repeating: 0, count: spatial), high: Array(repeating: 0, count: spatial))
    window.size[0] = size
    window.low[0] = size / 2
    window.high[0] = (size - 1) / 2
    let sums = (x * x).windowReduce(.sum, window)
    let scale = sums * (alpha / Double(size)) + k
    // What is never negative has roots, which cost less than a power.
    if beta == 0.75, alpha >= 0, k >= 0 { return x / (scale.sqrt() * scale.sqrt().sqrt()) }
    return x / scale.pow(beta)
  }
}

/// Divides by the `p`-norm along axes, at least `eps`.
public func normalize(_ x: Tensor, p: Double = 2, dim: Int = 1, eps: Double = 1e-12) -> Tensor {
  composite("normalize", [x]) { x / x.norm(p: p, dim: dim, keepdim: true).clamp(min: eps) }
}

/// `x` with mean 0 and variance 1 over axes, and the mean and (biased) variance without those axes.
private func standardized(_ x: Tensor, axes: [Int], eps: Double) -> (output: Tensor, mean: Tensor, variance: Tensor) {
  let wide = x.wide
  let mean = wide.mean(dim: axes, keepdim: true)
  let centred = wide - mean
  let variance = (centred * centred).mean(dim: axes, keepdim: true)
  let output = (centred * (variance + eps).rsqrt()).convert(to: x.dtype)
  return (output, mean.squeeze(dim: axes), variance.squeeze(dim: axes))
}

/// Scales and shifts every channel.
private func affine(_ y: Tensor, _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?) -> Tensor {
  var y = y
  if let weight { y = y * x.perChannel(weight) }
  if let bias { y = y + x.perChannel(bias) }
  return y
}

extension Tensor {
  /// A vector over the channels (axis 1) in a shape that broadcasts with this tensor.
  fileprivate func perChannel(_ vector: Tensor) -> Tensor {
    vector.reshape([shape[1]] + [Dim](repeating: 1, count: rank - 2))
  }
}

private func requireChannels(_ x: Tensor, _ vectors: [Tensor?]) throws(TypeFault) {
  try x.requireFloat("the input")
  guard x.rank >= 2 else { throw TypeFault("the input \(x.type) has no channels (axis 1)") }
  for case let vector? in vectors where vector.shape != [x.shape[1]] {
    throw TypeFault(
      "the input has \(x.shape[1]) channels (axis 1 of \(x.type)), statistics or weights are \(vector.type)",
      help: "use a layer for \(x.shape[1]) channels")
  }
}
