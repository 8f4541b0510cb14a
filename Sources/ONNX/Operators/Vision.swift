internal import LatheCore
internal import LatheNN

/// Sampling images at computed places.
extension Operator {
  static let vision: [String: Operator] = [
    "GridSample": .one { call throws(TypeFault) in
      let modes: [String: GridInterpolation] = [
        "linear": .bilinear, "bilinear": .bilinear, "nearest": .nearest, "cubic": .bicubic, "bicubic": .bicubic,
      ]
      let mode = try call.string("mode", default: "linear")
      let padding = try call.string("padding_mode", default: "zeros")
      guard let interpolation = modes[mode] else { throw TypeFault("the mode '\(mode)' is not known") }
      guard let outside = GridPadding(rawValue: padding) else {
        throw TypeFault("the padding_mode '\(padding)' is not known")
      }
      // Places are fractions, and so are what lies between elements: integers are cut off in the end, as a cast does.
      let (x, grid) = (try call.tensor(0), try call.tensor(1))
      let precision: ScalarType = x.dtype == .f64 || !x.dtype.isFloat && x.dtype.byteCount >= 4 ? .f64 : .f32
      let y = gridSample(
        interpolation == .nearest ? x : x.convert(to: precision),
        grid.convert(to: interpolation == .nearest ? grid.dtype.computeType : precision), mode: interpolation,
        paddingMode: outside, alignCorners: try call.flag("align_corners"))
      return y.convert(to: x.dtype)
    },
    "AffineGrid": .one { call throws(TypeFault) in
      affineGrid(
        try call.tensor(0), size: try call.integers(1, "the size"), alignCorners: try call.flag("align_corners"))
    },
    "DeformConv": .one { call throws(TypeFault) in
      let (x, weight, offset) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
      guard x.rank == 4, weight.rank == 4 else { throw TypeFault("the operand \(x.type) is no batch of images") }
      let window = try WindowArguments(call, size: try Call.known(Array(weight.shape[2...]), "the kernel"), over: x)
      // What the operator says of groups must be what the shapes say.
      let group = try call.integer("group", default: 1)
      guard weight.shape[1] * Dim(group) == x.shape[1] else {
        throw TypeFault("\(group) groups of \(weight.type) do not fit \(x.type)")
      }
      return deformConv2d(
        x, offset, weight, try call.optional(3), stride: window.stride, padding: window.low,
        dilation: window.dilation, mask: try call.optional(4))
    },
    "RoiAlign": .one { call throws(TypeFault) in
      let name = try call.string("mode", default: "avg")
      guard let mode = RegionPooling(rawValue: name) else { throw TypeFault("the mode '\(name)' is not known") }
      let coordinates = try call.string(
        "coordinate_transformation_mode", default: call.opset < 16 ? "output_half_pixel" : "half_pixel")
      guard ["half_pixel", "output_half_pixel"].contains(coordinates) else {
        throw TypeFault("the coordinate_transformation_mode '\(coordinates)' is not known")
      }
      return roiAlign(
        try call.tensor(0), try call.tensor(1), batchIndices: try call.tensor(2),
        outputSize: [
          try call.integer("output_height", default: 1), try call.integer("output_width", default: 1),
        ], spatialScale: try call.float("spatial_scale", default: 1),
        samplingRatio: try call.integer("sampling_ratio", default: 0),
        aligned: coordinates == "half_pixel", mode: mode)
    },
    "MaxRoiPool": .one { call throws(TypeFault) in
      maxRegionPool(
        try call.tensor(0), try call.tensor(1), outputSize: try call.integers("pooled_shape"),
        spatialScale: try call.float("spatial_scale", default: 1))
    },
    "Col2Im": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      var (image, block) = (try call.integers(1, "the image's shape"), try call.integers(2, "the block's shape"))
      guard !image.isEmpty, image.count == block.count else {
        throw TypeFault("the image \(image) and the block \(block) differ in rank")
      }
      let count = image.count
      var dilation = try call.integers("dilations", default: 1, count: count)
      var stride = try call.integers("strides", default: 1, count: count)
      let pads = try call.integers("pads", default: 0, count: 2 * count)
      var (low, high) = (Array(pads[..<count]), Array(pads[count...]))
      if count == 1 {  // an image of one row
        (image, block, dilation, stride) = ([1] + image, [1] + block, [1] + dilation, [1] + stride)
        (low, high) = ([0] + low, [0] + high)
      }
      let y = try fold(
        x, outputSize: image, kernelSize: block, dilation: dilation, low: low, high: high, stride: stride
      ).checked()
      return count == 1 ? y.squeeze(dim: 2) : y
    },
  ]
}
