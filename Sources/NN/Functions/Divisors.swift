public import LatheCore

/// Divisors and multiples of whole numbers.
extension Tensor {
  /// The greatest common divisors of integers, not negative; of two zeros 0.
  ///
  /// It has no gradient.
  public func gcd(_ other: Tensor) -> Tensor {
    composite("gcd", [self, other]) { () throws(TypeFault) -> Tensor in
      let numbers = try Tensor.integers(self, other)
      // Euclid's algorithm, until the last is done.
      return whileLoop(numbers, condition: { ($0[1] .!= 0).any() }) { pair in
        [(pair[1] .!= 0).select(pair[1], pair[0]), Tensor.pointwise(.fmod, pair[0], pair[1])]
      }[0].abs()
    }
  }

  /// The least common multiples of integers, not negative; of a zero and any 0.
  ///
  /// It has no gradient.
  public func lcm(_ other: Tensor) -> Tensor {
    composite("lcm", [self, other]) { () throws(TypeFault) -> Tensor in
      let numbers = try Tensor.integers(self, other)
      let divisor = numbers[0].gcd(numbers[1])
      let quotient = numbers[0].floorDivide((divisor .== 0).select(divisor.onesLike(), divisor))
      return (quotient * numbers[1]).abs()
    }
  }

  /// Both in one type and shape.
  private static func integers(_ a: Tensor, _ b: Tensor) throws(TypeFault) -> [Tensor] {
    guard a.dtype.isInteger, b.dtype.isInteger else { throw TypeFault("\(a.type) and \(b.type) are not integers") }
    let dtype = ScalarType.resultType(of: [a.type, b.type])
    return broadcastTensors([a.convert(to: dtype), b.convert(to: dtype)])
  }
}
