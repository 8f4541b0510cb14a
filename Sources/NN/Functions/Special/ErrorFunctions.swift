internal import Foundation
public import LatheCore

/// The normal distribution's functions and the error function's kin.
extension Tensor {
  /// The error function's complement times `exp(x^2)`.
  public func erfcx() -> Tensor {
    special("erfcx", \.scaledComplement) { x, y in x * y * 2 - 2 / Double.pi.squareRoot() }
  }

  /// The logarithm of the normal distribution's cumulative function.
  public func logNdtr() -> Tensor {
    special("logNdtr") { x in
      let t = x * 0.5.squareRoot()
      let isLow = x .< -1
      let (low, high) = (t.where(isLow, else: -1), t.where(~isLow, else: 0))
      return isLow.select(
        ((-low).scaledComplement * 0.5).log() - low * low, (high.erfc() * -0.5).log1p())
    } derivative: { x, _ in
      (2 / Double.pi).squareRoot() / (x * -0.5.squareRoot()).scaledComplement
    }
  }

  /// The inverse of the normal distribution's cumulative function; NaN outside of `0 ... 1`.
  ///
  /// Source: Cephes, by S. L. Moshier.
  public func ndtri() -> Tensor {
    special("ndtri", \.normalQuantile) { _, y in (y * y * 0.5).exp() * (2 * Double.pi).squareRoot() }
  }

  private var normalQuantile: Tensor {
    let edge = 0.135_335_283_236_612_69  // exp(-2)
    let isHigh = self .> 1 - edge
    let smaller = isHigh.select(1 - self, self)
    let isCentral = smaller .> edge
    let centred = smaller.where(isCentral, else: 0.5) - 0.5
    let square = centred * centred
    let central =
      (centred + centred
        * (square
          * square.polynomial([
            -59.96335010141079, 98.00107541859997, -56.67628574690703, 13.931260938727968, -1.2391658386738125,
          ])
          / square.polynomial([
            1.0, 1.9544885833814176, 4.676279128988815, 86.36024213908905, -225.46268785411937, 200.26021238006066,
            -82.03722561683334, 15.90562251262117, -1.1833162112133,
          ])))
      * (2 * Double.pi).squareRoot()
    let tail = (smaller.where((smaller .> 0) .& ~isCentral, else: edge).log() * -2).sqrt()
    let z = 1 / tail
    let near =
      z.polynomial([
        4.0554489230596245, 31.525109459989388, 57.16281922464213, 44.08050738932008, 14.684956192885803,
        2.1866330685079025, -0.1402560791713545, -0.03504246268278482, -0.0008574567851546854,
      ])
      / z.polynomial([
        1.0, 15.779988325646675, 45.39076351288792, 41.3172038254672, 15.04253856929075, 2.504649462083094,
        -0.14218292285478779, -0.03808064076915783, -0.0009332594808954574,
      ])
    let far =
      z.polynomial([
        3.2377489177694603, 6.915228890689842, 3.9388102529247444, 1.3330346081580755, 0.20148538954917908,
        0.012371663481782003, 0.00030158155350823543, 2.6580697468673755e-06, 6.239745391849833e-09,
      ])
      / z.polynomial([
        1.0, 6.02427039364742, 3.6798356385616087, 1.3770209948908132, 0.21623699359449663, 0.013420400608854318,
        0.00032801446468212774, 2.8924786474538068e-06, 6.790194080099813e-09,
      ])
    let outer = tail - tail.log() / tail - z * (tail .< 8).select(near, far)
    let value = isCentral.select(central, -outer)
    let signed = isHigh.select(-value, value)
    let inside = (self .== 0).select(fullLike(-.infinity), (self .== 1).select(fullLike(.infinity), signed))
    return ((self .>= 0) .& (self .<= 1)).select(inside, fullLike(.nan))
  }

  /// `erfcx` of its parts: near 0 and below the product that it is, above rational approximations.
  ///
  /// Source: W. J. Cody, Rational Chebyshev approximations for the error function, 1969, and netlib's CALERF.
  private var scaledComplement: Tensor {
    let (isLow, isFar) = (self .< 1, self .> 4)
    let low = self.where(isLow, else: 0)
    let middle = self.where((self .>= 1) .& (self .<= 4), else: 1)
    let far = self.where(isFar, else: 4)
    let product = (low * low).exp() * low.erfc()
    let rational =
      middle.polynomial([
        2.153_115_354_744_038_5e-8, 0.564_188_496_988_670_1, 8.883_149_794_388_376, 66.119_190_637_141_63,
        298.635_138_197_400_13, 881.952_221_241_769_1, 1712.047_612_634_070_6, 2051.078_377_826_071_5,
        1230.339_354_797_997_2,
      ])
      / middle.polynomial([
        1, 15.744_926_110_709_835, 117.693_950_891_312_5, 537.181_101_862_009_9, 1621.389_574_566_690_2,
        3290.799_235_733_459_6, 4362.619_090_143_247, 3439.367_674_143_721_6, 1230.339_354_803_749_4,
      ])
    let square = 1 / (far * far)
    let rest =
      square
      * square.polynomial([
        0.016_315_387_137_302_097, 0.305_326_634_961_232_36, 0.360_344_899_949_804_44, 0.125_781_726_111_229_25,
        0.016_083_785_148_742_276, 0.000_658_749_161_529_837_8,
      ])
      / square.polynomial([
        1, 2.568_520_192_289_822, 1.872_952_849_923_467_2, 0.527_905_102_951_428_5, 0.060_518_341_312_441_32,
        0.002_335_204_976_268_692,
      ])
    let high = (1 / Double.pi.squareRoot() - rest) / far
    return isLow.select(product, isFar.select(high, rational + (self - self)))
  }
}
