/// Which axes of a tensor are addressed by data.
///
/// The first `batch` axes of the tensor and of `indices` go together; of the tensor's other axes, those in `axes`
/// (ascending, counted in the whole tensor) are addressed by the last axis of `indices`.
public struct IndexedAxes: Hashable, Sendable {
  public var batch: Int
  public var axes: [Int]

  public init(batch: Int = 0, axes: [Int]) {
    self.batch = batch
    self.axes = axes
  }

  var attributes: [(name: String, value: Attribute)] { [("batch", .integer(batch)), ("axes", .integers(axes))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    batch = try attributes.integer("batch")
    axes = try attributes.integers("axes")
  }

  /// The axes of the tensor that stay in the result, after the batch.
  func kept(_ rank: Int) -> [Int] { (batch..<max(batch, rank)).filter { !axes.contains($0) } }

  /// The shape of what is read or written: batch, the places in `indices`, the kept axes.
  func slices(_ operand: TensorType, _ indices: TensorType) throws(TypeFault) -> [Dimension] {
    guard indices.dtype.isInteger else { throw TypeFault("the indices are \(indices.dtype), not integers") }
    try TypeFault.requireAxes(axes, rank: operand.rank)
    guard batch >= 0, batch <= operand.rank, batch < indices.rank else {
      throw TypeFault("\(batch) batch axes do not fit \(operand) and indices \(indices)")
    }
    guard axes == axes.sorted(), axes.allSatisfy({ $0 >= batch }) else {
      throw TypeFault("axes \(axes) are not ascending after \(batch) batch axes")
    }
    guard indices.shape[indices.rank - 1] == Dimension(axes.count) else {
      throw TypeFault(
        "the last axis of the indices \(indices) must have size \(axes.count), one for each addressed axis")
    }
    for axis in 0..<batch where operand.shape[axis] != indices.shape[axis] {
      throw TypeFault(
        "batch axis \(axis) has size \(operand.shape[axis]) in \(operand) and \(indices.shape[axis]) in the indices")
    }
    return Array(indices.shape.dropLast()) + kept(operand.rank).map { operand.shape[$0] }
  }

  /// The tensor's index for an index into the slices.
  func target(
    _ index: [Index], indices: TensorExpression, rank: Int, _ scalars: ScalarBuilder
  ) -> [Index] {
    let places = indices.shape.count - 1
    var target = [Index](repeating: Index(0), count: rank)
    for axis in 0..<batch { target[axis] = index[axis] }
    for (position, axis) in axes.enumerated() {
      let value = indices[Array(index.prefix(places)) + [Index(position)]]
      target[axis] = Index(scalars.convert(value, .i64))
    }
    for (position, axis) in kept(rank).enumerated() { target[axis] = index[places + position] }
    return target
  }
}

/// Reads slices at computed places.
///
/// Operands are the tensor and integer `indices`; the result has the axes `[batch, places..., kept...]`. Places outside of the tensor read as 0.
public struct Gather: OperationDefinition {
  public var indexed: IndexedAxes

  public init(_ indexed: IndexedAxes) {
    self.indexed = indexed
  }

  public var name: String { "gather" }

  public var attributes: [(name: String, value: Attribute)] { indexed.attributes }

  init(_ attributes: Attributes) throws(TypeFault) {
    indexed = try IndexedAxes(attributes)
  }

  public func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    return [operands[0].with(shape: try indexed.slices(operands[0], operands[1]))]
  }

  public func pullback(_ context: PullbackContext) -> [Tensor?] {
    [context.operands[0].zerosLike().scatter(context.operands[1], context.cotangent, indexed, combiner: .sum), nil]
  }

  public func lower(_ context: LoweringContext) -> Definition {
    let (operand, indices) = (context.operands[0], context.operands[1])
    let scalars = context.scalars
    let type = operand.type.dtype
    return .element { index in
      let target = indexed.target(index, indices: indices, rank: operand.shape.count, scalars)
      let constraints = indexed.axes.map { Constraint.inRange(target[$0], 0..<operand.shape[$0]) }
      let zero = scalars.constant(type.isFloat ? .float(0) : .integer(0), type)
      return scalars.guarded(constraints, then: { operand[target] }, otherwise: zero)
    }
  }
}

/// Writes slices at computed places of a copy.
///
/// Operands are the tensor, integer `indices`, and the updates in the shape that `Gather` would give. Places outside of the tensor are left out; updates are joined in row-major order, or
/// replace the element (the last one stays) when there is no combiner.
public struct Scatter: OperationDefinition {
  public var indexed: IndexedAxes
  public var combiner: Combiner?

  public init(_ indexed: IndexedAxes, combiner: Combiner?) {
    self.indexed = indexed
    self.combiner = combiner
  }

  public var name: String { "scatter" + (combiner.map { "_\($0.rawValue)" } ?? "") }

  public var attributes: [(name: String, value: Attribute)] { indexed.attributes }

  init(_ combiner: Combiner?, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    indexed = try IndexedAxes(attributes)
  }

  public func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 3)
    try TypeFault.requireSameType([operands[0], operands[2]])
    let slices = try indexed.slices(operands[0], operands[1])
    guard operands[2].shape == slices else {
      throw TypeFault("the updates \(operands[2]) should have shape \(slices.text)")
    }
    return [operands[0]]
  }

  public func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
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
    case .some(let combiner): throw TypeFault("has no gradient for the combiner \(combiner)")
    }
  }

  public func lower(_ context: LoweringContext) -> Definition {
    let (operand, indices, updates) = (context.operands[0], context.operands[1], context.operands[2])
    return .scatter(
      ScatterDefinition(
        base: { operand[$0] }, domain: updates.shape,
        target: { indexed.target($0, indices: indices, rank: operand.shape.count, context.scalars) },
        update: { updates[$0] }, combiner: combiner))
  }
}
