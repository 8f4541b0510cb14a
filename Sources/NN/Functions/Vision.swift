public import LatheCore

/// Convolution whose taps are moved by offsets: `x[N, C, H, W]` with `weight[O, C / groups, kH, kW]` gives
/// `[N, O, h, w]` (`torchvision.ops.deform_conv2d`).
///
/// Pixels between places are weighted sums of their neighbours, those outside of the image are 0.
///
/// - Parameters:
///   - offset: `[N, offsetGroups 2 kH kW, h, w]`: how far each tap is moved down, then right; channels divide into as
///     many groups as there are offsets for.
///   - mask: Factors for each tap, `[N, offsetGroups kH kW, h, w]`.
///
/// Source: https://pytorch.org/vision/stable/generated/torchvision.ops.deform_conv2d.html
public func deformConv2d(
  _ x: Tensor, _ offset: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some IntegerList = 1,
  padding: some IntegerList = 0, dilation: some IntegerList = 1, mask: Tensor? = nil
) -> Tensor {
  composite("deformConv2d", [x, offset, weight, bias, mask]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(4...4, "the input")
    try weight.requireRank(4...4, "the weight")
    try offset.requireRank(4...4, "the offset")
    let kernel = [try weight.knownSize(2), try weight.knownSize(3)]
    let (stride, padding) = (try stride.spread(2, "stride"), try padding.spread(2, "padding"))
    let dilation = try dilation.spread(2, "dilation")
    let taps = kernel[0] * kernel[1]
    let (batch, channels, filters) = (x.shape[0], try x.knownSize(1), try weight.knownSize(0))
    let (offsets, each) = (try offset.knownSize(1), try weight.knownSize(1))
    guard taps > 0, offsets > 0, each > 0, offsets % (2 * taps) == 0, channels % (offsets / (2 * taps)) == 0,
      channels % each == 0, filters % (channels / each) == 0, offset.shape[0] == batch
    else {
      throw TypeFault("the offset \(offset.type) and the weight \(weight.type) do not fit \(x.type)")
    }
    let (parts, groups) = (offsets / (2 * taps), channels / each)
    let image = Array(offset.shape[2...])
    // Every group of channels that shares offsets is an image of its own.
    let count = batch * Dim(parts)
    let images = x.reshape([count, Dim(channels / parts), x.shape[2], x.shape[3]])
    let moves = offset.reshape([count, Dim(taps), 2] + image)
    var sampler = GridSampler(padding: .zeros, alignCorners: true)
    sampler.sizes = [try x.knownSize(2), try x.knownSize(3)]
    let places = (0..<2).map { axis in
      let move = moves.select(dim: 2, index: axis)
      let type = move.type.with(dtype: .i64)
      let tap = x.builder.iota(type, axis: 1)
      let index = axis == 0 ? .pointwise(.divide, tap, tap.fullLike(kernel[1])) : tap.remainder(kernel[1])
      let start = x.builder.iota(type, axis: 2 + axis) * stride[axis] - padding[axis] + index * dilation[axis]
      return move + start.convert(to: move.dtype)
    }
    // [N parts, C / parts, taps, h, w]
    var pixels = sampler.weighted(images, places, 0...1) { distance, tap in tap == 0 ? 1 - distance : distance }
    if let mask {
      guard mask.shape == [batch, Dim(parts * taps)] + image else {
        throw TypeFault("the mask \(mask.type) does not fit the offset \(offset.type)")
      }
      pixels = pixels * mask.reshape([count, 1, Dim(taps)] + image)
    }
    let columns = pixels.reshape(
      [batch, Dim(groups), Dim(each * taps), image.elementCount])
    let matrix = weight.reshape([groups, filters / groups, each * taps])
    let y = matmul(matrix, columns).reshape([batch, Dim(filters)] + image)
    return bias.map { y + $0.reshape([filters, 1, 1]) } ?? y
  }
}

/// How `roiAlign` joins the samples of a bin.
public enum RegionPooling: String, Sendable {
  /// The mean or the maximum of the samples.
  case avg, max
}

