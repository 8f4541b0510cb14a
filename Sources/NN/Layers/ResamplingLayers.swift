public import LatheCore

/// The function `interpolate`.
public struct Upsample: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer from either sizes or factors, one for all axes or one each.
  public init(
    size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none,
    mode: InterpolationMode = .nearest, alignCorners: Bool = false, recomputeScaleFactor: Bool = false
  ) {
    function = upsampling(size, scaleFactor, mode, alignCorners, recomputeScaleFactor)
  }
}

/// `Upsample` of `[N, C, H, W]` by the nearest elements.
public struct UpsamplingNearest2d: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer from either sizes or factors.
  public init(size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none) {
    function = upsampling(size, scaleFactor, .nearest)
  }
}

/// `Upsample` of `[N, C, H, W]` between the neighbours on both axes, with aligned corners.
public struct UpsamplingBilinear2d: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer from either sizes or factors.
  public init(size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none) {
    function = upsampling(size, scaleFactor, .bilinear, true)
  }
}

private func upsampling(
  _ size: (some IntegerList)?, _ scaleFactor: (some FactorList)?, _ mode: InterpolationMode,
  _ alignCorners: Bool = false, _ recomputeScaleFactor: Bool = false
) -> LayerFunction<Tensor> {
  let amount =
    size.map { options(["size": oneOrAll($0.integers)]) }
    ?? options(["scale_factor": scaleFactor.map { oneOrAll($0.factors) }])
  return LayerFunction(text: "\(amount), mode='\(mode.rawValue)'") {
    interpolate(
      $0, size: size, scaleFactor: scaleFactor, mode: mode, alignCorners: alignCorners,
      recomputeScaleFactor: recomputeScaleFactor)
  }
}
