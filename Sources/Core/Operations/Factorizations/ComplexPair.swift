/// The real and the imaginary part of complex numbers, two tensors of one type.
public struct ComplexPair: Sendable {
  /// The real parts.
  public var real: Tensor
  /// The imaginary parts.
  public var imaginary: Tensor

  /// Complex numbers of two tensors of one type.
  public init(_ real: Tensor, _ imaginary: Tensor) {
    self.real = real
    self.imaginary = imaginary
  }

  var transposed: ComplexPair { ComplexPair(real.transposed, imaginary.transposed) }

  var conjugate: ComplexPair { ComplexPair(real, -imaginary) }

  func matrixProduct(_ other: ComplexPair) -> ComplexPair {
    ComplexPair(
      real.matrixProduct(other.real) - imaginary.matrixProduct(other.imaginary),
      real.matrixProduct(other.imaginary) + imaginary.matrixProduct(other.real))
  }

  static func - (a: ComplexPair, b: ComplexPair) -> ComplexPair {
    ComplexPair(a.real - b.real, a.imaginary - b.imaginary)
  }

  static func / (a: ComplexPair, b: ComplexPair) -> ComplexPair {
    let size = b.real * b.real + b.imaginary * b.imaginary
    return ComplexPair(
      (a.real * b.real + a.imaginary * b.imaginary) / size, (a.imaginary * b.real - a.real * b.imaginary) / size)
  }

  func map(_ body: (Tensor) -> Tensor) -> ComplexPair { ComplexPair(body(real), body(imaginary)) }

  /// The solution `x` of `self x = b` for square matrices, as a real system of twice the size.
  func solve(_ b: ComplexPair) throws(TypeFault) -> ComplexPair {
    let rank = real.rank
    func block(_ a: Tensor, _ b: Tensor, _ axis: Int) -> Tensor { Tensor.concatenate([a, b], axis: axis) }
    let count = try real.knownMatrix().rows
    let matrix = block(block(real, -imaginary, rank - 1), block(imaginary, real, rank - 1), rank - 2)
    let solution = matrix.solved(block(b.real, b.imaginary, rank - 2))
    return ComplexPair(solution.rows(0..<count), solution.rows(count..<2 * count))
  }
}
