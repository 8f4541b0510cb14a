import Foundation
public import LatheCore

/// What a parameter holds before training.
public enum Initializer: Hashable, Sendable {
  case constant(Double)
  /// Evenly between two bounds.
  case uniform(Double, Double)
  /// Normal numbers; one row may be zeros.
  case normal(mean: Double, std: Double, zeroRow: Int? = nil)
  /// Ones on the diagonal of a matrix.
  case identity
  /// Given numbers.
  case literal(NDArray)

  /// All zeros.
  public static let zeros = Initializer.constant(0)
  /// All ones.
  public static let ones = Initializer.constant(1)

  /// PyTorch's default for `Linear` and convolutions: `kaiming_uniform(a = sqrt(5))`, which is uniform within
  /// one over the root of the fan-in.
  public static func fanIn(_ fanIn: Int) -> Initializer {
    let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
    return .uniform(-bound, bound)
  }

  /// Glorot and Bengio's bounds: `gain * sqrt(6 / (fanIn + fanOut))`.
  public static func xavierUniform(fanIn: Int, fanOut: Int, gain: Double = 1) -> Initializer {
    let bound = gain * (6 / max(Double(fanIn) + Double(fanOut), 1)).squareRoot()
    return .uniform(-bound, bound)
  }

  /// Glorot and Bengio's deviation: `gain * sqrt(2 / (fanIn + fanOut))`.
  public static func xavierNormal(fanIn: Int, fanOut: Int, gain: Double = 1) -> Initializer {
    .normal(mean: 0, std: gain * (2 / max(Double(fanIn) + Double(fanOut), 1)).squareRoot())
  }

  /// He and others' bounds: `gain * sqrt(3 / fan)`; the gain for ReLU is the root of 2.
  public static func kaimingUniform(fan: Int, gain: Double = 2.0.squareRoot()) -> Initializer {
    let bound = gain * (3 / Double(max(fan, 1))).squareRoot()
    return .uniform(-bound, bound)
  }

  /// He and others' deviation: `gain / sqrt(fan)`; the gain for ReLU is the root of 2.
  public static func kaimingNormal(fan: Int, gain: Double = 2.0.squareRoot()) -> Initializer {
    .normal(mean: 0, std: gain / Double(max(fan, 1)).squareRoot())
  }

  /// The content of a parameter of a known shape.
  ///
  /// - Parameters:
  ///   - name: The parameter's name, which its random numbers depend on, so that adding a layer moves no others.
  ///   - seed: The model's seed.
  func array(_ type: TensorType, name: String, seed: UInt64) -> NDArray {
    let shape = type.shape.known ?? []
    let count = type.elementCount ?? 0
    func filled(_ value: (Int) -> Double) -> NDArray {
      if type.dtype == .f32 { return unfailing { try NDArray((0..<count).map { Float(value($0)) }, shape: shape) } }
      return unfailing {
        try NDArray(dtype: type.dtype, shape: shape, values: (0..<count).map { .float(value($0)) })
      }
    }
    switch self {
    case .constant(let value): return filled { _ in value }
    case .uniform(let low, let high):
      let numbers = KeyedNumbers(seed: seed, name: name)
      return filled { low + (high - low) * numbers.uniform($0) }
    case .normal(let mean, let std, let zeroRow):
      let numbers = KeyedNumbers(seed: seed, name: name)
      let width = max(shape.first.map { $0 == 0 ? 0 : count / $0 } ?? 1, 1)
      return filled { $0 / width == zeroRow ? 0 : mean + std * numbers.normal($0) }
    case .identity:
      let columns = shape.last ?? 1
      return filled { $0 / columns == $0 % columns ? 1 : 0 }
    case .literal(let array): return array.converted(to: type.dtype)
    }
  }
}

/// Random numbers by position: number `i` depends on the seed, a name and `i` only, so every platform, order and thread
/// count gives the same.
///
/// The key is FNV-1a of the name mixed with the seed; position `i` gives SplitMix64's finalizer of
/// `key + (i + 1) * phi`, which is SplitMix64 started at the key. Sources: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators,
/// 2014; http://www.isthe.com/chongo/tech/comp/fnv/
struct KeyedNumbers {
  private let key: UInt64

  init(seed: UInt64, name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    key = Self.mixed(hash ^ Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15))
  }

  /// 64 random bits.
  func bits(_ position: Int) -> UInt64 {
    Self.mixed(key &+ UInt64(truncatingIfNeeded: position &+ 1) &* 0x9e37_79b9_7f4a_7c15)
  }

  /// A multiple of 2^-53 in `0 ..< 1`.
  func uniform(_ position: Int) -> Double { Double(bits(position) >> 11) * 0x1p-53 }

  /// A normal number, by Box and Muller from two uniform ones.
  func normal(_ position: Int) -> Double {
    let radius = (-2 * log(1 - uniform(2 * position))).squareRoot()
    return radius * cos(2 * .pi * uniform(2 * position + 1))
  }

  private static func mixed(_ bits: UInt64) -> UInt64 {
    var z = bits
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
