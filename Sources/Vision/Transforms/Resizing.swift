import Foundation
public import LatheCore

/// How pixels between pixels are made: `torchvision.transforms.InterpolationMode`.
public enum ImageInterpolation: Hashable, Sendable {
  /// The pixel that rounding down finds.
  case nearest
  /// The nearest pixel.
  case nearestExact
  /// A weighted mean of two pixels in each direction, or of more when shrinking.
  case bilinear
  /// One of four.
  case bicubic
  /// One of six; only with `antialias`.
  case lanczos

  /// How many pixels are weighted in each direction.
  fileprivate var taps: Int {
    switch self {
    case .nearest, .nearestExact: 1
    case .bilinear: 2
    case .bicubic: 4
    case .lanczos: 6
    }
  }

  /// The weight of a pixel at a distance.
  ///
  /// Sources: Keys, Cubic convolution interpolation for digital image processing, 1981; Pillow, src/libImaging/Resample.c.
  fileprivate func weight(_ distance: Double, antialias: Bool) -> Double {
    let x = abs(distance)
    switch self {
    case .nearest, .nearestExact: return 1
    case .bilinear: return max(1 - x, 0)
    case .bicubic:
      let a = antialias ? -0.5 : -0.75
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    case .lanczos:
      func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
      return x < 3 ? sinc(x) * sinc(x / 3) : 0
    }
  }
}

/// For each place of a resized axis the places that it is a mean of, from the first on, with their weights.
///
/// Source: PyTorch, aten/src/ATen/native/cpu/UpSampleKernel.cpp.
private struct AxisWeights {
  let rows: [(start: Int, weights: [Double])]

  init(_ size: Int, to newSize: Int, _ mode: ImageInterpolation, antialias: Bool) {
    let scale = Double(size) / Double(newSize)
    rows = (0..<newSize).map { place in
      if !antialias {
        // The pixels around the place, of which those outside are the ones at the border.
        let source = scale * (Double(place) + 0.5) - 0.5
        let center = mode == .bilinear ? max(source, 0) : source
        let first = min(Int(center.rounded(.down)), size - 1)
        let rest = min(max(center - Double(first), 0), 1)
        let start = max(first - mode.taps / 2 + 1, 0)
        var weights = [Double](repeating: 0, count: min(first + mode.taps / 2 + 1, size) - start)
        for tap in 0..<mode.taps {
          let offset = tap - mode.taps / 2 + 1
          let target = min(max(first + offset - start, 0), weights.count - 1)
          weights[target] += mode.weight(Double(offset) - rest, antialias: false)
        }
        return (start, weights)
      }
      let stretch = max(scale, 1)
      let support = Double(mode.taps) / 2 * stretch
      let center = scale * (Double(place) + 0.5)
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), size)
      let weights = (start..<end).map { mode.weight((Double($0) - center + 0.5) / stretch, antialias: true) }
      let sum = weights.reduce(0, +)
      return (start, weights.map { $0 / sum })
    }
  }

  /// The weights in 16 bits, and how many of these are behind the point.
  var integers: (rows: [(start: Int, weights: [Int])], precision: Int) {
    let largest = rows.reduce(0) { max($0, $1.weights.max() ?? 0) }
    var precision = 0
    while precision < 22, Int(0.5 + largest * Double(1 << (precision + 1))) < 1 << 15 { precision += 1 }
    let rows = rows.map { row in
      (start: row.start, weights: row.weights.map { Int(($0 * Double(1 << precision)).rounded()) })
    }
    return (rows, precision)
  }
}

