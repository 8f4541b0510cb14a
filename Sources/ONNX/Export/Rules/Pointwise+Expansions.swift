internal import Foundation
internal import LatheCore

/// Functions that ONNX has no operator for, in terms of those that it has.
extension Pointwise {
  /// The function of operands, at most a few units in the last place from its own definition unless it is said otherwise.
  func inOperatorsOfONNX(_ operands: [Tensor]) throws(TypeFault) -> Tensor {
    let x = operands[0]
    switch self {
    case .exp2: return x.filled(.float(2)).pow(x)
    case .log2: return x.log() * (1 / M_LN2)
    case .log10: return x.log() * (1 / M_LN10)
    // tanh(x / 2) = (e^x - 1) / (e^x + 1), without the cancellation near 0.
    case .expm1: return (x * 0.5).tanh() * (x.exp() + 1)
    case .log1p:
      // What is lost in 1 + x is lost in both factors alike: Kahan's formula.
      let sum = x + 1
      let isExact = (sum .== 1) .| (sum .== .infinity)
      return isExact.select(x, x * sum.log() / (sum - 1))
    case .tan: return x.sin() / x.cos()
    case .sinh: return (x.expm1() - (-x).expm1()) * 0.5
    case .cosh: return (x.exp() + (-x).exp()) * 0.5
    case .asinh:
      let magnitude = x.abs()
      let square = magnitude * magnitude
      let result = (magnitude + square / ((square + 1).sqrt() + 1)).log1p()
      return (x .< 0).select(-result, result)
    case .acosh:
      let above = x - 1
      return (above + (above * (above + 2)).sqrt()).log1p()
    case .atanh: return (x * 2 / (1 - x)).log1p() * 0.5
    case .trunc: return (x .< 0).select(x.ceil(), x.floor())
    case .isFinite: return x.abs() .< .infinity
    case .erfc: return try Self.complementaryError(x)
    case .lgamma: return Self.logGamma(x.convert(to: .f64)).convert(to: x.dtype)
    case .atan2: return Self.angle(operands[0], operands[1])
    case .power: return Self.wholePower(operands[0], operands[1])
    default: internalError("\(self) is an operator of ONNX")
    }
  }

  /// Numerical Recipes' rational approximation, with a relative error below 1.2e-7 everywhere, computed in `f64`.
  /// Source: Press et al., Numerical Recipes in C, 2nd edition, 6.2 (erfcc)
  private static func complementaryError(_ operand: Tensor) throws(TypeFault) -> Tensor {
    guard operand.dtype != .f64 else {
      throw TypeFault("ONNX has no complementary error function, and its expansion is not exact enough for f64")
    }
    let x = operand.convert(to: .f64)
    let z = x.abs()
    let t = 1 / (z * 0.5 + 1)
    let coefficients = [
      0.170_872_77, -0.822_152_23, 1.488_515_87, -1.135_203_98, 0.278_868_07, -0.186_288_06, 0.096_784_18,
      0.374_091_96, 1.000_023_68, -1.265_512_23,
    ]
    let series = coefficients.dropFirst().reduce(t.filled(.float(coefficients[0]))) { $0 * t + $1 }
    let tail = t * (series - z * z).exp()
    return (x .< 0).select(2 - tail, tail).convert(to: operand.dtype)
  }

  /// Lanczos' approximation with g = 7 and nine terms; below 1/2 by reflection.
  /// Source: https://dlmf.nist.gov/5.5 (5.5.3), https://mrob.com/pub/ries/lanczos-gamma.html
  private static func logGamma(_ x: Tensor) -> Tensor {
    let coefficients = [
      676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13, -176.615_029_162_140_6,
      12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
    ]
    let isReflected = x .< 0.5
    let a = isReflected.select(1 - x, x) - 1
    var sum = a.filled(.float(0.999_999_999_999_809_9))
    for (position, coefficient) in coefficients.enumerated() { sum = sum + coefficient / (a + Double(position + 1)) }
    let t = a + 7.5
    let value = (a + 0.5) * t.log() - t + sum.log() + 0.5 * Foundation.log(2 * Double.pi)
    // sin(pi x) by the fraction, so that large numbers keep it.
    let sine = ((x - x.floor()) * Double.pi).sin().abs()
    let result = isReflected.select(Foundation.log(Double.pi) - sine.log() - value, value)
    return (x.abs() .== .infinity).select(x.filled(.float(.infinity)), result)
  }

