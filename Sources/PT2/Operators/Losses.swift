internal import LatheCore
internal import LatheNN

/// Losses, and distances.
extension Operator {
  static let losses: [String: Operator] = [
    "mse_loss": .one { call throws(TypeFault) in
      mseLoss(try call.tensor(), try call.tensor("target"), reduction: try reduction(call))
    },
    "l1_loss": .one { call throws(TypeFault) in
      l1Loss(try call.tensor(), try call.tensor("target"), reduction: try reduction(call))
    },
    "smooth_l1_loss": .one { call throws(TypeFault) in
      smoothL1Loss(
        try call.tensor(), try call.tensor("target"), reduction: try reduction(call), beta: try call.float("beta"))
    },
    "huber_loss": .one { call throws(TypeFault) in
      huberLoss(
        try call.tensor(), try call.tensor("target"), reduction: try reduction(call), delta: try call.float("delta"))
    },
    "binary_cross_entropy": .one { call throws(TypeFault) in
      binaryCrossEntropy(
        try call.tensor(), try call.tensor("target"), weight: try call.optional("weight"),
        reduction: try reduction(call))
    },
    "binary_cross_entropy_with_logits": .one { call throws(TypeFault) in
      binaryCrossEntropyWithLogits(
        try call.tensor(), try call.tensor("target"), weight: try call.optional("weight"),
        reduction: try reduction(call), posWeight: try call.optional("pos_weight"))
    },
    "nll_loss": classes, "nll_loss2d": classes, "nll_loss_nd": classes,
    "cross_entropy_loss": .one { call throws(TypeFault) in
      crossEntropy(
        try call.tensor(), try call.tensor("target"), weight: try call.optional("weight"),
        ignoreIndex: try call.integer("ignore_index"), reduction: try reduction(call),
        labelSmoothing: try call.float("label_smoothing"))
    },
    "cosine_similarity": .one { call throws(TypeFault) in
      cosineSimilarity(
        try call.tensor("x1"), try call.tensor("x2"), dim: try call.integer("dim"), eps: try call.float("eps"))
    },
    "cdist": distances, "_cdist_forward": distances,
  ]

  private static let classes = Operator.one { call throws(TypeFault) in
    nllLoss(
      try call.tensor(), try call.tensor("target"), weight: try call.optional("weight"),
      ignoreIndex: try call.integer("ignore_index"), reduction: try reduction(call))
  }

  private static let distances = Operator.one { call throws(TypeFault) in
    // Which way they are computed only decides the last places.
    call.ignore("compute_mode")
    return cdist(try call.tensor("x1"), try call.tensor("x2"), p: try call.float("p"))
  }

  private static func reduction(_ call: Call) throws(TypeFault) -> Reduction {
    let number = try call.integer("reduction")
    guard let reduction = [0: Reduction.none, 1: .mean, 2: .sum][number] else {
      throw TypeFault("the reduction \(number) is not known")
    }
    return reduction
  }
}
