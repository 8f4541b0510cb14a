public import LatheCore

/// What the outputs and inputs are called that hold a parameter's gradient, in the functions of `splitTrainable`.
public func gradientName(of parameter: String) -> String { "gradient/\(parameter)" }

/// The functions of a model that is trained in steps cut in two, between which gradients may be changed.
///
/// So do several processes that train together. The functions are:
///
/// - `initialize(seed: u64[])`;
/// - `gradients(input, target) -> (loss, METRIC, gradient/PARAMETER)`: the gradients in the order in which the backward
///   pass comes to the parameters, the last ones first; it updates running statistics;
/// - `apply(gradient/PARAMETER, lr: f64[]) -> steps`: clipping and the optimizer; the number of steps so far;
/// - `evaluate` and `predict`, as ``trainable(_:optimizer:inputs:targets:options:predict:loss:metrics:)`` makes them.
///
/// - Throws: All mistakes in the model at once, and an optimizer that looks at the loss in several places.
public func splitTrainable<Output>(
  _ model: some Parameterized, optimizer: Optimizer, inputs: [TensorType], targets: [TensorType],
  options: TrainingOptions = TrainingOptions(), predict: (Builder, [Tensor]) -> Output,
  loss: (Output, [Tensor]) -> Tensor, metrics: (Output, [Tensor]) -> [String: Tensor] = { _, _ in [:] }
) throws(DiagnosticsError) -> LatheCore.Model {
  guard options.accumulation == 1, options.scaler == nil else {
    throw DiagnosticsError(
      "gradients of split steps are accumulated and scaled by whoever runs them",
      help: "leave options.accumulation at 1 and options.scaler at nil")
  }
  let functions = TrainedFunctions(inputs, targets, options)
  let gradients = try trace(
    model, inputs: inputs + targets, options: options.tracing("gradients", functions.names, isTraining: true)
  ) { builder, tensors in
    let (loss, all) = functions.outputs(builder, tensors, predict, loss, metrics)
    let parameters = Array(builder.parameters.reversed())
    let gradients = LatheNN.gradients(of: loss, withRespectTo: parameters.map(\.tensor))
    return NamedOutputs(all: all.all + zip(parameters, gradients).map { (gradientName(of: $0.name), $1) })
  }
  let types = gradients.outputs.filter { $0.name.hasPrefix(gradientName(of: "")) }
  let apply = try trace(
    model, inputs: types.map { gradients.type(of: $0) },
    options: options.tracing("apply", types.map(\.name), isTraining: true)
  ) { builder, tensors in
    let given = Dictionary(zip(types.map(\.name), tensors)) { first, _ in first }
    let parameters = builder.parameters
    let gradients = parameters.map { given[gradientName(of: $0.name)] ?? builder.poison }
    optimizer.update(
      parameters, gradients: options.clipping.map { $0(gradients) } ?? gradients, runtime: options.runtime)
    return ["steps": builder.content(named: "\(optimizer.name).step") ?? builder.poison]
  }
  let (evaluate, prediction) = try functions.withoutTraining(model, predict, loss, metrics)
  return try trainable(model, functions: [gradients, apply, evaluate, prediction], options: options)
}

/// What the functions of a trained model have in common.
struct TrainedFunctions {
  private let inputs: [TensorType]
  private let targets: [TensorType]
  private let options: TrainingOptions
  /// The names of the inputs, then of the targets.
  let names: [String]

  init(_ inputs: [TensorType], _ targets: [TensorType], _ options: TrainingOptions) {
    self.inputs = inputs
    self.targets = targets
    self.options = options
    names =
      options.inputNames.isEmpty
      ? inputs.indices.map { numbered("input", $0) } + targets.indices.map { numbered("target", $0) }
      : options.inputNames
  }

  func outputs<Output>(
    _ builder: Builder, _ tensors: [Tensor], _ predict: (Builder, [Tensor]) -> Output,
    _ loss: (Output, [Tensor]) -> Tensor, _ metrics: (Output, [Tensor]) -> [String: Tensor]
  ) -> (loss: Tensor, all: NamedOutputs) {
    let targets = Array(tensors.dropFirst(inputs.count))
    let (output, number) = autocast(options.autocast ?? .bf16, enabled: options.autocast != nil) {
      let output = predict(builder, Array(tensors.prefix(inputs.count)))
      return (output, loss(output, targets))
    }
    let metrics = metrics(output, targets).sorted { $0.key < $1.key }.map { (name: Optional($0.key), tensor: $0.value) }
    return (number, NamedOutputs(all: [("loss", number)] + metrics))
  }

  /// `evaluate` and `predict`.
  func withoutTraining<Output>(
    _ model: some Parameterized, _ predict: (Builder, [Tensor]) -> Output, _ loss: (Output, [Tensor]) -> Tensor,
    _ metrics: (Output, [Tensor]) -> [String: Tensor]
  ) throws(DiagnosticsError) -> (evaluate: Graph, predict: Graph) {
    let evaluate = try trace(
      model, inputs: inputs + targets, options: options.tracing("evaluate", names, isTraining: false)
    ) { outputs($0, $1, predict, loss, metrics).all }
    let prediction = try trace(
      model, inputs: inputs, options: options.tracing("predict", Array(names.prefix(inputs.count)), isTraining: false)
    ) { builder, tensors in
      autocast(options.autocast ?? .bf16, enabled: options.autocast != nil) { predict(builder, tensors) }
    }
    return (evaluate, prediction)
  }
}
