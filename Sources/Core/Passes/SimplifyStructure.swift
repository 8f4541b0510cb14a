/// Rules about reductions, contractions, windows, gathers and control flow.
enum StructureRules {
  static let all = [
    reductionOfUnits, padIntoConvolution, padIntoWindow, unitWindow, unitBatch, literalRightOperand, gatherToSlice,
    gatherBeforeFunction, gatherBeforeBroadcast, emptyScatter, knownBranch,
  ]

  /// A reduction over axes of size 1 drops them.
  static let reductionOfUnits = RewriteRule("reduction-of-units") { match in
    guard case .reduce(let reduce) = match.operation else { return nil }
    let x = match.operands[0]
    let units = reduce.axes.filter { x.shape[$0] == 1 }
    guard !units.isEmpty else { return nil }
    let kept = x.shape.indices.filter { !units.contains($0) }
    let places = Dictionary(uniqueKeysWithValues: zip(kept, 0...))
    return [x.reshape(kept.map { x.shape[$0] }).reduce(reduce.combiner, axes: reduce.axes.compactMap { places[$0] })]
  }

  /// The amounts of a pad around the last axes with a given value, where the pad does nothing else.
  private static func border(
    _ tensor: Tensor, _ spatial: Int, _ isValue: (ScalarValue) -> Bool
  ) -> (x: Tensor, low: [Int], high: [Int])? {
    guard case .pad(let pad) = tensor.operation, let value = tensor.source(1).splat, isValue(value),
      pad.interior.allSatisfy({ $0 == 0 }), (pad.low + pad.high).allSatisfy({ $0 >= 0 }),
      (pad.low.dropLast(spatial) + pad.high.dropLast(spatial)).allSatisfy({ $0 == 0 })
    else { return nil }
    return (tensor.source(0), Array(pad.low.suffix(spatial)), Array(pad.high.suffix(spatial)))
  }

  private static func isZero(_ value: ScalarValue) -> Bool { value.double == 0 }

  /// Zeros around the operand of a convolution are its padding.
  static let padIntoConvolution = RewriteRule("pad-into-convolution") { match in
    guard case .convolution(var convolution) = match.operation, convolution.inputDilation.allSatisfy({ $0 == 1 }),
      let (x, low, high) = border(match.operands[0], convolution.stride.count, isZero)
    else { return nil }
    convolution.low = zip(convolution.low, low).map(+)
    convolution.high = zip(convolution.high, high).map(+)
    return [x.convolution(match.operands[1], convolution)]
  }

  /// The combiner's identity around the operand of a window is the window's padding.
  static let padIntoWindow = RewriteRule("pad-into-window") { match in
    guard case .windowReduce(var payload) = match.operation, payload.window.inputDilation.allSatisfy({ $0 == 1 }) else {
      return nil
    }
    let identity = payload.combiner.identity(match.types[0].dtype)
    guard let (x, low, high) = border(match.operands[0], payload.window.size.count, { $0.double == identity.double })
    else { return nil }
    payload.window.low = zip(payload.window.low, low).map(+)
    payload.window.high = zip(payload.window.high, high).map(+)
    return [x.windowReduce(payload.combiner, payload.window)]
  }

  /// A window of one element that does not skip any is the operand.
  static let unitWindow = RewriteRule("unit-window") { match in
    guard case .windowReduce(let payload) = match.operation, payload.window.size.allSatisfy({ $0 == 1 }),
      (payload.window.stride + payload.window.inputDilation).allSatisfy({ $0 == 1 }),
      (payload.window.low + payload.window.high).allSatisfy({ $0 == 0 })
    else { return nil }
    return [match.operands[0]]
  }

  /// Batch axes of size 1 need no batched contraction.
  static let unitBatch = RewriteRule("unit-batch") { match in
    guard case .dot(let dot) = match.operation else { return nil }
    let (left, right) = (match.operands[0], match.operands[1])
    let kept = dot.leftBatch.indices.filter { left.shape[dot.leftBatch[$0]] != 1 }
    guard kept.count < dot.leftBatch.count else { return nil }
    let dropped = dot.leftBatch.indices.filter { !kept.contains($0) }
    let leftAxes = left.shape.indices.filter { axis in !dropped.contains { dot.leftBatch[$0] == axis } }
    let rightAxes = right.shape.indices.filter { axis in !dropped.contains { dot.rightBatch[$0] == axis } }
    let leftPlaces = Dictionary(uniqueKeysWithValues: zip(leftAxes, 0...))
    let rightPlaces = Dictionary(uniqueKeysWithValues: zip(rightAxes, 0...))
    let smaller = DotGeneral(
      leftBatch: kept.compactMap { leftPlaces[dot.leftBatch[$0]] },
      rightBatch: kept.compactMap { rightPlaces[dot.rightBatch[$0]] },
      leftContracting: dot.leftContracting.compactMap { leftPlaces[$0] },
      rightContracting: dot.rightContracting.compactMap { rightPlaces[$0] })
    return [
      left.reshape(leftAxes.map { left.shape[$0] }).dot(right.reshape(rightAxes.map { right.shape[$0] }), smaller)
        .reshape(match.types[0].shape)
    ]
  }