extension Functional {
  /// Another size: `torchvision.transforms.functional.resize`.
  ///
  /// Results are torchvision's: weights of 16 bits and rounding between the two directions for `u8`, as in Pillow.
  ///
  /// - Parameters:
  ///   - image: `[…, channels, height, width]`; of any type where pixels are only chosen, `u8` or `f32` else.
  ///   - size: Height and width; a single number is the shorter side, and the other one keeps its proportion.
  ///   - maxSize: With a single number, the most that the longer side may have.
  ///   - antialias: Whether the weights reach as far as pixels of the new size, when shrinking.
  /// - Throws: For arrays that are no image, and sizes that are none.
  public static func resize(
    _ image: NDArray, _ size: ImageSize, interpolation mode: ImageInterpolation = .bilinear, maxSize: Int? = nil,
    antialias: Bool = true
  ) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("resize")
    let (height, width) = try resizedSize(image, size, maxSize)
    try NDArray.requireMemory(.f32, image.shape.dropLast(2) + [height, width])
    if (height, width) == (image.height, image.width) { return image }
    if mode.taps == 1 {
      func places(_ size: Int, _ newSize: Int) -> [Int?] {
        let scale = Float(size) / Float(newSize)
        return (0..<newSize).map { min(Int((Float($0) + (mode == .nearest ? 0 : 0.5)) * scale), size - 1) }
      }
      return image.remapped(rows: places(image.height, height), columns: places(image.width, width))
    }
    guard antialias || mode != .lanczos else { throw DiagnosticsError("resize: .lanczos takes antialias") }
    let planes = try FloatPlanes(image, "resize")
    let horizontal = AxisWeights(image.width, to: width, mode, antialias: antialias)
    let vertical = AxisWeights(image.height, to: height, mode, antialias: antialias)
    var result = planes
    if width != image.width { result = resample(result, axis: 1, horizontal) }
    if height != image.height { result = resample(result, axis: 0, vertical) }
    return result.image
  }

  /// Weighted means along the rows, 0, or the columns, 1.
  private static func resample(_ planes: FloatPlanes, axis: Int, _ weights: AxisWeights) -> FloatPlanes {
    let (height, width) = (planes.shape[planes.shape.count - 2], planes.shape[planes.shape.count - 1])
    let size = weights.rows.count
    let (newHeight, newWidth) = axis == 0 ? (size, width) : (height, size)
    let step = axis == 0 ? width : 1
    let integers = weights.integers
    let floats = weights.rows.map { $0.weights.map { Float($0) } }
    var result = planes
    result.shape = planes.shape.dropLast(2) + [newHeight, newWidth]
    result.values = [Float](repeating: 0, count: planes.values.count / (height * width) * newHeight * newWidth)
    var position = 0
    for plane in stride(from: 0, to: planes.values.count, by: height * width) {
      for y in 0..<newHeight {
        for x in 0..<newWidth {
          let (line, place) = axis == 0 ? (plane + x, y) : (plane + y * width, x)
          var source = line + integers.rows[place].start * step
          if planes.dtype == .u8 {
            var sum = 1 << (integers.precision - 1)
            for weight in integers.rows[place].weights {
              sum += weight * Int(planes.values[source])
              source += step
            }
            result.values[position] = Float(min(max(sum >> integers.precision, 0), 255))
          } else {
            var sum: Float = 0
            for weight in floats[place] {
              sum += weight * planes.values[source]
              source += step
            }
            result.values[position] = sum
          }
          position += 1
        }
      }
    }
    return result
  }

  private static func resizedSize(
    _ image: NDArray, _ size: ImageSize, _ maxSize: Int?
  ) throws(DiagnosticsError) -> (height: Int, width: Int) {
    let (height, width) = try size.checked("resize")
    guard size.sizes.count == 1 else {
      guard maxSize == nil else { throw DiagnosticsError("resize: maxSize is for one size, that of the shorter side") }
      return (height, width)
    }
    let (short, long) = (min(image.height, image.width), max(image.height, image.width))
    guard height <= Int32.max, long < Int.max / height else { throw DiagnosticsError("resize: \(height) is too large") }
    var (newShort, newLong) = (height, height * long / short)
    if let maxSize {
      guard maxSize > height else { throw DiagnosticsError("resize: maxSize \(maxSize) is not above \(height)") }
      if newLong > maxSize { (newShort, newLong) = (max(maxSize * newShort / newLong, 1), maxSize) }
    }
    return image.width <= image.height ? (newLong, newShort) : (newShort, newLong)
  }
}
