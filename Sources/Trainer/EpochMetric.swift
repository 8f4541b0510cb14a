public import Lathe

/// A number that says how good a model is on a whole epoch: exact, whatever the sizes of its batches.
///
/// A batch contributes sums, or for some metrics all of its scores; the number is made of those of all batches.
///
/// ```swift
/// let trainer = try Trainer(model, loss: crossEntropy, optimizer: .adam(), metrics: [.accuracy, .f1(average: .macro)])
/// ```
public struct EpochMetric: Sendable {
  /// How the contributions of batches become one.
  public enum Joining: Sendable {
    /// They are added.
    case sum
    /// They are put one behind the other.
    case concatenation
  }

  /// The name in logs.
  public let name: String
  let joining: Joining
  let contributions: @Sendable (_ output: Tensor, _ target: Tensor) -> [Tensor]
  let result: @Sendable (_ joined: [[Double]]) -> Double

  /// A metric of one's own.
  ///
  /// - Parameters:
  ///   - joining: How the contributions of batches become one.
  ///   - contributions: What a batch contributes, of any types and shapes.
  ///   - result: The number, given the elements of each contribution, joined.
  public init(
    _ name: String, joining: Joining = .sum,
    contributions: @escaping @Sendable (_ output: Tensor, _ target: Tensor) -> [Tensor],
    result: @escaping @Sendable (_ joined: [[Double]]) -> Double
  ) {
    self.name = name
    self.joining = joining
    self.contributions = contributions
    self.result = result
  }

  /// The mean of a number of every element, or of one for each batch, weighted by the batches' sizes.
  public init(_ metric: Metric) {
    self.init(metric.name, mean: metric.elements ?? { metric.compute($0, $1).expand([$1.shape.first ?? 1]) })
  }

  /// The mean of a number of every element.
  ///
  /// - Parameter transform: Makes the metric of the mean.
  private init(
    _ name: String, mean elements: @escaping @Sendable (Tensor, Tensor) -> Tensor,
    _ transform: @escaping @Sendable (Double) -> Double = { $0 }
  ) {
    self.init(name) { output, target in
      let elements = elements(output, target).convert(to: .f64)
      return [elements.sum(), elements.onesLike().sum()]
    } result: {
      transform(ratio($0[0][0], $0[1][0]))
    }
  }
}

/// A quotient that is 0 where there is nothing to divide, as scikit-learn has it.
private func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }

// MARK: Classes

extension EpochMetric {
  /// The share of samples whose largest score is the target's class; the classes are the scores' second axis.
  public static let accuracy = EpochMetric(Metric.accuracy)

  /// The share of samples whose target is among the classes of the `k` largest scores.
  public static func topKAccuracy(_ k: Int = 5) -> EpochMetric {
    EpochMetric(
      "top_\(k)_accuracy",
      mean: { output, target in
        (output.topk(k, dim: 1).indices .== target.unsqueeze(dim: 1)).any(dim: 1)
      })
  }

  /// The share of numbers that are on the target's side of a threshold; targets are 0 and 1.
  ///
  /// - Parameter threshold: 0 for logits.
  public static func binaryAccuracy(threshold: Double = 0.5) -> EpochMetric {
    EpochMetric("binary_accuracy", mean: { output, target in (output .> threshold) .== (target .> 0.5) })
  }

  /// How the numbers of classes become one, in scikit-learn's words.
  public enum Average: Sendable {
    /// There are two classes, told by a threshold: the number is that of the second.
    case binary(threshold: Double = 0.5)
    /// The mean over the classes that occur, in targets or predictions.
    case macro
    /// The number of all samples together.
    case micro
    /// The mean over classes, by how often they are targets.
    case weighted
  }

  /// The share of the predictions of a class that are right.
  public static func precision(average: Average = .binary()) -> EpochMetric {
    confusion("precision", average) { ratio($0.hits, $0.predicted) }
  }

  /// The share of a class that is predicted.
  public static func recall(average: Average = .binary()) -> EpochMetric {
    confusion("recall", average) { ratio($0.hits, $0.actual) }
  }

