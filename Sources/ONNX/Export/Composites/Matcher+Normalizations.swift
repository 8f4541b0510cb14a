internal import LatheCore

extension Matcher {
  func softmax(_ value: Value) -> Composite? {
    guard let (x, axis) = shares(value) else { return nil }
    return floating(x, "Softmax", [.int("axis", axis)])
  }

  /// `e / sum(e)` with `e = exp(x - max(x))` along one axis.
  func shares(_ value: Value) -> (x: Value, axis: Int)? {
    guard let quotient = operands(value, .divide), let exponent = operand(quotient[0], .exp),
      let (x, axis) = shifted(exponent), sum(quotient[1], of: quotient[0], axis)
    else { return nil }
    return (x, axis)
  }

  /// `s - log(sum(exp(s)))` with `s = x - max(x)` along one axis.
  func logSoftmax(_ value: Value) -> Composite? {
    guard let difference = operands(value, .subtract), let (x, axis) = shifted(difference[0]) else { return nil }
    let shape = type(x).shape
    guard let logarithm = spread(difference[1], alongAllBut: [axis], of: shape).flatMap({ operand($0, .log) }),
      let (exponential, axes) = reduced(logarithm, .sum), axes == [axis],
      operand(exponential, .exp) == difference[0]
    else { return nil }
    return floating(x, "LogSoftmax", [.int("axis", axis)])
  }

  /// What its greatest number along an axis is subtracted from.
  private func shifted(_ value: Value) -> (x: Value, axis: Int)? {
    guard let difference = operands(value, .subtract) else { return nil }
    let x = difference[0]
    for axis in type(x).shape.indices {
      guard let greatest = spread(difference[1], alongAllBut: [axis], of: type(x).shape),
        let (of, axes) = reduced(greatest, .max), of == x, axes == [axis]
      else { continue }
      return (x, axis)
    }
    return nil
  }

  /// Whether a value is the sum of another along an axis, repeated there.
  private func sum(_ value: Value, of x: Value, _ axis: Int) -> Bool {
    guard let sum = spread(value, alongAllBut: [axis], of: type(x).shape), let (of, axes) = reduced(sum, .sum) else {
      return false
    }
    return of == x && axes == [axis]
  }

  /// The mean along axes, which are left out.
  func mean(_ value: Value) -> Composite? {
    guard type(value).dtype.isFloat, let (x, axes) = averaged(value), squeezed(value) == value else { return nil }
    return Composite(operands: [x]) { export, type throws(TypeFault) in
      // The sum may have been given back axes of size 1.
      let operand = try export.value(x)
      let kept = operand.shape.indices.filter { !axes.contains($0) }.map { operand.shape[$0] }
      return try export.reshape(
        try export.reduce("ReduceMean", operand, axes, type.with(shape: kept)), to: type.shape)
    }
  }

  /// Last axes with mean 0 and variance 1, scaled and shifted.
  func layerNormalization(_ value: Value) -> Composite? {
    // Outermost the shift, then the scale; either may be missing.
    var rest = value
    var bias: Value?
    var scale: Value?
    if let sum = operands(value, .add), standardized(sum[0]) != nil || operands(sum[0], .multiply) != nil {
      (rest, bias) = (sum[0], sum[1])
    }
    if standardized(rest) == nil, let product = operands(rest, .multiply) { (rest, scale) = (product[0], product[1]) }
    guard let (x, axes, epsilon) = standardized(rest), bias == nil || scale != nil else { return nil }
    let shape = type(x).shape
    guard let first = axes.first, axes == Array(first..<shape.count) else { return nil }
    let size = Array(shape[first...])
    var operands = [x]
    for case let parameter? in [scale, bias] {
      guard let (source, places) = broadcast(parameter) ?? (type(parameter).shape == size ? (parameter, axes) : nil),
        places == axes, type(source).shape == size
      else { return nil }
      operands.append(source)
    }
    guard let known = size.known else { return nil }
    return Composite(operands: operands) { export, type throws(TypeFault) in
      var written: [ONNXValue] = []
      for operand in operands { written.append(try export.value(operand)) }
      if scale == nil {
        let ones = unfailing { try NDArray(repeating: .float(1), dtype: type.dtype, shape: known) }
        written.append(export.model.literal(ones, "ones"))
      }
      return try export.compute(
        "LayerNormalization", written, in: type.dtype, type, [.int("axis", first), .float("epsilon", epsilon)])
    }
  }

  /// `(x - mean(x)) * rsqrt(mean((x - mean(x))^2) + epsilon)`.
  private func standardized(_ value: Value) -> (x: Value, axes: [Int], epsilon: Double)? {
    guard let product = operands(value, .multiply), let difference = operands(product[0], .subtract) else { return nil }
    let x = difference[0]
    let shape = type(x).shape
    guard let (mean, places) = broadcast(difference[1]) else { return nil }
    guard let (of, axes) = averaged(mean), of == x, !places.isEmpty || axes.count == shape.count,
      spread(difference[1], alongAllBut: axes, of: shape) != nil,
      let root = spread(product[1], alongAllBut: axes, of: shape), let sum = operand(root, .rsqrt),
      let (variance, epsilon) = scaled(sum, .add), let (square, same) = averaged(variance), same == axes,
      operands(square, .multiply) == [product[0], product[0]]
    else { return nil }
    return (x, axes, epsilon)
  }

  /// Channels with given statistics: `(x - mean) * rsqrt(variance + epsilon) * scale + bias`.
  func batchNormalization(_ value: Value) -> Composite? {
    guard let sum = operands(value, .add), let scaling = operands(sum[0], .multiply),
      let normal = operands(scaling[0], .multiply), let difference = operands(normal[0], .subtract)
    else { return nil }
    let x = difference[0]
    guard type(x).rank >= 2, let bias = channels(sum[1], of: x), let scale = channels(scaling[1], of: x),
      let mean = channels(difference[1], of: x), let root = channels(normal[1], of: x)
    else { return nil }
    guard let inner = operand(root, .rsqrt), let (variance, epsilon) = scaled(inner, .add) else { return nil }
    let operands = [x, scale, bias, mean, variance]
    guard operands.dropFirst().allSatisfy({ graph.type(of: $0).shape == [type(x).shape[1]] }) else { return nil }
    return Composite(operands: operands) { export, type throws(TypeFault) in
      var written: [ONNXValue] = []
      for operand in operands { written.append(try export.value(operand)) }
      return try export.compute(
        "BatchNormalization", written, in: type.dtype, type, [.float("epsilon", epsilon)])
    }
  }

  /// What has one number for each channel.
  func channels(_ value: Value, of x: Value) -> Value? {
    let shape = type(x).shape
    return spread(value, alongAllBut: shape.indices.filter { $0 != 1 }, of: shape)
  }
}
