internal import LatheCore
internal import LatheNN

/// Resampling along axes. Every result element is a weighted sum of a few elements of the operand; places and weights are
/// computed here where sizes are known, else in the run (`ResizingOfData.swift`).
extension Operator {
  static let resizing: [String: Operator] = [
    "Resize": .one { call throws(TypeFault) in try Resampling(resize: call).applied(to: try call.tensor(0)) },
    "Upsample": .one { call throws(TypeFault) in try Resampling(upsample: call).applied(to: try call.tensor(0)) },
  ]
}

/// What `Resize` and `Upsample` ask for.
struct Resampling {
  enum Mode: String { case nearest, linear, cubic }

  /// One axis: how many elements it gets, and by what factor coordinates are divided.
  struct Axis {
    var axis: Int
    var size: Int
    var scale: Double
    /// The part of the axis that is resized, for `tf_crop_and_resize`.
    var region: (start: Double, end: Double) = (0, 1)
  }

  var axes: [Axis] = []
  /// The axes to sizes that data decides, or of such sizes.
  var openAxes: [OpenAxis] = []
  var mode = Mode.nearest
  var coordinates = "asymmetric"
  /// Before opset 11 no text says which element is nearest; ONNX's test and ONNX Runtime say the next one where the axis
  /// shrinks.
  var rounding = "outwards"
  var cubic = -0.75
  var excludesOutside = false
  var extrapolation = 0.0
  var isAntialiased = false

  init(upsample call: Call) throws(TypeFault) {
    let x = try call.tensor(0)
    mode = try Self.mode(call)
    if call.opset >= 9 {
      try scale(x, Array(0..<x.rank), operand: 1, call)
    } else {
      try scale(x, Array(0..<x.rank), try call.floats("scales") ?? [])
    }
  }

  init(resize call: Call) throws(TypeFault) {
    let x = try call.tensor(0)
    mode = try Self.mode(call)
    if call.opset < 11 {
      try scale(x, Array(0..<x.rank), operand: 1, call)
      return
    }
    coordinates = try call.string("coordinate_transformation_mode", default: "half_pixel")
    rounding = try call.string("nearest_mode", default: "round_prefer_floor")
    cubic = try call.float("cubic_coeff_a", default: -0.75)
    excludesOutside = try call.flag("exclude_outside")
    extrapolation = try call.float("extrapolation_value", default: 0)
    isAntialiased = try call.flag("antialias")
    let places = try Call.axes(try call.optionalIntegers("axes") ?? Array(0..<x.rank), rank: x.rank)
    if call.has(3) {
      let listed = try call.listed(3, "the list of sizes")
      guard listed.count == places.count else {
        throw TypeFault("\(listed.count) sizes are given for \(places.count) axes")
      }
      let policy = try call.string("keep_aspect_ratio_policy", default: "stretch")
      if policy == "stretch", let named = Self.open(listed, x, places, call) {
        try size(x, places, named)
      } else if Call.named(listed) == nil {
        try size(x, places, listed, policy, call)
      } else {
        try size(x, places, try call.integers(3, "the list of sizes"), policy)
      }
    } else {
      try scale(x, places, operand: 2, call)
    }
    if coordinates == "tf_crop_and_resize" { try crop(x, places, to: try call.tensor(1)) }
  }

  /// Takes note of the parts of the axes that are resized: their starts, then their ends.
  private mutating func crop(_ x: Tensor, _ places: [Int], to region: Tensor) throws(TypeFault) {
    guard region.shape.known == [2 * places.count] else {
      throw TypeFault("the region \(region.type) does not have two numbers for each of \(places.count) axes")
    }
    if let known = region.literal?.doubles {
      for (position, axis) in places.enumerated() {
        guard let index = axes.firstIndex(where: { $0.axis == axis }) else { continue }
        axes[index].region = (known[position], known[places.count + position])
      }
    } else {
      openAxes += axes.map { OpenAxis(x, axis: $0.axis, size: Dim($0.size), scale: $0.scale) }
      axes = []
    }
    for index in openAxes.indices {
      guard let position = places.firstIndex(of: openAxes[index].axis) else { continue }
      openAxes[index].region = (region.number(at: position), region.number(at: places.count + position))
    }
  }

