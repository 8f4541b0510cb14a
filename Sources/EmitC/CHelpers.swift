internal import LatheCore

/// A small function that the emitted file defines for itself where it is used.
enum CHelper: Hashable, Sendable {
  /// The quotient rounded down, and the remainder that goes with it, for positive divisors.
  case floorDivide, floorModulo
  /// An index, or 0 and a note where it is out of range.
  case checkedIndex
  /// A size, and a note where there is no room for it.
  case checkedSize
  /// Notes for the run that a kernel found an index out of range, also where threads share the kernel.
  case failed(COptions.Threads)
  /// The larger and the smaller of two indices.
  case larger, smaller
  /// The float that the bits of a 16-bit type stand for.
  case unpack(ScalarType)
  /// The bits of the nearest value of a 16-bit type.
  case pack(ScalarType)
  /// The nearest value of a 16-bit type.
  case round(ScalarType)
  /// A float truncated to an integer, clamped to its range, 0 for NaN.
  case saturate(from: ScalarType, to: ScalarType)
  /// The bits of one type read as another.
  case bits(from: ScalarType, to: ScalarType)
  /// A scalar function by the name in its `CSpelling`.
  case function(String, ScalarType)
  /// A mathematical function on `float`, by its expansion.
  case expansion(Pointwise)
  /// A routine of linear algebra, or a part of several, by the name of its file.
  case routine(String, ScalarType)
  /// A choice between two values that are both computed.
  case choice(ScalarType)
  /// A comparison of integers as a function, where the operator would make compilers warn that it is always true.
  case compare(String, ScalarType)
  /// A vector type, and the same in memory.
  case vector(CVector)
  /// A function of vectors.
  case lanes(String, CVector)
  /// A load or store of a vector's first elements, which touches no others.
  case partialLoad(CVector, Int), partialStore(CVector, Int)
  /// A mathematical function of vectors, by its expansion.
  case lanesExpansion(Pointwise, CVector)

  /// The name behind the prefix of the model.
  var name: String {
    switch self {
    case .floorDivide: "floor_divide"
    case .floorModulo: "modulo"
    case .checkedIndex: "checked_index"
    case .checkedSize: "checked_size"
    case .failed: "failed"
    case .larger: "larger"
    case .smaller: "smaller"
    case .unpack(let type): "\(type)_value"
    case .pack(let type): "\(type)_bits"
    case .round(let type): "\(type)_round"
    case .saturate(let from, let to): "\(to)_from_\(from)"
    case .bits(let from, let to): "\(to)_bits_of_\(from)"
    case .function(let name, let type), .routine(let name, let type): "\(name)_\(type)"
    case .expansion(let function): "\(function.rawValue)_f32"
    case .choice(let type): "select_\(type)"
    case .compare(let symbol, let type): "\(Self.comparisonName(symbol))_\(type)"
    case .vector(let vector): vector.name
    case .lanes(let name, let vector): "\(name)_\(vector.name)"
    case .partialLoad(let vector, let count): "load\(count)_\(vector.name)"
    case .partialStore(let vector, let count): "store\(count)_\(vector.name)"
    case .lanesExpansion(let function, let vector): "\(function.rawValue)_\(vector.name)"
    }
  }

  private static func comparisonName(_ symbol: String) -> String {
    switch symbol {
    case "<": "less"
    case "<=": "less_equal"
    case ">": "greater"
    case ">=": "greater_equal"
    case "==": "equal"
    case "!=": "not_equal"
    default: internalError("there is no comparison '\(symbol)'")
    }
  }

  /// Whether a helper may have the name, so that nothing else must.
  static func isName(_ name: String) -> Bool {
    let parts = name.split(separator: "_").map(String.init)
    guard let last = parts.last else { return false }
    let own = ["floor_divide", "modulo", "larger", "smaller", "checked_index", "checked_size", "failed"]
    if own.contains(name) { return true }
    if parts.count > 1, ["value", "bits", "round"].contains(last) {
      return ScalarType(rawValue: parts[parts.count - 2]) != nil
    }
    // The others end in a type, or in a vector's.
    let sizes = last.split(separator: "x", omittingEmptySubsequences: false)
    let isVector = sizes.count == 2 && sizes[1].allSatisfy { $0.isNumber || $0 == "u" }
    return ScalarType(rawValue: isVector ? String(sizes[0]) : last) != nil
  }

