internal import LatheCore
internal import LatheNN

/// Images of other sizes.
extension Operator {
  static let resizing: [String: Operator] = [
    "upsample_nearest1d": resized(.nearest), "upsample_nearest2d": resized(.nearest),
    "upsample_nearest3d": resized(.nearest), "_upsample_nearest_exact2d": resized(.nearestExact),
    "upsample_linear1d": resized(.linear), "upsample_bilinear2d": resized(.linear),
    "upsample_trilinear3d": resized(.linear), "upsample_bicubic2d": resized(.cubic),
    "_upsample_bilinear2d_aa": resized(.linear, antialias: true),
    "_upsample_bicubic2d_aa": resized(.cubic, antialias: true),
  ]

  private static func resized(_ mode: InterpolationMode, antialias: Bool = false) -> Operator {
    .one { call throws(TypeFault) in
      let x = try call.tensor("input")
      let align = try call.flag("align_corners")
      if call.has("output_size") {
        return interpolate(
          x, size: try call.integers("output_size"), mode: mode, alignCorners: align, antialias: antialias)
      }
      guard case .floats(let factors)? = call.arguments["scale_factors"] else {
        throw TypeFault("neither sizes nor factors are given")
      }
      return interpolate(x, scaleFactor: factors, mode: mode, alignCorners: align, antialias: antialias)
    }
  }
}
