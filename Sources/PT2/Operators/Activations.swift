internal import LatheCore
internal import LatheNN

/// Activation functions.
extension Operator {
  static let activations: [String: Operator] = [
    "relu": .unary { relu($0) }, "relu6": .unary { relu6($0) }, "sigmoid": .unary { $0.sigmoid() },
    "tanh": .unary { $0.tanh() }, "silu": .unary { silu($0) }, "mish": .unary { mish($0) },
    "selu": .unary { selu($0) }, "hardsigmoid": .unary { hardsigmoid($0) }, "hardswish": .unary { hardswish($0) },
    "log_sigmoid": .unary { logsigmoid($0) },
    "softshrink": .one { call throws(TypeFault) in softshrink(try call.tensor(), lambda: try call.float("lambd")) },
    "hardshrink": .one { call throws(TypeFault) in hardshrink(try call.tensor(), lambda: try call.float("lambd")) },
    "rrelu": .one { call throws(TypeFault) in
      guard try !call.flag("training") else { throw TypeFault("is not meant for training") }
      return leakyRelu(try call.tensor(), negativeSlope: try (call.float("lower") + call.float("upper")) / 2)
    },
    "native_dropout": .several { call throws(TypeFault) in
      let (x, p) = (try call.tensor("input"), try call.float("p"))
      let isTraining = try call.flag("train") && !call.evaluating && p > 0
      let kept =
        isTraining
        ? call.builder.bernoulli(x.shape, p: 1 - p) : call.builder.full(TensorType(.bool, x.shape), .integer(1))
      guard isTraining else { return [x, kept] }
      return [p < 1 ? kept.select(x * (1 / (1 - p)), x.zerosLike()) : x.zerosLike(), kept]
    },
    "gelu": .one { call throws(TypeFault) in
      let name = try call.string("approximate")
      guard let approximation = GeluApproximation(rawValue: name) else {
        throw TypeFault("the approximation '\(name)' is not known")
      }
      return gelu(try call.tensor(), approximate: approximation)
    },
    "leaky_relu": .one { call throws(TypeFault) in
      leakyRelu(try call.tensor(), negativeSlope: try call.float("negative_slope"))
    },
    "elu": .one { call throws(TypeFault) in
      let (alpha, scale) = (try call.float("alpha"), try call.float("scale"))
      guard try call.float("input_scale") == 1 else { throw TypeFault("the input has a scale") }
      let y = elu(try call.tensor(), alpha: alpha)
      return scale == 1 ? y : y * scale
    },
    "celu": .one { call throws(TypeFault) in celu(try call.tensor(), alpha: try call.float("alpha")) },
    "hardtanh": .one { call throws(TypeFault) in
      hardtanh(
        try call.tensor(), minVal: try call.float("min_val"), maxVal: try call.float("max_val")
      )
    },
    "softplus": .one { call throws(TypeFault) in
      softplus(
        try call.tensor(), beta: try call.float("beta"), threshold: try call.float("threshold")
      )
    },
    "threshold": .one { call throws(TypeFault) in
      threshold(try call.tensor(), try call.float("threshold"), try call.float("value"))
    },
    "prelu": .one { call throws(TypeFault) in prelu(try call.tensor(), try call.tensor("weight")) },
    "glu": .one { call throws(TypeFault) in glu(try call.tensor(), dim: try call.integer("dim")) },
    "softmax": .one { call throws(TypeFault) in
      LatheNN.softmax(try call.tensor(), dim: try call.integer("dim"), dtype: try call.dtype())
    },
    "_softmax": .one { call throws(TypeFault) in
      LatheNN.softmax(try call.tensor(), dim: try call.integer("dim"), dtype: try halfToFloat(call))
    },
    "_safe_softmax": .one { call throws(TypeFault) in
      // A row that nothing takes part in gives zeros.
      let (x, dim) = (try call.tensor(), try call.integer("dim"))
      let isMasked = (x .== -.infinity).all(dim: dim, keepdim: true)
      return LatheNN.softmax(x, dim: dim, dtype: try call.dtype()).maskedFill(isMasked, 0)
    },
    "log_softmax": .one { call throws(TypeFault) in
      logSoftmax(try call.tensor(), dim: try call.integer("dim"), dtype: try call.dtype())
    },
    "_log_softmax": .one { call throws(TypeFault) in
      logSoftmax(try call.tensor(), dim: try call.integer("dim"), dtype: try halfToFloat(call))
    },
    "dropout": .one { call throws(TypeFault) in
      try dropped(call) { x, p in LatheNN.dropout(x, p: p) }
    },
    "alpha_dropout": evaluated, "feature_alpha_dropout": evaluated,
    "log_sigmoid_forward": .first(of: 2) { call throws(TypeFault) in logsigmoid(try call.tensor()) },
    "feature_dropout": .one { call throws(TypeFault) in
      try dropped(call) { x, p in x.rank > 3 ? dropout2d(x, p: p) : dropout1d(x, p: p) }
    },
  ]

  /// What has no meaning for training here.
  private static let evaluated = Operator.one { call throws(TypeFault) in
    guard try !call.flag("train") || call.evaluating else { throw TypeFault("is not meant for training") }
    call.ignore("p")
    return try call.tensor("input")
  }

  private static func halfToFloat(_ call: Call) throws(TypeFault) -> ScalarType? {
    try call.flag("half_to_float") ? .f32 : nil
  }

  /// The operand itself, save in training.
  private static func dropped(_ call: Call, _ function: (Tensor, Double) -> Tensor) throws(TypeFault) -> Tensor {
    let (x, p) = (try call.tensor("input"), try call.float("p"))
    guard try !call.flag("train") || call.evaluating else { return function(x, p) }
    call.share(.same)
    return x
  }
}
