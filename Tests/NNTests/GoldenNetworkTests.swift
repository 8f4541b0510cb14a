import Foundation
import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Networks against PyTorch")
struct GoldenNetworkTests {
  @Test("outputs and all gradients agree with PyTorch in f64", arguments: GoldenNetwork.small)
  func agrees(network: GoldenNetwork) throws {
    let graph = try network.graph(.f64)
    let results = try ReferenceEvaluator.run(graph, inputs: network.contents(.f64)).outputs
    let expected = network.expected()
    #expect(Set(results.keys) == Set(expected.keys))
    for (name, array) in expected.sorted(by: { $0.key < $1.key }) {
      if let text = deviation(results[name], array, rtol: 1e-6, atol: 1e-7) { Issue.record("\(name) \(text)") }
    }
  }

  @Test(
    "large networks trace with PyTorch's parameters, and give an output for every golden",
    arguments: GoldenNetwork.large)
  func traces(network: GoldenNetwork) throws {
    let graph = try network.graph(.f32)
    #expect(Set(graph.outputs.map(\.name)) == Set(network.expected().keys))
    #expect(Set(graph.updates.map(\.variable)) == Set(network.expectedBuffers().keys))
  }

  @Test("optimizers move a parameter as PyTorch's do, over six steps", arguments: OptimizerCase.all)
  func optimizer(golden: OptimizerCase) throws {
    let arrays = goldenArrays("optimizers.npz")
    let start = try #require(arrays["\(golden.name)/param"]).converted(to: .f64)
    let gradients = try #require(arrays["\(golden.name)/grads"]).converted(to: .f64)
    let expected = try #require(arrays["\(golden.name)/after"])
    let optimizer = try #require(golden.optimizer)
    let graph = try trace(inputs: [TensorType(.f64, start.shape)]) { builder, inputs in
      let parameter = builder.variable(Variable(name: "p", role: .parameter, initial: start))
      optimizer.update([("p", parameter)], gradients: [inputs[0]])
      return parameter
    }
    var variables: [String: NDArray] = [:]
    let size = start.bytes.count
    for step in 0..<gradients.shape[0] {
      let gradient = NDArray(
        dtype: .f64, shape: start.shape, bytes: Array(gradients.bytes[(step * size)..<((step + 1) * size)]))
      variables = try ReferenceEvaluator.run(graph, inputs: ["input": gradient], variables: variables).updates
      let after = NDArray(
        dtype: .f32, shape: start.shape,
        bytes: Array(expected.bytes[(step * size / 2)..<((step + 1) * size / 2)]))
      if let text = deviation(variables["p"], after, rtol: 1e-6, atol: 1e-7) {
        Issue.record("after step \(step + 1) \(text)")
      }
    }
  }
}

/// An optimizer of the goldens with its options.
struct OptimizerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let optimizer: Optimizer?

  var testDescription: String { name }

  static let all: [OptimizerCase] = {
    guard let data = FileManager.default.contents(atPath: goldenFolder + "optimizers.json"),
      let entries = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    else { return [] }
    return entries.map { entry in
      OptimizerCase(
        name: entry["case"] as? String ?? "",
        optimizer: optimizer(entry["optimizer"] as? String ?? "", entry["kwargs"] as? [String: Any] ?? [:]))
    }
  }()

  private static func optimizer(_ name: String, _ options: [String: Any]) -> Optimizer? {
    func number(_ key: String, _ value: Double) -> Double { (options[key] as? NSNumber)?.doubleValue ?? value }
    func flag(_ key: String) -> Bool { (options[key] as? NSNumber)?.boolValue ?? false }
    func pair(_ key: String, _ value: (Double, Double)) -> (Double, Double) {
      guard let numbers = options[key] as? [NSNumber], numbers.count == 2 else { return value }
      return (numbers[0].doubleValue, numbers[1].doubleValue)
    }
    let decay = number("weight_decay", 0)
    let betas = pair("betas", (0.9, 0.999))
    switch name {
    case "SGD":
      return .sgd(
        lr: number("lr", 1e-3), momentum: number("momentum", 0), dampening: number("dampening", 0),
        weightDecay: decay, nesterov: flag("nesterov"), maximize: flag("maximize"))
    case "Adam":
      return .adam(
        lr: number("lr", 1e-3), betas: betas, eps: number("eps", 1e-8), weightDecay: decay, amsgrad: flag("amsgrad"))
    case "AdamW":
      return .adamW(
        lr: number("lr", 1e-3), betas: betas, weightDecay: number("weight_decay", 1e-2), amsgrad: flag("amsgrad"))
    case "NAdam": return .nadam(lr: number("lr", 2e-3), betas: betas, weightDecay: decay)
    case "RAdam": return .radam(lr: number("lr", 1e-3), betas: betas, weightDecay: decay)
    case "Adamax": return .adamax(lr: number("lr", 2e-3), betas: betas, weightDecay: decay)
    case "Adagrad":
      return .adagrad(
        lr: number("lr", 1e-2), lrDecay: number("lr_decay", 0), weightDecay: decay,
        initialAccumulatorValue: number("initial_accumulator_value", 0))
    case "Adadelta": return .adadelta(lr: number("lr", 1), rho: number("rho", 0.9), weightDecay: decay)
    case "RMSprop":
      return .rmsprop(
        lr: number("lr", 1e-2), alpha: number("alpha", 0.99), weightDecay: decay, momentum: number("momentum", 0),
        centered: flag("centered"))
    case "Rprop":
      return .rprop(
        lr: number("lr", 1e-2), etas: pair("etas", (0.5, 1.2)), stepSizes: pair("step_sizes", (1e-6, 50)))
    case "ASGD":
      return .asgd(
        lr: number("lr", 1e-2), lambd: number("lambd", 1e-4), alpha: number("alpha", 0.75), t0: number("t0", 1e6),
        weightDecay: decay)
    default: return nil
    }
  }
}