  /// What the function's text calls.
  var dependencies: [CHelper] {
    switch self {
    case .floorModulo: [.floorDivide]
    case .round(let type): type.isFloat ? [.unpack(type), .pack(type)] : []
    case .lanes(_, let vector): [.vector(vector), .vector(vector.mask)]
    case .expansion(let function): CExpansion(function, prefix: "").helpers
    case .routine(let name, let type): CRoutines.parts(of: name).map { .routine($0, type) }
    case .partialLoad(let vector, _), .partialStore(let vector, _): [.vector(vector), .vector(vector.mask)]
    case .lanesExpansion(let function, let vector): CExpansion(function, in: vector, prefix: "").helpers
    default: []
    }
  }
}

/// The helpers that a file uses, and their names.
struct CHelpers {
  let prefix: String
  /// Who computes mathematical functions.
  let math: COptions.Math
  /// The bytes of the processor's vectors; nil where the program does not say.
  let registerBytes: Int?
  private(set) var used: Set<CHelper> = []
  /// How often vector types were mentioned so far.
  var vectorMentions = 0

  init(prefix: String, math: COptions.Math, target: Target = .generic) {
    self.prefix = prefix
    registerBytes = target.vectorBytes > 0 ? target.vectorBytes : nil
    self.math = math
  }

  /// The name to call a helper by; it will be defined in the file.
  mutating func name(_ helper: CHelper) -> String {
    used.insert(helper)
    for needed in helper.dependencies { _ = name(needed) }
    return "\(prefix)_\(helper.name)"
  }

  /// All definitions but those of some vector types, each before its users, in an order that depends on nothing but
  /// the set.
  func definitions(except known: Set<CVector> = []) -> [String] {
    let order = used.map { ($0.dependencies, $0) }.sorted { ($0.0.count, $0.1.name) < ($1.0.count, $1.1.name) }
    var written = Set(known.map { CHelper.vector($0) })
    var texts: [String] = []
    func write(_ helper: CHelper, _ dependencies: [CHelper]) {
      guard written.insert(helper).inserted else { return }
      for needed in dependencies { write(needed, needed.dependencies) }
      texts.append(definition(helper))
    }
    for (dependencies, helper) in order { write(helper, dependencies) }
    return texts
  }

