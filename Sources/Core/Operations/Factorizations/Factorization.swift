/// The factorizations of matrices: operations on the last two axes that a routine computes, one matrix of the leading
/// axes at a time.
package enum Factorization: Hashable, Sendable {
  /// A triangular matrix whose product with its transpose is the operand.
  case cholesky(Cholesky)
  /// Triangular matrices and the order of rows.
  case lu(LU)
  /// The solution of a triangular system.
  case triangularSolve(TriangularSolve)
  /// An orthogonal and a triangular matrix.
  case qr(QR)
  /// Eigenvalues and eigenvectors of a symmetric matrix.
  case eigh(SymmetricEigen)
  /// Singular values and vectors.
  case svd(SVD)
  /// Eigenvalues and eigenvectors of any square matrix.
  case eig(Eigen)

  /// The rules of the factorization.
  package var definition: any OperationDefinition {
    switch self {
    case .cholesky(let payload): payload
    case .lu(let payload): payload
    case .triangularSolve(let payload): payload
    case .qr(let payload): payload
    case .eigh(let payload): payload
    case .svd(let payload): payload
    case .eig(let payload): payload
    }
  }

  package var name: String { definition.name }

  /// How many results there are.
  var resultCount: Int {
    switch self {
    case .cholesky, .triangularSolve: 1
    case .qr, .eigh: 2
    case .lu, .svd: 3
    case .eig: 4
    }
  }

  /// The factorization that the text form calls by a name; nil where it is no factorization's.
  init?(_ name: String, _ attributes: Attributes) throws(TypeFault) {
    switch name {
    case "cholesky": self = .cholesky(Cholesky())
    case "lu": self = .lu(LU())
    case "triangular_solve": self = .triangularSolve(try TriangularSolve(attributes))
    case "qr": self = .qr(try QR(attributes))
    case "eigh": self = .eigh(SymmetricEigen())
    case "svd": self = .svd(SVD())
    case "eig": self = .eig(Eigen())
    default: return nil
    }
  }
}

/// Factorizations of the matrices in the last two axes.
extension Tensor {
  /// The results of a factorization of matrices.
  func factorized(_ factorization: Factorization, _ others: Tensor...) -> [Tensor] {
    let tensors = [self] + others
    return Tensor.innermostBuilder(of: tensors).apply(.factorization(factorization), tensors)
  }

  /// The Cholesky factor of symmetric positive-definite matrices.
  package func cholesky() -> Tensor { factorized(.cholesky(Cholesky()))[0] }

  /// The packed factors, the pivots and the permutation.
  package func lu() -> (lu: Tensor, pivots: Tensor, permutation: Tensor) {
    let results = factorized(.lu(LU()))
    return results.count == 3 ? (results[0], results[1], results[2]) : (builder.poison, builder.poison, builder.poison)
  }

  /// The solution `x` of `self x = b` for triangular matrices.
  package func triangularSolve(_ b: Tensor, upper: Bool, unit: Bool = false, checked: Bool = false) -> Tensor {
    factorized(.triangularSolve(TriangularSolve(upper: upper, unit: unit, checked: checked)), b)[0]
  }

  /// An orthonormal and an upper triangular factor.
  package func qr(complete: Bool = false) -> (q: Tensor, r: Tensor) {
    let results = factorized(.qr(QR(complete: complete)))
    return results.count == 2 ? (results[0], results[1]) : (builder.poison, builder.poison)
  }

  /// The eigenvalues and eigenvectors of symmetric matrices.
  package func eigh() -> (values: Tensor, vectors: Tensor) {
    let results = factorized(.eigh(SymmetricEigen()))
    return results.count == 2 ? (results[0], results[1]) : (builder.poison, builder.poison)
  }

  /// The singular values and vectors.
  package func svd() -> (u: Tensor, s: Tensor, vh: Tensor) {
    let results = factorized(.svd(SVD()))
    return results.count == 3 ? (results[0], results[1], results[2]) : (builder.poison, builder.poison, builder.poison)
  }

  /// The complex eigenvalues and eigenvectors of square matrices.
  package func eig() -> (values: ComplexPair, vectors: ComplexPair) {
    let results = factorized(.eig(Eigen()))
    guard results.count == 4 else {
      let poison = ComplexPair(builder.poison, builder.poison)
      return (poison, poison)
    }
    return (ComplexPair(results[0], results[1]), ComplexPair(results[2], results[3]))
  }

  /// The solution `x` of `self x = b` for square matrices with the same leading axes; a singular one fails the run.
  package func solved(_ b: Tensor) -> Tensor {
    let (lu, _, permutation) = lu()
    if lu.isPoisoned { return lu }
    let lower = lu.triangularSolve(permutation.permutationMatrix(dtype).matrixProduct(b), upper: false, unit: true)
    return lu.triangularSolve(lower, upper: true, checked: true)
  }

  /// The solution of the transposed system by the same factors.
  ///
  /// - Parameter tiny: What pivots of zero are replaced by; nil for a run that fails there.
  package func solvedTransposed(_ b: Tensor, replacingZeroPivotsBy tiny: Double? = nil) -> Tensor {
    let (factors, _, permutation) = lu()
    var lu = factors
    if lu.isPoisoned { return lu }
    if let tiny {
      let isZero = lu.diagonalOfMatrix() .== 0
      lu = lu + (isZero.convert(to: dtype) * tiny).diagonalMatrix()
    }
    let upper = lu.transposed.triangularSolve(b, upper: false, checked: tiny == nil)
    let lower = lu.transposed.triangularSolve(upper, upper: true, unit: true)
    return permutation.permutationMatrix(dtype).transposed.matrixProduct(lower)
  }
}
