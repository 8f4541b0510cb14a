/// Where a window slides over the last axes of a tensor.
package struct WindowShape: Hashable, Sendable {
  /// By axis, the elements under the window.
  package var size: [Int]
  /// By axis, from one place of the window to the next.
  package var stride: [Int]
  /// By axis, the padding before the first element; it holds the combiner's identity.
  package var low: [Int]
  /// By axis, the padding behind the last element.
  package var high: [Int]
  /// The distance of neighbouring elements of the operand; the places between hold the combiner's identity.
  package var inputDilation: [Int]
  /// The distance of neighbouring elements of the window.
  package var dilation: [Int]

  /// A window over as many axes as the arrays have numbers; dilations are 1 by default.
  package init(size: [Int], stride: [Int], low: [Int], high: [Int], inputDilation: [Int]? = nil, dilation: [Int]? = nil)
  {
    self.size = size
    self.stride = stride
    self.low = low
    self.high = high
    self.inputDilation = inputDilation ?? size.map { _ in 1 }
    self.dilation = dilation ?? size.map { _ in 1 }
  }

  var attributes: [(name: String, value: Attribute)] {
    [
      ("size", .integers(size)), ("stride", .integers(stride)), ("low", .integers(low)), ("high", .integers(high)),
      ("input_dilation", .integers(inputDilation)), ("dilation", .integers(dilation)),
    ]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    size = try attributes.integers("size")
    stride = try attributes.integers("stride")
    low = try attributes.integers("low")
    high = try attributes.integers("high")
    inputDilation = try attributes.integers("input_dilation")
    dilation = try attributes.integers("dilation")
  }

  func infer(_ operand: TensorType) throws(TypeFault) -> [Dim] {
    guard operand.rank >= size.count else {
      throw TypeFault("a window of \(size.count) axes does not fit \(operand)")
    }
    for list in [stride, low, high, inputDilation, dilation] where list.count != size.count {
      throw TypeFault("stride, padding and dilation need \(size.count) numbers each")
    }
    for number in size + stride + inputDilation + dilation where number < 1 {
      throw TypeFault("sizes, strides and dilations are positive, given \(number)")
    }
    guard size.map({ Dim($0) }).elementCount.known ?? 0 <= 1 << 31 else {
      throw TypeFault("a window of size \(size) has more than 2^31 elements")
    }
    var shape = Array(operand.shape.dropLast(size.count))
    for (axis, extent) in operand.shape.suffix(size.count).enumerated() {
      let spread = extent == 0 ? Dim(0) : (extent - 1) * Dim(inputDilation[axis]) + 1
      let padded = spread + Dim(low[axis] + high[axis])
      let reach = (size[axis] - 1) * dilation[axis] + 1
      if let known = padded.known, known < reach {
        throw TypeFault(
          "the window of size \(reach) is larger than the padded input of size \(known) on window axis \(axis)")
      }
      shape.append((padded - Dim(reach)).floorDivided(by: stride[axis]) + 1)
    }
    return shape
  }

  /// The operand's indices under the window, and the conditions for them to exist.
  func source(_ index: [Index], _ window: [Index], readable: [Range<Int>]) -> (
    indices: [Index], constraints: [Constraint]
  ) {
    let lead = readable.count - size.count
    var indices = Array(index.prefix(lead))
    var constraints: [Constraint] = []
    for axis in size.indices {
      let position = index[lead + axis] * stride[axis] + window[axis] * dilation[axis] - low[axis]
      if inputDilation[axis] > 1 { constraints.append(.multiple(position, of: inputDilation[axis])) }
      let element = position.floorDivided(by: inputDilation[axis])
      constraints.append(.inRange(element, readable[lead + axis]))
      indices.append(element)
    }
    return (indices, constraints)
  }
}

