internal import LatheCore

extension GraphExport {
  /// A matrix product where axes only need to be permuted for one, else a sum in Einstein's notation.
  func write(
    _ dot: DotGeneral, _ left: ONNXValue, _ right: ONNXValue, _ type: TensorType
  ) throws(TypeFault) -> ONNXValue {
    let (leftFree, rightFree) = (dot.leftFree(left.rank), dot.rightFree(right.rank))
    let leftOrder = dot.leftBatch + leftFree + dot.leftContracting
    let rightOrder = dot.rightBatch + dot.rightContracting + rightFree
    // ONNX Runtime 1.31 takes a permutation into a product with a vector, and is wrong then.
    let isPermuted =
      leftOrder != Array(0..<left.rank) || rightOrder != Array(0..<right.rank)
      || block.transposed[left.name] != nil || block.transposed[right.name] != nil
    let hasVector = leftFree.isEmpty || rightFree.isEmpty
    let isMatrix = dot.leftContracting.count == 1 && rightFree.count <= 1 && !(isPermuted && hasVector)
    if isMatrix, dot.leftBatch.isEmpty || (leftFree.count == 1 && rightFree.count == 1) {
      if left.rank == 2, right.rank == 2, OperatorTypes.of("Gemm").working(left.dtype) != nil {
        return try gemm(dot, left, right, nil, type)
      }
      return try compute(
        "MatMul",
        [transpose(left, leftOrder), transpose(right, rightOrder)], in: left.dtype, type)
    }
    var letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")[...]
    guard left.rank + right.rank <= letters.count else {
      throw TypeFault("a contraction of \(left.rank) and \(right.rank) axes has more than the letters of Einsum")
    }
    var leftTerm = [Character](repeating: " ", count: left.rank)
    var rightTerm = [Character](repeating: " ", count: right.rank)
    for axis in left.shape.indices { leftTerm[axis] = letters.removeFirst() }
    for axis in right.shape.indices { rightTerm[axis] = letters.removeFirst() }
    for (l, r) in zip(dot.leftBatch + dot.leftContracting, dot.rightBatch + dot.rightContracting) {
      rightTerm[r] = leftTerm[l]
    }
    let result = (dot.leftBatch + leftFree).map { leftTerm[$0] } + rightFree.map { rightTerm[$0] }
    return try compute(
      "Einsum", [left, right], in: left.dtype, type,
      [.string("equation", String(leftTerm) + "," + String(rightTerm) + "->" + String(result))])
  }

  /// The product of two matrices, each as it is or transposed, and what is added to it.
  func gemm(
    _ dot: DotGeneral, _ left: ONNXValue, _ right: ONNXValue, _ added: ONNXValue?, _ type: TensorType
  ) throws(TypeFault) -> ONNXValue {
    var (left, right) = (left, right)
    var (transA, transB) = (dot.leftContracting[0] == 0, dot.rightContracting[0] == 1)
    // A transposition on the way is the operator's own.
    if let turned = block.transposed[left.name] {
      (left, transA) = (turned.source, !transA)
    }
    if let turned = block.transposed[right.name] {
      (right, transB) = (turned.source, !transB)
    }
    if added == nil, !transA, !transB { return try compute("MatMul", [left, right], in: left.dtype, type) }
    return try compute(
      "Gemm", [left, right] + (added.map { [$0] } ?? []), in: left.dtype, type,
      (transA ? [.int("transA", 1)] : []) + (transB ? [.int("transB", 1)] : []))
  }

  func write(_ convolution: Convolution, _ node: Node) throws(TypeFault) -> ONNXValue {
    let x = try value(node.operands[0])
    // A sum of nothing, at which runtimes stop.
    if x.shape[1] == 0 { return try expand(identity(.sum, x.dtype), to: node.types[0].shape) }
    let weight = node.operands[1]
    // ONNX has no convolutions of integers, ONNX Runtime none of f64.
    let isShort = Array(graph.type(of: weight).shape[2...]).elementCount.known.map { $0 <= 64 } ?? false
    if x.dtype.isInteger || x.dtype == .f64 && isShort {
      return try folded(convolution, x, try value(weight), node.types[0])
    }
    let spatial = convolution.stride.count
    if spatial == 0 {
      // Channels alone, on one axis of size 1.
      let one = Convolution(
        stride: [1], low: [0], high: [0], inputDilation: [1], dilation: [1], groups: convolution.groups)
      let weight = try value(node.operands[1])
      let y = try convolve(
        try reshape(x, to: x.shape + [1]), try reshape(weight, to: weight.shape + [1]), one, nil)
      return try reshape(y, to: node.types[0].shape)
    }
    if convolution.inputDilation.allSatisfy({ $0 == 1 }) {
      return try convolve(x, try value(node.operands[1]), convolution, nil)
    }
    return try transposed(x, try transposedWeight(node.operands[1], convolution), convolution, nil)
  }

  /// A convolution that does not spread its operand.
  func convolve(
    _ x: ONNXValue, _ weight: ONNXValue, _ convolution: Convolution, _ bias: ONNXValue?
  ) throws(TypeFault) -> ONNXValue {
    let spatial = convolution.stride.count
    // Negative padding cuts off.
    let cut = try pad(
      x, low: [0, 0] + convolution.low.map { min($0, 0) }, high: [0, 0] + convolution.high.map { min($0, 0) },
      value: identity(.sum, x.dtype))
    let pads = (convolution.low + convolution.high).map { max($0, 0) }
    var shape = [x.shape[0], weight.shape[0]]
    for axis in 0..<spatial {
      let padded = x.shape[2 + axis] + Dim(convolution.low[axis] + convolution.high[axis])
      let window = (weight.shape[2 + axis] - 1) * Dim(convolution.dilation[axis]) + 1
      shape.append((padded - window).floorDivided(by: convolution.stride[axis]) + 1)
    }
    return try compute(
      "Conv", [cut, weight] + (bias.map { [$0] } ?? []), in: x.dtype, x.type.with(shape: shape),
      kernelShape(weight) + [
        .ints("strides", convolution.stride), .ints("pads", pads),
        .ints("dilations", convolution.dilation), .int("group", convolution.groups),
      ])
  }