  /// To sizes, by what these attributes of `Resize` say.
  init(
    _ x: Tensor, to sizes: [Int], mode: Mode, coordinates: String, rounding: String = "round_prefer_floor",
    cubic: Double = -0.75, isAntialiased: Bool = false
  ) throws(TypeFault) {
    self.mode = mode
    self.coordinates = coordinates
    self.rounding = rounding
    self.cubic = cubic
    self.isAntialiased = isAntialiased
    try size(x, Array(sizes.indices), sizes, "stretch")
  }

  private static func mode(_ call: Call) throws(TypeFault) -> Mode {
    let name = try call.string("mode", default: "nearest")
    guard let mode = Mode(rawValue: name == "bilinear" ? "linear" : name) else {
      throw TypeFault("the mode '\(name)' is not one of nearest, linear, cubic")
    }
    return mode
  }

  /// Takes note of scales in an operand, which the run may decide.
  private mutating func scale(_ x: Tensor, _ places: [Int], operand: Int, _ call: Call) throws(TypeFault) {
    let scales = try call.deciding(operand)
    if let known = scales.literal {
      try scale(x, places, known.doubles)
    } else {
      call.importer.decidingInputs.formUnion(call.operands[operand]?.origin.inputs ?? [])
      try scale(x, places, scales, call)
    }
  }

  private mutating func scale(_ x: Tensor, _ places: [Int], _ scales: [Double]) throws(TypeFault) {
    guard scales.count == places.count else {
      throw TypeFault("\(scales.count) scales are given for \(places.count) axes")
    }
    for (axis, scale) in zip(places, scales) {
      guard scale > 0, scale < 1e6 else { throw TypeFault("the scale \(scale) is not a positive number") }
      guard let extent = x.shape[axis].known else {
        if scale != 1, !x.shape[axis].extents.isEmpty, x.shape[axis].symbols.isEmpty {
          openAxes.append(OpenAxis(x, axis: axis, scale: scale))
          continue
        }
        guard scale == 1 else {
          throw TypeFault(
            "the size \(x.shape[axis]) of axis \(axis) must be known", help: Call.bindingHelp([x.shape[axis]]))
        }
        continue
      }
      // Scales are numbers of type f32, and so is the product: 50 times 0.7 is 35.
      axes.append(Axis(axis: axis, size: Int(Float(extent) * Float(scale)), scale: scale))
    }
  }

  private mutating func size(_ x: Tensor, _ places: [Int], _ sizes: [Int], _ policy: String) throws(TypeFault) {
    for (axis, size) in zip(places, sizes) {
      if x.shape[axis] == Dim(size) { axes.append(Axis(axis: axis, size: size, scale: 1)); continue }
      let extent = try x.size(axis, "the size of axis \(axis)")
      guard size > 0, extent > 0 else { throw TypeFault("axis \(axis) of \(x.type) cannot be resized to \(size)") }
      axes.append(Axis(axis: axis, size: size, scale: Double(size) / Double(extent)))
    }
    guard policy != "stretch" else { return }
    let scales = axes.map(\.scale)
    guard policy == "not_larger" || policy == "not_smaller",
      let scale = policy == "not_larger" ? scales.min() : scales.max()
    else {
      throw TypeFault("the policy '\(policy)' is not one of stretch, not_larger, not_smaller")
    }
    for position in axes.indices {
      let extent = try x.size(axes[position].axis, "the size of axis \(axes[position].axis)")
      axes[position].scale = scale
      axes[position].size = Int(Double(extent) * scale + 0.5)
    }
  }

