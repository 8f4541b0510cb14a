public import LatheCore
public import LatheLoading

/// The batches that a trainer sees, epoch by epoch, from a loader of any kind.
///
/// Loaders of arrays and of pairs of arrays are given to a ``Trainer`` as they are.
public struct TrainingBatches {
  /// How many batches an epoch has; nil for a stream.
  let count: Int?
  /// The number of the epoch that is under way, or that comes next.
  let epoch: () -> Int
  /// Begins an epoch: a function that gives the arrays of one batch after the other.
  let start: () -> () throws(DiagnosticsError) -> [NDArray]?
  /// Where the loader has come to.
  let state: () -> [String: NDArray]
  /// Goes on from there.
  let restore: ([String: NDArray]) throws(DiagnosticsError) -> Void

  /// The batches of any loader.
  ///
  /// - Parameter arrays: The arrays of a batch: what the model takes, and then its targets.
  public init<Batch>(
    _ loader: DataLoader<Batch>, _ arrays: @escaping (Batch) throws(DiagnosticsError) -> [NDArray]
  ) {
    count = loader.count
    epoch = { loader.epoch }
    start = {
      let batches = loader.makeIterator()
      return { () throws(DiagnosticsError) -> [NDArray]? in
        guard let batch = try batches.next() else { return nil }
        return try arrays(batch)
      }
    }
    state = { loader.stateDict() }
    restore = { state throws(DiagnosticsError) in try loader.loadStateDict(state) }
  }

  /// The batches of a loader of arrays, as a `TensorDataset` gives them.
  public init(_ loader: DataLoader<[NDArray]>) { self.init(loader) { $0 } }

  /// The batches of a loader of pairs, an image and its class for one.
  public init(_ loader: DataLoader<(NDArray, NDArray)>) { self.init(loader) { [$0.0, $0.1] } }

  /// The batches of a loader of single arrays, for predictions.
  public init(_ loader: DataLoader<NDArray>) { self.init(loader) { [$0] } }
}

extension Trainer {
  /// Trains on the batches of a loader of arrays; see ``fit(_:epochs:validation:callbacks:resume:verbosity:)``.
  @discardableResult
  public func fit(
    _ loader: DataLoader<[NDArray]>, epochs: Int, validation: DataLoader<[NDArray]>? = nil,
    callbacks: [any Callback] = [], resume: String? = nil, verbosity: Verbosity = .auto
  ) throws(DiagnosticsError) -> History {
    try fit(
      TrainingBatches(loader), epochs: epochs, validation: validation.map { TrainingBatches($0) },
      callbacks: callbacks, resume: resume, verbosity: verbosity)
  }

  /// Trains on the batches of a loader of pairs; see ``fit(_:epochs:validation:callbacks:resume:verbosity:)``.
  @discardableResult
  public func fit(
    _ loader: DataLoader<(NDArray, NDArray)>, epochs: Int, validation: DataLoader<(NDArray, NDArray)>? = nil,
    callbacks: [any Callback] = [], resume: String? = nil, verbosity: Verbosity = .auto
  ) throws(DiagnosticsError) -> History {
    try fit(
      TrainingBatches(loader), epochs: epochs, validation: validation.map { TrainingBatches($0) },
      callbacks: callbacks, resume: resume, verbosity: verbosity)
  }

  /// The loss and the metrics on the batches of a loader of arrays.
  ///
  /// - Throws: What does not fit the model.
  public func evaluate(_ loader: DataLoader<[NDArray]>) throws(DiagnosticsError) -> [String: Double] {
    try evaluate(TrainingBatches(loader))
  }

  /// The loss and the metrics on the batches of a loader of pairs.
  ///
  /// - Throws: What does not fit the model.
  public func evaluate(_ loader: DataLoader<(NDArray, NDArray)>) throws(DiagnosticsError) -> [String: Double] {
    try evaluate(TrainingBatches(loader))
  }

  /// The model's outputs for the batches of a loader, which may have targets, too.
  ///
  /// - Throws: What does not fit the model.
  public func predict(_ loader: DataLoader<[NDArray]>) throws(DiagnosticsError) -> [NDArray] {
    try predict(TrainingBatches(loader))
  }

  /// The model's outputs for the batches of a loader of pairs, whose targets are not looked at.
  ///
  /// - Throws: What does not fit the model.
  public func predict(_ loader: DataLoader<(NDArray, NDArray)>) throws(DiagnosticsError) -> [NDArray] {
    try predict(TrainingBatches(loader))
  }

  /// The model's outputs for the batches of a loader of single arrays.
  ///
  /// - Throws: What does not fit the model.
  public func predict(_ loader: DataLoader<NDArray>) throws(DiagnosticsError) -> [NDArray] {
    try predict(TrainingBatches(loader))
  }
}
