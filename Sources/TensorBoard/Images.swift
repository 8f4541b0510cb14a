import Foundation
public import LatheCore
import LatheData
import LatheImages
import SwiftProtobuf

/// Images as one array, whose axes have letters: N, C, H and W.
struct ImageBatch {
  let count: Int
  let channels: Int
  let height: Int
  let width: Int
  private let pixels: [UInt8]
  /// How far apart neighbours along N, C, H and W are.
  private let strides: [Int]

  /// - Parameter format: A letter for each axis.
  /// - Throws: For letters that are none, or are not as many as axes.
  init(_ array: NDArray, _ format: String) throws(DiagnosticsError) {
    let letters = Array(format.uppercased())
    guard letters.count == array.shape.count, Set(letters).count == letters.count,
      letters.allSatisfy({ "NCHW".contains($0) }), letters.contains("H"), letters.contains("W"), array.count > 0
    else { throw DiagnosticsError("image: '\(format)' does not name the axes of \(array.type)") }
    var (sizes, strides, stride) = ([1, 1, 1, 1], [0, 0, 0, 0], 1)
    for (letter, size) in zip(letters, array.shape).reversed() {
      let axis = Array("NCHW").firstIndex(of: letter) ?? internalError("no axis \(letter)")
      (sizes[axis], strides[axis]) = (size, stride)
      stride *= size
    }
    (count, channels, height, width) = (sizes[0], sizes[1], sizes[2], sizes[3])
    self.strides = strides
    pixels = array.dtype == .u8 ? array.bytes : array.doubles.map { Self.byte(Float($0) * 255) }
  }

  /// A number cut off to a byte, as NumPy does.
  private static func byte(_ number: Float) -> UInt8 { number > 0 ? UInt8(min(number, 255)) : 0 }

  private func pixel(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> UInt8 {
    // Grey images have one channel for all.
    let channel = channels == 1 ? 0 : channel
    return pixels[image * strides[0] + channel * strides[1] + row * strides[2] + column * strides[3]]
  }

  /// The images side by side, so many in a row, on black: `u8[C, H, W]` with at least 3 channels.
  ///
  /// - Parameter isSquare: Whether the picture is as high as it is wide.
  /// - Throws: For images with another number of channels.
  func grid(columns: Int, isSquare: Bool = false) throws(DiagnosticsError) -> NDArray {
    guard [1, 3, 4].contains(channels), count == 1 || channels < 4 else {
      throw DiagnosticsError("image: \(channels) channels, which are neither grey nor RGB")
    }
    let columns = min(columns, count)
    let (depth, wide) = (max(channels, 3), columns * width)
    let high = isSquare ? wide : (count + columns - 1) / columns * height
    var picture = [UInt8](repeating: 0, count: depth * high * wide)
    for image in 0..<count {
      let (top, left) = (image / columns * height, image % columns * width)
      for channel in 0..<depth {
        for row in 0..<height where top + row < high {
          for column in 0..<width {
            picture[(channel * high + top + row) * wide + left + column] = pixel(image, channel, row, column)
          }
        }
      }
    }
    return try NDArray(dtype: .u8, shape: [depth, high, wide], bytes: picture)
  }
}

extension SummaryWriter {
  /// Adds an image: `add_image`.
  ///
  /// - Parameters:
  ///   - tag: What it is called.
  ///   - imgTensor: Bytes, or numbers in `0 ... 1`; grey, RGB, or RGB with opacity.
  ///   - globalStep: The step that it is of.
  ///   - walltime: The seconds since 1970 that are recorded; now by default.
  ///   - dataformats: The axes: `CHW`, `HWC`, `HW`.
  /// - Throws: For arrays that are no such image; that events cannot be written.
  public func addImage(
    _ tag: String, _ imgTensor: NDArray, globalStep: Int? = nil, walltime: Double? = nil, dataformats: String = "CHW"
  ) throws(DiagnosticsError) {
    let picture = try ImageBatch(imgTensor, dataformats).grid(columns: 8)
    try addImage(tag, encodePNG(picture), picture.shape, globalStep, walltime)
  }

  /// Adds several images as one, eight in a row: `add_images`.
  ///
  /// - Throws: As for one image.
  public func addImages(
    _ tag: String, _ imgTensor: NDArray, globalStep: Int? = nil, walltime: Double? = nil, dataformats: String = "NCHW"
  ) throws(DiagnosticsError) {
    try addImage(tag, imgTensor, globalStep: globalStep, walltime: walltime, dataformats: dataformats)
  }

  /// Adds a picture that another tool has drawn, in the form of PNG: what `add_figure` does for those of matplotlib.
  ///
  /// Pictures of graphs are such, which `lathe dot` and Graphviz draw.
  ///
  /// - Throws: For bytes that are no PNG; that events cannot be written.
  public func addFigure(
    _ tag: String, png: [UInt8], globalStep: Int? = nil, walltime: Double? = nil
  ) throws(DiagnosticsError) {
    let shape = try decodeImage(.init(path: tag, bytes: png)).shape
    try addImage(tag, png, shape, globalStep, walltime)
  }

  private func addImage(
    _ tag: String, _ png: [UInt8], _ shape: [Int], _ globalStep: Int?, _ walltime: Double?
  ) throws(DiagnosticsError) {
    let value = Summary.Value.with {
      $0.tag = tag
      $0.image.colorspace = Int32(shape[0])
      $0.image.height = Int32(shape[1])
      $0.image.width = Int32(shape[2])
      $0.image.encodedImageString = Data(png)
    }
    try add(value, globalStep, walltime)
  }
}