  func applied(to x: Tensor) throws(TypeFault) -> Tensor {
    for axis in axes where axis.size > 1 << 24 { throw TypeFault("the size \(axis.size) is absurdly large") }
    // Weights are fractions: integers are weighted as floats, and cut off towards zero as a cast does.
    let wide: ScalarType = x.dtype.isFloat ? x.dtype.computeType : x.dtype.byteCount < 4 ? .f32 : .f64
    var y = mode == .nearest ? x : x.convert(to: wide)
    var outside: [(axis: Int, mask: Tensor)] = []
    for axis in axes {
      let extent = try x.size(axis.axis, "the size of axis \(axis.axis)")
      let isIdentity = axis.size == extent && axis.scale == 1 && coordinates != "tf_crop_and_resize"
      if isIdentity { continue }
      guard extent > 0 else { throw TypeFault("axis \(axis.axis) of \(x.type) is empty") }
      var taps: [[(place: Int, weight: Double)]] = []
      var isOutside: [Bool] = []
      for position in 0..<axis.size {
        let coordinate = try coordinate(position, axis, extent)
        taps.append(try self.taps(coordinate, axis, extent))
        isOutside.append(coordinates == "tf_crop_and_resize" && (coordinate < 0 || coordinate > Double(extent - 1)))
      }
      y = resampled(y, axis.axis, taps, extent)
      if isOutside.contains(true) { outside.append((axis.axis, x.builder.constant(NDArray(isOutside)))) }
    }
    for axis in openAxes {
      let coordinate = try coordinate(axis, y)
      if coordinates == "tf_crop_and_resize" {
        let last = y.builder.number(y.shape[axis.axis] - 1).convert(to: .f64)
        outside.append((axis.axis, (coordinate .< 0) .| (coordinate .> last)))
      }
      y = try resampled(y, axis, coordinate)
    }
    for (axis, mask) in outside {
      y = mask.broadcast(to: y.shape, axes: [axis]).select(y.filled(.float(extrapolation)), y)
    }
    return y.convert(to: x.dtype)
  }

  /// Where a result element lies in the operand.
  private func coordinate(_ position: Int, _ axis: Axis, _ extent: Int) throws(TypeFault) -> Double {
    let (x, size, scale) = (Double(position), Double(extent), axis.scale)
    let resized = scale * size
    // The quotient of numbers of type f32 may be a whole number where a finer one is not: 3 by 0.6 is 5.
    var middle: Double {
      mode == .nearest ? Double((Float(x) + 0.5) / Float(scale) - 0.5) : (x + 0.5) / scale - 0.5
    }
    switch coordinates {
    case "asymmetric": return Double(Float(x) / Float(scale))
    case "half_pixel": return middle
    case "tf_half_pixel_for_nn": return Double((Float(x) + 0.5) / Float(scale))  // of opset 11
    case "pytorch_half_pixel": return axis.size == 1 ? 0 : middle
    case "align_corners": return resized == 1 ? 0 : x * (size - 1) / (resized - 1)
    case "half_pixel_symmetric":
      return size / 2 * (1 - Double(axis.size) / resized) + (x + 0.5) / scale - 0.5
    case "tf_crop_and_resize":
      let (start, end) = axis.region
      // What is nearest is decided by numbers of type f32, as above.
      if mode == .nearest {
        let (first, last, extent) = (Float(start), Float(end), Float(size) - 1)
        guard resized != 1 else { return 0.5 * Double(first + last) * Double(extent) }
        return Double(first * extent + Float(x) * (last - first) * extent / (Float(resized) - 1))
      }
      let within = resized == 1 ? (end - start) * (size - 1) / 2 : x * (end - start) * (size - 1) / (resized - 1)
      return within + start * (size - 1)
    default: throw TypeFault("the coordinate_transformation_mode '\(coordinates)' is not known")
    }
  }

