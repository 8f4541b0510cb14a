public import Lathe

/// Writes checkpoints while a model is trained: Keras's `ModelCheckpoint`.
///
/// A checkpoint holds everything that a training needs to go on (`fit(resume:)`), or the weights alone, which
/// `model.loadStateDict(load(path))` and PyTorch read.
public final class ModelCheckpoint: Callback {
  /// The path that was written last; nil before the first.
  public private(set) var lastPath: String?

  private let path: String
  private var monitor: Monitor
  private let saveBestOnly: Bool
  private let weightsOnly: Bool
  private let everySteps: Int?

  /// Makes a callback.
  ///
  /// - Parameters:
  ///   - path: Where to write; its suffix is `.pt`, `.safetensors` or `.npz`. `{epoch}`, `{step}` and names of the logs in
  ///     braces stand for the numbers, as in `best-{epoch}-{val_loss}.pt`.
  ///   - monitor: The number that decides with `saveBestOnly`.
  ///   - saveBestOnly: Whether only epochs are written whose number is the best so far.
  ///   - weightsOnly: Whether only the weights are written.
  ///   - everySteps: After how many steps to write, rather than after each epoch.
  public init(
    _ path: String, monitor: String = "val_loss", mode: MonitorMode = .auto, saveBestOnly: Bool = false,
    weightsOnly: Bool = false, everySteps: Int? = nil
  ) {
    self.path = path
    self.monitor = Monitor(monitor, mode)
    self.saveBestOnly = saveBestOnly
    self.weightsOnly = weightsOnly
    self.everySteps = everySteps
  }

  /// Looks at the numbers so far.
  public func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    guard let everySteps, everySteps > 0, trainer.step % everySteps == 0 else { return }
    try write(trainer, logs)
  }

  /// Looks at the epoch's numbers.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    guard everySteps == nil else { return }
    try write(trainer, logs)
  }

  private func write(_ trainer: Trainer, _ logs: [String: Double]) throws(DiagnosticsError) {
    if saveBestOnly, !monitor.improves(try monitor.number(logs)) { return }
    var path = path.replacing("{epoch}", with: "\(trainer.epoch)").replacing("{step}", with: "\(trainer.step)")
    for (name, number) in logs { path = path.replacing("{\(name)}", with: number.text(digits: 4)) }
    lastPath = path
    if weightsOnly {
      try save(trainer.weights(), path)
    } else {
      try trainer.save(path)
    }
  }

  /// What it has seen so far.
  public var state: [String: NDArray] { monitor.state }

  /// Goes on from what it had seen.
  public func restore(_ state: [String: NDArray]) { monitor.restore(state) }
}