/// Regions of images in one size: for `x[N, C, H, W]` and `boxes[K, 4]`, each `x1, y1, x2, y2`, `[K, C, h, w]`
/// (`torchvision.ops.roi_align`).
///
/// - Parameters:
///   - batchIndices: The image of each box, `[K]`.
///   - spatialScale: What the coordinates of boxes are multiplied with.
///   - samplingRatio: The samples in a bin along each axis; 0 or less for as many as a bin has pixels, which the boxes
///     decide in the run.
///   - aligned: Whether coordinates are those of pixels' edges, half a pixel before their centres; else boxes are at
///     least one pixel large.
///   - mode: `max` is ONNX's: the largest of the weighted neighbours of all samples.
///
/// Source: https://pytorch.org/vision/stable/generated/torchvision.ops.roi_align.html
public func roiAlign(
  _ x: Tensor, _ boxes: Tensor, batchIndices: Tensor, outputSize: some IntegerList, spatialScale: Double = 1,
  samplingRatio: Int, aligned: Bool = false, mode: RegionPooling = .avg
) -> Tensor {
  composite("roiAlign", [x, boxes, batchIndices]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(4...4, "the input")
    let size = try outputSize.spread(2, "outputSize")
    guard boxes.rank == 2, boxes.shape[1] == 4, batchIndices.shape == [boxes.shape[0]] else {
      throw TypeFault("the boxes are \(boxes.type), their images \(batchIndices.type); need [K, 4] and [K]")
    }
    let count = boxes.shape[0]
    let corners = boxes * spatialScale - (aligned ? 0.5 : 0)
    let extents = [try x.knownSize(2), try x.knownSize(3)]
    let starts = [1, 0].map { corners.select(dim: 1, index: $0) }
    let lengths = zip([3, 2], starts).map { position, start in
      let length = corners.select(dim: 1, index: position) - start
      return aligned ? length : length.maximum(1)
    }
    /// Samples at shares `[K, m]` of the boxes' lengths along both axes: `[K, rows, columns, C]`.
    func sampled(_ shares: [Tensor]) -> Tensor {
      let image = RegionSamples(x, batchIndices)
      let places = (0..<2).map { starts[$0].unsqueeze(dim: 1) + lengths[$0].unsqueeze(dim: 1) * shares[$0] }
      return image.at(places, extents: extents, mode)
    }
    guard samplingRatio > 0 else {
      let pooled = adaptiveRegions(size, boxes: boxes, lengths: lengths, mode, sampled)
      return pooled.convert(to: x.dtype).permute(dims: [0, 3, 1, 2])
    }
    try requireTable(size[0], size[1], samplingRatio * samplingRatio, of: "samples")
    let shares = size.map { size in
      let total = size * samplingRatio
      return x.builder.tensor((0..<total).map { (Double($0) + 0.5) / Double(total) }, dtype: boxes.dtype)
        .broadcast(to: [count, Dim(total)], axes: [1])
    }
    let ratio = Dim(samplingRatio)
    let bins = sampled(shares).reshape([count, Dim(size[0]), ratio, Dim(size[1]), ratio, x.shape[1]])
    let pooled = mode == .avg ? bins.mean(dim: [2, 4]) : bins.reduce(.max, axes: [2, 4])
    return pooled.permute(dims: [0, 3, 1, 2])
  }
}

/// The images of which boxes are samples.
private struct RegionSamples {
  let table: Tensor
  let image: Tensor

  init(_ x: Tensor, _ batchIndices: Tensor) {
    table = x.permute([0, 2, 3, 1])
    image = batchIndices.convert(to: .i64)
  }

  /// Bilinear samples at rows and columns `[K, m]` of each box, 0 outside: `[K, rows, columns, C]`.
  func at(_ places: [Tensor], extents: [Int], _ mode: RegionPooling) -> Tensor {
    let shape = [places[0].shape[0], places[0].shape[1], places[1].shape[1]]
    func across(_ tensor: Tensor, _ axis: Int) -> Tensor { tensor.broadcast(to: shape, axes: [0, 1 + axis]) }
    /// The neighbours along an axis: their places, and their shares.
    func neighbours(_ axis: Int) -> [(place: Tensor, share: Tensor)] {
      let last = Double(extents[axis] - 1)
      let bounded = places[axis].maximum(0).minimum(last)
      let low = bounded.floor()
      return [(low, 1 - (bounded - low)), ((low + 1).minimum(last), bounded - low)]
    }
    func inside(_ axis: Int) -> Tensor { (places[axis] .>= -1.0) .& (places[axis] .<= Double(extents[axis])) }
    let images = image.broadcast(to: shape, axes: [0])
    var joined: Tensor?
    for (row, vertical) in neighbours(0) {
      for (column, horizontal) in neighbours(1) {
        let indices = stack([images, across(row.convert(to: .i64), 0), across(column.convert(to: .i64), 1)], dim: -1)
        let pixels = table.gather(indices, IndexedAxes(axes: [0, 1, 2]))
        let term = pixels * (across(vertical, 0) * across(horizontal, 1)).convert(to: table.dtype).unsqueeze(dim: -1)
        joined = joined.map { mode == .avg ? $0 + term : $0.maximum(term) } ?? term
      }
    }
    guard let joined else { return table.builder.poison }
    return (across(inside(0), 0) .& across(inside(1), 1)).unsqueeze(dim: -1).select(joined, joined.zerosLike())
  }
}

