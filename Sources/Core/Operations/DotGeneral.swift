/// The general contraction of two tensors, as XLA's DotGeneral.
///
/// Axes of the result: the batch axes in order, then the free axes of the left operand, then those of the right.
/// 16-bit floats accumulate in `f32`.
package struct DotGeneral: OperationDefinition {
  /// The axes of the left operand that go together with those of the right, in order.
  package var leftBatch: [Int]
  /// The axes of the right operand that go together with those of the left, in order.
  package var rightBatch: [Int]
  /// The axes of the left operand that are summed over.
  package var leftContracting: [Int]
  /// The axes of the right operand that are summed over, in the left one's order.
  package var rightContracting: [Int]

  /// A contraction; axes are counted from the outermost.
  package init(leftBatch: [Int] = [], rightBatch: [Int] = [], leftContracting: [Int], rightContracting: [Int]) {
    self.leftBatch = leftBatch
    self.rightBatch = rightBatch
    self.leftContracting = leftContracting
    self.rightContracting = rightContracting
  }

  package var name: String { "dot" }

  package var attributes: [(name: String, value: Attribute)] {
    [
      ("left_batch", .integers(leftBatch)), ("right_batch", .integers(rightBatch)),
      ("left_contracting", .integers(leftContracting)), ("right_contracting", .integers(rightContracting)),
    ]
  }

  private func free(_ rank: Int, _ batch: [Int], _ contracting: [Int]) -> [Int] {
    (0..<rank).filter { !batch.contains($0) && !contracting.contains($0) }
  }

  /// The axes of the left operand that stay, ascending.
  package func leftFree(_ rank: Int) -> [Int] { free(rank, leftBatch, leftContracting) }

  /// The axes of the right operand that stay, ascending.
  package func rightFree(_ rank: Int) -> [Int] { free(rank, rightBatch, rightContracting) }

  init(_ attributes: Attributes) throws(TypeFault) {
    leftBatch = try attributes.integers("left_batch")
    rightBatch = try attributes.integers("right_batch")
    leftContracting = try attributes.integers("left_contracting")
    rightContracting = try attributes.integers("right_contracting")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    try TypeFault.requireSameType(operands)
    let (left, right) = (operands[0], operands[1])
    guard left.dtype != .bool else { throw TypeFault("is not defined on bool", help: "convert the operands") }
    try TypeFault.requireAxes(leftBatch + leftContracting, rank: left.rank, "axes of the left operand")
    try TypeFault.requireAxes(rightBatch + rightContracting, rank: right.rank, "axes of the right operand")
    guard leftBatch.count == rightBatch.count, leftContracting.count == rightContracting.count else {
      throw TypeFault("the operands name different numbers of batch or contracted axes")
    }
    for (l, r) in zip(leftBatch, rightBatch) where left.shape[l] != right.shape[r] {
      throw TypeFault(
        "batch sizes differ, \(left.shape[l]) (axis \(l) of \(left)) and \(right.shape[r]) (axis \(r) of \(right))")
    }
    for (l, r) in zip(leftContracting, rightContracting) where left.shape[l] != right.shape[r] {
      throw TypeFault(
        "contracted sizes differ, \(left.shape[l]) (axis \(l) of \(left)) and \(right.shape[r]) (axis \(r) of \(right))"
      )
    }
    let shape =
      leftBatch.map { left.shape[$0] } + leftFree(left.rank).map { left.shape[$0] }
      + rightFree(right.rank).map { right.shape[$0] }
    return [left.with(shape: shape)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let (left, right) = (context.operands[0], context.operands[1])
    let leftFree = leftFree(left.rank)
    let rightFree = rightFree(right.rank)
    let batch = Array(0..<leftBatch.count)
    let dy = context.cotangent
    var leftCotangent: Tensor?
    var rightCotangent: Tensor?
    if context.wanted[0] {
      // Axes of dy . right: batch, left free, right contracted in the right operand's order.
      let raw = dy.dot(
        right,
        DotGeneral(
          leftBatch: batch, rightBatch: rightBatch,
          leftContracting: rightFree.indices.map { batch.count + leftFree.count + $0 }, rightContracting: rightFree))
      let order =
        leftBatch + leftFree
        + rightContracting.indices.sorted { rightContracting[$0] < rightContracting[$1] }.map { leftContracting[$0] }
      leftCotangent = raw.permute(Permute(order).inverse)
    }
    if context.wanted[1] {
      let raw = dy.dot(
        left,
        DotGeneral(
          leftBatch: batch, rightBatch: leftBatch, leftContracting: leftFree.indices.map { batch.count + $0 },
          rightContracting: leftFree))
      let order =
        rightBatch + rightFree
        + leftContracting.indices.sorted { leftContracting[$0] < leftContracting[$1] }.map { rightContracting[$0] }
      rightCotangent = raw.permute(Permute(order).inverse)
    }
    return [leftCotangent, rightCotangent]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    let (left, right) = (context.operands[0], context.operands[1])
    func moved(_ axes: [Int], _ isBatched: Bool) -> [Int] { isBatched ? axes.map { $0 + 1 } : axes }
    let both = context.isBatched[0] && context.isBatched[1]
    let axes = DotGeneral(
      leftBatch: (both ? [0] : []) + moved(leftBatch, context.isBatched[0]),
      rightBatch: (both ? [0] : []) + moved(rightBatch, context.isBatched[1]),
      leftContracting: moved(leftContracting, context.isBatched[0]),
      rightContracting: moved(rightContracting, context.isBatched[1]))
    let result = left.dot(right, axes)
    if both { return [result] }
    // The batch is the first of the free axes of its operand.
    return [result.movingAxis(leftBatch.count + (context.isBatched[0] ? 0 : leftFree(left.rank).count), to: 0)]
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let (left, right) = (context.operands[0], context.operands[1])
    let leftFree = leftFree(left.shape.count)
    let rightFree = rightFree(right.shape.count)
    return .element { index in
      let scalars = context.scalars
      let variables = scalars.variables(leftContracting.map { left.shape[$0] })
      var leftIndex = [Index](repeating: Index(0), count: left.shape.count)
      var rightIndex = [Index](repeating: Index(0), count: right.shape.count)
      for (position, (l, r)) in zip(leftBatch, rightBatch).enumerated() {
        leftIndex[l] = index[position]
        rightIndex[r] = index[position]
      }
      for (position, axis) in leftFree.enumerated() { leftIndex[axis] = index[leftBatch.count + position] }
      for (position, axis) in rightFree.enumerated() {
        rightIndex[axis] = index[leftBatch.count + leftFree.count + position]
      }
      for (position, variable) in variables.enumerated() {
        leftIndex[leftContracting[position]] = Index(variable)
        rightIndex[rightContracting[position]] = Index(variable)
      }
      return scalars.sumOfProducts(variables, left[leftIndex], right[rightIndex])
    }
  }
}

extension ScalarBuilder {
  /// The sum over the variables of the products of two scalars; 16-bit floats are multiplied and summed in `f32`.
  func sumOfProducts(_ variables: [LoopVariable], _ left: Scalar, _ right: Scalar) -> Scalar {
    let type = type(left)
    let wide = type.computeType
    let product = pointwise(.multiply, convert(left, wide), convert(right, wide))
    return convert(reduce(.sum, variables, product), type)
  }
}
