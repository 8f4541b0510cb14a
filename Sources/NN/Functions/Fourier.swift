internal import Foundation
public import LatheCore

/// Discrete Fourier transforms: `torch.fft`.
///
/// Complex numbers are pairs on a last axis of size 2 (``Complex``), which `dim` does not count: the axes of `[4, 8, 2]`
/// are 0 and 1, or -2 and -1. Lengths are known while tracing, any length has a transform.
public enum FFT {
  /// What results are scaled by.
  public enum Norm: String, Sendable {
    /// Inverse transforms by one over the length.
    case backward
    /// All by one over its root.
    case ortho
    /// Transforms that are no inverse ones by one over the length.
    case forward

    func scale(_ length: Int, isInverse: Bool) -> Double {
      switch self {
      case .ortho: 1 / Double(length).squareRoot()
      case .backward: isInverse ? 1 / Double(length) : 1
      case .forward: isInverse ? 1 : 1 / Double(length)
      }
    }
  }

  /// The transform of pairs along one axis, of the first `n` numbers or continued by zeros.
  public static func fft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    fftn("fft", x, n.map { [$0] }, [dim], norm, isInverse: false)
  }

  /// The inverse of `fft`.
  public static func ifft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    fftn("ifft", x, n.map { [$0] }, [dim], norm, isInverse: true)
  }

  /// The transform of real numbers along one axis: pairs, up to the middle, which determine the others.
  public static func rfft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    rfftn("rfft", x, n.map { [$0] }, [dim], norm)
  }

  /// The inverse of `rfft`: real numbers, by default `2 (m - 1)` of `m` pairs.
  public static func irfft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    irfftn("irfft", x, n.map { [$0] }, [dim], norm)
  }

  /// The real transform of a signal whose numbers from the middle on are the conjugates of those before it.
  public static func hfft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    hfftn("hfft", x, n.map { [$0] }, [dim], norm)
  }

  /// The inverse of `hfft`.
  public static func ihfft(_ x: Tensor, n: Int? = nil, dim: Int = -1, norm: Norm = .backward) -> Tensor {
    ihfftn("ihfft", x, n.map { [$0] }, [dim], norm)
  }

  /// `fft` along two axes.
  public static func fft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    fftn("fft2", x, s, dim, norm, isInverse: false)
  }

  /// `ifft` along two axes.
  public static func ifft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    fftn("ifft2", x, s, dim, norm, isInverse: true)
  }

  /// `rfft` along the last of two axes and `fft` along the other.
  public static func rfft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    rfftn("rfft2", x, s, dim, norm)
  }

  /// The inverse of `rfft2`.
  public static func irfft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    irfftn("irfft2", x, s, dim, norm)
  }

  /// `hfft` along the last of two axes and `fft` along the other.
  public static func hfft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    hfftn("hfft2", x, s, dim, norm)
  }

  /// The inverse of `hfft2`.
  public static func ihfft2(_ x: Tensor, s: [Int]? = nil, dim: [Int] = [-2, -1], norm: Norm = .backward) -> Tensor {
    ihfftn("ihfft2", x, s, dim, norm)
  }

  /// `fft` along several axes, by default all, or the last of as many lengths as are given.
  public static func fftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    fftn("fftn", x, s, dim, norm, isInverse: false)
  }

  /// `ifft` along several axes.
  public static func ifftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    fftn("ifftn", x, s, dim, norm, isInverse: true)
  }

  /// `rfft` along the last of several axes and `fft` along the others.
  public static func rfftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    rfftn("rfftn", x, s, dim, norm)
  }

  /// The inverse of `rfftn`.
  public static func irfftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    irfftn("irfftn", x, s, dim, norm)
  }

  /// `hfft` along the last of several axes and `fft` along the others.
  public static func hfftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    hfftn("hfftn", x, s, dim, norm)
  }

  /// The inverse of `hfftn`.
  public static func ihfftn(_ x: Tensor, s: [Int]? = nil, dim: [Int]? = nil, norm: Norm = .backward) -> Tensor {
    ihfftn("ihfftn", x, s, dim, norm)
  }

  /// The frequencies of the results of `fft`, for samples `d` apart.
  public static func fftfreq(_ n: Int, d: Double = 1, dtype: ScalarType? = nil, in builder: Builder) -> Tensor {
    frequencies("fftfreq", n, d, dtype, builder) { $0 < (n + 1) / 2 ? $0 : $0 - n }
  }

  /// The frequencies of the results of `rfft`, for samples `d` apart.
  public static func rfftfreq(_ n: Int, d: Double = 1, dtype: ScalarType? = nil, in builder: Builder) -> Tensor {
    frequencies("rfftfreq", n, d, dtype, builder, count: n / 2 + 1) { $0 }
  }

  private static func frequencies(
    _ name: String, _ n: Int, _ d: Double, _ dtype: ScalarType?, _ builder: Builder, count: Int? = nil,
    _ number: (Int) -> Int
  ) -> Tensor {
    guard n > 0, n <= 1 << 26 else {
      builder.record(TypeFault("n is \(n)", help: "a transform has at least one number"), operation: name, operands: [])
      return builder.poison
    }
    let scale = 1 / (Double(n) * d)
    return builder.tensor((0..<(count ?? n)).map { Double(number($0)) * scale }, dtype: dtype ?? .defaultFloat)
  }

  /// Turned so that the frequency 0 is in the middle.
  ///
  /// - Parameters:
  ///   - dim: The axes, by default all.
  ///   - isReal: Whether the operand holds real numbers, so that its last axis is one as the others.
  public static func fftshift(_ x: Tensor, dim: [Int]? = nil, isReal: Bool = false) -> Tensor {
    shifted("fftshift", x, dim, isReal) { $0 / 2 }
  }

  /// The inverse of `fftshift`.
  public static func ifftshift(_ x: Tensor, dim: [Int]? = nil, isReal: Bool = false) -> Tensor {
    shifted("ifftshift", x, dim, isReal) { ($0 + 1) / 2 }
  }

  private static func shifted(
    _ name: String, _ x: Tensor, _ dim: [Int]?, _ isReal: Bool, _ places: (Int) -> Int
  ) -> Tensor {
    composite(name, [x]) { () throws(TypeFault) -> Tensor in
      let rank = isReal ? x.rank : x.rank - 1
      var axes: [Int] = []
      for axis in dim ?? Array(0..<Swift.max(rank, 0)) { axes.append(try x.axis(axis, rank: rank)) }
      var shifts: [Int] = []
      for axis in axes { shifts.append(places(try x.knownSize(axis))) }
      return x.roll(shifts: shifts, dims: axes)
    }
  }

  // MARK: Along several axes

  /// The axes that are meant and how long the transforms along them are.
  private static func plan(
    _ x: Tensor, _ rank: Int, _ s: [Int]?, _ dim: [Int]?
  ) throws(TypeFault) -> [(axis: Int, length: Int?)] {
    if let s, let dim, s.count != dim.count { throw TypeFault("\(s.count) lengths are given for \(dim.count) axes") }
    if let s, s.count > rank { throw TypeFault("\(s.count) lengths are given for \(rank) axes") }
    let dims = dim ?? s.map { Array(rank - $0.count..<rank) } ?? Array(0..<rank)
    var axes: [Int] = []
    for dim in dims { axes.append(try x.axis(dim, rank: rank)) }
    guard Set(axes).count == axes.count, !axes.isEmpty else {
      throw TypeFault("dims \(dims) are not different axes", help: "a transform goes along one axis at least")
    }
    return axes.enumerated().map { position, axis in
      let length = s?[position]
      return (axis, length == -1 ? nil : length)
    }
  }

  private static func known(_ length: Int?, _ number: ComplexTensor, _ axis: Int) throws(TypeFault) -> Int {
    if let length {
      guard length > 0, length <= 1 << 26 else { throw TypeFault("a transform of \(length) numbers") }
      return length
    }
    let size = try number.real.knownSize(axis)
    guard size > 0 else { throw TypeFault("a transform of no numbers: \(number.real.type)") }
    return size
  }

  private static func transformed(
    _ number: ComplexTensor, _ axis: Int, _ length: Int?, _ norm: Norm, isInverse: Bool, sign: Double
  ) throws(TypeFault) -> ComplexTensor {
    let length = try known(length, number, axis)
    return try number.mapped { $0.movedim(axis, -1) }.resized(to: length).transformed(length, sign: sign)
      .scaled(by: norm.scale(length, isInverse: isInverse)).mapped { $0.movedim(-1, axis) }
  }

  private static func fftn(
    _ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm, isInverse: Bool
  ) -> Tensor {
    composite("FFT.\(name)", [x]) { () throws(TypeFault) -> Tensor in
      var number = try ComplexTensor(pairs: x)
      for (axis, length) in try plan(x, x.rank - 1, s, dim) {
        number = try transformed(number, axis, length, norm, isInverse: isInverse, sign: isInverse ? 1 : -1)
      }
      return number.parts
    }
  }

  /// - Parameter isInverse: Whether the sign and the scale are those of inverse transforms: `ihfftn`.
  private static func realTransform(
    _ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm, isInverse: Bool
  ) -> Tensor {
    composite("FFT.\(name)", [x]) { () throws(TypeFault) -> Tensor in
      try x.requireFloat("the operand")
      var axes = try plan(x, x.rank, s, dim)
      var number = ComplexTensor(real: x, imaginary: nil)
      let (axis, given) = axes.removeLast()
      let length = try known(given, number, axis)
      let sign: Double = isInverse ? 1 : -1
      number = try transformed(number, axis, length, norm, isInverse: isInverse, sign: sign)
        .mapped { $0.slice(axis: axis, from: 0, to: length / 2 + 1) }
      for (axis, length) in axes {
        number = try transformed(number, axis, length, norm, isInverse: isInverse, sign: sign)
      }
      return number.parts
    }
  }

  /// - Parameter isInverse: Whether the sign and the scale are those of inverse transforms; without: `hfftn`.
  private static func hermitianTransform(
    _ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm, isInverse: Bool
  ) -> Tensor {
    composite("FFT.\(name)", [x]) { () throws(TypeFault) -> Tensor in
      var number = try ComplexTensor(pairs: x)
      var axes = try plan(x, x.rank - 1, s, dim)
      let (axis, given) = axes.removeLast()
      let sign: Double = isInverse ? 1 : -1
      for (axis, length) in axes {
        number = try transformed(number, axis, length, norm, isInverse: isInverse, sign: sign)
      }
      let size = try number.real.knownSize(axis)
      let length = given ?? 2 * (size - 1)
      guard length > 0, length <= 1 << 26 else { throw TypeFault("a transform of \(length) numbers") }
      let y = try number.mapped { $0.movedim(axis, -1) }.hermitian(length).transformed(length, sign: sign)
      return y.scaled(by: norm.scale(length, isInverse: isInverse)).real.movedim(-1, axis)
    }
  }

  private static func rfftn(_ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm) -> Tensor {
    realTransform(name, x, s, dim, norm, isInverse: false)
  }

  private static func ihfftn(_ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm) -> Tensor {
    realTransform(name, x, s, dim, norm, isInverse: true)
  }

  private static func irfftn(_ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm) -> Tensor {
    hermitianTransform(name, x, s, dim, norm, isInverse: true)
  }

  private static func hfftn(_ name: String, _ x: Tensor, _ s: [Int]?, _ dim: [Int]?, _ norm: Norm) -> Tensor {
    hermitianTransform(name, x, s, dim, norm, isInverse: false)
  }
}

