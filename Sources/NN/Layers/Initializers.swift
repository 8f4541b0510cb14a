import Foundation
public import LatheCore

/// What a parameter holds before training: a rule for its shape, PyTorch's `nn.init`.
///
/// `conv.weight.initialize(.kaimingNormal(mode: .fanOut, nonlinearity: .relu))` is
/// `nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')`.
public enum Initializer: Hashable, Sendable {
  /// One number for all.
  case constant(Double)
  /// Evenly between two bounds.
  case uniform(Double = 0, Double = 1)
  /// Normal numbers; one row may be zeros.
  case normal(mean: Double = 0, std: Double = 1, zeroRow: Int? = nil)
  /// Normal numbers without those outside of `a ... b`.
  case truncNormal(mean: Double = 0, std: Double = 1, a: Double = -2, b: Double = 2)
  /// Ones on the diagonal of a matrix.
  case eye
  /// The kernel of a convolution that passes on its input, for as many channels as there are in each group.
  case dirac(groups: Int = 1)
  /// Glorot and Bengio's bounds: `gain * sqrt(6 / (fanIn + fanOut))`.
  case xavierUniform(gain: Double = 1)
  /// Glorot and Bengio's deviation: `gain * sqrt(2 / (fanIn + fanOut))`.
  case xavierNormal(gain: Double = 1)
  /// He and others' bounds: `gain * sqrt(3 / fan)`; `a` is the negative slope of `leakyRelu`.
  case kaimingUniform(a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyRelu)
  /// He and others' deviation: `gain / sqrt(fan)`; `a` is the negative slope of `leakyRelu`.
  case kaimingNormal(a: Double = 0, mode: FanMode = .fanIn, nonlinearity: Nonlinearity = .leakyRelu)
  /// A matrix with orthonormal columns, or rows where these are fewer; axes after the first count as one.
  case orthogonal(gain: Double = 1)
  /// Normal numbers, a share of which in every column of a matrix is zeros.
  case sparse(sparsity: Double, std: Double = 0.01)
  /// Given numbers.
  case literal(NDArray)

  /// Which number of connections a weight is scaled by: those into an output, which keeps the variance of activations,
  /// or those out of an input, which keeps that of gradients.
  public enum FanMode: String, Hashable, Sendable {
    /// The inputs, or the outputs of a layer.
    case fanIn, fanOut
  }

  /// What follows a weight, which decides the gain.
  public enum Nonlinearity: String, Hashable, Sendable {
    /// No nonlinearity.
    case linear, conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d
    /// The activation of that name.
    case sigmoid, tanh, relu, leakyRelu, selu
  }

  /// All zeros.
  public static let zeros = Initializer.constant(0)
  /// All ones.
  public static let ones = Initializer.constant(1)

  /// PyTorch's default for `Linear` and convolutions: `kaiming_uniform(a = sqrt(5))`, which is uniform within
  /// one over the root of the fan-in.
  static func fanIn(_ fanIn: Int) -> Initializer {
    let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
    return .uniform(-bound, bound)
  }

  /// The content of a parameter.
  ///
  /// - Throws: Where the rule does not fit the shape.
  func array(_ type: TensorType, _ numbers: inout some RandomNumbers) throws(DiagnosticsError) -> NDArray {
    let shape = type.shape.known ?? internalError("a parameter of type \(type)")
    try NDArray.requireMemory(type.dtype, shape)
    if case .literal(let array) = self {
      guard array.shape == shape else { throw DiagnosticsError("its initializer is \(array.type)") }
      return array.converted(to: type.dtype)
    }
    if case .constant(let value) = self {
      return try NDArray(repeating: .float(value), dtype: type.dtype, shape: shape)
    }
    guard let count = type.elementCount, count > 0 else {
      return try NDArray(dtype: type.dtype, shape: shape, bytes: [])
    }
    let values = try values(count, shape, type.dtype, &numbers)
    if type.dtype == .f32 { return try NDArray(values.map { Float($0) }, shape: shape) }
    return try NDArray(dtype: type.dtype, shape: shape, values: values.map { .float($0) })
  }

