internal import LatheCore
internal import LatheNN

/// `torch.special`, and the functions of its kind.
extension Operator {
  static let special: [String: Operator] = [
    "special_erfcx": .unary { $0.erfcx() }, "special_ndtr": .unary { $0.ndtr() },
    "special_ndtri": .unary { $0.ndtri() }, "special_log_ndtr": .unary { $0.logNdtr() },
    "special_entr": .unary { $0.entr() }, "special_airy_ai": .one(of: "x") { $0.airyAi() },
    "i0": .unary { $0.i0() }, "special_i0e": .unary { $0.i0e() }, "special_i1": .unary { $0.i1() },
    "special_i1e": .unary { $0.i1e() },
    "special_bessel_j0": .unary { $0.besselJ0() }, "special_bessel_j1": .unary { $0.besselJ1() },
    "special_bessel_y0": .unary { $0.besselY0() }, "special_bessel_y1": .unary { $0.besselY1() },
    "special_modified_bessel_i0": .unary { $0.modifiedBesselI0() },
    "special_modified_bessel_i1": .unary { $0.modifiedBesselI1() },
    "special_modified_bessel_k0": .unary { $0.modifiedBesselK0() },
    "special_modified_bessel_k1": .unary { $0.modifiedBesselK1() },
    "special_scaled_modified_bessel_k0": .one(of: "x") { $0.scaledModifiedBesselK0() },
    "special_scaled_modified_bessel_k1": .one(of: "x") { $0.scaledModifiedBesselK1() },
    "special_spherical_bessel_j0": .one(of: "x") { $0.sphericalBesselJ0() },
    "special_chebyshev_polynomial_t": polynomial { $0.chebyshevPolynomialT($1) },
    "special_chebyshev_polynomial_u": polynomial { $0.chebyshevPolynomialU($1) },
    "special_chebyshev_polynomial_v": polynomial { $0.chebyshevPolynomialV($1) },
    "special_chebyshev_polynomial_w": polynomial { $0.chebyshevPolynomialW($1) },
    "special_shifted_chebyshev_polynomial_t": polynomial { $0.shiftedChebyshevPolynomialT($1) },
    "special_shifted_chebyshev_polynomial_u": polynomial { $0.shiftedChebyshevPolynomialU($1) },
    "special_shifted_chebyshev_polynomial_v": polynomial { $0.shiftedChebyshevPolynomialV($1) },
    "special_shifted_chebyshev_polynomial_w": polynomial { $0.shiftedChebyshevPolynomialW($1) },
    "special_hermite_polynomial_h": polynomial { $0.hermitePolynomialH($1) },
    "special_hermite_polynomial_he": polynomial { $0.hermitePolynomialHe($1) },
    "special_laguerre_polynomial_l": polynomial { $0.laguerrePolynomialL($1) },
    "special_legendre_polynomial_p": polynomial { $0.legendrePolynomialP($1) },
    "polygamma": .one { call throws(TypeFault) in try call.tensor().polygamma(call.integer("n")) },
    "mvlgamma": .one { call throws(TypeFault) in try call.tensor().multigammaln(call.integer("p")) },
    "igamma": .tensors { $0.gammainc($1) }, "igammac": .tensors { $0.gammaincc($1) },
    "special_zeta": .numbers { $0.zeta($1) }, "special_xlog1py": .numbers { $0.xlog1py($1) },
    "xlogy": .numbers { $0.xlogy($1) },
  ]

  /// A polynomial of a degree that the program knows.
  private static func polynomial(_ function: @escaping @Sendable (Tensor, Int) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor("x"), try call.integer("n")) }
  }
}
