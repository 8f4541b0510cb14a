internal import Foundation
public import LatheCore

/// Complex numbers: a last axis of size 2 holds their real and imaginary parts, as `torch.view_as_real` shows them.
///
/// There is no complex element type, so that every back-end and every pass has real numbers only. Gradients are PyTorch's:
/// the derivatives by the real and by the imaginary part are the parts of the gradient.
public enum Complex {
  /// The real parts: `torch.real`.
  public static func real(_ z: Tensor) -> Tensor { part("real", z, 0) }

  /// The imaginary parts: `torch.imag`.
  public static func imag(_ z: Tensor) -> Tensor { part("imag", z, 1) }

  private static func part(_ name: String, _ z: Tensor, _ index: Int) -> Tensor {
    composite("Complex.\(name)", [z]) { () throws(TypeFault) -> Tensor in
      try z.requirePairs()
      return z.select(dim: -1, index: index)
    }
  }

  /// The conjugates: `torch.conj`.
  public static func conj(_ z: Tensor) -> Tensor { apply("conj", z) { $0.conjugated } }

  /// The magnitudes: `torch.abs`; at 0 their gradient is 0.
  public static func abs(_ z: Tensor) -> Tensor {
    composite("Complex.abs", [z]) { () throws(TypeFault) -> Tensor in
      let (real, imag) = try z.parts()
      let square = real * real + imag * imag
      let isZero = square .== 0
      return isZero.select(square, isZero.select(square.onesLike(), square).sqrt())
    }
  }

  /// The angles, in `-pi ... pi`: `torch.angle`.
  public static func angle(_ z: Tensor) -> Tensor {
    composite("Complex.angle", [z]) { () throws(TypeFault) -> Tensor in
      let (real, imag) = try z.parts()
      return imag.atan2(real)
    }
  }

  /// The products of numbers.
  public static func mul(_ a: Tensor, _ b: Tensor) -> Tensor {
    composite("Complex.mul", [a, b]) { () throws(TypeFault) -> Tensor in
      try ComplexTensor(pairs: a).times(ComplexTensor(pairs: b)).parts
    }
  }

  /// The quotients of numbers.
  public static func div(_ a: Tensor, _ b: Tensor) -> Tensor {
    composite("Complex.div", [a, b]) { () throws(TypeFault) -> Tensor in
      let divisor = try ComplexTensor(pairs: b)
      let size = divisor.real * divisor.real + divisor.imag * divisor.imag
      return try ComplexTensor(pairs: a).times(divisor.conjugated).mapped { $0 / size }.parts
    }
  }

  /// The exponentials of numbers.
  public static func exp(_ z: Tensor) -> Tensor {
    apply("exp", z) { number in
      let size = number.real.exp()
      return ComplexTensor(real: size * number.imag.cos(), imaginary: size * number.imag.sin())
    }
  }

  /// The logarithms, of angles in `-pi ... pi`: `torch.log`.
  public static func log(_ z: Tensor) -> Tensor {
    composite("Complex.log", [z]) { () throws(TypeFault) -> Tensor in
      let (real, imag) = try z.parts()
      return ComplexTensor(real: real.hypot(imag).log(), imaginary: imag.atan2(real)).parts
    }
  }

  /// The square roots whose real parts are not negative: `torch.sqrt`.
  public static func sqrt(_ z: Tensor) -> Tensor {
    composite("Complex.sqrt", [z]) { () throws(TypeFault) -> Tensor in
      let (real, imag) = try z.parts()
      // Of the larger part; the other one from it, so that nothing cancels.
      let large = ((real.hypot(imag) + real.abs()) / 2).sqrt()
      let isZero = large .== 0
      let small = imag.abs() / (isZero.select(large.onesLike(), large) * 2)
      let isRight = real .>= 0
      let height = isRight.select(small, large)
      return ComplexTensor(real: isRight.select(large, small), imaginary: (imag .< 0).select(-height, height)).parts
    }
  }

