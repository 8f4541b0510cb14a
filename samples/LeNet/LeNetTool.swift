import ArgumentParser
import Lathe
import LatheCommands

/// The convolutional network of LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document
/// Recognition (1998), with ReLU and max-pooling as it is taught today.
struct LeNet: Module {
  let conv1 = Conv2d(1, 6, kernelSize: 5)
  let conv2 = Conv2d(6, 16, kernelSize: 5)
  let fc1 = Linear(400, 120)
  let fc2 = Linear(120, 84)
  let fc3 = Linear(84, 10)

  func callAsFunction(_ x: Tensor) -> Tensor {
    var x = maxPool2d(relu(conv1(x)), kernelSize: 2)
    x = maxPool2d(relu(conv2(x)), kernelSize: 2)
    x = x.flatten(startDim: 1)
    return fc3(relu(fc2(relu(fc1(x)))))
  }
}

/// The model of the command line.
struct LeNetModel: ModelProvider {
  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    try trace(LeNet(), .f32("N", 1, 32, 32), name: "lenet", inputNames: ["image"])
  }
}

@main
struct LeNetTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "lenet", abstract: "LeNet, traced from Swift.", subcommands: modelCommands(for: LeNetModel.self))
}
