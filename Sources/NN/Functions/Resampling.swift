public import LatheCore

/// How `interpolate` finds values between elements.
public enum InterpolationMode: String, Sendable {
  /// The nearest element, as PyTorch rounds its place.
  case nearest
  /// As `nearest`, but measured between the centres of elements.
  case nearestExact
  /// Between the two neighbours on each axis: linear, bilinear and trilinear.
  case linear
  /// Between four neighbours on each axis, by Keys' kernel with -0.75.
  case cubic
  /// The mean of the elements that a new one covers.
  case area

  /// `linear` over two axes.
  public static let bilinear = InterpolationMode.linear
  /// `linear` over three axes.
  public static let trilinear = InterpolationMode.linear
  /// `cubic` over two axes.
  public static let bicubic = InterpolationMode.cubic
}

/// Resizes the axes after batch and channels.
///
/// - Parameters:
///   - size: The new sizes, one for all axes or one each.
///   - scaleFactor: The factors, where no sizes are given.
///   - alignCorners: Whether the first and last elements stay in place (`linear` and `cubic`).
///   - recomputeScaleFactor: Whether coordinates are scaled by the ratio of sizes rather than by `scaleFactor`.
///   - antialias: Whether an image that shrinks is smoothed, so that all of it counts (`linear` and `cubic`).
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
public func interpolate(
  _ x: Tensor, size: (some IntegerList)? = Int?.none, scaleFactor: (some FactorList)? = Double?.none,
  mode: InterpolationMode = .nearest, alignCorners: Bool = false, recomputeScaleFactor: Bool = false,
  antialias: Bool = false
) -> Tensor {
  composite("interpolate", [x]) { () throws(TypeFault) -> Tensor in
    guard x.rank >= 3 else { throw TypeFault("the input \(x.type) has no axes after batch and channels") }
    let spatial = x.rank - 2
    let extents = try (2..<x.rank).map { (axis) throws(TypeFault) -> Int in try x.knownSize(axis) }
    var sizes: [Int]
    var scales = [Double?](repeating: nil, count: spatial)
    switch (size, scaleFactor) {
    case (let size?, nil): sizes = try size.spread(spatial, "size")
    case (nil, let factors?):
      let factors = try factors.spreadFactors(spatial, "scaleFactor")
      sizes = []
      for (extent, factor) in zip(extents, factors) {
        guard let size = Int(exactly: (Double(extent) * factor).rounded(.down)) else {
          throw TypeFault("the factor \(factor) gives no size")
        }
        sizes.append(size)
      }
      if !recomputeScaleFactor { scales = factors.map { 1 / $0 } }
    default: throw TypeFault("give either size or scaleFactor")
    }
    guard sizes.allSatisfy({ $0 > 0 }), extents.allSatisfy({ $0 > 0 }) else {
      throw TypeFault("cannot resize \(x.type) to \(sizes)")
    }
    guard !antialias || mode == .linear || mode == .cubic else {
      throw TypeFault("antialias has no meaning for the mode \(mode)", help: "use linear or cubic")
    }
    if mode == .area { return adaptiveAverage(spatial, x, sizes) }
    for size in sizes { try requireTable(size, of: "elements of an axis") }
    let isWeighted = mode == .linear || mode == .cubic
    var y = isWeighted ? x.floating.wide : x
    // Images of bytes are bytes between the axes, too, of which the last one is first.
    let isOfBytes = isWeighted && x.dtype == .u8 && spatial == 2
    for axis in isOfBytes ? [1, 0] : Array(0..<spatial) {
      var taps = ResamplingTaps(
        size: extents[axis], to: sizes[axis], scale: scales[axis], mode: mode, alignCorners: alignCorners,
        antialias: antialias)
      if isOfBytes {
        if sizes[axis] == extents[axis], scales[axis] ?? 1 == 1 { continue }
        taps.round()
      }
      y = try resample(y, dim: 2 + axis, indices: taps.indices, weights: taps.weights).checked()
      if isOfBytes { y = (y + 0.5).floor().clamp(min: 0, max: 255) }
    }
    return y.convert(to: x.dtype)
  }
}

/// Every new element of an axis as a weighted sum of old ones: the one form of all resizing.
///
/// - Parameters:
///   - indices: For each new element, as many places on the axis as every other has.
///   - weights: One for each place.
public func resample(_ x: Tensor, dim: Int, indices: [[Int]], weights: [[Double]]) -> Tensor {
  composite("resample", [x]) { () throws(TypeFault) -> Tensor in
    let axis = try x.axis(dim)
    let count = indices.first?.count ?? 0
    guard count > 0, indices.allSatisfy({ $0.count == count }), weights.count == indices.count,
      weights.allSatisfy({ $0.count == count })
    else { throw TypeFault("indices and weights do not belong together") }
    let size = try x.knownSize(axis)
    if count == 1, indices.map({ $0[0] }) == Array(0..<size), weights.allSatisfy({ $0[0] == 1 }) { return x }
    let repeats = size > 0 ? indices.count / size : 0
    if count == 1, repeats > 0, indices.indices.allSatisfy({ indices[$0][0] == $0 / repeats }),
      weights.allSatisfy({ $0[0] == 1 })
    {
      return x.repeatInterleave(repeats, dim: axis)
    }
    var sum: Tensor?
    for tap in 0..<count {
      let places = x.builder.constant(
        NDArray(dtype: .i64, values: indices.map { .integer($0[tap]) }))
      var term = x.indexSelect(dim: axis, places)
      if !weights.allSatisfy({ $0[tap] == 1 }) {
        let shape = [indices.count] + [Int](repeating: 1, count: x.rank - 1 - axis)
        term = term * x.builder.tensor(weights.map { $0[tap] }, shape: shape, dtype: x.dtype)
      }
      sum = sum.map { $0 + term } ?? term
    }
    return sum ?? x
  }
}

