internal import LatheCore
internal import LatheNN

/// `torch.linalg`.
///
/// Where results say whether all went well, all did: what fails, fails the run.
extension Operator {
  static let algebra: [String: Operator] = [
    "linalg_cholesky": .one { call throws(TypeFault) in
      Linalg.cholesky(try call.tensor(), upper: try call.flag("upper"))
    },
    "linalg_cholesky_ex": .several { call throws(TypeFault) in
      call.ignore("check_errors")
      let a = try call.tensor()
      return [Linalg.cholesky(a, upper: try call.flag("upper")), success(a)]
    },
    "cholesky_inverse": .one { call throws(TypeFault) in
      choleskyInverse(try call.tensor(), upper: try call.flag("upper"))
    },
    "cholesky_solve": .one { call throws(TypeFault) in
      choleskySolve(try call.tensor(), try call.tensor("input2"), upper: try call.flag("upper"))
    },
    "linalg_eigh": .several { call throws(TypeFault) in
      let (values, vectors) = Linalg.eigh(try call.tensor(), uplo: try triangle(call))
      return [values, vectors]
    },
    "_linalg_eigh": Operator { call throws(TypeFault) in
      let (a, uplo) = (try call.tensor("A"), try triangle(call))
      guard try call.flag("compute_v") else { return [.tensor(Linalg.eigvalsh(a, uplo: uplo)), .unread] }
      let (values, vectors) = Linalg.eigh(a, uplo: uplo)
      return [.tensor(values), .tensor(vectors)]
    },
    "linalg_eigvalsh": .one { call throws(TypeFault) in
      Linalg.eigvalsh(try call.tensor(), uplo: try triangle(call))
    },
    "linalg_svd": .several { call throws(TypeFault) in
      let (u, s, vh) = Linalg.svd(try call.tensor("A"), fullMatrices: try call.flag("full_matrices"))
      return [u, s, vh]
    },
    "_linalg_svd": Operator { call throws(TypeFault) in
      let a = try call.tensor("A")
      let isFull = try call.flag("full_matrices")
      guard try call.flag("compute_uv") else { return [.unread, .tensor(Linalg.svdvals(a)), .unread] }
      let (u, s, vh) = Linalg.svd(a, fullMatrices: isFull)
      return [.tensor(u), .tensor(s), .tensor(vh)]
    },
    "linalg_svdvals": .one(of: "A") { Linalg.svdvals($0) },
    "linalg_qr": .several { call throws(TypeFault) in
      let name = try call.string("mode")
      guard let mode = Linalg.QRMode(rawValue: name) else { throw TypeFault("the mode '\(name)' is not known") }
      let (q, r) = Linalg.qr(try call.tensor("A"), mode: mode)
      return [q, r]
    },
    "linalg_lu": .several { call throws(TypeFault) in
      let (p, l, u) = Linalg.lu(try call.tensor("A"))
      return [p, l, u]
    },
    "linalg_lu_factor": .several { call throws(TypeFault) in
      let (lu, pivots) = Linalg.luFactor(try call.tensor("A"))
      return [lu, pivots]
    },
    "linalg_lu_factor_ex": .several { call throws(TypeFault) in
      call.ignore("check_errors")
      let a = try call.tensor("A")
      let (lu, pivots) = Linalg.luFactor(a)
      return [lu, pivots, success(a)]
    },
    "lu_unpack": .several { call throws(TypeFault) in
      let (p, l, u) = Linalg.luUnpack(try call.tensor("LU_data"), try call.tensor("LU_pivots"))
      return [p, l, u]
    },
    "linalg_lu_solve": .one { call throws(TypeFault) in
      Linalg.luSolve(
        try call.tensor("LU"), try call.tensor("pivots"), try call.tensor("B"), left: try call.flag("left"),
        adjoint: try call.flag("adjoint"))
    },
    "linalg_det": .one(of: "A") { Linalg.det($0) },
    "_linalg_det": .first(of: 3) { call throws(TypeFault) in Linalg.det(try call.tensor("A")) },
    "linalg_slogdet": .several { call throws(TypeFault) in try signAndLogarithm(call, "A") },
    "slogdet": .several { call throws(TypeFault) in try signAndLogarithm(call, "self") },
    "_linalg_slogdet": Operator { call throws(TypeFault) in
      try signAndLogarithm(call, "A").map { .tensor($0) } + [.unread, .unread]
    },
    "det": .unary { Linalg.det($0) }, "logdet": .unary { logdet($0) },
    "linalg_inv": .one(of: "A") { Linalg.inv($0) }, "inverse": .unary { Linalg.inv($0) },
    "linalg_inv_ex": .several { call throws(TypeFault) in
      call.ignore("check_errors")
      let a = try call.tensor("A")
      return [Linalg.inv(a), success(a)]
    },
    "linalg_pinv": .one { call throws(TypeFault) in
      let rcond = call.schema?["rcond"] == nil ? "rtol" : "rcond"
      return Linalg.pinv(
        try call.tensor(), atol: try call.tolerance("atol"), rtol: try call.tolerance(rcond),
        hermitian: try call.flag("hermitian"))
    },
    "pinverse": .one { call throws(TypeFault) in pinverse(try call.tensor(), rcond: try call.float("rcond")) },
    "linalg_solve": .one { call throws(TypeFault) in try solved(call) },
    "_linalg_solve_ex": Operator { call throws(TypeFault) in
      call.ignore("check_errors")
      return [.tensor(try solved(call)), .unread, .unread, .tensor(success(try call.tensor("A")))]
    },
    "linalg_solve_triangular": .one { call throws(TypeFault) in
      Linalg.solveTriangular(
        try call.tensor(), try call.tensor("B"), upper: try call.flag("upper"), left: try call.flag("left"),
        unitriangular: try call.flag("unitriangular"))
    },
    "linalg_tensorsolve": .one { call throws(TypeFault) in
      Linalg.tensorsolve(try call.tensor(), try call.tensor("other"))
    },
    "linalg_tensorinv": .one { call throws(TypeFault) in
      Linalg.tensorinv(try call.tensor(), ind: try call.integer("ind"))
    },
    "linalg_matrix_exp": .unary { Linalg.matrixExp($0) },
    "linalg_matrix_power": .one { call throws(TypeFault) in
      Linalg.matrixPower(try call.tensor(), try call.integer("n"))
    },
    "linalg_multi_dot": .one { call throws(TypeFault) in Linalg.multiDot(try call.tensors("tensors")) },
    "chain_matmul": .one { call throws(TypeFault) in Linalg.multiDot(try call.tensors("matrices")) },
    "linalg_matrix_norm": .one { call throws(TypeFault) in
      Linalg.matrixNorm(
        try call.tensor(), ord: try norm(call, "ord") ?? .frobenius, dim: try call.integers("dim"),
        keepdim: try call.flag("keepdim"), dtype: try call.dtype())
    },
    "linalg_norm": .one { call throws(TypeFault) in
      Linalg.norm(
        try call.tensor(), ord: try norm(call, "ord"), dim: try call.optionalIntegers("dim"),
        keepdim: try call.flag("keepdim"), dtype: try call.dtype())
    },
    "linalg_cond": .one { call throws(TypeFault) in
      Linalg.cond(try call.tensor(), p: try norm(call, "p") ?? .order(2))
    },
    "linalg_matrix_rank": .one { call throws(TypeFault) in
      let tolerance = call.schema?["tol"] == nil ? "atol" : "tol"
      return Linalg.matrixRank(
        try call.tensor("input"), atol: try call.tolerance(tolerance), rtol: try call.tolerance("rtol"),
        hermitian: try call.flag("hermitian"))
    },
    "linalg_vecdot": .one { call throws(TypeFault) in
      Linalg.vecdot(try call.tensor("x"), try call.tensor("y"), dim: try call.integer("dim"))
    },
    "linalg_vander": .one { call throws(TypeFault) in
      Linalg.vander(try call.tensor("x"), try call.optionalInteger("N"))
    },
    "linalg_diagonal": .one { call throws(TypeFault) in
      Linalg.diagonal(
        try call.tensor("A"), offset: try call.integer("offset"), dim1: try call.integer("dim1"),
        dim2: try call.integer("dim2"))
    },
    "cholesky": .one { call throws(TypeFault) in Linalg.cholesky(try call.tensor(), upper: try call.flag("upper")) },
    "qr": .several { call throws(TypeFault) in
      let (q, r) = Linalg.qr(try call.tensor(), mode: try call.flag("some") ? .reduced : .complete)
      return [q, r]
    },
    "svd": Operator { call throws(TypeFault) in
      let a = try call.tensor()
      let isReduced = try call.flag("some")
      guard try call.flag("compute_uv") else { return [.unread, .tensor(Linalg.svdvals(a)), .unread] }
      let (u, s, vh) = Linalg.svd(a, fullMatrices: !isReduced)
      return [.tensor(u), .tensor(s), .tensor(vh.mT)]
    },
    "triangular_solve": .several { call throws(TypeFault) in
      let (a, isUpper) = (try call.tensor("A"), try call.flag("upper"))
      let isTransposed = try call.flag("transpose")
      let x = Linalg.solveTriangular(
        isTransposed ? a.mT : a, try call.tensor(), upper: isUpper != isTransposed, left: true,
        unitriangular: try call.flag("unitriangular"))
      return [x, a]
    },
    "lu_solve": .one { call throws(TypeFault) in
      Linalg.luSolve(try call.tensor("LU_data"), try call.tensor("LU_pivots"), try call.tensor())
    },
    "linalg_solve_ex": .several { call throws(TypeFault) in
      call.ignore("check_errors")
      return [try solved(call), success(try call.tensor("A"))]
    },
    "nuclear_norm": .one { call throws(TypeFault) in
      Linalg.matrixNorm(
        try call.tensor(), ord: .nuclear, dim: call.has("dim") ? try call.integers("dim") : [-2, -1],
        keepdim: try call.flag("keepdim"))
    },
    "frobenius_norm": .one { call throws(TypeFault) in
      try call.tensor().norm(p: 2, dim: call.integers("dim"), keepdim: call.flag("keepdim"))
    },
    "orgqr": .one { call throws(TypeFault) in
      Linalg.householderProduct(try call.tensor(), try call.tensor("input2"))
    },
    "linalg_householder_product": .one { call throws(TypeFault) in
      Linalg.householderProduct(try call.tensor("input"), try call.tensor("tau"))
    },
  ]

