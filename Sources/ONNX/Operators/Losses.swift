internal import LatheCore
internal import LatheNN

/// Losses.
extension Operator {
  static let losses: [String: Operator] = [
    "NegativeLogLikelihoodLoss": .one { call throws(TypeFault) in
      nllLoss(
        try call.tensor(0), try call.tensor(1), weight: try call.optional(2), ignoreIndex: try ignored(call),
        reduction: try reduction(call))
    },
    "SoftmaxCrossEntropyLoss": .several { call throws(TypeFault) in
      let x = try call.tensor(0)
      let loss = crossEntropy(
        x, try call.tensor(1), weight: try call.optional(2), ignoreIndex: try ignored(call),
        reduction: try reduction(call))
      return [loss, logSoftmax(x, dim: 1)]
    },
  ]

  /// Without the attribute every index counts.
  private static func ignored(_ call: Call) throws(TypeFault) -> Int {
    try call.optionalInteger("ignore_index") ?? Int(Int32.min)
  }

  private static func reduction(_ call: Call) throws(TypeFault) -> Reduction {
    let name = try call.string("reduction", default: "mean")
    guard let reduction = Reduction(rawValue: name) else {
      throw TypeFault("the reduction '\(name)' is not one of none, sum, mean")
    }
    return reduction
  }
}
