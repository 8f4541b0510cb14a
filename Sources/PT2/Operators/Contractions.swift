internal import LatheCore
internal import LatheNN

/// Products, convolutions and attention.
extension Operator {
  static let contractions: [String: Operator] = [
    "linear": .one { call throws(TypeFault) in
      linear(try call.tensor("input"), try call.tensor("weight"), try call.optional("bias"))
    },
    "matmul": .one { call throws(TypeFault) in matmul(try call.tensor(), try call.tensor("other")) },
    "mm": .one { call throws(TypeFault) in mm(try call.tensor(), try call.tensor("mat2")) },
    "bmm": .one { call throws(TypeFault) in bmm(try call.tensor(), try call.tensor("mat2")) },
    "mv": .one { call throws(TypeFault) in mv(try call.tensor(), try call.tensor("vec")) },
    "dot": .one { call throws(TypeFault) in dot(try call.tensor(), try call.tensor("tensor")) },
    "outer": .one { call throws(TypeFault) in outer(try call.tensor(), try call.tensor("vec2")) },
    "addmm": .one { call throws(TypeFault) in
      addmm(
        try call.tensor(), try call.tensor("mat1"), try call.tensor("mat2"), beta: try call.float("beta"),
        alpha: try call.float("alpha"))
    },
    "baddbmm": .one { call throws(TypeFault) in
      baddbmm(
        try call.tensor(), try call.tensor("batch1"), try call.tensor("batch2"),
        beta: try call.float("beta"), alpha: try call.float("alpha"))
    },
    "einsum": .one { call throws(TypeFault) in
      einsum(try call.string("equation"), try call.tensors("tensors"))
    },
    "conv1d": conv, "conv2d": conv, "conv3d": conv,
    "conv_transpose1d": .one(convTranspose), "conv_transpose2d": .one(convTranspose),
    "conv_transpose3d": .one(convTranspose),
    "convolution": .one { call throws(TypeFault) in
      guard try call.flag("transposed") else { return try convolution(call) }
      return try convTranspose(call)
    },
    "scaled_dot_product_attention": .one { call throws(TypeFault) in
      scaledDotProductAttention(
        try call.tensor("query"), try call.tensor("key"), try call.tensor("value"),
        attnMask: try call.optional("attn_mask"), isCausal: try call.flag("is_causal"),
        scale: try call.optionalFloat("scale"), enableGqa: try call.flag("enable_gqa"),
        dropoutP: try call.evaluating ? 0 : call.float("dropout_p"))
    },
    "_weight_norm": .one { call throws(TypeFault) in
      let (v, g) = (try call.tensor("v"), try call.tensor("g"))
      let dim = try call.integer("dim")
      return v * (g / v.norm(dim: (0..<v.rank).filter { $0 != dim }, keepdim: true))
    },
  ]

  private static let conv = Operator.one(convolution)

  private static func convolution(_ call: Call) throws(TypeFault) -> Tensor {
    let padding: ConvolutionPadding
    switch call.argument("padding") {
    case .string("same")?: padding = .same
    case .string("valid")?: padding = .valid
    default: padding = .symmetric(try call.integers("padding"))
    }
    call.ignore("output_padding")
    return convNd(
      try call.tensor("input"), try call.tensor("weight"), try call.optional("bias"),
      stride: try call.integers("stride"), padding: padding,
      dilation: try call.integers("dilation"), groups: try call.integer("groups"))
  }

  private static func convTranspose(_ call: Call) throws(TypeFault) -> Tensor {
    convTransposeNd(
      try call.tensor("input"), try call.tensor("weight"), try call.optional("bias"),
      stride: try call.integers("stride"),
      padding: .symmetric(try call.integers("padding")),
      outputPadding: try call.integers("output_padding"), groups: try call.integer("groups"),
      dilation: try call.integers("dilation"))
  }
}
