import Foundation
import LatheCore

/// The engine of PyTorch's CPU generator: mt19937, and the transformations of its 32-bit words.
///
/// Sources: Matsumoto, Nishimura, Mersenne Twister, 1998; PyTorch, aten/src/ATen/core/DistributionsHelper.h and
/// aten/src/ATen/native/cpu/DistributionTemplates.h.
struct MersenneTwister: Sendable {
  private static let size = 624

  let seed: UInt64
  private var words: [UInt32]
  /// One more than the words that are left before the next 624 are made.
  private var left = 1
  private var next = 0
  /// The second number of the last pair of normal ones, which the next call gives.
  private var pending: Double?

  init(_ seed: UInt64) {
    self.seed = seed
    words = [UInt32(truncatingIfNeeded: seed)]
    for position in 1..<UInt32(Self.size) {
      let last = words[Int(position) - 1]
      words.append(1_812_433_253 &* (last ^ (last >> 30)) &+ position)
    }
  }

  mutating func word() -> UInt32 {
    left -= 1
    if left == 0 {
      for position in 0..<Self.size {
        let bits = (words[position] & 0x8000_0000) | (words[(position + 1) % Self.size] & 0x7fff_ffff)
        words[position] = words[(position + 397) % Self.size] ^ (bits >> 1) ^ (bits & 1 == 0 ? 0 : 0x9908_b0df)
      }
      (left, next) = (Self.size, 0)
    }
    var word = words[next]
    next += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9d2c_5680
    word ^= (word << 15) & 0xefc6_0000
    return word ^ (word >> 18)
  }

  mutating func longWord() -> UInt64 {
    let high = UInt64(word())
    return high << 32 | UInt64(word())
  }

  /// In `0 ..< 1` with the digits that PyTorch takes for an element type.
  mutating func unit(_ dtype: ScalarType) -> Double {
    dtype == .f64 ? Double(longWord() & (1 << 53 - 1)) * 0x1p-53 : Double(word() & (1 << 24 - 1)) * 0x1p-24
  }

  /// An exponentially distributed number.
  mutating func exponential() -> Double { -log1p(-unit(.f64)) }

  /// A normal number of a pair by Box and Muller.
  private mutating func normal() -> Double {
    if let number = pending {
      pending = nil
      return number
    }
    let (angle, share) = (2 * Double.pi * unit(.f64), unit(.f64))
    let radius = (-2 * log1p(-share)).squareRoot()
    pending = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Normal numbers: few one by one; 16 and more in blocks of 16, of which the last overlaps the one before.
  mutating func normal(_ count: Int, mean: Double, std: Double, _ dtype: ScalarType) -> [Double] {
    guard count >= 16 else { return (0..<count).map { _ in mean.addingProduct(normal(), std) } }
    // PyTorch draws the blocks of the short types one after the other, of others all but the last at once.
    let isShort = dtype.byteCount < 4
    var numbers = (0..<(isShort ? count / 16 * 16 : count)).map { _ in unit(dtype) }
    func transform(from start: Int) {
      // A copy: a slice would keep the array, and each block be written to a new one.
      let block = Array(numbers[start..<start + 16])
      let normal =
        dtype == .f64
        ? NormalBlock.transform(block, mean: mean, std: std)
        : NormalBlock.transform(block.map { Float($0) }, mean: Float(mean), std: Float(std)).map { Double($0) }
      for (position, number) in normal.enumerated() { numbers[start + position] = number }
    }
    for start in stride(from: 0, through: count - 16, by: 16) { transform(from: start) }
    if count % 16 != 0 {
      numbers.replaceSubrange(count - 16..<numbers.count, with: (0..<16).map { _ in unit(dtype) })
      transform(from: count - 16)
    }
    return numbers
  }
}

/// The state as PyTorch's `get_state` gives it.
extension MersenneTwister {
  static let stateBytes = 5056

  /// Where things lie: the seed, two flags, the place and the words, each as 64 bits, and the pending number.
  private enum Offset {
    static let left = 8, isSeeded = 12, next = 16, words = 24, pending = 5024, isPending = 5040
  }