  private func definition(_ helper: CHelper) -> String {
    let name = "\(prefix)_\(helper.name)"
    func inline(_ result: String, _ parameters: String, _ body: String) -> String {
      let lines = body.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
      return "static inline \(result) \(name)(\(parameters))\n{\n\(lines)\n}"
    }
    switch helper {
    case .floorDivide:
      return inline("int64_t", "int64_t a, int64_t b", "return a / b - (a % b < 0);")
    case .floorModulo:
      return inline("int64_t", "int64_t a, int64_t b", "return a - \(prefix)_\(CHelper.floorDivide.name)(a, b) * b;")
    case .checkedIndex:
      return inline(
        "int64_t", "int64_t index, int64_t size, bool *outside",
        """
        const bool inside = (uint64_t)index < (uint64_t)size; /* without a branch, so that loops become vectors */
        *outside |= !inside;
        return inside ? index : 0;
        """)
    case .checkedSize:
      return inline(
        "int64_t", "int64_t size, int64_t limit, bool *outside",
        """
        *outside |= (uint64_t)size >= (uint64_t)limit;
        return size;
        """)
    case .failed(let threads):
      return inline("void", "int *failure", Self.failing(threads))
    case .larger: return inline("ptrdiff_t", "ptrdiff_t a, ptrdiff_t b", "return a > b ? a : b;")
    case .smaller: return inline("ptrdiff_t", "ptrdiff_t a, ptrdiff_t b", "return a < b ? a : b;")
    case .unpack(.f16):
      return inline(
        "float", "uint16_t bits",
        """
        const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
        const uint32_t exponent = (uint32_t)bits >> 10 & 0x1fu;
        const uint32_t fraction = bits & 0x3ffu;
        const float magnitude = (float)fraction * 0x1p-24f;
        uint32_t pattern = sign | (exponent + (exponent == 0x1fu ? 224u : 112u)) << 23 | fraction << 13;
        float value;
        memcpy(&value, &pattern, sizeof value);
        return exponent != 0 ? value : sign != 0 ? -magnitude : magnitude;
        """)
    case .unpack(.bf16):
      return inline(
        "float", "uint16_t bits",
        """
        const uint32_t pattern = (uint32_t)bits << 16;
        float value;
        memcpy(&value, &pattern, sizeof value);
        return value;
        """)
    case .pack(.f16):
      return inline(
        "uint16_t", "float value",
        """
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        const uint32_t sign = bits >> 16 & 0x8000u;
        const uint32_t magnitude = bits & 0x7fffffffu;
        const float shifted = fabsf(value) + 0.5f; /* a subnormal: the sum shifts the fraction into place, rounded to even */
        uint32_t subnormal;
        memcpy(&subnormal, &shifted, sizeof subnormal);
        const uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
        return (uint16_t)(sign | (magnitude > 0x7f800000u    ? 0x7e00u
                                  : magnitude >= 0x47800000u ? 0x7c00u
                                  : magnitude < 0x38800000u  ? subnormal - 0x3f000000u
                                                             : normal));
        """)
    case .pack(.bf16):
      return inline(
        "uint16_t", "float value",
        """
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        return (uint16_t)(value != value ? bits >> 16 | 0x40u : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
        """)
    case .unpack(let type): return inline("float", "uint8_t bits", Self.decoding(Self.format(type)))
    case .pack(let type): return inline("uint8_t", "float value", Self.encoding(Self.format(type)))
    case .round(let type) where !type.isFloat:
      let format = Self.format(type)
      let (all, sign) = ((1 << format.bits) - 1, format.isSigned ? 1 << (format.bits - 1) : 0)
      // the lowest bits, and the sign's weight taken off twice
      return inline(
        type.cValue, "\(type.cValue) value", "return (\(type.cValue))(((value & \(all)) ^ \(sign)) - \(sign));")
    case .round(let type):
      return inline("float", "float value", "return \(prefix)_\(type)_value(\(prefix)_\(type)_bits(value));")
    case .saturate(let from, let to): return saturation(name, from, to)
    case .vector(let vector): return vector.definition
    case .lanes(let function, let vector):
      return Self.lanesFunction(name, function, vector, prefix.uppercased())
    case .bits(let from, let to):
      return inline(
        to.cStorage, "\(from.cStorage) value",
        """
        \(to.cStorage) bits;
        memcpy(&bits, &value, sizeof bits);
        return bits;
        """)
    case .expansion(let function):
      let expansion = CExpansion(function, prefix: prefix)
      return inline("float", "float x", expansion.body)
    case .partialLoad(let vector, let count):
      return partialAccess(name, vector, count, isStore: false, prefix.uppercased())
    case .partialStore(let vector, let count):
      return partialAccess(name, vector, count, isStore: true, prefix.uppercased())
    case .lanesExpansion(let function, let vector):
      let expansion = CExpansion(function, in: vector, prefix: prefix)
      let lines = expansion.body.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
      return """
        \(prefix.uppercased())_TARGET static inline \(vector.name) \(name)(\(vector.name) x)
        {
        \(lines)
        }
        """
    case .routine(let name, let type): return CRoutines.text(of: name, type, prefix: prefix)
    case .choice(let type):
      return inline(
        type.cValue, "bool test, \(type.cValue) then, \(type.cValue) otherwise", "return test ? then : otherwise;")
    case .compare(let symbol, let type):
      return inline("bool", "\(type.cValue) a, \(type.cValue) b", "return a \(symbol) b;")
    case .function(let function, let type):
      let definition = Self.function(function, type)
      return inline(
        definition.result ?? type.cValue, definition.parameters.map { "\(type.cValue) \($0)" }.joined(separator: ", "),
        definition.body)
    }
  }

  private static func format(_ type: ScalarType) -> NarrowFormat {
    guard let format = type.narrow else { internalError("\(type) has no format of its own") }
    return format
  }

  /// The number of a code, as `NarrowFormat.float` has it.
  private static func decoding(_ format: NarrowFormat) -> String {
    let fraction = format.fractionBits
    let (mask, sign) = (format.isSigned ? Int(format.signBit) - 1 : 255, Int(format.signBit))
    var lines = ["const uint32_t magnitude = bits & \(mask)u;"]
    switch format.specials {
    case .none: break
    case .negativeZero: lines.append("if (bits == \(format.nanCode)u) return NAN;")
    case .nan: lines.append("if (magnitude > \(format.largestCode)u) return NAN;")
    case .infinity:
      lines.append("if (magnitude > \(format.largestCode + 1)u) return NAN;")
    }
    if fraction > 0 {
      lines.append("const int exponent = (int)(magnitude >> \(fraction));")
      lines.append(
        "const uint32_t steps = (magnitude & \((1 << fraction) - 1)u) | (exponent > 0 ? \(1 << fraction)u : 0u);")
      lines.append(
        "float number = ldexpf((float)steps, (exponent > 0 ? exponent : 1) - \(format.bias + fraction));")
    } else {
      lines.append("float number = ldexpf(1.0f, (int)magnitude - \(format.bias));")
    }
    if format.specials == .infinity {
      lines.append("if (magnitude == \(format.largestCode + 1)u) number = INFINITY;")
    }
    lines.append(sign == 0 ? "return number;" : "return (bits & \(sign)u) != 0 ? -number : number;")
    return lines.joined(separator: "\n")
  }

