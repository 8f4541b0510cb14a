public import LatheCore

/// Products, diagonals and powers of vectors.
extension Linalg {
  /// The scalar products of vectors along an axis.
  public static func vecdot(_ x: Tensor, _ y: Tensor, dim: Int = -1) -> Tensor {
    composite("linalg.vecdot", [x, y]) { (x * y).sum(dim: dim) }
  }

  /// The vector products of vectors of three numbers along an axis.
  public static func cross(_ x: Tensor, _ y: Tensor, dim: Int = -1) -> Tensor { LatheNN.cross(x, y, dim: dim) }

  /// The diagonals of matrices.
  public static func diagonal(_ a: Tensor, offset: Int = 0, dim1: Int = -2, dim2: Int = -1) -> Tensor {
    a.diagonal(offset: offset, dim1: dim1, dim2: dim2)
  }

  /// Matrices whose columns are the powers of vectors, from 0 on: `torch.linalg.vander`.
  ///
  /// - Parameter count: How many powers, by default as many as the vectors have numbers.
  public static func vander(_ x: Tensor, _ count: Int? = nil) -> Tensor {
    composite("linalg.vander", [x]) { () throws(TypeFault) -> Tensor in
      let size = try x.knownSize(x.axis(-1))
      let count = count ?? size
      guard count >= 0 else { throw TypeFault("\(count) powers") }
      return x.unsqueeze(dim: -1) ** x.builder.arange(count, dtype: x.dtype)
    }
  }
}
