import LatheCore

extension Tensor {
  /// Applies a function of numbers with a derivative of its own, in `f32` at least.
  ///
  /// The functions that it is made of must not be special functions themselves: each traces its derivative, so that two
  /// that are each other's would never end.
  func special(
    _ name: String, _ value: (Tensor) -> Tensor, derivative: (_ x: Tensor, _ y: Tensor) -> Tensor
  ) -> Tensor {
    composite(name, [self]) {
      let x = floating
      if x.dtype.byteCount < 4 {
        return x.convert(to: .f32).special(name, value, derivative: derivative).convert(to: x.dtype)
      }
      return withGradient(name, [x]) {
        [value($0[0])]
      } backward: { inputs, outputs, gradients in
        [gradients[0] * derivative(inputs[0], outputs[0])]
      }[0]
    }
  }

  /// The polynomial with these coefficients, that of the highest power first.
  func polynomial(_ coefficients: [Double]) -> Tensor {
    coefficients.dropFirst().reduce(lift(coefficients[0])) { $0 * self + $1 }
  }

  /// Chebyshev's series with these coefficients, that of the highest order first, at twice this.
  func chebyshev(_ coefficients: [Double]) -> Tensor {
    // Terms below the type's precision are left out.
    let coefficients = dtype == .f64 ? coefficients : Array(coefficients.drop { Swift.abs($0) < 1e-10 })
    var (last, before) = (zerosLike(), zerosLike())
    var sum = zerosLike()
    for coefficient in coefficients {
      (before, last) = (last, sum)
      sum = self * last - before + coefficient
    }
    return (sum - before) * 0.5
  }

  /// This where a condition holds, else a number: an operand for a branch that is chosen only there.
  func `where`(_ condition: Tensor, else number: Double) -> Tensor { condition.select(self, fullLike(number)) }
}
