internal import LatheCore

/// The C text of the routines of linear algebra, made for one element type.
///
/// The files in `Routines` are C in which `real_t` stands for the element type; they are also compiled as they are, for the
/// reference evaluator.
enum CRoutines {
  /// The files whose functions a routine calls; none has the name of a helper of scalar functions.
  static func parts(of name: String) -> [String] {
    switch name {
    case "eigh", "svd": ["scale", "orientation"]
    case "eig": ["scale", "unit"]
    default: []
    }
  }

  /// The definitions that a file holds.
  static func text(of name: String, _ type: ScalarType, prefix: String) -> String {
    let words: [String: String] =
      type == .f32
      ? [
        "real_t": "float", "real_abs": "fabsf", "real_sqrt": "sqrtf", "real_frexp": "frexpf", "real_ldexp": "ldexpf",
        "real_epsilon": "0x1p-23f", "real_largest": "0x1.fffffep127f",
      ]
      : [
        "real_t": "double", "real_abs": "fabs", "real_sqrt": "sqrt", "real_frexp": "frexp", "real_ldexp": "ldexp",
        "real_epsilon": "0x1p-52", "real_largest": "0x1.fffffffffffffp1023",
      ]
    let text = file(name).replacing(/\b(?:real_\w+|routine_\w+)/) { match in
      let word = String(match.output)
      if let word = words[word] { return word }
      guard word.hasPrefix("routine_") else { internalError("there is no '\(word)' in \(type)") }
      return "\(prefix)_\(word.dropFirst("routine_".count))_\(type)"
    }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  private static func file(_ name: String) -> String {
    let bytes =
      switch name {
      case "cholesky": PackageResources.cholesky_c
      case "eig": PackageResources.eig_c
      case "eigh": PackageResources.eigh_c
      case "lu": PackageResources.lu_c
      case "orientation": PackageResources.orientation_c
      case "qr": PackageResources.qr_c
      case "scale": PackageResources.scale_c
      case "svd": PackageResources.svd_c
      case "triangular_solve": PackageResources.triangular_solve_c
      case "unit": PackageResources.unit_c
      default: internalError("there is no routine '\(name)'")
      }
    return String(decoding: bytes, as: UTF8.self)
  }
}
