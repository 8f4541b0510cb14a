public import LatheCore

private typealias Table = BesselCoefficients

/// Bessel's functions and their kin, after Cephes.
extension Tensor {
  /// The modified Bessel function of the first kind, of order 0.
  public func i0() -> Tensor {
    special("i0", { $0.modifiedFirst(0) * $0.abs().exp() }) { x, _ in x.modifiedFirst(1) * x.abs().exp() }
  }

  /// The modified Bessel function of the first kind, of order 1.
  public func i1() -> Tensor {
    special("i1", { $0.modifiedFirst(1) * $0.abs().exp() }) { x, y in
      x.modifiedFirst(0) * x.abs().exp() - x.ratio(of: y, atZero: 0.5)
    }
  }

  /// `i0` times `exp(-|x|)`.
  public func i0e() -> Tensor {
    special("i0e", { $0.modifiedFirst(0) }) { x, y in x.modifiedFirst(1) - x.sign() * y }
  }

  /// `i1` times `exp(-|x|)`.
  public func i1e() -> Tensor {
    special("i1e", { $0.modifiedFirst(1) }) { x, y in
      x.modifiedFirst(0) - x.sign() * y - x.ratio(of: y, atZero: 0.5)
    }
  }

  /// The Bessel function of the first kind, of order 0.
  public func besselJ0() -> Tensor { special("besselJ0", { $0.first(0) }) { x, _ in -x.first(1) } }

  /// The Bessel function of the first kind, of order 1.
  public func besselJ1() -> Tensor {
    special("besselJ1", { $0.first(1) }) { x, y in x.first(0) - x.ratio(of: y, atZero: 0.5) }
  }

  /// The Bessel function of the second kind, of order 0; NaN below 0.
  public func besselY0() -> Tensor { special("besselY0", { $0.second(0) }) { x, _ in -x.second(1) } }

  /// The Bessel function of the second kind, of order 1; NaN below 0.
  public func besselY1() -> Tensor { special("besselY1", { $0.second(1) }) { x, y in x.second(0) - y / x } }

  /// The modified Bessel function of the first kind, of order 0: `i0`.
  public func modifiedBesselI0() -> Tensor { i0() }

  /// The modified Bessel function of the first kind, of order 1: `i1`.
  public func modifiedBesselI1() -> Tensor { i1() }

  /// The modified Bessel function of the second kind, of order 0; NaN below 0.
  public func modifiedBesselK0() -> Tensor {
    special("modifiedBesselK0", { $0.modifiedSecond(0) * (-$0).exp() }) { x, _ in -x.modifiedSecond(1) * (-x).exp() }
  }

  /// The modified Bessel function of the second kind, of order 1; NaN below 0.
  public func modifiedBesselK1() -> Tensor {
    special("modifiedBesselK1", { $0.modifiedSecond(1) * (-$0).exp() }) { x, y in
      -x.modifiedSecond(0) * (-x).exp() - y / x
    }
  }

  /// `modifiedBesselK0` times `exp(x)`.
  public func scaledModifiedBesselK0() -> Tensor {
    special("scaledModifiedBesselK0", { $0.modifiedSecond(0) }) { x, y in y - x.modifiedSecond(1) }
  }

  /// `modifiedBesselK1` times `exp(x)`.
  public func scaledModifiedBesselK1() -> Tensor {
    special("scaledModifiedBesselK1", { $0.modifiedSecond(1) }) { x, y in y - x.modifiedSecond(0) - y / x }
  }

  /// `sin(x) / x`, the spherical Bessel function of order 0.
  public func sphericalBesselJ0() -> Tensor {
    special("sphericalBesselJ0") { x in
      let square = x * x
      let series = square.polynomial([1 / 362_880, -1 / 5040, 1 / 120, -1 / 6, 1])
      let isFinite = x.isFinite()
      let safe = x.where((x.abs() .>= 0.5) .& isFinite, else: 1)
      return (x.abs() .< 0.5).select(series, (isFinite .| x.isNaN()).select(safe.sin() / safe + (x - x), x.zerosLike()))
    } derivative: { x, y in
      let square = x * x
      let series = x * square.polynomial([1 / 45_360, -1 / 840, 1 / 30, -1 / 3])
      let safe = x.where(x.abs() .>= 0.5, else: 1)
      return (x.abs() .< 0.5).select(series, (safe.cos() - y) / safe)
    }
  }

  /// Airy's function.
  public func airyAi() -> Tensor {
    composite("airyAi", [self]) {
      dtype.isFloat && dtype.byteCount < 4 ? convert(to: .f32).airy.convert(to: dtype) : floating.airy
    }
  }

  /// `y / x`, and at 0 its limit.
  private func ratio(of y: Tensor, atZero limit: Double) -> Tensor {
    let isZero = self .== 0
    return isZero.select(fullLike(limit), y / self.where(~isZero, else: 1))
  }

  /// The modified function of the first kind times `exp(-|x|)`.
  private func modifiedFirst(_ order: Int) -> Tensor {
    let size = abs()
    let isSmall = size .<= 8
    let near = size.where(isSmall, else: 8)
    let far = size.where(~isSmall, else: 8)
    let small = (near * 0.5 - 2).chebyshev(order == 0 ? Table.modified0 : Table.modified1)
    let large = (32 / far - 2).chebyshev(order == 0 ? Table.modifiedLarge0 : Table.modifiedLarge1) / far.sqrt()
    return order == 0 ? isSmall.select(small, large) : isSmall.select(small * near, large) * sign()
  }

