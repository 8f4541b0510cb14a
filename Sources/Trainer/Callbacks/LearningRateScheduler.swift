public import Lathe

/// Changes the learning rate as a training goes on: Keras's `LearningRateScheduler` and `ReduceLROnPlateau`.
///
/// ```swift
/// let callbacks: [any Callback] = [LearningRateScheduler(CosineAnnealingLR(0.1, tMax: 20))]
/// ```
public final class LearningRateScheduler: Callback {
  /// When a schedule goes on.
  public enum Interval: Sendable {
    /// After each epoch.
    case epoch
    /// After each step.
    case step
  }

  private enum Rule {
    case schedule(any LRScheduler, Interval)
    case plateau(ReduceLROnPlateau, Monitor)
  }

  private var rule: Rule
  /// What a plateau's rule has seen, from which it is rebuilt.
  private var seen: [Double] = []

  /// Follows a schedule of `torch.optim.lr_scheduler`: epoch by epoch, or step by step.
  public init(_ schedule: any LRScheduler, every interval: Interval = .epoch) { rule = .schedule(schedule, interval) }

  /// Reduces the learning rate when a number of the logs no longer becomes better.
  public init(_ plateau: ReduceLROnPlateau, monitor: String = "val_loss") {
    rule = .plateau(plateau, Monitor(monitor, .auto))
  }

  /// Sets the learning rate.
  public func onEpochBegin(_ trainer: Trainer) {
    switch rule {
    case .schedule(let schedule, .epoch): trainer.learningRate = schedule.lr(at: trainer.epoch)
    case .schedule(let schedule, .step): trainer.learningRate = schedule.lr(at: trainer.step)
    case .plateau(let plateau, _): trainer.learningRate = plateau.lr
    }
  }

  /// Looks at the numbers so far.
  public func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) {
    if case .schedule(let schedule, .step) = rule { trainer.learningRate = schedule.lr(at: trainer.step) }
  }

  /// Looks at the epoch's numbers.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    guard case .plateau(var plateau, let monitor) = rule else { return }
    let number = try monitor.number(logs)
    seen.append(number)
    plateau.step(number)
    rule = .plateau(plateau, monitor)
  }

  /// What it has seen so far.
  public var state: [String: NDArray] { seen.isEmpty ? [:] : ["seen": NDArray(seen)] }

  /// Goes on from what it had seen.
  public func restore(_ state: [String: NDArray]) {
    guard case .plateau(var plateau, let monitor) = rule else { return }
    seen = state["seen"]?.doubles ?? []
    for number in seen { plateau.step(number) }
    rule = .plateau(plateau, monitor)
  }
}
