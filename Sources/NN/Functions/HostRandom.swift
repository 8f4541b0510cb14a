public import LatheCore

/// Starts the default generator again from a seed.
///
/// Layers that are made from then on draw their parameters from it, in the order in which they are made, and so have the
/// weights that PyTorch's have. Without a call, parameters depend on their names and the seed that `trace` is given.
@discardableResult
public func manualSeed(_ seed: some BinaryInteger) -> Generator { Generator.default.manualSeed(seed) }

/// The seed that the default generator started from: `torch.initial_seed`.
public func initialSeed() -> UInt64 { Generator.default.initialSeed }

/// Where the default generator has come to, as `Generator.getState` gives it: `torch.get_rng_state`.
public func getRNGState() -> NDArray { Generator.default.getState() }

/// Lets the default generator go on from a state: `torch.set_rng_state`.
///
/// - Throws: That this is no state of a generator.
public func setRNGState(_ state: NDArray) throws(DiagnosticsError) { try Generator.default.setState(state) }

/// An array of drawn numbers on the host.
private func drawn(
  _ name: String, _ shape: [Int], _ dtype: ScalarType, _ numbers: (Int) -> [Double]
) throws(DiagnosticsError) -> NDArray {
  guard dtype.isFloat else { throw DiagnosticsError("\(name) draws floats, not \(dtype)") }
  try NDArray.requireMemory(dtype, shape)
  return try NDArray(
    dtype: dtype, shape: shape, values: numbers(shape.reduce(1, *)).map { .float($0) })
}

/// Numbers evenly in `0 ..< 1`, on the host.
///
/// - Throws: For sizes that are negative or larger than the memory.
public func rand(
  _ shape: [Int], dtype: ScalarType = .defaultFloat, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  try drawn("rand", shape, dtype) { generator.uniform($0, 0, 1, dtype) }
}

/// Numbers evenly in `0 ..< 1`, on the host.
public func rand(
  _ shape: Int..., dtype: ScalarType = .defaultFloat, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try rand(shape, dtype: dtype, generator: generator) }

/// Normal numbers of mean 0 and deviation 1, on the host.
///
/// - Throws: For sizes that are negative or larger than the memory.
public func randn(
  _ shape: [Int], dtype: ScalarType = .defaultFloat, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  try drawn("randn", shape, dtype) { generator.normal($0, mean: 0, std: 1, dtype) }
}

/// Normal numbers of mean 0 and deviation 1, on the host.
public func randn(
  _ shape: Int..., dtype: ScalarType = .defaultFloat, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try randn(shape, dtype: dtype, generator: generator) }

/// Normal numbers, on the host.
///
/// - Throws: For a negative deviation, and sizes that are negative or larger than the memory.
public func normal(
  mean: Double, std: Double, _ shape: [Int], dtype: ScalarType = .defaultFloat, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  guard std >= 0 else { throw DiagnosticsError("normal: std is \(std)") }
  return try drawn("normal", shape, dtype) { generator.normal($0, mean: mean, std: std, dtype) }
}

/// Normal numbers with means and deviations of their own, on the host; a single one is for all.
///
/// - Throws: For negative deviations, and shapes or types that differ.
public func normal(
  mean: NDArray, std: NDArray, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  let shape = mean.shape.isEmpty ? std.shape : mean.shape
  guard mean.dtype.isFloat, mean.dtype == std.dtype, std.shape.isEmpty || std.shape == shape else {
    throw DiagnosticsError("normal: the means are \(mean.type), the deviations \(std.type)")
  }
  let (means, deviations) = (mean.doubles, std.doubles)
  guard deviations.allSatisfy({ $0 >= 0 }) else { throw DiagnosticsError("normal: a deviation is negative") }
  return try drawn("normal", shape, mean.dtype) { count in
    let numbers = generator.normal(count, mean: 0, std: 1, mean.dtype).map { mean.dtype.rounded(.float($0)).double }
    return numbers.indices.map { position in
      let (center, width) = (means[means.count == 1 ? 0 : position], deviations[deviations.count == 1 ? 0 : position])
      // Rounded after each step, as PyTorch's tensors are.
      let product = mean.dtype.rounded(.float(numbers[position] * width)).double
      return product + center
    }
  }
}