  /// The code of the nearest number, as `NarrowFormat.code` has it.
  private static func encoding(_ format: NarrowFormat) -> String {
    let (fraction, sign) = (format.fractionBits, format.signBit)
    let nan = format.isSigned ? "value != value" : "value != value || value < 0.0f"
    var lines = [
      "if (\(nan)) return \(format.nanCode)u;",
      "const uint8_t sign = \(sign == 0 ? "0" : "signbit(value) ? \(sign) : 0");",
      "const float magnitude = fabsf(value);",
    ]
    let overflow = "\(format.overflowCode)u"
    lines.append("if (magnitude > 3.4e38f) return (uint8_t)(sign | \(overflow));")
    lines.append("int exponent = \(format.smallestExponent);")
    lines.append("if (magnitude > 0.0f) {")
    lines.append("  const int own = ilogbf(magnitude);")
    lines.append("  if (own > exponent) exponent = own;")
    lines.append("}")
    lines.append("const int steps = (int)rintf(ldexpf(magnitude, \(fraction) - exponent));")
    let scaled =
      fraction > 0
      ? "(exponent + \(format.bias - 1)) * \(1 << fraction) + steps" : "exponent + \(format.bias - 1) + steps"
    lines.append("const int code = \(scaled);")
    if format.fractionBits == 0 { lines.append("if (code < 0) return 0;") }
    lines.append(
      "if (code > \(format.largestCode)) return (uint8_t)(\(format.specials == .negativeZero ? "" : "sign | ")\(overflow));"
    )
    if format.specials == .negativeZero { lines.append("if (code == 0) return 0;") }
    lines.append("return (uint8_t)(sign | code);")
    return lines.joined(separator: "\n")
  }

  /// Sets a flag that several threads may set at once, for those who read it when all are done.
  private static func failing(_ threads: COptions.Threads) -> String {
    let plain = "*failure = 1;"
    let atomic = "__atomic_store_n(failure, 1, __ATOMIC_RELAXED);"
    return switch threads {
    case .none: plain
    case .openmp: "#ifdef _OPENMP\n#pragma omp atomic write\n#endif\n\(plain)"
    case .pthreads: atomic
    case .callback: "#if defined(__GNUC__)\n\(atomic)\n#else\n\(plain)\n#endif"
    }
  }

  private func saturation(_ name: String, _ from: ScalarType, _ to: ScalarType) -> String {
    let bits = to.bitCount
    let power = to.isSigned ? bits - 1 : bits
    // powers of two are exact in every float type, the greatest integer is not
    let high = bits <= 16 ? "\((1 << power) - 1).0" : "0x1p\(power)"
    let low = to.isSigned ? (bits <= 16 ? "-\(1 << power).0" : "-0x1p\(power)") : "0.0"
    let suffix = from.mathSuffix
    let macro = (to.isSigned ? "INT" : "UINT") + "\(bits)"
    let most = bits < 8 ? "\((1 << power) - 1)" : "\(macro)_MAX"
    let least = to.isSigned ? bits < 8 ? "-\(1 << power)" : "\(macro)_MIN" : "0"
    return """
      static inline \(to.cValue) \(name)(\(from.cValue) x)
      {
        return \(to.narrowed("x >= \(high)\(suffix) ? \(most) : x <= \(low)\(suffix) ? \(least) : x != x ? 0 : (\(to.cValue))x"));
      }
      """
  }

