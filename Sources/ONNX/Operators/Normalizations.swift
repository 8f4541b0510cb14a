internal import LatheCore
internal import LatheNN

/// Normalizations. Statistics of 16-bit floats are computed in `f32`, as the `stash_type` of the operators has it by
/// default; `f64` stays `f64`, which no `stash_type` makes less exact.
extension Operator {
  static let normalizations: [String: Operator] = [
    "BatchNormalization": .several(batchNormalization),
    "InstanceNormalization": .one { call throws(TypeFault) in
      instanceNorm(
        try call.tensor(0), weight: try call.tensor(1), bias: try call.tensor(2),
        eps: try call.float("epsilon", default: 1e-5))
    },
    "GroupNormalization": .one(groupNormalization),
    "LayerNormalization": .several(layerNormalization),
    "RMSNormalization": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let shape = try normalizedShape(call, x)
      return rmsNorm(x, shape, eps: try call.float("epsilon", default: 1e-5)) * (try call.tensor(1))
    },
    // Of ONNX Runtime, which puts it into the standard domain.
    "SimplifiedLayerNormalization": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let shape = try normalizedShape(call, x)
      return rmsNorm(x, shape, weight: try call.tensor(1), eps: try call.float("epsilon", default: 1e-5))
    },
    "LpNormalization": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axis = try call.axis(default: -1, rank: x.rank)
      let p = try call.integer("p", default: 2)
      guard p == 1 || p == 2 else { throw TypeFault("p is \(p), not 1 or 2") }
      let norm = p == 1 ? x.abs().reduce(.sum, axes: [axis]) : (x * x).reduce(.sum, axes: [axis]).sqrt()
      // A row of zeros stays one.
      let divisor = (norm .== norm.zerosLike()).select(norm.onesLike(), norm)
      return x / divisor.broadcast(like: x, without: [axis])
    },
    "MeanVarianceNormalization": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axes = try Call.axes(try call.optionalIntegers("axes") ?? [0, 2, 3], rank: x.rank).sorted()
      let centred = x - mean(x, axes: axes).broadcast(like: x, without: axes)
      // Of opset 1.
      guard try call.flag("normalize_variance", default: true) else { return centred }
      let deviation = mean(centred * centred, axes: axes).sqrt()
      return centred / (deviation + 1e-9).broadcast(like: x, without: axes)
    },
    "LRN": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let size = try call.integer("size")
      let (alpha, beta) = (try call.float("alpha", default: 0.0001), try call.float("beta", default: 0.75))
      let bias = try call.float("bias", default: 1)
      guard x.rank >= 3 else { throw TypeFault("the operand \(x.type) has no spatial axes") }
      if size % 2 == 1 { return localResponseNorm(x, size: size, alpha: alpha, beta: beta, k: bias) }
      // PyTorch has the odd channel before, ONNX behind.
      return localResponseNorm(x.reverse([1]), size: size, alpha: alpha, beta: beta, k: bias).reverse([1])
    },
  ]

  private static func batchNormalization(_ call: Call) throws(TypeFault) -> [Tensor] {
    var x = try call.tensor(0)
    guard x.rank >= 2 else { throw TypeFault("the operand \(x.type) has no channels") }
    var parameters: [Tensor] = []
    for position in 1...4 { parameters.append(try call.tensor(position)) }
    let (given, running) = (x, parameters.suffix(2))
    // Before opset 9 each place may be a channel of its own.
    if call.opset < 9, !(try call.flag("spatial", default: true)) {
      let count = x.shape.dropFirst().reduce(1, *)
      for parameter in parameters where parameter.shape != Array(x.shape.dropFirst()) && parameter.shape != [count] {
        throw TypeFault("with spatial = 0 each place of \(x.type) has parameters; \(parameter.type) are given")
      }
      x = x.reshape([x.shape[0], count])
      parameters = parameters.map { $0.reshape([count]) }
    }
    var (mean, variance) = (parameters[2], parameters[3])
    let epsilon = try call.float("epsilon", default: 1e-5)
    let isWritten = try isInTraining(call)
    let isTraining = isWritten && !call.importer.isEvaluating
    if isTraining {
      let axes = x.shape.indices.filter { $0 != 1 }
      let wide = x.convert(to: mean.dtype)
      mean = Self.mean(wide, axes: axes)
      let centred = wide - mean.broadcast(like: wide, without: axes)
      variance = Self.mean(centred * centred, axes: axes)
    }
    let y = batchNorm(x, mean, variance, weight: parameters[0], bias: parameters[1], eps: epsilon)
      .convert(to: x.dtype).reshape(given.shape)
    guard isWritten else { return [y] }
    var results = [y]
    let momentum = try call.float("momentum", default: 0.9)
    for (position, old) in running.enumerated() {
      let new = [mean, variance][position].reshape(old.shape)
      let update = isTraining ? old * momentum + new * (1 - momentum) : old
      if call.importer.isTraining { call.importer.update(old, to: update) }
      results.append(update)
    }
    // What is saved to speed the gradient up is not the variance but what is computed from it: ONNX Runtime's reading.
    if call.opset < 14 {
      for saved in [mean, (variance + epsilon).rsqrt()] { results.append(saved.reshape(results[1].shape)) }
    }
    return results
  }

  /// Whether statistics are those of the batch.
  ///
  /// From opset 14 on an attribute says so. Before, training has more results than inference; up to opset 6 `is_test = 0`
  /// says so, too, but where the attribute is left out the results count, as ONNX's own version converter has it.
  private static func isInTraining(_ call: Call) throws(TypeFault) -> Bool {
    let named = call.node.output.dropFirst().contains { !$0.isEmpty }
    if call.opset >= 14 {
      let isTraining = try call.flag("training_mode")
      guard isTraining || !named else { throw TypeFault("only training (training_mode = 1) has statistics as results") }
      return isTraining
    }
    guard call.opset < 7, let isTest = try call.optionalInteger("is_test") else { return named }
    guard isTest == 0 || !named else { throw TypeFault("only training (is_test = 0) has statistics as results") }
    return isTest == 0
  }

  /// The sizes of the axes from `axis` on.
  private static func normalizedShape(_ call: Call, _ x: Tensor) throws(TypeFault) -> [Int] {
    let axis = try call.axis(default: -1, rank: x.rank)
    return try Call.known(Array(x.shape[axis...]), "the shape that is normalized")
  }

  private static func layerNormalization(_ call: Call) throws(TypeFault) -> [Tensor] {
    let (x, scale, bias) = (try call.tensor(0), try call.tensor(1), try call.optional(2))
    let shape = try normalizedShape(call, x)
    let epsilon = try call.float("epsilon", default: 1e-5)
    let fits = scale.shape.known == shape && (bias == nil || bias?.shape.known == shape)
    var y: Tensor
    if fits {
      y = layerNorm(x, shape, weight: scale, bias: bias, eps: epsilon)
    } else {  // scale and bias may broadcast
      y = layerNorm(x, shape, eps: epsilon) * scale
      if let bias { y = y + bias }
    }
    guard call.node.output.dropFirst().contains(where: { !$0.isEmpty }) else { return [y] }
    if y.isPoisoned { return [y, y, y] }
    let axes = Array((x.rank - shape.count)..<x.rank)
    let kept = Array(x.shape.dropLast(shape.count)) + axes.map { _ in 1 }
    let wide = x.convert(to: x.dtype.computeType)
    let mean = Self.mean(wide, axes: axes)
    let centred = wide - mean.broadcast(like: wide, without: axes)
    let inverse = (Self.mean(centred * centred, axes: axes) + epsilon).rsqrt()
    let stash = try call.elementType("stash_type") ?? .f32
    return [y] + [mean, inverse].map { $0.reshape(kept).convert(to: stash) }
  }

  /// Scale and bias are those of groups before opset 21, those of channels since.
  private static func groupNormalization(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    var (scale, bias) = (try call.tensor(1), try call.tensor(2))
    let groups = try call.integer("num_groups")
    guard x.rank >= 2, groups > 0, let each = x.shape[1].divided(exactlyBy: Dim(groups)) else {
      throw TypeFault("the channels of \(x.type) do not divide into \(groups) groups")
    }
    if call.opset < 21 {
      func repeated(_ vector: Tensor) -> Tensor {
        vector.broadcast(to: [Dim(groups), each], axes: [0]).reshape([x.shape[1]])
      }
      (scale, bias) = (repeated(scale), repeated(bias))
    }
    return groupNorm(x, numGroups: groups, weight: scale, bias: bias, eps: try call.float("epsilon", default: 1e-5))
  }
}

extension Tensor {
  /// Repeats a reduced tensor along the axes that were reduced.
  func broadcast(like x: Tensor, without axes: [Int]) -> Tensor {
    broadcast(to: x.shape, axes: x.shape.indices.filter { !axes.contains($0) })
  }
}