/// The elements that each new element of an axis is made of, and their weights.
private struct ResamplingTaps {
  var indices: [[Int]] = []
  var weights: [[Double]] = []

  init(size: Int, to count: Int, scale: Double?, mode: InterpolationMode, alignCorners: Bool, antialias: Bool) {
    let ratio =
      alignCorners && (mode == .linear || mode == .cubic)
      ? (count > 1 ? Double(size - 1) / Double(count - 1) : 0) : scale ?? Double(size) / Double(count)
    func within(_ place: Int) -> Int { min(max(place, 0), size - 1) }
    if antialias {
      fillSmoothly(size: size, to: count, ratio: ratio, isCubic: mode == .cubic)
      return
    }
    for position in 0..<count {
      let centre = alignCorners ? ratio * Double(position) : ratio * (Double(position) + 0.5) - 0.5
      switch mode {
      case .nearest, .area:
        indices.append([within(Int((Double(position) * ratio).rounded(.down)))])
        weights.append([1])
      case .nearestExact:
        indices.append([within(Int(((Double(position) + 0.5) * ratio).rounded(.down)))])
        weights.append([1])
      case .linear:
        let source = max(centre, 0)
        let low = within(Int(source))
        let share = min(max(source - Double(low), 0), 1)
        indices.append([low, within(low + 1)])
        weights.append([1 - share, share])
      case .cubic:
        let low = Int(centre.rounded(.down))
        let t = centre - Double(low)
        indices.append((-1...2).map { within(low + $0) })
        weights.append([Self.far(t + 1), Self.near(t), Self.near(1 - t), Self.far(2 - t)])
      }
    }
  }

  /// Makes the weights numbers of 16 bits with as many binary places as the largest one leaves.
  ///
  /// Source: https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/UpSampleKernel.cpp
  mutating func round() {
    let largest = weights.joined().max() ?? 0
    let places = (0..<22).first { Int(0.5 + largest * Double(1 << ($0 + 1))) >= 1 << 15 } ?? 22
    let unit = Double(1 << places)
    weights = weights.map { $0.map { ($0 * unit).rounded(.toNearestOrAwayFromZero) / unit } }
  }

  /// The kernel is as much wider as the image shrinks, and cut at its ends.
  private mutating func fillSmoothly(size: Int, to count: Int, ratio: Double, isCubic: Bool) {
    let stretch = max(ratio, 1)
    let support = (isCubic ? 2 : 1) * stretch
    func kernel(_ x: Double) -> Double {
      let x = abs(x)
      if !isCubic { return max(1 - x, 0) }
      return x < 1 ? Self.near(x, a: -0.5) : x < 2 ? Self.far(x, a: -0.5) : 0
    }
    let rows = (0..<count).map { position -> (first: Int, weights: [Double]) in
      let centre = ratio * (Double(position) + 0.5)
      let first = max(Int(centre - support + 0.5), 0)
      let last = max(min(Int(centre + support + 0.5), size), first + 1)
      let weights = (first..<last).map { kernel((Double($0) - centre + 0.5) / stretch) }
      let sum = weights.reduce(0, +)
      return (first, weights.map { sum == 0 ? $0 : $0 / sum })
    }
    // As many places in every row: what is missing weighs nothing.
    let width = rows.map(\.weights.count).max() ?? 1
    for row in rows {
      let missing = [Double](repeating: 0, count: width - row.weights.count)
      indices.append((0..<width).map { min(row.first + $0, size - 1) })
      weights.append(row.weights + missing)
    }
  }

  /// Keys' kernel for distances up to 1.
  private static func near(_ x: Double, a: Double = -0.75) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }

  /// Keys' kernel for distances from 1 to 2.
  private static func far(_ x: Double, a: Double = -0.75) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}

/// Where the windows of `unfold` and `fold` lie on one axis.
private struct Windows {
  let count: Int
  /// For each place in the window and each window: the element, outside of the axis where there is padding.
  let places: [Int]

