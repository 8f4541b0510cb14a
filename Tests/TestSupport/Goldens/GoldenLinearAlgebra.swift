import LatheCore
import LatheNN

/// Factorizations and what is written in them.
extension GoldenCall {
  func linearAlgebra(_ name: String) -> [Tensor]? {
    switch name {
    case "inverse": return [inverse(tensor(0))]
    case "det": return [det(tensor(0))]
    case "logdet": return [logdet(tensor(0))]
    case "slogdet":
      let (sign, logarithm) = slogdet(tensor(0))
      return [sign, logarithm]
    case "pinverse": return [pinverse(tensor(0), rcond: double(1) ?? 1e-15)]
    case "cholesky_inverse": return [choleskyInverse(tensor(0), upper: flag(1, "upper"))]
    case "cholesky_solve": return [choleskySolve(tensor(0), tensor(1), upper: flag(2, "upper"))]
    case "lu_unpack":
      let (packed, pivots) = Linalg.luFactor(tensor(0))
      let (p, l, u) = Linalg.luUnpack(packed, pivots)
      return [p, l, u]
    case "linalg.lu_factor":
      let (packed, pivots) = Linalg.luFactor(tensor(0))
      return [packed, pivots]
    case "linalg.lu_solve":
      let (packed, pivots) = Linalg.luFactor(tensor(0))
      return [
        Linalg.luSolve(
          packed, pivots, tensor(1), left: argument(99, "left").isFalse == false, adjoint: flag(99, "adjoint"))
      ]
    case "linalg.householder_product": return [Linalg.householderProduct(tensor(0), tensor(1))]
    case "linalg.inv": return [Linalg.inv(tensor(0))]
    case "linalg.det": return [Linalg.det(tensor(0))]
    case "linalg.slogdet":
      let (sign, logarithm) = Linalg.slogdet(tensor(0))
      return [sign, logarithm]
    case "linalg.matrix_exp": return [Linalg.matrixExp(tensor(0))]
    case "linalg.matrix_power": return [Linalg.matrixPower(tensor(0), int(1) ?? 0)]
    case "linalg.matrix_rank":
      return [
        Linalg.matrixRank(
          tensor(0), atol: double(99, "atol"), rtol: double(99, "rtol"), hermitian: flag(99, "hermitian"))
      ]
    case "linalg.multi_dot": return [Linalg.multiDot(tensors(0))]
    case "linalg.cholesky": return [Linalg.cholesky(tensor(0), upper: flag(1, "upper"))]
    case "linalg.solve": return [Linalg.solve(tensor(0), tensor(1), left: argument(2, "left").isFalse == false)]
    case "linalg.solve_triangular":
      return [
        Linalg.solveTriangular(
          tensor(0), tensor(1), upper: flag(99, "upper"), left: argument(99, "left").isFalse == false,
          unitriangular: flag(99, "unitriangular"))
      ]
    case "linalg.eigvalsh": return [Linalg.eigvalsh(tensor(0), uplo: triangle)]
    case "linalg.svdvals": return [Linalg.svdvals(tensor(0))]
    case "linalg.pinv":
      return [
        Linalg.pinv(tensor(0), atol: double(99, "atol"), rtol: double(99, "rtol"), hermitian: flag(99, "hermitian"))
      ]
    case "linalg.lstsq":
      guard let driver = text(99, "driver").flatMap({ Linalg.LeastSquaresDriver(rawValue: $0) }) else {
        return [Linalg.lstsq(tensor(0), tensor(1)).solution]
      }
      let found = Linalg.lstsq(tensor(0), tensor(1), rcond: double(99, "rcond"), driver: driver)
      // The goldens have what has elements.
      return [found.solution, found.residuals, found.rank, found.singularValues].filter { !$0.shape.contains(0) }
    case "linalg.cond": return [Linalg.cond(tensor(0), p: matrixNorm(1) ?? .order(2))]
    case "linalg.matrix_norm":
      return [
        Linalg.matrixNorm(
          tensor(0), ord: matrixNorm(1) ?? .frobenius, dim: ints(2, "dim") ?? [-2, -1], keepdim: flag(3, "keepdim"))
      ]
    case "linalg.norm":
      return [
        Linalg.norm(
          tensor(0), ord: matrixNorm(1), dim: ints(99, "dim"), keepdim: flag(99, "keepdim"), dtype: dtype)
      ]
    case "linalg.vecdot": return [Linalg.vecdot(tensor(0), tensor(1), dim: int(99, "dim") ?? -1)]
    case "linalg.cross": return [Linalg.cross(tensor(0), tensor(1), dim: int(99, "dim") ?? -1)]
    case "linalg.diagonal":
      return [
        Linalg.diagonal(
          tensor(0), offset: int(99, "offset") ?? 0, dim1: int(99, "dim1") ?? -2, dim2: int(99, "dim2") ?? -1)
      ]
    case "linalg.vander": return [Linalg.vander(tensor(0), int(99, "N"))]
    case "linalg.tensorinv": return [Linalg.tensorinv(tensor(0), ind: int(99, "ind") ?? 2)]
    case "linalg.tensorsolve": return [Linalg.tensorsolve(tensor(0), tensor(1))]
    case "linalg.qr":
      let (q, r) = Linalg.qr(tensor(0), mode: text(1, "mode").flatMap { Linalg.QRMode(rawValue: $0) } ?? .reduced)
      return [q, r]
    case "linalg.eigh":
      let (values, vectors) = Linalg.eigh(tensor(0), uplo: triangle)
      return [values, vectors]
    case "linalg.eigvals":
      // Their order is not fixed: moments do not depend on it.
      let values = Linalg.eigvals(tensor(0))
      return [values.real, values.imaginary].map { ($0 * $0).sum(dim: -1) }
    case "linalg.eig":
      let (values, vectors) = Linalg.eig(tensor(0))
      return [values.real, vectors.real]
    case "linalg.svd":
      let isFull = !argument(99, "full_matrices").isFalse
      let (u, s, vh) = Linalg.svd(tensor(0), fullMatrices: isFull)
      guard isFull else { return [u, s, vh] }
      // What completes the vectors is not unique, but the space that it spans is.
      func space(_ rest: Tensor) -> Tensor { matmul(rest, rest.mT) }
      let count = s.shape[s.rank - 1].known
      let left = u.narrow(dim: -1, start: 0, length: count ?? 0)
      let right = vh.narrow(dim: -2, start: 0, length: count ?? 0)
      return [left, s, right, space(u) - space(left), space(vh.mT) - space(right.mT)]
    case "linalg.lu":
      let (p, l, u) = Linalg.lu(tensor(0))
      return [p, l, u]
    default: return nil
    }
  }

  private var triangle: Linalg.Triangle { text(1).flatMap { Linalg.Triangle(rawValue: $0) } ?? .lower }

  func matrixNorm(_ position: Int) -> Linalg.MatrixNorm? {
    switch text(position) {
    case "fro": return .frobenius
    case "nuc": return .nuclear
    default: return double(position).map { .order($0) }
    }
  }
}

extension GoldenArgument {
  /// Whether a flag that is true by default is turned off.
  fileprivate var isFalse: Bool { if case .flag(false) = self { true } else { false } }
}
