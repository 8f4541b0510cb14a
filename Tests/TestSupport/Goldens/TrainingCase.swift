import Foundation
public import LatheCore
import LatheNN
public import Testing

/// A few steps of training a network on one batch, as `tools/goldens.py` wrote them.
public struct TrainingCase: Sendable, CustomTestStringConvertible {
  /// The case's name in the golden files.
  public let name: String
  /// The golden file with the parameters before the first step and the batch.
  public let network: String
  private let optimizer: Optimizer?

  /// The case's name.
  public var testDescription: String { name }

  /// All cases in `training.json`; none where the file cannot be read, which a test notices.
  public static let all: [TrainingCase] = {
    guard let data = FileManager.default.contents(atPath: goldenFolder + "training.json"),
      let entries = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    else { return [] }
    return entries.map { entry in
      TrainingCase(
        name: entry["case"] as? String ?? "", network: entry["network"] as? String ?? "",
        optimizer: OptimizerCase.optimizer(
          entry["optimizer"] as? String ?? "", entry["kwargs"] as? [String: Any] ?? [:]))
    }
  }()

  /// One step as a graph from the variables and the batch to the loss and the updated variables; nil where the network
  /// or the optimizer is not known.
  public func graph() throws(DiagnosticsError) -> Graph? {
    switch network {
    case "mlp": try step(Sequential(Linear(12, 16), ReLU(), Linear(16, 8), ReLU(), Linear(8, 5)))
    case "lenet": try step(LeNet())
    case "resnet18": try step(ResNet18(width: 8, classes: 10))
    default: nil
    }
  }

  private func step(_ model: some Module<Tensor, Tensor>) throws(DiagnosticsError) -> Graph? {
    let arrays = goldenArrays("\(network).npz")
    guard let optimizer, let x = arrays["input/x"], let target = arrays["input/target"] else { return nil }
    let parameters = ["param/", "buffer/"].flatMap { prefix in
      arrays.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
    }
    return try trainingStep(
      model, loss: { crossEntropy($0, $1) }, optimizer: optimizer, x.type, target.type,
      parameters: Dictionary(parameters) { first, _ in first })
  }

  /// The batch, by the names of the graph's inputs.
  public var batch: [String: NDArray] {
    let arrays = goldenArrays("\(network).npz")
    var batch: [String: NDArray] = [:]
    batch["input"] = arrays["input/x"]
    batch["target"] = arrays["input/target"]
    return batch
  }

  /// The loss before each step.
  public var losses: [Double] { goldenArrays("training.npz")["\(name)/losses"]?.doubles ?? [] }

  /// Parameters and buffers after the last step.
  public var variables: [String: NDArray] {
    let prefix = "\(name)/after/"
    let found = goldenArrays("training.npz").filter { $0.key.hasPrefix(prefix) }
    return Dictionary(found.map { (String($0.key.dropFirst(prefix.count)), $0.value) }) { first, _ in first }
  }
}
