import LatheCore

/// PyTorch's `torch.linalg`, on the matrices in the last two axes of `f32` and `f64` tensors.
///
/// A matrix that has no inverse or factorization fails the run: the interpreter says which operation and why, emitted C
/// returns `NAME_ERROR_SINGULAR`.
public enum Linalg {
  static func requireMatrix(_ a: Tensor) throws(TypeFault) {
    try a.requireFloat("the input")
    guard a.rank >= 2 else { throw TypeFault("\(a.type) is no matrix") }
  }

  static func requireSquare(_ a: Tensor) throws(TypeFault) {
    try requireMatrix(a)
    guard a.shape[a.rank - 2] == a.shape[a.rank - 1] else {
      throw TypeFault("the matrices in \(a.type) are not square")
    }
  }

  /// Matrices of a type, not always square, with ones on the diagonal.
  static func identity(_ a: Tensor) -> Tensor {
    let index = a.type.with(dtype: .i64)
    let isDiagonal = a.builder.iota(index, axis: a.rank - 2) .== a.builder.iota(index, axis: a.rank - 1)
    return isDiagonal.convert(to: a.dtype)
  }

  /// Matrices with their leading axes broadcast.
  static func broadcast(_ a: Tensor, _ b: Tensor) throws(TypeFault) -> (Tensor, Tensor) {
    guard a.rank >= 2, b.rank >= 2 else { throw TypeFault("\(a.type) and \(b.type) are no matrices") }
    let batch = try Tensor.broadcastShape([
      a.type.with(shape: Array(a.shape.dropLast(2))), b.type.with(shape: Array(b.shape.dropLast(2))),
    ])
    return (a.expanded(to: batch + a.shape.suffix(2)), b.expanded(to: batch + b.shape.suffix(2)))
  }
}
