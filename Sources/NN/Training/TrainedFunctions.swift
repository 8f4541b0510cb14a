import LatheCore

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
