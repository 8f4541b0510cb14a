internal import LatheCore
internal import LatheNN

/// Images of other sizes.
extension Operator {
  static let resizing: [String: Operator] = [
    "upsample_nearest1d": resized(.nearest), "upsample_nearest2d": resized(.nearest),
    "upsample_nearest3d": resized(.nearest), "_upsample_nearest_exact1d": resized(.nearestExact),
    "_upsample_nearest_exact2d": resized(.nearestExact), "_upsample_nearest_exact3d": resized(.nearestExact),
    "upsample_linear1d": resized(.linear), "upsample_bilinear2d": resized(.linear),
    "upsample_trilinear3d": resized(.linear), "upsample_bicubic2d": resized(.cubic),
    "_upsample_bilinear2d_aa": resized(.linear, antialias: true),
    "_upsample_bicubic2d_aa": resized(.cubic, antialias: true),
  ]

  static let sampling: [String: Operator] = [
    "grid_sampler": sampled, "grid_sampler_2d": sampled, "grid_sampler_3d": sampled,
    "affine_grid_generator": .one { call throws(TypeFault) in
      affineGrid(
        try call.tensor("theta"), size: try call.integers("size"), alignCorners: try call.flag("align_corners"))
    },
  ]

  private static let sampled = Operator.one { call throws(TypeFault) in
    let (mode, padding) = (try call.integer("interpolation_mode"), try call.integer("padding_mode"))
    guard let mode = [0: GridInterpolation.bilinear, 1: .nearest, 2: .bicubic][mode],
      let padding = [0: GridPadding.zeros, 1: .border, 2: .reflection][padding]
    else { throw TypeFault("the mode \(mode) or the padding \(padding) is not known") }
    return gridSample(
      try call.tensor("input"), try call.tensor("grid"), mode: mode, paddingMode: padding,
      alignCorners: try call.flag("align_corners"))
  }

  private static func resized(_ mode: InterpolationMode, antialias: Bool = false) -> Operator {
    .one { call throws(TypeFault) in
      let x = try call.tensor("input")
      let align = try call.flag("align_corners")
      let sizes = call.has("output_size") ? try call.integers("output_size") : nil
      guard let factors = try factors(call) else {
        guard let sizes else { throw TypeFault("neither sizes nor factors are given") }
        return interpolate(x, size: sizes, mode: mode, alignCorners: align, antialias: antialias)
      }
      let y = interpolate(x, scaleFactor: factors, mode: mode, alignCorners: align, antialias: antialias)
      guard !y.isPoisoned, let sizes, y.shape.dropFirst(2) != sizes.map({ Dim($0) })[...] else { return y }
      throw TypeFault("the factors \(factors) do not make \(sizes) of \(x.type)")
    }
  }

  /// The factors of all axes, which decide where elements are read even where sizes are given.
  private static func factors(_ call: Call) throws(TypeFault) -> [Double]? {
    if let factors = try call.floats("scale_factors") { return factors }
    var factors: [Double] = []
    let names = call.schema?.parameters.map(\.name).filter { $0.hasPrefix("scales") } ?? []
    for name in names { if let factor = try call.optionalFloat(name) { factors.append(factor) } }
    guard !factors.isEmpty else { return nil }
    guard factors.count == names.count else { throw TypeFault("some axes have factors, others have none") }
    return factors
  }
}
