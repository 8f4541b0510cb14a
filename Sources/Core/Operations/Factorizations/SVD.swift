/// `a = u diag(s) vh` for matrices `a[.., m, n]`: `min(m, n)` singular values, which descend, and as many orthonormal
/// columns of `u` and rows of `vh`.
///
/// The first of the large numbers of each column of `u` is positive.
package struct SVD: OperationDefinition {
  package init() {}

  package var name: String { "svd" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let (batch, rows, columns) = try TypeFault.requireMatrix(operands[0])
    let count = Dim.minimum(rows, columns)
    return [
      operands[0].with(shape: batch + [rows, count]), operands[0].with(shape: batch + [count]),
      operands[0].with(shape: batch + [count, columns]),
    ]
  }

  /// With `e[i, j] = s[j]² - s[i]²`, not finite where singular vectors of equal singular values count:
  /// `u (skew(uᵀ du) / e s + s skew(vᵀ dv) / e + diag(ds)) vᵀ`, and what lies outside of the spaces of `u` and `v`.
  ///
  /// Source: PyTorch, torch/csrc/autograd/FunctionsManual.cpp, svd_backward.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let (u, s, vh) = (context.results[0], context.results[1], context.results[2])
    let (rows, columns) = try context.operands[0].knownMatrix()
    let count = min(rows, columns)
    guard count > 0 else { return [context.operands[0].zerosLike()] }
    let (du, ds, dvh) = (context.cotangents[0], context.cotangents[1], context.cotangents[2])
    let asRows = s.expanded(asRows: Dim(count))
    guard du != nil || dvh != nil else {
      return [ds.map { (u * $0.expanded(asRows: Dim(rows))).matrixProduct(vh) }]
    }
    let asColumns = s.expanded(asColumns: Dim(count))
    // As the product of sum and difference, which does not lose small gaps.
    let gaps = (asRows + asColumns) * (asRows - asColumns)
    let e = gaps + gaps.identityMatrices() * (1 - gaps)
    func skew(_ x: Tensor) -> Tensor { (x - x.transposed) / e }
    var inner = (ds ?? s.zerosLike()).diagonalMatrix()
    if let du { inner = inner + skew(u.transposed.matrixProduct(du)) * asRows }
    if let dvh { inner = inner + skew(vh.matrixProduct(dvh.transposed)) * asColumns }
    var result = u.matrixProduct(inner).matrixProduct(vh)
    if let du, rows > count {
      let outside = du - u.matrixProduct(u.transposed.matrixProduct(du))
      result = result + (outside / s.expanded(asRows: Dim(rows))).matrixProduct(vh)
    }
    if let dvh, columns > count {
      let outside = dvh - dvh.matrixProduct(vh.transposed).matrixProduct(vh)
      result = result + u.matrixProduct(outside / s.expanded(asColumns: Dim(columns)))
    }
    return [result]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.svd(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .routine(Routine(.svd, context.results[0].dtype, Array(context.operands[0].shape.suffix(2))))
  }
}
