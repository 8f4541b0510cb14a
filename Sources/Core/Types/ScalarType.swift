/// The type of one tensor element (PyTorch's `dtype`).
public enum ScalarType: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// Floats that are computed with.
  case f64, f32, f16, bf16
  /// Integers with a sign.
  case i8, i16, i32, i64
  /// Integers without.
  case u8, u16, u32, u64
  /// True or false, a byte each.
  case bool
  // Formats that numbers are stored in; ``narrow`` has their rows.
  /// Floats of 8, 6 and 4 bits by the widths of exponent and fraction, which are stored and not computed with.
  case f8e4m3fn, f8e4m3fnuz, f8e5m2, f8e5m2fnuz, f8e8m0, f6e2m3, f6e3m2, f4e2m1
  /// Integers of 4 and 2 bits, which are stored and not computed with.
  case i4, u4, i2, u2

  /// The spelling used in the text form, `f32`.
  public var description: String { rawValue }

  /// Bytes that one element occupies in memory.
  public var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    default: 1
    }
  }

  /// Whether the type is a binary floating-point format.
  public var isFloat: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    default: narrow?.isFloat ?? false
    }
  }

  /// Whether the type is a signed or unsigned integer; `bool` is not.
  public var isInteger: Bool { !isFloat && self != .bool }

  /// Whether the type can hold negative numbers.
  public var isSigned: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16, .i8, .i16, .i32, .i64: true
    default: narrow?.isSigned ?? false
    }
  }

  /// The type that arithmetic is carried out in: 16-bit floats compute in `f32` and round after every operation.
  public var computeType: ScalarType { isFloat && byteCount < 4 ? .f32 : self }

  /// The smallest value: negative infinity for floats that have it, the least integer, `false`.
  public var lowest: ScalarValue {
    if let narrow {
      guard narrow.isFloat else { return .integer(narrow.range.lowerBound) }
      let infinity = narrow.specials == .infinity ? Float.infinity : narrow.largest
      return .float(narrow.isSigned ? -Double(infinity) : Double(narrow.float(0)))
    }
    if isFloat { return .float(-.infinity) }
    switch self {
    case .i8: return .integer(Int(Int8.min))
    case .i16: return .integer(Int(Int16.min))
    case .i32: return .integer(Int(Int32.min))
    case .i64: return .integer(Int.min)
    default: return .integer(0)
    }
  }

  /// The largest value: infinity for floats that have it, the greatest integer, `true`.
  public var highest: ScalarValue {
    if let narrow {
      guard narrow.isFloat else { return .integer(narrow.range.upperBound) }
      return .float(narrow.specials == .infinity ? .infinity : Double(narrow.largest))
    }
    if isFloat { return .float(.infinity) }
    switch self {
    case .i8: return .integer(Int(Int8.max))
    case .i16: return .integer(Int(Int16.max))
    case .i32: return .integer(Int(Int32.max))
    case .i64: return .integer(Int.max)
    case .u8: return .integer(Int(UInt8.max))
    case .u16: return .integer(Int(UInt16.max))
    case .u32: return .integer(Int(UInt32.max))
    case .u64: return .integer(-1)  // the bit pattern of UInt64.max
    default: return .integer(1)
    }
  }
}

/// One number of any scalar type: floats as `Double`, integers and `bool` as the 64-bit pattern in an `Int`.
public enum ScalarValue: Hashable, Sendable {
  /// A number of a float type.
  case float(Double)
  /// A number of an integer type, or a truth value.
  case integer(Int)

  /// The number as a `Double`; 64-bit patterns are read as signed.
  public var double: Double {
    switch self {
    case .float(let value): value
    case .integer(let value): Double(value)
    }
  }

  /// Equality of bit patterns: two NaNs of one pattern are equal, 0.0 and -0.0 are not; what interning needs.
  public static func == (a: ScalarValue, b: ScalarValue) -> Bool {
    switch (a, b) {
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.integer(let x), .integer(let y)): x == y
    default: false
    }
  }

  /// Adds what `==` compares.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .float(let value): hasher.combine(value.bitPattern)
    case .integer(let value): hasher.combine(value)
    }
  }
}
