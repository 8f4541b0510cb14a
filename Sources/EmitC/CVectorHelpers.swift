internal import LatheCore

extension CHelpers {
  /// The name of a vector type; it will be defined in the file.
  mutating func name(_ vector: CVector) -> String {
    _ = name(.vector(vector))
    vectorMentions += 1
    return vector.name
  }

  /// The name of a vector type for accesses to memory.
  mutating func memoryName(_ vector: CVector) -> String {
    _ = name(.vector(vector))
    return vector.memoryName
  }

  /// The size of the largest vector in the file; 0 without any.
  var vectorBytes: Int {
    used.reduce(0) { size, helper in if case .vector(let vector) = helper { max(size, vector.byteCount) } else { size }
    }
  }

  /// What tells compilers the instructions that vectors of the file are made for; it is silent where vectors are
  /// parameters.
  static func targetDefinition(_ macro: String, vectorBytes: Int) -> String {
    let features =
      switch vectorBytes {
      case 64...: "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2,lzcnt,movbe"
      case 32: "avx2,fma,f16c,bmi,bmi2,lzcnt,movbe"
      default: "sse4.2"
      }
    return """
      #if defined(__x86_64__)
      #define \(macro)_TARGET __attribute__((target("\(features)")))
      #else
      #define \(macro)_TARGET
      #endif
      """
  }

  /// A function of vectors.
  static func lanesFunction(_ name: String, _ function: String, _ vector: CVector, _ macro: String) -> String {
    let type = vector.name
    let mask = vector.mask.name
    var parameters = ["\(type) a", "\(type) b"]
    var result = type
    let body: String
    func choice(_ test: String, _ then: String, _ otherwise: String) -> String {
      """
        const \(mask) m = \(test);
        return (\(type))((m & (\(mask))\(then)) | (~m & (\(mask))\(otherwise)));
      """
    }
    switch function {
    // the order of the operands decides between 0 and -0, as for scalars; NaN wins
    case "maximum" where vector.type.isFloat: body = choice("(\(mask))(a > b) | (\(mask))(a != a)", "a", "b")
    case "minimum" where vector.type.isFloat: body = choice("(\(mask))(b < a) | (\(mask))(b != b)", "b", "a")
    // where b is no NaN
    case "maximum_of_number": body = choice("(\(mask))(a <= b)", "b", "a")
    case "minimum_of_number": body = choice("(\(mask))(b < a)", "b", "a")
    case "maximum": body = choice("(\(mask))(a < b)", "b", "a")
    case "minimum": body = choice("(\(mask))(b < a)", "b", "a")
    case "abs":
      parameters = ["\(type) x"]
      body = "  return (\(type))((\(mask))x & \(vector.type == .f64 ? "INT64_MAX" : "INT32_MAX"));"
    case "is_nan":
      parameters = ["\(type) x"]
      result = mask
      body = "  return (\(mask))(x != x);"
    default:
      parameters = ["\(mask) m", "\(type) a", "\(type) b"]
      body = "  return (\(type))((m & (\(mask))a) | (~m & (\(mask))b));"
    }
    return """
      \(macro)_TARGET static inline \(result) \(name)(\(parameters.joined(separator: ", ")))
      {
      \(body)
      }
      """
  }
}
