public import LatheCore

/// A number that says how good a model's outputs are on a batch, beside the loss.
public struct Metric: Sendable {
  /// The name of the output.
  public let name: String
  /// Computes it, from an output of the model and the targets.
  public let compute: @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor
  /// The numbers whose mean it is, where it is one.
  public let elements: (@Sendable (_ output: Tensor, _ target: Tensor) -> Tensor)?

  /// A metric of one's own.
  public init(_ name: String, _ compute: @escaping @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor) {
    self.name = name
    self.compute = compute
    elements = nil
  }

  /// A metric that is the mean of a number of every element.
  public init(
    _ name: String, meanOf elements: @escaping @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor
  ) {
    self.name = name
    self.elements = elements
    compute = { elements($0, $1).mean() }
  }

  /// The share of samples whose largest score is the target's class; the classes are the scores' second axis.
  public static let accuracy = Metric(
    "accuracy",
    meanOf: { output, target in
      (output.argmax(dim: output.rank > 1 ? 1 : 0) .== target).convert(to: .f32)
    })

  /// The mean distance from the target.
  public static let meanAbsoluteError = Metric("mean_absolute_error", meanOf: { ($0 - $1).abs() })
}

/// The functions of a model that is trained, over one state.
///
/// - `initialize(seed: u64[])` draws the parameters and clears what the optimizer remembers;
/// - `train_step(input, target, lr: f64[]) -> (loss, METRIC)` makes one step, as `trainingStep` does;
/// - `evaluate(input, target) -> (loss, METRIC)` and `predict(input) -> output` are without dropout and with running
///   statistics, and change nothing.
///
/// The inputs are called `input` and `target` unless the options name them.
///
/// ```swift
/// let model = try compile(
///   trainable(
///     LeNet(), loss: crossEntropy, optimizer: .sgd(lr: 0.05, momentum: 0.9), metric: .accuracy, .f32(32, 1, 32, 32),
///     .i64(32)))
/// try model.writeC(to: "lenet.c")
/// ```
///
/// - Throws: All mistakes in the model at once.
public func trainable<M: Module>(
  _ model: M, loss: (_ output: Tensor, _ target: Tensor) -> Tensor, optimizer: Optimizer, metric: Metric? = nil,
  _ input: TensorType, _ target: TensorType, options: TrainingOptions = TrainingOptions()
) throws(DiagnosticsError) -> LatheCore.Model where M.Input == Tensor, M.Output == Tensor {
  try trainable(
    model, optimizer: optimizer, inputs: [input], targets: [target], options: options,
    predict: { _, inputs in model(inputs[0]) }, loss: { loss($0, $1[0]) },
    metrics: { output, targets in metric.map { [$0.name: $0.compute(output, targets[0])] } ?? [:] })
}

/// The functions of any model that is trained, given how its outputs and its loss are computed.
///
/// ```swift
/// let model = try trainable(
///   scorer, optimizer: .adam(), inputs: [.f32(8, 16), .f32(8, 16)], targets: [.i64(8)],
///   predict: { _, inputs in scorer(inputs[0], inputs[1]) }, loss: { crossEntropy($0, $1[0]) },
///   metrics: { ["accuracy": Metric.accuracy.compute($0, $1[0])] })
/// ```
///
/// - Parameters:
///   - inputs: What `predict` takes.
///   - targets: What the loss and the metrics take beside its outputs.
///   - predict: The model: a tensor, or a tuple, array, dictionary or struct of tensors.
///   - loss: A number that gets smaller.
///   - metrics: Further outputs of `train_step` and `evaluate`, by name.
/// - Throws: All mistakes in the model at once.
public func trainable<Output>(
  _ model: some Parameterized, optimizer: Optimizer, inputs: [TensorType], targets: [TensorType],
  options: TrainingOptions = TrainingOptions(), predict: (Builder, [Tensor]) -> Output,
  loss: (Output, [Tensor]) -> Tensor, metrics: (Output, [Tensor]) -> [String: Tensor] = { _, _ in [:] }
) throws(DiagnosticsError) -> LatheCore.Model {
  let functions = TrainedFunctions(inputs, targets, options)
  let step = try trace(
    model, inputs: inputs + targets, options: options.tracing("train_step", functions.names, isTraining: true)
  ) { builder, tensors in
    let (loss, all) = functions.outputs(builder, tensors, predict, loss, metrics)
    optimizer.minimize(
      loss, builder.parameters, clipping: options.clipping, runtime: options.runtime,
      accumulation: options.accumulation, scaler: options.scaler, bucketBytes: options.bucketBytes)
    return all
  }
  let (evaluate, prediction) = try functions.withoutTraining(model, predict, loss, metrics)
  return try trainable(model, functions: [step, evaluate, prediction], options: options)
}

/// The functions of a model that is trained in steps of one's own, over one state, with `initialize(seed: u64[])` before
/// them.
///
/// So a generative adversarial network has two steps, each with its own optimizer over its part of the parameters:
///
/// ```swift
/// let step = try trace(gan, inputs: [real, noise], options: TraceOptions(name: "train_critic", isTraining: true)) {
///   builder, inputs in
///   let loss = gan.criticLoss(inputs[0], inputs[1])
///   let parameters = builder.parameters.filter { $0.name.hasPrefix("critic.") }
///   Optimizer.adam().named("critic_optimizer").minimize(loss, parameters)
///   return ["loss": loss]
/// }
/// let model = try trainable(gan, functions: [step, other, sample], options: TrainingOptions(name: "gan"))
/// ```
///
/// - Parameters:
///   - module: What the parameters belong to.
///   - functions: Traced with the same parameters, seed and float type as the options say, which are all that count here
///     beside the name.
/// - Throws: Functions that do not fit together.
public func trainable(
  _ module: some Parameterized, functions: [Graph], options: TrainingOptions = TrainingOptions()
) throws(DiagnosticsError) -> LatheCore.Model {
  let drawn = ModuleNames(
    module, values: options.parameters, seed: options.seed, floatType: options.floatType)
  let initialize = try initialization(
    of: Model(name: options.name, functions: functions).variables, drawing: drawn.initializers, context: drawn)
  return try Model(name: options.name, functions: [initialize] + functions)
}
