public import Lathe

/// Trains a model on a loader's batches: Keras's `compile` and `fit`, torchkeras's `KerasModel`.
///
/// ```swift
/// let trainer = try Trainer(LeNet(), loss: { crossEntropy($0, $1) }, optimizer: .adam(lr: 1e-3), metrics: [.accuracy])
/// let history = try trainer.fit(train, epochs: 10, validation: test, callbacks: [EarlyStopping(patience: 2)])
/// let numbers = try trainer.evaluate(test)               // ["loss": 0.07, "accuracy": 0.98]
/// let scores = try trainer.predict(test)[0]
/// ```
///
/// Steps and evaluations are compiled functions (`trainable`), one program for every
/// size of batch that comes: a last, shorter batch counts as it does in PyTorch. Numbers of an epoch are exact over batches
/// of different sizes: the loss is taken to be a mean over the batch. Those of training are of the model as it was in each
/// step, as Keras has them; those of `validation`, with `val_` before their names, of the model after the epoch.
///
/// After `fit` the module has the trained parameters; `state` has also what the optimizer remembers.
public final class Trainer {
  /// The model.
  public let module: any Parameterized
  /// The numbers of all epochs so far.
  public private(set) var history = History()
  /// How many epochs are done.
  public private(set) var epoch = 0
  /// How many steps are done, in all epochs.
  public private(set) var step = 0
  /// The learning rate of the next step; the optimizer's at first.
  ///
  /// Groups of parameters keep their proportions to it.
  public var learningRate: Double
  /// Set by a callback, ends the training after the present step or epoch.
  public var stopTraining = false

  private let optimizer: Optimizer
  private let runtime: [String]
  private let metrics: [EpochMetric]
  private let inputCount: Int
  private let targetCount: Int
  private let functions: TrainingFunctions
  private var callbacks: [any Callback] = []
  private var batches: TrainingBatches?
  private var sums: EpochSums

  /// A trainer for a model of one tensor and one target.
  ///
  /// - Parameters:
  ///   - loss: The mean over a batch of how far outputs are from targets.
  ///   - options: As for `trainable`.
  ///   - backend: What runs the compiled functions.
  /// - Throws: Parameters that cannot be drawn.
  public convenience init<M: Module>(
    _ module: M, loss: @escaping (_ output: Tensor, _ target: Tensor) -> Tensor, optimizer: Optimizer,
    metrics: [EpochMetric] = [], options: TrainingOptions = TrainingOptions(), backend: TrainerBackend = .native()
  ) throws(DiagnosticsError) where M.Input == Tensor, M.Output == Tensor {
    try self.init(
      module, optimizer: optimizer, predict: { _, inputs in module(inputs[0]) }, loss: { loss($0, $1[0]) },
      metrics: metrics, scores: { $0 }, options: options, backend: backend)
  }

  /// A trainer for any model, given how its outputs and its loss are computed.
  ///
  /// - Parameters:
  ///   - inputs: How many arrays of a batch `predict` takes; those behind them are targets.
  ///   - targets: How many targets there are.
  ///   - predict: The model: a tensor, or a tuple, array, dictionary or struct of tensors.
  ///   - loss: The mean over a batch of how far outputs are from targets.
  ///   - scores: The output that metrics compare with the first target.
  /// - Throws: Parameters that cannot be drawn.
  public init<Output>(
    _ module: some Parameterized, optimizer: Optimizer, inputs: Int = 1, targets: Int = 1,
    predict: @escaping (Builder, [Tensor]) -> Output, loss: @escaping (Output, [Tensor]) -> Tensor,
    metrics: [EpochMetric] = [], scores: @escaping (Output) -> Tensor, options: TrainingOptions = TrainingOptions(),
    backend: TrainerBackend = .native()
  ) throws(DiagnosticsError) {
    guard inputs > 0, targets > 0 else {
      throw DiagnosticsError("a trainer of \(inputs) inputs and \(targets) targets")
    }
    if let repeated = metrics.map(\.name).firstRepeated {
      throw DiagnosticsError("two metrics have the name '\(repeated)'")
    }
    self.module = module
    self.optimizer = optimizer
    self.metrics = metrics
    inputCount = inputs
    targetCount = targets
    var options = options
    options.runtime = options.runtime.filter { optimizer.hyperparameters[$0] != nil }
    runtime = options.runtime
    learningRate = optimizer.hyperparameters["lr"] ?? 0
    sums = EpochSums(metrics)
    if !options.parameters.isEmpty { try module.loadStateDict(options.parameters, strict: false) }
    // Parameters are drawn once, so that every program starts from the same.
    let state = try module.stateDict(seed: options.seed)
    options.parameters = [:]
    functions = TrainingFunctions(
      state, backend,
      build: { [options] inputs, targets throws(DiagnosticsError) in
        try trainable(
          module, optimizer: optimizer, inputs: inputs, targets: targets, options: options, predict: predict,
          loss: loss,
          metrics: { output, targets in EpochSums.outputs(metrics, scores(output), targets[0]) })
      },
      prediction: { [options] inputs throws(DiagnosticsError) in
        try trace(
          module, inputs: inputs, options: TraceOptions(name: "predict", floatType: options.floatType), predict)
      })
  }

