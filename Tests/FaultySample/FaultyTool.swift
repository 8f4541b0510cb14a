import ArgumentParser
import Lathe
import LatheCommands

/// A layer with three mistakes that have nothing to do with each other.
struct Faulty: Module {
  let narrow = Linear(9, 3)

  func callAsFunction(_ x: Tensor) -> Tensor {
    let a = narrow(x)
    let b = relu(x).permute(0, 7)
    let c = softmax(x, dim: 4)
    return a + b * c
  }
}

/// The model of the command line.
struct FaultyModel: ModelProvider {
  func graph(_ bindings: ModelBindings) throws(DiagnosticsError) -> Graph { try trace(Faulty(), .f32(2, 4)) }
}

/// What `check` says of a sample with mistakes is tested on this one.
@main
struct FaultyTool: ModelTool {
  static let configuration = CommandConfiguration(
    commandName: "faulty", abstract: "A model with mistakes.", subcommands: modelCommands(for: FaultyModel.self))
}
