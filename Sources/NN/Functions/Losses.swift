public import LatheCore

/// How the losses of single elements become one.
public enum Reduction: String, Sendable {
  /// All losses, or their mean or sum.
  case none, mean, sum
}

/// Loss functions, as `torch.nn.functional` names them.
///
/// Source: https://pytorch.org/docs/stable/nn.functional.html#loss-functions

private func reduced(_ loss: Tensor, _ reduction: Reduction) -> Tensor {
  switch reduction {
  case .none: loss
  case .mean: loss.mean()
  case .sum: loss.sum()
  }
}

/// Input and target of one shape, or shapes that broadcast.
private func elementwise(
  _ name: String, _ input: Tensor, _ target: Tensor, _ others: [Tensor?] = [], reduction: Reduction,
  _ body: (_ x: Tensor, _ y: Tensor) throws(TypeFault) -> Tensor
) -> Tensor {
  composite(name, [input, target] + others) { () throws(TypeFault) -> Tensor in
    try input.requireFloat("the input")
    guard target.shape == input.shape else {
      throw TypeFault(
        "the input is \(input.type), the target \(target.type)", help: "bring both to one shape, e.g. with expand")
    }
    let x = input.withoutAutocast
    return reduced(try body(x, target.convert(to: target.dtype.isFloat ? target.dtype : x.dtype)), reduction)
  }
}

/// As `elementwise`, of errors that are weighed; their mean is over the weights.
private func weighed(
  _ name: String, _ input: Tensor, _ target: Tensor, _ weight: Tensor?, _ reduction: Reduction,
  _ errors: (_ x: Tensor, _ y: Tensor) -> Tensor
) -> Tensor {
  guard let weight else { return elementwise(name, input, target, reduction: reduction) { errors($0, $1) } }
  let isMean = reduction == .mean
  return elementwise(name, input, target, [weight], reduction: isMean ? .sum : reduction) {
    (x, y) throws(TypeFault) -> Tensor in
    let losses = try weighed(errors(x, y), weight)
    return isMean ? losses / weight.sum() : losses
  }
}

private func weighed(_ losses: Tensor, _ weight: Tensor) throws(TypeFault) -> Tensor {
  guard weight.shape == losses.shape else { throw TypeFault("the weight is \(weight.type), the input \(losses.type)") }
  return losses * weight
}

/// The mean of squared differences.
///
/// - Parameter weight: Of each element; the mean is the weighed sum over the sum of weights then.
public func mseLoss(
  _ input: Tensor, _ target: Tensor, reduction: Reduction = .mean, weight: Tensor? = nil
) -> Tensor {
  weighed("mseLoss", input, target, weight, reduction) { x, y in (x - y) * (x - y) }
}

/// The mean of absolute differences.
///
/// - Parameter weight: Of each element; the mean is the weighed sum over the sum of weights then.
public func l1Loss(
  _ input: Tensor, _ target: Tensor, reduction: Reduction = .mean, weight: Tensor? = nil
) -> Tensor {
  weighed("l1Loss", input, target, weight, reduction) { x, y in (x - y).abs() }
}

/// Squares below `beta`, absolute differences above, joined smoothly: `huberLoss / beta`.
public func smoothL1Loss(
  _ input: Tensor, _ target: Tensor, reduction: Reduction = .mean, beta: Double = 1
) -> Tensor {
  elementwise("smoothL1Loss", input, target, reduction: reduction) { (x, y) throws(TypeFault) -> Tensor in
    guard beta >= 0 else { throw TypeFault("beta is \(beta)") }
    let distance = (x - y).abs()
    if beta == 0 { return distance }
    return (distance .< beta).select(distance * distance * (0.5 / beta), distance - 0.5 * beta)
  }
}

/// Half squares below `delta`, absolute differences above, joined smoothly.
///
/// - Parameter weight: Of each element; unlike `mseLoss` and `l1Loss`, and as in PyTorch, the mean counts elements.
public func huberLoss(
  _ input: Tensor, _ target: Tensor, reduction: Reduction = .mean, delta: Double = 1, weight: Tensor? = nil
) -> Tensor {
  elementwise("huberLoss", input, target, [weight], reduction: reduction) { (x, y) throws(TypeFault) -> Tensor in
    guard delta > 0 else { throw TypeFault("delta is \(delta)") }
    let distance = (x - y).abs()
    let loss = (distance .<= delta).select(distance * distance * 0.5, (distance - 0.5 * delta) * delta)
    return try weight.map { (weight) throws(TypeFault) -> Tensor in try weighed(loss, weight) } ?? loss
  }
}

