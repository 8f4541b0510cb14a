/// Which axes of a tensor are addressed by data, and what becomes of indices that lie outside.
///
/// The first `batch` axes of the tensor and of `indices` go together; of the tensor's other axes, those in `axes`
/// (ascending, counted in the whole tensor) are addressed by the last axis of `indices`.
package struct IndexedAxes: Hashable, Sendable {
  /// What an index outside of its axis, `0 ..< size`, means.
  package enum Outside: String, Hashable, Sendable, CaseIterable {
    /// The run fails; what is built of such a literal is a fault at once. An index that no result depends on may stay
    /// unseen.
    case error
    /// It reads as 0, and is not written.
    case ignored
  }

  /// How many of the first axes the tensor and the indices have in common.
  package var batch: Int
  /// The axes that are addressed, ascending.
  package var axes: [Int]
  /// What becomes of indices that lie outside.
  package var outside: Outside

  /// Axes of a tensor that data addresses.
  package init(batch: Int = 0, axes: [Int], outside: Outside = .error) {
    self.batch = batch
    self.axes = axes
    self.outside = outside
  }

  var attributes: [(name: String, value: Attribute)] {
    [("batch", .integer(batch)), ("axes", .integers(axes))]
      + (outside == .error ? [] : [("outside", .word(outside.rawValue))])
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    batch = try attributes.integer("batch")
    axes = try attributes.integers("axes")
    outside = .error
    guard attributes.values["outside"] != nil else { return }
    let word = try attributes.word("outside")
    guard let known = Outside(rawValue: word) else {
      throw TypeFault("outside is '\(word)', neither error nor ignored")
    }
    outside = known
  }

  /// The axes of the tensor that stay in the result, after the batch.
  func kept(_ rank: Int) -> [Int] { (batch..<max(batch, rank)).filter { !axes.contains($0) } }

  /// The same with one more axis in front that the tensor and the indices have in common.
  var batched: IndexedAxes {
    IndexedAxes(batch: batch + 1, axes: axes.map { $0 + 1 }, outside: outside)
  }

  /// The shape of what is read or written: batch, the places in `indices`, the kept axes.
  func slices(_ operand: TensorType, _ indices: TensorType) throws(TypeFault) -> [Dim] {
    guard indices.dtype.isInteger else { throw TypeFault("the indices are \(indices.dtype), not integers") }
    try TypeFault.requireAxes(axes, rank: operand.rank)
    guard batch >= 0, batch <= operand.rank, batch < indices.rank else {
      throw TypeFault("\(batch) batch axes do not fit \(operand) and indices \(indices)")
    }
    guard axes == axes.sorted(), axes.allSatisfy({ $0 >= batch }) else {
      throw TypeFault("axes \(axes) are not ascending after \(batch) batch axes")
    }
    guard indices.shape[indices.rank - 1] == Dim(axes.count) else {
      throw TypeFault(
        "the last axis of the indices \(indices) must have size \(axes.count), one for each addressed axis")
    }
    for axis in 0..<batch where operand.shape[axis] != indices.shape[axis] {
      throw TypeFault(
        "batch axis \(axis) has size \(operand.shape[axis]) in \(operand) and \(indices.shape[axis]) in the indices")
    }
    let places = Array(indices.shape.dropLast())
    if outside == .error, let axis = axes.first(where: { operand.shape[$0] == 0 }), places.elementCount.known ?? 0 > 0 {
      throw TypeFault("axis \(axis) of \(operand) has no elements that the indices \(indices) could address")
    }
    return places + kept(operand.rank).map { operand.shape[$0] }
  }

  /// Throws where an index is known to lie outside of its axis and must not.
  ///
  /// - Parameter indices: The literal, or the one number that all indices are.
  func check(_ operand: TensorType, _ indices: NDArray?) throws(TypeFault) {
    guard outside == .error, let indices else { return }
    let sizes = axes.map { operand.shape[$0].known }
    for (position, index) in indices.integers.enumerated() {
      for axis in axes.indices where indices.count == 1 || axis == position % axes.count {
        guard let size = sizes[axis], index < 0 || index >= size else { continue }
        throw TypeFault("index \(index) is out of range for axis \(axes[axis]) of \(operand)")
      }
    }
  }

  /// The tensor's index for an index into the slices.
  func target(
    _ index: [Index], indices: TensorExpression, shape: [Int], _ scalars: ScalarBuilder
  ) -> [Index] {
    let places = indices.shape.count - 1
    var target = [Index](repeating: Index(0), count: shape.count)
    for axis in 0..<batch { target[axis] = index[axis] }
    for (position, axis) in axes.enumerated() {
      let value = scalars.convert(indices[Array(index.prefix(places)) + [Index(position)]], .i64)
      target[axis] = scalars.asIndex(outside == .error ? scalars.checked(value, shape[axis]) : value)
    }
    for (position, axis) in kept(shape.count).enumerated() { target[axis] = index[places + position] }
    return target
  }
}