  /// The elements of the operand that make one of the result, with their shares.
  private func taps(_ x: Double, _ axis: Axis, _ extent: Int) throws(TypeFault) -> [(place: Int, weight: Double)] {
    func inside(_ place: Double) -> Int { Int(Swift.min(Swift.max(place, 0), Double(extent - 1))) }
    if mode == .nearest {
      switch rounding {
      case "outwards": return [(inside(x.rounded(axis.scale < 1 ? .up : .down)), 1)]
      case "floor": return [(inside(x.rounded(.down)), 1)]
      case "ceil": return [(inside(x.rounded(.up)), 1)]
      case "round_prefer_floor": return [(inside((x - 0.5).rounded(.up)), 1)]
      case "round_prefer_ceil": return [(inside((x + 0.5).rounded(.down)), 1)]
      default: throw TypeFault("the nearest_mode '\(rounding)' is not known")
      }
    }
    // A wider kernel when sizes shrink, where asked for.
    let stretch = isAntialiased ? Swift.min(axis.scale, 1) : 1
    let reach = (mode == .linear ? 1 : 2) / stretch
    let first = Int((x - reach).rounded(.down)) + 1
    let last = Int((x + reach).rounded(.up)) - 1
    var places: [(place: Int, weight: Double)] = []
    for place in first...Swift.max(first, last) {
      var weight = kernel((Double(place) - x) * stretch)
      if excludesOutside && (place < 0 || place >= extent) { weight = 0 }
      if weight != 0 { places.append((inside(Double(place)), weight)) }
    }
    let total = places.reduce(0) { $0 + $1.weight }
    guard isAntialiased || excludesOutside, total != 0 else { return places }
    return places.map { ($0.place, $0.weight / total) }
  }

  private func kernel(_ x: Double) -> Double {
    let t = Swift.abs(x)
    if mode == .linear { return Swift.max(0, 1 - t) }
    if t <= 1 { return ((cubic + 2) * t - (cubic + 3)) * t * t + 1 }
    return t < 2 ? ((cubic * t - 5 * cubic) * t + 8 * cubic) * t - 4 * cubic : 0
  }

  private func resampled(_ x: Tensor, _ axis: Int, _ taps: [[(place: Int, weight: Double)]], _ extent: Int) -> Tensor {
    let count = taps.map(\.count).max() ?? 0
    if count <= 1, taps.allSatisfy({ $0.count == 1 && $0[0].weight == 1 }) {
      let places = taps.map { $0[0].place }
      // Every element so and so many times is a broadcast, which costs nothing.
      if taps.count % extent == 0, places.enumerated().allSatisfy({ $0.element == $0.offset / (taps.count / extent) }) {
        var spread = x.shape
        spread.insert(Dim(taps.count / extent), at: axis + 1)
        var shape = x.shape
        shape[axis] = Dim(taps.count)
        return x.broadcast(to: spread, axes: spread.indices.filter { $0 != axis + 1 }).reshape(shape)
      }
      return x.take(dim: axis, x.builder.constant(NDArray(places.map { Int64($0) })))
    }
    if count <= 4 {
      var sum: Tensor?
      for tap in 0..<count {
        let places = taps.map { Int64(tap < $0.count ? $0[tap].place : 0) }
        let weights = taps.map { ScalarValue.float(tap < $0.count ? $0[tap].weight : 0) }
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis] = taps.count
        let part = x.take(dim: axis, x.builder.constant(NDArray(places)))
        let term = part * x.builder.constant(unfailing { try NDArray(dtype: x.dtype, shape: shape, values: weights) })
        sum = sum.map { $0 + term } ?? term
      }
      return sum ?? x
    }
    // Many taps are a matrix.
    var matrix = [Double](repeating: 0, count: taps.count * extent)
    for (row, list) in taps.enumerated() { for tap in list { matrix[row * extent + tap.place] += tap.weight } }
    let weights = x.builder.constant(
      unfailing { try NDArray(dtype: x.dtype, shape: [taps.count, extent], values: matrix.map { .float($0) }) })
    var order = Array(0..<x.rank)
    order.remove(at: axis)
    order.insert(axis, at: x.rank - 1)
    let inverse = Permute(order).inverse
    return x.dot(weights, DotGeneral(leftContracting: [axis], rightContracting: [1])).permute(inverse)
  }
}
