package import LatheCore

/// Sizes that data decides, of which the run tells whether they fit together.
extension Tensor {
  /// The tensor, where a condition of the run holds; elsewhere the run fails, as by an index out of range.
  package func required(_ condition: Tensor) -> Tensor { behind(condition.zeroWhereTrue) }

  /// The tensor, for which the run needs a number that is 0 wherever it goes on, of `zeroWhereTrue`.
  package func behind(_ zero: Tensor) -> Tensor {
    // The only place along a new axis.
    reshape([1] + shape).gather(zero.reshape([1]), IndexedAxes(axes: [0])).reshape(shape)
  }

  /// 0 where a condition without axes holds; elsewhere the run fails, as by an index out of range.
  ///
  /// It is a number that only the run knows, so that no pass takes the check away from what is computed with it.
  package var zeroWhereTrue: Tensor {
    let (zero, one) = (builder.scalar(.integer(0), .i64), builder.scalar(.integer(1), .i64))
    let found = convert(to: .i64).reshape([1]).gather(select(zero, one).reshape([1]), IndexedAxes(axes: [0]))
    return found - 1
  }

  /// The tensor with sizes that are not told to be its own; where they are not, the run fails.
  ///
  /// - Parameter wanted: A shape of the same rank. Of an axis that differs, data decides the size here or there.
  package func assumed(_ wanted: [Dim]) -> Tensor {
    guard !isPoisoned, wanted.count == rank, wanted != shape else { return self }
    var result = self
    for axis in wanted.indices where wanted[axis] != shape[axis] {
      let isEqual = builder.number(shape[axis]) .== builder.number(wanted[axis])
      result = result.elements(axis: axis, at: isEqual.zeroWhereTrue, step: 1, count: wanted[axis])
    }
    return result
  }

  /// The tensor with another one's sizes where data decides either, as `assumed`; `except` is an axis that stays.
  package func assumed(alike other: Tensor, except kept: Int? = nil) -> Tensor {
    guard !isPoisoned, !other.isPoisoned, rank == other.rank, !(shape + other.shape).extents.isEmpty else {
      return self
    }
    let wanted = zip(shape.indices, zip(shape, other.shape)).map { axis, sizes in
      let (own, size) = sizes
      let isOfData = !(own.extents + size.extents).isEmpty && (own.symbols + size.symbols).isEmpty
      return isOfData && axis != kept ? size : own
    }
    return assumed(wanted)
  }
}

/// Broadcasting where data decides sizes: the run tells which of them are 1.
extension Tensor {
  /// Operands that can be broadcast together, from some of which data decides sizes: what the run finds to be 1 is
  /// stretched, and the run fails where others differ.
  package static func stretchedAlike(_ operands: [Tensor]) -> [Tensor] {
    guard operands.contains(where: { !$0.shape.extents.isEmpty }), !operands.contains(where: \.isPoisoned) else {
      return operands
    }
    let builder = innermostBuilder(of: operands)
    var common = [Dim](repeating: 1, count: operands.map(\.rank).max() ?? 0)
    for operand in operands {
      for (size, axis) in zip(operand.shape.reversed(), common.indices.reversed()) {
        // What cannot be broadcast is left as it is, to be told where it is computed with.
        guard let both = builder.broadcast(common[axis], size) else { return operands }
        common[axis] = both
      }
    }
    return operands.map { $0.stretched(to: common, builder) }
  }

  /// The tensor in a shape that is broadcast together with its own, as ONNX expands.
  ///
  /// - Parameter sizes: What the run decides for an axis that has elements already is 1 or as many as there are.
  package func expanded(toFit sizes: [Dim]) throws(TypeFault) -> Tensor {
    let common = Tensor.stretchedAlike([self, builder.full(TensorType(.i64, sizes), .integer(0))])
    return common[0].expanded(to: try Tensor.broadcastShape(common.map(\.type)))
  }

  /// The tensor with sizes of a broadcast shape, aligned at the last axis, where its own are not 1.
  private func stretched(to common: [Dim], _ builder: Builder) -> Tensor {
    var result = self
    for (axis, size) in zip(shape.indices, common.suffix(rank)) where shape[axis] != size && shape[axis] != 1 {
      let (own, zero) = (builder.number(shape[axis]), builder.scalar(.integer(0), .i64))
      let isOne = own .== 1
      let step = isOne.select(zero, builder.scalar(.integer(1), .i64))
      // A size that data decides is checked where it is defined.
      let start = size.known.map { (isOne .| (own .== $0)).zeroWhereTrue } ?? zero
      result = result.elements(axis: axis, at: start, step: step, count: size)
    }
    return result
  }
}
