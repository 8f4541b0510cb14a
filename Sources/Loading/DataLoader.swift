public import LatheCore
public import LatheNN
import Synchronization

/// Batches of a dataset, epoch by epoch: `torch.utils.data.DataLoader`.
///
/// ```swift
/// let loader = try DataLoader(
///   TensorDataset(images, digits), batchSize: 32, shuffle: true, dropLast: true, generator: Generator(seed: 1))
/// for _ in loader.epoch..<10 {
///   for try await batch in loader { … }
/// }
/// ```
///
/// Where nothing is asynchronous, `try loader.forEach { batch in … }` does the same, or `let batches = loader.makeIterator()`
/// and `while let batch = try batches.next()`. A loader gives the batches of one epoch after the other; it is meant for one reader at a time.
///
/// With the same seed, orders are PyTorch's. Workers are tasks that load batches ahead of time; batches come in order all the
/// same. Each worker has a default generator of its own, seeded as PyTorch's workers are, so that random transforms give the
/// same with as many workers, whatever their speed.
///
/// ``stateDict()`` says where the loader has come to, and ``loadStateDict(_:)`` lets another one go on from there.
///
/// A compiled graph takes batches of one size: leave out a short last batch by `dropLast`, or fill it up by ``padded()``.
public final class DataLoader<Batch: Sendable>: Sendable {
  /// Makes a batch, of at least a number of samples where one is given.
  typealias Load = @Sendable (_ total: Int?) throws(DiagnosticsError) -> Batch

  /// Where batches come from.
  enum Source: Sendable {
    /// A dataset of known size, in the order of a sampler.
    case samples(
      count: Int, sampler: any Sampler<[Int]>, load: @Sendable ([Int]) throws(DiagnosticsError) -> Batch)
    /// A dataset that is read from its beginning; a function gives the number of samples and the batch.
    case stream(@Sendable () throws(DiagnosticsError) -> () throws(DiagnosticsError) -> (count: Int, load: Load)?)
  }

  let source: Source
  /// The number of samples in a batch; nil where a sampler of batches decides.
  public let batchSize: Int?
  /// How many tasks load batches; without any, who asks for a batch loads it.
  public let numWorkers: Int
  /// How many batches each worker loads ahead.
  public let prefetchFactor: Int
  /// What seeds of workers, and orders where the loader shuffles, are drawn from.
  let generator: Generator?
  private let position = Mutex(LoaderPosition())

  init(
    _ source: Source, batchSize: Int?, numWorkers: Int, prefetchFactor: Int, generator: Generator?
  ) throws(DiagnosticsError) {
    guard (0...1024).contains(numWorkers), (1...1024).contains(prefetchFactor) else {
      throw DiagnosticsError("DataLoader: \(numWorkers) workers that load \(prefetchFactor) batches ahead")
    }
    self.source = source
    self.batchSize = batchSize
    self.numWorkers = numWorkers
    self.prefetchFactor = prefetchFactor
    self.generator = generator
  }

  /// How many batches an epoch has; nil for a stream, of which nobody knows.
  public var count: Int? {
    switch source {
    case .samples(_, let sampler, _): sampler.count
    case .stream: nil
    }
  }

  /// The number of the epoch that is under way, or that comes next.
  public var epoch: Int { position.withLock { $0.epoch + ($0.isEnded ? 1 : 0) } }

  /// Begins the next epoch, or goes on with the one of a state that was loaded.
  public func makeIterator() -> LoaderIterator<Batch> { LoaderIterator(self) }

  /// Calls a function with each batch of the next epoch, where nothing is asynchronous.
  ///
  /// - Throws: What samples throw, and what the function throws.
  public func forEach(_ body: (Batch) throws -> Void) throws {
    let batches = makeIterator()
    while let batch = try batches.next() { try body(batch) }
  }
}

// MARK: Datasets

