public import LatheCore

/// The product of matrices and vectors, Python's `@`.
infix operator • : MultiplicationPrecedence

extension Tensor {
  /// The product of matrices and vectors, Python's `@`: see ``matmul(_:_:)``.
  public static func • (a: Tensor, b: Tensor) -> Tensor { LatheNN.matmul(a, b) }
}

/// `x . weight^T + bias` over the last axis: `weight[out, in]`.
public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
  composite("linear", [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try weight.requireRank(1...2, "the weight")
    guard x.rank >= 1 else { throw TypeFault("the input \(x.type) has no features") }
    let features = weight.shape[weight.rank - 1]
    guard x.shape[x.rank - 1] == features else {
      let outputs = weight.rank == 2 ? "\(weight.shape[0])" : "1"
      throw TypeFault(
        "the input has \(x.shape[x.rank - 1]) features (axis \(x.rank - 1) of \(x.type)), the weight takes \(features)",
        help: "Linear(\(features), \(outputs)) expects \(x.dtype)\((Array(x.shape.dropLast()) + [features]).text); "
          + "for this input use Linear(\(x.shape[x.rank - 1]), \(outputs))")
    }
    let y = x.dot(weight, DotGeneral(leftContracting: [x.rank - 1], rightContracting: [weight.rank - 1]))
    guard let bias else { return y }
    try requireBroadcast(bias, to: try y.checked().shape, "the bias")
    return y + bias.autocast(beside: y)
  }
}

/// `sum over i, j of a[.., i] weight[o, i, j] b[.., j] + bias[o]`.
public func bilinear(_ a: Tensor, _ b: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
  composite("bilinear", [a, b, weight, bias]) { () throws(TypeFault) -> Tensor in
    try weight.requireRank(3...3, "the weight")
    guard a.rank >= 1, a.rank == b.rank, a.shape.dropLast() == b.shape.dropLast() else {
      throw TypeFault("the inputs \(a.type) and \(b.type) differ before their last axis")
    }
    // [.., o, j], then j goes with b.
    let half = try a.dot(weight, DotGeneral(leftContracting: [a.rank - 1], rightContracting: [1])).checked()
    let batch = Array(0..<(b.rank - 1))
    let y = half.dot(
      b,
      DotGeneral(
        leftBatch: batch, rightBatch: batch, leftContracting: [half.rank - 1], rightContracting: [b.rank - 1]))
    return bias.map { y + $0 } ?? y
  }
}

/// The product of matrices, vectors, or batches of matrices whose batch axes broadcast.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.matmul.html
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  composite("matmul", [a, b]) { () throws(TypeFault) -> Tensor in
    guard a.rank >= 1, b.rank >= 1 else { throw TypeFault("\(a.type) and \(b.type) need at least one axis each") }
    let dtype = a.dtype.promoted(with: b.dtype)
    var (a, b) = (a.convert(to: dtype), b.convert(to: dtype))
    let rows = b.rank == 1 ? 0 : b.rank - 2
    guard a.shape[a.rank - 1] == b.shape[rows] else {
      throw TypeFault(
        "the inner sizes differ, \(a.shape[a.rank - 1]) (axis \(a.rank - 1) of \(a.type)) "
          + "and \(b.shape[rows]) (axis \(rows) of \(b.type))"
      )
    }
    // Without batch on one side one contraction does it, in the order that the result needs.
    if b.rank <= 2 {
      return a.dot(b, DotGeneral(leftContracting: [a.rank - 1], rightContracting: [rows]))
    }
    if a.rank == 1 {
      return a.dot(b, DotGeneral(leftContracting: [0], rightContracting: [rows]))
    }
    let batch = try Tensor.broadcastShape([
      a.type.with(shape: Array(a.shape.dropLast(2))), b.type.with(shape: Array(b.shape.dropLast(2))),
    ])
    a = a.expanded(to: batch + a.shape.suffix(2))
    b = b.expanded(to: batch + b.shape.suffix(2))
    let axes = Array(batch.indices)
    return a.dot(
      b, DotGeneral(leftBatch: axes, rightBatch: axes, leftContracting: [a.rank - 1], rightContracting: [b.rank - 2]))
  }
}

/// The product of two matrices.
///
/// - Parameter outDtype: The type of floats that the product is computed in.
public func mm(_ a: Tensor, _ b: Tensor, outDtype: ScalarType? = nil) -> Tensor { ranked("mm", a, 2, b, 2, outDtype) }

/// The products of two batches of matrices.
///
/// - Parameter outDtype: The type of floats that the products are computed in.
public func bmm(_ a: Tensor, _ b: Tensor, outDtype: ScalarType? = nil) -> Tensor {
  composite("bmm", [a, b]) { () throws(TypeFault) -> Tensor in
    if a.rank == 3, b.rank == 3, a.shape[0] != b.shape[0] {
      throw TypeFault("the batch sizes differ, \(a.shape[0]) of \(a.type) and \(b.shape[0]) of \(b.type)")
    }
    return ranked("bmm", a, 3, b, 3, outDtype)
  }
}

/// A matrix times a vector.
public func mv(_ a: Tensor, _ b: Tensor) -> Tensor { ranked("mv", a, 2, b, 1) }

/// The sum of the products of two vectors.
public func dot(_ a: Tensor, _ b: Tensor) -> Tensor { ranked("dot", a, 1, b, 1) }

/// All products of the elements of two vectors.
public func outer(_ a: Tensor, _ b: Tensor) -> Tensor {
  composite("outer", [a, b]) { () throws(TypeFault) -> Tensor in
    try a.requireRank(1...1, "the left operand")
    try b.requireRank(1...1, "the right operand")
    return a.unsqueeze(dim: 1) * b.unsqueeze(dim: 0)
  }
}

