import Foundation
public import LatheCore
import Synchronization

/// A stream of random numbers on the host: PyTorch's CPU generator.
///
/// From the same seed come the numbers that PyTorch draws, in the same order: a Mersenne twister (mt19937) whose 32-bit
/// words are transformed as there. What a graph draws while it runs is another matter: see `Builder.rand`.
///
/// Sources: Matsumoto, Nishimura, Mersenne Twister, 1998; PyTorch, aten/src/ATen/core/DistributionsHelper.h.
public final class Generator: Sendable {
  private struct State: Sendable {
    var seed: UInt64
    var isSeeded = false
    var words: [UInt32]
    var next = 624
    /// The second number of the last pair of normal ones, which the next call gives.
    var pending: Double?

    init(_ seed: UInt64) {
      self.seed = seed
      words = [UInt32(truncatingIfNeeded: seed)]
      for position in 1..<UInt32(624) {
        let last = words[Int(position) - 1]
        words.append(1_812_433_253 &* (last ^ (last >> 30)) &+ position)
      }
    }

    mutating func word() -> UInt32 {
      if next == 624 {
        for position in 0..<624 {
          let bits = (words[position] & 0x8000_0000) | (words[(position + 1) % 624] & 0x7fff_ffff)
          words[position] = words[(position + 397) % 624] ^ (bits >> 1) ^ (bits & 1 == 0 ? 0 : 0x9908_b0df)
        }
        next = 0
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
      dtype == .f64
        ? Double(longWord() & (1 << 53 - 1)) * 0x1p-53 : Double(word() & (1 << 24 - 1)) * 0x1p-24
    }

    /// A normal number of a pair by Box and Muller.
    mutating func normal() -> Double {
      if let number = pending {
        pending = nil
        return number
      }
      let (angle, share) = (2 * Double.pi * unit(.f64), unit(.f64))
      let radius = (-2 * log1p(-share)).squareRoot()
      pending = radius * sin(angle)
      return radius * cos(angle)
    }
  }

  private let state: Mutex<State>

  /// Makes a generator; the seed is PyTorch's own by default.
  public init(seed: UInt64 = 67_280_421_310_721) { state = Mutex(State(seed)) }

  private static let global = Generator()

  /// Takes the place of the default generator in the tasks of a scope: `Generator.$scoped.withValue(…) { … }`.
  @TaskLocal public static var scoped: Generator?

  /// What `rand` and kin draw from when they are given no generator.
  public static var `default`: Generator { scoped ?? global }

  /// The default generator, once it was given a seed: layers that are made from then on draw their parameters from it.
  static var ofParameters: Generator? {
    let generator = Generator.default
    return generator.state.withLock { $0.isSeeded } ? generator : nil
  }

  /// Starts again from a seed.
  @discardableResult
  public func manualSeed(_ seed: UInt64) -> Generator {
    state.withLock {
      $0 = State(seed)
      $0.isSeeded = true
    }
    return self
  }

  /// The seed that the numbers started from.
  public var initialSeed: UInt64 { state.withLock { $0.seed } }

  /// A generator that goes on from here by itself: `get_state` and `set_state`.
  public func clone() -> Generator {
    let copy = Generator()
    let now = state.withLock { $0 }
    copy.state.withLock { $0 = now }
    return copy
  }
}

extension Generator: RandomNumbers {
  func uniform(_ count: Int, _ low: Double, _ high: Double, _ dtype: ScalarType) -> [Double] {
    state.withLock { state in
      (0..<count).map { _ in
        let unit = state.unit(dtype)
        if dtype == .f64 { return unit * (high - low) + low }
        return Double(Float(unit) * (Float(high) - Float(low)) + Float(low))
      }
    }
  }

  func normal(_ count: Int, mean: Double, std: Double, _ dtype: ScalarType) -> [Double] {
    state.withLock { state in
      // Few numbers come one by one, more in blocks of 16, of which the last overlaps the one before.
      guard count >= 16 else { return (0..<count).map { _ in state.normal() * std + mean } }
      var numbers = (0..<count).map { _ in state.unit(dtype) }
      func transform(from start: Int) {
        for position in start..<(start + 8) {
          let radius = (-2 * log(1 - numbers[position])).squareRoot()
          let angle = 2 * Double.pi * numbers[position + 8]
          numbers[position] = radius * cos(angle) * std + mean
          numbers[position + 8] = radius * sin(angle) * std + mean
        }
      }
      for start in stride(from: 0, through: count - 16, by: 16) { transform(from: start) }
      if count % 16 != 0 {
        for position in (count - 16)..<count { numbers[position] = state.unit(dtype) }
        transform(from: count - 16)
      }
      return numbers
    }
  }