  private func kernelShape(_ weight: ONNXValue) -> [Onnx_AttributeProto] {
    Array(weight.shape[2...]).known.map { [.ints("kernel_shape", $0)] } ?? []
  }

  /// A convolution that spreads its operand: ONNX has it as the transpose of one, whose padding takes from the result.
  ///
  /// - Parameter weight: `[in, out / groups, spatial...]`, not reversed.
  func transposed(
    _ x: ONNXValue, _ weight: ONNXValue, _ convolution: Convolution, _ bias: ONNXValue?
  ) throws(TypeFault) -> ONNXValue {
    let spatial = Array(convolution.stride.indices)
    guard let kernel = Array(weight.shape[2...]).known else {
      throw TypeFault("the kernel's sizes must be known", unbound: weight.shape)
    }
    let reach = spatial.map { (kernel[$0] - 1) * convolution.dilation[$0] }
    let low = spatial.map { reach[$0] - convolution.low[$0] }
    let high = spatial.map { reach[$0] - convolution.high[$0] }
    let outputs = weight.shape[1] * Dim(convolution.groups)
    var shape = [x.shape[0], outputs]
    for axis in spatial {
      shape.append(
        (x.shape[2 + axis] - 1) * Dim(convolution.inputDilation[axis]) + Dim(reach[axis] + 1)
          - Dim(max(low[axis], 0) + max(high[axis], 0)))
    }
    // What no element reaches is zero, and comes behind.
    let isPadded = (low + high).contains(where: { $0 < 0 })
    var y = try compute(
      "ConvTranspose", [x, weight] + (isPadded ? [] : bias.map { [$0] } ?? []), in: x.dtype,
      x.type.with(shape: shape),
      [
        .ints("kernel_shape", kernel), .ints("strides", convolution.inputDilation),
        .ints("pads", (low + high).map { max($0, 0) }), .ints("dilations", convolution.dilation),
        .int("group", convolution.groups),
      ])
    y = try pad(
      y, low: [0, 0] + low.map { max(-$0, 0) }, high: [0, 0] + high.map { max(-$0, 0) },
      value: identity(.sum, x.dtype))
    let strided = spatial.filter { convolution.stride[$0] > 1 }
    y = try slice(
      y, axes: strided.map { $0 + 2 }, start: strided.map { _ in 0 }, limit: strided.map { y.shape[$0 + 2] },
      stride: strided.map { convolution.stride[$0] })
    guard isPadded, let bias else { return y }
    let column = try reshape(bias, to: [outputs] + spatial.map { _ in 1 })
    return try compute("Add", [y, column], in: x.dtype, y.type)
  }

  /// The weight of the convolution whose transpose a convolution is: inputs and outputs swapped in each group, and
  /// reversed.
  ///
  /// Where the weight has been made so, it is what it was made of.
  func transposedWeight(_ value: Value, _ convolution: Convolution) throws(TypeFault) -> ONNXValue {
    let spatial = Array(convolution.stride.indices)
    let axes = spatial.map { $0 + 2 }
    let shape = graph.type(of: value).shape
    let groups = convolution.groups
    guard let outputs = shape[0].divided(exactlyBy: Dim(groups)) else {
      internalError("\(shape[0]) channels do not divide into \(groups) groups")
    }
    let swapped = [Dim(groups) * shape[1], outputs] + shape[2...]
    if let source = swappedSource(value, axes, groups), graph.type(of: source).shape == swapped {
      return try self.value(source)
    }
    let weight = reverse(try self.value(value), axes)
    if groups == 1 { return transpose(weight, [1, 0] + axes) }
    let grouped = try reshape(weight, to: [Dim(groups), outputs] + shape[1...])
    return try reshape(transpose(grouped, [0, 2, 1] + axes.map { $0 + 1 }), to: swapped)
  }

  /// What a value is the reversed and swapped form of: reversals, permutations and reshapes in any order that pullbacks
  /// and transposed convolutions build them in.
  private func swappedSource(_ value: Value, _ axes: [Int], _ groups: Int) -> Value? {
    let node = graph[value]
    guard case .reverse(let reverse) = node.operation else {
      // The order of a kernel with one element does not show.
      return Array(graph.type(of: value).shape[2...]).known?.allSatisfy { $0 == 1 } == true
        ? unswapped(value, axes, groups) : nil
    }
    let shape = graph.type(of: value).shape
    guard reverse.axes.allSatisfy({ axes.contains($0) }),
      axes.allSatisfy({ reverse.axes.contains($0) || shape[$0] == 1 })
    else { return nil }
    return unswapped(node.operands[0], axes, groups)
  }

  private func unswapped(_ value: Value, _ axes: [Int], _ groups: Int) -> Value? {
    let node = graph[value]
    switch node.operation {
    case .permute(let permute) where groups == 1 && permute.permutation == [1, 0] + axes: return node.operands[0]
    case .reshape:
      let inner = graph[node.operands[0]]
      guard case .permute(let permute) = inner.operation, permute.permutation == [0, 2, 1] + axes.map({ $0 + 1 }),
        inner.types[0].shape[0] == Dim(groups)
      else { return nil }
      let outer = graph[inner.operands[0]]
      guard case .reshape = outer.operation else { return nil }
      return outer.operands[0]
    default: return nil
    }
  }
}