  /// A zero for each matrix.
  private static func success(_ a: Tensor) -> Tensor {
    a.builder.zeros(TensorType(.i32, Array(a.shape.dropLast(2))))
  }

  private static func triangle(_ call: Call) throws(TypeFault) -> Linalg.Triangle {
    let name = try call.string("UPLO")
    guard let triangle = Linalg.Triangle(rawValue: name.uppercased()) else {
      throw TypeFault("the triangle '\(name)' is not known")
    }
    return triangle
  }

  private static func signAndLogarithm(_ call: Call, _ name: String) throws(TypeFault) -> [Tensor] {
    let (sign, logarithm) = Linalg.slogdet(try call.tensor(name))
    return [sign, logarithm]
  }

  private static func solved(_ call: Call) throws(TypeFault) -> Tensor {
    Linalg.solve(try call.tensor("A"), try call.tensor("B"), left: try call.flag("left"))
  }

  /// A norm by its name or number; nil where it is left out.
  private static func norm(_ call: Call, _ name: String) throws(TypeFault) -> Linalg.MatrixNorm? {
    switch call.argument(name) {
    case .string("fro")?: .frobenius
    case .string("nuc")?: .nuclear
    case .string(let text)?: throw TypeFault("the norm '\(text)' is not known")
    default: try call.optionalFloat(name).map { .order($0) }
    }
  }
}

extension Call {
  /// A number, which may be a tensor that the program knows.
  fileprivate func tolerance(_ name: String) throws(TypeFault) -> Double? {
    guard schema?[name] != nil, has(name) else { return nil }
    guard try number(name) == nil else { return try optionalFloat(name) }
    guard let literal = try tensor(name).literal, literal.count == 1 else {
      throw TypeFault("the argument '\(name)' must be known when the model is compiled")
    }
    return literal.doubles[0]
  }
}
