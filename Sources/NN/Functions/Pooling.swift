public import LatheCore

/// Pooling over the last axes of `[N, C, spatial...]` or `[C, spatial...]`. The stride is the kernel's size by default.
///
/// Source: https://pytorch.org/docs/stable/nn.functional.html#pooling-functions

/// The greatest element of every window over the last axis.
public let maxPool1d = MaxPoolFunction(spatial: 1) { $0.max($1) }
/// The greatest element of every window over the last two axes.
public let maxPool2d = MaxPoolFunction(spatial: 2) { $0.max($1) }
/// The greatest element of every window over the last three axes.
public let maxPool3d = MaxPoolFunction(spatial: 3) { $0.max($1) }
/// `maxPool1d`, with the row-major place of every maximum in the spatial axes of the input: `return_indices`.
public let maxPool1dWithIndices = MaxPoolFunction(spatial: 1) { $0.maxWithIndices($1) }
/// `maxPool2d`, with the row-major place of every maximum in the spatial axes of the input: `return_indices`.
public let maxPool2dWithIndices = MaxPoolFunction(spatial: 2) { $0.maxWithIndices($1) }
/// `maxPool3d`, with the row-major place of every maximum in the spatial axes of the input: `return_indices`.
public let maxPool3dWithIndices = MaxPoolFunction(spatial: 3) { $0.maxWithIndices($1) }

/// What `maxPool1d`, `maxPool2d` and `maxPool3d` are: the maximum of windows, alone or with its place.
public struct MaxPoolFunction<Output>: Sendable {
  fileprivate let spatial: Int
  fileprivate let pooled: @Sendable (Pooling, Tensor) -> Output

  /// Applies the function.
  public func callAsFunction(
    _ x: Tensor, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    dilation: some IntegerList = 1, ceilMode: Bool = false
  ) -> Output {
    pooled(Pooling("maxPool", spatial, kernelSize, stride, padding, dilation, ceilMode), x)
  }
}

/// Maximum over windows with different amounts of padding before and after.
public func maxPoolNd(
  _ x: Tensor, kernelSize: [Int], stride: [Int], low: [Int], high: [Int], dilation: [Int]? = nil, ceilMode: Bool = false
) -> Tensor {
  Pooling("maxPool", kernelSize, stride, low, high, dilation, ceilMode).max(x)
}

/// Mean over windows with different amounts of padding before and after.
public func avgPoolNd(
  _ x: Tensor, kernelSize: [Int], stride: [Int], low: [Int], high: [Int], dilation: [Int]? = nil,
  ceilMode: Bool = false, countIncludePad: Bool = true
) -> Tensor {
  Pooling("avgPool", kernelSize, stride, low, high, dilation, ceilMode)
    .average(x, countIncludePad: countIncludePad, divisor: nil)
}

/// The mean of every window over the last axis.
public let avgPool1d = AvgPoolFunction(spatial: 1)
/// The mean of every window over the last two axes.
public let avgPool2d = AvgPoolFunction(spatial: 2)
/// The mean of every window over the last three axes.
public let avgPool3d = AvgPoolFunction(spatial: 3)

/// What `avgPool1d`, `avgPool2d` and `avgPool3d` are: the mean of windows.
public struct AvgPoolFunction: Sendable {
  fileprivate let spatial: Int

  /// Applies the function.
  ///
  /// - Parameters:
  ///   - countIncludePad: Whether padding counts as elements.
  ///   - divisorOverride: What sums are divided by instead of the number of elements.
  public func callAsFunction(
    _ x: Tensor, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) -> Tensor {
    Pooling("avgPool", spatial, kernelSize, stride, padding, 1, ceilMode)
      .average(x, countIncludePad: countIncludePad, divisor: divisorOverride)
  }
}

/// The `p`-norm over windows of the last axis: `sum(x^p)^(1/p)`.
public let lpPool1d = LPPoolFunction(spatial: 1)
/// The `p`-norm over windows of the last two axes: `sum(x^p)^(1/p)`.
public let lpPool2d = LPPoolFunction(spatial: 2)
/// The `p`-norm over windows of the last three axes: `sum(x^p)^(1/p)`.
public let lpPool3d = LPPoolFunction(spatial: 3)

