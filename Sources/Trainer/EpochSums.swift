import Lathe

/// What the batches of an epoch have contributed to the loss and the metrics so far.
struct EpochSums {
  private let metrics: [EpochMetric]
  private var samples = 0.0
  private var loss = 0.0
  /// By metric and contribution.
  private var joined: [[[Double]]]

  init(_ metrics: [EpochMetric]) {
    self.metrics = metrics
    joined = metrics.map { _ in [] }
  }

  /// What a function gives beside the loss, by names whose order is that of the metrics.
  static func outputs(_ metrics: [EpochMetric], _ output: Tensor, _ target: Tensor) -> [String: Tensor] {
    var outputs: [String: Tensor] = [:]
    for (position, metric) in metrics.enumerated() {
      for (part, tensor) in metric.contributions(output, target).enumerated() {
        outputs["metric.\(1000 + position).\(1000 + part)"] = tensor
      }
    }
    return outputs
  }

  /// Adds what a batch gives.
  ///
  /// - Parameter names: Those of the outputs, of which the loss is the first.
  mutating func add(_ outputs: [NDArray], named names: [String], samples count: Int) {
    samples += Double(count)
    loss += outputs[0].doubles[0] * Double(count)
    var parts = metrics.map { _ in 0 }
    for (name, array) in zip(names, outputs).dropFirst() {
      let fields = name.split(separator: ".")
      guard fields.count == 3, let number = Int(fields[1]) else { internalError("an output '\(name)' of a metric") }
      let metric = number - 1000
      add(array.doubles, to: metric, parts[metric])
      parts[metric] += 1
    }
  }

  private mutating func add(_ numbers: [Double], to metric: Int, _ part: Int) {
    if joined[metric].count == part {
      joined[metric].append(numbers)
    } else if metrics[metric].joining == .concatenation {
      joined[metric][part] += numbers
    } else {
      for position in numbers.indices { joined[metric][part][position] += numbers[position] }
    }
  }

  /// Whether no sample was seen.
  var isEmpty: Bool { samples == 0 }

  /// The loss and the metrics of all batches so far; none before the first.
  var logs: [String: Double] { logs { _ in true } }

  /// The same without metrics that take long: what is shown after every step.
  var stepLogs: [String: Double] { logs { $0.joining == .sum } }

  private func logs(of isWanted: (EpochMetric) -> Bool) -> [String: Double] {
    guard samples > 0 else { return [:] }
    var logs = ["loss": loss / samples]
    for (metric, joined) in zip(metrics, joined) where isWanted(metric) { logs[metric.name] = metric.result(joined) }
    return logs
  }

  // MARK: Checkpoints

  /// The sums as arrays.
  var state: [String: NDArray] {
    var state = ["epoch": NDArray([samples, loss])]
    for (metric, parts) in joined.enumerated() {
      for (part, numbers) in parts.enumerated() { state["\(metric).\(part)"] = NDArray(numbers) }
    }
    return state
  }

  /// The sums of a checkpoint.
  init(_ metrics: [EpochMetric], _ state: [String: NDArray]) throws(DiagnosticsError) {
    self.init(metrics)
    guard let epoch = state["epoch"]?.doubles, epoch.count == 2 else {
      throw DiagnosticsError("the checkpoint does not say how far its epoch has come")
    }
    (samples, loss) = (epoch[0], epoch[1])
    for metric in metrics.indices {
      var part = 0
      while let numbers = state["\(metric).\(part)"] {
        joined[metric].append(numbers.doubles)
        part += 1
      }
    }
  }
}
