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
///   - samplingRatio: The samples in a bin along each axis.
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
    guard samplingRatio > 0 else {
      throw TypeFault(
        "samplingRatio is \(samplingRatio): the sizes of boxes would decide the number of samples",
        help: "give the samples along a side of a bin, 2 is usual")
    }
    try requireTable(size[0], size[1], samplingRatio * samplingRatio, of: "samples")
    let count = boxes.shape[0]
    let corners = boxes * spatialScale - (aligned ? 0.5 : 0)
    /// The neighbours of samples along an axis, `[K, size ratio]`: their places, and the share of the second.
    func samples(_ axis: Int) throws(TypeFault) -> (low: Tensor, high: Tensor, share: Tensor, inside: Tensor) {
      let extent = try x.knownSize(2 + axis)
      let start = corners.select(dim: 1, index: 1 - axis)
      var length = corners.select(dim: 1, index: 3 - axis) - start
      if !aligned { length = length.maximum(1) }
      let total = size[axis] * samplingRatio
      let step = x.builder.tensor(
        (0..<total).map { (Double($0) + 0.5) / Double(total) }, dtype: boxes.dtype)
      let place = start.unsqueeze(dim: 1) + length.unsqueeze(dim: 1) * step
      let inside = (place .>= -1.0) .& (place .<= Double(extent))
      let bounded = place.maximum(0).minimum(Double(extent - 1))
      let low = bounded.floor()
      return (low, (low + 1).minimum(Double(extent - 1)), bounded - low, inside)
    }
    let (rows, columns) = (try samples(0), try samples(1))
    let shape = [count, Dim(size[0] * samplingRatio), Dim(size[1] * samplingRatio)]
    func across(_ tensor: Tensor, _ axis: Int) -> Tensor { tensor.broadcast(to: shape, axes: [0, 1 + axis]) }
    let image = batchIndices.convert(to: .i64).broadcast(to: shape, axes: [0])
    let table = x.permute([0, 2, 3, 1])
    var terms: [Tensor] = []
    for (row, vertical) in [(rows.low, 1 - rows.share), (rows.high, rows.share)] {
      for (column, horizontal) in [(columns.low, 1 - columns.share), (columns.high, columns.share)] {
        let places = stack(
          [image, across(row.convert(to: .i64), 0), across(column.convert(to: .i64), 1)], dim: -1)
        let pixels = table.gather(places, IndexedAxes(axes: [0, 1, 2]))  // [K, rows, columns, C]
        let weight = (across(vertical, 0) * across(horizontal, 1)).convert(to: x.dtype).unsqueeze(dim: -1)
        terms.append(pixels * weight)
      }
    }
    let joined = terms.dropFirst().reduce(terms[0]) { mode == .avg ? $0 + $1 : $0.maximum($1) }
    let inside = (across(rows.inside, 0) .& across(columns.inside, 1)).unsqueeze(dim: -1)
    let ratio = Dim(samplingRatio)
    let bins = inside.select(joined, joined.zerosLike())
      .reshape([count, Dim(size[0]), ratio, Dim(size[1]), ratio, x.shape[1]])
    let pooled = mode == .avg ? bins.mean(dim: [2, 4]) : bins.reduce(.max, axes: [2, 4])
    return pooled.permute(dims: [0, 3, 1, 2])
  }
}
