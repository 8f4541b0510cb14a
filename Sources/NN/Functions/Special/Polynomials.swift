public import LatheCore

/// Orthogonal polynomials of a degree that is known while tracing; of negative degrees they are 0.
extension Tensor {
  /// Chebyshev's polynomial of the first kind.
  public func chebyshevPolynomialT(_ n: Int) -> Tensor {
    recurrence("chebyshevPolynomialT", n, self) { before, last, _ in doubled(last) - before }
  }

  /// Chebyshev's polynomial of the second kind.
  public func chebyshevPolynomialU(_ n: Int) -> Tensor {
    recurrence("chebyshevPolynomialU", n, doubled(onesLike())) { before, last, _ in doubled(last) - before }
  }

  /// Chebyshev's polynomial of the third kind.
  public func chebyshevPolynomialV(_ n: Int) -> Tensor {
    recurrence("chebyshevPolynomialV", n, doubled(onesLike()) - 1) { before, last, _ in doubled(last) - before }
  }

  /// Chebyshev's polynomial of the fourth kind.
  public func chebyshevPolynomialW(_ n: Int) -> Tensor {
    recurrence("chebyshevPolynomialW", n, doubled(onesLike()) + 1) { before, last, _ in doubled(last) - before }
  }

  /// Chebyshev's polynomial of the first kind, moved to `0 ... 1`.
  public func shiftedChebyshevPolynomialT(_ n: Int) -> Tensor { (self * 2 - 1).chebyshevPolynomialT(n) }
  /// Chebyshev's polynomial of the second kind, moved to `0 ... 1`.
  public func shiftedChebyshevPolynomialU(_ n: Int) -> Tensor { (self * 2 - 1).chebyshevPolynomialU(n) }
  /// Chebyshev's polynomial of the third kind, moved to `0 ... 1`.
  public func shiftedChebyshevPolynomialV(_ n: Int) -> Tensor { (self * 2 - 1).chebyshevPolynomialV(n) }
  /// Chebyshev's polynomial of the fourth kind, moved to `0 ... 1`.
  public func shiftedChebyshevPolynomialW(_ n: Int) -> Tensor { (self * 2 - 1).chebyshevPolynomialW(n) }

  /// Hermite's polynomial of physics.
  public func hermitePolynomialH(_ n: Int) -> Tensor {
    recurrence("hermitePolynomialH", n, doubled(onesLike())) { doubled($1) - $0 * (2 * $2) }
  }

  /// Hermite's polynomial of probability theory.
  public func hermitePolynomialHe(_ n: Int) -> Tensor {
    recurrence("hermitePolynomialHe", n, self) { self * $1 - $0 * $2 }
  }

  /// Laguerre's polynomial.
  public func laguerrePolynomialL(_ n: Int) -> Tensor {
    recurrence("laguerrePolynomialL", n, 1 - self) { ((2 * $2 + 1 - self) * $1 - $0 * $2) / ($2 + 1) }
  }

  /// Legendre's polynomial.
  public func legendrePolynomialP(_ n: Int) -> Tensor {
    recurrence("legendrePolynomialP", n, self) { (self * $1 * (2 * $2 + 1) - $0 * $2) / ($2 + 1) }
  }

  private func doubled(_ x: Tensor) -> Tensor { self * x * 2 }

  /// The polynomial of degree `n` from that of degree 1 and how one comes of the two before, given the degree before.
  private func recurrence(
    _ name: String, _ n: Int, _ first: Tensor, _ next: (_ before: Tensor, _ last: Tensor, _ degree: Double) -> Tensor
  ) -> Tensor {
    composite(name, [self]) { () throws(TypeFault) -> Tensor in
      try requireFloat("the operand")
      guard n <= 1024 else { throw TypeFault("the degree \(n) is beyond 1024") }
      if n < 0 { return zerosLike() }
      var (before, last) = (onesLike(), first)
      if n == 0 { return before }
      for degree in 1..<Swift.max(n, 1) { (before, last) = (last, next(before, last, Double(degree))) }
      return last
    }
  }
}
