import LatheCore
import LatheNN

extension GoldenCall {
  func spatial(_ name: String) -> [Tensor]? { convolved(name) ?? pooled(name) ?? resized(name) }

  private func padding(_ position: Int) -> ConvolutionPadding {
    switch text(position, "padding") {
    case "same": .same
    case "valid": .valid
    default: ConvolutionPadding(ints(position, "padding") ?? [0])
    }
  }

  private func convolved(_ name: String) -> [Tensor]? {
    if name.hasPrefix("conv_transpose") {
      return [
        convTransposeNd(
          tensor(0), tensor(1), optional(2, "bias"), stride: ints(3, "stride") ?? [1], padding: padding(4),
          outputPadding: ints(5, "output_padding") ?? [0], groups: int(6, "groups") ?? 1,
          dilation: ints(7, "dilation") ?? [1])
      ]
    }
    switch name {
    case "conv1d", "conv2d", "conv3d":
      return [
        convNd(
          tensor(0), tensor(1), optional(2, "bias"), stride: ints(3, "stride") ?? [1], padding: padding(4),
          dilation: ints(5, "dilation") ?? [1], groups: int(6, "groups") ?? 1)
      ]
    default: return nil
    }
  }

  private func pooled(_ name: String) -> [Tensor]? {
    guard let axes = name.dropLast().last?.wholeNumberValue, name.hasSuffix("d"), name.contains("pool") else {
      return nil
    }
    let x = tensor(0)
    let kernel = ints(1) ?? []
    switch name.dropLast(2) {
    case "fractional_max_pool":
      let (values, places) = fractionalMaxPool2dWithIndices(
        x, kernelSize: kernel, outputSize: ints(99, "output_size"), outputRatio: doubles(99, "output_ratio"),
        randomSamples: optional(99, "_random_samples"))
      return flag(99, "return_indices") ? [values, places] : [values]
    case "max_pool":
      let (values, places) = [maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices][axes - 1](
        x, kernelSize: kernel, stride: ints(2, "stride"), padding: ints(3, "padding") ?? [0],
        dilation: ints(4, "dilation") ?? [1], ceilMode: flag(5, "ceil_mode"))
      return flag(6, "return_indices") ? [values, places] : [values]
    case "avg_pool":
      let counts = if case .flag(false) = argument(5, "count_include_pad") { false } else { true }
      let (stride, padding, ceil) = (ints(2, "stride"), ints(3, "padding") ?? [0], flag(4, "ceil_mode"))
      switch axes {
      case 1:
        return [
          avgPool1d(
            x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts)
        ]
      case 2:
        return [
          avgPool2d(
            x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts,
            divisorOverride: int(6, "divisor_override"))
        ]
      default:
        return [
          avgPool3d(
            x, kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: counts,
            divisorOverride: int(6, "divisor_override"))
        ]
      }
    case "lp_pool":
      let (p, kernel, stride, ceil) = (double(1) ?? 2, ints(2) ?? [], ints(3, "stride"), flag(4, "ceil_mode"))
      return axes == 1
        ? [lpPool1d(x, normType: p, kernelSize: kernel, stride: stride, ceilMode: ceil)]
        : [lpPool2d(x, normType: p, kernelSize: kernel, stride: stride, ceilMode: ceil)]
    case "adaptive_avg_pool":
      return axes == 1
        ? [adaptiveAvgPool1d(x, kernel)] : axes == 2 ? [adaptiveAvgPool2d(x, kernel)] : [adaptiveAvgPool3d(x, kernel)]
    case "adaptive_max_pool":
      let (values, places) = [
        adaptiveMaxPool1dWithIndices, adaptiveMaxPool2dWithIndices, adaptiveMaxPool3dWithIndices,
      ][axes - 1](
        x, kernel)
      return flag(2, "return_indices") ? [values, places] : [values]
    case "max_unpool":
      return [
        maxUnpool(
          x, tensor(1), spatial: axes, kernelSize: ints(2) ?? [], stride: ints(3, "stride"),
          padding: ints(4, "padding") ?? [0], outputSize: ints(99, "output_size"))
      ]
    default: return nil
    }
  }

