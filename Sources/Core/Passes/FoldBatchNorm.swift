extension Pass {
  /// Moves what scales and shifts the channels of a convolution or dot with literal weights into weights and one bias.
  ///
  /// In whatever order it comes: first every chain of arithmetic with channel literals becomes `y * scale + shift`, then
  /// the scale moves into the weights. Batch-norm with fixed statistics is such a chain, and so are biases. Only where
  /// nobody else reads what is between. Rounding differs from that of the chain, as in every runtime that does this.
  public static let foldBatchNorm = Pass(
    "fold-batch-norm", ChannelRules.merging, ChannelRules.merging + ChannelRules.scaling)
}

/// Rules about arithmetic with channel literals: literals that vary along at most one axis of what they meet.
private enum ChannelRules {
  static let merging = [subtractionToAddition, divisionToMultiplication, shifts, scales, scaleOfShift]
  static let scaling = [scaleOfConvolution, scaleOfDot]

  /// A literal as a vector along one axis of a tensor of the given shape, or as one number.
  struct ChannelLiteral {
    /// Nil for one number.
    var axis: Int?
    /// Of shape `[size]`, or `[]`.
    var vector: Tensor
  }

  static func channelLiteral(_ tensor: Tensor) -> ChannelLiteral? {
    guard tensor.dtype.isFloat else { return nil }
    let inner: Tensor
    let axes: [Int]
    switch tensor.operation {
    case .constant: (inner, axes) = (tensor, Array(0..<tensor.rank))
    case .broadcast(let broadcast): (inner, axes) = (tensor.source(0), broadcast.axes)
    default: return nil
    }
    guard let literal = inner.literal else { return nil }
    let varying = zip(axes, literal.shape).filter { $1 != 1 }
    guard varying.count <= 1 else { return nil }
    return ChannelLiteral(axis: varying.first?.0, vector: inner.reshape(varying.map(\.1)))
  }

  /// The operands of a scalar function of two, the channel literal last.
  static func withLiteral(
    _ function: Pointwise, _ operation: Operation, _ operands: [Tensor]
  ) -> (tensor: Tensor, literal: ChannelLiteral)? {
    guard operation == .pointwise(function), operands[0].dtype.isFloat else { return nil }
    // Two literals are constant folding's.
    if let literal = channelLiteral(operands[1]) {
      return channelLiteral(operands[0]) == nil ? (operands[0], literal) : nil
    }
    return channelLiteral(operands[0]).map { (operands[1], $0) }
  }

  static func withLiteral(_ function: Pointwise, _ tensor: Tensor) -> (tensor: Tensor, literal: ChannelLiteral)? {
    tensor.operands(of: function).flatMap { withLiteral(function, .pointwise(function), $0) }
  }

  /// A scalar function of two channel literals that vary along one axis, or nil where they vary along two.
  static func combined(
    _ function: Pointwise, _ a: ChannelLiteral, _ b: ChannelLiteral, _ match: Match
  ) -> ChannelLiteral? {
    guard a.axis == nil || b.axis == nil || a.axis == b.axis else { return nil }
    let shape = a.axis == nil ? b.vector.shape : a.vector.shape
    func spread(_ literal: ChannelLiteral) -> Tensor {
      literal.vector.broadcast(to: shape, axes: literal.axis == nil ? [] : [0])
    }
    return ChannelLiteral(
      axis: a.axis ?? b.axis, vector: match.folded(.pointwise(function), [spread(a), spread(b)]))
  }

  static func apply(_ function: Pointwise, _ tensor: Tensor, _ literal: ChannelLiteral, _ match: Match) -> Tensor {
    let spread = literal.vector.broadcast(to: tensor.shape, axes: literal.axis.map { [$0] } ?? [])
    return match.builder.apply(.pointwise(function), [tensor, spread])[0]
  }

  /// Whether a chain of arithmetic with channel literals may be put into another order.
  ///
  /// That is for chains on contractions with literal weights, and for those whose literals are vectors, as batch-norm's
  /// are. Of others, such as `(1 + erf(x)) * 0.3`, it would lose digits where the sum cancels.
  static func isReorderable(_ tensor: Tensor, _ literals: ChannelLiteral...) -> Bool {
    if literals.contains(where: { $0.axis != nil }) { return true }
    var base = tensor
    while let (inner, _) = withLiteral(.multiply, base) ?? withLiteral(.add, base) { base = inner }
    return isScalable(base)
  }

  // MARK: Towards y * scale + shift

  /// `y - t` is `y + -t`, exactly; `t - y` is `y * -1 + t` where the -1 has somewhere to go.
  static let subtractionToAddition = RewriteRule("subtraction-to-addition") { match in
    guard let (y, literal) = withLiteral(.subtract, match.operation, match.operands) else { return nil }
    if y.value == match.operands[0].value {
      let negated = match.folded(.pointwise(.negate), [literal.vector])
      return [apply(.add, y, ChannelLiteral(axis: literal.axis, vector: negated), match)]
    }
    guard isReorderable(y) else { return nil }
    let minusOne = ChannelLiteral(axis: nil, vector: match.builder.scalar(.float(-1), y.dtype))
    return [apply(.add, apply(.multiply, y, minusOne, match), literal, match)]
  }

