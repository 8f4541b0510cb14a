public import Lathe

/// Something that is done while a model is trained: Keras's callbacks.
///
/// All functions do nothing by default.
public protocol Callback: AnyObject {
  /// Called before the first epoch of a training.
  func onTrainBegin(_ trainer: Trainer) throws(DiagnosticsError)
  /// Called before every epoch.
  func onEpochBegin(_ trainer: Trainer) throws(DiagnosticsError)
  /// Called after every step.
  ///
  /// - Parameter logs: The numbers of the epoch so far.
  func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError)
  /// Called after every epoch, when its numbers are in the history.
  func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError)
  /// Called after the last epoch.
  func onTrainEnd(_ trainer: Trainer) throws(DiagnosticsError)
  /// What is to be kept in a checkpoint.
  var state: [String: NDArray] { get }
  /// Goes on from such a state.
  func restore(_ state: [String: NDArray]) throws(DiagnosticsError)
}

extension Callback {
  /// Nothing.
  public func onTrainBegin(_ trainer: Trainer) {}
  /// Nothing.
  public func onEpochBegin(_ trainer: Trainer) {}
  /// Nothing.
  public func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) {}
  /// Nothing.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) {}
  /// Nothing.
  public func onTrainEnd(_ trainer: Trainer) {}
  /// Nothing.
  public var state: [String: NDArray] { [:] }
  /// Nothing.
  public func restore(_ state: [String: NDArray]) {}
}

/// Which numbers are better.
public enum MonitorMode: Sendable {
  /// Smaller ones.
  case min
  /// Larger ones.
  case max
  /// Smaller losses and errors, larger numbers of other names.
  case auto
}

/// A number of the logs that is to become better.
struct Monitor {
  let name: String
  private let isBetterWhenSmaller: Bool
  private let minDelta: Double
  /// The best so far; nil before the first.
  private(set) var best: Double?

  init(_ name: String, _ mode: MonitorMode, minDelta: Double = 0) {
    self.name = name
    self.minDelta = abs(minDelta)
    isBetterWhenSmaller =
      switch mode {
      case .min: true
      case .max: false
      case .auto: name.hasSuffix("loss") || name.hasSuffix("error")
      }
  }

  /// The number in the logs.
  func number(_ logs: [String: Double]) throws(DiagnosticsError) -> Double {
    guard let number = logs[name] else {
      throw DiagnosticsError(
        "the logs have no '\(name)'", help: "they have \(logs.keys.sorted().joined(separator: ", "))")
    }
    return number
  }

  /// Takes a number into account, and says whether it is the best so far.
  mutating func improves(_ number: Double) -> Bool {
    let isBetter = best.map { isBetterWhenSmaller ? number < $0 - minDelta : number > $0 + minDelta } ?? !number.isNaN
    if isBetter { best = number }
    return isBetter
  }

  var state: [String: NDArray] { best.map { ["best": NDArray([$0])] } ?? [:] }

  mutating func restore(_ state: [String: NDArray]) { best = state["best"]?.doubles.first }
}
