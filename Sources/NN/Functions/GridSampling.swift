public import LatheCore

/// How `gridSample` finds values between pixels.
public enum GridInterpolation: String, Sendable {
  case bilinear, nearest, bicubic
}

/// What `gridSample` reads outside of the image.
public enum GridPadding: String, Sendable {
  case zeros, border, reflection
}

/// The pixels of images at computed places: `x[N, C, H, W]`, `grid[N, h, w, 2]` with x and y from -1 to 1.
///
/// - Parameter alignCorners: Whether -1 and 1 mean the centres of the outermost pixels rather than their edges.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
public func gridSample(
  _ x: Tensor, _ grid: Tensor, mode: GridInterpolation = .bilinear, paddingMode: GridPadding = .zeros,
  alignCorners: Bool = false
) -> Tensor {
  composite("gridSample", [x, grid]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(4...4, "the input")
    try grid.requireRank(4...4, "the grid")
    guard grid.shape[3] == 2, grid.shape[0] == x.shape[0] else {
      throw TypeFault("the grid is \(grid.type), needs [\(x.shape[0]), h, w, 2]")
    }
    let sampler = GridSampler(
      height: try x.knownSize(2), width: try x.knownSize(3), padding: paddingMode, alignCorners: alignCorners)
    let column = sampler.place(grid.select(dim: 3, index: 0), sampler.width, limits: mode != .bicubic)
    let row = sampler.place(grid.select(dim: 3, index: 1), sampler.height, limits: mode != .bicubic)
    switch mode {
    case .nearest: return sampler.pixels(x, row.round(), column.round())
    case .bilinear:
      return sampler.weighted(x, row, column, 0...1) { distance, tap in tap == 0 ? 1 - distance : distance }
    case .bicubic:
      return sampler.weighted(x, row, column, -1...2) { distance, tap in
        switch tap {
        case -1: GridSampler.far(distance + 1)
        case 0: GridSampler.near(distance)
        case 1: GridSampler.near(1 - distance)
        default: GridSampler.far(2 - distance)
        }
      }
    }
  }
}

/// The image's sizes and what lies around it.
private struct GridSampler {
  let height: Int
  let width: Int
  let padding: GridPadding
  let alignCorners: Bool

  /// The place in pixels that a coordinate means.
  func place(_ coordinate: Tensor, _ size: Int, limits: Bool) -> Tensor {
    let pixels =
      alignCorners
      ? (coordinate + 1) * (Double(size - 1) / 2) : ((coordinate + 1) * Double(size) - 1) / 2
    return limits ? bounded(pixels, size) : pixels
  }

  /// The place inside of the image that stands for one outside.
  func bounded(_ place: Tensor, _ size: Int) -> Tensor {
    switch padding {
    case .zeros: return place
    case .border: return limited(place, size)
    case .reflection:
      let (low, span) = alignCorners ? (0, Double(size - 1)) : (-0.5, Double(size))
      guard span > 0 else { return place.zerosLike() }
      // A triangle wave: distances from the lower end, folded back every second span.
      let distance = (place - low).abs()
      let rest = distance.fmod(distance.fullLike(span))
      let turns = (distance / span).floor().detach()
      let isBack = turns.remainder(2) .!= 0
      return limited(isBack.select(span - rest, rest) + low, size)
    }
  }

  /// Limited to the image; the gradient is 0 at its ends, as in PyTorch.
  private func limited(_ place: Tensor, _ size: Int) -> Tensor { hardtanh(place, minVal: 0, maxVal: Double(size - 1)) }

  /// The pixels at whole places; 0 outside of the image.
  func pixels(_ x: Tensor, _ row: Tensor, _ column: Tensor) -> Tensor {
    let rows = bounded(row.detach(), height)
    let columns = bounded(column.detach(), width)
    let places = stack([rows.convert(to: .i64), columns.convert(to: .i64)], dim: -1)
    let inside = (rows .>= 0) .& (rows .< Double(height)) .& (columns .>= 0) .& (columns .< Double(width))
    // [N, H, W, C] at [N, h, w, 2] is [N, h, w, C].
    let gathered = x.permute([0, 2, 3, 1]).gather(places, IndexedAxes(batch: 1, axes: [1, 2], outside: .ignored))
      .permute(dims: [0, 3, 1, 2])
    return inside.unsqueeze(dim: 1).select(gathered, gathered.zerosLike())
  }

  /// The weighted sum of the pixels around a place.
  func weighted(
    _ x: Tensor, _ row: Tensor, _ column: Tensor, _ taps: ClosedRange<Int>,
    _ weight: (_ distance: Tensor, _ tap: Int) -> Tensor
  ) -> Tensor {
    let (top, left) = (row.detach().floor(), column.detach().floor())
    let (down, across) = (row - top, column - left)
    var sum: Tensor?
    for vertical in taps {
      for horizontal in taps {
        let share = weight(down, vertical) * weight(across, horizontal)
        let term = pixels(x, top + Double(vertical), left + Double(horizontal)) * share.unsqueeze(dim: 1)
        sum = sum.map { $0 + term } ?? term
      }
    }
    return sum ?? x
  }

  /// Keys' kernel with -0.75 for distances up to 1.
  static func near(_ x: Tensor) -> Tensor { (x * 1.25 - 2.25) * x * x + 1 }

  /// Keys' kernel with -0.75 for distances from 1 to 2.
  static func far(_ x: Tensor) -> Tensor { ((x * -0.75 + 3.75) * x - 6) * x + 3 }
}

/// The grid that affine maps `theta[N, 2, 3]` make of a target image of size `[N, C, H, W]`.
public func affineGrid(_ theta: Tensor, size: [Int], alignCorners: Bool = false) -> Tensor {
  composite("affineGrid", [theta]) { () throws(TypeFault) -> Tensor in
    guard theta.rank == 3, theta.shape[1] == 2, theta.shape[2] == 3, size.count == 4,
      theta.shape[0] == Dimension(size[0])
    else { throw TypeFault("theta is \(theta.type), the size \(size); need [N, 2, 3] and [N, C, H, W]") }
    guard size.allSatisfy({ $0 >= 0 }) else { throw TypeFault("the size \(size) is negative") }
    try requireTable(size[2], size[3], of: "points")
    func line(_ count: Int) -> [Double] {
      (0..<count).map { position in
        alignCorners
          ? (count > 1 ? 2 * Double(position) / Double(count - 1) - 1 : 0)
          : (2 * Double(position) + 1) / Double(count) - 1
      }
    }
    let points: [Double] = line(size[2]).flatMap { y -> [Double] in
      line(size[3]).flatMap { x -> [Double] in [x, y, 1] }
    }
    let base = theta.builder.tensor(points, shape: [size[2] * size[3], 3], dtype: theta.dtype)
    return matmul(base, theta.mT).view([size[0], size[2], size[3], 2])
  }
}
