/// `a = q r` for matrices `a[.., m, n]`: `q` has orthonormal columns, `min(m, n)` or, where complete, `m` of them, and `r`
/// is upper triangular.
///
/// The numbers on the diagonal of `r` have the sign that Householder's reflections give them, as in LAPACK.
package struct QR: OperationDefinition {
  package var complete: Bool

  package init(complete: Bool = false) {
    self.complete = complete
  }

  package var name: String { "qr" }

  package var attributes: [(name: String, value: Attribute)] { [("complete", .flag(complete))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    complete = try attributes.flag("complete")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let (batch, rows, columns) = try TypeFault.requireMatrix(operands[0])
    let count = complete ? rows : Dim.minimum(rows, columns)
    return [
      operands[0].with(shape: batch + [rows, count]), operands[0].with(shape: batch + [count, columns]),
    ]
  }

  /// Source: Roberts and Roberts, QR and LQ decomposition matrix backpropagation algorithms (2020).
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let (rows, columns) = try context.operands[0].knownMatrix()
    let (q, r) = (context.results[0], context.results[1])
    if complete, rows > columns {
      throw TypeFault(
        "has no gradient with all columns of q, which are not unique", help: "use the reduced mode")
    }
    guard min(rows, columns) > 0 else { return [context.operands[0].zerosLike()] }
    var dq = context.cotangents[0] ?? q.zerosLike()
    let dr = context.cotangents[1] ?? r.zerosLike()
    // Of a wide matrix [x y], x is factorized as q u, and y is multiplied by qᵀ.
    if rows < columns, context.cotangents[1] != nil {
      let y = context.operands[0].columns(rows..<columns)
      dq = dq + y.matrixProduct(dr.columns(rows..<columns).transposed)
    }
    let (u, du) = rows < columns ? (r.columns(0..<rows), dr.columns(0..<rows)) : (r, dr)
    let inner = (du.matrixProduct(u.transposed) - q.transposed.matrixProduct(dq)).upperTriangle()
    let symmetric = inner + inner.upperTriangle(strict: true).transposed
    let solved = u.triangularSolve((dq + q.matrixProduct(symmetric)).transposed, upper: true).transposed
    guard rows < columns else { return [solved] }
    let dy = q.matrixProduct(dr.columns(rows..<columns))
    return [Tensor.concatenate([solved, dy], axis: q.rank - 1)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.qr(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let sizes = Array(context.operands[0].shape.suffix(2))
    return .routine(Routine(.qr, context.results[0].dtype, sizes + [complete ? 1 : 0]))
  }
}
