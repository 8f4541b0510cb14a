public import LatheCore

/// How a model is trained, apart from its loss and its optimizer.
public struct TrainingOptions: Sendable {
  /// The model's name.
  public var name: String
  /// The names of the model's inputs, then of its targets; by default `input`, `input1`, … and `target`, `target1`, ….
  public var inputNames: [String]
  /// What bounds the gradients.
  public var clipping: GradientClipping?
  /// The hyper-parameters that are inputs of the training step, `f64[]`, so that schedules can change them.
  public var runtime: [String]
  /// How many runs gather gradients, whose mean makes one step.
  public var accumulation: Int
  /// The contents of the parameters by name; empty for drawn ones.
  public var parameters: [String: NDArray]
  /// What drawn parameters depend on before `initialize` is run.
  public var seed: UInt64
  /// The element type of all float parameters and buffers; their own by default.
  public var floatType: ScalarType?
  /// The type of mixed precision; nil for none.
  public var autocast: AutocastType?
  /// What the loss is scaled by while it is differentiated, for mixed precision in `f16`.
  public var scaler: GradScaler?
  /// Hands the gradients out to whoever runs the training step, in buckets of at least so many bytes; nil for none.
  ///
  /// Several processes that train together sum them so. The gradients lie in one piece of memory, in the order in which the backward pass comes to them. As soon as a bucket
  /// is complete its function `ready` is called, and before the first kernel that needs it (clipping, the optimizer) `wait`:
  /// in Swift those of a `GradientExchange`, in C those of the parameter `hooks`. What is there then counts as the
  /// gradients; means over processes are for the functions to take. With `accumulation`, the means over the runs are
  /// handed out, of which those of the last run count; clipping and scaling look at each run's gradients, so that those are
  /// handed out there.
  public var bucketBytes: Int?

  /// Makes it from its parts.
  public init(
    name: String = "model", inputNames: [String] = [], clipping: GradientClipping? = nil, runtime: [String] = ["lr"],
    accumulation: Int = 1, parameters: [String: NDArray] = [:], seed: UInt64 = 0, floatType: ScalarType? = nil,
    autocast: AutocastType? = nil, scaler: GradScaler? = nil, bucketBytes: Int? = nil
  ) {
    self.bucketBytes = bucketBytes
    self.autocast = autocast
    self.scaler = scaler
    self.name = name
    self.inputNames = inputNames
    self.clipping = clipping
    self.runtime = runtime
    self.accumulation = accumulation
    self.parameters = parameters
    self.seed = seed
    self.floatType = floatType
  }

  func tracing(_ function: String, _ inputNames: [String], isTraining: Bool) -> TraceOptions {
    TraceOptions(
      name: function, inputNames: inputNames, isTraining: isTraining, parameters: parameters, seed: seed,
      floatType: floatType)
  }
}

/// A whole training step of a model of one input as a pure graph.
///
/// It leads from the variables, a batch and its target to the loss and the updated variables: forward, loss, backward,
/// clipping, optimizer, running statistics. The inputs are `input` and `target`, and the hyper-parameters that are to be
/// given at run time; the output is `loss`.
///
/// - Throws: All mistakes in the model at once.
public func trainingStep<M: Module>(
  _ model: M, loss: (_ output: M.Output, _ target: Tensor) -> Tensor, optimizer: Optimizer, _ input: TensorType,
  _ target: TensorType, clipping: GradientClipping? = nil, runtime: [String] = [], accumulation: Int = 1,
  parameters: [String: NDArray] = [:], seed: UInt64 = 0
) throws(DiagnosticsError) -> Graph where M.Input == Tensor {
  try trainingStep(
    model, optimizer: optimizer, inputs: [input, target], clipping: clipping, runtime: runtime,
    accumulation: accumulation,
    options: TraceOptions(
      name: "training_step", inputNames: ["input", "target"], parameters: parameters, seed: seed)
  ) { _, inputs in loss(model(inputs[0]), inputs[1]) }
}

/// A whole training step of any model as a pure graph, given how the loss is computed from the inputs.
///
/// - Throws: All mistakes in the model at once.
public func trainingStep(
  _ model: some Parameterized, optimizer: Optimizer, inputs: [TensorType], clipping: GradientClipping? = nil,
  runtime: [String] = [], accumulation: Int = 1, options: TraceOptions = TraceOptions(),
  _ loss: (Builder, [Tensor]) -> Tensor
) throws(DiagnosticsError) -> Graph {
  var options = options
  options.isTraining = true
  return try trace(model, inputs: inputs, options: options) { builder, inputs in
    let loss = loss(builder, inputs)
    optimizer.minimize(
      loss, builder.parameters, clipping: clipping, runtime: runtime, accumulation: accumulation)
    return ["loss": loss]
  }
}