/// The cross entropy of probabilities: logarithms are limited to -100, as in PyTorch.
public func binaryCrossEntropy(
  _ input: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  elementwise("binaryCrossEntropy", input, target, [weight], reduction: reduction) { x, y in
    func logarithms(_ x: Tensor) -> Tensor {
      -(y * x.log().clamp(min: -100) + (1 - y) * (-x).log1p().clamp(min: -100))
    }
    // Where x (1 - x) is next to nothing, the slope in x is PyTorch's, (x - y) / 1e-12, and constant.
    let isSaturated = (1 - x) * x .< 1e-12
    let point = x.detach()
    let saturated = logarithms(point) + (point - y) / 1e-12 * (x - point)
    let loss = isSaturated.select(saturated, logarithms(isSaturated.select(x.fullLike(0.5), x)))
    return weight.map { loss * $0 } ?? loss
  }
}

/// The cross entropy of `sigmoid(input)`, without overflow.
public func binaryCrossEntropyWithLogits(
  _ input: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean, posWeight: Tensor? = nil
) -> Tensor {
  elementwise("binaryCrossEntropyWithLogits", input, target, [weight, posWeight], reduction: reduction) { x, y in
    var loss: Tensor
    if let posWeight {
      loss = (1 - y) * x - (1 + (posWeight - 1) * y) * logsigmoid(x)
    } else {
      loss = (1 - y) * x - logsigmoid(x)
    }
    if let weight { loss = loss * weight }
    return loss
  }
}

/// Minus the log-probabilities of the target classes, which are axis 1 of the input (axis 0 without batch).
///
/// - Parameters:
///   - weight: One for each class; `.mean` divides by the weights of the targets.
///   - ignoreIndex: A target that takes no part.
public func nllLoss(
  _ input: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean
) -> Tensor {
  composite("nllLoss", [input, target, weight]) { () throws(TypeFault) -> Tensor in
    let axis = try requireClasses(input, target, weight)
    return try classLoss(input, input.zerosLike(), target, weight, axis, ignoreIndex, reduction, labelSmoothing: 0)
  }
}

/// The cross entropy of `softmax(input)` with the target.
///
/// Targets are class indices (integers), or probabilities (floats in the
/// input's shape). Classes are axis 1 of the input, or axis 0 without batch.
///
/// - Parameters:
///   - weight: One for each class; with indices, `.mean` divides by the weights of the targets.
///   - ignoreIndex: A target index that takes no part.
///   - labelSmoothing: The share of the uniform distribution in the target.
public func crossEntropy(
  _ input: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean,
  labelSmoothing: Double = 0
) -> Tensor {
  composite("crossEntropy", [input, target, weight]) { () throws(TypeFault) -> Tensor in
    let input = input.withoutAutocast
    try input.requireFloat("the input")
    guard (0...1).contains(labelSmoothing) else { throw TypeFault("labelSmoothing \(labelSmoothing) is not in 0...1") }
    guard input.rank >= 1 else { throw TypeFault("the input \(input.type) has no classes") }
    if target.dtype.isFloat {
      guard target.shape == input.shape else {
        throw TypeFault(
          "the target probabilities are \(target.type), the input \(input.type)", help: "give both one shape")
      }
      let axis = input.rank == 1 ? 0 : 1
      let classes = Double(try input.knownSize(axis))
      let smooth = labelSmoothing == 0 ? target : target * (1 - labelSmoothing) + labelSmoothing / classes
      var terms = logSoftmax(input, dim: axis) * smooth
      if let weight { terms = terms * (try perClass(weight, input, axis)) }
      return reduced(-terms.sum(dim: axis), reduction)
    }
    let axis = try requireClasses(input, target, weight)
    let logarithms = logSoftmax(input, dim: axis)
    return try classLoss(
      logarithms, logarithms, target, weight, axis, ignoreIndex, reduction, labelSmoothing: labelSmoothing)
  }
}