/// Joins the elements under a window that slides over the last axes: pooling.
package struct WindowReduce: OperationDefinition {
  package var combiner: Combiner
  package var window: WindowShape

  package init(_ combiner: Combiner, _ window: WindowShape) {
    self.combiner = combiner
    self.window = window
  }

  package var name: String { "window_\(combiner.rawValue)" }

  package var attributes: [(name: String, value: Attribute)] { window.attributes }

  init(_ combiner: Combiner, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    window = try WindowShape(attributes)
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    if operands[0].dtype == .bool { throw TypeFault("is not defined on bool") }
    return [operands[0].with(shape: try window.infer(operands[0]))]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let x = context.operands[0]
    let dy = context.cotangent
    switch combiner {
    case .sum:
      let count = window.size.count
      guard let xSizes = Array(x.shape.suffix(count)).known, let ySizes = Array(dy.shape.suffix(count)).known else {
        throw TypeFault("the gradient needs the sizes of the window's axes", unbound: x.shape.suffix(count))
      }
      var transposed = window
      transposed.stride = window.inputDilation
      transposed.inputDilation = window.stride
      for axis in window.size.indices {
        let reach = (window.size[axis] - 1) * window.dilation[axis]
        let spread = (ySizes[axis] - 1) * window.stride[axis] + 1
        let wanted = (xSizes[axis] - 1) * window.inputDilation[axis] + 1
        transposed.low[axis] = reach - window.low[axis]
        transposed.high[axis] = wanted + reach - spread - transposed.low[axis]
      }
      return [dy.windowReduce(.sum, transposed)]
    case .min, .max:
      // The first extreme of each window takes the whole cotangent, as in PyTorch's max_pool.
      let lead = x.rank - window.size.count
      let flat = Array(x.shape.prefix(lead)) + [Array(x.shape.suffix(window.size.count)).elementCount]
      let places = x.windowArgReduce(combiner, window)
      let count = Array(places.shape.suffix(window.size.count)).elementCount
      let outer = Array(x.shape.prefix(lead)) + [count]
      let gradient = x.builder.zeros(TensorType(x.dtype, flat)).scatterAlong(
        axis: lead, indices: places.reshape(outer), updates: dy.reshape(outer), combiner: .sum, outside: .ignored)
      return [gradient.reshape(x.shape)]
    case .product:
      throw TypeFault("has no gradient; multiply slices of the operand instead")
    }
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.windowReduce(self))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    let scalars = context.scalars
    return .element { index in
      let variables = scalars.variables(window.size)
      // Zeros around the operand count in a sum.
      let readable = combiner == .sum ? operand.readable : operand.shape.map { 0..<$0 }
      let (indices, constraints) = window.source(index, variables.map { Index($0) }, readable: readable)
      let identity = scalars.constant(combiner.identity(operand.type.dtype), operand.type.dtype)
      return scalars.reduce(
        combiner, variables, scalars.guarded(constraints, then: { operand[indices] }, otherwise: identity))
    }
  }
}

/// The place of the extreme under a window that slides over the last axes, as `i64`: its row-major position in those
/// axes of the operand, the first one on ties (PyTorch's `return_indices`).
package struct WindowArgReduce: OperationDefinition {
  package var combiner: Combiner
  package var window: WindowShape

  package init(_ combiner: Combiner, _ window: WindowShape) {
    self.combiner = combiner
    self.window = window
  }

  package var name: String { "window_arg_\(combiner.rawValue)" }

  package var attributes: [(name: String, value: Attribute)] { window.attributes }

  init(_ combiner: Combiner, _ attributes: Attributes) throws(TypeFault) {
    self.combiner = combiner
    window = try WindowShape(attributes)
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard combiner == .min || combiner == .max else { throw TypeFault("\(combiner) has no arg form") }
    return [TensorType(.i64, try window.infer(operands[0]))]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.windowArgReduce(self))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    let scalars = context.scalars
    let spatial = Array(operand.shape.suffix(window.size.count))
    let bounds = operand.shape.map { 0..<$0 }
    return .element { index in
      // One variable over the whole window keeps "the first" well defined; its parts are recovered by division.
      let variable = scalars.variable(window.size.reduce(1, *))
      let (indices, constraints) = window.source(
        index, Index.unflattened(Index(variable), shape: window.size), readable: bounds)
      let identity = scalars.constant(combiner.identity(operand.type.dtype), operand.type.dtype)
      let place = scalars.argReduce(
        combiner, variable, scalars.guarded(constraints, then: { operand[indices] }, otherwise: identity))
      let chosen = Index.unflattened(Index(place), shape: window.size)
      let (found, _) = window.source(index, chosen, readable: bounds)
      return scalars.index(Index.flattened(Array(found.suffix(spatial.count)), shape: spatial))
    }
  }
}