private func ranked(
  _ name: String, _ a: Tensor, _ left: Int, _ b: Tensor, _ right: Int, _ dtype: ScalarType? = nil
) -> Tensor {
  composite(name, [a, b]) { () throws(TypeFault) -> Tensor in
    try a.requireRank(left...left, "the left operand")
    try b.requireRank(right...right, "the right operand")
    return dtype.map { matmul(a.convert(to: $0), b.convert(to: $0)) } ?? matmul(a, b)
  }
}

/// `beta * x + alpha * (a . b)`.
///
/// - Parameter outDtype: The type of floats that the product is computed in.
public func addmm(
  _ x: Tensor, _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1, outDtype: ScalarType? = nil
) -> Tensor {
  scaledSum(x, mm(a, b, outDtype: outDtype), beta, alpha)
}

/// `beta * x + alpha * (a . b)` for batches.
///
/// - Parameter outDtype: The type of floats that the products are computed in.
public func baddbmm(
  _ x: Tensor, _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1, outDtype: ScalarType? = nil
) -> Tensor {
  scaledSum(x, bmm(a, b, outDtype: outDtype), beta, alpha)
}

/// `beta * x + alpha * (a . v)`.
public func addmv(_ x: Tensor, _ a: Tensor, _ v: Tensor, beta: Double = 1, alpha: Double = 1) -> Tensor {
  scaledSum(x, mv(a, v), beta, alpha)
}

private func scaledSum(_ x: Tensor, _ product: Tensor, _ beta: Double, _ alpha: Double) -> Tensor {
  let scaled = product.multiple(alpha)
  return beta == 0 ? scaled : x.multiple(beta) + scaled
}

/// `beta * x + alpha * (a outer b)`.
public func addr(_ x: Tensor, _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1) -> Tensor {
  scaledSum(x, outer(a, b), beta, alpha)
}

/// `beta * x + alpha * sum over batches of (a . b)`.
public func addbmm(_ x: Tensor, _ a: Tensor, _ b: Tensor, beta: Double = 1, alpha: Double = 1) -> Tensor {
  let products = bmm(a, b)
  return scaledSum(x, products.sum(dim: 0, dtype: products.dtype), beta, alpha)
}

/// The sums of products over the last axes of both.
public func inner(_ a: Tensor, _ b: Tensor) -> Tensor {
  composite("inner", [a, b]) { () throws(TypeFault) -> Tensor in
    if a.rank == 0 || b.rank == 0 { return a * b }
    return tensordot(a, b, dims: ([a.rank - 1], [b.rank - 1]))
  }
}

/// The contraction of the last `dims` axes of one with the first of the other.
public func tensordot(_ a: Tensor, _ b: Tensor, dims: Int = 2) -> Tensor {
  composite("tensordot", [a, b]) { () throws(TypeFault) -> Tensor in
    guard dims >= 0, dims <= a.rank, dims <= b.rank else {
      throw TypeFault("\(a.type) and \(b.type) do not have \(dims) axes to contract")
    }
    return tensordot(a, b, dims: (Array((a.rank - dims)..<a.rank), Array(0..<dims)))
  }
}

/// The contraction of named axes; one of size 1 stands for as many equal elements as the other has.
public func tensordot(_ a: Tensor, _ b: Tensor, dims: ([Int], [Int])) -> Tensor {
  composite("tensordot", [a, b]) { () throws(TypeFault) -> Tensor in
    let (left, right) = (try a.axes(dims.0), try b.axes(dims.1))
    let dtype = a.dtype.promoted(with: b.dtype)
    var (x, y) = (a.convert(to: dtype), b.convert(to: dtype))
    for (axis, other) in zip(left, right) where x.shape[axis] != y.shape[other] {
      if x.shape[axis] == 1 { y = y.sum(dim: other, keepdim: true) }
      if y.shape[other] == 1 { x = x.sum(dim: axis, keepdim: true) }
    }
    return x.dot(y, DotGeneral(leftContracting: left, rightContracting: right))
  }
}

/// All products of elements, in blocks: Kronecker's product.
public func kron(_ a: Tensor, _ b: Tensor) -> Tensor {
  composite("kron", [a, b]) { () throws(TypeFault) -> Tensor in
    let rank = max(a.rank, b.rank)
    let left = [Dim](repeating: 1, count: rank - a.rank) + a.shape
    let right = [Dim](repeating: 1, count: rank - b.rank) + b.shape
    let product = a.reshape(left.flatMap { [$0, 1] }) * b.reshape(right.flatMap { [1, $0] })
    return product.reshape(zip(left, right).map { $0 * $1 })
  }
}

/// The cross product of vectors of three elements along an axis.
public func cross(_ a: Tensor, _ b: Tensor, dim: Int = -1) -> Tensor {
  composite("cross", [a, b]) { () throws(TypeFault) -> Tensor in
    let shape = try Tensor.broadcastShape([a.type, b.type])
    let (a, b) = (a.expanded(to: shape), b.expanded(to: shape))
    let axis = try a.axis(dim)
    guard shape[axis] == 3 else {
      throw TypeFault("\(a.type) and \(b.type) need size 3 on axis \(axis)")
    }
    func turned(_ x: Tensor, _ shift: Int) -> Tensor { x.roll(shifts: -shift, dims: axis) }
    return turned(a, 1) * turned(b, 2) - turned(a, 2) * turned(b, 1)
  }
}

extension Tensor {
  /// See the function `matmul`.
  public func matmul(_ other: Tensor) -> Tensor { LatheNN.matmul(self, other) }
}