/// Checks that a type reaches as far as a range of integers.
private func requireHolds(_ dtype: ScalarType, _ name: String, _ range: ClosedRange<Int>) throws(DiagnosticsError) {
  let ends = try NDArray(dtype: .i64, shape: [2], values: [.integer(range.lowerBound), .integer(range.upperBound)])
  let held = ends.converted(to: dtype)
  let isHeld =
    dtype.isFloat
    ? held.doubles.allSatisfy(\.isFinite)
    : held.converted(to: .i64).integers == ends.integers && (dtype.isSigned || range.lowerBound >= 0)
  guard isHeld else { throw DiagnosticsError("\(name): \(range) is beyond \(dtype)") }
}

/// Integers in `low ..< high`, on the host.
///
/// - Throws: For a range that is empty or beyond the type, and sizes that are negative or larger than the memory.
public func randint(
  _ low: Int, _ high: Int, _ shape: [Int], dtype: ScalarType = .i64, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  guard low < high else { throw DiagnosticsError("randint: no integers are in \(low) ..< \(high)") }
  try requireHolds(dtype, "randint", low...(high - 1))
  try NDArray.requireMemory(dtype, shape)
  let numbers = generator.integers(shape.reduce(1, *), low, high)
  return try NDArray(dtype: .i64, shape: shape, values: numbers.map { .integer($0) }).converted(to: dtype)
}

/// Integers in `0 ..< high`, on the host.
public func randint(
  _ high: Int, _ shape: [Int], dtype: ScalarType = .i64, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray { try randint(0, high, shape, dtype: dtype, generator: generator) }

/// The integers `0 ..< n` in random order, on the host.
///
/// - Throws: For a size that is negative, larger than the memory, or beyond the type.
public func randperm(
  _ n: Int, dtype: ScalarType = .i64, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  try NDArray.requireMemory(.i64, [n])
  if n > 0 { try requireHolds(dtype, "randperm", 0...(n - 1)) }
  let numbers = generator.permutation(n).map { ScalarValue.integer($0) }
  return try NDArray(dtype: .i64, shape: [n], values: numbers).converted(to: dtype)
}

/// Numbers of categories (`i64`), each drawn as often as its weight in a row says, on the host.
///
/// - Parameters:
///   - weights: `[categories]` or `[rows, categories]`; they need not add up to one.
///   - count: How many are drawn from each row.
///   - replacement: Whether a category may be drawn again.
/// - Throws: For weights that are negative, not finite or all zeros, and for more draws than there are categories.
public func multinomial(
  _ weights: NDArray, _ count: Int, replacement: Bool = false, generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  guard weights.dtype.isFloat, (1...2).contains(weights.shape.count), let width = weights.shape.last else {
    throw DiagnosticsError("multinomial: the weights are \(weights.type), not rows of floats")
  }
  let all = weights.doubles
  let rows = width == 0 ? [] : stride(from: 0, to: all.count, by: width).map { Array(all[$0..<$0 + width]) }
  guard count > 0, width > 0, all.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
    throw DiagnosticsError("multinomial: \(count) draws of weights \(weights.type)", help: "weights are not negative")
  }
  try NDArray.requireMemory(.i64, weights.shape.dropLast() + [count])
  for row in rows {
    let present = row.count { $0 > 0 }
    guard present >= (replacement ? 1 : count) else {
      throw DiagnosticsError("multinomial: \(count) draws, but only \(present) weights are not zero")
    }
  }
  let isDouble = weights.dtype == .f64
  let drawn: [[Int]]
  // PyTorch draws a single one without replacement, whatever is asked for.
  if replacement, count > 1 {
    drawn = rows.map { row in
      var total = 0.0
      var sums = row.map { weight in
        total = isDouble ? total + weight : Double(Float(total) + Float(weight))
        return total
      }
      sums = sums.map { isDouble ? $0 / total : Double(Float($0) / Float(total)) }
      sums[width - 1] = 1
      return generator.uniform(count, 0, 1, .f64).map { share in sums.partitioningIndex { $0 >= share } }
    }
  } else {
    // The largest of weights over exponential numbers: each is the next one as often as its weight says.
    let noise = generator.exponential(all.count)
    drawn = rows.enumerated().map { number, row in
      let keys = row.indices.map { column in
        let noise = noise[number * width + column]
        return isDouble ? row[column] / noise : Double(Float(row[column]) / Float(noise))
      }
      return Array(row.indices.sorted { keys[$0] > keys[$1] }.prefix(count))
    }
  }
  return try NDArray(
    dtype: .i64, shape: weights.shape.dropLast() + [count], values: drawn.joined().map { .integer($0) })
}

extension Array {
  /// The first place whose element fulfils a condition that all behind it fulfil too.
  fileprivate func partitioningIndex(_ isBehind: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
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
