extension TypeFault {
  /// The sizes of the matrices in a tensor's last two axes; throws where there are none of `f32` or `f64`.
  static func requireMatrix(
    _ operand: TensorType, isSquare: Bool = false
  ) throws(TypeFault) -> (batch: [Dim], rows: Dim, columns: Dim) {
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
  func expanded(asRows count: Dim) -> Tensor {
    guard rank >= 1 else { return self }
    return unsqueezed(at: rank - 1).broadcast(
      to: Array(shape.dropLast()) + [count, shape[rank - 1]], axes: Array(0...rank))
  }

  /// Vectors in the last axis as matrices with that vector in each of `count` columns.
  func expanded(asColumns count: Dim) -> Tensor {
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

  /// Matrices whose row `i` is zero but for a one in column `self[i]`.
  package func permutationMatrix(_ dtype: ScalarType) -> Tensor {
    let wanted = expanded(asColumns: shape[rank - 1])
    return (wanted .== builder.iota(wanted.type, axis: wanted.rank - 1)).convert(to: dtype)
  }
}