/// `crossEntropy` without options, in the form that `trainingStep` takes as its loss.
public func crossEntropy(_ input: Tensor, _ target: Tensor) -> Tensor { crossEntropy(input, target, reduction: .mean) }

/// `mseLoss` without options, in the form that `trainingStep` takes as its loss.
public func mseLoss(_ input: Tensor, _ target: Tensor) -> Tensor { mseLoss(input, target, reduction: .mean) }

private func requireClasses(_ input: Tensor, _ target: Tensor, _ weight: Tensor?) throws(TypeFault) -> Int {
  try input.requireFloat("the input")
  guard input.rank >= 1 else { throw TypeFault("the input \(input.type) has no classes") }
  guard target.dtype.isInteger else {
    throw TypeFault("the target \(target.type) holds no class indices", help: "convert it to i64")
  }
  let axis = input.rank == 1 ? 0 : 1
  var wanted = input.shape
  wanted.remove(at: axis)
  guard target.shape == wanted else {
    throw TypeFault(
      "the input \(input.type) has classes on axis \(axis), "
        + "so the target needs shape \(wanted.text), given \(target.type)",
      help: target.shape == input.shape ? "for probabilities convert the target to floats" : nil)
  }
  if let weight, weight.shape != [input.shape[axis]] {
    throw TypeFault("the weight is \(weight.type), the input has \(input.shape[axis]) classes")
  }
  return axis
}

/// A vector over the classes in a shape that broadcasts with the input.
private func perClass(_ weight: Tensor, _ input: Tensor, _ axis: Int) throws(TypeFault) -> Tensor {
  guard weight.shape == [input.shape[axis]] else {
    throw TypeFault("the weight is \(weight.type), the input has \(input.shape[axis]) classes")
  }
  return weight.reshape([input.shape[axis]] + [Dim](repeating: 1, count: input.rank - 1 - axis))
}

/// The loss of class indices: picks log-probabilities, weighs, leaves out ignored ones.
private func classLoss(
  _ logarithms: Tensor, _ all: Tensor, _ target: Tensor, _ weight: Tensor?, _ axis: Int, _ ignoreIndex: Int,
  _ reduction: Reduction, labelSmoothing: Double
) throws(TypeFault) -> Tensor {
  let counts = target .!= ignoreIndex
  // An ignored index may lie anywhere: class 0 stands in, and its loss is left out.
  let safe = counts.select(target, target.zerosLike())
  let zero = try logarithms.number(0)
  func picked(_ tensor: Tensor) -> Tensor {
    tensor.gatherAlong(axis: axis, indices: safe.unsqueeze(dim: axis)).squeeze(dim: axis)
  }
  var losses = -picked(logarithms)
  var weights = try target.checked().fullLike(1, dtype: logarithms.dtype)
  if let weight {
    weights = weight.convert(to: logarithms.dtype).take(dim: 0, safe)
    losses = losses * weights
  }
  losses = counts.select(losses, zero)
  weights = counts.select(weights, zero)
  let total = weights.sum()
  func joined(_ losses: Tensor) -> Tensor { reduction == .mean ? losses.sum() / total : reduced(losses, reduction) }
  guard labelSmoothing > 0 else { return joined(losses) }
  let weighted =
    try weight.map { (weight) throws(TypeFault) -> Tensor in all * (try perClass(weight, all, axis)) } ?? all
  let smooth = counts.select(-weighted.sum(dim: axis), zero)
  let share = labelSmoothing / Double(try all.knownSize(axis))
  return joined(losses) * (1 - labelSmoothing) + joined(smooth) * share
}

/// The divergence of log-probabilities `input` from `target`: `target * (log(target) - input)`.
public func klDiv(
  _ input: Tensor, _ target: Tensor, reduction: KLReduction = .mean, logTarget: Bool = false
) -> Tensor {
  composite("klDiv", [input, target]) { () throws(TypeFault) -> Tensor in
    guard input.shape == target.shape else { throw TypeFault("the input is \(input.type), the target \(target.type)") }
    let losses = logTarget ? target.exp() * (target - input) : target.xlogy(target) - target * input
    switch reduction {
    case .none: return losses
    case .sum: return losses.sum()
    case .mean: return losses.mean()
    case .batchMean:
      guard input.rank > 0 else { throw TypeFault("the input \(input.type) has no batch") }
      return losses.sum() / Double(try input.knownSize(0))
    }
  }
}

