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

  /// The vector types that are used.
  var vectors: [CVector] { used.compactMap { if case .vector(let vector) = $0 { vector } else { nil } } }

  /// The size of the largest vector in the file; 0 without any.
  var vectorBytes: Int { vectors.map(\.byteCount).max() ?? 0 }

  /// What tells compilers the instructions that vectors of the file are made for; it is silent where vectors are
  /// parameters.
  func targetDefinition(_ macro: String) -> String {
    let features = CProcessor.x86Features(vectorBytes: registerBytes ?? vectorBytes).joined(separator: ",")
    return """
      #if defined(__x86_64__)
      #define \(macro)_TARGET __attribute__((target("\(features)")))
      #else
      #define \(macro)_TARGET
      #endif
      """
  }

  /// Whether functions of the file use instructions by name.
  var hasIntrinsics: Bool {
    used.contains { helper in
      switch helper {
      case .partialLoad(let vector, _), .partialStore(let vector, _): hasMaskedAccess(vector)
      default: false
      }
    }
  }

  /// Whether processors can access some lanes of memory; 64-bit integers have another name there than `int64_t`.
  private func hasMaskedAccess(_ vector: CVector) -> Bool {
    [32, 64].contains(vector.byteCount) && vector.byteCount <= registerBytes ?? 64
      && (vector.type.isFloat || vector.type.byteCount == 4)
  }

  /// A load or store of the first `count` elements: with a mask where there are instructions for that.
  func partialAccess(
    _ name: String, _ vector: CVector, _ count: Int, isStore: Bool, _ macro: String
  ) -> String {
    let type = vector.type
    let plain =
      isStore
      ? "  memcpy(p, &x, \(count * type.byteCount));"
      : "  \(vector.name) x = {0};\n  memcpy(&x, p, \(count * type.byteCount));\n  return x;"
    let suffix = type == .f32 ? "ps" : type == .f64 ? "pd" : "epi32"
    let kind = type == .f32 ? "" : type == .f64 ? "d" : "i"
    var masked: String?
    if !hasMaskedAccess(vector) {
      masked = nil
    } else if vector.byteCount == 64 {
      let mask = "(__mmask\(vector.lanes))0x\(String((1 << count) - 1, radix: 16))"
      masked =
        isStore
        ? "_mm512_mask_storeu_\(suffix)(p, \(mask), (__m512\(kind))x);"
        : "return (\(vector.name))_mm512_maskz_loadu_\(suffix)(\(mask), p);"
    } else {
      let lanes = (0..<vector.lanes).map { $0 < count ? "-1" : "0" }.joined(separator: ", ")
      let mask = "(__m256i)(\(vector.mask.name)){\(lanes)}"
      let element = type.isFloat ? type.cValue : "int"
      masked =
        isStore
        ? "_mm256_maskstore_\(suffix)((\(element) *)p, \(mask), (__m256\(kind))x);"
        : "return (\(vector.name))_mm256_maskload_\(suffix)((const \(element) *)p, \(mask));"
    }
    let body = masked.map { "#if defined(__x86_64__)\n  \($0)\n#else\n\(plain)\n#endif" } ?? plain
    let head =
      isStore ? "void \(name)(\(type.cValue) *p, \(vector.name) x)" : "\(vector.name) \(name)(const \(type.cValue) *p)"
    return "\(macro)_TARGET static inline \(head)\n{\n\(body)\n}"
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
    case "shift_left", "shift_right":
      let symbol = function == "shift_left" ? "<<" : ">>"
      let bits = vector.type.byteCount * 8
      body = "  return (a \(symbol) (b & \(bits - 1))) & (\(type))(b < \(bits));"
    case "abs":
      parameters = ["\(type) x"]
      body = "  return (\(type))((\(mask))x & \(vector.type == .f64 ? "INT64_MAX" : "INT32_MAX"));"
    case "is_nan":
      parameters = ["\(type) x"]
      result = mask
      body = "  return (\(mask))(x != x);"
    case "select":
      parameters = ["\(mask) m", "\(type) a", "\(type) b"]
      body = "  return (\(type))((m & (\(mask))a) | (~m & (\(mask))b));"
    default: internalError("there is no function '\(function)' of vectors")
    }
    return """
      \(macro)_TARGET static inline \(result) \(name)(\(parameters.joined(separator: ", ")))
      {
      \(body)
      }
      """
  }
}
