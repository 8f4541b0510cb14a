/// Reading, writing and rounding single elements of every type. 16-bit floats go through their bit patterns.
extension ScalarType {
  /// The element at `index` of a dense buffer.
  @inlinable
  package func load(from buffer: UnsafeRawBufferPointer, at index: Int) -> ScalarValue {
    let offset = index * byteCount
    switch self {
    case .f64: return .float(buffer.loadUnaligned(fromByteOffset: offset, as: Double.self))
    case .f32: return .float(Double(buffer.loadUnaligned(fromByteOffset: offset, as: Float.self)))
    case .f16:
      return .float(Double(Half.float(fromHalf: buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
    case .bf16:
      return .float(Double(Half.float(fromBrain: buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
    case .i8: return .integer(Int(buffer.loadUnaligned(fromByteOffset: offset, as: Int8.self)))
    case .i16: return .integer(Int(buffer.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
    case .i32: return .integer(Int(buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
    case .i64: return .integer(buffer.loadUnaligned(fromByteOffset: offset, as: Int.self))
    case .u8: return .integer(Int(buffer[offset]))
    case .u16: return .integer(Int(buffer.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    case .u32: return .integer(Int(buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    case .u64: return .integer(Int(bitPattern: buffer.loadUnaligned(fromByteOffset: offset, as: UInt.self)))
    case .bool: return .integer(buffer[offset] == 0 ? 0 : 1)
    default: return loadNarrow(buffer[offset])
    }
  }

  /// The element of a narrow type that a byte holds.
  @usableFromInline
  func loadNarrow(_ byte: UInt8) -> ScalarValue {
    guard let narrow else { internalError("\(self) is not narrow") }
    return narrow.isFloat ? .float(Double(narrow.float(byte))) : .integer(narrow.wrapped(Int(byte)))
  }

  /// The byte that holds an element of a narrow type.
  @usableFromInline
  func storedNarrow(_ value: Double) -> UInt8 {
    guard let narrow else { internalError("\(self) is not narrow") }
    return narrow.code(Float(value))
  }

  /// A value as a narrow type represents it.
  @usableFromInline
  func roundedNarrow(_ value: ScalarValue) -> ScalarValue {
    guard let narrow else { internalError("\(self) is not narrow") }
    switch value {
    case .float(let x) where narrow.isFloat: return .float(Double(narrow.float(narrow.code(Float(x)))))
    case .integer(let x) where narrow.isFloat: return .float(Double(narrow.float(narrow.code(Float(x)))))
    case .float(let x):
      let bounds = narrow.range
      return .integer(Swift.min(Swift.max(Self.saturated(x, Int.self), bounds.lowerBound), bounds.upperBound))
    case .integer(let x): return .integer(narrow.wrapped(x))
    }
  }

  /// Writes `value`, rounded to this type, at `index` of a dense buffer.
  @inlinable
  package func store(_ value: ScalarValue, to buffer: UnsafeMutableRawBufferPointer, at index: Int) {
    let offset = index * byteCount
    switch (self, rounded(value)) {
    case (.f64, .float(let x)): buffer.storeBytes(of: x, toByteOffset: offset, as: Double.self)
    case (.f32, .float(let x)): buffer.storeBytes(of: Float(x), toByteOffset: offset, as: Float.self)
    case (.f16, .float(let x)): buffer.storeBytes(of: Half.half(Float(x)), toByteOffset: offset, as: UInt16.self)
    case (.bf16, .float(let x)): buffer.storeBytes(of: Half.brain(Float(x)), toByteOffset: offset, as: UInt16.self)
    case (.i8, .integer(let x)), (.u8, .integer(let x)), (.bool, .integer(let x)):
      buffer[offset] = UInt8(truncatingIfNeeded: x)
    case (.i16, .integer(let x)), (.u16, .integer(let x)):
      buffer.storeBytes(of: UInt16(truncatingIfNeeded: x), toByteOffset: offset, as: UInt16.self)
    case (.i32, .integer(let x)), (.u32, .integer(let x)):
      buffer.storeBytes(of: UInt32(truncatingIfNeeded: x), toByteOffset: offset, as: UInt32.self)
    case (.i64, .integer(let x)), (.u64, .integer(let x)):
      buffer.storeBytes(of: x, toByteOffset: offset, as: Int.self)
    case (.f64, .integer), (.f32, .integer), (.f16, .integer), (.bf16, .integer):
      break  // `rounded` gives a float for float types only
    case (_, .integer(let x)): buffer[offset] = UInt8(truncatingIfNeeded: x)
    case (_, .float(let x)): if narrow != nil { buffer[offset] = storedNarrow(x) }
    }
  }

  /// `value` as this type represents it.
  ///
  /// Floats are rounded to nearest even, floats to integers truncated towards zero (NaN
  /// to 0, out of range to the nearest end), integers wrapped, anything but zero `true`. The way to 16-bit floats leads
  /// over `f32`. Integers are read as signed; see ``converted(_:from:)``.
  @inlinable
  package func rounded(_ value: ScalarValue) -> ScalarValue {
    switch (self, value) {
    case (.f64, .float): return value
    case (.f64, .integer(let x)): return .float(Double(x))
    case (.f32, .float(let x)): return .float(Double(Float(x)))
    case (.f16, .float(let x)): return .float(Double(Half.float(fromHalf: Half.half(Float(x)))))
    case (.bf16, .float(let x)): return .float(Double(Half.float(fromBrain: Half.brain(Float(x)))))
    // Not by way of `f64`, which would round a second time.
    case (.f32, .integer(let x)), (.f16, .integer(let x)), (.bf16, .integer(let x)):
      return rounded(.float(Double(Float(x))))
    case (.bool, .float(let x)): return .integer(x == 0 ? 0 : 1)
    case (.bool, .integer(let x)): return .integer(x == 0 ? 0 : 1)
    case (.u64, .float(let x)): return .integer(Int(bitPattern: Self.saturated(x, UInt.self)))
    case (_, .float) where narrow != nil, (_, .integer) where narrow != nil: return roundedNarrow(value)
    case (_, .float(let x)):
      switch self {
      case .i8: return .integer(Int(Self.saturated(x, Int8.self)))
      case .i16: return .integer(Int(Self.saturated(x, Int16.self)))
      case .i32: return .integer(Int(Self.saturated(x, Int32.self)))
      case .u8: return .integer(Int(Self.saturated(x, UInt8.self)))
      case .u16: return .integer(Int(Self.saturated(x, UInt16.self)))
      case .u32: return .integer(Int(Self.saturated(x, UInt32.self)))
      default: return .integer(Self.saturated(x, Int.self))
      }
    case (.i8, .integer(let x)): return .integer(Int(Int8(truncatingIfNeeded: x)))
    case (.i16, .integer(let x)): return .integer(Int(Int16(truncatingIfNeeded: x)))
    case (.i32, .integer(let x)): return .integer(Int(Int32(truncatingIfNeeded: x)))
    case (.u8, .integer(let x)): return .integer(Int(UInt8(truncatingIfNeeded: x)))
    case (.u16, .integer(let x)): return .integer(Int(UInt16(truncatingIfNeeded: x)))
    case (.u32, .integer(let x)): return .integer(Int(UInt32(truncatingIfNeeded: x)))
    case (_, .integer): return value
    }
  }

  /// A value of another type as this type represents it: what `convert` means.
  package func converted(_ value: ScalarValue, from source: ScalarType) -> ScalarValue {
    guard source == .u64, isFloat, case .integer(let bits) = value else { return rounded(value) }
    let number = UInt(bitPattern: bits)
    return self == .f64 ? .float(Double(number)) : rounded(.float(Double(Float(number))))
  }

  /// The integer nearest to `value` after truncation, clamped to the range of `I`; NaN gives 0.
  @inlinable
  static func saturated<I: FixedWidthInteger>(_ value: Double, _: I.Type) -> I {
    if value.isNaN { return 0 }
    let truncated = value.rounded(.towardZero)
    if truncated >= Double(I.max) { return I.max }
    if truncated <= Double(I.min) { return I.min }
    return I(truncated)
  }
}

/// Conversions between `Float` and the bit patterns of the 16-bit formats, rounding to nearest even.
///
/// Without branches and written out where they are used, so that loops over them are vector code.
@usableFromInline
package enum Half {
  /// IEEE 754 binary16.
  @inlinable
  @inline(__always)
  package static func float(fromHalf bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits & 0x3ff)
    let subnormal = (Float(Int32(bitPattern: fraction)) * 0x1p-24).bitPattern
    let normal = (exponent &+ (exponent == 0x1f ? 224 : 112)) << 23 | fraction << 13
    return Float(bitPattern: sign | (exponent == 0 ? subnormal : normal))
  }

  /// The bits of the nearest `f16`, half to even.
  @inlinable
  @inline(__always)
  package static func half(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = bits >> 16 & 0x8000
    let magnitude = bits & 0x7fff_ffff
    // A subnormal: the sum with 0.5 shifts the fraction into place, rounding to even.
    let subnormal = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    let normal = (magnitude &+ 0xfff &+ (magnitude >> 13 & 1) &- 0x3800_0000) >> 13
    let finite = magnitude < 0x3880_0000 ? subnormal : normal
    let outside: UInt32 = magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00
    return UInt16(truncatingIfNeeded: sign | (magnitude < 0x4780_0000 ? finite : outside))
  }

  /// The upper half of binary32.
  @inlinable
  @inline(__always)
  package static func float(fromBrain bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  /// The bits of the nearest `bf16`, half to even.
  @inlinable
  @inline(__always)
  package static func brain(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = bits &+ 0x7fff &+ (bits >> 16 & 1)
    return UInt16(truncatingIfNeeded: (value != value ? bits | 0x40_0000 : rounded) >> 16)
  }
}
