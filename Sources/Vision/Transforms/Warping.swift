import Foundation
public import LatheCore

extension Functional {
  /// Turned around a point by an angle in degrees, against the clock: `rotate`.
  ///
  /// - Parameters:
  ///   - image: The image, of `u8` or `f32`.
  ///   - angle: The angle.
  ///   - interpolation: `.nearest` or `.bilinear`.
  ///   - expand: Whether the result is as large as the whole turned image.
  ///   - center: The point, from the upper left corner; by default the middle.
  ///   - fill: The colour of what was outside: one number, or one for each channel; by default 0.
  /// - Throws: For arrays that are no image, and other interpolations.
  public static func rotate(
    _ image: NDArray, _ angle: Double, interpolation: ImageInterpolation = .nearest, expand: Bool = false,
    center: (x: Double, y: Double)? = nil, fill: [Double]? = nil
  ) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("rotate")
    guard angle.isFinite else { throw DiagnosticsError("rotate: the angle is \(angle)") }
    var turn = angle.truncatingRemainder(dividingBy: 360)
    if turn < 0 { turn += 360 }
    if center == nil {
      if turn == 0 { return image }
      if turn == 180 { return try hflip(vflip(image)) }
      if turn == 90 || turn == 270, expand || image.width == image.height {
        let exchanged = try transposed(image)
        return turn == 90 ? try vflip(exchanged) : try hflip(exchanged)
      }
    }
    let matrix = inverseMatrix(image, angle: -turn, (0, 0), 1, (0, 0), center)
    let size = expand ? expandedSize(image, matrix) : (image.height, image.width)
    return try warp(image, "rotate", matrix, size, interpolation, fill)
  }

  /// Turned, moved, scaled and sheared around a point: `affine`.
  ///
  /// - Parameters:
  ///   - image: The image, of `u8` or `f32`.
  ///   - angle: The angle in degrees, with the clock.
  ///   - translate: How many pixels to the right and down.
  ///   - scale: The factor of its size.
  ///   - shear: The angles in degrees by which lines along x and y are turned.
  ///   - interpolation: `.nearest` or `.bilinear`.
  ///   - center: The point, from the upper left corner; by default the middle.
  ///   - fill: The colour of what was outside: one number, or one for each channel; by default 0.
  /// - Throws: For arrays that are no image, scales that are not positive, and other interpolations.
  public static func affine(
    _ image: NDArray, angle: Double, translate: (x: Double, y: Double) = (0, 0), scale: Double = 1,
    shear: (x: Double, y: Double) = (0, 0), interpolation: ImageInterpolation = .nearest,
    center: (x: Double, y: Double)? = nil, fill: [Double]? = nil
  ) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("affine")
    guard scale > 0, [angle, scale, translate.x, translate.y, shear.x, shear.y].allSatisfy(\.isFinite) else {
      throw DiagnosticsError(
        "affine: the angle \(angle), the scale \(scale), moved by \(translate), sheared by \(shear)")
    }
    let matrix = inverseMatrix(image, angle: angle, translate, scale, shear, center)
    return try warp(image, "affine", matrix, (image.height, image.width), interpolation, fill)
  }

  /// Where the pixels of a result come from, both measured from the middle of the image.
  private static func inverseMatrix(
    _ image: NDArray, angle: Double, _ translate: (x: Double, y: Double), _ scale: Double,
    _ shear: (x: Double, y: Double), _ center: (x: Double, y: Double)?
  ) -> [Double] {
    let (cx, cy) = center.map { ($0.x - Double(image.width) * 0.5, $0.y - Double(image.height) * 0.5) } ?? (0, 0)
    // A quarter turn may fall between pixels, where the last digit decides: it is Python's `radians`.
    let degree = Double.pi / 180
    let (turn, sx, sy) = (angle * degree, shear.x * degree, shear.y * degree)
    // Turned and sheared; without scaling the determinant is 1.
    let a = cos(turn - sy) / cos(sy)
    let b = -(a * tan(sx) + sin(turn))
    let c = sin(turn - sy) / cos(sy)
    let d = cos(turn) - c * tan(sx)
    var matrix = [d / scale, -b / scale, 0, -c / scale, a / scale, 0]
    matrix[2] += cx - matrix[0] * (cx + translate.x) - matrix[1] * (cy + translate.y)
    matrix[5] += cy - matrix[3] * (cx + translate.x) - matrix[4] * (cy + translate.y)
    return matrix
  }

  /// The height and width of all of a turned image.
  private static func expandedSize(_ image: NDArray, _ matrix: [Double]) -> (Int, Int) {
    let (halfWidth, halfHeight) = (Float(image.width) * 0.5, Float(image.height) * 0.5)
    let theta = matrix.map { Float($0) }
    func size(_ half: Float, _ row: Int) -> Int {
      let corners = [
        (-halfWidth, -halfHeight), (-halfWidth, halfHeight), (halfWidth, halfHeight), (halfWidth, -halfHeight),
      ]
      let places = corners.map { $0 * theta[row] + $1 * theta[row + 1] + theta[row + 2] }
      // Digits behind the fourth are errors of rounding.
      let ends = [places.max() ?? 0, places.min() ?? 0].map { ((($0 + half) * 1e4).rounded(.towardZero)) * 1e-4 }
      return Int(ends[0].rounded(.up) - ends[1].rounded(.down))
    }
    return (size(halfHeight, 3), size(halfWidth, 0))
  }

  /// Each pixel of a result from its place in the image.
  ///
  /// Source: PyTorch, aten/src/ATen/native/cpu/GridSamplerKernel.cpp.
  private static func warp(
    _ image: NDArray, _ name: String, _ matrix: [Double], _ size: (height: Int, width: Int),
    _ interpolation: ImageInterpolation, _ fill: [Double]?
  ) throws(DiagnosticsError) -> NDArray {
    guard interpolation == .nearest || interpolation == .bilinear else {
      throw DiagnosticsError("\(name): .\(interpolation) is no interpolation of turned images", help: "give .bilinear")
    }
    guard fill.map({ $0.count == 1 || $0.count == image.channelCount }) ?? true else {
      throw DiagnosticsError("\(name): \(fill ?? []) is no colour for \(image.type)")
    }
    let planes = try FloatPlanes(image, name)
    let (height, width) = (image.height, image.width)
    var result = planes
    result.shape = image.shape.dropLast(2) + [size.height, size.width]
    try NDArray.requireMemory(.f32, result.shape)
    let count = planes.values.count / planes.area
    let area = size.height * size.width
    result.values = [Float](repeating: 0, count: count * area)
    let (halfWidth, halfHeight) = (Float(0.5 * Double(width)), Float(0.5 * Double(height)))
    let theta = matrix.enumerated().map { Float($1) / ($0 < 3 ? halfWidth : halfHeight) }
    for y in 0..<size.height {
      for x in 0..<size.width {
        let (u, v) = (Float(x) - Float(size.width - 1) * 0.5, Float(y) - Float(size.height - 1) * 0.5)
        func place(_ row: Int, _ half: Float) -> Float {
          (u * theta[row] + v * theta[row + 1] + theta[row + 2] + 1) * half - 0.5
        }
        let (px, py) = (place(0, halfWidth), place(3, halfHeight))
        // Beyond the image, but a number that an index holds.
        guard abs(px) < 1e9, abs(py) < 1e9 else { continue }
        let taps = taps(px, py, interpolation == .nearest, width, height)
        let mask = taps.reduce(0) { $0 + $1.weight }
        for plane in 0..<count {
          var value: Float = 0
          for tap in taps { value.addProduct(planes.values[plane * planes.area + tap.position], tap.weight) }
          if let fill {
            let colour = Float(fill[fill.count == 1 ? 0 : plane % image.channelCount])
            value = interpolation == .nearest ? (mask < 0.5 ? colour : value) : (value - colour) * mask + colour
          }
          result.values[plane * area + y * size.width + x] = value
        }
      }
    }
    return planes.dtype == .u8 ? result.mapped { $0.rounded(.toNearestOrEven) }.image : result.image
  }

  /// The pixels of the image around a place, with their weights.
  private static func taps(
    _ x: Float, _ y: Float, _ isNearest: Bool, _ width: Int, _ height: Int
  ) -> [(position: Int, weight: Float)] {
    var taps: [(x: Int, y: Int, weight: Float)]
    if isNearest {
      taps = [(Int(x.rounded(.toNearestOrEven)), Int(y.rounded(.toNearestOrEven)), 1)]
    } else {
      let (left, top) = (x.rounded(.down), y.rounded(.down))
      let (west, north) = (x - left, y - top)
      let (east, south) = (1 - west, 1 - north)
      let (column, row) = (Int(left), Int(top))
      taps = [
        (column, row, south * east), (column + 1, row, south * west), (column, row + 1, north * east),
        (column + 1, row + 1, north * west),
      ]
    }
    return taps.filter { (0..<width).contains($0.x) && (0..<height).contains($0.y) }
      .map { ($0.y * width + $0.x, $0.weight) }
  }

  /// Height and width exchanged.
  private static func transposed(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    let planes = try FloatPlanes(image, "rotate")
    var result = planes
    let (height, width) = (image.height, image.width)
    result.shape = image.shape.dropLast(2) + [width, height]
    for position in planes.values.indices {
      let (plane, pixel) = (position / planes.area, position % planes.area)
      result.values[plane * planes.area + pixel % width * height + pixel / width] = planes.values[position]
    }
    return result.image
  }
}