  /// The angle of a point, in the quadrants that C's `atan2` has.
  private static func angle(_ y: Tensor, _ x: Tensor) -> Tensor {
    func isNegative(_ a: Tensor) -> Tensor { (a .< 0) .| ((a .== 0) .& (1 / a .< 0)) }
    let zero = x.zerosLike()
    let bothInfinite = (x.abs() .== .infinity) .& (y.abs() .== .infinity)
    func signs(_ a: Tensor) -> Tensor { isNegative(a).select(-a.onesLike(), a.onesLike()) }
    let ratio = bothInfinite.select(signs(x) * signs(y), y / x)
    let principal = ((x .== 0) .& (y .== 0)).select(zero, ratio.atan())
    let half = isNegative(y).select(x.filled(.float(-Double.pi)), x.filled(.float(Double.pi)))
    // A quotient of zeros, or of 0 and a negative number, has lost the sign.
    let isAxis = (y .== 0)
    let behind = isAxis.select(half, principal + half)
    let ahead = isAxis.select(y, principal)
    let result = isNegative(x).select(behind, ahead)
    return ((x .== 0) .& (y .!= 0)).select(half * 0.5, result)
  }

  /// The polygamma function of an order, computed in `f64` as `Pointwise` has it: terms up to where Euler and Maclaurin's
  /// series takes over, and reflection of what lies below 0.
  static func polygammaSum(order n: Double, _ operand: Tensor) -> Tensor {
    let x = operand.convert(to: .f64)
    let factorial = Foundation.tgamma(n + 1)
    let start = 10 + n
    func sum(from x: Tensor) -> Tensor {
      var sum = x.zerosLike()
      var a = x
      for _ in 0..<Int(start) {
        let isBelow = a .< start
        sum = isBelow.select(sum + factorial * a.pow(-n - 1), sum)
        a = isBelow.select(a + 1, a)
      }
      let scale = factorial * a.pow(-n)
      sum = sum + (n == 0 ? -a.log() : scale / n) + scale / (a * 2)
      var factor = scale * (n + 1) / (a * a)
      for (j, coefficient) in polygammaSeries.enumerated() {
        sum = sum + factor * coefficient
        factor = factor * ((n + Double(2 * j + 2)) * (n + Double(2 * j + 3))) / (a * a)
      }
      return sum
    }
    let isOdd = n.truncatingRemainder(dividingBy: 2) == 1
    let above = sum(from: x)
    let fraction = sum(from: x - x.floor())
    let mirrored = sum(from: x.ceil() - x)
    let below = (isOdd ? mirrored + fraction : mirrored - fraction) - sum(from: 1 - x)
    return (x .< 0).select(below, isOdd ? above : -above).convert(to: operand.dtype)
  }

  /// Powers of integers, which wrap: by squares, one for each bit of the exponent.
  private static func wholePower(_ base: Tensor, _ exponent: Tensor) -> Tensor {
    let dtype = base.dtype
    var result = base.onesLike()
    var square = base
    let bits = dtype.byteCount * 8 - (dtype.isSigned ? 1 : 0)
    var rest = dtype.isSigned ? (exponent .< 0).select(exponent.zerosLike(), exponent) : exponent
    for bit in 0..<bits {
      let half = Tensor.pointwise(.divide, rest, rest.filled(.integer(2)))
      result = (rest .!= half * 2).select(result * square, result)
      rest = half
      if bit + 1 < bits { square = square * square }
    }
    guard dtype.isSigned else { return result }
    let isOdd = exponent.fmod(exponent.filled(.integer(2))) .!= 0
    let inverse = (base .== 1).select(
      base.onesLike(), (base .== -1).select(isOdd.select(-base.onesLike(), base.onesLike()), base.zerosLike()))
    return (exponent .< 0).select(inverse, result)
  }
}
