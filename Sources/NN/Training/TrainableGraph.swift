public import LatheCore

/// A loss by name, for models that are trained from a file.
public struct NamedLoss: Sendable {
  /// The name, in PyTorch's words: `cross-entropy`.
  public let name: String
  let compute: @Sendable (_ output: Tensor, _ target: Tensor) -> Tensor
  /// Whether the targets are numbers of classes, one for each score's position.
  let takesClasses: Bool
  let metric: Metric?

  private init(
    _ name: String, takesClasses: Bool = false, metric: Metric? = nil,
    _ compute: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) {
    self.name = name
    self.takesClasses = takesClasses
    self.metric = metric
    self.compute = compute
  }

  /// All losses that models can be trained with from a file; the mean over the batch is taken.
  public static let all = [
    NamedLoss("cross-entropy", takesClasses: true, metric: .accuracy) { crossEntropy($0, $1) },
    NamedLoss("nll", takesClasses: true, metric: .accuracy) { nllLoss($0, $1) },
    NamedLoss("mse", metric: .meanAbsoluteError) { mseLoss($0, $1) },
    NamedLoss("l1") { l1Loss($0, $1) },
    NamedLoss("smooth-l1", metric: .meanAbsoluteError) { smoothL1Loss($0, $1) },
    NamedLoss("huber", metric: .meanAbsoluteError) { huberLoss($0, $1) },
    NamedLoss("bce") { binaryCrossEntropy($0, $1) },
    NamedLoss("bce-with-logits") { binaryCrossEntropyWithLogits($0, $1) },
  ]

  /// The type of the targets for an output.
  ///
  /// - Throws: That the output has no axis of classes.
  func targetType(for output: TensorType) throws(DiagnosticsError) -> TensorType {
    guard takesClasses else { return output }
    guard output.rank > 0 else { throw DiagnosticsError("the output is \(output), which has no axis of classes") }
    var shape = output.shape
    shape.remove(at: output.rank > 1 ? 1 : 0)
    return TensorType(.i64, shape)
  }
}

extension Graph {
  /// The functions of a model that is trained further, from its graph: `initialize`, `train_step`, `evaluate` and
  /// `predict`, as `trainable` makes them of modules.
  ///
  /// The parameters start as the graph has them. Layers stay as they are in the graph: one for inference trains without
  /// dropout, and with the running statistics that it has; what one for training updates is updated in every step.
  ///
  /// - Parameters:
  ///   - evaluation: The graph of the same model for inference, which `evaluate` and `predict` run; by default this one.
  ///   - output: The output that the loss is taken of; by default the only one.
  ///   - patterns: Which parameters are trained, by patterns of their names; by default all floats, save running
  ///     statistics.
  /// - Throws: That there is no such output, no parameter to train, or several outputs and no name.
  public func trainable(
    loss: NamedLoss, of output: String? = nil, optimizer: Optimizer, training patterns: [String] = [],
    evaluation: Graph? = nil, options: TrainingOptions = TrainingOptions()
  ) throws(DiagnosticsError) -> Model {
    let chosen = try position(ofOutput: output)
    let trained = Set(variables.filter { $0.isTrained(patterns) }.map(\.name))
    let names = Set(variables.map(\.name))
    guard !trained.isEmpty else {
      throw DiagnosticsError(
        patterns.isEmpty ? "the model has no parameters to train" : "no parameter's name matches",
        help: variables.isEmpty ? nil : "its parameters are \(variables.map(\.name).joined(separator: ", "))")
    }
    let variables = (variables + (evaluation?.variables ?? []).filter { !names.contains($0.name) }).map { variable in
      Variable(
        name: variable.name, role: trained.contains(variable.name) ? .parameter : .buffer, initial: variable.initial)
    }
    let target = try loss.targetType(for: type(of: outputs[chosen].value))
    let evaluation = evaluation ?? self
    func function(
      _ name: String, of graph: Graph, hasTarget: Bool, updating: Bool = false,
      _ results: (Builder, [Tensor], Tensor?) -> [(name: String, tensor: Tensor)]
    ) throws(DiagnosticsError) -> Graph {
      let builder = Builder(isTraining: true)
      for variable in variables { _ = builder.variable(variable) }
      let inputs = graph.inputs.map { builder.input(graph.inputName($0), graph.type(of: $0)) }
      let target = hasTarget ? builder.input("target", target) : nil
      let outputs = graph.inlined(inputs, in: builder, updating: updating)
      return try builder.finish(name: name, outputs: results(builder, outputs, target))
    }
    func numbers(_ outputs: [Tensor], _ target: Tensor?) -> [(name: String, tensor: Tensor)] {
      guard let target else { return [] }
      return [("loss", loss.compute(outputs[chosen], target))]
        + (loss.metric.map { [($0.name, $0.compute(outputs[chosen], target))] } ?? [])
    }
    let functions = [
      try function("train_step", of: self, hasTarget: true, updating: true) { builder, outputs, target in
        let numbers = numbers(outputs, target)
        optimizer.minimize(
          numbers[0].tensor, variables.filter { trained.contains($0.name) }.map { ($0.name, builder.variable($0)) },
          clipping: options.clipping, runtime: options.runtime, accumulation: options.accumulation,
          bucketBytes: options.bucketBytes)
        return numbers
      },
      try function("evaluate", of: evaluation, hasTarget: true) { _, outputs, target in numbers(outputs, target) },
      try function("predict", of: evaluation, hasTarget: false) { _, results, _ in
        Array(zip(outputs.map(\.name), results))
      },
    ]
    let initialize = try initialization(of: Model(name: options.name, functions: functions).variables)
    return try Model(name: options.name, functions: [initialize] + functions)
  }

  /// How many classes targets of a loss choose from; nil for losses whose targets are no classes.
  ///
  /// - Parameter output: The output that the loss is taken of; by default the only one.
  /// - Throws: That there is no such output.
  public func classCount(for loss: NamedLoss, of output: String? = nil) throws(DiagnosticsError) -> Int? {
    let type = type(of: outputs[try position(ofOutput: output)].value)
    guard loss.takesClasses, type.rank > 0 else { return nil }
    return type.shape[type.rank > 1 ? 1 : 0].known
  }

  private func position(ofOutput name: String?) throws(DiagnosticsError) -> Int {
    if let name, let position = outputs.firstIndex(where: { $0.name == name }) { return position }
    if name == nil, outputs.count == 1 { return 0 }
    throw DiagnosticsError(
      name.map { "the model has no output '\($0)'" } ?? "the model has \(outputs.count) outputs, and none is named",
      help: "its outputs are \(outputs.map(\.name).joined(separator: ", "))")
  }
}

extension Variable {
  /// Running statistics of batch-norm are no parameters, though files list them among them.
  private static let statistics = ["*running_mean", "*running_var", "*moving_mean", "*moving_variance"]

  fileprivate func isTrained(_ patterns: [String]) -> Bool {
    guard type.dtype.isFloat, role == .parameter else { return false }
    if patterns.isEmpty { return !Self.statistics.contains { name.matches(pattern: $0) } }
    return patterns.contains { name.matches(pattern: $0) }
  }
}