/// Turned by a random angle: `torchvision.transforms.RandomRotation`.
public struct RandomRotation: Transform {
  private let degrees: ClosedRange<Double>
  private let interpolation: ImageInterpolation
  private let expand: Bool
  private let fill: [Double]

  /// Turns by an angle of a range in degrees, against the clock.
  public init(
    _ degrees: ClosedRange<Double>, interpolation: ImageInterpolation = .nearest, expand: Bool = false,
    fill: [Double] = [0]
  ) {
    self.degrees = degrees
    self.interpolation = interpolation
    self.expand = expand
    self.fill = fill
  }

  /// Turns by at most so many degrees to either side.
  public init(
    _ degrees: Double, interpolation: ImageInterpolation = .nearest, expand: Bool = false, fill: [Double] = [0]
  ) {
    let most = abs(degrees)
    self.init(-most...most, interpolation: interpolation, expand: expand, fill: fill)
  }

  /// The image turned.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.rotate(image, drawn(degrees), interpolation: interpolation, expand: expand, fill: fill)
  }
}

/// Turned, moved, scaled and sheared at random: `torchvision.transforms.RandomAffine`.
public struct RandomAffine: Transform {
  private let degrees: ClosedRange<Double>
  private let translate: (x: Double, y: Double)?
  private let scale: ClosedRange<Double>?
  private let shear: (x: ClosedRange<Double>, y: ClosedRange<Double>?)?
  private let interpolation: ImageInterpolation
  private let fill: [Double]

