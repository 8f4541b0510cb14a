/// Tensors one after another along an axis.
package struct Concatenate: OperationDefinition {
  package var axis: Int

  package init(axis: Int) {
    self.axis = axis
  }

  package var name: String { "concatenate" }

  package var attributes: [(name: String, value: Attribute)] { [("axis", .integer(axis))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    axis = try attributes.integer("axis")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    guard let first = operands.first else { throw TypeFault("needs at least one operand") }
    try TypeFault.requireSameType(operands)
    try TypeFault.requireAxes([axis], rank: first.rank)
    var size = Dim(0)
    for operand in operands {
      guard operand.rank == first.rank else {
        throw TypeFault("operands have different ranks, \(first) and \(operand)")
      }
      for other in first.shape.indices where other != axis && operand.shape[other] != first.shape[other] {
        throw TypeFault(
          "sizes differ on axis \(other), which is not the one joined (\(axis)): "
            + "\(first.shape[other]) in \(first) and \(operand.shape[other]) in \(operand)"
        )
      }
      size = size + operand.shape[axis]
    }
    var shape = first.shape
    shape[axis] = size
    return [first.with(shape: shape)]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    var start = 0
    var cotangents: [Tensor?] = []
    if context.operands.contains(where: { !$0.shape[axis].extents.isEmpty }) {
      // Where each operand begins is decided by data.
      var begin = Dim(0)
      for operand in context.operands {
        let place = context.builder.iota(TensorType(.i64, [operand.shape[axis]]), axis: 0)
        let source = (place + context.builder.number(begin)).unsqueezed(at: 1)
        cotangents.append(context.cotangent.gather(source, IndexedAxes(axes: [axis])).movingAxis(0, to: axis))
        begin = begin + operand.shape[axis]
      }
      return cotangents
    }
    for operand in context.operands {
      guard let size = operand.shape[axis].known else {
        throw TypeFault(
          "the gradient needs the size of axis \(axis), \(operand.shape[axis])", unbound: [operand.shape[axis]])
      }
      cotangents.append(context.cotangent.slice(axis: axis, from: start, to: start + size))
      start += size
    }
    return cotangents
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.concatenate(Concatenate(axis: axis + 1)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { index in
      // From the last operand to the first: each takes the indices below its end.
      var ends: [Int] = []
      for operand in context.operands { ends.append((ends.last ?? 0) + operand.shape[axis]) }
      func element(_ operand: Int) -> Scalar {
        var inner = index
        inner[axis] = index[axis] - (operand == 0 ? 0 : ends[operand - 1])
        return context.operands[operand][inner]
      }
      // Every operand has both ends of its own range: what stands behind "otherwise" may be computed anywhere.
      let type = context.operands[0].type.dtype
      var result = context.scalars.constant(type.isFloat ? .float(0) : .integer(0), type)
      for operand in ends.indices.reversed() {
        let rest = result
        let range = (operand == 0 ? 0 : ends[operand - 1])..<ends[operand]
        guard !range.isEmpty else { continue }
        result = context.scalars.guarded([.inRange(index[axis], range)], then: { element(operand) }, otherwise: rest)
      }
      return result
    }
  }
}
