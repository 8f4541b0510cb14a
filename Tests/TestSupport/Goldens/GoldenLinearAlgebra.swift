import LatheCore
import LatheNN

/// Factorizations and what is written in them.
extension GoldenCall {
  func linearAlgebra(_ name: String) -> [Tensor]? {
    switch name {
    case "inverse": return [inverse(tensor(0))]
    case "det": return [det(tensor(0))]
    case "logdet": return [logdet(tensor(0))]
    case "cholesky_inverse": return [choleskyInverse(tensor(0))]
    case "cholesky_solve": return [choleskySolve(tensor(0), tensor(1))]
    case "linalg.inv": return [Linalg.inv(tensor(0))]
    case "linalg.det": return [Linalg.det(tensor(0))]
    case "linalg.slogdet":
      let (sign, logarithm) = Linalg.slogdet(tensor(0))
      return [sign, logarithm]
    case "linalg.matrix_exp": return [Linalg.matrixExp(tensor(0))]
    case "linalg.matrix_power": return [Linalg.matrixPower(tensor(0), int(1) ?? 0)]
    case "linalg.matrix_rank": return [Linalg.matrixRank(tensor(0))]
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
    case "linalg.pinv": return [Linalg.pinv(tensor(0))]
    case "linalg.lstsq": return [Linalg.lstsq(tensor(0), tensor(1))]
    case "linalg.cond": return [Linalg.cond(tensor(0), p: matrixNorm(1) ?? .order(2))]
    case "linalg.matrix_norm": return [Linalg.matrixNorm(tensor(0), ord: matrixNorm(1) ?? .frobenius)]
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
      let (u, s, vh) = Linalg.svd(tensor(0), fullMatrices: !(argument(99, "full_matrices").isFalse))
      return [u, s, vh]
    case "linalg.lu":
      let (p, l, u) = Linalg.lu(tensor(0))
      return [p, l, u]
    default: return nil
    }
  }

  private var triangle: Linalg.Triangle { text(1).flatMap { Linalg.Triangle(rawValue: $0) } ?? .lower }

  private func matrixNorm(_ position: Int) -> Linalg.MatrixNorm? {
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
