public import LatheCore

/// The function `interpolate`.
public struct Upsample: Module {
  private let size: [Int]?
  private let scaleFactor: [Double]?
  private let mode: InterpolationMode
  private let alignCorners: Bool
  private let recomputeScaleFactor: Bool
  private let identity = LayerIdentity()

  /// Makes a layer from either sizes or factors, one for all axes or one each.
  public init(
    size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none,
    mode: InterpolationMode = .nearest, alignCorners: Bool = false, recomputeScaleFactor: Bool = false
  ) {
    self.size = size?.integers
    self.scaleFactor = scaleFactor?.factors
    self.mode = mode
    self.alignCorners = alignCorners
    self.recomputeScaleFactor = recomputeScaleFactor
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      interpolate(
        x, size: size, scaleFactor: scaleFactor, mode: mode, alignCorners: alignCorners,
        recomputeScaleFactor: recomputeScaleFactor)
    }
  }
}

/// `Upsample` of `[N, C, H, W]` by the nearest elements.
public struct UpsamplingNearest2d: Module {
  private let upsample: Upsample

  /// Makes a layer from either sizes or factors.
  public init(size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none) {
    upsample = Upsample(size: size, scaleFactor: scaleFactor)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { upsample(x) }
}

/// `Upsample` of `[N, C, H, W]` between the neighbours on both axes, with aligned corners.
public struct UpsamplingBilinear2d: Module {
  private let upsample: Upsample

  /// Makes a layer from either sizes or factors.
  public init(size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none) {
    upsample = Upsample(size: size, scaleFactor: scaleFactor, mode: .bilinear, alignCorners: true)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { upsample(x) }
}
