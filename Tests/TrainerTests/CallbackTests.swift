import Foundation
import Lathe
import LatheCore
import LatheLoading
import Testing

@testable import LatheTrainer

@Suite("Callbacks")
struct CallbackTests {
  /// Puts numbers of its own into the logs, by a metric whose result they are.
  private func trainer(_ numbers: [Double]) throws -> (Trainer, DataLoader<[NDArray]>) {
    let given = Numbers(numbers)
    let metric = EpochMetric("number") { output, _ in
      [output.sum()]
    } result: { _ in
      given.next()
    }
    let trainer = try Trainer(
      Linear(2, 1), loss: { mseLoss($0, $1) }, optimizer: .sgd(lr: 0.1), metrics: [metric], backend: .interpreter())
    return (trainer, try DataLoader(TensorDataset(rand(4, 2), rand(4, 1)), batchSize: 4))
  }

  /// One number for each epoch: results are asked for twice in each, after its only step and at its end.
  private final class Numbers: @unchecked Sendable {
    private let numbers: [Double]
    private var asked = 0

    init(_ numbers: [Double]) { self.numbers = numbers }

    func next() -> Double {
      defer { asked += 1 }
      return numbers[asked / 2]
    }
  }

  @Test("training ends when a number no longer becomes better, with the best weights if wanted")
  func earlyStopping() throws {
    for (stopping, epochs) in [
      (EarlyStopping(monitor: "number", patience: 2, restoreBestWeights: true), 5),
      (EarlyStopping(monitor: "number", patience: 2, mode: .min), 3),
      (EarlyStopping(monitor: "number", minDelta: 0.5, patience: 1), 3),
      (EarlyStopping(monitor: "number", patience: 1, baseline: 9), 1),
      (EarlyStopping(monitor: "number", patience: 9), 6),
    ] {
      let (trainer, loader) = try trainer([1, 2, 2.2, 2, 2, 2])
      var states: [[String: NDArray]] = []
      final class Watch: Callback {
        var states: [[String: NDArray]] = []
        func onEpochEnd(_ trainer: Trainer, logs: [String: Double]) { states.append(trainer.state) }
      }
      let watch = Watch()
      let history = try trainer.fit(loader, epochs: 6, callbacks: [watch, stopping], verbosity: .silent)
      states = watch.states
      #expect(history.epochs == epochs, "\(history["number"])")
      #expect(stopping.stoppedEpoch == (epochs < 6 ? epochs : nil))
      if epochs == 5 { #expect(trainer.state == states[2] && trainer.state != states[4]) }
    }
  }

  @Test("the learning rate follows a schedule by epoch or by step, or falls on a plateau")
  func schedules() throws {
    let setting = try Setting("binary")
    try setting.fit(2, [LearningRateScheduler(ExponentialLR(0.1, gamma: 0.5), every: .step)])
    #expect(setting.trainer.learningRate == 0.1 * pow(0.5, 14))
    let (trainer, loader) = try trainer([3, 2, 2, 2, 1, 1])
    let plateau = LearningRateScheduler(ReduceLROnPlateau(0.1, factor: 0.5, patience: 0), monitor: "number")
    let history = try trainer.fit(loader, epochs: 6, callbacks: [plateau], verbosity: .silent)
    #expect(history["lr"] == [0.1, 0.1, 0.1, 0.05, 0.025, 0.025])
  }

  @Test("checkpoints are written for every epoch or for the best, whole or as weights")
  func checkpoints() throws {
    try withFolder { folder in
      let (trainer, loader) = try trainer([1, 3, 2, 4])
      let best = ModelCheckpoint(
        "\(folder)/best-{epoch}-{number}.pt", monitor: "number", saveBestOnly: true, weightsOnly: true)
      let all = ModelCheckpoint("\(folder)/all-{epoch}.npz")
      try trainer.fit(loader, epochs: 4, callbacks: [best, all], verbosity: .silent)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(
        names == [
          "all-1.npz", "all-2.npz", "all-3.npz", "all-4.npz", "best-1-1.0000.pt", "best-2-3.0000.pt",
          "best-4-4.0000.pt",
        ])
      #expect(best.lastPath == "\(folder)/best-4-4.0000.pt")
      let weights = try load("\(folder)/best-4-4.0000.pt")
      #expect(weights.keys.sorted() == ["bias", "weight"])
      #expect(try trainer.weights() == weights)
      let other = try self.trainer([1, 3, 2, 4, 5]).0
      #expect(throws: DiagnosticsError.self) {
        try other.fit(loader, epochs: 5, resume: "\(folder)/best-4-4.0000.pt", verbosity: .silent)
      }
    }
  }

  @Test("the table has a line for every epoch, and is continued after a checkpoint")
  func table() throws {
    try withFolder { folder in
      let path = "\(folder)/log.csv"
      let (trainer, loader) = try trainer([1, 2, 3, 4])
      try trainer.fit(loader, epochs: 2, callbacks: [CSVLogger(path)], verbosity: .silent)
      try trainer.fit(loader, epochs: 4, callbacks: [CSVLogger(path, append: true)], verbosity: .silent)
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(lines[0] == "epoch,loss,lr,number" && lines.count == 5)
      #expect(lines.dropFirst().map { $0.split(separator: ",").first } == ["1", "2", "3", "4"])
      #expect(lines[4].hasSuffix(",0.1,4.0"))
    }
  }

  @Test("TensorBoard's files have the numbers of training and of validation")
  func tensorBoard() throws {
    try withFolder { folder in
      let setting = try Setting("binary")
      try setting.fit(2, [TensorBoard(logDir: folder, everySteps: 5)])
      for (run, tags) in [
        ("train", ["epoch_loss", "epoch_auc", "batch_loss", "epoch_lr"]), ("validation", ["epoch_loss"]),
      ] {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(run)")
        #expect(files.count == 1)
        let bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(run)/\(files.first ?? "")"))
        for tag in tags { #expect(bytes.range(of: Data(tag.utf8)) != nil, "\(run) \(tag)") }
      }
    }
  }

  @Test("a loss that is no number ends the training")
  func notANumber() throws {
    let trainer = try Trainer(
      Linear(2, 1), loss: { ($0 - $1).sum() * Double.infinity }, optimizer: .sgd(lr: 1e30), backend: .interpreter())
    let loader = try DataLoader(TensorDataset(rand(8, 2), rand(8, 1)), batchSize: 2)
    let history = try trainer.fit(loader, epochs: 3, callbacks: [TerminateOnNaN()], verbosity: .silent)
    #expect(history.epochs == 0 && trainer.step == 1)
  }

  @Test("the line of progress")
  func progress() {
    let logs = ["loss": 0.25, "accuracy": 0.5, "tiny": 1e-7]
    #expect(
      ProgressBar.line(done: 10, of: 40, seconds: 0.5, logs: logs, showsBar: true)
        == "10/40 ━━━━━╶╶╶╶╶╶╶╶╶╶╶╶╶╶╶ 2s left 50ms/step - accuracy: 0.5000 - loss: 0.2500 - tiny: 1e-07")
    #expect(
      ProgressBar.line(done: 4, of: 4, seconds: 12, logs: [:], showsBar: false) == "4/4 12s 3.00s/step")
    #expect(ProgressBar.line(done: 3, of: nil, seconds: 0.3, logs: [:], showsBar: true) == "3 0s 100ms/step")
  }
}