/// Transforms along the last axis.
extension ComplexTensor {
  /// The last axis cut off, or continued by zeros.
  package func resized(to length: Int) -> ComplexTensor {
    mapped { part in
      guard let size = part.shape.last?.known, size != length else { return part }
      let none = [Int](repeating: 0, count: part.rank)
      return part.pad(low: none, high: none.dropLast() + [length - size], interior: none)
    }
  }

  /// The first half of `length` numbers continued by its conjugate, turned round.
  package func hermitian(_ length: Int) -> ComplexTensor {
    let half = resized(to: length / 2 + 1)
    let tail = (length - 1) / 2
    func mirrored(_ part: Tensor) -> Tensor {
      part.slice(axis: part.rank - 1, from: 1, to: tail + 1).reverse([part.rank - 1])
    }
    return ComplexTensor(
      real: Tensor.concatenate([half.real, mirrored(half.real)], axis: half.real.rank - 1),
      imaginary: half.imaginary.map { Tensor.concatenate([$0, -mirrored($0)], axis: $0.rank - 1) })
  }

  /// The largest length whose transform is one product with a matrix.
  private static let matrixLimit = 64
  /// The largest one of those that have no factors.
  private static let primeLimit = 256

  /// The transform of `length` numbers, as many as there are.
  ///
  /// A length that is a product `a b` is `b` transforms of length `a`, a turn of each number, and `a` transforms of
  /// length `b` (Cooley and Tukey, 1965). A long one without factors is a convolution (Bluestein, 1970).
  package func transformed(_ length: Int, sign: Double) throws(TypeFault) -> ComplexTensor {
    let factor = (2...Swift.max(2, Int(Double(length).squareRoot()))).last { length % $0 == 0 }
    guard length > Self.matrixLimit, let factor, factor < length else {
      return length <= Self.primeLimit
        ? product(turns(length, length, of: length, sign)) { matmul($0, $1) } : try convolved(length, sign)
    }
    let rest = length / factor
    let shape = Array(real.shape.dropLast())
    // x[b t1 + t2] as [t2, t1], transformed over t1.
    let columns = try mapped {
      $0.reshape(shape + [Dim(factor), Dim(rest)]).transpose(-1, -2)
    }.transformed(factor, sign: sign)  // [t2, k1]
    let turned = columns.times(turns(rest, factor, of: length, sign)).mapped { $0.transpose(-1, -2) }  // [k1, t2]
    let rows = try turned.transformed(rest, sign: sign)  // [k1, k2], of X[k1 + a k2]
    return rows.mapped { $0.transpose(-1, -2).reshape(shape + [Dim(length)]) }
  }

