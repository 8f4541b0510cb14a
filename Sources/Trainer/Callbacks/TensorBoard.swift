public import Lathe
import LatheTensorBoard

/// Writes the numbers of every epoch, and of steps, for TensorBoard: Keras's `TensorBoard`.
///
/// A number has a chart of its own, with the lines of training and of validation in two runs, `train` and `validation`.
public final class TensorBoard: Callback {
  private let logDir: String
  private let everySteps: Int?
  private var writers: (train: SummaryWriter, validation: SummaryWriter)?

  /// Makes a callback.
  ///
  /// - Parameters:
  ///   - logDir: The folder of the two runs.
  ///   - everySteps: After how many steps the numbers of the epoch so far are written, too.
  public init(logDir: String = "logs", everySteps: Int? = nil) {
    self.logDir = logDir
    self.everySteps = everySteps
  }

  /// Makes the folders and files.
  public func onTrainBegin(_ trainer: Trainer) throws(DiagnosticsError) {
    writers = (
      try SummaryWriter(logDir: logDir + "/train"), try SummaryWriter(logDir: logDir + "/validation")
    )
  }

  /// Writes the numbers so far.
  public func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    guard let everySteps, everySteps > 0, trainer.step % everySteps == 0 else { return }
    for (name, number) in logs.sorted(by: { $0.key < $1.key }) {
      try writers?.train.addScalar("batch_" + name, number, globalStep: trainer.step)
    }
  }

  /// Writes the epoch's numbers.
  public func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) throws(DiagnosticsError) {
    for (name, number) in logs.sorted(by: { $0.key < $1.key }) {
      let writer = name.hasPrefix("val_") ? writers?.validation : writers?.train
      let tag = "epoch_" + (name.hasPrefix("val_") ? String(name.dropFirst(4)) : name)
      try writer?.addScalar(tag, number, globalStep: trainer.epoch)
    }
    try writers?.train.flush()
    try writers?.validation.flush()
  }

  /// Closes the files.
  public func onTrainEnd(_ trainer: Trainer) throws(DiagnosticsError) {
    try writers?.train.close()
    try writers?.validation.close()
    writers = nil
  }
}