/// What `lpPool1d`, `lpPool2d` and `lpPool3d` are: the `p`-norm of windows.
public struct LPPoolFunction: Sendable {
  fileprivate let spatial: Int

  /// Applies the function.
  ///
  /// - Parameter normType: The `p` of the norm.
  public func callAsFunction(
    _ x: Tensor, normType: Double, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none,
    ceilMode: Bool = false
  ) -> Tensor {
    Pooling("lpPool", spatial, kernelSize, stride, 0, 1, ceilMode).norm(x, normType)
  }
}

/// Writes elements back to the places that `maxPool2dWithIndices` and its kin found; zeros elsewhere.
///
/// - Parameter outputSize: The spatial sizes of the result; by default those of the smallest input that pooling fits.
public func maxUnpool(
  _ x: Tensor, _ indices: Tensor, spatial: Int, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none,
  padding: some IntegerList = 0, outputSize: [Int]? = nil
) -> Tensor {
  composite("maxUnpool\(spatial)d", [x, indices]) { () throws(TypeFault) -> Tensor in
    guard spatial > 0, x.rank >= spatial else { throw TypeFault("\(x.type) has no \(spatial) axes") }
    let kernel = try kernelSize.spread(spatial, "kernelSize")
    let stride = try stride?.spread(spatial, "stride") ?? kernel
    let padding = try padding.spread(spatial, "padding")
    let lead = x.rank - spatial
    var sizes: [Int] = []
    for axis in 0..<spatial {
      sizes.append(((try x.knownSize(lead + axis)) - 1) * stride[axis] - 2 * padding[axis] + kernel[axis])
    }
    if let outputSize {
      let wanted = Array(outputSize.count == spatial + 2 ? outputSize.dropFirst(2) : outputSize[...])
      guard wanted.count == spatial else { throw TypeFault("outputSize has \(outputSize.count) numbers") }
      for size in wanted { try requireBounded(size, "outputSize") }
      for axis in 0..<spatial where abs(wanted[axis] - sizes[axis]) >= stride[axis] {
        throw TypeFault(
          "the size \(wanted[axis]) of axis \(axis) was not pooled to this one",
          help: "it is more than \(sizes[axis] - stride[axis]) and less than \(sizes[axis] + stride[axis])")
      }
      sizes = wanted
    }
    return unpooled(x, indices, to: sizes)
  }
}

/// Elements at their row-major places over last axes of the given sizes; zeros elsewhere.
package func unpooled(_ x: Tensor, _ indices: Tensor, to sizes: [Int]) -> Tensor {
  composite("maxUnpool\(sizes.count)d", [x, indices]) { () throws(TypeFault) -> Tensor in
    guard x.rank >= sizes.count, indices.shape == x.shape, indices.dtype.isInteger else {
      throw TypeFault("the indices \(indices.type) do not belong to \(x.type)")
    }
    guard sizes.allSatisfy({ $0 >= 0 }) else { throw TypeFault("the result would have sizes \(sizes)") }
    let lead = x.rank - sizes.count
    let outer = Array(x.shape[..<lead])
    let count = Array(x.shape[lead...]).elementCount
    let flat = x.builder.zeros(TensorType(x.dtype, outer + [sizes.map { Dim($0) }.elementCount]))
    return flat.scatterAlong(
      axis: lead, indices: indices.reshape(outer + [count]), updates: x.reshape(outer + [count]), combiner: nil
    ).reshape(outer + sizes.map { Dim($0) })
  }
}

/// Writes elements back to the places over the last axis that pooling found; zeros elsewhere.
public let maxUnpool1d = MaxUnpoolFunction(spatial: 1)
/// Writes elements back to the places over the last two axes that pooling found; zeros elsewhere.
public let maxUnpool2d = MaxUnpoolFunction(spatial: 2)
/// Writes elements back to the places over the last three axes that pooling found; zeros elsewhere.
public let maxUnpool3d = MaxUnpoolFunction(spatial: 3)

