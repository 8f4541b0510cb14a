public import LatheCore
public import LatheNN
public import Testing

/// A network that is trained for some steps, as `tools/golden_training.py` trains it in PyTorch: the same weights and
/// batches, drawn from PyTorch's generator.
public struct TrainedNetwork: Sendable, CustomTestStringConvertible {
  /// The network's name.
  public let name: String
  /// The functions that make one step together, with the first learning rate of each beside that of AdamW.
  public let steps: [(function: String, rate: Double)]
  private let build: @Sendable ([Optimizer], ScalarType) throws -> LatheCore.Model
  /// The batches, which come again and again: the inputs of each step's functions, without learning rates.
  private let draw: @Sendable (Generator) throws -> [[[NDArray]]]

  public var testDescription: String { name }

  /// A network by its name.
  public init?(named name: String, batch: Int = 8, width: Int = 8) {
    switch name {
    case "mlp": self.init(name, batch, [784], 1e-3) { MLP([784, 256, 128, 10]) }
    case "lenet": self.init(name, batch, [1, 32, 32], 5e-4) { LeNet() }
    case "resnet18": self.init(name, batch, [3, 32, 32], 1e-3) { ResNet18(width: width, classes: 10) }
    case "lstm": self.init(name, batch, [12, width], 1e-2) { SequenceClassifier(width, 2 * width) }
    case "transformer": self.init(name, batch, [12, 2 * width], 2e-3) { EncoderClassifier(2 * width) }
    case "gan": self.init(adversarial: batch)
    default: return nil
    }
  }

  /// The networks of the goldens.
  public static let all = ["lenet", "resnet18", "lstm", "transformer", "gan"].compactMap { TrainedNetwork(named: $0) }