  /// The modified function of the second kind times `exp(x)`.
  private func modifiedSecond(_ order: Int) -> Tensor {
    let isSmall = (self .<= 2) .& (self .> 0)
    let near = self.where(isSmall, else: 1)
    let far = self.where(self .> 2, else: 2)
    let series = (near * near - 2).chebyshev(order == 0 ? Table.modifiedSecond0 : Table.modifiedSecond1)
    let logarithm = (near * 0.5).log() * near.modifiedFirst(order) * near.exp()
    let small = (order == 0 ? series - logarithm : logarithm + series / near) * near.exp()
    let large =
      (8 / far - 2).chebyshev(order == 0 ? Table.modifiedSecondLarge0 : Table.modifiedSecondLarge1) / far.sqrt()
    return atLeastZero(isSmall.select(small, large), atZero: .infinity)
  }

  /// A function's value, which has a limit at 0 and is NaN below.
  private func atLeastZero(_ value: Tensor, atZero limit: Double) -> Tensor {
    let inside = (self .== 0).select(fullLike(limit), value)
    return (self .>= 0).select(inside, fullLike(.nan))
  }

  /// The function of the first kind.
  private func first(_ order: Int) -> Tensor {
    let size = abs()
    let isSmall = size .<= 5
    let near = size.where(isSmall, else: 0)
    let square = near * near
    let small: Tensor
    if order == 0 {
      let roots = (square - 5.783185962946785) * (square - 30.471262343662087)
      small = roots * square.polynomial(Table.firstTop0) / square.polynomial(Table.firstBottom0)
    } else {
      let roots = near * (square - 14.681970642123893) * (square - 49.218456321694604)
      small = roots * square.polynomial(Table.firstTop1) / square.polynomial(Table.firstBottom1)
    }
    let (cosine, sine, angle) = size.where(~isSmall, else: 5).waves(order)
    let both = isSmall.select(small, cosine * angle.cos() - sine * angle.sin())
    return order == 0 ? both : both * sign()
  }

  /// The function of the second kind.
  private func second(_ order: Int) -> Tensor {
    let isSmall = (self .<= 5) .& (self .> 0)
    let near = self.where(isSmall, else: 1)
    let square = near * near
    let share = 2 / Double.pi
    let small =
      order == 0
      ? square.polynomial(Table.secondTop0) / square.polynomial(Table.secondBottom0) + near.log() * near.first(0)
        * share
      : near * (square.polynomial(Table.secondTop1) / square.polynomial(Table.secondBottom1))
        + (near.first(1) * near.log() - 1 / near) * share
    let (cosine, sine, angle) = self.where(self .> 5, else: 5).waves(order)
    return atLeastZero(isSmall.select(small, cosine * angle.sin() + sine * angle.cos()), atZero: -.infinity)
  }

  /// The amplitudes of a function's cosine and sine beyond 5, and their angle.
  private func waves(_ order: Int) -> (cosine: Tensor, sine: Tensor, angle: Tensor) {
    let inverse = 5 / self
    let square = inverse * inverse
    func ratio(_ top: [Double], _ bottom: [Double]) -> Tensor { square.polynomial(top) / square.polynomial(bottom) }
    let scale = self.rsqrt() * (2 / Double.pi).squareRoot()
    if order == 0 {
      return (
        ratio(Table.cosineTop0, Table.cosineBottom0) * scale,
        inverse * ratio(Table.sineTop0, Table.sineBottom0) * scale, self - Double.pi / 4
      )
    }
    return (
      ratio(Table.cosineTop1, Table.cosineBottom1) * scale,
      inverse * ratio(Table.sineTop1, Table.sineBottom1) * scale, self - 3 * Double.pi / 4
    )
  }

  /// Airy's function from a power series near 0 and asymptotic ones elsewhere.
  private var airy: Tensor {
    let (isLow, isHigh) = (self .< -2.09, self .>= 2.09)
    let near = self.where((self .>= -2.09) .& (self .< 2.09), else: 0)
    // Each coefficient over the one before: 1 / (3 k (3 k - 1)), and 1 / (3 k (3 k + 1)).
    func series(_ shift: Double) -> [Double] {
      var coefficients = [1.0]
      for k in 1...15 { coefficients.append(coefficients[k - 1] / (3 * Double(k) * (3 * Double(k) + shift))) }
      return coefficients.reversed()
    }
    let cube = near * near * near
    let middle =
      cube.polynomial(series(-1)) * 0.355_028_053_887_817_24 - near * cube.polynomial(series(1))
      * 0.258_819_403_792_806_8
    let scale = 1 / Double.pi.squareRoot()
    let far = self.where(isHigh, else: 2.09)
    let zeta = far * far.sqrt() * (2.0 / 3)
    let inverse = 1 / zeta
    let high =
      inverse.polynomial(Table.airyTop) / inverse.polynomial(Table.airyBottom) * (-zeta).exp()
      / far.sqrt().sqrt() * (0.5 * scale)
    let below = (-self).where(isLow, else: 2.09)
    let angle = below * below.sqrt() * (2.0 / 3)
    let z = 1 / angle
    let square = z * z
    let sine = square * square.polynomial(Table.airyCosineTop) / square.polynomial(Table.airyCosineBottom) + 1
    let cosine = z * square.polynomial(Table.airySineTop) / square.polynomial(Table.airySineBottom)
    let turned = angle + Double.pi / 4
    let low = (turned.sin() * sine - turned.cos() * cosine) / below.sqrt().sqrt() * scale
    return isLow.select(low, isHigh.select(high, middle + (self - self)))
  }
}
