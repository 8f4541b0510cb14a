import Foundation
import Lathe
import LatheCore
import LatheLoading
import LatheTrainer
import TestSupport
import Testing

/// A file of the goldens.
func golden(_ name: String) -> Data {
  let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  return FileManager.default.contents(atPath: "\(folder)/Goldens/\(name)") ?? Data()
}

/// A model with data, as `tools/golden_trainer.py` draws them.
struct Setting {
  let trainer: Trainer
  let train: DataLoader<[NDArray]>
  let test: DataLoader<[NDArray]>

  init(_ kind: String, dropout: Double = 0, backend: TrainerBackend = .interpreter()) throws {
    self = try Generator.$scoped.withValue(Generator()) {
      manualSeed(0)
      let optimizer = Optimizer.adam(lr: 0.02)
      let trainer: Trainer
      switch kind {
      case "classes":
        trainer = try Trainer(
          Sequential(Linear(6, 16, bias: false), BatchNorm1d(16), ReLU(), Dropout(dropout), Linear(16, 4)),
          loss: { crossEntropy($0, $1) }, optimizer: optimizer,
          metrics: [
            .accuracy, .topKAccuracy(2), .precision(average: .weighted), .recall(average: .micro), .f1(average: .macro),
          ], backend: backend)
      case "binary":
        trainer = try Trainer(
          Sequential(Linear(6, 8), Tanh(), Linear(8, 1), Flatten(startDim: 0)),
          loss: { binaryCrossEntropyWithLogits($0, $1) }, optimizer: optimizer,
          metrics: [
            .binaryAccuracy(threshold: 0), .auc, .precision(average: .binary(threshold: 0)),
            .recall(average: .binary(threshold: 0)), .f1(average: .binary(threshold: 0)),
          ], backend: backend)
      default:
        trainer = try Trainer(
          Sequential(Linear(6, 8), Tanh(), Linear(8, 2)), loss: { mseLoss($0, $1) }, optimizer: optimizer,
          metrics: [.meanAbsoluteError, .meanSquaredError, .rootMeanSquaredError, .r2], backend: backend)
      }
      let inputs = [try rand(50, 6), try rand(21, 6)]
      let targets = try [50, 21].map { count in
        switch kind {
        case "classes": try randint(4, [count])
        case "binary": try randint(2, [count]).converted(to: .f32)
        default: try rand(count, 2)
        }
      }
      return Setting(
        trainer: trainer,
        train: try DataLoader(
          TensorDataset(inputs[0], targets[0]), batchSize: 8, shuffle: true, generator: Generator(seed: 7)),
        test: try DataLoader(TensorDataset(inputs[1], targets[1]), batchSize: 8))
    }
  }

  private init(trainer: Trainer, train: DataLoader<[NDArray]>, test: DataLoader<[NDArray]>) {
    self.trainer = trainer
    self.train = train
    self.test = test
  }

  /// Trains quietly.
  @discardableResult
  func fit(_ epochs: Int, _ callbacks: [any Callback] = [], resume: String? = nil) throws -> History {
    try trainer.fit(
      train, epochs: epochs, validation: test, callbacks: callbacks, resume: resume, verbosity: .silent)
  }
}

/// A folder that is removed afterwards.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = NSTemporaryDirectory() + "TrainerTests." + UUID().uuidString
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

@Suite("Training a model")
struct TrainerTests {
  private static let histories = try? JSONDecoder().decode(
    [String: [String: [Double]]].self, from: golden("histories.json"))

  @Test(
    "histories are those of loops written by hand in PyTorch, the last batches being shorter",
    arguments: ["classes", "binary", "numbers"])
  func histories(kind: String) throws {
    let expected = try #require(Self.histories?[kind])
    let setting = try Setting(kind)
    let scheduler =
      kind == "binary"
      ? LearningRateScheduler(ReduceLROnPlateau(0.02, patience: 0, threshold: 0.1))
      : LearningRateScheduler(StepLR(0.02, stepSize: 2, gamma: 0.5))
    let history = try setting.fit(6, [scheduler])
    #expect(history.epochs == 6 && history.values.keys.sorted() == expected.keys.sorted())
    for (name, numbers) in expected {
      for (x, y) in zip(history[name], numbers) where !(abs(x - y) <= 1e-5 * max(abs(y), 0.1)) {
        Issue.record("\(name) \(history[name]), expected \(numbers)")
        break
      }
    }
    let last = try setting.trainer.evaluate(setting.test)
    #expect(last["loss"] == history["val_loss"].last)
  }