  /// The model before training.
  ///
  /// - Parameters:
  ///   - optimizer: One of `optimizers`.
  ///   - dtype: In which everything is computed.
  public func model(_ optimizer: String, dtype: ScalarType = .f32) throws -> LatheCore.Model {
    try Generator.$scoped.withValue(Generator()) {
      manualSeed(0)
      return try build(steps.map { try #require(Self.optimizers[optimizer]).make($0.rate) }, dtype)
    }
  }

  /// The inputs of each function of each step, in a type of float.
  public func batches(dtype: ScalarType = .f32) throws -> [[[NDArray]]] {
    try draw(Generator(seed: 1)).map { step in
      step.map { inputs in inputs.map { $0.dtype.isFloat ? $0.converted(to: dtype) : $0 } }
    }
  }

  /// The optimizers of the goldens by name, and the greatest learning rate of each for one that suits AdamW.
  public static let optimizers: [String: (make: @Sendable (Double) -> Optimizer, scale: Double)] = [
    "sgd": ({ .sgd(lr: 40 * $0, momentum: 0.9, weightDecay: 1e-4) }, 40), "adamw": ({ .adamW(lr: $0) }, 1),
    "rmsprop": ({ .rmsprop(lr: $0 / 2, momentum: 0.5) }, 0.5),
  ]

  /// A classifier.
  private init(
    _ name: String, _ batch: Int, _ shape: [Int], _ rate: Double,
    _ make: @escaping @Sendable () -> some Module<Tensor, Tensor>
  ) {
    self.name = name
    steps = [("train_step", rate)]
    build = { optimizers, dtype in
      try trainable(
        make(), loss: { crossEntropy($0, $1) }, optimizer: optimizers[0], metric: .accuracy,
        TensorType(dtype, [batch] + shape), TensorType(.i64, [batch]),
        options: TrainingOptions(name: name, clipping: .norm(1), floatType: dtype))
    }
    // Every class has a place of its own, with noise around it.
    draw = { generator in
      let centres = try rand([10] + shape, generator: generator)
      let size = shape.reduce(1, *)
      let centre = centres.doubles
      return try (0..<10).map { _ in
        let target = try randint(0, 10, [batch], generator: generator)
        let noise = try rand([batch] + shape, generator: generator).doubles
        let numbers = target.integers.enumerated().flatMap { row, digit in
          (0..<size).map { Float(noise[row * size + $0] - 0.5) + Float(centre[digit * size + $0]) }
        }
        return [[try NDArray(numbers, shape: [batch] + shape), target]]
      }
    }
  }

  /// A generator of 16 numbers and its critic, each with an optimizer.
  private init(adversarial batch: Int) {
    name = "gan"
    steps = [("train_discriminator", 1e-3), ("train_generator", 5e-4)]
    build = { optimizers, dtype in
      let gan = GAN()
      func label(_ scores: Tensor, _ value: Double) -> Tensor {
        binaryCrossEntropyWithLogits(scores, scores.fullLike(value))
      }
      func step(
        _ part: String, _ optimizer: Optimizer, _ inputs: [(name: String, type: TensorType)],
        _ loss: ([Tensor]) -> Tensor
      ) throws -> Graph {
        let options = TraceOptions(
          name: "train_\(part)", inputNames: inputs.map(\.name), isTraining: true, floatType: dtype)
        return try trace(gan, inputs: inputs.map(\.type), options: options) { builder, tensors in
          let loss = loss(tensors)
          optimizer.named("\(part)_optimizer").minimize(
            loss, builder.parameters.filter { $0.name.hasPrefix("\(part).") }, clipping: .norm(1), runtime: ["lr"])
          return ["loss": loss]
        }
      }
      let noise = ("noise", TensorType(dtype, [batch, 8]))
      let functions = [
        try step("discriminator", optimizers[0], [("real", TensorType(dtype, [batch, 16])), noise]) {
          label(gan.discriminator($0[0]), 1) + label(gan.discriminator(gan.generator($0[1])), 0)
        },
        try step("generator", optimizers[1], [noise]) { label(gan.discriminator(gan.generator($0[0])), 1) },
        try trace(
          gan, inputs: [noise.1], options: TraceOptions(name: "sample", inputNames: ["noise"], floatType: dtype)
        ) { gan.generator($1[0]) },
      ]
      return try trainable(gan, functions: functions, options: TrainingOptions(name: "gan", floatType: dtype))
    }
    draw = { generator in
      try (0..<10).map { _ in
        let real = try rand([batch, 16], generator: generator).doubles.map { Float($0) * 0.5 }
        let noise = try rand([2, batch, 8], generator: generator).doubles.map { Float($0) * 2 - 1 }
        return [
          [try NDArray(real, shape: [batch, 16]), try NDArray(Array(noise.prefix(8 * batch)), shape: [batch, 8])],
          [try NDArray(Array(noise.suffix(8 * batch)), shape: [batch, 8])],
        ]
      }
    }
  }
}

/// Two LSTM layers over `[N, T, I]` and a linear layer on the last output.
private struct SequenceClassifier: Module {
  let lstm: LSTM
  let fc: Linear

  init(_ inputSize: Int, _ hiddenSize: Int) {
    lstm = LSTM(inputSize, hiddenSize, numLayers: 2, batchFirst: true)
    fc = Linear(hiddenSize, 10)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { fc(lstm(x).output.select(dim: 1, index: -1)) }
}

/// Two encoder layers over `[N, L, E]` and a linear layer on the mean of the positions.
private struct EncoderClassifier: Module {
  let layers: [TransformerEncoderLayer]
  let fc: Linear

  init(_ width: Int) {
    layers = (0..<2).map { _ in encoderLayer(width, heads: width / 8, feedForward: 2 * width) }
    fc = Linear(width, 10)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { fc(layers.reduce(x) { $1($0) }.mean(dim: 1)) }
}

private struct GAN: Module {
  let generator = Sequential(Linear(8, 32), LeakyReLU(0.2), Linear(32, 16), Tanh())
  let discriminator = Sequential(Linear(16, 32), LeakyReLU(0.2), Linear(32, 1))

  func callAsFunction(_ noise: Tensor) -> Tensor { discriminator(generator(noise)) }
}
