public import LatheCore

/// Triangles and diagonals of matrices.
extension Builder {
  /// The places of a matrix's lower triangle, rows and columns of it as two rows, up to a diagonal.
  public func trilIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
    trianglePlaces("trilIndices", rows, columns) { row, column in column - row <= offset }
  }

  /// The places of a matrix's upper triangle, rows and columns of it as two rows, from a diagonal on.
  public func triuIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
    trianglePlaces("triuIndices", rows, columns) { row, column in column - row >= offset }
  }

  private func trianglePlaces(_ name: String, _ rows: Int, _ columns: Int, _ holds: (Int, Int) -> Bool) -> Tensor {
    do throws(TypeFault) {
      guard rows >= 0, columns >= 0 else { throw TypeFault("the matrix is \(rows) by \(columns)") }
      try requireTable(rows, columns, of: "places")
      let places = (0..<rows).flatMap { row in (0..<columns).filter { holds(row, $0) }.map { (row, $0) } }
      return tensor(places.map(\.0) + places.map(\.1), shape: [2, places.count])
    } catch {
      record(error, operation: name, operands: [])
      return poison
    }
  }
}

extension Tensor {
  /// The powers of a vector's elements as rows: from the highest to the 0th, or in ascending order.
  public func vander(_ count: Int? = nil, increasing: Bool = false) -> Tensor {
    composite("vander", [self]) { () throws(TypeFault) -> Tensor in
      try requireRank(1...1, "the input")
      let size = try knownSize(0)
      let count = count ?? size
      guard count >= 0 else { throw TypeFault("\(count) powers") }
      let powers = builder.arange(count, dtype: dtype)
      return unsqueeze(dim: 1) ** (increasing ? powers : powers.flip(dims: 0))
    }
  }

  /// The lower triangle of the last two axes; zero above the diagonal.
  public func tril(diagonal: Int = 0) -> Tensor {
    triangle("tril") { row, column in column .<= row + diagonal }
  }

  /// The upper triangle of the last two axes; zero below the diagonal.
  public func triu(diagonal: Int = 0) -> Tensor {
    triangle("triu") { row, column in column .>= row + diagonal }
  }

  private func triangle(_ name: String, _ keeps: (_ row: Tensor, _ column: Tensor) -> Tensor) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      guard rank >= 2 else { throw TypeFault("the input \(type) is no matrix") }
      let matrix = TensorType(.i64, Array(shape.suffix(2)))
      let kept = keeps(builder.iota(matrix, axis: 0), builder.iota(matrix, axis: 1))
      return kept.select(self, zerosLike())
    }
  }

  /// The elements of a diagonal of two axes, which become the last axis.
  public func diagonal(offset: Int = 0, dim1: Int = 0, dim2: Int = 1) -> Tensor {
    composite("diagonal", [self]) { () throws(TypeFault) -> Tensor in
      let (first, second) = (try axis(dim1), try axis(dim2))
      guard first != second else { throw TypeFault("dim1 and dim2 are the same axis") }
      try requireBounded(offset, "offset")
      let rest = shape.indices.filter { $0 != first && $0 != second }
      let (rows, columns) = (try knownSize(first), try knownSize(second))
      let count = Swift.max(0, Swift.min(rows - Swift.max(-offset, 0), columns - Swift.max(offset, 0)))
      let start = Swift.max(-offset, 0) * columns + Swift.max(offset, 0)
      // A diagonal is every (columns + 1)-th element of the flattened matrix.
      let flat = permute(rest + [first, second]).reshape(rest.map { shape[$0] } + [Dim(rows * columns)])
      guard count > 0 else { return flat.slice(axis: rest.count, from: 0, to: 0) }
      return flat.slice(axis: rest.count, from: start, to: start + (count - 1) * (columns + 1) + 1, stride: columns + 1)
    }
  }

  /// A matrix with this vector on a diagonal, or the diagonal of this matrix.
  public func diag(diagonal: Int = 0) -> Tensor {
    composite("diag", [self]) { () throws(TypeFault) -> Tensor in
      try requireRank(1...2, "the input")
      if rank == 2 { return self.diagonal(offset: diagonal) }
      try requireBounded(diagonal, "diagonal")
      let size = try knownSize(0)
      let total = size + Swift.abs(diagonal)
      let matrix = TensorType(.i64, [total, total])
      let onDiagonal =
        builder.iota(matrix, axis: 1) .== builder.iota(matrix, axis: 0) + diagonal
      // Element i lies in row i, or in column i when the diagonal is below.
      let padded = pad(low: [0], high: [total - size], interior: [0])
      let spread = padded.broadcast(to: [Dim(total), Dim(total)], axes: [diagonal < 0 ? 1 : 0])
      return onDiagonal.select(spread, spread.zerosLike())
    }
  }

  /// Matrices with the last axis on a diagonal, on two new last axes.
  public func diagEmbed(offset: Int = 0) -> Tensor {
    composite("diagEmbed", [self]) { () throws(TypeFault) -> Tensor in
      guard rank >= 1 else { throw TypeFault("the input has no axes") }
      try requireBounded(offset, "offset")
      let size = try knownSize(rank - 1)
      let total = size + Swift.abs(offset)
      let outer = Array(shape.dropLast())
      var high = [Int](repeating: 0, count: rank)
      high[rank - 1] = total - size
      let padded = pad(low: high.map { _ in 0 }, high: high, interior: high.map { _ in 0 })
      // Element i lies in row i, or in column i when the diagonal is below.
      let spread = padded.broadcast(
        to: outer + [Dim(total), Dim(total)],
        axes: Array(0..<(rank - 1)) + [offset < 0 ? rank : rank - 1])
      let matrix = TensorType(.i64, [total, total])
      let onDiagonal = builder.iota(matrix, axis: 1) .== builder.iota(matrix, axis: 0) + offset
      return onDiagonal.select(spread, spread.zerosLike())
    }
  }
}
