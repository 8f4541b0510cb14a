/// The same elements in row-major order, in another shape.
package struct Reshape: OperationDefinition {
  package var shape: [Dim]

  package init(_ shape: [Dim]) {
    self.shape = shape
  }

  package var name: String { "reshape" }

  package var attributes: [(name: String, value: Attribute)] { [("shape", .dimensions(shape))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    shape = try attributes.dimensions("shape")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let from = operands[0].shape.elementCount
    let to = shape.elementCount
    guard from == to else {
      throw TypeFault("\(operands[0].shape.text) has \(from) elements, \(shape.text) has \(to)")
    }
    return [operands[0].with(shape: shape)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    [context.cotangent.reshape(context.operands[0].shape)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.reshape(Reshape([context.size] + shape)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    return .element { index in
      operand[Self.map(index, from: context.shape(), to: operand.shape)]
    }
  }

  /// Sizes of which one may be -1, which stands for what is left of a type's elements.
  static func filling(_ sizes: [Dim], from type: TensorType) throws(TypeFault) -> [Dim] {
    let holes = sizes.indices.filter { sizes[$0] == -1 }
    guard holes.count <= 1 else { throw TypeFault("more than one size of \(sizes.text) is -1") }
    for size in sizes {
      if let known = size.known, known < -1 { throw TypeFault("the size \(known) is negative") }
    }
    guard let hole = holes.first else { return sizes }
    let others = sizes.indices.filter { $0 != hole }.map { sizes[$0] }.elementCount
    let count = type.shape.elementCount
    guard others != 0, let size = count.divided(exactlyBy: others) else {
      throw TypeFault("the \(count) elements of \(type) do not fill \(sizes.text)")
    }
    var filled = sizes
    filled[hole] = size
    return filled
  }

  /// The operand's index for a result's index.
  ///
  /// Axes of equal size are matched from both ends first, so that only the
  /// part that really changes is flattened and unflattened.
  static func map(_ index: [Index], from shape: [Int], to target: [Int]) -> [Index] {
    var head = 0
    while head < min(shape.count, target.count), shape[head] == target[head] { head += 1 }
    var tail = 0
    while tail < min(shape.count, target.count) - head,
      shape[shape.count - 1 - tail] == target[target.count - 1 - tail]
    { tail += 1 }
    let middle = head..<(shape.count - tail)
    let position = Index.flattened(Array(index[middle]), shape: Array(shape[middle]))
    let inner = Index.unflattened(position, shape: Array(target[head..<(target.count - tail)]))
    return Array(index[..<head]) + inner + Array(index[(shape.count - tail)...])
  }

  package func substituting(_ bindings: [String: Int]) -> Reshape { Reshape(shape.map { $0.substituting(bindings) }) }
}

/// `result.shape[i] == operand.shape[permutation[i]]`.
package struct Permute: OperationDefinition {
  package var permutation: [Int]

  package init(_ permutation: [Int]) {
    self.permutation = permutation
  }

  package var name: String { "permute" }

  package var attributes: [(name: String, value: Attribute)] { [("axes", .integers(permutation))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    permutation = try attributes.integers("axes")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard permutation.sorted() == Array(0..<operands[0].rank) else {
      throw TypeFault("\(permutation) is not a permutation of the axes of \(operands[0])")
    }
    return [operands[0].with(shape: permutation.map { operands[0].shape[$0] })]
  }

  /// The permutation that undoes this one.
  package var inverse: [Int] {
    var inverse = permutation
    for (position, axis) in permutation.enumerated() { inverse[axis] = position }
    return inverse
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent.permute(inverse)] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.permute(Permute([0] + permutation.map { $0 + 1 })))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let inverse = inverse
    return .element { index in context.operands[0][inverse.map { index[$0] }] }
  }
}

/// Repeats a tensor along new axes and along axes of size 1: the only broadcast of the graph.
///
/// Axis `i` of the operand becomes axis `axes[i]` of the result; it has the result's size there, or 1.
package struct Broadcast: OperationDefinition {
  package var shape: [Dim]
  package var axes: [Int]

  package init(_ shape: [Dim], axes: [Int]) {
    self.shape = shape
    self.axes = axes
  }

  package var name: String { "broadcast" }

  package var attributes: [(name: String, value: Attribute)] {
    [("shape", .dimensions(shape)), ("axes", .integers(axes))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    shape = try attributes.dimensions("shape")
    axes = try attributes.integers("axes")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard axes.count == operands[0].rank else {
      throw TypeFault("\(axes.count) axes are given for a tensor of rank \(operands[0].rank)")
    }
    try TypeFault.requireAxes(axes, rank: shape.count)
    guard axes == axes.sorted() else { throw TypeFault("axes \(axes) are not ascending") }
    for (position, axis) in axes.enumerated() {
      let size = operands[0].shape[position]
      guard size == shape[axis] || size == 1 else {
        throw TypeFault("axis \(position) of \(operands[0]) has size \(size), \(shape.text) needs \(shape[axis]) or 1")
      }
    }
    return [operands[0].with(shape: shape)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let operand = context.operands[0]
    let repeated = shape.indices.filter { axis in
      guard let position = axes.firstIndex(of: axis) else { return true }
      return operand.shape[position] != shape[axis]
    }
    return [context.cotangent.reduce(.sum, axes: repeated).reshape(operand.shape)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.broadcast(Broadcast([context.size] + shape, axes: [0] + axes.map { $0 + 1 })))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let operand = context.operands[0]
    return .element { index in
      operand[zip(axes, operand.shape).map { axis, size in size == 1 ? Index(0) : index[axis] }]
    }
  }

  package func substituting(_ bindings: [String: Int]) -> Broadcast {
    Broadcast(shape.map { $0.substituting(bindings) }, axes: axes)
  }
}

/// `result[i] = operand[start + i * stride]` on every axis, for indices below `limit`.
package struct Slice: OperationDefinition {
  package var start: [Int]
  package var limit: [Dim]
  package var stride: [Int]

  package init(start: [Int], limit: [Dim], stride: [Int]) {
    self.start = start
    self.limit = limit
    self.stride = stride
  }

  package var name: String { "slice" }

  package var attributes: [(name: String, value: Attribute)] {
    [("start", .integers(start)), ("limit", .dimensions(limit)), ("stride", .integers(stride))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    start = try attributes.integers("start")
    limit = try attributes.dimensions("limit")
    stride = try attributes.integers("stride")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let shape = operands[0].shape
    guard start.count == shape.count, limit.count == shape.count, stride.count == shape.count else {
      throw TypeFault("start, limit and stride need \(shape.count) numbers each for \(operands[0])")
    }
    var sizes: [Dim] = []
    for axis in shape.indices {
      guard stride[axis] > 0 else { throw TypeFault("stride \(stride[axis]) on axis \(axis) is not positive") }
      let extent = limit[axis] - Dim(start[axis])
      if let size = shape[axis].known, let end = limit[axis].known,
        start[axis] < 0 || end > size || start[axis] > end
      {
        throw TypeFault("\(start[axis])..<\(end) is outside axis \(axis) of size \(size)")
      }
      sizes.append((extent + Dim(stride[axis] - 1)).floorDivided(by: stride[axis]))
    }
    return [operands[0].with(shape: sizes)]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let operand = context.operands[0]
    var cotangent = context.cotangent
    var (low, high) = (start, [Int]())
    for axis in start.indices {
      let covered = Dim(start[axis]) + (context.results[0].shape[axis] - 1) * Dim(stride[axis]) + 1
      if stride[axis] == 1, !(operand.shape[axis] - covered).extents.isEmpty {
        // How much is cut off is decided by data: each element takes what is at its place, or 0.
        let place = context.builder.iota(TensorType(.i64, [operand.shape[axis]]), axis: 0) - start[axis]
        cotangent = cotangent.gather(place.unsqueezed(at: 1), IndexedAxes(axes: [axis], outside: .ignored))
          .movingAxis(0, to: axis)
        low[axis] = 0
        high.append(0)
        continue
      }
      guard let rest = (operand.shape[axis] - covered).known else {
        throw TypeFault(
          "the gradient needs the size of axis \(axis), \(operand.shape[axis])", unbound: [operand.shape[axis]])
      }
      high.append(rest)
    }
    return [cotangent.pad(low: low, high: high, interior: stride.map { $0 - 1 })]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.slice(Slice(start: [0] + start, limit: [context.size] + limit, stride: [1] + stride)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { index in
      context.operands[0][index.indices.map { index[$0] * stride[$0] + start[$0] }]
    }
  }

  package func substituting(_ bindings: [String: Int]) -> Slice {
    Slice(start: start, limit: limit.map { $0.substituting(bindings) }, stride: stride)
  }
}

/// The elements in opposite order along some axes.
package struct Reverse: OperationDefinition {
  package var axes: [Int]

  package init(_ axes: [Int]) {
    self.axes = axes
  }

  package var name: String { "reverse" }

  package var attributes: [(name: String, value: Attribute)] { [("axes", .integers(axes))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    axes = try attributes.integers("axes")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    try TypeFault.requireAxes(axes, rank: operands[0].rank)
    return operands
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [context.cotangent.reverse(axes)] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.reverse(Reverse(axes.map { $0 + 1 })))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let shape = context.shape()
    return .element { index in
      context.operands[0][index.indices.map { axes.contains($0) ? Index(shape[$0] - 1) - index[$0] : index[$0] }]
    }
  }
}
