import ArgumentParser
import Lathe
import LatheCommands
import LatheCore

/// LeNet on digits of 8x8 pixels, which it enlarges to the size that it was made for.
struct LeNet: Module {
  let conv1 = Conv2d(1, 6, kernelSize: 5)
  let conv2 = Conv2d(6, 16, kernelSize: 5)
  let fc1 = Linear(400, 120)
  let fc2 = Linear(120, 84)
  let fc3 = Linear(84, 10)

  func callAsFunction(_ image: Tensor) -> Tensor {
    var x = interpolate(image, size: [32, 32], mode: .bilinear)
    x = maxPool2d(relu(conv1(x)), kernelSize: 2)
    x = maxPool2d(relu(conv2(x)), kernelSize: 2)
    return fc3(relu(fc2(relu(fc1(x.flatten(startDim: 1))))))
  }
}

/// The model of the command line: its training, with all its functions.
struct DigitsModel: ModelProvider {
  @Option(help: "How many digits make one step.")
  var batch = 32

  @Option(help: "Hand gradients out in buckets of at least so many bytes, to be summed over processes.")
  var bucketBytes: Int?

  @Option(help: "The function to look at, where a command takes one.")
  var function = "predict"

  func model(_ bindings: ModelBindings) throws(DiagnosticsError) -> LatheCore.Model {
    try trainable(
      LeNet(), loss: crossEntropy, optimizer: .sgd(lr: 0.05, momentum: 0.9, weightDecay: 1e-4), metric: .accuracy,
      .f32(Dim(batch), 1, 8, 8), .i64(Dim(batch)),
      options: TrainingOptions(
        name: "digits", inputNames: ["image", "digit"], clipping: .norm(1), bucketBytes: bucketBytes))
  }

  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    try model(bindings).function(named: function)
  }
}

@main
struct DigitsTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "digits", abstract: "LeNet that learns handwritten digits.",
    subcommands: modelCommands(for: DigitsModel.self))
}