/// What `maxUnpool1d`, `maxUnpool2d` and `maxUnpool3d` are: elements back at the places that pooling found.
public struct MaxUnpoolFunction: Sendable {
  fileprivate let spatial: Int

  /// Applies the function.
  ///
  /// - Parameter outputSize: The sizes of the result, within a stride of the default, with or without batch and channels.
  public func callAsFunction(
    _ x: Tensor, _ indices: Tensor, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none,
    padding: some IntegerList = 0, outputSize: [Int]? = nil
  ) -> Tensor {
    maxUnpool(
      x, indices, spatial: spatial, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
  }
}

/// The greatest elements of windows at random distances, which give a wanted size over the last two axes.
///
/// - Parameters:
///   - outputSize: The sizes of the result.
///   - outputRatio: The sizes of the result as shares of the input's, where they are not given.
///   - randomSamples: `[N, C, 2]` numbers from 0 below 1 that the distances follow from; drawn where they are not given.
///
/// Source: https://arxiv.org/abs/1412.6071
public func fractionalMaxPool2d(
  _ x: Tensor, kernelSize: some IntegerList, outputSize: (some IntegerList)? = Int?.none,
  outputRatio: (some FactorList)? = Double?.none, randomSamples: Tensor? = nil
) -> Tensor {
  fractionalMaxPool2dWithIndices(
    x, kernelSize: kernelSize, outputSize: outputSize, outputRatio: outputRatio, randomSamples: randomSamples
  ).output
}

/// `fractionalMaxPool2d`, with the row-major place of every maximum in the image.
public func fractionalMaxPool2dWithIndices(
  _ x: Tensor, kernelSize: some IntegerList, outputSize: (some IntegerList)? = Int?.none,
  outputRatio: (some FactorList)? = Double?.none, randomSamples: Tensor? = nil
) -> (output: Tensor, indices: Tensor) {
  let operands = [x, randomSamples]
  let results = composite("fractionalMaxPool2d", operands, count: 2) { () throws(TypeFault) -> [Tensor] in
    try x.requireRank(3...4, "the input")
    let images = x.rank == 3 ? x.unsqueeze(dim: 0) : x
    let kernel = try kernelSize.spread(2, "kernelSize")
    let extents = [try images.knownSize(2), try images.knownSize(3)]
    var sizes: [Int]
    switch (outputSize, outputRatio) {
    case (let size?, nil): sizes = try size.spread(2, "outputSize")
    case (nil, let ratio?):
      let ratios = try ratio.spreadFactors(2, "outputRatio")
      guard ratios.allSatisfy({ 0 < $0 && $0 < 1 }) else { throw TypeFault("the ratios \(ratios) are not in 0 to 1") }
      sizes = zip(extents, ratios).map { Int(Double($0) * $1) }
    default: throw TypeFault("give either outputSize or outputRatio")
    }
    for axis in 0..<2 {
      guard kernel[axis] > 0, sizes[axis] > 0, sizes[axis] + kernel[axis] - 1 <= extents[axis] else {
        throw TypeFault("\(sizes[axis]) windows of \(kernel[axis]) do not fit axis \(axis), \(extents[axis])")
      }
    }
    let lead = Array(images.shape[..<2])
    let samples = randomSamples ?? x.builder.rand(lead + [2], dtype: x.dtype)
    guard samples.shape == lead + [2] else {
      throw TypeFault("the samples are \(samples.type), need shape \((lead + [2]).text)")
    }
    /// The places `[N, C, windows, kernel]` of an axis; the last window ends where the axis does.
    func places(_ axis: Int) -> Tensor {
      let (count, last) = (sizes[axis], extents[axis] - kernel[axis])
      let number = x.builder.arange(count, dtype: samples.dtype)
      // PyTorch's samples have the columns first.
      let sample = samples.select(dim: 2, index: 1 - axis).unsqueeze(dim: -1)
      let step = count > 1 ? Double(last) / Double(count - 1) : 0
      let starts = ((number + sample) * step).trunc() - (sample * step).trunc()
      let fixed = (number .== count - 1).select(starts.fullLike(last), starts).convert(to: .i64)
      return fixed.unsqueeze(dim: -1) + x.builder.arange(kernel[axis])
    }
    let (rows, columns) = (places(0), places(1))
    // [N, C, rows, columns, kernel rows, kernel columns]
    let table = try
      (rows.unsqueeze(dim: 3).unsqueeze(dim: 5) * extents[1] + columns.unsqueeze(dim: 2).unsqueeze(dim: 4))
      .checked()
    let width = kernel[0] * kernel[1]
    let windows = table.reshape(lead + [Dim(sizes[0] * sizes[1] * width)])
    let flat = images.reshape(lead + [Dim(extents[0] * extents[1])])
    let shape = lead + [Dim(sizes[0]), Dim(sizes[1]), Dim(width)]
    let (values, chosen) = flat.gather(dim: 2, windows).reshape(shape).max(dim: -1)
    let indices = windows.reshape(shape).gather(dim: -1, chosen.unsqueeze(dim: -1)).squeeze(dim: -1)
    return x.rank == 3 ? [values.squeeze(dim: 0), indices.squeeze(dim: 0)] : [values, indices]
  }
  return (results[0], results[1])
}

/// One pooling call with its numbers, before they are checked against an input.
struct Pooling: Sendable {
  private let function: String
  let spatial: Int
  let kernel: [Int]
  let stride: [Int]
  let low: [Int]
  let high: [Int]
  let dilation: [Int]
  let ceilMode: Bool
  /// Whether padding is PyTorch's, the same on both sides and at most half of the kernel.
  let isSymmetric: Bool

