public import Lathe

/// Ends a training when a number has not become better for some epochs: Keras's `EarlyStopping`.
public final class EarlyStopping: Callback {
  /// The epoch, from 1 on, after which the training was ended; nil where it was not.
  public private(set) var stoppedEpoch: Int?
  /// The best number so far.
  public var best: Double? { monitor.best }

  private var monitor: Monitor
  private let patience: Int
  private let baseline: Double?
  private let restoreBestWeights: Bool
  private var wait = 0
  private var bestState: [String: NDArray]?

  /// Makes a callback.
  ///
  /// - Parameters:
  ///   - monitor: The number's name in the logs.
  ///   - minDelta: By how much a number has to be better.
  ///   - patience: How many epochs without a better number end the training.
  ///   - baseline: What the number has to be better than, from the beginning.
  ///   - restoreBestWeights: Whether the model gets back the state of its best epoch.
  public init(
    monitor: String = "val_loss", minDelta: Double = 0, patience: Int = 0, mode: MonitorMode = .auto,
    baseline: Double? = nil, restoreBestWeights: Bool = false
  ) {
    self.monitor = Monitor(monitor, mode, minDelta: minDelta)
    self.patience = patience
    self.baseline = baseline
    self.restoreBestWeights = restoreBestWeights
    if let baseline { _ = self.monitor.improves(baseline) }
  }

  /// Looks at the epoch's numbers.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    if monitor.improves(try monitor.number(logs)) {
      wait = 0
      if restoreBestWeights { bestState = trainer.state }
      return
    }
    wait += 1
    guard wait >= patience else { return }
    stoppedEpoch = trainer.epoch
    trainer.stopTraining = true
    if let bestState { try trainer.setState(bestState) }
  }

  /// What it has seen so far.
  public var state: [String: NDArray] {
    var state = monitor.state
    state["wait"] = NDArray([Int64(wait)])
    for (name, array) in bestState ?? [:] { state["state.\(name)"] = array }
    return state
  }

  /// Goes on from what it had seen.
  public func restore(_ state: [String: NDArray]) {
    monitor.restore(state)
    wait = state["wait"]?.integers.first ?? 0
    let best = state.filter { $0.key.hasPrefix("state.") }.map { (String($0.key.dropFirst(6)), $0.value) }
    bestState = best.isEmpty ? nil : Dictionary(uniqueKeysWithValues: best)
  }
}

/// Ends a training when its loss is no number: Keras's `TerminateOnNaN`.
public final class TerminateOnNaN: Callback {
  /// Makes a callback.
  public init() {}

  /// Looks at the numbers so far.
  public func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) {
    if let loss = logs["loss"], !loss.isFinite { trainer.stopTraining = true }
  }
}