  var state: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.stateBytes)
    func put(_ value: some FixedWidthInteger, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
    put(seed, at: 0)
    put(Int32(left), at: Offset.left)
    put(Int32(1), at: Offset.isSeeded)
    put(UInt64(next), at: Offset.next)
    for (position, word) in words.enumerated() { put(UInt64(word), at: Offset.words + 8 * position) }
    if let pending {
      put(pending.bitPattern, at: Offset.pending)
      put(Int32(1), at: Offset.isPending)
    }
    return bytes
  }

  /// What a state describes; nil where it is none.
  init?(state bytes: [UInt8]) {
    guard bytes.count == Self.stateBytes else { return nil }
    func number(at offset: Int, bytes count: Int) -> UInt64 {
      bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    self.init(number(at: 0, bytes: 8))
    let (left, next) = (number(at: Offset.left, bytes: 4), number(at: Offset.next, bytes: 8))
    guard (1...UInt64(Self.size)).contains(left), next <= UInt64(Self.size), left == 1 || next + left == 625 else {
      return nil
    }
    (self.left, self.next) = (Int(left), Int(next))
    for position in words.indices {
      words[position] = UInt32(truncatingIfNeeded: number(at: Offset.words + 8 * position, bytes: 8))
    }
    if number(at: Offset.isPending, bytes: 4) != 0 {
      pending = Double(bitPattern: number(at: Offset.pending, bytes: 8))
    }
  }
}

/// Box and Muller's transformation of 8 pairs of numbers in `0 ..< 1`, the second ones behind the first.
private enum NormalBlock {
  static func transform(_ block: [Double], mean: Double, std: Double) -> [Double] {
    var result = block
    for position in 0..<8 {
      let radius = (-2 * log(1 - block[position])).squareRoot()
      let angle = 2 * Double.pi * block[position + 8]
      result[position] = mean.addingProduct(radius * cos(angle), std)
      result[position + 8] = mean.addingProduct(radius * sin(angle), std)
    }
    return result
  }

  /// In single precision as PyTorch computes on processors with AVX2: by the functions of Cephes, with fused products.
  static func transform(_ block: [Float], mean: Float, std: Float) -> [Float] {
    var result = block
    for position in 0..<8 {
      let radius = (-2 * logarithm(1 - block[position])).squareRoot()
      let (sine, cosine) = sineAndCosine(Float(2 * Double.pi) * block[position + 8])
      result[position] = mean.addingProduct(radius * cosine, std)
      result[position + 8] = mean.addingProduct(radius * sine, std)
    }
    return result
  }

  /// Source: Moshier, Cephes Mathematical Library, single/logf.c.
  private static func logarithm(_ x: Float) -> Float {
    var exponent = Float(x.exponent + 1)
    var rest = x.significand / 2
    if rest < 0.707106781186547524 {
      exponent -= 1
      rest = rest - 1 + rest
    } else {
      rest -= 1
    }
    let square = rest * rest
    let series = polynomial(
      [
        7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
        2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
      ], rest)
    let small = (exponent * -2.12194440e-4).addingProduct(series * rest, square).addingProduct(-0.5, square)
    return (rest + small).addingProduct(exponent, 0.693359375)
  }

  /// The functions of an angle in `0 ... 2π`.
  ///
  /// Source: Moshier, Cephes Mathematical Library, single/sinf.c.
  private static func sineAndCosine(_ x: Float) -> (sine: Float, cosine: Float) {
    // Eighths of the circle, to the nearest even one.
    let eighth = (Int(x * 1.27323954473516) + 1) & ~1
    let multiple = Float(eighth)
    let rest = [0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8].reduce(x) { rest, part in
      rest.addingProduct(-part, multiple)
    }
    let square = rest * rest
    let even = polynomial([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2], square) * square
    let cosine = (-0.5 * square).addingProduct(even, square) + 1
    let odd = polynomial([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1], square) * square
    let sine = rest.addingProduct(odd, rest)
    let (first, second) = eighth & 2 == 0 ? (sine, cosine) : (cosine, sine)
    return (eighth & 4 == 0 ? first : -first, (eighth - 2) & 4 == 0 ? -second : second)
  }

  private static func polynomial(_ coefficients: [Float], _ x: Float) -> Float {
    coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, x) }
  }
}