  /// - Parameter function: The name without the number of axes.
  init(
    _ function: String, _ spatial: Int, _ kernel: some IntegerList, _ stride: (some IntegerList)?,
    _ padding: some IntegerList, _ dilation: some IntegerList, _ ceilMode: Bool
  ) {
    self.function = function
    self.spatial = spatial
    self.kernel = kernel.integers
    self.stride = stride?.integers ?? kernel.integers
    low = padding.integers
    high = padding.integers
    isSymmetric = true
    self.dilation = dilation.integers
    self.ceilMode = ceilMode
  }

  init(
    _ function: String, _ kernel: [Int], _ stride: [Int], _ low: [Int], _ high: [Int], _ dilation: [Int]?,
    _ ceilMode: Bool
  ) {
    self.function = function
    spatial = kernel.count
    self.kernel = kernel
    self.stride = stride
    self.low = low
    self.high = high
    isSymmetric = false
    self.dilation = dilation ?? [1]
    self.ceilMode = ceilMode
  }

  private var name: String { "\(function)\(spatial)d" }

  /// The windows over an input, and how much of the padding behind is there for `ceilMode` only.
  func window(_ x: Tensor) throws(TypeFault) -> (shape: WindowShape, excess: [Int]) {
    guard spatial > 0, x.rank == spatial + 1 || x.rank == spatial + 2 else {
      throw TypeFault("the input \(x.type) is neither [N, C, ...] nor [C, ...] with \(spatial) spatial axes")
    }
    let kernel = try kernel.spread(spatial, "kernelSize")
    var window = WindowShape(
      size: kernel, stride: try stride.spread(spatial, "stride"), low: try low.spread(spatial, "padding"),
      high: try high.spread(spatial, "padding"), dilation: try dilation.spread(spatial, "dilation"))
    for axis in 0..<spatial {
      guard kernel[axis] > 0, window.stride[axis] > 0, window.dilation[axis] > 0 else {
        throw TypeFault("kernel, stride and dilation must be positive")
      }
      guard window.low[axis] >= 0, window.high[axis] >= 0 else { throw TypeFault("padding must not be negative") }
      let reach = (kernel[axis] - 1) * window.dilation[axis] + 1
      if isSymmetric, window.low[axis] > reach / 2 {
        throw TypeFault(
          "the padding \(window.low[axis]) is more than half of the window's \(reach)",
          help: "pad by at most \(reach / 2)")
      }
    }
    var excess = [Int](repeating: 0, count: spatial)
    guard ceilMode else { return (window, excess) }
    for axis in 0..<spatial {
      let size = try x.knownSize(x.rank - spatial + axis)
      let reach = (kernel[axis] - 1) * window.dilation[axis] + 1
      let room = size + window.low[axis] + window.high[axis] - reach
      let stride = window.stride[axis]
      // Quotients round down, towards negative infinity: a window larger than the padded input still gives one result.
      var count = Int((Double(room + stride - 1) / Double(stride)).rounded(.down)) + 1
      guard count > 0 else { continue }
      // The last window has to start inside of the input or the padding before it.
      if (count - 1) * stride >= size + window.low[axis] { count -= 1 }
      excess[axis] = Swift.max(0, (count - 1) * stride - room)
      window.high[axis] += excess[axis]
    }
    return (window, excess)
  }