  func permutation(_ count: Int) -> [Int] {
    state.withLock { state in
      var numbers = Array(0..<count)
      for position in 0..<Swift.max(count - 1, 0) {
        numbers.swapAt(position, position + Int(UInt64(state.word()) % UInt64(count - position)))
      }
      return numbers
    }
  }

  /// Integers in `low ..< high`.
  fileprivate func integers(_ count: Int, _ low: Int, _ high: Int) -> [Int] {
    let range = UInt64(bitPattern: Int64(high &- low))
    return state.withLock { state in
      (0..<count).map { _ in
        let bits = range >= 1 << 28 ? state.longWord() : UInt64(state.word())
        return low &+ Int(truncatingIfNeeded: bits % range)
      }
    }
  }
}

/// Starts the default generator again from a seed.
///
/// Layers that are made from then on draw their parameters from it, in the order in which they are made, and so have the
/// weights that PyTorch's have. Without a call, parameters depend on their names and the seed that `trace` is given.
@discardableResult
public func manualSeed(_ seed: UInt64) -> Generator { Generator.default.manualSeed(seed) }

/// An array of drawn numbers on the host.
private func drawn(
  _ name: String, _ shape: [Int], _ dtype: ScalarType, _ numbers: (Int) -> [Double]
) throws(DiagnosticsError) -> NDArray {
  guard dtype.isFloat else { throw DiagnosticsError("\(name) draws floats, not \(dtype)") }
  try NDArray.requireMemory(dtype, shape)
  return try NDArray(
    dtype: dtype, shape: shape, values: numbers(TensorType(dtype, shape).elementCount ?? 0).map { .float($0) })
}

/// Numbers evenly in `0 ..< 1`, on the host.
///
/// - Throws: For sizes that are negative or larger than the memory.
public func rand(
  _ shape: [Int], dtype: ScalarType = .f32, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  try drawn("rand", shape, dtype) { generator.uniform($0, 0, 1, dtype) }
}

/// Numbers evenly in `0 ..< 1`, on the host.
public func rand(
  _ shape: Int..., dtype: ScalarType = .f32, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try rand(shape, dtype: dtype, generator: generator) }

/// Normal numbers of mean 0 and deviation 1, on the host.
///
/// - Throws: For sizes that are negative or larger than the memory.
public func randn(
  _ shape: [Int], dtype: ScalarType = .f32, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  try drawn("randn", shape, dtype) { generator.normal($0, mean: 0, std: 1, dtype) }
}

/// Normal numbers of mean 0 and deviation 1, on the host.
public func randn(
  _ shape: Int..., dtype: ScalarType = .f32, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try randn(shape, dtype: dtype, generator: generator) }

/// Normal numbers, on the host.
///
/// - Throws: For a negative deviation, and sizes that are negative or larger than the memory.
public func normal(
  mean: Double, std: Double, _ shape: [Int], dtype: ScalarType = .f32, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  guard std >= 0 else { throw DiagnosticsError("normal: std is \(std)") }
  return try drawn("normal", shape, dtype) { generator.normal($0, mean: mean, std: std, dtype) }
}

/// Integers (`i64`) in `low ..< high`, on the host.
///
/// - Throws: For an empty range, and sizes that are negative or larger than the memory.
public func randint(
  _ low: Int, _ high: Int, _ shape: [Int], generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  guard low < high else { throw DiagnosticsError("randint: no integers are in \(low) ..< \(high)") }
  try NDArray.requireMemory(.i64, shape)
  let numbers = generator.integers(TensorType(.i64, shape).elementCount ?? 0, low, high)
  return try NDArray(dtype: .i64, shape: shape, values: numbers.map { .integer($0) })
}

/// Integers (`i64`) in `0 ..< high`, on the host.
public func randint(
  _ high: Int, _ shape: [Int], generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try randint(0, high, shape, generator: generator) }

/// The integers `0 ..< n` (`i64`) in random order, on the host.
///
/// - Throws: For a size that is negative or larger than the memory.
public func randperm(_ n: Int, generator: Generator = .default) throws(DiagnosticsError) -> NDArray {
  try NDArray.requireMemory(.i64, [n])
  return try NDArray(dtype: .i64, shape: [n], values: generator.permutation(n).map { .integer($0) })
}

/// Ones and zeros, a one as often as the probability in its place says, on the host.
///
/// - Throws: For probabilities outside of `0 ... 1`.
public func bernoulli(
  _ probabilities: NDArray, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  let chances = probabilities.doubles
  guard probabilities.dtype.isFloat, chances.allSatisfy({ (0...1).contains($0) }) else {
    throw DiagnosticsError("bernoulli: probabilities are floats in 0 ... 1")
  }
  let units = generator.uniform(chances.count, 0, 1, probabilities.dtype)
  return try NDArray(
    dtype: probabilities.dtype, shape: probabilities.shape, values: zip(units, chances).map { .float($0 < $1 ? 1 : 0) })
}
