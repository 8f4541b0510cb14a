/// Rules that move broadcasts towards their users, where they cost nothing, and melt views into them.
enum BroadcastRules {
  static let all = [
    broadcastOfBroadcast, broadcastToReshape, broadcastOfReshape, broadcastOfNumber, viewOfPositions,
    reshapeOfBroadcast, permuteOfBroadcast,
    sliceOfBroadcast, reverseOfBroadcast, reductionOfBroadcast,
  ]

  private static func operand(_ match: Match) -> (inner: Tensor, broadcast: Broadcast)? {
    guard let operand = match.operands.first, case .broadcast(let broadcast) = operand.operation else { return nil }
    return (operand.source(0), broadcast)
  }

  static let broadcastOfBroadcast = RewriteRule("broadcast-of-broadcast") { match in
    guard case .broadcast(let outer) = match.operation, let (x, inner) = operand(match) else { return nil }
    return [x.broadcast(to: outer.shape, axes: inner.axes.map { outer.axes[$0] })]
  }

  /// A broadcast that only puts in axes of size 1 is a reshape.
  static let broadcastToReshape = RewriteRule("broadcast-to-reshape") { match in
    guard case .broadcast(let broadcast) = match.operation,
      broadcast.shape.nonUnit == match.operands[0].shape.nonUnit
    else { return nil }
    return [match.operands[0].reshape(broadcast.shape)]
  }

  /// Axes of size 1 need not be put in before a broadcast, nor kept by a reshape.
  static let broadcastOfReshape = RewriteRule("broadcast-of-reshape") { match in
    guard case .broadcast(let broadcast) = match.operation, case .reshape(let reshape) = match.operands[0].operation
    else { return nil }
    let x = match.operands[0].source(0)
    if let kept = reshape.shape.axes(of: x.shape) {
      guard kept.count < reshape.shape.count else { return nil }
      return [x.broadcast(to: broadcast.shape, axes: kept.map { broadcast.axes[$0] })]
    }
    let kept = reshape.shape.nonUnitAxes
    guard kept.count < reshape.shape.count else { return nil }
    return [x.reshape(reshape.shape.nonUnit).broadcast(to: broadcast.shape, axes: kept.map { broadcast.axes[$0] })]
  }

  /// A literal of one element has no axes.
  static let broadcastOfNumber = RewriteRule("broadcast-of-number") { match in
    guard case .broadcast(let broadcast) = match.operation, match.operands[0].rank > 0,
      let literal = match.operands[0].literal, literal.count == 1, let number = literal.first
    else { return nil }
    return [match.builder.scalar(number, literal.dtype).broadcast(to: broadcast.shape, axes: [])]
  }

  /// Positions along an axis, repeated or with axes of size 1, are positions along an axis.
  static let viewOfPositions = RewriteRule("view-of-positions") { match in
    guard let x = match.operands.first, let axis = x.countedAxis else { return nil }
    switch match.operation {
    case .broadcast(let broadcast):
      guard broadcast.shape[broadcast.axes[axis]] == x.shape[axis] else { return nil }
      return [match.builder.iota(match.types[0], axis: broadcast.axes[axis])]
    case .reshape(let reshape) where x.literal == nil:
      guard reshape.shape.nonUnit == x.shape.nonUnit, let place = x.shape.nonUnitAxes.firstIndex(of: axis) else {
        return nil
      }
      return [match.builder.iota(match.types[0], axis: reshape.shape.nonUnitAxes[place])]
    default: return nil
    }
  }

  /// A reshape that moves axes of size 1 only, or the reshape of one number.
  static let reshapeOfBroadcast = RewriteRule("reshape-of-broadcast") { match in
    guard case .reshape(let reshape) = match.operation, let (x, broadcast) = operand(match) else { return nil }
    if x.shape.nonUnit.isEmpty { return [x.reshape([Dim]()).broadcast(to: reshape.shape, axes: [])] }
    guard reshape.shape.nonUnit == broadcast.shape.nonUnit else { return nil }
    let places = Dictionary(uniqueKeysWithValues: zip(broadcast.shape.nonUnitAxes, reshape.shape.nonUnitAxes))
    let axes = x.shape.nonUnitAxes.compactMap { places[broadcast.axes[$0]] }
    return [x.reshape(x.shape.nonUnit).broadcast(to: reshape.shape, axes: axes)]
  }