  private func values(
    _ count: Int, _ shape: [Int], _ dtype: ScalarType, _ numbers: inout some RandomNumbers
  ) throws(DiagnosticsError) -> [Double] {
    func requireRank(_ ranks: ClosedRange<Int>) throws(DiagnosticsError) {
      guard ranks.contains(shape.count) else {
        let wanted = ranks.count == 1 ? "\(ranks.lowerBound)" : "\(ranks.lowerBound) to \(ranks.upperBound)"
        throw DiagnosticsError("the initializer needs \(wanted) axes, the shape is \(shape)")
      }
    }
    switch self {
    case .uniform(let low, let high):
      guard low <= high else { throw DiagnosticsError("no numbers are between \(low) and \(high)") }
      return numbers.uniform(count, low, high, dtype)
    case .normal(let mean, let std, let zeroRow):
      guard std >= 0 else { throw DiagnosticsError("the deviation is \(std)") }
      var values = numbers.normal(count, mean: mean, std: std, dtype)
      if let zeroRow, let rows = shape.first, (0..<rows).contains(zeroRow) {
        let width = count / rows
        for position in (zeroRow * width)..<((zeroRow + 1) * width) { values[position] = 0 }
      }
      return values
    case .truncNormal(let mean, let std, let a, let b):
      guard std > 0, a < b else { throw DiagnosticsError("the deviation is \(std), the bounds are \(a) and \(b)") }
      return truncated(count, mean, std, a, b, dtype, &numbers)
    case .eye:
      try requireRank(2...2)
      return (0..<count).map { $0 / shape[1] == $0 % shape[1] ? 1 : 0 }
    case .dirac(let groups):
      try requireRank(3...5)
      guard groups > 0, shape[0] % groups == 0 else {
        throw DiagnosticsError("\(shape[0]) channels do not divide into \(groups) groups")
      }
      return dirac(shape, groups)
    case .xavierUniform, .xavierNormal, .kaimingUniform, .kaimingNormal:
      return try reduced(shape).values(count, shape, dtype, &numbers)
    case .orthogonal(let gain):
      try requireRank(2...Int.max - 1)
      return orthonormal(numbers.normal(count, mean: 0, std: 1, dtype), shape, gain)
    case .sparse(let sparsity, let std):
      try requireRank(2...2)
      guard (0...1).contains(sparsity) else { throw DiagnosticsError("the sparsity is \(sparsity)") }
      var values = numbers.normal(count, mean: 0, std: std, dtype)
      let zeros = Int((sparsity * Double(shape[0])).rounded(.up))
      for column in 0..<shape[1] {
        for row in numbers.permutation(shape[0]).prefix(zeros) { values[row * shape[1] + column] = 0 }
      }
      return values
    case .constant, .literal: internalError("given numbers are drawn")
    }
  }

  /// The rule for a shape without fans and gains: the bounds or the deviation that these give.
  func reduced(_ shape: [Int]) throws(DiagnosticsError) -> Initializer {
    func within(_ std: Double) -> Initializer { .uniform(-3.0.squareRoot() * std, 3.0.squareRoot() * std) }
    switch self {
    case .xavierUniform(let gain): return within(try Self.deviation(shape, gain))
    case .xavierNormal(let gain): return .normal(std: try Self.deviation(shape, gain))
    case .kaimingUniform(let a, let mode, let nonlinearity):
      return within(try Self.deviation(shape, a, mode, nonlinearity))
    case .kaimingNormal(let a, let mode, let nonlinearity):
      return .normal(std: try Self.deviation(shape, a, mode, nonlinearity))
    default: return self
    }
  }

  /// The connections into an output and out of an input of a weight: PyTorch reads them off axes 1 and 0, for
  /// transposed convolutions too.
  private static func fans(_ shape: [Int]) throws(DiagnosticsError) -> (fanIn: Double, fanOut: Double) {
    guard shape.count >= 2 else {
      throw DiagnosticsError("the fan of a shape with fewer than 2 axes, \(shape), is not defined")
    }
    let field = shape.dropFirst(2).reduce(1) { $0 * Double($1) }
    return (Double(shape[1]) * field, Double(shape[0]) * field)
  }

  private static func deviation(_ shape: [Int], _ gain: Double) throws(DiagnosticsError) -> Double {
    let (fanIn, fanOut) = try fans(shape)
    return fanIn + fanOut == 0 ? 0 : gain * (2 / (fanIn + fanOut)).squareRoot()
  }

  private static func deviation(
    _ shape: [Int], _ a: Double, _ mode: FanMode, _ nonlinearity: Nonlinearity
  ) throws(DiagnosticsError) -> Double {
    let (fanIn, fanOut) = try fans(shape)
    let fan = mode == .fanIn ? fanIn : fanOut
    return fan == 0 ? 0 : calculateGain(nonlinearity, a) / fan.squareRoot()
  }

  /// Draws until nothing is outside of the bounds: normal numbers, or where few of these would be inside, even ones that
  /// are taken as often as the density asks.
  private func truncated(
    _ count: Int, _ mean: Double, _ std: Double, _ a: Double, _ b: Double, _ dtype: ScalarType,
    _ numbers: inout some RandomNumbers
  ) -> [Double] {
    func cumulative(_ x: Double) -> Double { (1 + erf((x - mean) / std / 2.0.squareRoot())) / 2 }
    if cumulative(b) - cumulative(a) > 0.3 {
      var values = numbers.normal(count, mean: mean, std: std, dtype)
      while values.contains(where: { $0 < a || $0 > b }) {
        let others = numbers.normal(count, mean: mean, std: std, dtype)
        for (position, value) in values.enumerated() where value < a || value > b {
          values[position] = others[position]
        }
      }
      return values
    }
    let mode = max(a, min(mean, b))
    func exponent(_ x: Double) -> Double { -0.5 * ((x - mean) / std) * ((x - mean) / std) }
    var values = Array(repeating: mode, count: count)
    var pending = Array(repeating: true, count: count)
    while pending.contains(true) {
      let candidates = numbers.uniform(count, a, b, dtype)
      let chances = numbers.uniform(count, 0, 1, dtype)
      for position in 0..<count where pending[position] {
        values[position] = candidates[position]
        pending[position] = log(chances[position]) > exponent(candidates[position]) - exponent(mode)
      }
    }
    return values
  }

