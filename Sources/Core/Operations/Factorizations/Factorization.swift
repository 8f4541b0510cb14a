/// The factorizations of matrices: operations on the last two axes that a routine computes, one matrix of the leading
/// axes at a time.
public enum Factorization: Hashable, Sendable {
  case cholesky(Cholesky)
  case lu(LU)
  case triangularSolve(TriangularSolve)
  case qr(QR)
  case eigh(SymmetricEigen)
  case svd(SVD)
  case eig(Eigen)

  /// The rules of the factorization.
  public var definition: any OperationDefinition {
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

  public var name: String { definition.name }

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

extension TypeFault {
  /// The sizes of the matrices in a tensor's last two axes; throws where there are none of `f32` or `f64`.
  static func requireMatrix(
    _ operand: TensorType, isSquare: Bool = false
  ) throws(TypeFault) -> (batch: [Dimension], rows: Dimension, columns: Dimension) {
    guard operand.dtype == .f32 || operand.dtype == .f64 else {
      throw TypeFault("\(operand) does not hold f32 or f64", help: "convert it")
    }
    guard operand.rank >= 2 else { throw TypeFault("\(operand) has no two axes for matrices") }
    let (rows, columns) = (operand.shape[operand.rank - 2], operand.shape[operand.rank - 1])
    if isSquare, rows != columns {
      throw TypeFault("the matrices in \(operand) are not square: \(rows) rows, \(columns) columns")
    }
    return (Array(operand.shape.dropLast(2)), rows, columns)
  }
}

/// What factorizations and their gradients are written with: matrices in the last two axes.
extension Tensor {
  /// The results of a factorization of matrices.
  func factorized(_ factorization: Factorization, _ others: Tensor...) -> [Tensor] {
    let tensors = [self] + others
    return Tensor.innermostBuilder(of: tensors).apply(.factorization(factorization), tensors)
  }

  /// The Cholesky factor of symmetric positive-definite matrices.
  public func cholesky() -> Tensor { factorized(.cholesky(Cholesky()))[0] }

  /// The packed factors, the pivots and the permutation.
  public func lu() -> (lu: Tensor, pivots: Tensor, permutation: Tensor) {
    let results = factorized(.lu(LU()))
    return results.count == 3 ? (results[0], results[1], results[2]) : (builder.poison, builder.poison, builder.poison)
  }

  /// The solution `x` of `self x = b` for triangular matrices.
  public func triangularSolve(_ b: Tensor, upper: Bool, unit: Bool = false, checked: Bool = false) -> Tensor {
    factorized(.triangularSolve(TriangularSolve(upper: upper, unit: unit, checked: checked)), b)[0]
  }

  /// An orthonormal and an upper triangular factor.
  public func qr(complete: Bool = false) -> (q: Tensor, r: Tensor) {
    let results = factorized(.qr(QR(complete: complete)))
    return results.count == 2 ? (results[0], results[1]) : (builder.poison, builder.poison)
  }

  /// The eigenvalues and eigenvectors of symmetric matrices.
  public func eigh() -> (values: Tensor, vectors: Tensor) {
    let results = factorized(.eigh(SymmetricEigen()))
    return results.count == 2 ? (results[0], results[1]) : (builder.poison, builder.poison)
  }

  /// The singular values and vectors.
  public func svd() -> (u: Tensor, s: Tensor, vh: Tensor) {
    let results = factorized(.svd(SVD()))
    return results.count == 3 ? (results[0], results[1], results[2]) : (builder.poison, builder.poison, builder.poison)
  }

  /// The complex eigenvalues and eigenvectors of square matrices.
  public func eig() -> (values: ComplexPair, vectors: ComplexPair) {
    let results = factorized(.eig(Eigen()))
    guard results.count == 4 else {
      let poison = ComplexPair(builder.poison, builder.poison)
      return (poison, poison)
    }
    return (ComplexPair(results[0], results[1]), ComplexPair(results[2], results[3]))
  }

  /// The matrices with rows and columns exchanged.
  var transposed: Tensor {
    guard rank >= 2 else { return self }
    return permute(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The products of matrices with the same leading axes.
  func matrixProduct(_ other: Tensor) -> Tensor {
    guard rank >= 2, other.rank == rank else { return builder.poison }
    let batch = Array(0..<rank - 2)
    return dot(
      other,
      DotGeneral(leftBatch: batch, rightBatch: batch, leftContracting: [rank - 1], rightContracting: [rank - 2]))
  }

  /// Where `row - column` of each matrix is in a relation to a number.
  private func masked(_ relation: (Tensor, Tensor) -> Tensor) -> Tensor {
    guard rank >= 2 else { return self }
    let index = TensorType(.i64, Array(shape.suffix(2)))
    let mask = relation(builder.iota(index, axis: 0), builder.iota(index, axis: 1))
    return mask.select(self, zerosLike())
  }

  /// The lower triangles, zero above; without the diagonals where strict.
  func lowerTriangle(strict: Bool = false) -> Tensor { masked { strict ? $0 .> $1 : $0 .>= $1 } }

  /// The upper triangles, zero below; without the diagonals where strict.
  func upperTriangle(strict: Bool = false) -> Tensor { masked { strict ? $0 .< $1 : $0 .<= $1 } }

  /// The matrices with zeros on their diagonals.
  func withoutDiagonal() -> Tensor { masked { $0 .!= $1 } }

  /// Vectors in the last axis as the diagonals of matrices.
  func diagonalMatrix() -> Tensor {
    guard rank >= 1 else { return self }
    return expanded(asRows: shape[rank - 1]).masked { $0 .== $1 }
  }

  /// The diagonals of square matrices.
  func diagonalOfMatrix() -> Tensor { masked { $0 .== $1 }.reduce(.sum, axes: [rank - 1]) }

  /// Vectors in the last axis as matrices with that vector in each of `count` rows.
  func expanded(asRows count: Dimension) -> Tensor {
    guard rank >= 1 else { return self }
    return unsqueezed(at: rank - 1).broadcast(
      to: Array(shape.dropLast()) + [count, shape[rank - 1]], axes: Array(0...rank))
  }

  /// Vectors in the last axis as matrices with that vector in each of `count` columns.
  func expanded(asColumns count: Dimension) -> Tensor {
    guard rank >= 1 else { return self }
    return unsqueezed(at: rank).broadcast(to: shape + [count], axes: Array(0...rank))
  }

  /// Unit matrices of this tensor's type, which is of square matrices.
  func identityMatrices() -> Tensor { onesLike().masked { $0 .== $1 } }

  /// Some columns of the matrices.
  func columns(_ range: Range<Int>) -> Tensor {
    slice(axis: rank - 1, from: range.lowerBound, to: range.upperBound)
  }

  /// Some rows of the matrices.
  func rows(_ range: Range<Int>) -> Tensor { slice(axis: rank - 2, from: range.lowerBound, to: range.upperBound) }

  /// The sizes of the matrices, for a gradient rule that depends on which is larger.
  func knownMatrix() throws(TypeFault) -> (rows: Int, columns: Int) {
    guard let rows = shape[rank - 2].known, let columns = shape[rank - 1].known else {
      throw TypeFault("needs the sizes of the matrices in \(type)", unbound: Array(shape.suffix(2)))
    }
    return (rows, columns)
  }
}

extension Tensor {
  /// The solution `x` of `self x = b` for square matrices with the same leading axes; a singular one fails the run.
  public func solved(_ b: Tensor) -> Tensor {
    let (lu, _, permutation) = lu()
    if lu.isPoisoned { return lu }
    let lower = lu.triangularSolve(permutation.permutationMatrix(dtype).matrixProduct(b), upper: false, unit: true)
    return lu.triangularSolve(lower, upper: true, checked: true)
  }

  /// The solution of the transposed system by the same factors.
  ///
  /// - Parameter tiny: What pivots of zero are replaced by; nil for a run that fails there.
  public func solvedTransposed(_ b: Tensor, replacingZeroPivotsBy tiny: Double? = nil) -> Tensor {
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

  /// Matrices whose row `i` is zero but for a one in column `self[i]`.
  package func permutationMatrix(_ dtype: ScalarType) -> Tensor {
    let wanted = expanded(asColumns: shape[rank - 1])
    return (wanted .== builder.iota(wanted.type, axis: wanted.rank - 1)).convert(to: dtype)
  }
}