  /// The harmonic mean of precision and recall.
  public static func f1(average: Average = .binary()) -> EpochMetric {
    confusion("f1", average) { ratio(2 * $0.hits, $0.predicted + $0.actual) }
  }

  /// How often a class is predicted and right, predicted, and the target.
  private typealias Counts = (hits: Double, predicted: Double, actual: Double)

  private static func confusion(
    _ name: String, _ average: Average, _ number: @escaping @Sendable (Counts) -> Double
  ) -> EpochMetric {
    EpochMetric(name) { output, target in
      var (predictions, actual) = (output, target)
      if case .binary(let threshold) = average {
        (predictions, actual) = ((output .> threshold).reshape(-1, 1), (target .> 0.5).reshape(-1, 1))
      } else if let classes = output.shape.dropFirst().first?.known {
        predictions = oneHot(output.argmax(dim: 1), numClasses: classes)
        actual = oneHot(target, numClasses: classes)
      }
      (predictions, actual) = (predictions.convert(to: .f64), actual.convert(to: .f64))
      return [predictions * actual, predictions, actual].map { $0.flatten(endDim: -2).sum(dim: 0) }
    } result: { joined in
      let classes = (0..<joined[0].count).map { Counts(joined[0][$0], joined[1][$0], joined[2][$0]) }
      switch average {
      case .binary: return classes.first.map(number) ?? 0
      case .micro:
        return number(classes.reduce((0, 0, 0)) { ($0.0 + $1.hits, $0.1 + $1.predicted, $0.2 + $1.actual) })
      case .macro:
        let present = classes.filter { $0.predicted + $0.actual > 0 }
        return ratio(present.reduce(0) { $0 + number($1) }, Double(present.count))
      case .weighted:
        return ratio(
          classes.reduce(0) { $0 + number($1) * $1.actual }, classes.reduce(0) { $0 + $1.actual })
      }
    }
  }

  /// The area under the receiver operating characteristic.
  ///
  /// It is the chance that a sample of the second class has a larger number
  /// than one of the first. It is exact: the numbers of all samples are kept for it.
  public static let auc = EpochMetric("auc", joining: .concatenation) { output, target in
    [output.flatten(), target.flatten()]
  } result: { joined in
    let samples = zip(joined[0], joined[1]).sorted { $0.0 < $1.0 }
    let positives = Double(samples.count { $0.1 > 0.5 })
    let negatives = Double(samples.count) - positives
    guard positives > 0, negatives > 0 else { return .nan }
    // The sum of the ranks of the second class, of which equal numbers share theirs.
    var (ranks, start) = (0.0, 0)
    while start < samples.count {
      let end = samples[start...].firstIndex { $0.0 != samples[start].0 } ?? samples.count
      ranks += Double(start + end + 1) / 2 * Double(samples[start..<end].count { $0.1 > 0.5 })
      start = max(end, start + 1)
    }
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
  }
}

// MARK: Numbers

extension EpochMetric {
  /// The mean distance from the target.
  public static let meanAbsoluteError = EpochMetric(Metric.meanAbsoluteError)
  /// The mean square of the distance from the target.
  public static let meanSquaredError = EpochMetric("mean_squared_error", mean: squares)
  /// The root of the mean square of the distance from the target.
  public static let rootMeanSquaredError = EpochMetric("root_mean_squared_error", mean: squares) { $0.squareRoot() }

  @Sendable private static func squares(_ output: Tensor, _ target: Tensor) -> Tensor {
    let distance = output.convert(to: .f64) - target.convert(to: .f64)
    return distance * distance
  }

  /// The share of the targets' variance that predictions explain, of all elements together.
  public static let r2 = EpochMetric("r2", joining: .concatenation) { output, target in
    [output.flatten(), target.flatten()]
  } result: { joined in
    let mean = joined[1].reduce(0, +) / Double(joined[1].count)
    let residual = zip(joined[0], joined[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let total = joined[1].reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return total == 0 ? .nan : 1 - residual / total
  }
}
