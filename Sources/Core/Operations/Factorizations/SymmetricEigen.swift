/// `a = v diag(w) vᵀ` for symmetric matrices `a[.., n, n]`, of which the lower triangle is read: the eigenvalues
/// `w[.., n]`, which ascend, and the orthonormal eigenvectors in the columns of `v`.
///
/// The first of the large numbers of each eigenvector is positive.
package struct SymmetricEigen: OperationDefinition {
  package init() {}

  package var name: String { "eigh" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let (batch, rows, _) = try TypeFault.requireMatrix(operands[0], isSquare: true)
    return [operands[0].with(shape: batch + [rows]), operands[0]]
  }

  /// `v (diag(dw) + skew(vᵀ dv) / e) vᵀ` with `e[i, j] = w[j] - w[i]`, symmetric as the matrix; not finite where
  /// eigenvectors of equal eigenvalues count.
  ///
  /// Source: Giles, An extended collection of matrix derivative results (2008), section 3.1.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let (w, v) = (context.results[0], context.results[1])
    var inner: Tensor?
    if let dv = context.cotangents[1] {
      let count = w.shape[w.rank - 1]
      let gaps = w.expanded(asRows: count) - w.expanded(asColumns: count) + v.identityMatrices()
      let product = v.transposed.matrixProduct(dv)
      inner = ((product - product.transposed) * 0.5 / gaps).withoutDiagonal()
    }
    if let dw = context.cotangents[0] {
      guard let others = inner else {
        let count = w.shape[w.rank - 1]
        return [(v * dw.expanded(asRows: count)).matrixProduct(v.transposed)]
      }
      inner = others + dw.diagonalMatrix()
    }
    guard let inner else { return [nil] }
    return [v.matrixProduct(inner).matrixProduct(v.transposed)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.eigh(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .routine(Routine(.eigh, context.results[0].dtype, Array(context.results[0].sizes.suffix(1))))
  }
}