  /// What the parameters, the buffers and the optimizer hold, by name.
  public var state: [String: NDArray] { functions.state }

  /// What the module's parameters and buffers hold: `module.stateDict()` after the training.
  ///
  /// - Throws: Parameters that cannot be drawn.
  public func weights() throws(DiagnosticsError) -> [String: NDArray] {
    let (state, names) = (state, try module.stateDict())
    return state.filter { names[$0.key] != nil }
  }

  /// Goes on from other weights, or from a whole state.
  ///
  /// - Throws: What is missing, and what has another shape; nothing is changed then.
  public func setState(_ state: [String: NDArray]) throws(DiagnosticsError) {
    try module.checkStateDict(state)
    try module.loadStateDict(state, strict: false)
    functions.state = state
  }

  // MARK: Training

  /// Trains until so many epochs are done, those of earlier calls and of a checkpoint too.
  ///
  /// - Parameters:
  ///   - validation: What is evaluated after every epoch.
  ///   - callbacks: Called in their order, as the training goes on.
  ///   - resume: A checkpoint, of ``save(_:)`` or ``ModelCheckpoint``, that the training goes on from, to the bit.
  ///   - verbosity: What is said meanwhile.
  /// - Returns: The numbers of all epochs.
  /// - Throws: What does not fit the model, what a callback throws.
  @discardableResult
  public func fit(
    _ batches: TrainingBatches, epochs: Int, validation: TrainingBatches? = nil, callbacks: [any Callback] = [],
    resume: String? = nil, verbosity: Verbosity = .auto
  ) throws(DiagnosticsError) -> History {
    self.batches = batches
    self.callbacks = callbacks
    defer { (self.batches, self.callbacks) = (nil, []) }
    if let resume {
      try restore(load(resume))
    } else if isMidEpoch {
      try batches.restore(paused)
    }
    stopTraining = false
    for callback in callbacks { try callback.onTrainBegin(self) }
    while epoch < epochs, !stopTraining {
      let progress = ProgressBar(epoch: epoch, of: epochs, steps: batches.count, verbosity)
      for callback in callbacks { try callback.onEpochBegin(self) }
      do throws(DiagnosticsError) {
        try trainEpoch(batches, progress)
      } catch {
        // What was not trained with to its end is not gone on with.
        isMidEpoch = false
        throw error
      }
      // Stopped on the way, an epoch is not done.
      if isMidEpoch {
        paused = batches.state()
        break
      }
      var logs = sums.logs
      sums = EpochSums(metrics)
      if let validation {
        for (name, number) in try evaluate(validation) { logs["val_" + name] = number }
      }
      if optimizer.hyperparameters["lr"] != nil { logs["lr"] = learningRate }
      epoch += 1
      history.append(logs)
      progress.end(logs)
      for callback in callbacks { try callback.onEpochEnd(self, logs: logs) }
    }
    for callback in callbacks { try callback.onTrainEnd(self) }
    try module.loadStateDict(state, strict: false)
    return history
  }