  /// Since `2 j k = j^2 + k^2 - (k - j)^2`, the transform is a convolution with a chirp, between products with chirps.
  private func convolved(_ length: Int, _ sign: Double) throws(TypeFault) -> ComplexTensor {
    var size = 1
    while size < 2 * length - 1 { size *= 2 }
    let chirp = (0..<length).map { Turn(sign * Double.pi * Double($0 * $0 % (2 * length)) / Double(length)) }
    var kernel = [Turn](repeating: Turn(real: 0, imaginary: 0), count: size)
    for (position, turn) in chirp.enumerated() {
      let conjugate = Turn(real: turn.real, imaginary: -turn.imaginary)
      kernel[position] = conjugate
      if position > 0 { kernel[size - position] = conjugate }
    }
    let turns = constant(chirp)
    return try times(turns).resized(to: size).transformed(size, sign: -1).times(constant(kernel.transformed))
      .transformed(size, sign: 1).scaled(by: 1 / Double(size)).resized(to: length).times(turns)
  }

  private func constant(_ numbers: [Turn]) -> ComplexTensor {
    ComplexTensor(
      real: real.builder.tensor(numbers.map(\.real), dtype: real.dtype),
      imaginary: real.builder.tensor(numbers.map(\.imaginary), dtype: real.dtype))
  }

