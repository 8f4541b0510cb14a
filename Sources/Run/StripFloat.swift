internal import Foundation

/// A native float with the functions of the C library in its own precision, as the emitted C calls them.
protocol StripFloat: BinaryFloatingPoint {
  static func exp(_ x: Self) -> Self
  static func exp2(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func log2(_ x: Self) -> Self
  static func log10(_ x: Self) -> Self
  static func sin(_ x: Self) -> Self
  static func cos(_ x: Self) -> Self
  static func tan(_ x: Self) -> Self
  static func asin(_ x: Self) -> Self
  static func acos(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sinh(_ x: Self) -> Self
  static func cosh(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
  static func asinh(_ x: Self) -> Self
  static func acosh(_ x: Self) -> Self
  static func atanh(_ x: Self) -> Self
  static func erf(_ x: Self) -> Self
  static func erfc(_ x: Self) -> Self
  static func lgamma(_ x: Self) -> Self
  static func fmod(_ x: Self, _ y: Self) -> Self
  static func pow(_ x: Self, _ y: Self) -> Self
  static func atan2(_ x: Self, _ y: Self) -> Self
}

extension Float: StripFloat {
  @inline(__always) static func exp(_ x: Float) -> Float { Foundation.expf(x) }
  @inline(__always) static func exp2(_ x: Float) -> Float { Foundation.exp2f(x) }
  @inline(__always) static func expm1(_ x: Float) -> Float { Foundation.expm1f(x) }
  @inline(__always) static func log(_ x: Float) -> Float { Foundation.logf(x) }
  @inline(__always) static func log1p(_ x: Float) -> Float { Foundation.log1pf(x) }
  @inline(__always) static func log2(_ x: Float) -> Float { Foundation.log2f(x) }
  @inline(__always) static func log10(_ x: Float) -> Float { Foundation.log10f(x) }
  @inline(__always) static func sin(_ x: Float) -> Float { Foundation.sinf(x) }
  @inline(__always) static func cos(_ x: Float) -> Float { Foundation.cosf(x) }
  @inline(__always) static func tan(_ x: Float) -> Float { Foundation.tanf(x) }
  @inline(__always) static func asin(_ x: Float) -> Float { Foundation.asinf(x) }
  @inline(__always) static func acos(_ x: Float) -> Float { Foundation.acosf(x) }
  @inline(__always) static func atan(_ x: Float) -> Float { Foundation.atanf(x) }
  @inline(__always) static func sinh(_ x: Float) -> Float { Foundation.sinhf(x) }
  @inline(__always) static func cosh(_ x: Float) -> Float { Foundation.coshf(x) }
  @inline(__always) static func tanh(_ x: Float) -> Float { Foundation.tanhf(x) }
  @inline(__always) static func asinh(_ x: Float) -> Float { Foundation.asinhf(x) }
  @inline(__always) static func acosh(_ x: Float) -> Float { Foundation.acoshf(x) }
  @inline(__always) static func atanh(_ x: Float) -> Float { Foundation.atanhf(x) }
  @inline(__always) static func erf(_ x: Float) -> Float { Foundation.erff(x) }
  @inline(__always) static func erfc(_ x: Float) -> Float { Foundation.erfcf(x) }
  @inline(__always) static func lgamma(_ x: Float) -> Float { Foundation.lgammaf(x) }
  @inline(__always) static func fmod(_ x: Float, _ y: Float) -> Float { Foundation.fmodf(x, y) }
  @inline(__always) static func pow(_ x: Float, _ y: Float) -> Float { Foundation.powf(x, y) }
  @inline(__always) static func atan2(_ x: Float, _ y: Float) -> Float { Foundation.atan2f(x, y) }
}

extension Double: StripFloat {
  @inline(__always) static func exp(_ x: Double) -> Double { Foundation.exp(x) }
  @inline(__always) static func exp2(_ x: Double) -> Double { Foundation.exp2(x) }
  @inline(__always) static func expm1(_ x: Double) -> Double { Foundation.expm1(x) }
  @inline(__always) static func log(_ x: Double) -> Double { Foundation.log(x) }
  @inline(__always) static func log1p(_ x: Double) -> Double { Foundation.log1p(x) }
  @inline(__always) static func log2(_ x: Double) -> Double { Foundation.log2(x) }
  @inline(__always) static func log10(_ x: Double) -> Double { Foundation.log10(x) }
  @inline(__always) static func sin(_ x: Double) -> Double { Foundation.sin(x) }
  @inline(__always) static func cos(_ x: Double) -> Double { Foundation.cos(x) }
  @inline(__always) static func tan(_ x: Double) -> Double { Foundation.tan(x) }
  @inline(__always) static func asin(_ x: Double) -> Double { Foundation.asin(x) }
  @inline(__always) static func acos(_ x: Double) -> Double { Foundation.acos(x) }
  @inline(__always) static func atan(_ x: Double) -> Double { Foundation.atan(x) }
  @inline(__always) static func sinh(_ x: Double) -> Double { Foundation.sinh(x) }
  @inline(__always) static func cosh(_ x: Double) -> Double { Foundation.cosh(x) }
  @inline(__always) static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  @inline(__always) static func asinh(_ x: Double) -> Double { Foundation.asinh(x) }
  @inline(__always) static func acosh(_ x: Double) -> Double { Foundation.acosh(x) }
  @inline(__always) static func atanh(_ x: Double) -> Double { Foundation.atanh(x) }
  @inline(__always) static func erf(_ x: Double) -> Double { Foundation.erf(x) }
  @inline(__always) static func erfc(_ x: Double) -> Double { Foundation.erfc(x) }
  @inline(__always) static func lgamma(_ x: Double) -> Double { Foundation.lgamma(x) }
  @inline(__always) static func fmod(_ x: Double, _ y: Double) -> Double { Foundation.fmod(x, y) }
  @inline(__always) static func pow(_ x: Double, _ y: Double) -> Double { Foundation.pow(x, y) }
  @inline(__always) static func atan2(_ x: Double, _ y: Double) -> Double { Foundation.atan2(x, y) }
}
