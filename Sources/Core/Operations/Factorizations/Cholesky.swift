/// The lower triangular `l` with `a = l lᵀ` for symmetric positive-definite matrices `a[.., n, n]`, of which the lower
/// triangle is read.
package struct Cholesky: OperationDefinition {
  package init() {}

  package var name: String { "cholesky" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    _ = try TypeFault.requireMatrix(operands[0], isSquare: true)
    return [operands[0]]
  }

  /// `l⁻ᵀ s l⁻¹`, where `s` is the symmetric part of the lower triangle of `lᵀ dl`.
  ///
  /// Source: Murray, Differentiation of the Cholesky decomposition (2016), section 3.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let l = context.results[0]
    let product = l.transposed.matrixProduct(context.cotangent.lowerTriangle())
    let s = (product.lowerTriangle() + product.lowerTriangle(strict: true).transposed) * 0.5
    let left = l.transposed.triangularSolve(s, upper: true)
    return [l.transposed.triangularSolve(left.transposed, upper: true).transposed]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.cholesky(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let shape = context.operands[0].shape
    return .routine(Routine(.cholesky, context.results[0].dtype, [shape[shape.count - 1]]))
  }
}