  /// `exp(sign 2 pi i j k / length)` for all `j` and `k`.
  private func turns(_ rows: Int, _ columns: Int, of length: Int, _ sign: Double) -> ComplexTensor {
    let unit = sign * 2 * Double.pi / Double(length)
    var angles: [Double] = []
    for row in 0..<rows {
      for column in 0..<columns { angles.append(unit * Double(row * column % length)) }
    }
    func table(_ function: (Double) -> Double) -> Tensor {
      real.builder.tensor(angles.map(function), shape: [rows, columns], dtype: real.dtype)
    }
    return ComplexTensor(real: table { cos($0) }, imaginary: table { sin($0) })
  }
}

/// A complex number on the host.
private struct Turn {
  var real: Double
  var imaginary: Double

  init(real: Double, imaginary: Double) {
    self.real = real
    self.imaginary = imaginary
  }

  /// The number of magnitude 1 with an angle.
  init(_ angle: Double) { self.init(real: cos(angle), imaginary: sin(angle)) }

  static func * (a: Turn, b: Turn) -> Turn {
    Turn(real: a.real * b.real - a.imaginary * b.imaginary, imaginary: a.real * b.imaginary + a.imaginary * b.real)
  }
}

extension [Turn] {
  /// The transform of as many numbers as a power of two.
  fileprivate var transformed: [Turn] {
    guard count > 1 else { return self }
    let even = stride(from: 0, to: count, by: 2).map { self[$0] }.transformed
    let odd = stride(from: 1, to: count, by: 2).map { self[$0] }.transformed
    var result = self
    for k in 0..<(count / 2) {
      let turned = Turn(-2 * Double.pi * Double(k) / Double(count)) * odd[k]
      result[k] = Turn(real: even[k].real + turned.real, imaginary: even[k].imaginary + turned.imaginary)
      result[k + count / 2] = Turn(real: even[k].real - turned.real, imaginary: even[k].imaginary - turned.imaginary)
    }
    return result
  }
}