  /// Whether an epoch has begun and is not done, and where its loader was stopped.
  private var isMidEpoch = false
  private var paused: [String: NDArray] = [:]
  /// The loader's number of the epoch that has begun.
  private var loaderEpoch = 0

  private func trainEpoch(_ batches: TrainingBatches, _ progress: ProgressBar) throws(DiagnosticsError) {
    if !isMidEpoch { (sums, loaderEpoch) = (EpochSums(metrics), batches.epoch()) }
    isMidEpoch = true
    // Of an epoch that was stopped after its last batch, the loader knows no more.
    let next = batches.epoch() == loaderEpoch ? batches.start() : { nil }
    while let batch = try next() {
      let (inputs, targets) = try split(batch)
      let given = hyperparameters
      let (names, outputs) = try functions.step(inputs, targets, given)
      sums.add(outputs, named: names, samples: inputs[0].shape.first ?? 1)
      step += 1
      let logs = sums.stepLogs
      progress.step(logs)
      for callback in callbacks { try callback.onBatchEnd(self, logs: logs) }
      if stopTraining { return }
    }
    guard !sums.isEmpty else { throw DiagnosticsError("the loader has no batches") }
    isMidEpoch = false
  }

  /// What a step takes behind its targets.
  private var hyperparameters: [NDArray] {
    let base = optimizer.hyperparameters["lr"] ?? 0
    return optimizer.inputs(runtime).map { input in
      var value = input.value
      if input.hyperparameter == "lr" {
        value = input.value == base ? learningRate : base == 0 ? 0 : input.value * (learningRate / base)
      }
      return NDArray(scalar: .float(value), dtype: .f64)
    }
  }

  private func split(_ batch: [NDArray]) throws(DiagnosticsError) -> (inputs: [NDArray], targets: [NDArray]) {
    guard batch.count == inputCount + targetCount else {
      throw DiagnosticsError(
        "a batch has \(batch.count) arrays, \(batch.map { "\($0.type)" }.joined(separator: ", ")), the trainer takes "
          + "\(inputCount + targetCount)", help: "inputs first, then targets")
    }
    return (Array(batch.prefix(inputCount)), Array(batch.suffix(targetCount)))
  }

  // MARK: Evaluation

  /// The loss and the metrics of the model as it is.
  ///
  /// - Throws: What does not fit the model.
  public func evaluate(_ batches: TrainingBatches) throws(DiagnosticsError) -> [String: Double] {
    var sums = EpochSums(metrics)
    let next = batches.start()
    while let batch = try next() {
      let (inputs, targets) = try split(batch)
      let (names, outputs) = try functions.evaluate(inputs, targets)
      sums.add(outputs, named: names, samples: inputs[0].shape.first ?? 1)
    }
    return sums.logs
  }

  /// The model's outputs for all batches, each along its first axis; targets are not looked at.
  ///
  /// - Throws: What does not fit the model.
  public func predict(_ batches: TrainingBatches) throws(DiagnosticsError) -> [NDArray] {
    var parts: [[NDArray]] = []
    let next = batches.start()
    while let batch = try next() {
      guard batch.count >= inputCount else {
        throw DiagnosticsError("a batch has \(batch.count) arrays, the model takes \(inputCount)")
      }
      let outputs = try functions.predict(Array(batch.prefix(inputCount)))
      if parts.isEmpty { parts = outputs.map { _ in [] } }
      for (position, output) in outputs.enumerated() { parts[position].append(output) }
    }
    var outputs: [NDArray] = []
    for part in parts { outputs.append(try NDArray.joined(part)) }
    return outputs
  }

  /// The model's outputs for one batch.
  ///
  /// - Throws: What does not fit the model.
  public func predict(_ inputs: NDArray...) throws(DiagnosticsError) -> [NDArray] { try functions.predict(inputs) }

  // MARK: Checkpoints

