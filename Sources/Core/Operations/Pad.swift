/// Puts a value before, after and between the elements of each axis; negative amounts cut elements off.
///
/// Operands: the tensor, and the value as a scalar. Axis sizes become
/// `low + size + (size - 1) * interior + high`, as in XLA's Pad.
package struct Pad: OperationDefinition {
  package var low: [Int]
  package var high: [Int]
  package var interior: [Int]

  package init(low: [Int], high: [Int], interior: [Int]) {
    self.low = low
    self.high = high
    self.interior = interior
  }

  package var name: String { "pad" }

  package var attributes: [(name: String, value: Attribute)] {
    [("low", .integers(low)), ("high", .integers(high)), ("interior", .integers(interior))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    low = try attributes.integers("low")
    high = try attributes.integers("high")
    interior = try attributes.integers("interior")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    try TypeFault.requireSameType(operands)
    guard operands[1].rank == 0 else { throw TypeFault("the padding value \(operands[1]) is not a scalar") }
    let shape = operands[0].shape
    guard low.count == shape.count, high.count == shape.count, interior.count == shape.count else {
      throw TypeFault("low, high and interior need \(shape.count) numbers each for \(operands[0])")
    }
    var sizes: [Dim] = []
    for axis in shape.indices {
      guard interior[axis] >= 0 else { throw TypeFault("interior \(interior[axis]) on axis \(axis) is negative") }
      var spread = shape[axis]
      if interior[axis] > 0, shape[axis] != 0 {
        spread = shape[axis] * Dim(interior[axis] + 1) - Dim(interior[axis])
      }
      let size = spread + Dim(low[axis] + high[axis])
      if let known = size.known, known < 0 { throw TypeFault("axis \(axis) of \(operands[0]) would get size \(known)") }
      sizes.append(size)
    }
    return [operands[0].with(shape: sizes)]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let dy = context.cotangent
    let operand = context.operands[0]
    // Undo the borders by negative padding, then pick the elements between the interior.
    let cut = dy.pad(low: low.map { -$0 }, high: high.map { -$0 }, interior: low.map { _ in 0 })
    let inner = cut.slice(
      start: low.map { _ in 0 }, limit: cut.shape, stride: interior.map { $0 + 1 })
    guard context.wanted[1] else { return [inner, nil] }
    let axes = Array(operand.shape.indices)
    return [inner, dy.reduce(.sum, axes: axes) - inner.reduce(.sum, axes: axes)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    if context.isBatched[1] { return nil }
    let pad = Pad(low: [0] + low, high: [0] + high, interior: [0] + interior)
    return context.builder.apply(.pad(pad), context.operands)
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    return .element { index in
      var constraints: [Constraint] = []
      var source: [Index] = []
      for axis in index.indices {
        let step = interior[axis] + 1
        let position = index[axis] - low[axis]
        if step > 1 { constraints.append(.multiple(position, of: step)) }
        let element = position.floorDivided(by: step)
        constraints.append(.inRange(element, 0..<operand.shape[axis]))
        source.append(element)
      }
      return context.scalars.guarded(constraints, then: { operand[source] }, otherwise: context.operands[1][[]])
    }
  }
}
