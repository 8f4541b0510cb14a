public import LatheCore

/// Systems of equations.
extension Linalg {
  /// The solution `x` of `a x = b`, or of `x a = b` where not `left`; `b` is a matrix, or one vector for each matrix.
  public static func solve(_ a: Tensor, _ b: Tensor, left: Bool = true) -> Tensor {
    composite("linalg.solve", [a, b]) { () throws(TypeFault) -> Tensor in
      guard a.rank >= 2, b.rank >= 1 else { throw TypeFault("\(a.type) and \(b.type) are no matrix and no vector") }
      let isVector = b.rank == 1 || b.rank == a.rank - 1 && b.shape == Array(a.shape.dropLast())
      if isVector {
        guard left else { throw TypeFault("the right-hand side \(b.type) is a vector", help: "give a matrix") }
        return try solved(a, b.unsqueeze(dim: -1)).squeeze(dim: -1)
      }
      return left ? try solved(a, b) : try solved(a.mT, b.mT).mT
    }
  }

  static func solved(_ a: Tensor, _ b: Tensor) throws(TypeFault) -> Tensor {
    let (a, b) = try broadcast(a, b)
    return withGradient("linalg.solve", [a, b]) {
      [$0[0].solved($0[1])]
    } backward: { inputs, outputs, gradients in
      let db = inputs[0].solvedTransposed(gradients[0])
      return [-matmul(db, outputs[0].mT), db]
    }[0]
  }

  /// The solution `x` of `a x = b` for triangular `a`, or of `x a = b` where not `left`.
  ///
  /// A zero on the diagonal gives what is not finite.
  public static func solveTriangular(
    _ a: Tensor, _ b: Tensor, upper: Bool, left: Bool = true, unitriangular: Bool = false
  ) -> Tensor {
    composite("linalg.solve_triangular", [a, b]) { () throws(TypeFault) -> Tensor in
      let (a, b) = try broadcast(left ? a : a.mT, left ? b : b.mT)
      let x = a.triangularSolve(b, upper: upper == left, unit: unitriangular)
      return left ? x : x.mT
    }
  }

  /// The solution `x` of `a x = b` by the factors of `a` that `luFactor` gives; of `x a = b` where not `left`.
  ///
  /// - Parameter adjoint: Whether the system is that of the transposed `a`.
  public static func luSolve(
    _ lu: Tensor, _ pivots: Tensor, _ b: Tensor, left: Bool = true, adjoint: Bool = false
  ) -> Tensor {
    composite("linalg.lu_solve", [lu, pivots, b]) { () throws(TypeFault) -> Tensor in
      let rows = try permutation(pivots, rows: try lu.knownSize(lu.axis(-2))).permutationMatrix(lu.dtype)
      let isTransposed = left ? adjoint : !adjoint
      let (factors, sides) = try broadcast(lu, left ? b : b.mT)
      let x: Tensor
      if isTransposed {
        let half = factors.mT.triangularSolve(sides, upper: false, checked: true)
        x = matmul(rows.mT, factors.mT.triangularSolve(half, upper: true, unit: true))
      } else {
        let half = factors.triangularSolve(matmul(rows, sides), upper: false, unit: true)
        x = factors.triangularSolve(half, upper: true, checked: true)
      }
      return left ? x : x.mT
    }
  }

  /// How least squares are solved.
  public enum LeastSquaresDriver: String, Sendable {
    /// By QR, for matrices of full rank; others fail the run.
    case gels
    /// For every rank, without the singular values.
    case gelsy
    /// For every rank, with the singular values.
    case gelsd, gelss
  }

  /// What `lstsq` finds.
  public struct LeastSquares: Sendable {
    /// The solution of least norm.
    public var solution: Tensor
    /// The squares of `|a x - b|` for each column of `b`; of no elements with `gelsy`, and where `a` has no more rows
    /// than columns.
    ///
    /// PyTorch leaves them out where the rank is not full, too.
    public var residuals: Tensor
    /// How many singular values count, as `i64`; of no elements with `gels`.
    public var rank: Tensor
    /// The singular values of `a`, descending; of no elements with `gels` and `gelsy`.
    public var singularValues: Tensor
  }

  /// The least-norm solution `x` of least squares `|a x - b|`.
  ///
  /// - Parameters:
  ///   - rcond: Singular values up to this part of the largest count as zero; by default the precision times the larger
  ///     size.
  ///   - driver: How it is solved, and what is said of the matrix.
  public static func lstsq(
    _ a: Tensor, _ b: Tensor, rcond: Double? = nil, driver: LeastSquaresDriver = .gelsy
  ) -> LeastSquares {
    let results = composite("linalg.lstsq", [a, b], count: 4) { () throws(TypeFault) -> [Tensor] in
      try requireMatrix(a)
      let isVector = b.rank == a.rank - 1
      let (a, sides) = try broadcast(a, isVector ? b.unsqueeze(dim: -1) : b)
      let (rows, columns) = (try a.knownSize(a.rank - 2), try a.knownSize(a.rank - 1))
      let x = driver == .gels ? ofFullRank(a, sides, isTall: rows >= columns) : matmul(pinv(a, rtol: rcond), sides)
      let difference = matmul(a, x) - sides
      let none = a.builder.zeros(TensorType(a.dtype, [0]))
      return [
        isVector ? x.squeeze(dim: -1) : x,
        rows > columns && driver != .gelsy ? (difference * difference).sum(dim: -2) : none,
        driver == .gels ? none.convert(to: .i64) : matrixRank(a, rtol: rcond),
        driver == .gelsd || driver == .gelss ? svdvals(a) : none,
      ]
    }
    return LeastSquares(solution: results[0], residuals: results[1], rank: results[2], singularValues: results[3])
  }

  private static func ofFullRank(_ a: Tensor, _ b: Tensor, isTall: Bool) -> Tensor {
    let (q, r) = (isTall ? a : a.mT).qr()
    if isTall { return r.triangularSolve(matmul(q.mT, b), upper: true, checked: true) }
    return matmul(q, r.mT.triangularSolve(b, upper: false, checked: true))
  }

  /// The solution `x` of `tensordot(a, x, x.rank) = b`.
  public static func tensorsolve(_ a: Tensor, _ b: Tensor) -> Tensor {
    composite("linalg.tensorsolve", [a, b]) { () throws(TypeFault) -> Tensor in
      guard b.rank < a.rank else { throw TypeFault("\(a.type) has no more axes than \(b.type)") }
      let rest = Array(a.shape.dropFirst(b.rank))
      return solve(a.reshape([b.shape.elementCount, rest.elementCount]), b.reshape([b.shape.elementCount]))
        .reshape(rest)
    }
  }
}

/// The solution `x` of `a x = b`, given a Cholesky factor of `a`.
public func choleskySolve(_ b: Tensor, _ l: Tensor, upper: Bool = false) -> Tensor {
  composite("cholesky_solve", [b, l]) {
    let lower = upper ? l.mT : l
    let half = Linalg.solveTriangular(lower, b, upper: false)
    return Linalg.solveTriangular(lower.mT, half, upper: true)
  }
}
