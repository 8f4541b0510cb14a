import ArgumentParser
import Lathe
import LatheCommands
import LatheLoading
import LatheVision

/// A small convolutional network for pictures of 32 x 32 pixels, which it takes as bytes.
struct ShapeNet: Module {
  let normalize = Normalize(mean: [0.5], std: [0.25])
  let conv1 = Conv2d(3, 8, kernelSize: 5, padding: 2)
  let conv2 = Conv2d(8, 16, kernelSize: 3, padding: 1)
  let conv3 = Conv2d(16, 32, kernelSize: 3, padding: 1)
  let output = Linear(32 * 4 * 4, 3)

  func callAsFunction(_ picture: Tensor) -> Tensor {
    var x = normalize(picture.float() / 255)
    for layer in [conv1, conv2, conv3] { x = maxPool2d(relu(layer(x)), kernelSize: 2) }
    return output(x.flatten(startDim: 1))
  }
}

/// What the command line compiles: the chances of each class for one picture.
struct ShapesModel: ModelProvider {
  @Option(help: "The file that `learn` has written.")
  var state: String?

  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    let network = ShapeNet()
    if let state { try network.loadStateDict(load(state), strict: false) }
    return try trace(
      network, inputs: [.u8(1, 3, 32, 32)], options: TraceOptions(name: "shapes", inputNames: ["picture"])
    ) {
      softmax(network($1[0]), dim: 1)
    }
  }
}

/// Trains the network with the pictures in a folder.
struct Learn: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Learn from the pictures in a folder.")

  @Argument(help: "A folder with 'train' and 'test', in each a folder of pictures for each class.")
  var folder: String

  @Option(name: .shortAndLong, help: "Where the weights go: .safetensors, .pt or .npz.")
  var output = "shapes.safetensors"

  @Option(help: "How often all pictures are gone through.")
  var epochs = 10

  func run() throws {
    manualSeed(1)
    let transform = Compose(
      RandomCrop(32, padding: 2, mode: .edge), RandomHorizontalFlip(), RandomVerticalFlip())
    let pictures = try ImageFolder(root: folder + "/train", transform: transform)
    let training = try DataLoader(pictures, batchSize: 30, shuffle: true, dropLast: true, numWorkers: 2)
    let testing = try DataLoader(ImageFolder(root: folder + "/test"), batchSize: 30, dropLast: true)
    let model = try trainable(
      ShapeNet(), loss: crossEntropy, optimizer: .adamW(lr: 5e-3), metric: .accuracy, .u8(30, 3, 32, 32), .i64(30),
      options: TrainingOptions(name: "shapes", inputNames: ["picture", "shape"]))
    var session = try compile(model).native()
    let schedule = CosineAnnealingLR(5e-3, tMax: epochs)
    for epoch in 0..<epochs {
      let lr = NDArray(scalar: .float(schedule.lr(at: epoch)), dtype: .f64)
      var (loss, known) = (0.0, [Double]())
      try training.forEach { loss = try session.run("train_step", [$0, $1, lr])[0].doubles[0] }
      try testing.forEach { known.append(try session.run("evaluate", [$0, $1])[1].doubles[0]) }
      let share = known.reduce(0, +) / Double(known.count)
      print("epoch \(epoch + 1): loss \(Float(loss)), \(Int(100 * share)) % of the pictures of the test are known")
    }
    try save(session.savedState(), output)
  }
}

@main
struct ShapesTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "shapes", abstract: "A network that tells crosses, discs and rings apart.",
    subcommands: [Learn.self] + modelCommands(for: ShapesModel.self))
}