/// Bins with as many samples as they have pixels, one sample of all bins in each step of a loop: `[K, h, w, C]`.
private func adaptiveRegions(
  _ size: [Int], boxes: Tensor, lengths: [Tensor], _ mode: RegionPooling, _ sampled: ([Tensor]) -> Tensor
) -> Tensor {
  let (builder, count) = (boxes.builder, boxes.shape[0])
  // How many samples each box has along an axis, and the most of all boxes.
  let counts = (0..<2).map { (lengths[$0] / Double(size[$0])).ceil().maximum(0).convert(to: .i64) }
  let most = counts.map { $0.reduce(.max, axes: [0]).maximum(0) }
  /// The shares of the boxes' lengths at which the samples of a number lie.
  func shares(_ axis: Int, _ sample: Tensor) -> Tensor {
    let within = (sample.convert(to: boxes.dtype) + 0.5) / counts[axis].maximum(1).convert(to: boxes.dtype)
    let bins = builder.iota(TensorType(boxes.dtype, [count, Dim(size[axis])]), axis: 1)
    return (bins + within.unsqueeze(dim: 1)) / Double(size[axis])
  }
  let first = sampled([0, 1].map { shares($0, builder.scalar(.integer(0), .i64)) })
  let start = mode == .avg ? first.zerosLike() : first.filled(.float(-.infinity))
  let result = whileLoop(
    [builder.scalar(.integer(0), .i64), start], condition: { $0[0] .< most[0] * most[1] },
    body: { state in
      let row = Tensor.pointwise(.divide, state[0], most[1].maximum(1))
      let numbers = [row, state[0] - row * most[1].maximum(1)]
      let found = sampled([0, 1].map { shares($0, numbers[$0]) })
      let isSample = ((numbers[0] .< counts[0]) .& (numbers[1] .< counts[1])).broadcast(to: found.shape, axes: [0])
      let joined = mode == .avg ? state[1] + found : state[1].maximum(found)
      return [state[0] + 1, isSample.select(joined, state[1])]
    })[1]
  let number = (counts[0] * counts[1]).broadcast(to: first.shape, axes: [0])
  let pooled = mode == .avg ? result / number.maximum(1).convert(to: result.dtype) : result
  return (number .> 0).select(pooled, pooled.zerosLike())
}

/// The largest pixels of bins of boxes, whose corners are pixels: for `x[N, C, H, W]` and `boxes[K, 5]`, each the image,
/// `x1, y1, x2, y2`, `[K, C, h, w]` (Caffe's `ROIPooling`, ONNX's `MaxRoiPool`).
package func maxRegionPool(_ x: Tensor, _ boxes: Tensor, outputSize: [Int], spatialScale: Double) -> Tensor {
  composite("maxRegionPool", [x, boxes]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(4...4, "the input")
    guard boxes.rank == 2, boxes.shape[1] == 5, outputSize.count == 2, outputSize.allSatisfy({ $0 > 0 }) else {
      throw TypeFault("the boxes are \(boxes.type) for bins \(outputSize), need [K, 5] and two sizes")
    }
    let count = boxes.shape[0]
    func corner(_ position: Int) -> Tensor {
      let place = boxes.select(dim: 1, index: position) * spatialScale
      // Halves are rounded away from zero.
      return place.sign() * (place.abs() + 0.5).floor()
    }
    /// Which pixels along an axis belong to which bins of a box, `[K, bins, pixels]`.
    func members(_ axis: Int) throws(TypeFault) -> Tensor {
      let (size, extent) = (outputSize[axis], try x.knownSize(2 + axis))
      let first = corner(2 - axis)
      let bin = ((corner(4 - axis) - first + 1).maximum(1) / Double(size)).unsqueeze(dim: 1)
      let bins = x.builder.iota(TensorType(boxes.dtype, [count, Dim(size)]), axis: 1)
      let shape = [count, Dim(size), Dim(extent)]
      func across(_ edge: Tensor) -> Tensor { (edge + first.unsqueeze(dim: 1)).broadcast(to: shape, axes: [0, 1]) }
      let pixel = x.builder.iota(TensorType(boxes.dtype, shape), axis: 2)
      return (pixel .>= across((bins * bin).floor())) .& (pixel .< across(((bins + 1) * bin).ceil()))
    }
    let (rows, columns) = (try members(0), try members(1))
    let image = x.indexSelect(dim: 0, boxes.select(dim: 1, index: 0).convert(to: .i64))  // [K, C, H, W]
    let lowest = x.dtype.lowest
    func largest(_ values: Tensor, _ members: Tensor, _ shape: [Dim], _ valueAxes: [Int], _ memberAxes: [Int]) -> Tensor
    {
      let spread = values.broadcast(to: shape, axes: valueAxes)
      return members.broadcast(to: shape, axes: memberAxes).select(spread, spread.filled(lowest)).reduce(
        .max, axes: [4])
    }
    let (h, w) = (Dim(outputSize[0]), Dim(outputSize[1]))
    // Along rows first, [K, C, H, w], then along columns.
    let narrow = largest(image, columns, [count, x.shape[1], x.shape[2], w, x.shape[3]], [0, 1, 2, 4], [0, 3, 4])
    let pooled = largest(
      narrow.permute([0, 1, 3, 2]), rows, [count, x.shape[1], h, w, x.shape[2]], [0, 1, 3, 4], [0, 2, 4])
    // Bins without pixels are 0.
    let shape = pooled.shape
    let isFilled =
      rows.any(dim: 2).broadcast(to: shape, axes: [0, 2]) .& columns.any(dim: 2).broadcast(to: shape, axes: [0, 3])
    return isFilled.select(pooled, pooled.zerosLike())
  }
}
