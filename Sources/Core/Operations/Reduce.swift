/// Joins the elements along some axes, which vanish.
package struct Reduce: OperationDefinition {
  package var combiner: Combiner
  package var axes: [Int]

  package init(_ combiner: Combiner, axes: [Int]) {
    self.combiner = combiner
    self.axes = axes
  }

  package var name: String { "reduce_\(combiner.rawValue)" }

  package var attributes: [(name: String, value: Attribute)] { [("axes", .integers(axes))] }

  init(_ combiner: Combiner, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    axes = try attributes.integers("axes")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let operand = operands[0]
    try TypeFault.requireAxes(axes, rank: operand.rank)
    if operand.dtype == .bool && (combiner == .sum || combiner == .product) {
      throw TypeFault("is not defined on bool", help: "convert the operand to i64")
    }
    return [operand.with(shape: operand.shape.indices.filter { !axes.contains($0) }.map { operand.shape[$0] })]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let x = context.operands[0]
    let kept = x.shape.indices.filter { !axes.contains($0) }
    func spread(_ tensor: Tensor) -> Tensor { tensor.broadcast(to: x.shape, axes: kept) }
    let dy = spread(context.cotangent)
    switch combiner {
    case .sum: return [dy]
    case .min, .max:
      // Ties share the cotangent evenly, as PyTorch's amin and amax do.
      let chosen = (x .== spread(context.results[0])).convert(to: x.dtype)
      return [dy * chosen / spread(chosen.reduce(.sum, axes: axes))]
    case .product:
      // The product of all others, exact where elements are zero: running products from both ends.
      let flattened = x.permute(kept + axes).reshape(kept.map { x.shape[$0] } + [axes.map { x.shape[$0] }.elementCount])
      let others = flattened.exclusiveProduct(axis: kept.count)
      let permuted = others.reshape((kept + axes).map { x.shape[$0] })
      return [dy * permuted.permute(Permute(kept + axes).inverse)]
    }
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.reduce(Reduce(combiner, axes: axes.map { $0 + 1 })))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    return .element { index in
      let variables = context.scalars.variables(axes.map { operand.shape[$0] })
      var full = [Index](repeating: Index(0), count: operand.shape.count)
      for (axis, variable) in zip(axes, variables) { full[axis] = Index(variable) }
      for (axis, outer) in zip(operand.shape.indices.filter { !axes.contains($0) }, index) { full[axis] = outer }
      return context.scalars.reduce(combiner, variables, operand[full])
    }
  }
}

/// The index at which an axis is least or greatest, as `i64`: the first such; NaN counts as extreme, as in PyTorch.
package struct ArgReduce: OperationDefinition {
  package var combiner: Combiner
  package var axis: Int

  package init(_ combiner: Combiner, axis: Int) {
    self.combiner = combiner
    self.axis = axis
  }

  package var name: String { "arg_\(combiner.rawValue)" }

  package var attributes: [(name: String, value: Attribute)] { [("axis", .integer(axis))] }

  init(_ combiner: Combiner, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    axis = try attributes.integer("axis")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    try TypeFault.requireAxes([axis], rank: operands[0].rank)
    guard combiner == .min || combiner == .max else { throw TypeFault("\(combiner) has no arg form") }
    guard operands[0].shape[axis] != 0 else { throw TypeFault("axis \(axis) of \(operands[0]) is empty") }
    var shape = operands[0].shape
    shape.remove(at: axis)
    return [TensorType(.i64, shape)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.argReduce(ArgReduce(combiner, axis: axis + 1)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    return .element { index in
      let variable = context.scalars.variable(operand.shape[axis])
      var full = index
      full.insert(Index(variable), at: axis)
      return context.scalars.argReduce(combiner, variable, operand[full])
    }
  }
}

/// Running reductions along an axis: `result[i] = result[i - 1] join operand[i]`, from the other end when reversed.
package struct CumulativeReduce: OperationDefinition {
  package var combiner: Combiner
  package var axis: Int
  package var reverse: Bool

  package init(_ combiner: Combiner, axis: Int, reverse: Bool = false) {
    self.combiner = combiner
    self.axis = axis
    self.reverse = reverse
  }

  package var name: String { "cumulative_\(combiner.rawValue)" }

  package var attributes: [(name: String, value: Attribute)] {
    [("axis", .integer(axis)), ("reverse", .flag(reverse))]
  }

  init(_ combiner: Combiner, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    axis = try attributes.integer("axis")
    reverse = try attributes.flag("reverse")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    try TypeFault.requireAxes([axis], rank: operands[0].rank)
    if operands[0].dtype == .bool && (combiner == .sum || combiner == .product) {
      throw TypeFault("is not defined on bool", help: "convert the operand to i64")
    }
    return operands
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let x = context.operands[0]
    let y = context.results[0]
    let dy = context.cotangent
    switch combiner {
    case .sum: return [dy.cumulative(.sum, axis: axis, reverse: !reverse)]
    case .min, .max:
      // The place that each running extreme comes from: the last one so far that equals it.
      let place = x.builder.iota(TensorType(.i64, x.shape), axis: axis)
      let none = place.filled(reverse ? .integer(Int.max) : .integer(-1))
      let source = (x .== y).select(place, none).cumulative(reverse ? .min : .max, axis: axis, reverse: reverse)
      return [x.zerosLike().scatterAlong(axis: axis, indices: source, updates: dy, combiner: .sum, outside: .ignored)]
    case .product:
      // d y[i] / d x[k] is the product of the others up to i, exact where elements are zero: quadratic in the axis.
      guard let size = x.shape[axis].known else {
        throw TypeFault("the gradient needs the size of axis \(axis), \(x.shape[axis])", unbound: [x.shape[axis]])
      }
      let last = x.rank
      let square = x.movingAxis(axis, to: x.rank - 1).unsqueezed(at: last - 1)
      let shape = square.shape.dropLast(2) + [Dim(size), Dim(size)]
      let repeated = square.broadcast(to: Array(shape), axes: Array(0..<shape.count))
      let row = x.builder.iota(TensorType(.i64, Array(shape)), axis: last - 1)
      let column = x.builder.iota(TensorType(.i64, Array(shape)), axis: last)
      let without = (row .== column).select(repeated.onesLike(), repeated)
      let products = without.cumulative(.product, axis: last, reverse: reverse)
      let reached = reverse ? column .<= row : column .>= row
      let cotangents = dy.movingAxis(axis, to: x.rank - 1).unsqueezed(at: last - 1)
        .broadcast(to: Array(shape), axes: Array(0..<shape.count))
      let sum = reached.select(products * cotangents, products.zerosLike()).reduce(.sum, axes: [last])
      return [sum.movingAxis(x.rank - 1, to: axis)]
    }
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.cumulative(CumulativeReduce(combiner, axis: axis + 1, reverse: reverse)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .cumulative(Cumulative(combiner: combiner, axis: axis, reverse: reverse) { context.operands[0][$0] })
  }
}