  /// A literal right operand is laid out as `[batch, contracted, free]`, as loops over the result's last axes read it.
  static let literalRightOperand = RewriteRule("lay-out-right-operand") { match in
    guard case .dot(var dot) = match.operation, match.operands[1].literal != nil,
      match.isOnlyUser(of: match.operands[1])
    else { return nil }
    let right = match.operands[1]
    let order = dot.rightBatch + dot.rightContracting + dot.rightFree(right.rank)
    guard order != Array(0..<right.rank) else { return nil }
    dot.rightBatch = Array(0..<dot.rightBatch.count)
    dot.rightContracting = dot.rightContracting.indices.map { dot.rightBatch.count + $0 }
    let laidOut = match.folded(.permute(Permute(order)), [right])
    return laidOut.literal == nil ? nil : [match.operands[0].dot(laidOut, dot)]
  }

  /// A gather of evenly spaced places along one axis is a slice.
  static let gatherToSlice = RewriteRule("gather-to-slice") { match in
    guard case .gather(let gather) = match.operation, gather.indexed.batch == 0, gather.indexed.axes.count == 1,
      let places = match.operands[1].literal?.integers, let first = places.first, let last = places.last
    else { return nil }
    let x = match.operands[0]
    let axis = gather.indexed.axes[0]
    let stride = places.count > 1 ? places[1] - first : 1
    guard stride > 0, let size = x.shape[axis].known, first >= 0, last < size,
      places.indices.allSatisfy({ places[$0] == first + $0 * stride })
    else { return nil }
    return [
      x.slice(axis: axis, from: first, to: last + 1, stride: stride).movingAxis(axis, to: 0)
        .reshape(match.types[0].shape)
    ]
  }

  /// Rows of a table that nothing else reads are computed behind the gather, where those are fewer: a table of 8-bit
  /// numbers is read as such.
  static let gatherBeforeFunction = RewriteRule("gather-before-function") { match in
    guard case .gather(let gather) = match.operation, gather.indexed.outside == .error,
      let rows = match.types[0].elementCount, let all = match.operands[0].type.elementCount, rows < all,
      match.isOnlyUser(of: match.operands[0])
    else { return nil }
    let table = match.operands[0]
    switch table.operation {
    case .pointwise, .convert, .bitcast: break
    default: return nil
    }
    let operands = match.builder.node(of: table.value).operands.map { Tensor(builder: match.builder, value: $0) }
    return match.builder.apply(table.operation, operands.map { $0.gather(match.operands[1], gather.indexed) })
  }

  /// What a table repeats is repeated behind the gather.
  static let gatherBeforeBroadcast = RewriteRule("gather-before-broadcast") { match in
    guard case .gather(let gather) = match.operation, gather.indexed.outside == .error, gather.indexed.batch == 0,
      gather.indexed.axes.count == 1, case .broadcast(let broadcast) = match.operands[0].operation
    else { return nil }
    let axis = gather.indexed.axes[0]
    let places = match.operands[1].rank - 1
    let x = match.operands[0].source(0)
    let kept = broadcast.axes.filter { $0 != axis }.map { places + $0 - ($0 > axis ? 1 : 0) }
    guard let position = broadcast.axes.firstIndex(of: axis) else {
      return [x.broadcast(to: match.types[0].shape, axes: kept)]
    }
    guard x.shape[position] == broadcast.shape[axis] else { return nil }
    return [
      x.gather(match.operands[1], IndexedAxes(axes: [position]))
        .broadcast(to: match.types[0].shape, axes: Array(0..<places) + kept)
    ]
  }

  /// A scatter of nothing.
  static let emptyScatter = RewriteRule("empty-scatter") { match in
    guard case .scatter = match.operation, match.operands[2].shape.contains(0) else { return nil }
    return [match.operands[0]]
  }

  /// A branch that is known to be taken is put in place of the choice.
  static let knownBranch = RewriteRule("known-branch") { match in
    guard case .conditional(let payload) = match.operation, case .integer(let predicate) = match.operands[0].splat
    else {
      return nil
    }
    return (predicate == 0 ? payload.otherwise : payload.then)
      .inlined(Array(match.operands.dropFirst()), in: match.builder)
  }
}