  private func resized(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "interpolate", "upsample_nearest", "upsample_bilinear":
      let modes: [String: InterpolationMode] = [
        "nearest": .nearest, "nearest-exact": .nearestExact, "linear": .linear, "bilinear": .linear,
        "trilinear": .linear, "bicubic": .cubic, "area": .area,
      ]
      let isBilinear = name == "upsample_bilinear"
      return [
        interpolate(
          x, size: ints(99, "size"), scaleFactor: doubles(99, "scale_factor"),
          mode: isBilinear ? .linear : modes[text(99, "mode") ?? "nearest"] ?? .nearest,
          alignCorners: isBilinear || flag(99, "align_corners"),
          recomputeScaleFactor: flag(99, "recompute_scale_factor"), antialias: flag(99, "antialias"))
      ]
    case "pixel_shuffle": return [pixelShuffle(x, int(1) ?? 1)]
    case "pixel_unshuffle": return [pixelUnshuffle(x, int(1) ?? 1)]
    case "channel_shuffle": return [channelShuffle(x, groups: int(1) ?? 1)]
    case "unfold":
      return [
        unfold(
          x, kernelSize: ints(1) ?? [], dilation: ints(2, "dilation") ?? [1], padding: ints(3, "padding") ?? [0],
          stride: ints(4, "stride") ?? [1])
      ]
    case "fold":
      return [
        fold(
          x, outputSize: ints(1) ?? [], kernelSize: ints(2) ?? [], dilation: ints(3, "dilation") ?? [1],
          padding: ints(4, "padding") ?? [0], stride: ints(5, "stride") ?? [1])
      ]
    case "pad":
      return [
        pad(
          x, ints(1) ?? [], mode: PaddingMode(rawValue: text(2, "mode") ?? "constant") ?? .constant,
          value: double(3, "value") ?? 0)
      ]
    case "grid_sample":
      guard let mode = GridInterpolation(rawValue: text(2, "mode") ?? "bilinear"),
        let padding = GridPadding(rawValue: text(3, "padding_mode") ?? "zeros")
      else { return nil }
      return [
        gridSample(x, tensor(1), mode: mode, paddingMode: padding, alignCorners: flag(4, "align_corners"))
      ]
    case "affine_grid": return [affineGrid(x, size: ints(1) ?? [], alignCorners: flag(2, "align_corners"))]
    default: return nil
    }
  }

  func normalization(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    let eps = double(99, "eps") ?? 1e-5
    switch name {
    case "batch_norm":
      let (weight, bias) = (optional(3, "weight"), optional(4, "bias"))
      guard let mean = optional(1), let variance = optional(2) else {
        return [batchNorm(x, weight: weight, bias: bias, eps: double(7, "eps") ?? 1e-5)]
      }
      guard flag(5, "training") else {
        return [batchNorm(x, mean, variance, weight: weight, bias: bias, eps: double(7, "eps") ?? 1e-5)]
      }
      return [
        batchNormTraining(
          x, mean, variance, weight: weight, bias: bias, momentum: double(6, "momentum") ?? 0.1,
          eps: double(7, "eps") ?? 1e-5
        ).output
      ]
    case "layer_norm":
      return [
        layerNorm(
          x, ints(1) ?? [], weight: optional(2, "weight"), bias: optional(3, "bias"), eps: double(4, "eps") ?? 1e-5)
      ]
    case "rms_norm": return [rmsNorm(x, ints(1) ?? [], weight: optional(2, "weight"), eps: double(3, "eps"))]
    case "group_norm":
      return [
        groupNorm(
          x, numGroups: int(1) ?? 1, weight: optional(2, "weight"), bias: optional(3, "bias"),
          eps: double(4, "eps") ?? 1e-5)
      ]
    case "instance_norm":
      let (weight, bias) = (optional(3, "weight"), optional(4, "bias"))
      guard let mean = optional(1), let variance = optional(2) else {
        return [instanceNorm(x, weight: weight, bias: bias, eps: eps)]
      }
      guard boolean(5, "use_input_stats") == true else {
        return [instanceNorm(x, mean, variance, weight: weight, bias: bias, eps: eps)]
      }
      return [
        instanceNormTraining(
          x, mean, variance, weight: weight, bias: bias, momentum: double(6, "momentum") ?? 0.1, eps: eps
        ).output
      ]
    case "local_response_norm":
      return [
        localResponseNorm(
          x, size: int(1) ?? 1, alpha: double(2, "alpha") ?? 1e-4, beta: double(3, "beta") ?? 0.75,
          k: double(4, "k") ?? 1)
      ]
    case "normalize": return [normalize(x, p: double(1, "p") ?? 2, dim: int(2, "dim") ?? 1)]
    case "embedding":
      return [
        embedding(
          x, tensor(1), paddingIdx: int(2, "padding_idx"), maxNorm: double(3, "max_norm"),
          normType: double(4, "norm_type") ?? 2, scaleGradByFreq: flag(5, "scale_grad_by_freq"))
      ]
    case "one_hot": return [oneHot(x, numClasses: int(1) ?? 1)]
    case "scaled_dot_product_attention":
      return [
        scaledDotProductAttention(
          x, tensor(1), tensor(2), attnMask: optional(3, "attn_mask"), isCausal: flag(5, "is_causal"),
          scale: double(6, "scale"), enableGqa: flag(7, "enable_gqa"))
      ]
    default: return nil
    }
  }
}