  @Test("native code and the interpreter give the same history")
  func native() throws {
    let (native, interpreted) = (try Setting("classes", backend: .native()), try Setting("classes"))
    let (a, b) = (try native.fit(2), try interpreted.fit(2))
    for (name, numbers) in b.values {
      for (x, y) in zip(a[name], numbers) { #expect(abs(x - y) <= 1e-5 * max(abs(y), 0.1), "\(name)") }
    }
  }

  @Test("predictions are those of the module, which has the trained parameters")
  func predictions() throws {
    let setting = try Setting("classes")
    try setting.fit(2)
    let predicted = try setting.trainer.predict(setting.test)
    #expect(predicted.map(\.shape) == [[21, 4]])
    let module = try #require(setting.trainer.module as? Sequential)
    let batch = try #require(try setting.test.makeIterator().next())
    let direct = try compile(trace(module, .f32(8, 6)))(batch[0])
    #expect(direct.allClose(try setting.trainer.predict(batch[0])[0], rtol: 1e-5, atol: 1e-6))
    #expect(Array(predicted[0].doubles.prefix(32)) == (try setting.trainer.predict(batch[0])[0].doubles))
    #expect(try module.stateDict() == setting.trainer.weights())
    let fresh = try Setting("classes")
    try fresh.trainer.setState(setting.trainer.weights())
    #expect(try fresh.trainer.predict(fresh.test) == predicted)
  }

  @Test("a training goes on from a checkpoint to the bit, from within an epoch too", arguments: [5, 7, 9])
  func resumed(everySteps: Int) throws {
    try withFolder { folder in
      // Seven steps make an epoch.
      let whole = try Setting("classes", dropout: 0.2)
      func callbacks() -> [any Callback] {
        [
          EarlyStopping(patience: 9, restoreBestWeights: true),
          LearningRateScheduler(ReduceLROnPlateau(0.02, patience: 0, threshold: 0.1)),
        ]
      }
      let checkpoint = ModelCheckpoint("\(folder)/{step}.safetensors", everySteps: everySteps)
      let history = try whole.fit(4, callbacks() + [checkpoint])
      let resumed = try Setting("classes", dropout: 0.2)
      let path = "\(folder)/\(everySteps * 2).safetensors"
      #expect(try resumed.fit(4, callbacks() + [ModelCheckpoint("\(folder)/x.pt")], resume: path) == history)
      #expect(resumed.trainer.state == whole.trainer.state && resumed.trainer.step == 28)
      let weights = try load(path)
      #expect(throws: DiagnosticsError.self) { try Setting("numbers").fit(4, resume: path) }
      #expect(weights["state.0.weight"] != nil && weights["loader.progress"] != nil)
    }
  }

  @Test("a callback ends a training within an epoch, and the next call goes on")
  func paused() throws {
    final class Pause: Callback {
      func onBatchEnd(_ trainer: Trainer, logs: [String: Double]) { trainer.stopTraining = trainer.step == 10 }
    }
    let (whole, paused) = (try Setting("binary"), try Setting("binary"))
    try whole.fit(3)
    #expect(try paused.fit(3, [Pause()]).epochs == 1)
    #expect(paused.trainer.step == 10 && paused.trainer.epoch == 1)
    #expect(try paused.fit(3) == whole.trainer.history)
    #expect(try paused.fit(3).epochs == 3)
  }

  @Test("what does not fit is a diagnostic")
  func mistakes() throws {
    let setting = try Setting("classes")
    let three = try DataLoader(
      TensorDataset(NDArray([1, 2] as [Float]), NDArray([1, 2] as [Float]), NDArray([1, 2] as [Float])), batchSize: 2)
    #expect(throws: DiagnosticsError.self) { try setting.trainer.fit(three, epochs: 1, verbosity: .silent) }
    let wide = try DataLoader(TensorDataset(rand(4, 7), randint(4, [4])), batchSize: 2)
    #expect(throws: DiagnosticsError.self) { try setting.trainer.fit(wide, epochs: 1, verbosity: .silent) }
    let empty = try DataLoader(TensorDataset(rand(4, 6), randint(4, [4])), batchSize: 5, dropLast: true)
    let error = #expect(throws: DiagnosticsError.self) {
      try setting.trainer.fit(empty, epochs: 1, verbosity: .silent)
    }
    #expect(error?.diagnostics.first?.message == "the loader has no batches")
    #expect(throws: DiagnosticsError.self) { try setting.fit(1, [EarlyStopping(monitor: "accuray")]) }
    #expect(throws: DiagnosticsError.self) {
      try Trainer(Linear(2, 2), loss: { mseLoss($0, $1) }, optimizer: .sgd(), metrics: [.auc, .auc])
    }
  }

  @Test("a model of several inputs, with groups of parameters and a loss of two outputs")
  func several() throws {
    struct Pair: Module {
      let first = Linear(3, 4)
      let second = Linear(2, 4)
      func callAsFunction(_ inputs: (Tensor, Tensor)) -> (score: Tensor, other: Tensor) {
        let y = first(inputs.0) + second(inputs.1)
        return (y, y.sigmoid())
      }
    }
    let pair = Pair()
    let before = try pair.stateDict()
    let trainer = try Trainer(
      pair, optimizer: .sgd(lr: 0.1).group("second.*", ["lr": 0]), inputs: 2, targets: 1,
      predict: { _, inputs in pair(inputs[0], inputs[1]) },
      loss: { crossEntropy($0.score, $1[0]) + $0.other.mean() }, metrics: [.accuracy], scores: { $0.score },
      backend: .interpreter())
    let loader = try DataLoader(TensorDataset(rand(6, 3), rand(6, 2), randint(4, [6])), batchSize: 4)
    let history = try trainer.fit(loader, epochs: 3, verbosity: .silent)
    #expect(history["loss"].count == 3 && history["loss"][2] < history["loss"][0])
    let after = try pair.stateDict()
    #expect(after["second.weight"] == before["second.weight"] && after["first.weight"] != before["first.weight"])
    #expect(try trainer.predict(loader).map(\.shape) == [[6, 4], [6, 4]])
  }
}
