internal import Foundation
public import LatheCore

/// Windows that signals are cut out with.
///
/// Source: https://pytorch.org/docs/stable/torch.html#spectral-ops
extension Builder {
  /// `0.5 - 0.5 cos(2 pi n / N)`, of shape `[length]`.
  ///
  /// - Parameters:
  ///   - periodic: Whether `N` is the length, as spectra want it; without, it is one less, and the window symmetric.
  ///   - dtype: A type of floats; by default the default one.
  public func hannWindow(_ length: Int, periodic: Bool = true, dtype: ScalarType? = nil) -> Tensor {
    cosineWindow("hannWindow", length, [0.5, -0.5], periodic, dtype)
  }

  /// `alpha - beta cos(2 pi n / N)`, of shape `[length]`; `periodic` and `dtype` as of `hannWindow`.
  public func hammingWindow(
    _ length: Int, periodic: Bool = true, alpha: Double = 0.54, beta: Double = 0.46, dtype: ScalarType? = nil
  ) -> Tensor {
    cosineWindow("hammingWindow", length, [alpha, -beta], periodic, dtype)
  }

  /// `0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)`, of shape `[length]`; `periodic` and `dtype` as of `hannWindow`.
  public func blackmanWindow(_ length: Int, periodic: Bool = true, dtype: ScalarType? = nil) -> Tensor {
    cosineWindow("blackmanWindow", length, [0.42, -0.5, 0.08], periodic, dtype)
  }

  /// `1 - |2 n / N - 1|`, of shape `[length]`; `periodic` and `dtype` as of `hannWindow`.
  public func bartlettWindow(_ length: Int, periodic: Bool = true, dtype: ScalarType? = nil) -> Tensor {
    window("bartlettWindow", length, periodic, dtype) { (position, period) in
      1 - Swift.abs(2 * position / period - 1)
    }
  }

  /// `I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)`, of shape `[length]`; `periodic` and `dtype` as of `hannWindow`.
  public func kaiserWindow(
    _ length: Int, periodic: Bool = true, beta: Double = 12, dtype: ScalarType? = nil
  ) -> Tensor {
    window("kaiserWindow", length, periodic, dtype) { (position, period) in
      let place = 2 * position / period - 1
      return bessel(beta * Swift.max(0, 1 - place * place).squareRoot()) / bessel(beta)
    }
  }

  private func cosineWindow(
    _ name: String, _ length: Int, _ amplitudes: [Double], _ periodic: Bool, _ dtype: ScalarType?
  ) -> Tensor {
    window(name, length, periodic, dtype) { sumOfCosines(amplitudes, 2 * Double.pi * $0 / $1) }
  }

  /// A window of one element is a one.
  private func window(
    _ name: String, _ length: Int, _ periodic: Bool, _ dtype: ScalarType?, _ value: (Double, Double) -> Double
  ) -> Tensor {
    creation(name) { () throws(TypeFault) -> Tensor in
      guard length >= 0 else { throw TypeFault("a window of \(length) elements") }
      try requireTable(length, of: "elements")
      let type = dtype ?? .defaultFloat
      guard type.isFloat else { throw TypeFault("the type \(type) has no fractions") }
      let period = Double(periodic ? length : length - 1)
      return tensor((0..<length).map { length == 1 ? 1 : value(Double($0), period) }, dtype: type)
    }
  }
}

/// The harmonics of an angle by their amplitudes, the constant one first.
package func sumOfCosines(_ amplitudes: [Double], _ angle: Double) -> Double {
  amplitudes.enumerated().reduce(0) { $0 + $1.element * cos(angle * Double($1.offset)) }
}

/// The modified Bessel function of order 0, by its series: `sum (x / 2)^2k / k!^2`.
private func bessel(_ x: Double) -> Double {
  let quarter = x * x / 4
  var (sum, term, k) = (1.0, 1.0, 1.0)
  while term > sum * 1e-17 {
    term *= quarter / (k * k)
    sum += term
    k += 1
  }
  return sum
}