  /// Writes everything that `fit` needs to go on: the state, the
  /// history, the callbacks' states and where the loader has come to.
  ///
  /// The suffix says in which form: `.pt`, `.safetensors` or `.npz`.
  ///
  /// - Throws: A diagnostic with the path as its place; nothing is written then.
  public func save(_ path: String) throws(DiagnosticsError) { try Lathe.save(checkpoint, path) }

  private var checkpoint: [String: NDArray] {
    var arrays = [
      "trainer.progress": NDArray([epoch, step, isMidEpoch ? 1 : 0, loaderEpoch].map { Int64($0) }),
      "trainer.lr": NDArray(scalar: .float(learningRate), dtype: .f64),
    ]
    func add(_ state: [String: NDArray], _ prefix: String) {
      for (name, array) in state { arrays["\(prefix).\(name)"] = array }
    }
    add(functions.state, "state")
    add(history.state, "history")
    if isMidEpoch { add(sums.state, "sums") }
    for (position, callback) in callbacks.enumerated() { add(callback.state, "callback.\(position)") }
    if let batches { add(batches.state(), "loader") }
    return arrays
  }

  /// Goes on from a checkpoint; callbacks and the loader are those of the present `fit`.
  private func restore(_ checkpoint: [String: NDArray]) throws(DiagnosticsError) {
    func part(_ prefix: String) -> [String: NDArray] {
      let own = checkpoint.filter { $0.key.hasPrefix(prefix + ".") }
      return Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
    }
    guard let progress = checkpoint["trainer.progress"]?.integers, progress.count == 4, progress[0] >= 0,
      progress[1] >= 0, let rate = checkpoint["trainer.lr"]?.doubles, rate.count == 1
    else {
      throw DiagnosticsError("is no checkpoint of a trainer", help: "give what save or ModelCheckpoint wrote")
    }
    let state = part("state")
    // Everything is looked at before anything is changed.
    try module.checkStateDict(state)
    let history = try History(part("history"), epochs: progress[0])
    let sums = progress[2] == 0 ? EpochSums(metrics) : try EpochSums(metrics, part("sums"))
    try batches?.restore(part("loader"))
    for (position, callback) in callbacks.enumerated() { try callback.restore(part("callback.\(position)")) }
    (epoch, step, isMidEpoch, loaderEpoch) = (progress[0], progress[1], progress[2] != 0, progress[3])
    (learningRate, self.history, self.sums) = (rate[0], history, sums)
    try setState(state)
  }
}

extension Parameterized {
  /// Checks that a state has all parameters and buffers, in their shapes.
  fileprivate func checkStateDict(_ state: [String: NDArray]) throws(DiagnosticsError) {
    var faults: [Diagnostic] = []
    for (name, own) in try stateDict() {
      guard let array = state[name] else {
        faults.append(Diagnostic("the checkpoint has no '\(name)'"))
        continue
      }
      guard array.shape != own.shape else { continue }
      faults.append(Diagnostic("'\(name)' is \(own.type), in the checkpoint \(array.type)"))
    }
    if !faults.isEmpty { throw DiagnosticsError(faults) }
  }
}

extension [String] {
  /// The first that was there before.
  fileprivate var firstRepeated: String? {
    var known: Set<String> = []
    return first { !known.insert($0).inserted }
  }
}

extension NDArray {
  /// Arrays one behind the other along their first axes.
  fileprivate static func joined(_ arrays: [NDArray]) throws(DiagnosticsError) -> NDArray {
    guard let first = arrays.first, let rows = first.shape.first else {
      throw DiagnosticsError("an output without axes cannot be joined over batches")
    }
    guard arrays.count > 1 else { return first }
    let rest = Array(first.shape.dropFirst())
    guard arrays.allSatisfy({ $0.dtype == first.dtype && Array($0.shape.dropFirst()) == rest }) else {
      throw DiagnosticsError("the outputs of batches, \(first.type) the first, have different shapes")
    }
    let total = arrays.reduce(0) { $0 + ($1.shape.first ?? rows) }
    return try NDArray(dtype: first.dtype, shape: [total] + rest, bytes: arrays.flatMap(\.bytes))
  }
}
