internal import LatheCore
internal import LatheNN

/// Normalizations.
extension Operator {
  static let normalizations: [String: Operator] = [
    "batch_norm": .one { call throws(TypeFault) in
      try normalized(call, isTraining: call.flag("training"), batchNormTraining, LatheNN.batchNorm, LatheNN.batchNorm)
    },
    "instance_norm": .one { call throws(TypeFault) in
      try normalized(
        call, isTraining: call.flag("use_input_stats"), instanceNormTraining, LatheNN.instanceNorm, LatheNN.instanceNorm
      )
    },
    "_native_batch_norm_legit_no_training": .first(of: 3) { call throws(TypeFault) in
      call.ignore("momentum")
      return batchNorm(
        try call.tensor("input"), try call.tensor("running_mean"), try call.tensor("running_var"),
        weight: try call.optional("weight"), bias: try call.optional("bias"), eps: try call.float("eps"))
    },
    "_native_batch_norm_legit_functional": Operator { call throws(TypeFault) in
      let (x, mean, variance) = (
        try call.tensor("input"), try call.tensor("running_mean"), try call.tensor("running_var")
      )
      guard try call.flag("training") else { throw TypeFault("is not meant for training") }
      let (weight, bias) = (try call.optional("weight"), try call.optional("bias"))
      let (momentum, eps) = (try call.float("momentum"), try call.float("eps"))
      if call.evaluating {
        let y = batchNorm(x, mean, variance, weight: weight, bias: bias, eps: eps)
        return [.tensor(y), .unread, .unread, .tensor(mean), .tensor(variance)]
      }
      let result = batchNormTraining(x, mean, variance, weight: weight, bias: bias, momentum: momentum, eps: eps)
      return [
        .tensor(result.output), .unread, .unread, .tensor(result.runningMean), .tensor(result.runningVar),
      ]
    },
    "_native_batch_norm_legit": trained, "native_batch_norm": trained,
    "native_group_norm": .several { call throws(TypeFault) in
      let (x, groups, eps) = (try call.tensor("input"), try call.integer("group"), try call.float("eps"))
      let sizes = try [call.dimension("N"), Dim(groups), call.dimension("C"), call.dimension("HxW")]
      let y = groupNorm(
        x, numGroups: groups, weight: try call.optional("weight"), bias: try call.optional("bias"), eps: eps)
      guard groups > 0, let inner = sizes[2].divided(exactlyBy: sizes[1]) else { return [y, y, y] }
      let (variance, mean) = varMean(
        x.reshape([sizes[0], sizes[1], inner * sizes[3]]), dim: [2], correction: 0, keepdim: false)
      return [y, mean, (variance + eps).rsqrt()]
    },
    "layer_norm": .one { call throws(TypeFault) in try layerNormalized(call) },
    "native_layer_norm": .several { call throws(TypeFault) in
      let (x, y) = (try call.tensor("input"), try layerNormalized(call))
      let axes = Array((x.rank - (try call.integers("normalized_shape").count))..<x.rank)
      let (variance, mean) = varMean(x, dim: axes, correction: 0, keepdim: true)
      return [y, mean, (variance + (try call.float("eps"))).rsqrt()]
    },
    "rms_norm": .one { call throws(TypeFault) in
      rmsNorm(
        try call.tensor("input"), try call.integers("normalized_shape"), weight: try call.optional("weight"),
        eps: try call.optionalFloat("eps"))
    },
    "group_norm": .one { call throws(TypeFault) in
      groupNorm(
        try call.tensor("input"), numGroups: try call.integer("num_groups"), weight: try call.optional("weight"),
        bias: try call.optional("bias"), eps: try call.float("eps"))
    },
  ]

  private static let trained = Operator.first(of: 3) { call throws(TypeFault) in
    try normalized(call, isTraining: call.flag("training"), batchNormTraining, LatheNN.batchNorm, LatheNN.batchNorm)
  }

  private static func layerNormalized(_ call: Call) throws(TypeFault) -> Tensor {
    layerNorm(
      try call.tensor("input"), try call.integers("normalized_shape"), weight: try call.optional("weight"),
      bias: try call.optional("bias"), eps: try call.float("eps"))
  }

  /// Normalizes by the batch's own statistics, which in training go into the running ones, or by those.
  private static func normalized(
    _ call: Call, isTraining: Bool,
    _ training: (Tensor, Tensor, Tensor, Tensor?, Tensor?, Double, Double) -> BatchNormResult,
    _ running: (Tensor, Tensor, Tensor, Tensor?, Tensor?, Double) -> Tensor,
    _ own: (Tensor, Tensor?, Tensor?, Double) -> Tensor
  ) throws(TypeFault) -> Tensor {
    let (x, weight, bias) = (try call.tensor("input"), try call.optional("weight"), try call.optional("bias"))
    let (eps, momentum) = (try call.float("eps"), try call.float("momentum"))
    guard let mean = try call.optional("running_mean"), let variance = try call.optional("running_var") else {
      guard isTraining else { throw TypeFault("there are no running statistics to normalize by") }
      return own(x, weight, bias, eps)
    }
    guard isTraining, !call.evaluating else { return running(x, mean, variance, weight, bias, eps) }
    let result = training(x, mean, variance, weight, bias, momentum, eps)
    call.write("running_mean", .tensor(result.runningMean))
    call.write("running_var", .tensor(result.runningVar))
    return result.output
  }
}
