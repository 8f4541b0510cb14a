/// `a v = v diag(w)` for real square matrices `a[.., n, n]`: the real and the imaginary parts of the eigenvalues
/// `w[.., n]`, in no order, and those of the eigenvectors in the columns of `v[.., n, n]`.
///
/// Eigenvectors have norm one, and the first of their large numbers is real and positive. Of conjugate pairs, the one
/// with the positive imaginary part comes first.
package struct Eigen: OperationDefinition {
  package init() {}

  package var name: String { "eig" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    let (batch, rows, _) = try TypeFault.requireMatrix(operands[0], isSquare: true)
    let values = operands[0].with(shape: batch + [rows])
    return [values, values, operands[0], operands[0]]
  }

  /// `v⁻ᴴ (diag(dw) + (vᴴ dv - vᴴ v diag(re(vᴴ dv))) / ē) vᴴ` with `e[i, j] = w[j] - w[i]`, for distinct eigenvalues.
  ///
  /// Unlike PyTorch's, the rule holds for what depends on the phase of eigenvectors too.
  ///
  /// Source: PyTorch, torch/csrc/autograd/FunctionsManual.cpp, linalg_eig_backward.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    func pair(_ tensors: [Tensor], _ first: Int) -> ComplexPair { ComplexPair(tensors[first], tensors[first + 1]) }
    func cotangent(_ first: Int) -> ComplexPair? {
      guard context.cotangents[first] != nil || context.cotangents[first + 1] != nil else { return nil }
      return ComplexPair(
        context.cotangents[first] ?? context.results[first].zerosLike(),
        context.cotangents[first + 1] ?? context.results[first + 1].zerosLike())
    }
    let (w, v) = (pair(context.results, 0), pair(context.results, 2))
    let adjoint = v.transposed.conjugate
    let count = w.real.shape[w.real.rank - 1]
    var inner: ComplexPair?
    if var dv = cotangent(2) {
      // That one number of each vector is real decides its phase, which the rest of the rule takes to be free.
      let sizes = v.real * v.real + v.imaginary * v.imaginary
      let isLarge = sizes .>= sizes.reduce(.max, axes: [sizes.rank - 2]).expanded(asRows: count) * 0.81
      let first = isLarge.convert(to: .i32).argReduce(.max, axis: sizes.rank - 2).expanded(asRows: count)
      let isFirst = (first .== context.builder.iota(first.type, axis: first.rank - 2)).convert(to: sizes.dtype)
      let turn = (dv.real * v.imaginary - dv.imaginary * v.real).reduce(.sum, axes: [sizes.rank - 2])
      let head = (v.real * isFirst).reduce(.sum, axes: [sizes.rank - 2])
      dv.imaginary = dv.imaginary + isFirst * (turn / head).expanded(asRows: count)
      let product = adjoint.matrixProduct(dv)
      let norms = product.real.diagonalOfMatrix().expanded(asRows: count)
      let gram = adjoint.matrixProduct(v).map { $0 * norms }
      let gaps = w.conjugate.map { $0.expanded(asRows: count) - $0.expanded(asColumns: count) }
      let e = ComplexPair(gaps.real + gaps.real.identityMatrices(), gaps.imaginary)
      inner = ((product - gram) / e).map { $0.withoutDiagonal() }
    }
    if let dw = cotangent(0) {
      let diagonal = dw.map { $0.diagonalMatrix() }
      inner = inner.map { ComplexPair($0.real + diagonal.real, $0.imaginary + diagonal.imaginary) } ?? diagonal
    }
    guard let inner else { return [nil] }
    return [try adjoint.solve(inner.matrixProduct(adjoint)).real]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.eig(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .routine(Routine(.eig, context.results[0].dtype, Array(context.results[0].sizes.suffix(1))))
  }
}
