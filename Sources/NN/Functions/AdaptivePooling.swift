public import LatheCore

/// Pooling to given sizes, of which -1 keeps an axis as it is.
///
/// Window `i` of `n` runs from `floor(i L / n)` below `ceil((i + 1) L / n)`.

/// The means of windows that give a wanted size over the last axis.
public let adaptiveAvgPool1d = AdaptivePoolFunction(spatial: 1, pooled: adaptiveAverage)
/// The means of windows that give a wanted size over the last two axes.
public let adaptiveAvgPool2d = AdaptivePoolFunction(spatial: 2, pooled: adaptiveAverage)
/// The means of windows that give a wanted size over the last three axes.
public let adaptiveAvgPool3d = AdaptivePoolFunction(spatial: 3, pooled: adaptiveAverage)
/// The greatest elements of windows that give a wanted size over the last axis.
public let adaptiveMaxPool1d = AdaptivePoolFunction(spatial: 1) { adaptiveMaximum($0, $1, $2).output }
/// The greatest elements of windows that give a wanted size over the last two axes.
public let adaptiveMaxPool2d = AdaptivePoolFunction(spatial: 2) { adaptiveMaximum($0, $1, $2).output }
/// The greatest elements of windows that give a wanted size over the last three axes.
public let adaptiveMaxPool3d = AdaptivePoolFunction(spatial: 3) { adaptiveMaximum($0, $1, $2).output }
/// `adaptiveMaxPool1d`, with the row-major places of the maxima in the last axis of the input: `return_indices`.
public let adaptiveMaxPool1dWithIndices = AdaptivePoolFunction(spatial: 1, pooled: adaptiveMaximum)
/// `adaptiveMaxPool2d`, with the row-major places of the maxima in the last two axes of the input: `return_indices`.
public let adaptiveMaxPool2dWithIndices = AdaptivePoolFunction(spatial: 2, pooled: adaptiveMaximum)
/// `adaptiveMaxPool3d`, with the row-major places of the maxima in the last three axes of the input: `return_indices`.
public let adaptiveMaxPool3dWithIndices = AdaptivePoolFunction(spatial: 3, pooled: adaptiveMaximum)

/// What `adaptiveAvgPool1d` and its kin are: pooling to sizes that are given, with places of the maxima or without.
public struct AdaptivePoolFunction<Output>: Sendable {
  fileprivate let spatial: Int
  fileprivate let pooled: @Sendable (_ spatial: Int, _ x: Tensor, _ outputSize: [Int]) -> Output

  /// Applies the function.
  ///
  /// - Parameter outputSize: The sizes of the result, of which -1 keeps an axis as it is.
  public func callAsFunction(_ x: Tensor, _ outputSize: some IntegerList) -> Output {
    pooled(spatial, x, outputSize.integers)
  }
}

/// The windows of one axis; the places of window `i` are `starts[i] ..< ends[i]`.
private struct AdaptiveWindows {
  let starts: [Int]
  let ends: [Int]

  init(size: Int, count: Int) {
    starts = (0..<count).map { $0 * size / count }
    ends = (0..<count).map { (($0 + 1) * size + count - 1) / count }
  }

  var widest: Int { zip(starts, ends).map { $1 - $0 }.max() ?? 0 }

  /// The places of every window, filled up to the widest one with its last.
  var places: [[Int]] {
    zip(starts, ends).map { start, end in (0..<widest).map { Swift.min(start + $0, end - 1) } }
  }
}

private func adaptiveSizes(_ spatial: Int, _ x: Tensor, _ outputSize: [Int]) throws(TypeFault) -> [Int] {
  guard x.rank == spatial + 1 || x.rank == spatial + 2 else {
    throw TypeFault("the input \(x.type) is neither [N, C, ...] nor [C, ...] with \(spatial) spatial axes")
  }
  var sizes = try outputSize.spread(spatial, "outputSize")
  for axis in 0..<spatial {
    let extent = x.shape[x.rank - spatial + axis]
    guard extent != 0 else { throw TypeFault("axis \(x.rank - spatial + axis) of \(x.type) has no elements to pool") }
    if sizes[axis] == -1 { sizes[axis] = try x.knownSize(x.rank - spatial + axis) }
    guard sizes[axis] > 0 else { throw TypeFault("the size \(sizes[axis]) is not positive") }
  }
  return sizes
}

