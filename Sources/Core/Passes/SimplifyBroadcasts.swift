/// Rules that move broadcasts towards their users, where they cost nothing, and melt views into them.
enum BroadcastRules {
  static let all = [
    broadcastOfBroadcast, broadcastToReshape, broadcastOfReshape, reshapeOfBroadcast, permuteOfBroadcast,
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

  /// Axes of size 1 need not be put in before a broadcast.
  static let broadcastOfReshape = RewriteRule("broadcast-of-reshape") { match in
    guard case .broadcast(let broadcast) = match.operation, case .reshape(let reshape) = match.operands[0].operation
    else { return nil }
    let x = match.operands[0].source(0)
    guard x.shape == reshape.shape.nonUnit, x.rank < reshape.shape.count else { return nil }
    return [x.broadcast(to: broadcast.shape, axes: reshape.shape.nonUnitAxes.map { broadcast.axes[$0] })]
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
