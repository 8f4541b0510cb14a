import Foundation

/// What a floating-point type can hold: `torch.finfo`.
public struct FloatInfo: Hashable, Sendable {
  /// The type.
  public let dtype: ScalarType
  /// The bits of a number.
  public let bits: Int
  /// The distance from 1 to the next number.
  public let eps: Double
  /// The largest finite number.
  public let max: Double
  /// The smallest finite number, the opposite of the largest.
  public let min: Double
  /// The smallest positive number with all its digits.
  public let tiny: Double
  /// What decimal digits resolve near 1: a power of ten.
  public let resolution: Double

  /// Another name of `tiny`.
  public var smallestNormal: Double { tiny }
}

/// What an integer type can hold: `torch.iinfo`.
public struct IntegerInfo: Hashable, Sendable {
  /// The type.
  public let dtype: ScalarType
  /// The bits of a number.
  public let bits: Int
  /// The smallest number.
  public let min: Int
  /// The largest number.
  public let max: UInt
}

/// The limits of a floating-point type.
///
/// - Throws: For types that are no floats.
public func finfo(_ dtype: ScalarType = .defaultFloat) throws(DiagnosticsError) -> FloatInfo {
  // Digits behind the leading one, the largest number, and the exponent of the smallest with all digits.
  let (digits, max, exponent): (Int, Double, Int) =
    switch dtype {
    case .f64: (52, Double.greatestFiniteMagnitude, -1022)
    case .f32: (23, Double(Float.greatestFiniteMagnitude), -126)
    case .f16: (10, 65504, -14)
    case .bf16: (7, 0x1.FEp127, -126)
    default:
      if let narrow = dtype.narrow, narrow.isFloat {
        (narrow.fractionBits, Double(narrow.largest), narrow.smallestExponent)
      } else {
        throw DiagnosticsError("finfo: \(dtype) is no floating-point type", help: "iinfo has the limits of integers")
      }
    }
  let isSigned = dtype.narrow?.isSigned ?? true
  let tiny = Double(sign: .plus, exponent: exponent, significand: 1)
  return FloatInfo(
    dtype: dtype, bits: dtype.bitCount, eps: Double(sign: .plus, exponent: -digits, significand: 1), max: max,
    min: isSigned ? -max : tiny, tiny: tiny,
    resolution: pow(10, -(Double(digits) * log10(2)).rounded(.down)))
}

/// The limits of an integer type.
///
/// - Throws: For types that are no integers.
public func iinfo(_ dtype: ScalarType) throws(DiagnosticsError) -> IntegerInfo {
  guard dtype.isInteger, case .integer(let low) = dtype.lowest, case .integer(let high) = dtype.highest else {
    throw DiagnosticsError("iinfo: \(dtype) is no integer type", help: "finfo has the limits of floats")
  }
  return IntegerInfo(dtype: dtype, bits: dtype.bitCount, min: low, max: UInt(bitPattern: high))
}
