public import LatheCore
public import LatheNN

/// The order in which samples are taken: `torch.utils.data.Sampler`.
public protocol Sampler<Element>: Sendable {
  /// The number of a sample, or of a batch the numbers.
  associatedtype Element: Sendable

  /// How many elements an epoch has.
  var count: Int { get }

  /// What the orders are drawn from, where the sampler has a generator of its own: part of a loader's state.
  var generator: Generator? { get }

  /// Draws the order of an epoch.
  ///
  /// - Parameter epoch: The number of epochs before.
  func order(epoch: Int) throws(DiagnosticsError) -> [Element]
}

extension Sampler {
  /// None.
  public var generator: Generator? { nil }
}

/// The numbers from 0 on: `torch.utils.data.SequentialSampler`.
public struct SequentialSampler: Sampler {
  /// How many samples there are.
  public let count: Int

  /// The order of a dataset of some size.
  public init(_ count: Int) { self.count = count }

  /// The order, the same in each epoch.
  public func order(epoch: Int) -> [Int] { Array(0..<count) }
}

/// Numbers at random: `torch.utils.data.RandomSampler`.
public struct RandomSampler: Sampler {
  /// How many numbers an epoch has.
  public let count: Int
  /// What is drawn from; where it is nil, every epoch has a generator with a seed that the default generator draws.
  public let generator: Generator?
  private let size: Int
  private let replacement: Bool

  /// The order of a dataset.
  ///
  /// - Parameters:
  ///   - size: How many samples there are.
  ///   - replacement: Whether each number is drawn from all; otherwise orders of all follow each other.
  ///   - numSamples: How many numbers an epoch has; by default as many as there are samples.
  ///   - generator: What is drawn from.
  /// - Throws: That nothing is drawn, or from no samples.
  public init(
    _ size: Int, replacement: Bool = false, numSamples: Int? = nil, generator: Generator? = nil
  ) throws(DiagnosticsError) {
    count = numSamples ?? size
    guard size > 0, count > 0 else { throw DiagnosticsError("RandomSampler: \(count) draws from \(size) samples") }
    self.size = size
    self.replacement = replacement
    self.generator = generator
  }

  /// Draws an order.
  public func order(epoch: Int) -> [Int] {
    let generator = generator ?? Generator(seed: UInt64(Generator.default.integer()))
    if replacement { return generator.integers(count, 0, size) }
    // PyTorch draws one order more, even where nothing of it is taken.
    return Array((0...count / size).flatMap { _ in generator.permutation(size) }.prefix(count))
  }
}

/// Given numbers at random: `torch.utils.data.SubsetRandomSampler`.
public struct SubsetRandomSampler: Sampler {
  /// The numbers.
  public let indices: [Int]
  /// What is drawn from; the default generator where it is nil.
  public let generator: Generator?

  /// Random orders of some numbers.
  public init(_ indices: [Int], generator: Generator? = nil) {
    self.indices = indices
    self.generator = generator
  }

  /// How many numbers there are.
  public var count: Int { indices.count }

  /// Draws an order.
  public func order(epoch: Int) -> [Int] {
    (generator ?? .default).permutation(indices.count).map { indices[$0] }
  }
}

/// Numbers as often as weights say: `torch.utils.data.WeightedRandomSampler`.
public struct WeightedRandomSampler: Sampler {
  /// How many numbers an epoch has.
  public let count: Int
  /// What is drawn from; the default generator where it is nil.
  public let generator: Generator?
  private let weights: NDArray
  private let replacement: Bool

  /// Draws the numbers of weights, which need not add up to 1.
  ///
  /// - Throws: That nothing is drawn.
  public init(
    _ weights: [Double], numSamples: Int, replacement: Bool = true, generator: Generator? = nil
  ) throws(DiagnosticsError) {
    guard numSamples > 0 else { throw DiagnosticsError("WeightedRandomSampler: \(numSamples) draws") }
    self.weights = NDArray(weights)
    count = numSamples
    self.replacement = replacement
    self.generator = generator
  }

  /// Draws an order.
  ///
  /// - Throws: For weights of which not as many numbers can be drawn.
  public func order(epoch: Int) throws(DiagnosticsError) -> [Int] {
    try multinomial(weights, count, replacement: replacement, generator: generator ?? .default).integers
  }
}

/// Batches of the numbers of a sampler: `torch.utils.data.BatchSampler`.
public struct BatchSampler: Sampler {
  /// Where the numbers come from.
  public let sampler: any Sampler<Int>
  /// How many make a batch.
  public let batchSize: Int
  /// Whether a last batch of fewer is left out.
  public let dropLast: Bool

  /// Cuts the order of a sampler into batches.
  ///
  /// - Throws: For batches of no samples.
  public init(_ sampler: any Sampler<Int>, batchSize: Int, dropLast: Bool = false) throws(DiagnosticsError) {
    guard batchSize > 0 else { throw DiagnosticsError("BatchSampler: batches of \(batchSize) samples") }
    self.sampler = sampler
    self.batchSize = batchSize
    self.dropLast = dropLast
  }

  /// How many batches an epoch has.
  public var count: Int { (sampler.count + (dropLast ? 0 : batchSize - 1)) / batchSize }

  /// The generator of the sampler.
  public var generator: Generator? { sampler.generator }

  /// Draws the batches of an epoch.
  public func order(epoch: Int) throws(DiagnosticsError) -> [[Int]] {
    let order = try sampler.order(epoch: epoch)
    let end = dropLast ? order.count / batchSize * batchSize : order.count
    return stride(from: 0, to: end, by: batchSize).map { Array(order[$0..<min($0 + batchSize, end)]) }
  }
}

/// The part of one process in the order of all: `torch.utils.data.DistributedSampler`.
///
/// What `set_epoch` is for happens by itself: a loader says which epoch it is.
public struct DistributedSampler: Sampler {
  /// How many numbers this process takes.
  public let count: Int
  private let size: Int
  private let numReplicas: Int
  private let rank: Int
  private let shuffle: Bool
  private let seed: Int

  /// The numbers of one process.
  ///
  /// - Parameters:
  ///   - size: How many samples there are.
  ///   - numReplicas: How many processes there are.
  ///   - rank: The number of this one.
  ///   - shuffle: Whether the order is random.
  ///   - seed: The same in all processes.
  ///   - dropLast: Whether samples are left out so that all processes have equally many; otherwise the first ones come
  ///     once more.
  /// - Throws: For a rank that there is not, or no samples to fill up with.
  public init(
    _ size: Int, numReplicas: Int, rank: Int, shuffle: Bool = true, seed: Int = 0, dropLast: Bool = false
  ) throws(DiagnosticsError) {
    guard rank >= 0, rank < numReplicas, size > 0 else {
      throw DiagnosticsError("DistributedSampler: rank \(rank) of \(numReplicas), with \(size) samples")
    }
    self.size = size
    self.numReplicas = numReplicas
    self.rank = rank
    self.shuffle = shuffle
    self.seed = seed
    count = dropLast ? size / numReplicas : (size + numReplicas - 1) / numReplicas
  }

  /// Draws the order of all and takes one number for each process by turns.
  public func order(epoch: Int) -> [Int] {
    let all = shuffle ? Generator().manualSeed(seed + epoch).permutation(size) : Array(0..<size)
    return (0..<count).map { all[(rank + $0 * numReplicas) % size] }
  }
}
