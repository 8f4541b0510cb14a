import ArgumentParser
import Lathe
import LatheCore

/// How a model from a file is trained.
struct TrainingSettings: ParsableArguments {
  @Option(
    name: .customLong("loss"),
    help: ArgumentHelp(
      "The loss: \(NamedLoss.all.map(\.name).joined(separator: ", ")). (default: \(NamedLoss.all[0].name))",
      valueName: "LOSS"))
  var lossName: LossName?

  @Option(
    name: .customLong("loss-output"), help: ArgumentHelp("The output that the loss is of.", valueName: "NAME"))
  var lossOutput: String?

  @Option(name: .customLong("optimizer"), help: "The rule that moves the parameters. (default: sgd)")
  var optimizerName: OptimizerName?

  @Option(
    help: ArgumentHelp("The learning rate; by default PyTorch's for the optimizer.", valueName: "RATE"),
    transform: number(.positive))
  var lr: Double?

  @Option(help: ArgumentHelp("The momentum of sgd and rmsprop.", valueName: "SHARE"), transform: number())
  var momentum: Double?

  @Option(help: ArgumentHelp("The weight decay.", valueName: "SHARE"), transform: number())
  var weightDecay: Double?

  @Option(
    help: ArgumentHelp("The most that the norm of all gradients together may be.", valueName: "NORM"),
    transform: number(.positive))
  var clipNorm: Double?

  @Option(
    help: ArgumentHelp("The most that an element of a gradient may be.", valueName: "VALUE"),
    transform: number(.positive))
  var clipValue: Double?

  @Option(
    name: .customLong("trainable"),
    help: ArgumentHelp(
      "Train only parameters with such names; * stands for any characters. By default all, save running statistics.",
      valueName: "PATTERN"))
  var patterns: [String] = []

  var loss: NamedLoss { lossName?.loss ?? NamedLoss.all[0] }
  var optimizer: OptimizerName { optimizerName ?? .sgd }

  /// An option that was given.
  var given: String? {
    let numbers: [(String, Double?)] = [
      ("--lr", lr), ("--momentum", momentum), ("--weight-decay", weightDecay), ("--clip-norm", clipNorm),
      ("--clip-value", clipValue),
    ]
    return lossName != nil
      ? "--loss"
      : lossOutput != nil
        ? "--loss-output"
        : optimizerName != nil
          ? "--optimizer" : numbers.first { $0.1 != nil }?.0 ?? (patterns.isEmpty ? nil : "--trainable")
  }

  func validate() throws {
    guard clipNorm == nil || clipValue == nil else {
      throw ValidationError("--clip-norm and --clip-value exclude each other")
    }
    if let momentum, momentum != 0, optimizer != .sgd, optimizer != .rmsprop {
      throw ValidationError("--momentum is for sgd and rmsprop")
    }
    if weightDecay != nil, optimizer == .rprop || optimizer == .lbfgs {
      throw ValidationError("\(optimizer) has no weight decay")
    }
    if clipNorm != nil || clipValue != nil, optimizer == .lbfgs { throw ValidationError("lbfgs knows no clipping") }
  }

  /// The functions of the training of a graph whose parameters are variables.
  func model(
    _ graph: Graph, evaluation: Graph, name: String, accumulation: Int = 1, bucketBytes: Int? = nil
  ) throws(DiagnosticsError) -> Model {
    let folded = graph.variables.map(\.name).filter { $0.hasPrefix("onnx::Conv_") }
    if !folded.isEmpty {
      Console.note(
        "batch-norm was folded into convolutions when the model was exported: \(folded.count) parameters of both are trained as one"
      )
    }
    return try graph.trainable(
      loss: loss, of: lossOutput, optimizer: rule, training: patterns, evaluation: evaluation,
      options: TrainingOptions(
        name: name, clipping: clipNorm.map { .norm($0) } ?? clipValue.map { .value($0) }, accumulation: accumulation,
        bucketBytes: bucketBytes))
  }

  /// The learning rate, as a step takes it.
  var learningRate: NDArray { NDArray(scalar: .float(rule.hyperparameters["lr"] ?? 0), dtype: .f64) }

  private var rule: Optimizer {
    let decay = weightDecay ?? 0
    return switch optimizer {
    case .sgd: .sgd(lr: lr ?? 1e-3, momentum: momentum ?? 0, weightDecay: decay)
    case .adam: .adam(lr: lr ?? 1e-3, weightDecay: decay)
    case .adamw: .adamW(lr: lr ?? 1e-3, weightDecay: weightDecay ?? 1e-2)
    case .nadam: .nadam(lr: lr ?? 2e-3, weightDecay: decay)
    case .radam: .radam(lr: lr ?? 1e-3, weightDecay: decay)
    case .adamax: .adamax(lr: lr ?? 2e-3, weightDecay: decay)
    case .adagrad: .adagrad(lr: lr ?? 1e-2, weightDecay: decay)
    case .adadelta: .adadelta(lr: lr ?? 1, weightDecay: decay)
    case .rmsprop: .rmsprop(lr: lr ?? 1e-2, weightDecay: decay, momentum: momentum ?? 0)
    case .rprop: .rprop(lr: lr ?? 1e-2)
    case .asgd: .asgd(lr: lr ?? 1e-2, weightDecay: decay)
    case .lbfgs: .lbfgs(lr: lr ?? 1)
    }
  }
}

/// Whether the training of a model is meant, and how it is trained.
struct TrainOption: ParsableArguments {
  @Flag(help: "Take the training of the model, and not only its outputs.")
  var train = false

  @OptionGroup(title: "Training") var settings: TrainingSettings

  func validate() throws {
    if !train, let option = settings.given { throw ValidationError("\(option) is for --train") }
  }

  /// The functions of the training of a model: `initialize`, `train_step`, `evaluate`, `predict`.
  func functions(
    of model: some ModelProvider, _ known: BindingOptions, name: String? = nil, bucketBytes: Int? = nil
  ) throws(DiagnosticsError) -> Model {
    var bindings = try known.bindings(of: model, trainable: true)
    let graph = try model.fullyBoundGraph(bindings)
    bindings.evaluating = true
    return try settings.model(
      graph, evaluation: model.fullyBoundGraph(bindings), name: name ?? graph.name, bucketBytes: bucketBytes)
  }
}

/// The loss that was named.
struct LossName: ExpressibleByArgument {
  let loss: NamedLoss

  init(loss: NamedLoss) { self.loss = loss }

  init?(argument: String) {
    guard let known = NamedLoss.all.first(where: { $0.name == argument }) else { return nil }
    loss = known
  }

  static var allValueStrings: [String] { NamedLoss.all.map(\.name) }
}

/// The optimizer that was named.
enum OptimizerName: String, ExpressibleByArgument, CaseIterable {
  case sgd, adam, adamw, nadam, radam, adamax, adagrad, adadelta, rmsprop, rprop, asgd, lbfgs
}
