public import LatheCore

/// A softmax over many classes that are sorted by frequency: rare ones share a class of the first softmax, and have one of
/// their own with fewer features.
///
/// PyTorch computes only the clusters that have targets; here all are computed, which gives the same numbers.
///
/// Source: Grave, Joulin, Cissé, Grangier, Jégou, Efficient softmax approximation for GPUs, 2016, arXiv 1609.04309.
public struct AdaptiveLogSoftmaxWithLoss: Module {
  /// The frequent classes and the clusters.
  public let head: Linear
  /// The classes of each cluster: a projection to fewer features, and one to its classes.
  public let tail: [Sequential]
  private let shortlist: Int
  private let fault: TypeFault?
  private let identity = LayerIdentity()

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - cutoffs: Where clusters begin, rising: `[10, 100]` of 1000 classes are 10 frequent ones and two clusters.
  ///   - divValue: How many times fewer features each cluster has than the one before.
  ///   - headBias: Whether the first softmax has a bias.
  public init(
    _ inFeatures: Int, _ nClasses: Int, cutoffs: [Int], divValue: Double = 4, headBias: Bool = false,
    dtype: ScalarType = .f32
  ) {
    let isRising = zip([0] + cutoffs, cutoffs + [nClasses]).allSatisfy { $0 < $1 }
    fault =
      isRising && !cutoffs.isEmpty && divValue >= 1
      ? nil
      : TypeFault("the cutoffs \(cutoffs) do not rise from 1 below \(nClasses), or divValue \(divValue) is below 1")
    let cutoffs = fault == nil ? cutoffs : []
    shortlist = cutoffs.first ?? 0
    head = Linear(inFeatures, shortlist + cutoffs.count, bias: headBias, dtype: dtype)
    // More than memory holds is told where the layers are traced.
    var features = min(Double(inFeatures), 0x1p62)
    tail = zip(cutoffs, cutoffs.dropFirst() + [nClasses]).map { low, high in
      features /= divValue
      let width = Int(features)
      return Sequential(
        Linear(inFeatures, width, bias: false, dtype: dtype), Linear(width, high - low, bias: false, dtype: dtype))
    }
  }

  /// The logarithms of the targets' probabilities, `[N]`, and their mean's negative, from `[N, features]` and classes
  /// `[N]`; without N for one.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> (output: Tensor, loss: Tensor) {
    let (x, target) = inputs
    let all = logProb(x)
    let results = identity.scope(of: x) { _ in
      composite("adaptiveLogSoftmaxWithLoss", [all, target], count: 2) { () throws(TypeFault) -> [Tensor] in
        guard target.dtype.isInteger, target.shape == Array(all.shape.dropLast()) else {
          throw TypeFault("the target is \(target.type), needs integers of shape \(Array(all.shape.dropLast()).text)")
        }
        let output = all.gatherAlong(axis: all.rank - 1, indices: target.unsqueeze(dim: -1)).squeeze(dim: -1)
        return [output, -output.mean()]
      }
    }
    return (results[0], results[1])
  }

  /// The logarithms of all classes' probabilities, `[N, classes]`.
  public func logProb(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { builder in
      if let fault {
        builder.record(fault, operation: "adaptiveLogSoftmaxWithLoss", operands: [x])
        return builder.poison
      }
      let first = logSoftmax(head(x), dim: -1)
      let clusters = tail.enumerated().map { position, cluster in
        logSoftmax(cluster(x), dim: -1) + first.narrow(dim: -1, start: shortlist + position, length: 1)
      }
      return cat([first.narrow(dim: -1, start: 0, length: shortlist)] + clusters, dim: -1)
    }
  }

  /// The likeliest class, `[N]`.
  public func predict(_ x: Tensor) -> Tensor { logProb(x).argmax(dim: -1) }
}
