public import LatheCore
import LatheNN
import Synchronization

/// The batches of an epoch.
public final class LoaderIterator<Batch: Sendable>: AsyncIteratorProtocol {
  /// What samples throw.
  public typealias Failure = DiagnosticsError

  private let loader: DataLoader<Batch>
  private var position: LoaderPosition?
  /// Gives one load after the other, in order; nil at the end.
  private var upcoming: (() throws(DiagnosticsError) -> DataLoader<Batch>.Load?)?
  private var workers: [Generator] = []
  /// What workers load ahead; the first is handed out next.
  private var ahead: [(load: SharedLoad<Batch>, task: Task<Void, Never>)] = []
  /// The last load of each worker.
  private var last: [Task<Void, Never>?] = []
  /// How many loads were given to workers.
  private var started = 0

  init(_ loader: DataLoader<Batch>) { self.loader = loader }

  deinit { for (_, task) in ahead { task.cancel() } }

  /// The next batch; nil at the end of the epoch, and after a fault.
  ///
  /// Where workers have not begun it, who asks loads it.
  ///
  /// - Throws: What samples of it throw.
  public func next() throws(DiagnosticsError) -> Batch? {
    try prepare()
    return try take()
  }

  /// The next batch; nil at the end of the epoch, and after a fault.
  ///
  /// - Throws: What samples of it throw.
  public func next(isolation actor: isolated (any Actor)?) async throws(DiagnosticsError) -> Batch? {
    try prepare()
    await ahead.first?.task.value
    return try take()
  }

  /// Hands out the batch that comes next.
  private func take() throws(DiagnosticsError) -> Batch? {
    guard position?.isEnded == false else { return nil }
    if loader.numWorkers == 0 {
      let load = try ending { () throws(DiagnosticsError) in try upcoming?() }
      guard let load else { return finish() }
      let batch = try ending { () throws(DiagnosticsError) in try load(nil) }
      hand(out: nil)
      return batch
    }
    guard !ahead.isEmpty else { return finish() }
    let outcome = ahead.removeFirst().load.outcome()
    let batch = try ending { () throws(DiagnosticsError) in try outcome.batch.get() }
    hand(out: outcome.generator)
    return batch
  }

  /// Begins the epoch, and lets workers begin what they are to load ahead.
  private func prepare() throws(DiagnosticsError) {
    if position == nil {
      position = try loader.begin()
      try ending { () throws(DiagnosticsError) in try open() }
    }
    guard position?.isEnded == false else { return }
    try ending { () throws(DiagnosticsError) in
      while ahead.count < loader.numWorkers * loader.prefetchFactor, let load = try upcoming?() { start(load) }
    }
  }

  /// Goes to where the epoch has come to.
  private func open() throws(DiagnosticsError) {
    guard let position else { internalError("an epoch has not begun") }
    switch loader.source {
    case .samples(_, _, let load):
      var rest = (position.batches ?? internalError("an epoch has no batches"))[position.taken...]
      upcoming = {
        guard let batch = rest.popFirst() else { return nil }
        return { _ throws(DiagnosticsError) in try load(batch) }
      }
    case .stream(let open):
      let next = try open()
      for _ in 0..<position.taken { _ = try next() }
      upcoming = { () throws(DiagnosticsError) in try next()?.load }
    }
    started = position.taken
    last = Array(repeating: nil, count: loader.numWorkers)
    for state in position.workers {
      workers.append(Generator())
      try workers[workers.count - 1].setState(state)
    }
  }

  /// Lets the worker whose turn it is load a batch once it is done with the one before.
  private func start(_ load: @escaping DataLoader<Batch>.Load) {
    let worker = started % loader.numWorkers
    let shared = SharedLoad(workers[worker], load)
    let task = Task { [before = last[worker]] in
      await before?.value
      if !Task.isCancelled { _ = shared.outcome() }
    }
    ahead.append((shared, task))
    last[worker] = task
    started += 1
  }

  /// Notes that a batch goes out, which a worker had loaded with its generator.
  private func hand(out generator: NDArray?) {
    guard var now = position else { internalError("an epoch has not begun") }
    if let generator { now.workers[now.taken % loader.numWorkers] = generator }
    now.taken += 1
    if let batches = now.batches { now.isEnded = now.taken == batches.count }
    position = now
    loader.note(now)
  }

  private func finish() -> Batch? {
    position?.isEnded = true
    if let position { loader.note(position) }
    return nil
  }

  /// What a body gives; where it throws, no batch comes any more.
  private func ending<R>(_ body: () throws(DiagnosticsError) -> R) throws(DiagnosticsError) -> R {
    do throws(DiagnosticsError) {
      return try body()
    } catch {
      position?.isEnded = true
      throw error
    }
  }
}

/// A batch that is loaded once, ahead of time by a worker or at last by who needs it.
private final class SharedLoad<Batch: Sendable>: Sendable {
  /// The batch, and where the worker's generator has come to behind it.
  typealias Outcome = (batch: Result<Batch, DiagnosticsError>, generator: NDArray)

  private let worker: Generator
  private let load: DataLoader<Batch>.Load
  private let known = Mutex<Outcome?>(nil)

  init(_ worker: Generator, _ load: @escaping DataLoader<Batch>.Load) {
    self.worker = worker
    self.load = load
  }

  /// Who comes second waits for the first.
  func outcome() -> Outcome {
    known.withLock { known in
      if let known { return known }
      let batch = Generator.$scoped.withValue(worker) {
        Result { () throws(DiagnosticsError) in try load(nil) }
      }
      let outcome = (batch: batch, generator: worker.getState())
      known = outcome
      return outcome
    }
  }
}