  /// The powers of numbers, `exp(w log z)`: `torch.pow`; of 0 they are 0, but for the exponent 0, where all are 1.
  public static func pow(_ z: Tensor, _ w: Tensor) -> Tensor {
    composite("Complex.pow", [z, w]) { () throws(TypeFault) -> Tensor in
      let (base, exponent) = (try ComplexTensor(pairs: z), try ComplexTensor(pairs: w))
      let isZero = (base.real .== 0) .& (base.imag .== 0)
      let safe = ComplexTensor(real: isZero.select(base.real.onesLike(), base.real), imaginary: base.imag)
      let power = ComplexTensor(parts: exp(exponent.times(ComplexTensor(parts: log(safe.parts))).parts))
      let isOne = (exponent.real .== 0) .& (exponent.imag .== 0)
      return ComplexTensor(
        real: isZero.select(isOne.convert(to: power.real.dtype), power.real),
        imaginary: isZero.select(power.imag.zerosLike(), power.imag)
      ).parts
    }
  }

  /// One over the numbers: `torch.reciprocal`.
  public static func reciprocal(_ z: Tensor) -> Tensor {
    apply("reciprocal", z) { number in
      let size = number.real * number.real + number.imag * number.imag
      return number.conjugated.mapped { $0 / size }
    }
  }

  /// The sines: `torch.sin`.
  public static func sin(_ z: Tensor) -> Tensor {
    apply("sin", z) { number in
      ComplexTensor(
        real: number.real.sin() * number.imag.cosh(), imaginary: number.real.cos() * number.imag.sinh())
    }
  }

  /// The cosines: `torch.cos`.
  public static func cos(_ z: Tensor) -> Tensor {
    apply("cos", z) { number in
      ComplexTensor(
        real: number.real.cos() * number.imag.cosh(), imaginary: -(number.real.sin() * number.imag.sinh()))
    }
  }

  /// The hyperbolic sines: `torch.sinh`.
  public static func sinh(_ z: Tensor) -> Tensor {
    apply("sinh", z) { number in
      ComplexTensor(
        real: number.real.sinh() * number.imag.cos(), imaginary: number.real.cosh() * number.imag.sin())
    }
  }

  /// The hyperbolic cosines: `torch.cosh`.
  public static func cosh(_ z: Tensor) -> Tensor {
    apply("cosh", z) { number in
      ComplexTensor(
        real: number.real.cosh() * number.imag.cos(), imaginary: number.real.sinh() * number.imag.sin())
    }
  }

  /// The hyperbolic tangents: `torch.tanh`.
  public static func tanh(_ z: Tensor) -> Tensor {
    apply("tanh", z) { number in
      // By the tangent of the real part, as its hyperbolic sine and cosine overflow.
      let tangent = number.real.tanh()
      let (sine, cosine) = (number.imag.sin(), number.imag.cos())
      let decay = 1 - tangent * tangent
      let size = cosine * cosine + tangent * tangent * sine * sine
      return ComplexTensor(real: tangent / size, imaginary: sine * cosine * decay / size)
    }
  }

  /// The products of matrices of numbers, `[..., m, k, 2]` with `[..., k, n, 2]`.
  public static func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
    composite("Complex.matmul", [a, b]) { () throws(TypeFault) -> Tensor in
      try ComplexTensor(pairs: a).product(ComplexTensor(pairs: b)) { LatheNN.matmul($0, $1) }.parts
    }
  }

  private static func apply(_ name: String, _ z: Tensor, _ function: (ComplexTensor) -> ComplexTensor) -> Tensor {
    composite("Complex.\(name)", [z]) { () throws(TypeFault) -> Tensor in function(try ComplexTensor(pairs: z)).parts }
  }
}