extension DataLoader {
  /// Batches of a dataset, made of its samples by a function.
  ///
  /// - Parameters:
  ///   - dataset: The samples.
  ///   - batchSize: How many samples make a batch; by default one.
  ///   - shuffle: Whether the order is random: a ``RandomSampler``.
  ///   - sampler: The order, in place of `shuffle`.
  ///   - batchSampler: The order and the batches, in place of `batchSize`, `shuffle`, `sampler` and `dropLast`.
  ///   - dropLast: Whether a last batch of fewer samples is left out.
  ///   - numWorkers: How many tasks load batches; without any, who asks for a batch loads it.
  ///   - prefetchFactor: How many batches each worker loads ahead.
  ///   - generator: What seeds of workers, and orders where the loader shuffles, are drawn from; by default the default
  ///     generator.
  ///   - collate: Makes a batch of samples.
  /// - Throws: For options that exclude each other or that mean nothing.
  public convenience init<Samples: Dataset>(
    _ dataset: Samples, batchSize: Int? = nil, shuffle: Bool = false, sampler: (any Sampler<Int>)? = nil,
    batchSampler: (any Sampler<[Int]>)? = nil, dropLast: Bool = false, numWorkers: Int = 0, prefetchFactor: Int = 2,
    generator: Generator? = nil, collate: @escaping @Sendable ([Samples.Element]) throws(DiagnosticsError) -> Batch
  ) throws(DiagnosticsError) {
    guard batchSampler == nil || batchSize == nil && !shuffle && sampler == nil && !dropLast else {
      throw DiagnosticsError("DataLoader: a batchSampler excludes batchSize, shuffle, sampler and dropLast")
    }
    guard sampler == nil || !shuffle else { throw DiagnosticsError("DataLoader: a sampler excludes shuffle") }
    let size = batchSampler == nil ? batchSize ?? 1 : nil
    var batches = batchSampler
    if let size {
      var order = sampler ?? SequentialSampler(dataset.count)
      if shuffle { order = try RandomSampler(dataset.count, generator: generator) }
      batches = try BatchSampler(order, batchSize: size, dropLast: dropLast)
    }
    let load: @Sendable ([Int]) throws(DiagnosticsError) -> Batch = { indices throws(DiagnosticsError) in
      var samples: [Samples.Element] = []
      for index in indices { samples.append(try dataset[index]) }
      return try collate(samples)
    }
    try self.init(
      .samples(count: dataset.count, sampler: batches ?? internalError("no sampler of batches"), load: load),
      batchSize: size, numWorkers: numWorkers, prefetchFactor: prefetchFactor, generator: generator)
  }

  /// Batches of a dataset, made as `defaultCollate` does.
  ///
  /// The parameters are those of the initializer that takes a `collate`.
  public convenience init<Samples: Dataset>(
    _ dataset: Samples, batchSize: Int? = nil, shuffle: Bool = false, sampler: (any Sampler<Int>)? = nil,
    batchSampler: (any Sampler<[Int]>)? = nil, dropLast: Bool = false, numWorkers: Int = 0, prefetchFactor: Int = 2,
    generator: Generator? = nil
  ) throws(DiagnosticsError) where Samples.Element: Collatable, Batch == Samples.Element.Batch {
    try self.init(
      dataset, batchSize: batchSize, shuffle: shuffle, sampler: sampler, batchSampler: batchSampler, dropLast: dropLast,
      numWorkers: numWorkers, prefetchFactor: prefetchFactor, generator: generator
    ) { samples throws(DiagnosticsError) in try defaultCollate(samples) }
  }

  /// Batches of a dataset of tuples, an image and its class for one, made as `defaultCollate` does.
  ///
  /// The parameters are those of the initializer that takes a `collate`.
  public convenience init<Samples: Dataset, First: Collatable, Second: Collatable, each Other: Collatable>(
    _ dataset: Samples, batchSize: Int? = nil, shuffle: Bool = false, sampler: (any Sampler<Int>)? = nil,
    batchSampler: (any Sampler<[Int]>)? = nil, dropLast: Bool = false, numWorkers: Int = 0, prefetchFactor: Int = 2,
    generator: Generator? = nil
  ) throws(DiagnosticsError)
  where
    Samples.Element == (First, Second, repeat each Other),
    Batch == (First.Batch, Second.Batch, repeat (each Other).Batch)
  {
    try self.init(
      dataset, batchSize: batchSize, shuffle: shuffle, sampler: sampler, batchSampler: batchSampler, dropLast: dropLast,
      numWorkers: numWorkers, prefetchFactor: prefetchFactor, generator: generator
    ) { samples throws(DiagnosticsError) in try defaultCollate(samples) }
  }

