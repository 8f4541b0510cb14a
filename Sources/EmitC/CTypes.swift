internal import LatheCore

extension ScalarType {
  /// How an element is kept in memory: floats of 16 bits or fewer as their codes.
  var cStorage: String {
    storage.cValue
  }

  /// A name for an array of the type, as part of a union.
  var memberName: String { self == .bool ? "truth" : rawValue }

  /// How a value is computed with: floats of 16 bits or fewer as `float` that is rounded after every operation.
  var cValue: String {
    switch self {
    case .f64: "double"
    case _ where computeType == .f32: "float"
    case .i8: "int8_t"
    case .i16: "int16_t"
    case .i32: "int32_t"
    case .i64: "int64_t"
    case .u8: "uint8_t"
    case .u16: "uint16_t"
    case .u32: "uint32_t"
    case .u64: "uint64_t"
    case .bool: "bool"
    default: storage.cValue
    }
  }

  /// The unsigned type in which integer arithmetic wraps without surprises from promotion.
  var cWrapping: String { byteCount == 8 ? "uint64_t" : "uint32_t" }

  /// What functions of `<math.h>` end in for this type.
  var mathSuffix: String { self == .f64 ? "" : "f" }

  /// A C expression that C's promotions have widened to `int`, made this type again.
  func narrowed(_ text: String) -> String { isInteger && byteCount < 4 ? "(\(cValue))(\(text))" : text }

  /// Whether what is in memory is the code of a float.
  var isCoded: Bool { isFloat && byteCount < 4 }

  /// A number of this type as C writes it: typed, and exact.
  func cLiteral(_ value: ScalarValue) -> String {
    switch rounded(value) {
    case .float(let x):
      if x.isNaN { return self == .f64 ? "(double)NAN" : "NAN" }
      if x.isInfinite { return (x < 0 ? "-" : "") + (self == .f64 ? "(double)INFINITY" : "INFINITY") }
      return self == .f64 ? "\(x)" : "\(Float(x))f"
    case .integer(let x):
      switch self {
      case .bool: return x == 0 ? "false" : "true"
      case .u64: return x >= 0 && x <= Int(UInt32.max) ? "\(x)u" : "UINT64_C(\(UInt(bitPattern: x)))"
      case .u8, .u16, .u32, .u4, .u2: return "\(x)u"
      case .i32 where x == Int(Int32.min): return "INT32_MIN"
      case .i64 where x == Int.min: return "INT64_MIN"
      case .i64 where x > Int(Int32.max) || x <= Int(Int32.min): return "INT64_C(\(x))"
      default: return "\(x)"
      }
    }
  }

  /// A float as hexadecimal, for tables of weights: exact and quick to read for a compiler.
  func cHexLiteral(_ value: ScalarValue) -> String {
    guard isFloat, !isCoded, case .float(let x) = value, x.isFinite else { return cLiteral(value) }
    if x == x.rounded(), Swift.abs(x) < 1e6 { return cLiteral(value) }
    var fraction = String(x.significandBitPattern, radix: 16)
    fraction = String(repeating: "0", count: 13 - fraction.count) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    guard x.isNormal else { return cLiteral(value) }
    let digits = fraction.isEmpty ? "1" : "1.\(fraction)"
    return (x.sign == .minus ? "-" : "") + "0x\(digits)p\(x.exponent)" + (self == .f64 ? "" : "f")
  }
}

extension Buffer {
  /// The type as comments show it, `f32[1,6,28,28]`.
  var typeText: String { TensorType(dtype, shape).description }
}