  private func dirac(_ shape: [Int], _ groups: Int) -> [Double] {
    var values = Array(repeating: 0.0, count: shape.reduce(1, *))
    let field = shape.dropFirst(2).reduce(1, *)
    guard field > 0 else { return values }
    let centre = shape.dropFirst(2).reduce(0) { $0 * $1 + $1 / 2 }
    let channels = shape[0] / groups
    for group in 0..<groups {
      for channel in 0..<min(channels, shape[1]) {
        values[((group * channels + channel) * shape[1] + channel) * field + centre] = 1
      }
    }
    return values
  }

  /// Gram and Schmidt's process, twice for accuracy, along the shorter axis: the factor Q with positive diagonal in R.
  private func orthonormal(_ values: [Double], _ shape: [Int], _ gain: Double) -> [Double] {
    guard !values.isEmpty else { return values }
    let rows = shape[0]
    let columns = values.count / rows
    let isWide = rows < columns
    func place(_ vector: Int, _ element: Int) -> Int {
      isWide ? vector * columns + element : element * columns + vector
    }
    let (count, length) = (min(rows, columns), max(rows, columns))
    var vectors = (0..<count).map { vector in (0..<length).map { values[place(vector, $0)] } }
    for vector in 0..<count {
      for _ in 0..<2 {
        for other in 0..<vector {
          let share = zip(vectors[vector], vectors[other]).reduce(0) { $0 + $1.0 * $1.1 }
          for element in 0..<length { vectors[vector][element] -= share * vectors[other][element] }
        }
      }
      let norm = vectors[vector].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for element in 0..<length { vectors[vector][element] /= norm }
    }
    var result = values
    for vector in 0..<count {
      for element in 0..<length { result[place(vector, element)] = gain * vectors[vector][element] }
    }
    return result
  }
}

/// The gain that keeps the variance of activations through a nonlinearity.
///
/// - Parameter param: The negative slope of `leakyRelu`, by default 0.01.
public func calculateGain(_ nonlinearity: Initializer.Nonlinearity, _ param: Double? = nil) -> Double {
  switch nonlinearity {
  case .tanh: 5.0 / 3
  case .relu: 2.0.squareRoot()
  case .leakyRelu: (2 / (1 + (param ?? 0.01) * (param ?? 0.01))).squareRoot()
  case .selu: 0.75
  default: 1
  }
}

/// Where initializers have their numbers from.
protocol RandomNumbers {
  /// Numbers evenly between two bounds, with the digits of an element type.
  mutating func uniform(_ count: Int, _ low: Double, _ high: Double, _ dtype: ScalarType) -> [Double]
  /// Normal numbers.
  mutating func normal(_ count: Int, mean: Double, std: Double, _ dtype: ScalarType) -> [Double]
  /// The numbers below `count` in random order.
  mutating func permutation(_ count: Int) -> [Int]
}

/// Random numbers by position: number `i` depends on the seed, a name and `i` only, so every platform, order and thread
/// count gives the same.
///
/// The key is FNV-1a of the name mixed with the seed; position `i` gives SplitMix64's finalizer of
/// `key + (i + 1) * phi`, which is SplitMix64 started at the key. Sources: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators,
/// 2014; http://www.isthe.com/chongo/tech/comp/fnv/
struct KeyedNumbers {
  private let key: UInt64
  /// How many words were drawn in sequence.
  private var drawn = 0

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

extension KeyedNumbers: RandomNumbers {
  mutating func uniform(_ count: Int, _ low: Double, _ high: Double, _ dtype: ScalarType) -> [Double] {
    defer { drawn += count }
    return (drawn..<(drawn + count)).map { low + (high - low) * uniform($0) }
  }

  mutating func normal(_ count: Int, mean: Double, std: Double, _ dtype: ScalarType) -> [Double] {
    drawn += drawn % 2
    defer { drawn += 2 * count }
    return (drawn / 2..<(drawn / 2 + count)).map { mean + std * normal($0) }
  }

  mutating func permutation(_ count: Int) -> [Int] {
    let keys = uniform(count, 0, 1, .f64)
    return (0..<count).sorted { keys[$0] < keys[$1] }
  }
}
