internal import LatheCore
internal import LatheNN

/// Losses, and distances.
extension Operator {
  static let losses: [String: Operator] = [
    "mse_loss": loss { mseLoss($0, $1, reduction: $2) }, "l1_loss": loss { l1Loss($0, $1, reduction: $2) },
    "soft_margin_loss": loss { softMarginLoss($0, $1, reduction: $2) },
    "multilabel_margin_loss": loss { multiLabelMarginLoss($0, $1, reduction: $2) },
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
    "kl_div": .one { call throws(TypeFault) in
      let (input, target) = (try call.tensor(), try call.tensor("target"))
      let reduction = [.none: KLReduction.none, .sum: .sum, .mean: .mean][try reduction(call)] ?? .mean
      return klDiv(input, target, reduction: reduction, logTarget: try call.flag("log_target"))
    },
    "poisson_nll_loss": .one { call throws(TypeFault) in
      poissonNllLoss(
        try call.tensor("input"), try call.tensor("target"), logInput: try call.flag("log_input"),
        full: try call.flag("full"), eps: try call.float("eps"), reduction: try reduction(call))
    },
    "hinge_embedding_loss": .one { call throws(TypeFault) in
      hingeEmbeddingLoss(
        try call.tensor(), try call.tensor("target"), margin: try call.float("margin"),
        reduction: try reduction(call))
    },
    "margin_ranking_loss": .one { call throws(TypeFault) in
      marginRankingLoss(
        try call.tensor("input1"), try call.tensor("input2"), try call.tensor("target"),
        margin: try call.float("margin"), reduction: try reduction(call))
    },
    "cosine_embedding_loss": .one { call throws(TypeFault) in
      cosineEmbeddingLoss(
        try call.tensor("input1"), try call.tensor("input2"), try call.tensor("target"),
        margin: try call.float("margin"), reduction: try reduction(call))
    },
    "multi_margin_loss": .one { call throws(TypeFault) in
      multiMarginLoss(
        try call.tensor(), try call.tensor("target"), p: try call.integer("p"), margin: try call.float("margin"),
        weight: try call.optional("weight"), reduction: try reduction(call))
    },
    "multilabel_margin_loss_forward": .first(of: 2) { call throws(TypeFault) in
      multiLabelMarginLoss(try call.tensor(), try call.tensor("target"), reduction: try reduction(call))
    },
    "nll_loss_forward": .first(of: 2, classLoss), "nll_loss2d_forward": .first(of: 2, classLoss),
    "triplet_margin_loss": .one { call throws(TypeFault) in
      tripletMarginLoss(
        try call.tensor("anchor"), try call.tensor("positive"), try call.tensor("negative"),
        margin: try call.float("margin"), p: try call.float("p"), eps: try call.float("eps"),
        swap: try call.flag("swap"), reduction: try reduction(call))
    },
    "pairwise_distance": .one { call throws(TypeFault) in
      pairwiseDistance(
        try call.tensor("x1"), try call.tensor("x2"), p: try call.float("p"), eps: try call.float("eps"),
        keepdim: try call.flag("keepdim"))
    },
    "pdist": pairs, "_pdist_forward": pairs,
    "cdist": distances, "_cdist_forward": distances,
  ]

  /// A loss of an input and a target, with no more arguments than the reduction.
  private static func loss(_ function: @escaping @Sendable (Tensor, Tensor, Reduction) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in
      function(try call.tensor(), try call.tensor("target"), try reduction(call))
    }
  }

  private static let pairs = Operator.one { call throws(TypeFault) in
    pdist(try call.tensor(), p: try call.float("p"))
  }

  private static let classes = Operator.one(classLoss)

  private static func classLoss(_ call: Call) throws(TypeFault) -> Tensor {
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