@Sendable func adaptiveAverage(_ spatial: Int, _ x: Tensor, _ outputSize: [Int]) -> Tensor {
  composite("adaptiveAvgPool\(spatial)d", [x]) { () throws(TypeFault) -> Tensor in
    let sizes = try adaptiveSizes(spatial, x, outputSize)
    try x.requireFloat("the input")
    let lead = x.rank - spatial
    let axes = Array(lead..<x.rank)
    if sizes.allSatisfy({ $0 == 1 }) { return x.mean(dim: axes, keepdim: true) }
    let extents = try axes.map { (axis) throws(TypeFault) -> Int in try x.knownSize(axis) }
    if zip(extents, sizes).allSatisfy({ $0 % $1 == 0 && $0 > 0 }) {
      let kernel = zip(extents, sizes).map { $0 / $1 }
      let none = kernel.map { _ in 0 }
      return avgPoolNd(x, kernelSize: kernel, stride: kernel, low: none, high: none)
    }
    // Windows of different widths: a product with the matrix of their weights, axis by axis.
    var y = x.wide
    for (axis, (extent, size)) in zip(axes, zip(extents, sizes)) {
      try requireTable(extent, size, of: "weights")
      let windows = AdaptiveWindows(size: extent, count: size)
      let weights = zip(windows.starts, windows.ends).flatMap { start, end in
        (0..<extent).map { start..<end ~= $0 ? 1 / Double(end - start) : 0 }
      }
      let matrix = x.builder.tensor(weights, shape: [size, extent], dtype: y.dtype)
      y = try y.dot(matrix, DotGeneral(leftContracting: [axis], rightContracting: [1])).checked()
        .movedim(-1, axis)
    }
    return y.convert(to: x.dtype)
  }
}

@Sendable func adaptiveMaximum(
  _ spatial: Int, _ x: Tensor, _ outputSize: [Int]
) -> (output: Tensor, indices: Tensor) {
  let results = composite("adaptiveMaxPool\(spatial)d", [x], count: 2) { () throws(TypeFault) -> [Tensor] in
    let sizes = try adaptiveSizes(spatial, x, outputSize)
    let lead = x.rank - spatial
    let extents = try (lead..<x.rank).map { (axis) throws(TypeFault) -> Int in try x.knownSize(axis) }
    if zip(extents, sizes).allSatisfy({ $0 % $1 == 0 && $0 > 0 }) {
      let kernel = zip(extents, sizes).map { $0 / $1 }
      let (values, places) = Pooling("maxPool", spatial, kernel, kernel, 0, 1, false).maxWithIndices(x)
      return [values, places]
    }
    // The places of every window in the flattened input, one row each, so that one arg-reduction finds them.
    var rows: [[Int]] = [[0]]
    for (extent, size) in zip(extents, sizes) {
      // A window has at most extent / size + 2 elements.
      try requireTable(rows.count, rows[0].count, size, extent / size + 2, of: "places")
      let places = AdaptiveWindows(size: extent, count: size).places
      rows = rows.flatMap { row in
        places.map { places in row.flatMap { base in places.map { base * extent + $0 } } }
      }
    }
    let width = rows.first?.count ?? 0
    let flat = x.reshape(x.shape[..<lead] + [Array(x.shape[lead...]).elementCount])
    let table = x.builder.constant(
      unfailing {
        try NDArray(dtype: .i64, shape: [rows.count, width], values: rows.flatMap { $0.map { .integer($0) } })
      })
    let (values, chosen) = flat.take(dim: lead, table).max(dim: -1)
    let places = try table.broadcast(
      to: try chosen.checked().shape + [Dim(width)], axes: [chosen.rank - 1, chosen.rank]
    ).gather(dim: -1, chosen.unsqueeze(dim: -1)).checked().squeeze(dim: -1)
    let shape = x.shape[..<lead] + sizes.map { Dim($0) }
    return [values.reshape(Array(shape)), places.reshape(Array(shape))]
  }
  return (results[0], results[1])
}