/// How the terms of `klDiv` become one; `batchMean` divides by the batch, as the definition asks.
public enum KLReduction: String, Sendable {
  /// All losses, or their mean, sum, or sum by the number of samples.
  case none, mean, sum, batchMean
}

/// Minus the log-likelihood of Poisson's distribution.
public func poissonNllLoss(
  _ input: Tensor, _ target: Tensor, logInput: Bool = true, full: Bool = false, eps: Double = 1e-8,
  reduction: Reduction = .mean
) -> Tensor {
  elementwise("poissonNllLoss", input, target, reduction: reduction) { x, y in
    let loss = logInput ? x.exp() - y * x : x - y * (x + eps).log()
    guard full else { return loss }
    let stirling = y * (y.clamp(min: 1)).log() - y + (y.clamp(min: 1) * (2 * Double.pi)).log() * 0.5
    return loss + (y .> 1).select(stirling, stirling.zerosLike())
  }
}

/// Minus the log-likelihood of a normal distribution with a variance for each element, at least `eps`.
public func gaussianNllLoss(
  _ input: Tensor, _ target: Tensor, _ variance: Tensor, full: Bool = false, eps: Double = 1e-6,
  reduction: Reduction = .mean
) -> Tensor {
  elementwise("gaussianNllLoss", input, target, [variance], reduction: reduction) {
    (x, y) throws(TypeFault) -> Tensor in
    try requireBroadcast(variance, to: x.shape, "the variance")
    // The limit takes no part in the gradient, as in PyTorch.
    let bounded = variance + (variance.detach().clamp(min: eps) - variance.detach())
    let loss = (bounded.log() + (x - y) * (x - y) / bounded) * 0.5
    return full ? loss + 0.918_938_533_204_672_7 : loss
  }
}

/// `max(0, -target * (a - b) + margin)`, target 1 or -1.
public func marginRankingLoss(
  _ a: Tensor, _ b: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  composite("marginRankingLoss", [a, b, target]) { reduced((-target * (a - b) + margin).clamp(min: 0), reduction) }
}

/// `x` where the target is 1, `max(0, margin - x)` where it is -1.
public func hingeEmbeddingLoss(
  _ input: Tensor, _ target: Tensor, margin: Double = 1, reduction: Reduction = .mean
) -> Tensor {
  elementwise("hingeEmbeddingLoss", input, target, reduction: reduction) { x, y in
    let zero = x.zerosLike()
    return (y .!= 1).select((margin - x).clamp(min: 0), zero) + (y .!= -1).select(x, zero)
  }
}

/// `log(1 + exp(-target * input))`, target 1 or -1.
public func softMarginLoss(_ input: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  elementwise("softMarginLoss", input, target, reduction: reduction) { x, y in -logsigmoid(y * x) }
}

/// `1 - cos(a, b)` where the target is 1, `max(0, cos(a, b) - margin)` where it is -1.
public func cosineEmbeddingLoss(
  _ a: Tensor, _ b: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  composite("cosineEmbeddingLoss", [a, b, target]) {
    // PyTorch adds its epsilon to the squares here, unlike cosineSimilarity.
    let squares = ((a * a).sum(dim: -1) + 1e-12) * ((b * b).sum(dim: -1) + 1e-12)
    let cosine = (a * b).sum(dim: -1) / squares.sqrt()
    let zero = cosine.zerosLike()
    let losses =
      (target .== 1).select(1 - cosine, zero) + (target .== -1).select((cosine - margin).clamp(min: 0), zero)
    return reduced(losses, reduction)
  }
}

/// The cosine of the angle between vectors along an axis.
public func cosineSimilarity(_ a: Tensor, _ b: Tensor, dim: Int = 1, eps: Double = 1e-8) -> Tensor {
  composite("cosineSimilarity", [a, b]) {
    // Norms are those of what both are broadcast to, also along the axis itself.
    let operands = broadcastTensors([a, b])
    let (a, b) = (operands[0], operands[1])
    let product = (a * b).sum(dim: dim)
    let (left, right) = (a.norm(dim: dim).clamp(min: eps), b.norm(dim: dim).clamp(min: eps))
    return product / (left * right)
  }
}

