/// Row-pivoted factors of matrices `a[.., m, n]`: row `permutation[i]` of `a` is row `i` of `l u`.
///
/// Results: `l`, below the diagonal and with ones on it that are not stored, and `u` in one matrix `[.., m, n]`; the
/// pivots `i32[.., min(m, n)]`, counted from one as LAPACK does: step `k` exchanged row `k` for row `pivots[k] - 1`; and
/// the permutation `i64[.., m]` that comes of it.
package struct LU: OperationDefinition {
  package init() {}

  package var name: String { "lu" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let (batch, rows, columns) = try TypeFault.requireMatrix(operands[0])
    return [
      operands[0], TensorType(.i32, batch + [Dim.minimum(rows, columns)]), TensorType(.i64, batch + [rows]),
    ]
  }

  /// With `a₁`, `l₁`, `u₁` square and `p` the permutation: `p a = [a₁ a₂] = l [u₁ u₂]` gives
  /// `da₂ = l⁻ᵀ du₂`, and `da₁ = l⁻ᵀ (strictLower(lᵀ dl - du₂ u₂ᵀ) + upper(du₁ u₁ᵀ)) u₁⁻ᵀ`; tall matrices likewise.
  ///
  /// Source: PyTorch, torch/csrc/autograd/FunctionsManual.cpp, plu_backward_base.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let packed = context.results[0]
    let cotangent = context.cotangent
    let (rows, columns) = try packed.knownMatrix()
    let least = min(rows, columns)
    guard least > 0 else { return [cotangent.zerosLike()] }
    let square = packed.rows(0..<least).columns(0..<least)
    let l = square.lowerTriangle(strict: true) + square.identityMatrices()
    let u = square.upperTriangle()
    let dSquare = cotangent.rows(0..<least).columns(0..<least)
    func solvedByL(_ x: Tensor) -> Tensor { square.transposed.triangularSolve(x, upper: true, unit: true) }
    func solvedByU(_ x: Tensor) -> Tensor {
      square.triangularSolve(x.transposed, upper: true).transposed
    }
    var lower = l.transposed.matrixProduct(dSquare.lowerTriangle(strict: true))
    var upper = dSquare.upperTriangle().matrixProduct(u.transposed)
    var rest: Tensor?
    if columns > rows {
      let dRight = cotangent.columns(least..<columns)
      lower = lower - dRight.matrixProduct(packed.columns(least..<columns).transposed)
      rest = solvedByL(dRight)
    } else if rows > columns {
      let dBelow = cotangent.rows(least..<rows)
      upper = upper - packed.rows(least..<rows).transposed.matrixProduct(dBelow)
      rest = solvedByU(dBelow)
    }
    var result = solvedByU(solvedByL(lower.lowerTriangle(strict: true) + upper.upperTriangle()))
    if let rest {
      result = Tensor.concatenate([result, rest], axis: columns > rows ? packed.rank - 1 : packed.rank - 2)
    }
    // Row i belongs to row permutation[i].
    return [context.results[2].permutationMatrix(packed.dtype).transposed.matrixProduct(result)]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.lu(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .routine(Routine(.lu, context.results[0].dtype, Array(context.results[0].sizes.suffix(2))))
  }
}