/// Complex numbers of their parts, as pairs on a new last axis: `torch.complex`.
public func complex(_ real: Tensor, _ imag: Tensor) -> Tensor {
  composite("complex", [real, imag]) { () throws(TypeFault) -> Tensor in
    try real.requireFloat("the real part")
    guard real.dtype == imag.dtype else { throw TypeFault("the parts are \(real.type) and \(imag.type)") }
    return stack(broadcastTensors([real, imag]), dim: -1)
  }
}

/// Complex numbers of their magnitudes and angles, as pairs on a new last axis: `torch.polar`.
public func polar(_ abs: Tensor, _ angle: Tensor) -> Tensor {
  composite("polar", [abs, angle]) { complex(abs * angle.cos(), abs * angle.sin()) }
}

/// Complex numbers as the pairs that they are here: `torch.view_as_real`.
public func viewAsReal(_ z: Tensor) -> Tensor {
  composite("viewAsReal", [z]) { () throws(TypeFault) -> Tensor in
    try z.requirePairs()
    return z
  }
}

/// Pairs on a last axis as the complex numbers that they are here: `torch.view_as_complex`.
public func viewAsComplex(_ pairs: Tensor) -> Tensor {
  composite("viewAsComplex", [pairs]) { () throws(TypeFault) -> Tensor in
    try pairs.requirePairs()
    return pairs
  }
}

extension Tensor {
  fileprivate func requirePairs() throws(TypeFault) {
    try requireFloat("the operand")
    guard shape.last == 2 else {
      throw TypeFault("\(type) holds no pairs", help: "complex numbers have a last axis of size 2: real and imaginary")
    }
  }

  fileprivate func parts() throws(TypeFault) -> (real: Tensor, imag: Tensor) {
    let number = try ComplexTensor(pairs: self)
    return (number.real, number.imag)
  }
}

/// Complex numbers as two tensors; a missing imaginary part is 0.
package struct ComplexTensor {
  package var real: Tensor
  package var imaginary: Tensor?

  package init(real: Tensor, imaginary: Tensor?) {
    self.real = real
    self.imaginary = imaginary
  }

  /// Numbers whose parts are on the last axis; of size 1 it holds real ones.
  package init(parts: Tensor) {
    real = parts.select(dim: -1, index: 0)
    imaginary = parts.shape.last == 2 ? parts.select(dim: -1, index: 1) : nil
  }

  /// Numbers whose two parts are on the last axis.
  init(pairs: Tensor) throws(TypeFault) {
    try pairs.requirePairs()
    self.init(parts: pairs)
  }

  /// The imaginary part, zeros where there is none.
  package var imag: Tensor { imaginary ?? real.zerosLike() }

  /// The parts on a new last axis.
  package var parts: Tensor { stack([real, imag], dim: -1) }

  package var conjugated: ComplexTensor { ComplexTensor(real: real, imaginary: imaginary.map { -$0 }) }

  package func mapped(_ function: (Tensor) -> Tensor) -> ComplexTensor {
    ComplexTensor(real: function(real), imaginary: imaginary.map(function))
  }

  package func scaled(by factor: Double) -> ComplexTensor { factor == 1 ? self : mapped { $0 * factor } }

  package func times(_ other: ComplexTensor) -> ComplexTensor { product(other) { $0 * $1 } }

  /// A bilinear product of complex numbers from that of real ones.
  package func product(_ other: ComplexTensor, _ join: (Tensor, Tensor) -> Tensor) -> ComplexTensor {
    let second = other.imag
    // Mixed precision leaves complex numbers as they are.
    func joined(_ a: Tensor, _ b: Tensor) -> Tensor { Autocast.$type.withValue(nil) { join(a, b) } }
    guard let imaginary else { return ComplexTensor(real: joined(real, other.real), imaginary: joined(real, second)) }
    return ComplexTensor(
      real: joined(real, other.real) - joined(imaginary, second),
      imaginary: joined(real, second) + joined(imaginary, other.real))
  }
}
