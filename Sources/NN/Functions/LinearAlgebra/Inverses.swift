public import LatheCore

/// Inverses, and what takes their place.
extension Linalg {
  /// The inverses of square matrices.
  public static func inv(_ a: Tensor) -> Tensor {
    composite("linalg.inv", [a]) { () throws(TypeFault) -> Tensor in
      try requireSquare(a)
      return withGradient("linalg.inv", [a]) {
        [$0[0].solved(identity($0[0]))]
      } backward: { _, outputs, gradients in
        [-matmul(matmul(outputs[0].mT, gradients[0]), outputs[0].mT)]
      }[0]
    }
  }

  /// The pseudo-inverses of matrices: those of Moore and Penrose.
  ///
  /// - Parameters:
  ///   - atol: Singular values up to this count as zero; by default 0.
  ///   - rtol: So do those up to this part of the largest; by default, and without `atol`, the precision times the larger
  ///     size.
  ///   - hermitian: Whether the matrix is symmetric, and its lower triangle is read.
  public static func pinv(
    _ a: Tensor, atol: Double? = nil, rtol: Double? = nil, hermitian: Bool = false
  ) -> Tensor {
    composite("linalg.pinv", [a]) { () throws(TypeFault) -> Tensor in
      try inverted(a, atol: atol, rtol: rtol, hermitian: hermitian)
    }
  }

  /// The reciprocals of some numbers, zero of the others.
  private static func reciprocal(_ x: Tensor, where isKept: Tensor) -> Tensor {
    isKept.select(1 / isKept.select(x, x.onesLike()), x.zerosLike())
  }

  /// Source of the gradient: Golub and Pereyra, The differentiation of pseudo-inverses (1973).
  private static func inverted(
    _ a: Tensor, atol: Double?, rtol: Double?, hermitian: Bool
  ) throws(TypeFault) -> Tensor {
    try hermitian ? requireSquare(a) : requireMatrix(a)
    let (rows, columns) = (try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
    if min(rows, columns) == 0 { return a.mT }
    let tolerance = tolerance(atol, rtol, a.dtype, max(rows, columns))
    return withGradient("linalg.pinv", [a]) { inputs in
      if hermitian {
        let (w, v) = inputs[0].eigh()
        let inverse = reciprocal(w, where: w.abs() .> threshold(w.abs(), tolerance))
        return [matmul(v * inverse.unsqueeze(dim: -2), v.mT)]
      }
      let (u, s, vh) = inputs[0].svd()
      let inverse = reciprocal(s, where: s .> threshold(s, tolerance))
      return [matmul(vh.mT * inverse.unsqueeze(dim: -2), u.mT)]
    } backward: { inputs, outputs, gradients in
      let (a, p, g) = (inputs[0], outputs[0], gradients[0].mT)
      if rows <= columns {
        let k = matmul(g, p)
        let kp = matmul(k, p.mT)
        return [
          kp - matmul(p, k).mT - matmul(matmul(a, p), kp) + matmul(matmul(p.mT, p), g - matmul(k, a))
        ]
      }
      let k = matmul(p, g)
      let pk = matmul(p.mT, k)
      return [
        pk - matmul(k, p).mT + matmul(matmul(g - matmul(a, k), p), p.mT) - matmul(matmul(pk, p), a)
      ]
    }[0]
  }

  /// The inverse of a tensor as a map from its last axes to its first `ind`.
  public static func tensorinv(_ a: Tensor, ind: Int = 2) -> Tensor {
    composite("linalg.tensorinv", [a]) { () throws(TypeFault) -> Tensor in
      guard ind > 0, ind < a.rank else { throw TypeFault("ind \(ind) leaves no axes of \(a.type) on one side") }
      let (first, last) = (Array(a.shape.prefix(ind)), Array(a.shape.dropFirst(ind)))
      return inv(a.reshape([first.elementCount, last.elementCount])).reshape(last + first)
    }
  }
}

/// The inverses of square matrices: `torch.inverse`, the older name of `Linalg.inv`.
public func inverse(_ a: Tensor) -> Tensor { Linalg.inv(a) }

/// The pseudo-inverses of matrices: `torch.pinverse`.
public func pinverse(_ a: Tensor, rcond: Double = 1e-15) -> Tensor { Linalg.pinv(a, rtol: rcond) }

/// The inverse of a symmetric positive-definite matrix, given its Cholesky factor.
public func choleskyInverse(_ l: Tensor, upper: Bool = false) -> Tensor {
  composite("cholesky_inverse", [l]) {
    let lower = (upper ? l.mT : l).tril()
    let inverse = Linalg.solveTriangular(lower, Linalg.identity(l), upper: false)
    return matmul(inverse.mT, inverse)
  }
}