  static let permuteOfBroadcast = RewriteRule("permute-of-broadcast") { match in
    guard case .permute(let permute) = match.operation, let (x, broadcast) = operand(match) else { return nil }
    let inverse = permute.inverse
    let axes = broadcast.axes.map { inverse[$0] }
    let order = axes.indices.sorted { axes[$0] < axes[$1] }
    return [x.permute(order).broadcast(to: match.types[0].shape, axes: axes.sorted())]
  }

  static let sliceOfBroadcast = RewriteRule("slice-of-broadcast") { match in
    guard case .slice(let slice) = match.operation, let (x, broadcast) = operand(match) else { return nil }
    var inner = Slice(start: x.shape.map { _ in 0 }, limit: x.shape, stride: x.shape.map { _ in 1 })
    for (position, axis) in broadcast.axes.enumerated() where x.shape[position] != 1 {
      inner.start[position] = slice.start[axis]
      inner.limit[position] = slice.limit[axis]
      inner.stride[position] = slice.stride[axis]
    }
    return [
      x.slice(start: inner.start, limit: inner.limit, stride: inner.stride)
        .broadcast(to: match.types[0].shape, axes: broadcast.axes)
    ]
  }

  static let reverseOfBroadcast = RewriteRule("reverse-of-broadcast") { match in
    guard case .reverse(let reverse) = match.operation, let (x, broadcast) = operand(match) else { return nil }
    let axes = x.shape.nonUnitAxes.filter { reverse.axes.contains(broadcast.axes[$0]) }
    return [x.reverse(axes).broadcast(to: broadcast.shape, axes: broadcast.axes)]
  }

  /// The extreme of copies is the original; the sum of `n` copies of a literal is `n` times it, rounded once.
  static let reductionOfBroadcast = RewriteRule("reduction-of-broadcast") { match in
    guard case .reduce(let reduce) = match.operation, let (x, broadcast) = operand(match),
      reduce.axes.allSatisfy({ axis in
        broadcast.axes.firstIndex(of: axis).map { x.shape[$0] == 1 } ?? true
      }),
      let sizes = reduce.axes.map({ broadcast.shape[$0] }).known, !sizes.contains(0)
    else { return nil }
    let kept = broadcast.shape.indices.filter { !reduce.axes.contains($0) }
    let places = Dictionary(uniqueKeysWithValues: zip(kept, 0...))
    let axes = x.shape.indices.filter { places[broadcast.axes[$0]] != nil }
    let squeezed = x.reshape(axes.map { x.shape[$0] })
    let result = squeezed.broadcast(to: match.types[0].shape, axes: axes.compactMap { places[broadcast.axes[$0]] })
    switch reduce.combiner {
    case .min, .max: return [result]
    case .sum:
      guard let number = x.splat else { return nil }
      let count = sizes.reduce(1, *)
      switch number {
      case .float(let number): return [result.filled(.float(number * Double(count)))]
      case .integer(let number): return [result.filled(.integer(number &* count))]
      }
    case .product: return nil
    }
  }
}

extension [Dim] {
  /// The axes that have the sizes of a shape, in order, where all others have size 1.
  fileprivate func axes(of shape: [Dim]) -> [Int]? {
    var kept: [Int] = []
    var rest = shape[...]
    for (axis, size) in enumerated() {
      if let next = rest.first, next == size {
        kept.append(axis)
        rest.removeFirst()
      } else if size != 1 {
        return nil
      }
    }
    return rest.isEmpty ? kept : nil
  }
}

extension Tensor {
  /// The axis along which the elements are 0, 1, 2, ..., the same everywhere: of an iota, or of a short literal.
  fileprivate var countedAxis: Int? {
    if case .iota(let iota) = operation { return iota.axis }
    guard let literal, (2...64).contains(literal.count), literal.dtype.isInteger, shape.nonUnitAxes.count == 1,
      literal.integers == Array(0..<literal.count)
    else { return nil }
    return shape.nonUnitAxes[0]
  }
}
