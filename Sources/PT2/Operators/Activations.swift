internal import LatheCore
internal import LatheNN

/// Activation functions.
extension Operator {
  static let activations: [String: Operator] = [
    "relu": .unary { relu($0) }, "relu6": .unary { relu6($0) }, "sigmoid": .unary { $0.sigmoid() },
    "tanh": .unary { $0.tanh() }, "silu": .unary { silu($0) }, "mish": .unary { mish($0) },
    "selu": .unary { selu($0) }, "hardsigmoid": .unary { hardsigmoid($0) }, "hardswish": .unary { hardswish($0) },
    "log_sigmoid": .unary { logsigmoid($0) },
    "gelu": .one { call throws(TypeFault) in
      let name = try call.string("approximate", default: "none")
      guard let approximation = GeluApproximation(rawValue: name) else {
        throw TypeFault("the approximation '\(name)' is not known")
      }
      return gelu(try call.tensor(), approximate: approximation)
    },
    "leaky_relu": .one { call throws(TypeFault) in
      leakyRelu(try call.tensor(), negativeSlope: try call.float("negative_slope", default: 0.01))
    },
    "elu": .one { call throws(TypeFault) in
      let (alpha, scale) = (try call.float("alpha", default: 1), try call.float("scale", default: 1))
      guard try call.float("input_scale", default: 1) == 1 else { throw TypeFault("the input has a scale") }
      let y = elu(try call.tensor(), alpha: alpha)
      return scale == 1 ? y : y * scale
    },
    "celu": .one { call throws(TypeFault) in celu(try call.tensor(), alpha: try call.float("alpha", default: 1)) },
    "hardtanh": .one { call throws(TypeFault) in
      hardtanh(
        try call.tensor(), minVal: try call.float("min_val", default: -1), maxVal: try call.float("max_val", default: 1)
      )
    },
    "softplus": .one { call throws(TypeFault) in
      softplus(
        try call.tensor(), beta: try call.float("beta", default: 1), threshold: try call.float("threshold", default: 20)
      )
    },
    "threshold": .one { call throws(TypeFault) in
      threshold(try call.tensor(), try call.float("threshold"), try call.float("value"))
    },
    "prelu": .one { call throws(TypeFault) in prelu(try call.tensor(), try call.tensor("weight")) },
    "glu": .one { call throws(TypeFault) in glu(try call.tensor(), dim: try call.integer("dim", default: -1)) },
    "softmax": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return LatheNN.softmax(try call.dtype().map { x.to($0) } ?? x, dim: try call.integer("dim"))
    },
    "_softmax": .one { call throws(TypeFault) in LatheNN.softmax(try call.tensor(), dim: try call.integer("dim")) },
    "_safe_softmax": .one { call throws(TypeFault) in
      // A row that nothing takes part in gives zeros.
      let (x, dim) = (try call.tensor(), try call.integer("dim"))
      let isMasked = (x .== -.infinity).all(dim: dim, keepdim: true)
      return LatheNN.softmax(x, dim: dim).maskedFill(isMasked, 0)
    },
    "log_softmax": .one { call throws(TypeFault) in
      let x = try call.tensor()
      return logSoftmax(try call.dtype().map { x.to($0) } ?? x, dim: try call.integer("dim"))
    },
    "_log_softmax": .one { call throws(TypeFault) in logSoftmax(try call.tensor(), dim: try call.integer("dim")) },
    "dropout": .one { call throws(TypeFault) in
      LatheNN.dropout(try call.tensor("input"), p: try call.float("p"), training: try call.flag("train"))
    },
    "feature_dropout": .one { call throws(TypeFault) in
      let x = try call.tensor("input")
      guard try call.flag("train") else { return x }
      return x.rank > 3 ? dropout2d(x, p: try call.float("p")) : dropout1d(x, p: try call.float("p"))
    },
  ]
}