/// The `p`-norm of `a - b + eps` along the last axis.
public func pairwiseDistance(
  _ a: Tensor, _ b: Tensor, p: Double = 2, eps: Double = 1e-6, keepdim: Bool = false
) -> Tensor {
  composite("pairwiseDistance", [a, b]) { (a - b + eps).norm(p: p, dim: -1, keepdim: keepdim) }
}

/// `max(0, d(anchor, positive) - d(anchor, negative) + margin)`.
///
/// - Parameter swap: Whether `d(positive, negative)` counts instead where it is less.
public func tripletMarginLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, margin: Double = 1, p: Double = 2, eps: Double = 1e-6,
  swap: Bool = false, reduction: Reduction = .mean
) -> Tensor {
  composite("tripletMarginLoss", [anchor, positive, negative]) {
    let near = pairwiseDistance(anchor, positive, p: p, eps: eps)
    var far = pairwiseDistance(anchor, negative, p: p, eps: eps)
    if swap { far = far.minimum(pairwiseDistance(positive, negative, p: p, eps: eps)) }
    return reduced((near - far + margin).clamp(min: 0), reduction)
  }
}

/// The hinge of every wrong class against the target class: `sum max(0, margin - x[y] + x[j])^p / C`.
public func multiMarginLoss(
  _ input: Tensor, _ target: Tensor, p: Int = 1, margin: Double = 1, weight: Tensor? = nil,
  reduction: Reduction = .mean
) -> Tensor {
  composite("multiMarginLoss", [input, target, weight]) { () throws(TypeFault) -> Tensor in
    let axis = try requireClasses(input, target, weight)
    try input.requireRank(1...2, "the input")
    guard p == 1 || p == 2 else { throw TypeFault("p is \(p)", help: "only p == 1 and p == 2 are supported") }
    let index = target.unsqueeze(dim: axis)
    let own = input.gatherAlong(axis: axis, indices: index)
    var terms = (input - own + margin).clamp(min: 0)
    if p == 2 { terms = terms * terms }
    if let weight { terms = terms * weight.take(dim: 0, index) }
    let place = input.builder.iota(TensorType(.i64, input.shape), axis: axis)
    terms = (place .== index).select(terms.zerosLike(), terms)
    return reduced(terms.sum(dim: axis) / Double(try input.knownSize(axis)), reduction)
  }
}

/// The mean over classes of the cross entropy of `sigmoid(input)`.
public func multiLabelSoftMarginLoss(
  _ input: Tensor, _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  elementwise("multiLabelSoftMarginLoss", input, target, [weight], reduction: reduction) {
    (x, y) throws(TypeFault) -> Tensor in
    var terms = -(y * logsigmoid(x) + (1 - y) * logsigmoid(-x))
    if let weight { terms = terms * weight }
    return terms.mean(dim: -1)
  }
}

/// The hinge of every wrong class against every target class; targets end at the first -1.
public func multiLabelMarginLoss(_ input: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  composite("multiLabelMarginLoss", [input, target]) { () throws(TypeFault) -> Tensor in
    try input.requireRank(1...2, "the input")
    guard target.shape == input.shape, target.dtype.isInteger else {
      throw TypeFault("the target is \(target.type), needs integers in shape \(input.shape.text)")
    }
    let axis = input.rank - 1
    // Targets count as long as no -1 came before.
    let counts = (target .< 0).cumulative(.max, axis: axis).logicalNot()
    let safe = counts.select(target, target.zerosLike())
    let hits = input.zerosLike().scatterAlong(
      axis: axis, indices: safe, updates: counts.convert(to: input.dtype), combiner: .max)
    let own = input.gatherAlong(axis: axis, indices: safe).unsqueeze(dim: -1)
    let others = input.unsqueeze(dim: -2)
    let pairs = counts.unsqueeze(dim: -1) .& (hits.unsqueeze(dim: -2) .== 0)
    let terms = (1 - (own - others)).clamp(min: 0)
    let sums = pairs.select(terms, terms.zerosLike()).sum(dim: [-2, -1])
    return reduced(sums / Double(try input.knownSize(axis)), reduction)
  }
}
