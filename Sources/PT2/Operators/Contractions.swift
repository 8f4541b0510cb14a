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
    "vdot": .tensors { dot($0, $1) },
    "outer": .one { call throws(TypeFault) in outer(try call.tensor(), try call.tensor("vec2")) },
    "addr": .one { call throws(TypeFault) in
      addr(
        try call.tensor(), try call.tensor("vec1"), try call.tensor("vec2"), beta: try call.float("beta"),
        alpha: try call.float("alpha"))
    },
    "tensordot": .one { call throws(TypeFault) in
      let dims = (try call.integers("dims_self"), try call.integers("dims_other"))
      return tensordot(try call.tensor(), try call.tensor("other"), dims: dims)
    },
    "block_diag": .one { call throws(TypeFault) in blockDiag(try call.tensors("tensors")) },
    "cartesian_prod": .one { call throws(TypeFault) in cartesianProd(try call.tensors("tensors")) },
    "dist": .one { call throws(TypeFault) in try call.tensor().dist(call.tensor("other"), p: call.float("p")) },
    "inner": .tensors { inner($0, $1) }, "kron": .tensors { kron($0, $1) },
    "linalg_cross": .one { call throws(TypeFault) in
      cross(try call.tensor(), try call.tensor("other"), dim: try call.integer("dim"))
    },
    "cross": .one { call throws(TypeFault) in
      let x = try call.tensor()
      guard let dim = try call.optionalInteger("dim") ?? x.shape.firstIndex(of: 3) else {
        throw TypeFault("\(x.type) has no axis of size 3")
      }
      return cross(x, try call.tensor("other"), dim: dim)
    },
    // What `bilinear` is in decomposed programs: a product of three, each with more axes, summed over some.
    "_trilinear": .one { call throws(TypeFault) in
      call.ignore("unroll_dim")
      var factors: [Tensor] = []
      for position in 1...3 {
        var factor = try call.tensor("i\(position)")
        for axis in try call.integers("expand\(position)").sorted() { factor = factor.unsqueeze(dim: axis) }
        factors.append(factor)
      }
      return (factors[0] * factors[1] * factors[2]).sum(dim: try call.integers("sumdim"))
    },
    "bilinear": .one { call throws(TypeFault) in
      bilinear(
        try call.tensor("input1"), try call.tensor("input2"), try call.tensor("weight"), try call.optional("bias"))
    },
    "addmv": .one { call throws(TypeFault) in
      addmv(
        try call.tensor(), try call.tensor("mat"), try call.tensor("vec"), beta: try call.float("beta"),
        alpha: try call.float("alpha"))
    },
    "addbmm": .one { call throws(TypeFault) in
      addbmm(
        try call.tensor(), try call.tensor("batch1"), try call.tensor("batch2"), beta: try call.float("beta"),
        alpha: try call.float("alpha"))
    },
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
    // Of transformers: rows sorted by the expert that they go to, and where each expert's rows end.
    "torch.ops.transformers.grouped_mm_fallback.default": .one { call throws(TypeFault) in
      let (x, weight, ends) = (try call.tensor("input"), try call.tensor("weight"), try call.tensor("offs"))
      guard x.rank == 2, weight.rank == 3, let count = weight.shape[0].known, ends.shape == [weight.shape[0]] else {
        throw TypeFault("needs the rows of \(weight.type) in \(x.type), and where they end")
      }
      let rows = call.builder.iota(TensorType(ends.dtype, [x.shape[0]]), axis: 0).unsqueeze(dim: 1)
      var sum = call.builder.zeros(TensorType(x.dtype, [x.shape[0], weight.shape[2]]))
      for expert in (0..<count).reversed() {
        let isBefore = rows .< ends.select(dim: 0, index: expert)
        sum = isBefore.expanded(to: sum.shape).select(mm(x, weight.select(dim: 0, index: expert)), sum)
      }
      return sum
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