  init(size: Int, kernel: Int, dilation: Int, low: Int, high: Int, stride: Int) throws(TypeFault) {
    guard kernel > 0, dilation > 0, low >= 0, high >= 0, stride > 0 else {
      throw TypeFault("kernel, dilation and stride must be positive, padding not negative")
    }
    let room = size + low + high - dilation * (kernel - 1) - 1
    guard room >= 0 else {
      throw TypeFault("windows of \(kernel) do not fit \(size) elements with padding \(low == high ? low : low + high)")
    }
    let count = room / stride + 1
    self.count = count
    try requireTable(kernel, count, of: "places")
    places = (0..<kernel).flatMap { tap in (0..<count).map { $0 * stride - low + tap * dilation } }
  }

  func index(in builder: Builder) -> Tensor {
    let values = places.map { ScalarValue.integer($0) }
    return builder.constant(unfailing { try NDArray(dtype: .i64, shape: [places.count, 1], values: values) })
  }

  /// Places in the padding lie outside of the axis: they read as 0, and are not written.
  func along(_ axis: Int) -> IndexedAxes { IndexedAxes(axes: [axis], outside: .ignored) }
}

/// The windows of an image as columns: `[N, C, H, W]` to `[N, C kH kW, windows]` (im2col).
public func unfold(
  _ x: Tensor, kernelSize: some IntegerList, dilation: some IntegerList = 1, padding: some IntegerList = 0,
  stride: some IntegerList = 1
) -> Tensor {
  composite("unfold", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(4...4, "the input")
    let kernel = try kernelSize.spread(2, "kernelSize")
    let (dilation, padding) = (try dilation.spread(2, "dilation"), try padding.spread(2, "padding"))
    let stride = try stride.spread(2, "stride")
    var y = x
    var counts: [Int] = []
    for axis in 0..<2 {
      let windows = try Windows(
        size: try x.knownSize(2 + axis), kernel: kernel[axis], dilation: dilation[axis], low: padding[axis],
        high: padding[axis], stride: stride[axis])
      counts.append(windows.count)
      y = y.gather(windows.index(in: x.builder), windows.along(2 + axis)).movedim(0, 2 + axis)
    }
    let sizes = [kernel[0], counts[0], kernel[1], counts[1]].map { Dim($0) }
    return try y.checked().reshape([x.shape[0], x.shape[1]] + sizes).permute([0, 1, 2, 4, 3, 5])
      .reshape([x.shape[0], x.shape[1] * sizes[0] * sizes[2], sizes[1] * sizes[3]])
  }
}

/// The sum of columns at their places in an image, the transpose of `unfold` (col2im).
///
/// - Parameter outputSize: The sizes of the image's spatial axes: two in PyTorch, here any number of them; one number
///   stands for two.
public func fold(
  _ x: Tensor, outputSize: some IntegerList, kernelSize: some IntegerList, dilation: some IntegerList = 1,
  padding: some IntegerList = 0, stride: some IntegerList = 1
) -> Tensor {
  let padding = padding.integers
  return fold(
    x, outputSize: outputSize, kernelSize: kernelSize, dilation: dilation, low: padding, high: padding, stride: stride)
}

/// The sum of columns at their places in an image whose sides are padded by different amounts.
package func fold(
  _ x: Tensor, outputSize: some IntegerList, kernelSize: some IntegerList, dilation: some IntegerList, low: [Int],
  high: [Int], stride: some IntegerList
) -> Tensor {
  composite("fold", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(3...3, "the input")
    let spatial = Swift.max(outputSize.integers.count == 1 ? 2 : 1, outputSize.integers.count)
    let output = try outputSize.spread(spatial, "outputSize")
    let kernel = try kernelSize.spread(spatial, "kernelSize")
    let dilation = try dilation.spread(spatial, "dilation")
    let (low, high) = (try low.spread(spatial, "padding"), try high.spread(spatial, "padding"))
    let stride = try stride.spread(spatial, "stride")
    var windows: [Windows] = []
    for axis in 0..<spatial {
      windows.append(
        try Windows(
          size: output[axis], kernel: kernel[axis], dilation: dilation[axis], low: low[axis], high: high[axis],
          stride: stride[axis]))
    }
    let counts = windows.map { Dim($0.count) }
    let taps = kernel.map { Dim($0) }
    guard let channels = x.shape[1].divided(exactlyBy: taps.elementCount), x.shape[2] == counts.elementCount else {
      func text(_ sizes: [Int]) -> String { sizes.map(String.init).joined(separator: " by ") }
      throw TypeFault("\(x.type) does not hold \(text(kernel)) windows at \(text(windows.map(\.count))) places")
    }
    // [N, C, kH, kW, h, w] to [N, C, kH h, kW w].
    let order = [0, 1] + (0..<spatial).flatMap { [2 + $0, 2 + spatial + $0] }
    var y = x.reshape([x.shape[0], channels] + taps + counts).permute(order)
      .reshape([x.shape[0], channels] + zip(taps, counts).map { $0 * $1 })
    for axis in 0..<spatial {
      var shape = y.shape
      shape[2 + axis] = Dim(output[axis])
      y = try x.builder.zeros(TensorType(x.dtype, shape))
        .scatter(
          windows[axis].index(in: x.builder), y.movedim(2 + axis, 0), windows[axis].along(2 + axis), combiner: .sum
        ).checked()
    }
    return y
  }
}
