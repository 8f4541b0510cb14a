public import LatheCore
import LatheData
import LatheImages

/// Images beside and below each other in one: `torchvision.utils.make_grid`.
///
/// - Parameters:
///   - images: `[batch, channels, height, width]`, or one image, `[channels, height, width]` or `[height, width]`; a single
///     channel becomes three.
///   - nrow: How many images a row has.
///   - padding: How many pixels are between them.
///   - normalize: Whether numbers are moved to 0 ... 1.
///   - valueRange: What becomes 0 and 1 then; by default the least and the largest number.
///   - scaleEach: Whether those are looked for in each image by itself.
///   - padValue: The colour of the pixels between.
/// - Returns: One image, `[channels, height, width]`.
/// - Throws: For arrays that are no images of `u8` or `f32`.
public func makeGrid(
  _ images: NDArray, nrow: Int = 8, padding: Int = 2, normalize: Bool = false, valueRange: ClosedRange<Double>? = nil,
  scaleEach: Bool = false, padValue: Double = 0
) throws(DiagnosticsError) -> NDArray {
  var images = images
  while images.shape.count < 4, images.shape.count >= 2 { images = try images.reshaped([1] + images.shape) }
  guard images.shape.count == 4, nrow > 0, (0..<1 << 20).contains(padding) else {
    throw DiagnosticsError("makeGrid: \(images.type), \(nrow) in a row with \(padding) pixels between")
  }
  try images.requireImage("makeGrid")
  if images.channelCount == 1 {
    images = try Functional.rgbToGrayscale(images, numOutputChannels: 3)
  }
  if normalize { images = try normalized(images, valueRange, each: scaleEach) }
  let (count, channels, height, width) = (images.shape[0], images.channelCount, images.height, images.width)
  if count == 1 { return images.row(at: 0) }
  let columns = min(nrow, count)
  let rows = (count + columns - 1) / columns
  var grid = try NDArray(
    repeating: .float(padValue), dtype: images.dtype,
    shape: [channels, rows * (height + padding) + padding, columns * (width + padding) + padding])
  let (gridHeight, gridWidth, size) = (grid.height, grid.width, images.dtype.byteCount)
  grid.withUnsafeMutableBytes { target in
    images.withUnsafeBytes { source in
      for line in 0..<count * channels * height {
        let (plane, y) = (line / height, line % height)
        let (image, channel) = (plane / channels, plane % channels)
        let row = image / columns * (height + padding) + padding + y
        let column = image % columns * (width + padding) + padding
        let start = ((channel * gridHeight + row) * gridWidth + column) * size
        target[start..<start + width * size].copyBytes(from: source[line * width * size..<(line + 1) * width * size])
      }
    }
  }
  return grid
}

/// Images beside and below each other in one: `torchvision.utils.make_grid`.
///
/// The parameters are those of `makeGrid`.
///
/// - Throws: For images that differ in type or size, or are none.
public func makeGrid(
  _ images: [NDArray], nrow: Int = 8, padding: Int = 2, normalize: Bool = false, valueRange: ClosedRange<Double>? = nil,
  scaleEach: Bool = false, padValue: Double = 0
) throws(DiagnosticsError) -> NDArray {
  try makeGrid(
    NDArray.stack(images), nrow: nrow, padding: padding, normalize: normalize, valueRange: valueRange,
    scaleEach: scaleEach, padValue: padValue)
}

private func normalized(
  _ images: NDArray, _ range: ClosedRange<Double>?, each: Bool
) throws(DiagnosticsError) -> NDArray {
  guard images.dtype == .f32 else {
    throw DiagnosticsError("makeGrid: \(images.type) are no images of f32, which normalizing takes")
  }
  var planes = try FloatPlanes(images, "makeGrid")
  let size = each ? planes.values.count / images.shape[0] : planes.values.count
  for start in stride(from: 0, to: planes.values.count, by: size) {
    let part = planes.values[start..<start + size]
    let low = range.map { Float($0.lowerBound) } ?? part.min() ?? 0
    let high = range.map { Float($0.upperBound) } ?? part.max() ?? 0
    for position in start..<start + size {
      let value = min(max(planes.values[position], low), high)
      planes.values[position] = (value - low) / Float(max(Double(high) - Double(low), 1e-5))
    }
  }
  return planes.image
}

/// Writes images as one, floats from 0 to 1 as bytes: `torchvision.utils.save_image`.
///
/// The form is the suffix's, `.png`, `.jpg` or `.jpeg`; the other parameters are those of
/// `makeGrid`.
///
/// - Throws: With the path as its place, that the file cannot be written; for arrays that are no images of floats.
public func saveImage(
  _ images: NDArray, _ path: String, nrow: Int = 8, padding: Int = 2, normalize: Bool = false,
  valueRange: ClosedRange<Double>? = nil, scaleEach: Bool = false, padValue: Double = 0
) throws(DiagnosticsError) {
  guard images.dtype == .f32 else { throw DiagnosticsError("saveImage: \(images.type) are no images of f32") }
  let grid = try makeGrid(
    images, nrow: nrow, padding: padding, normalize: normalize, valueRange: valueRange, scaleEach: scaleEach,
    padValue: padValue)
  let bytes = try FloatPlanes(grid, "saveImage").values.map { byte($0 * 255 + 0.5) }
  try writeImage(NDArray(bytes, shape: grid.shape), path)
}