  func max(_ x: Tensor) -> Tensor {
    composite(name, [x]) { () throws(TypeFault) -> Tensor in x.windowReduce(.max, try window(x).shape) }
  }

  func maxWithIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    let results = composite(name, [x], count: 2) { () throws(TypeFault) -> [Tensor] in
      let window = try window(x).shape
      return [x.windowReduce(.max, window), x.windowArgReduce(.max, window)]
    }
    return (results[0], results[1])
  }

  func average(_ x: Tensor, countIncludePad: Bool, divisor: Int?) -> Tensor {
    composite(name, [x]) { () throws(TypeFault) -> Tensor in
      try x.requireFloat("the input")
      let (window, excess) = try window(x)
      var y = try x.wide.windowReduce(.sum, window).checked()
      if let divisor {
        guard divisor != 0 else { throw TypeFault("divisorOverride is 0") }
        return (y / Double(divisor)).convert(to: x.dtype)
      }
      // The number of elements under a window is a product over the axes, mostly constant.
      var constant = 1
      for axis in 0..<spatial {
        let counts = try counts(x, window, excess, axis, countIncludePad)
        if Set(counts).count == 1 {
          constant *= counts[0]
          continue
        }
        let shape = [counts.count] + [Int](repeating: 1, count: spatial - 1 - axis)
        y = y / y.builder.tensor(counts.map { Double($0) }, shape: shape, dtype: y.dtype)
      }
      return (constant == 1 ? y : y / Double(constant)).convert(to: x.dtype)
    }
  }

  /// How many elements the windows have along an axis; one number where it is the same for all.
  private func counts(
    _ x: Tensor, _ window: WindowShape, _ excess: [Int], _ axis: Int, _ countIncludePad: Bool
  ) throws(TypeFault) -> [Int] {
    let (size, low) = (window.size[axis], window.low[axis])
    let high = window.high[axis] - excess[axis]
    if excess[axis] == 0, countIncludePad || (low == 0 && high == 0) { return [size] }
    let extent = try x.knownSize(x.rank - spatial + axis)
    let dilation = window.dilation[axis]
    let reach = (size - 1) * dilation + 1
    let count = (extent + low + window.high[axis] - reach) / window.stride[axis] + 1
    let valid = countIncludePad ? -low..<(extent + high) : 0..<extent
    return (0..<count).map { position in
      let start = position * window.stride[axis] - low
      // The first element of the window that is not before a place.
      func first(_ place: Int) -> Int { Swift.min(Swift.max((place - start + dilation - 1) / dilation, 0), size) }
      return Swift.max(1, first(valid.upperBound) - first(valid.lowerBound))
    }
  }

  func norm(_ x: Tensor, _ p: Double) -> Tensor {
    composite(name, [x]) { () throws(TypeFault) -> Tensor in
      guard p != 0, p.isFinite else { throw TypeFault("normType is \(p)", help: "use maxPool for an infinite one") }
      // PyTorch takes the mean times the window's size, so that windows over the edge count as full ones.
      let size = try kernel.spread(spatial, "kernelSize").reduce(1) { $0 * Double($1) }
      let means = average(p == 1 ? x : x.pow(p), countIncludePad: true, divisor: nil)
      return p == 1 ? means * size : (means * size).powerOrZero(1 / p)
    }
  }
}
