import Foundation
import LatheCore
public import LatheNN
public import Testing

/// An optimizer of the goldens with its options.
public struct OptimizerCase: Sendable, CustomTestStringConvertible {
  /// The case's name in the golden files.
  public let name: String
  /// The optimizer; nil where it has no counterpart, which a test notices.
  public let optimizer: Optimizer?

  /// The case's name.
  public var testDescription: String { name }

  /// All cases in `optimizers.json`; none where the file cannot be read, which a test notices.
  public static let all: [OptimizerCase] = {
    guard let data = FileManager.default.contents(atPath: goldenFolder + "optimizers.json"),
      let entries = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    else { return [] }
    return entries.map { entry in
      OptimizerCase(
        name: entry["case"] as? String ?? "",
        optimizer: optimizer(entry["optimizer"] as? String ?? "", entry["kwargs"] as? [String: Any] ?? [:]))
    }
  }()

  /// An optimizer by its name and options in `torch.optim`.
  static func optimizer(_ name: String, _ options: [String: Any]) -> Optimizer? {
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