/// Reads slices at computed places.
///
/// Operands are the tensor and integer `indices`; the result has the axes `[batch, places..., kept...]`.
package struct Gather: OperationDefinition {
  package var indexed: IndexedAxes

  package init(_ indexed: IndexedAxes) {
    self.indexed = indexed
  }

  package var name: String { "gather" }

  package var attributes: [(name: String, value: Attribute)] { indexed.attributes }

  init(_ attributes: Attributes) throws(TypeFault) {
    indexed = try IndexedAxes(attributes)
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    return [operands[0].with(shape: try indexed.slices(operands[0], operands[1]))]
  }

  package func check(_ operands: [TensorType], literal: (Int) -> NDArray?) throws(TypeFault) {
    // One number that is repeated may be repeated no times.
    if operands[1].elementCount != 0 { try indexed.check(operands[0], literal(1)) }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    [context.operands[0].zerosLike().scatter(context.operands[1], context.cotangent, indexed, combiner: .sum), nil]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    // Of one tensor for all, more places are read.
    if !context.isBatched[0], indexed.batch == 0 {
      return context.builder.apply(.gather(self), context.operands)
    }
    return context.apply(.gather(Gather(indexed.batched)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let (operand, indices) = (context.operands[0], context.operands[1])
    let scalars = context.scalars
    let type = operand.type.dtype
    return .element { index in
      let target = indexed.target(index, indices: indices, shape: operand.shape, scalars)
      guard indexed.outside == .ignored else { return operand[target] }
      let constraints = indexed.axes.map { Constraint.inRange(target[$0], 0..<operand.shape[$0]) }
      let zero = scalars.constant(type.isFloat ? .float(0) : .integer(0), type)
      return scalars.guarded(constraints, then: { operand[target] }, otherwise: zero)
    }
  }
}

/// Writes slices at computed places of a copy.
///
/// Operands are the tensor, integer `indices`, and the updates in the shape that `Gather` would give. Updates are joined
/// in row-major order, or replace the element (the last one stays) when there is no combiner.
package struct Scatter: OperationDefinition {
  package var indexed: IndexedAxes
  package var combiner: Combiner?

  package init(_ indexed: IndexedAxes, combiner: Combiner?) {
    self.indexed = indexed
    self.combiner = combiner
  }

  package var name: String { "scatter" + (combiner.map { "_\($0.rawValue)" } ?? "") }

  package var attributes: [(name: String, value: Attribute)] { indexed.attributes }

  init(_ combiner: Combiner?, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    indexed = try IndexedAxes(attributes)
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 3)
    try TypeFault.requireSameType([operands[0], operands[2]])
    if operands[0].dtype == .bool && (combiner == .sum || combiner == .product) {
      throw TypeFault("is not defined on bool", help: "join with max for \"or\", with min for \"and\"")
    }
    let slices = try indexed.slices(operands[0], operands[1])
    guard operands[2].shape == slices else {
      throw TypeFault("the updates \(operands[2]) should have shape \(slices.text)")
    }
    return [operands[0]]
  }

  package func check(_ operands: [TensorType], literal: (Int) -> NDArray?) throws(TypeFault) {
    // One number that is repeated may be repeated no times.
    if operands[1].elementCount != 0 { try indexed.check(operands[0], literal(1)) }
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let indices = context.operands[1]
    let dy = context.cotangent
    switch combiner {
    case .sum: return [dy, nil, dy.gather(indices, indexed)]
    case nil:
      let updates = context.operands[2]
      let kept = dy.scatter(indices, updates.zerosLike(), indexed, combiner: nil)
      guard context.wanted[2] else { return [kept, nil, nil] }
      // Where several updates meet, only the last one is seen in the result: the one whose number stays there.
      let places = Array(updates.shape.prefix(indices.rank - 1))
      let numbers = updates.builder.iota(TensorType(.i64, [places.elementCount]), axis: 0).reshape(places)
        .broadcast(to: updates.shape, axes: Array(places.indices))
      let last = dy.builder.full(TensorType(.i64, dy.shape), .integer(-1))
        .scatter(indices, numbers, indexed, combiner: nil).gather(indices, indexed)
      let gathered = dy.gather(indices, indexed)
      return [kept, nil, (last .== numbers).select(gathered, gathered.zerosLike())]
    case .min, .max: return extremePullback(context)
    case .product: return productPullback(context)
    }
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.scatter(Scatter(indexed.batched, combiner: combiner)))
  }

  /// All that equal the result share its cotangent evenly, as PyTorch's `scatter_reduce` has it.
  private func extremePullback(_ context: PullbackContext) -> [Tensor?] {
    let (x, indices, updates, y) = (context.operands[0], context.operands[1], context.operands[2], context.results[0])
    let own = (x .== y).convert(to: x.dtype)
    let joined = (updates .== y.gather(indices, indexed)).convert(to: x.dtype)
    let share = context.cotangent / own.scatter(indices, joined, indexed, combiner: .sum)
    return [own * share, nil, joined * share.gather(indices, indexed)]
  }

  /// The product of all other factors, exact where factors are zero.
  private func productPullback(_ context: PullbackContext) -> [Tensor?] {
    let (x, indices, updates, dy) = (context.operands[0], context.operands[1], context.operands[2], context.cotangent)
    func split(_ factor: Tensor) -> (isZero: Tensor, nonzero: Tensor) {
      let isZero = factor .== 0
      return (isZero, isZero.select(factor.onesLike(), factor))
    }
    let (own, joined) = (split(x), split(updates))
    let zeros = own.isZero.convert(to: x.dtype)
      .scatter(indices, joined.isZero.convert(to: x.dtype), indexed, combiner: .sum)
    let product = own.nonzero.scatter(indices, joined.nonzero, indexed, combiner: .product)
    func others(_ factor: (isZero: Tensor, nonzero: Tensor), _ zeros: Tensor, _ product: Tensor) -> Tensor {
      let count = zeros - factor.isZero.convert(to: zeros.dtype)
      return (count .== 0).select(product / factor.nonzero, product.zerosLike())
    }
    return [
      dy * others(own, zeros, product), nil,
      dy.gather(indices, indexed) * others(joined, zeros.gather(indices, indexed), product.gather(indices, indexed)),
    ]
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let (operand, indices, updates) = (context.operands[0], context.operands[1], context.operands[2])
    return .scatter(
      ScatterDefinition(
        base: { operand[$0] }, domain: updates.shape,
        target: { indexed.target($0, indices: indices, shape: operand.shape, context.scalars) },
        isChecked: indexed.outside == .error, update: { updates[$0] }, combiner: combiner))
  }
}