  /// The parameters, the result where it is not of the type itself, and the body of a scalar function.
  private static func function(
    _ function: String, _ type: ScalarType
  ) -> (parameters: [String], result: String?, body: String) {
    let suffix = type.mathSuffix
    let zero = type.cLiteral(.integer(0))
    let one = type.cLiteral(.integer(1))
    let value = type.cValue
    let wide = type.cWrapping
    let none = type.byteCount == 8 ? "UINT64_C(0)" : "0u"
    switch (function, type.isFloat) {
    // the order of the operands decides between 0 and -0, as in the interpreter; NaN wins
    case ("maximum", true): return (["a", "b"], nil, "return a > b || a != a ? a : b;")
    case ("minimum", true): return (["a", "b"], nil, "return b < a || b != b ? b : a;")
    case ("maximum", false): return (["a", "b"], nil, "return \(type.narrowed("a < b ? b : a"));")
    case ("minimum", false): return (["a", "b"], nil, "return \(type.narrowed("b < a ? b : a"));")
    case ("abs", false):
      return (
        ["x"], nil,
        type.isSigned ? "return \(type.narrowed("x < 0 ? (\(value))(\(none) - (\(wide))x) : x"));" : "return x;"
      )
    case ("sign", true):
      return (["x"], nil, "return x > \(zero) ? \(one) : x < \(zero) ? -\(one) : \(zero);")
    case ("sign", false):
      return (["x"], nil, type.isSigned ? "return (\(value))((x > 0) - (x < 0));" : "return x > 0 ? 1 : 0;")
    case ("rsqrt", _): return (["x"], nil, "return \(one) / sqrt\(suffix)(x);")
    case ("sigmoid", _):
      // exp of a negative number only, so that nothing overflows
      return (
        ["x"], nil,
        """
        const \(value) e = exp\(suffix)(-fabs\(suffix)(x));
        return (x >= \(zero) ? \(one) : e) / (\(one) + e);
        """
      )
    case ("is_nan", _): return (["x"], "bool", "return x != x;")
    case ("is_finite", _): return (["x"], "bool", "return x - x == \(zero);")
    case ("divide", _):
      let wrapped = "(\(value))(\(none) - (\(wide))a)"
      return (
        ["a", "b"], nil,
        "return \(type.narrowed(type.isSigned ? "b == 0 ? 0 : b == -1 ? \(wrapped) : a / b" : "b == 0 ? 0 : a / b"));"
      )
    case ("fmod", _):
      return (
        ["a", "b"], nil,
        "return \(type.narrowed("b == 0\(type.isSigned ? " || b == -1" : "") ? 0 : a % b"));"
      )
    case ("power", _):
      let negative =
        type.isSigned ? "if (exponent < 0) return base == 1 ? 1 : base != -1 ? 0 : exponent % 2 == 0 ? 1 : -1;\n" : ""
      return (
        ["base", "exponent"], nil,
        """
        \(negative)\(wide) result = 1, square = (\(wide))base;
        for (\(wide) rest = (\(wide))exponent; rest > 0; rest >>= 1) {
          if (rest & 1u) result *= square;
          square *= square;
        }
        return (\(value))result;
        """
      )
    case ("polygamma", _):
      // `Pointwise.polygamma`, with the three sums of a negative x as one loop
      let series = Pointwise.polygammaSeries.map { type.cLiteral(.float($0)) }
      let (two, start) = (type.cLiteral(.float(2)), type.cLiteral(.float(10)))
      return (
        ["n", "x"], nil,
        """
        static const \(value) series[\(series.count)] = {
          \(series.joined(separator: ",\n  ")),
        };
        if (!(n >= \(zero)) || n != floor\(suffix)(n)) return \(type.cLiteral(.float(.nan)));
        const bool odd = fmod\(suffix)(n, \(two)) > \(zero);
        const \(value) factorial = tgamma\(suffix)(n + \(one));
        const \(value) start = \(start) + fmin\(suffix)(n, \(type.cLiteral(.float(170))));
        \(value) result = \(zero);
        for (int part = 0; part < (x < \(zero) ? 3 : 1); part++) {
          \(value) a = part == 2 ? \(one) - x : part == 1 ? ceil\(suffix)(x) - x : x < \(zero) ? x - floor\(suffix)(x) : x;
          \(value) sum = \(zero);
          for (; a < start; a += \(one)) sum += factorial * pow\(suffix)(a, -n - \(one));
          const \(value) scale = factorial * pow\(suffix)(a, -n);
          sum += (n > \(zero) ? scale / n : -log\(suffix)(a)) + scale / (a + a);
          \(value) factor = scale * (n + \(one)) / (a * a);
          for (int j = 0; j < \(series.count); j++) {
            sum += series[j] * factor;
            factor *= (n + (\(value))(2 * j + 2)) * (n + (\(value))(2 * j + 3)) / (a * a);
          }
          result += part == 1 || (part == 0 && odd) ? sum : -sum;
        }
        return result;
        """
      )
    case ("shift_left", _):
      let outside = (type.isSigned ? "b < 0 || " : "") + "b >= \(type.byteCount * 8)"
      return (["a", "b"], nil, "return \(type.narrowed("\(outside) ? 0 : (\(value))((\(wide))a << b)"));")
    case ("shift_right", _):
      let outside = (type.isSigned ? "b < 0 || " : "") + "b >= \(type.byteCount * 8)"
      return (
        ["a", "b"], nil, "return \(type.narrowed("\(outside) ? \(type.isSigned ? "(a < 0 ? -1 : 0)" : "0") : a >> b"));"
      )
    default: internalError("there is no helper '\(function)' of \(type)")
    }
  }
}
