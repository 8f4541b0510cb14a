public import LatheCore

/// How `gridSample` finds values between pixels.
public enum GridInterpolation: String, Sendable {
  /// From four pixels, the nearest one, or sixteen.
  case bilinear, nearest, bicubic
}

/// What `gridSample` reads outside of the image.
public enum GridPadding: String, Sendable {
  /// Zeros, the nearest pixel of the border, or the image in a mirror.
  case zeros, border, reflection
}

/// The pixels of images at computed places: `x[N, C, H, W]` at `grid[N, h, w, 2]` with x and y from -1 to 1, or volumes
/// `x[N, C, D, H, W]` at `grid[N, d, h, w, 3]` with x, y and z.
///
/// - Parameter alignCorners: Whether -1 and 1 mean the centres of the outermost pixels rather than their edges.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
public func gridSample(
  _ x: Tensor, _ grid: Tensor, mode: GridInterpolation = .bilinear, paddingMode: GridPadding = .zeros,
  alignCorners: Bool = false
) -> Tensor {
  composite("gridSample", [x, grid]) { () throws(TypeFault) -> Tensor in
    try x.requireRank(3...5, "the input")
    try grid.requireRank(x.rank...x.rank, "the grid")
    let spatial = x.rank - 2
    guard grid.shape[x.rank - 1] == Dim(spatial), grid.shape[0] == x.shape[0] else {
      let sizes = ["d", "h", "w"].suffix(spatial).joined(separator: ", ")
      throw TypeFault("the grid is \(grid.type), needs [\(x.shape[0]), \(sizes), \(spatial)]")
    }
    var sampler = GridSampler(padding: paddingMode, alignCorners: alignCorners)
    for axis in 0..<spatial { sampler.sizes.append(try x.knownSize(2 + axis)) }
    // The last coordinate is that of the first spatial axis.
    let places = (0..<spatial).map { axis in
      sampler.place(
        grid.select(dim: -1, index: spatial - 1 - axis), sampler.sizes[axis], limits: mode != .bicubic)
    }
    switch mode {
    case .nearest: return sampler.pixels(x, places.map { $0.round() })
    case .bilinear:
      return sampler.weighted(x, places, 0...1) { distance, tap in tap == 0 ? 1 - distance : distance }
    case .bicubic:
      return sampler.weighted(x, places, -1...2) { distance, tap in
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
struct GridSampler {
  /// The sizes of the spatial axes.
  var sizes: [Int] = []
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

  /// The pixels at whole places, one tensor of places for each spatial axis; 0 outside of the image.
  func pixels(_ x: Tensor, _ places: [Tensor]) -> Tensor {
    let spatial = sizes.count
    let limited = zip(places, sizes).map { bounded($0.detach(), $1) }
    var inside: Tensor?
    for (place, size) in zip(limited, sizes) {
      let within = (place .>= 0) .& (place .< Double(size))
      inside = inside.map { $0 .& within } ?? within
    }
    // [N, H, W, C] at [N, h, w, 2] is [N, h, w, C].
    let gathered = x.movedim(1, -1)
      .gather(
        stack(limited.map { $0.convert(to: .i64) }, dim: -1),
        IndexedAxes(batch: 1, axes: Array(1...spatial), outside: .ignored)
      )
      .movedim(-1, 1)
    guard let inside else { return gathered }
    return inside.unsqueeze(dim: 1).select(gathered, gathered.zerosLike())
  }

  /// The weighted sum of the pixels around places.
  func weighted(
    _ x: Tensor, _ places: [Tensor], _ taps: ClosedRange<Int>, _ weight: (_ distance: Tensor, _ tap: Int) -> Tensor
  ) -> Tensor {
    let corners = places.map { $0.detach().floor() }
    let distances = zip(places, corners).map { $0 - $1 }
    // Every choice of one tap for each axis, the last axis fastest.
    var choices: [[Int]] = [[]]
    for _ in sizes { choices = choices.flatMap { choice in taps.map { choice + [$0] } } }
    var sum: Tensor?
    for choice in choices {
      var share: Tensor?
      for (distance, tap) in zip(distances, choice) {
        let factor = weight(distance, tap)
        share = share.map { $0 * factor } ?? factor
      }
      let pixels = pixels(x, zip(corners, choice).map { $0 + Double($1) })
      let term = share.map { pixels * $0.unsqueeze(dim: 1) } ?? pixels
      sum = sum.map { $0 + term } ?? term
    }
    return sum ?? x
  }

  /// Keys' kernel with -0.75 for distances up to 1.
  static func near(_ x: Tensor) -> Tensor { (x * 1.25 - 2.25) * x * x + 1 }

  /// Keys' kernel with -0.75 for distances from 1 to 2.
  static func far(_ x: Tensor) -> Tensor { ((x * -0.75 + 3.75) * x - 6) * x + 3 }
}

/// The grid that affine maps `theta[N, 2, 3]` make of a target image of size `[N, C, H, W]`, or `theta[N, 3, 4]` of a
/// volume `[N, C, D, H, W]`.
public func affineGrid(_ theta: Tensor, size: [Int], alignCorners: Bool = false) -> Tensor {
  composite("affineGrid", [theta]) { () throws(TypeFault) -> Tensor in
    let spatial = size.count - 2
    guard (2...3).contains(spatial), theta.shape == [Dim(size[0]), Dim(spatial), Dim(spatial + 1)]
    else {
      throw TypeFault(
        "theta is \(theta.type), the size \(size); need [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W]")
    }
    guard size.allSatisfy({ $0 >= 0 }) else { throw TypeFault("the size \(size) is negative") }
    let image = Array(size[2...])
    try requireTable(image[0], image[1], spatial == 3 ? image[2] : 1, of: "points")
    func line(_ count: Int) -> [Double] {
      (0..<count).map { position in
        alignCorners
          ? (count > 1 ? 2 * Double(position) / Double(count - 1) - 1 : 0)
          : (2 * Double(position) + 1) / Double(count) - 1
      }
    }
    // The coordinates of every point, x first, and a 1.
    var points: [[Double]] = [[1]]
    for count in image { points = points.flatMap { point in line(count).map { [$0] + point } } }
    let base = theta.builder.tensor(points.flatMap { $0 }, shape: [points.count, spatial + 1], dtype: theta.dtype)
    return matmul(base, theta.mT).view([size[0]] + image + [spatial])
  }
}