  /// Draws each from its range.
  ///
  /// - Parameters:
  ///   - degrees: The angle.
  ///   - translate: The largest shares of width and height to move by.
  ///   - scale: The factor of its size.
  ///   - shear: The angles by which lines along x and, where a range is given, along y are turned.
  ///   - interpolation: `.nearest` or `.bilinear`.
  ///   - fill: The colour of what was outside.
  /// - Throws: For shares outside of 0 ... 1, and scales that are not positive.
  public init(
    degrees: ClosedRange<Double>, translate: (x: Double, y: Double)? = nil, scale: ClosedRange<Double>? = nil,
    shear: (x: ClosedRange<Double>, y: ClosedRange<Double>?)? = nil, interpolation: ImageInterpolation = .nearest,
    fill: [Double] = [0]
  ) throws(DiagnosticsError) {
    let moves = translate ?? (0, 0)
    guard (0...1).contains(moves.x), (0...1).contains(moves.y), scale.map({ $0.lowerBound > 0 }) ?? true else {
      throw DiagnosticsError("RandomAffine: moved by shares of \(moves), scaled by \(scale ?? 1...1)")
    }
    self.degrees = degrees
    self.translate = translate
    self.scale = scale
    self.shear = shear
    self.interpolation = interpolation
    self.fill = fill
  }

  /// The image in another place and form.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("RandomAffine")
    let angle = drawn(degrees)
    func pixels(_ share: Double, _ size: Int) -> Double {
      let most = share * Double(size)
      return drawn(-most...most).rounded(.toNearestOrEven)
    }
    let move = translate.map { (pixels($0.x, image.width), pixels($0.y, image.height)) } ?? (0, 0)
    let factor = scale.map(drawn) ?? 1
    let turns = shear.map { (drawn($0.x), $0.y.map(drawn) ?? 0) } ?? (0, 0)
    return try Functional.affine(
      image, angle: angle, translate: move, scale: factor, shear: turns, interpolation: interpolation, fill: fill)
  }
}