  /// Batches of a stream, made of its samples by a function.
  ///
  /// - Parameters:
  ///   - stream: The samples, which are read in their order; workers make batches of them.
  ///   - batchSize: How many samples make a batch.
  ///   - dropLast: Whether a last batch of fewer samples is left out.
  ///   - numWorkers: How many tasks make batches.
  ///   - prefetchFactor: How many batches each worker makes ahead.
  ///   - generator: What seeds of workers are drawn from; by default the default generator.
  ///   - collate: Makes a batch of samples.
  /// - Throws: For options that mean nothing.
  public convenience init<Stream: IterableDataset>(
    _ stream: Stream, batchSize: Int = 1, dropLast: Bool = false, numWorkers: Int = 0, prefetchFactor: Int = 2,
    generator: Generator? = nil, collate: @escaping @Sendable ([Stream.Element]) throws(DiagnosticsError) -> Batch
  ) throws(DiagnosticsError) {
    guard batchSize > 0 else { throw DiagnosticsError("DataLoader: batches of \(batchSize) samples") }
    let open: @Sendable () throws(DiagnosticsError) -> () throws(DiagnosticsError) -> (count: Int, load: Load)? = {
      () throws(DiagnosticsError) in
      let next = try stream.makeIterator()
      return { () throws(DiagnosticsError) -> (count: Int, load: Load)? in
        var samples: [Stream.Element] = []
        while samples.count < batchSize, let sample = try next() { samples.append(sample) }
        guard !samples.isEmpty, samples.count == batchSize || !dropLast else { return nil }
        return (
          samples.count,
          { [samples] total throws(DiagnosticsError) in try collate(samples.repeated(to: total ?? samples.count)) }
        )
      }
    }
    try self.init(
      .stream(open), batchSize: batchSize, numWorkers: numWorkers, prefetchFactor: prefetchFactor, generator: generator)
  }

  /// Batches of a stream, made as `defaultCollate` does.
  ///
  /// The parameters are those of the initializer that takes a `collate`.
  public convenience init<Stream: IterableDataset>(
    _ stream: Stream, batchSize: Int = 1, dropLast: Bool = false, numWorkers: Int = 0, prefetchFactor: Int = 2,
    generator: Generator? = nil
  ) throws(DiagnosticsError) where Stream.Element: Collatable, Batch == Stream.Element.Batch {
    try self.init(
      stream, batchSize: batchSize, dropLast: dropLast, numWorkers: numWorkers, prefetchFactor: prefetchFactor,
      generator: generator
    ) { samples throws(DiagnosticsError) in try defaultCollate(samples) }
  }
}

extension Array {
  /// The elements again and again until there are so many.
  fileprivate func repeated(to total: Int) -> [Element] { (0..<total).map { self[$0 % count] } }
}

// MARK: Batches of one size

/// A batch that is filled up.
public struct PaddedBatch<Batch: Sendable>: Sendable {
  /// The batch; behind its samples they come again from the first one on.
  public let values: Batch
  /// Which are samples, `bool[batchSize]`; the others are padding, for a loss to leave out.
  public let mask: NDArray
}

extension DataLoader {
  /// The same batches, all of `batchSize` samples: a short last one is filled up, and a mask says with how many.
  ///
  /// - Throws: That a `batchSampler` decides the sizes.
  public func padded() throws(DiagnosticsError) -> DataLoader<PaddedBatch<Batch>> {
    guard let batchSize else {
      throw DiagnosticsError("DataLoader: a batchSampler's batches have no size to be filled to")
    }
    @Sendable func padded(_ values: Batch, _ count: Int) -> PaddedBatch<Batch> {
      PaddedBatch(values: values, mask: NDArray((0..<batchSize).map { $0 < count }))
    }
    let source: DataLoader<PaddedBatch<Batch>>.Source
    switch self.source {
    case .samples(let count, let sampler, let load):
      source = .samples(count: count, sampler: sampler) { indices throws(DiagnosticsError) in
        padded(try load(indices.repeated(to: batchSize)), indices.count)
      }
    case .stream(let open):
      source = .stream {
        () throws(DiagnosticsError) -> () throws(DiagnosticsError) -> (
          count: Int, load: DataLoader<PaddedBatch<Batch>>.Load
        )? in
        let next = try open()
        return { () throws(DiagnosticsError) -> (count: Int, load: DataLoader<PaddedBatch<Batch>>.Load)? in
          guard let (count, load) = try next() else { return nil }
          return (count, { _ throws(DiagnosticsError) in padded(try load(batchSize), count) })
        }
      }
    }
    return try DataLoader<PaddedBatch<Batch>>(
      source, batchSize: batchSize, numWorkers: numWorkers, prefetchFactor: prefetchFactor, generator: generator)
  }
}

// MARK: Position

/// Where a loader has come to.
struct LoaderPosition: Sendable {
  /// The number of the epoch, -1 before the first.
  var epoch = -1
  /// How many of its batches were handed out.
  var taken = 0
  /// Its batches; nil for a stream.
  var batches: [[Int]]?
  /// Where the generators of the workers have come to.
  var workers: [NDArray] = []
  /// Whether all batches were handed out.
  var isEnded = true
  /// Whether it was loaded, and nobody has gone on from it yet.
  var isLoaded = false
}

/// The names in a state.
private enum Key {
  static let progress = "progress", batches = "batches", sizes = "sizes"
  static func worker(_ number: Int) -> String { "worker.\(number)" }
}