  /// `y / s` is `y * (1 / s)`, where the scale can go on to a contraction or meets another.
  static let divisionToMultiplication = RewriteRule("division-to-multiplication") { match in
    guard let (y, literal) = withLiteral(.divide, match.operation, match.operands),
      y.value == match.operands[0].value, isReorderable(y, literal)
    else { return nil }
    let one = ChannelLiteral(axis: nil, vector: match.builder.scalar(.float(1), y.dtype))
    guard let inverse = combined(.divide, one, literal, match) else { return nil }
    return [apply(.multiply, y, inverse, match)]
  }

  /// `(y + a) + b` is `y + (a + b)`.
  static let shifts = RewriteRule("merge-shifts") { match in
    guard let (sum, outer) = withLiteral(.add, match.operation, match.operands),
      let (y, inner) = withLiteral(.add, sum), match.isOnlyUser(of: sum), isReorderable(y, inner, outer),
      let merged = combined(.add, inner, outer, match)
    else { return nil }
    return [apply(.add, y, merged, match)]
  }

  /// `(y * a) * b` is `y * (a * b)`.
  static let scales = RewriteRule("merge-scales") { match in
    guard let (product, outer) = withLiteral(.multiply, match.operation, match.operands),
      let (y, inner) = withLiteral(.multiply, product), match.isOnlyUser(of: product), isReorderable(y, inner, outer),
      let merged = combined(.multiply, inner, outer, match)
    else { return nil }
    return [apply(.multiply, y, merged, match)]
  }

  /// `(y + t) * s` is `y * s + t * s`.
  static let scaleOfShift = RewriteRule("scale-of-shift") { match in
    guard let (sum, scale) = withLiteral(.multiply, match.operation, match.operands),
      let (y, shift) = withLiteral(.add, sum), match.isOnlyUser(of: sum), isReorderable(y, shift, scale),
      let scaled = combined(.multiply, shift, scale, match)
    else { return nil }
    return [apply(.add, apply(.multiply, y, scale, match), scaled, match)]
  }

  // MARK: Into the weights

  /// Whether a scale of the tensor can move into literal weights.
  static func isScalable(_ tensor: Tensor) -> Bool {
    switch tensor.operation {
    case .convolution: tensor.source(1).isLiteral
    case .dot: tensor.source(0).isLiteral || tensor.source(1).isLiteral
    default: false
    }
  }

  /// A literal multiplied along one of its axes.
  ///
  /// The broadcast of a literal stays one where the scale allows it.
  static func scaled(_ weight: Tensor, along axis: Int, by scale: ChannelLiteral, _ match: Match) -> Tensor {
    if case .broadcast(let broadcast) = weight.operation, let small = weight.source(0).literal {
      let varying = zip(broadcast.axes, small.shape).filter { $1 != 1 }.map(\.0)
      if varying.allSatisfy({ $0 == axis }) {
        let literal = ChannelLiteral(
          axis: varying.first, vector: weight.source(0).reshape(small.shape.filter { $0 != 1 }))
        let moved = ChannelLiteral(axis: scale.axis.map { _ in axis }, vector: scale.vector)
        if let product = combined(.multiply, literal, moved, match) {
          return product.vector.broadcast(to: weight.shape, axes: product.axis.map { [$0] } ?? [])
        }
      }
    }
    let spread = scale.vector.broadcast(to: weight.shape, axes: scale.axis == nil ? [] : [axis])
    return match.folded(.pointwise(.multiply), [weight, spread])
  }

  /// `convolution(x, w) * s` is `convolution(x, w * s)` for a scale of the output channels.
  static let scaleOfConvolution = RewriteRule("scale-of-convolution") { match in
    guard let (y, scale) = withLiteral(.multiply, match.operation, match.operands), scale.axis ?? 1 == 1,
      case .convolution(let convolution) = y.operation, isScalable(y), match.isOnlyUser(of: y)
    else { return nil }
    return [y.source(0).convolution(scaled(y.source(1), along: 0, by: scale, match), convolution)]
  }

  /// `dot(a, b) * s` scales the literal operand, for a scale along one of its free axes.
  static let scaleOfDot = RewriteRule("scale-of-dot") { match in
    guard let (y, scale) = withLiteral(.multiply, match.operation, match.operands), case .dot(let dot) = y.operation,
      match.isOnlyUser(of: y)
    else { return nil }
    let (left, right) = (y.source(0), y.source(1))
    let leftFree = dot.leftFree(left.rank)
    let rightFree = dot.rightFree(right.rank)
    let first = dot.leftBatch.count + leftFree.count
    if right.isLiteral, scale.axis.map({ $0 >= first }) ?? true {
      let axis = scale.axis.map { rightFree[$0 - first] } ?? 0
      return [left.dot(scaled(right, along: axis, by: scale, match), dot)]
    }
    if left.isLiteral, scale.axis.map({ $0 >= dot.leftBatch.count && $0 < first }) ?? true {
      let axis = scale.axis.map { leftFree[$0 - dot.leftBatch.count] } ?? 0
      return [scaled(left, along: axis, by: scale, match).dot(right, dot)]
    }
    return nil
  }
}
