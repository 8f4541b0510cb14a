import ArgumentParser
import Lathe
import LatheCommands
import LatheVision

/// A model of torchvision's by name.
struct TorchvisionModel: ModelProvider {
  @Argument(help: ArgumentHelp("The model by torchvision's name, such as resnet18.", valueName: "NAME"))
  var name: String

  @Option(help: ArgumentHelp("The parameters; random ones by default.", valueName: "FILE.pth|.safetensors|.npz"))
  var parameters: String?

  @Option(help: ArgumentHelp("How many classes there are.", valueName: "C"))
  var classes = 1000

  @Option(help: ArgumentHelp("The sides of the images.", valueName: "PIXELS"))
  var size = 224

  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph {
    let model = try getModel(name, numClasses: classes)
    if let parameters { try model.loadStateDict(load(parameters)) }
    let options = TraceOptions(name: name, inputNames: ["image"])
    return try trace(model, inputs: [.f32("N", 3, Dim(size), Dim(size))], options: options) {
      model($1[0])
    }
  }
}

/// `list`: the names of all models.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Print the names of all models.")

  func run() { print(listModels().joined(separator: "\n")) }
}

@main
struct TorchvisionTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "torchvision", abstract: "torchvision's models, traced from Swift.",
    subcommands: [ListCommand.self] + modelCommands(for: TorchvisionModel.self))
}