extension DataLoader {
  /// What loading draws from, with names in a state.
  private var generators: [(name: String, generator: Generator)] {
    var generators = [("generator", generator ?? .default), ("default_generator", .default)]
    if case .samples(_, let sampler, _) = source, let own = sampler.generator {
      generators.append(("sampler_generator", own))
    }
    return generators
  }

  /// Where the loader has come to: the batches of the epoch that is under way, how many of them were handed out, and the
  /// states of all generators that are drawn from, the default one's too.
  ///
  /// It can be saved beside the weights: `try save(loader.stateDict(), "loader.pt")`. What was loaded ahead is not part of
  /// it. In the loop over batches it says that the batch at hand is done with.
  public func stateDict() -> [String: NDArray] {
    let position = position.withLock { $0 }
    var state = [
      Key.progress: NDArray([position.epoch, position.taken, position.isEnded ? 1 : 0].map { Int64($0) })
    ]
    if let batches = position.batches {
      state[Key.batches] = NDArray(batches.joined().map { Int64($0) })
      state[Key.sizes] = NDArray(batches.map { Int64($0.count) })
    }
    for (number, generator) in position.workers.enumerated() { state[Key.worker(number)] = generator }
    for (name, generator) in generators { state[name] = generator.getState() }
    return state
  }

  /// Goes on from where a loader of the same dataset and options had come to: the next iterator gives the batches that it
  /// would have given, to the bit.
  ///
  /// - Throws: That the state is none, or another loader's; nothing is changed then.
  public func loadStateDict(_ state: [String: NDArray]) throws(DiagnosticsError) {
    func member(_ name: String) throws(DiagnosticsError) -> NDArray {
      guard let array = state[name] else {
        throw DiagnosticsError("the loader's state has no '\(name)'", help: "give what stateDict() gave")
      }
      return array
    }
    var position = LoaderPosition()
    let progress = try member(Key.progress).integers
    guard progress.count == 3, progress[0] >= -1, progress[1] >= 0 else {
      throw DiagnosticsError("the loader's state has the progress \(progress)")
    }
    (position.epoch, position.taken, position.isEnded) = (progress[0], progress[1], progress[2] != 0)
    if case .samples(let count, _, _) = source, !position.isEnded {
      var rest = try member(Key.batches).integers[...]
      let sizes = try member(Key.sizes).integers
      guard rest.allSatisfy({ (0..<count).contains($0) }), sizes.allSatisfy({ (0...rest.count).contains($0) }),
        sizes.reduce(0, +) == rest.count, position.taken <= sizes.count
      else {
        throw DiagnosticsError(
          "the loader's state is of another dataset", help: "this one has \(count) samples")
      }
      position.batches = sizes.map { size in
        defer { rest = rest.dropFirst(size) }
        return Array(rest.prefix(size))
      }
      position.isEnded = position.taken == sizes.count
    }
    if !position.isEnded {
      for number in 0..<numWorkers { position.workers.append(try member(Key.worker(number))) }
      guard state[Key.worker(numWorkers)] == nil else {
        throw DiagnosticsError("the loader's state is of more than \(numWorkers) workers")
      }
    }
    // All are looked at before one is changed.
    for worker in position.workers { try Generator().setState(worker) }
    for (name, _) in generators { try Generator().setState(member(name)) }
    for (name, generator) in generators { try generator.resume(at: member(name)) }
    position.isLoaded = !position.isEnded
    self.position.withLock { $0 = position }
  }

  /// Begins an epoch, or goes on with one.
  func begin() throws(DiagnosticsError) -> LoaderPosition {
    let before = position.withLock { $0 }
    var now = before
    if before.isLoaded {
      now.isLoaded = false
    } else {
      now = LoaderPosition(epoch: before.epoch + 1, isEnded: false)
      // The seeds are drawn before the order, and where there are no workers, too, as by PyTorch.
      let seed = (generator ?? .default).integer()
      now.workers = (0..<numWorkers).map { Generator().manualSeed(UInt64(seed) + UInt64($0)).getState() }
      if case .samples(_, let sampler, _) = source { now.batches = try sampler.order(epoch: now.epoch) }
    }
    position.withLock { $0 = now }
    return now
  }

  /// Notes that a batch was handed out, with the state of its worker's generator behind it, or that there are no more.
  func note(_ now: LoaderPosition) { position.withLock { $0 = now } }
}

extension DataLoader: AsyncSequence {
  /// A batch.
  public typealias Element = Batch
  /// What samples throw.
  public typealias Failure = DiagnosticsError

  /// Begins the next epoch, or goes on with the one of a state that was loaded.
  public func makeAsyncIterator() -> LoaderIterator<Batch> { makeIterator() }
}
