public import LatheCore

/// Norms, and what they measure.
extension Linalg {
  /// What `matrixNorm` and `cond` measure.
  public enum MatrixNorm: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// The root of the sum of squares.
    case frobenius
    /// The sum of the singular values.
    case nuclear
    /// The largest or, negative, the smallest: singular value for 2, sum of a column for 1, sum of a row for infinity.
    case order(Double)

    /// A number as an order.
    public init(integerLiteral value: Int) { self = .order(Double(value)) }

    /// A number as an order.
    public init(floatLiteral value: Double) { self = .order(value) }
  }

  /// The norms of matrices, `torch.linalg.matrix_norm`.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public static func matrixNorm(
    _ a: Tensor, ord: MatrixNorm = .frobenius, dim: [Int] = [-2, -1], keepdim: Bool = false, dtype: ScalarType? = nil
  ) -> Tensor {
    composite("linalg.matrix_norm", [a]) { () throws(TypeFault) -> Tensor in
      let a = dtype.map { a.convert(to: $0) } ?? a
      try a.requireFloat("the input")
      let axes = try a.axes(dim)
      guard axes.count == 2 else { throw TypeFault("dim \(dim) are not two axes") }
      let result: Tensor
      switch ord {
      case .frobenius: return a.norm(p: 2, dim: axes, keepdim: keepdim)
      case .nuclear: result = matrices(a, axes).svd().s.sum(dim: -1)
      case .order(let order):
        let matrices = matrices(a, axes)
        let numbers: Tensor
        switch order.magnitude {
        case 2: numbers = matrices.svd().s
        case 1: numbers = matrices.abs().sum(dim: -2)
        case .infinity: numbers = matrices.abs().sum(dim: -1)
        default: throw TypeFault("ord \(order) is none of 1, 2, infinity and their negatives")
        }
        guard numbers.isPoisoned || numbers.shape[numbers.rank - 1] != 0 else {
          throw TypeFault("\(a.type) has no elements to take the \(order > 0 ? "largest" : "smallest") of")
        }
        result = order > 0 ? numbers.amax(dim: [-1]) : numbers.amin(dim: [-1])
      }
      guard keepdim else { return result }
      return axes.sorted().reduce(result) { $0.unsqueeze(dim: $1) }
    }
  }

  private static func matrices(_ a: Tensor, _ axes: [Int]) -> Tensor {
    a.permute(a.shape.indices.filter { !axes.contains($0) } + axes)
  }

  /// The norms of vectors, `torch.linalg.vector_norm`; without axes of all elements.
  ///
  /// - Parameter dtype: The type of floats that elements are converted to before.
  public static func vectorNorm(
    _ x: Tensor, ord: Double = 2, dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil
  ) -> Tensor {
    x.norm(p: ord, dim: dim, keepdim: keepdim, dtype: dtype)
  }

  /// The norms of vectors or matrices, `torch.linalg.norm`: without `ord` of vectors, by default of all elements.
  ///
  /// - Parameters:
  ///   - dim: The axis of vectors or the two of matrices; with `ord` and by default all, of which there are one or two.
  ///   - dtype: The type of floats that elements are converted to before.
  public static func norm(
    _ a: Tensor, ord: MatrixNorm? = nil, dim: [Int]? = nil, keepdim: Bool = false, dtype: ScalarType? = nil
  ) -> Tensor {
    composite("linalg.norm", [a]) { () throws(TypeFault) -> Tensor in
      guard let ord else { return vectorNorm(a, dim: dim, keepdim: keepdim, dtype: dtype) }
      let axes = dim ?? Array(0..<a.rank)
      if axes.count == 2 { return matrixNorm(a, ord: ord, dim: axes, keepdim: keepdim, dtype: dtype) }
      guard axes.count == 1, case .order(let order) = ord else {
        throw TypeFault("the axes \(axes) of \(a.type) are neither a vector's nor a matrix's for this norm")
      }
      return vectorNorm(a, ord: order, dim: axes, keepdim: keepdim, dtype: dtype)
    }
  }

  /// The condition numbers of matrices: by default of the largest and the smallest singular value.
  public static func cond(_ a: Tensor, p: MatrixNorm = .order(2)) -> Tensor {
    composite("linalg.cond", [a]) { () throws(TypeFault) -> Tensor in
      try requireMatrix(a)
      if case .order(let order) = p, order.magnitude == 2 {
        let s = a.svd().s
        let (largest, smallest) = (s.amax(dim: [-1]), s.amin(dim: [-1]))
        return order > 0 ? largest / smallest : smallest / largest
      }
      return matrixNorm(a, ord: p) * matrixNorm(inv(a), ord: p)
    }
  }

  /// How many singular values count, as `i64`.
  ///
  /// - Parameters:
  ///   - atol: Those up to this do not; by default 0.
  ///   - rtol: Nor do those up to this part of the largest; by default, and without `atol`, the precision times the larger
  ///     size.
  ///   - hermitian: Whether the matrix is symmetric, and its lower triangle is read.
  public static func matrixRank(
    _ a: Tensor, atol: Double? = nil, rtol: Double? = nil, hermitian: Bool = false
  ) -> Tensor {
    composite("linalg.matrix_rank", [a]) { () throws(TypeFault) -> Tensor in
      if hermitian { try requireSquare(a) } else { try requireMatrix(a) }
      let size = max(try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
      let s = hermitian ? a.eigh().values.abs() : a.svd().s
      if s.isPoisoned { throw .poisoned }
      if s.shape[s.rank - 1] == 0 { return s.convert(to: .i64).reduce(.sum, axes: [s.rank - 1]) }
      let isKept = s .> threshold(s, tolerance(atol, rtol, a.dtype, size))
      return isKept.convert(to: .i64).reduce(.sum, axes: [s.rank - 1])
    }
  }

  static func tolerance(
    _ atol: Double?, _ rtol: Double?, _ dtype: ScalarType, _ size: Int
  ) -> (absolute: Double, relative: Double) {
    let precision = dtype.computeEpsilon
    let own = (atol ?? 0) > 0 ? 0 : precision * Double(size)
    return (atol ?? 0, rtol ?? own)
  }

  static func threshold(_ s: Tensor, _ tolerance: (absolute: Double, relative: Double)) -> Tensor {
    (s.amax(dim: [-1], keepdim: true) * tolerance.relative).maximum(tolerance.absolute)
  }
}
