internal import LatheCore
internal import LatheNN

/// Windows of images.
extension Operator {
  static let pooling: [String: Operator] = [
    "max_pool1d": maxPool(maxPool1d), "max_pool2d": maxPool(maxPool2d), "max_pool3d": maxPool(maxPool3d),
    "max_pool2d_with_indices": .several { call throws(TypeFault) in
      let (output, indices) = try pooled(call, maxPool2dWithIndices)
      return [output, indices]
    },
    "max_pool3d_with_indices": .several { call throws(TypeFault) in
      let (output, indices) = try pooled(call, maxPool3dWithIndices)
      return [output, indices]
    },
    "avg_pool1d": avgPool(avgPool1d), "avg_pool2d": avgPool(avgPool2d), "avg_pool3d": avgPool(avgPool3d),
    "adaptive_avg_pool1d": adaptive(adaptiveAvgPool1d), "adaptive_avg_pool2d": adaptive(adaptiveAvgPool2d),
    "adaptive_avg_pool3d": adaptive(adaptiveAvgPool3d), "_adaptive_avg_pool2d": adaptive(adaptiveAvgPool2d),
    "_adaptive_avg_pool3d": adaptive(adaptiveAvgPool3d),
    "adaptive_max_pool1d": .several { call throws(TypeFault) in
      let (output, indices) = adaptiveMaxPool1dWithIndices(try call.tensor(), try call.integers("output_size"))
      return [output, indices]
    },
    "adaptive_max_pool2d": .several { call throws(TypeFault) in
      let (output, indices) = adaptiveMaxPool2dWithIndices(try call.tensor(), try call.integers("output_size"))
      return [output, indices]
    },
    "adaptive_max_pool3d": .several { call throws(TypeFault) in
      let (output, indices) = adaptiveMaxPool3dWithIndices(try call.tensor(), try call.integers("output_size"))
      return [output, indices]
    },
    "max_unpool2d": unpool, "max_unpool3d": unpool,
    "fractional_max_pool2d": .several { call throws(TypeFault) in
      let (output, indices) = fractionalMaxPool2dWithIndices(
        try call.tensor(), kernelSize: try call.integers("kernel_size"), outputSize: try call.integers("output_size"),
        outputRatio: Double?.none, randomSamples: try call.tensor("random_samples"))
      return [output, indices]
    },
    "im2col": .one { call throws(TypeFault) in
      try batched(call, rank: 4) { x throws(TypeFault) in
        LatheNN.unfold(
          x, kernelSize: try call.integers("kernel_size"), dilation: try call.integers("dilation"),
          padding: try call.integers("padding"), stride: try call.integers("stride"))
      }
    },
    "col2im": .one { call throws(TypeFault) in
      try batched(call, rank: 3) { x throws(TypeFault) in
        LatheNN.fold(
          x, outputSize: try call.integers("output_size"), kernelSize: try call.integers("kernel_size"),
          dilation: try call.integers("dilation"), padding: try call.integers("padding"),
          stride: try call.integers("stride"))
      }
    },
  ]

  /// The places are those of the result; what was pooled how does not matter any more.
  private static let unpool = Operator.one { call throws(TypeFault) in
    if call.schema?["stride"] != nil {
      call.ignore("stride")
      call.ignore("padding")
    }
    return unpooled(try call.tensor(), try call.tensor("indices"), to: try call.integers("output_size"))
  }

  /// A function of batches, of which one image alone is a batch of one.
  private static func batched(
    _ call: Call, rank: Int, _ function: (Tensor) throws(TypeFault) -> Tensor
  ) throws(TypeFault) -> Tensor {
    let x = try call.tensor()
    return x.rank == rank - 1 ? try function(x.unsqueeze(dim: 0)).squeeze(dim: 0) : try function(x)
  }

  private static func pooled<Output>(_ call: Call, _ function: MaxPoolFunction<Output>) throws(TypeFault) -> Output {
    function(
      try call.tensor(), kernelSize: try call.integers("kernel_size"), stride: try call.optionalIntegers("stride"),
      padding: try call.integers("padding"), dilation: try call.integers("dilation"),
      ceilMode: try call.flag("ceil_mode"))
  }

  private static func maxPool(_ function: MaxPoolFunction<Tensor>) -> Operator {
    .one { call throws(TypeFault) in try pooled(call, function) }
  }

  private static func avgPool(_ function: AvgPoolFunction) -> Operator {
    .one { call throws(TypeFault) in
      function(
        try call.tensor(), kernelSize: try call.integers("kernel_size"), stride: try call.optionalIntegers("stride"),
        padding: try call.integers("padding"), ceilMode: try call.flag("ceil_mode"),
        countIncludePad: try call.flag("count_include_pad"),
        divisorOverride: try call.optionalInteger("divisor_override"))
    }
  }

  private static func adaptive(_ function: AdaptivePoolFunction<Tensor>) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(), try call.integers("output_size")) }
  }
}
