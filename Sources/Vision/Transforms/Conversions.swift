import Foundation
public import LatheCore

extension Functional {
  /// Another type, whose range stands for the same brightness: `convert_image_dtype`, `to_dtype(scale=True)`.
  ///
  /// Floats are from 0 to 1, integers from 0 to their largest.
  ///
  /// - Throws: For integers of which floats have too few digits.
  public static func convertImageDtype(_ image: NDArray, _ dtype: ScalarType = .f32) throws(DiagnosticsError) -> NDArray
  {
    if image.dtype == dtype { return image }
    guard image.dtype != .bool, dtype != .bool, let bits = image.dtype.valueBits ?? (image.dtype.isFloat ? 0 : nil),
      let newBits = dtype.valueBits ?? (dtype.isFloat ? 0 : nil)
    else { throw DiagnosticsError("convertImageDtype: from \(image.dtype) to \(dtype)") }
    switch (image.dtype.isFloat, dtype.isFloat) {
    case (false, true) where image.dtype == .u8 && dtype == .f32:
      return try FloatPlanes(image, "convertImageDtype").mapped { $0 * Float(1.0 / 255) }.floats
    case (true, false) where image.dtype == .f32 && dtype == .u8:
      return try FloatPlanes(image, "convertImageDtype").mapped { $0 * Float(255.999) }.bytes
    case (true, true): return image.converted(to: dtype)
    case (true, false):
      guard newBits < (image.dtype == .f64 ? 63 : 31) else {
        throw DiagnosticsError("convertImageDtype: \(image.dtype) has too few digits for \(dtype)")
      }
      // Not just the largest number: each integer stands for an equal part of the range.
      let factor = Double(1 << newBits) - 1 + 1 - 1e-3
      return image.mapped(to: image.dtype) { $0 * factor }.converted(to: dtype)
    case (false, true):
      let factor = 1 / Double(UInt64(1) << UInt64(bits) - 1)
      return image.converted(to: dtype).mapped(to: dtype) { $0 * factor }
    case (false, false):
      let numbers = image.values.map { value -> ScalarValue in
        guard case .integer(let number) = value else { internalError("\(image.type) holds a float") }
        return .integer(bits > newBits ? number >> (bits - newBits) : number << (newBits - bits))
      }
      return try NDArray(dtype: dtype, shape: image.shape, values: numbers)
    }
  }

  /// An image of bytes as floats from 0 to 1: `to_tensor`.
  ///
  /// - Parameters:
  ///   - image: `u8[channels, height, width]`, as `readImage(_:mode:)` gives it; other types are not scaled.
  ///   - isChannelsLast: Whether it is `[height, width, channels]`, or `[height, width]`, as in NumPy and Pillow.
  /// - Throws: For arrays that are no image.
  public static func toTensor(_ image: NDArray, isChannelsLast: Bool = false) throws(DiagnosticsError) -> NDArray {
    var image = image
    if isChannelsLast {
      guard (2...3).contains(image.shape.count) else {
        throw DiagnosticsError("toTensor: \(image.type) is no image", help: "give [height, width, channels]")
      }
      if image.shape.count == 2 { image = try image.reshaped(image.shape + [1]) }
      image = image.transposed(channelsFirst: true)
    }
    try image.requireImage("toTensor")
    guard image.dtype == .u8 else { return image }
    return try FloatPlanes(image, "toTensor").mapped { $0 / 255 }.floats
  }

  /// An image as Pillow and NumPy have it, `u8[height, width, channels]`, without the last axis where it is one channel:
  /// `to_pil_image`.
  ///
  /// - Parameter image: `[channels, height, width]` or `[height, width]`, of bytes, or of floats from 0 to 1.
  /// - Throws: For arrays that are no such image of one to four channels.
  public static func toPILImage(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    var image = image
    if image.shape.count == 2 { image = try image.reshaped([1] + image.shape) }
    guard image.shape.count == 3, (1...4).contains(image.shape[0]) else {
      throw DiagnosticsError("toPILImage: \(image.type) is no image", help: "give [channels, height, width]")
    }
    let bytes = image.dtype == .u8 ? image : try FloatPlanes(image, "toPILImage").mapped { $0 * 255 }.bytes
    let last = bytes.transposed(channelsFirst: false)
    return image.shape[0] == 1 ? try last.reshaped(Array(image.shape.dropFirst())) : last
  }

  /// The distance from means in deviations, channel by channel: `normalize`.
  ///
  /// - Parameters:
  ///   - image: Floats.
  ///   - mean: One number for each channel, or one for all.
  ///   - std: The same; none is 0.
  /// - Throws: For arrays that are no image of floats, and other numbers of means and deviations than channels.
  public static func normalize(_ image: NDArray, mean: [Double], std: [Double]) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("normalize")
    guard image.dtype == .f32 else {
      throw DiagnosticsError("normalize: \(image.type) is no image of f32", help: "ToTensor makes one of it")
    }
    let channels = image.channelCount
    guard [1, channels].contains(mean.count), [1, channels].contains(std.count), std.allSatisfy({ $0 != 0 }) else {
      throw DiagnosticsError("normalize: \(image.type) with the means \(mean) and the deviations \(std)")
    }
    var planes = try FloatPlanes(image, "normalize")
    let area = planes.area
    for plane in 0..<planes.values.count / area {
      let channel = plane % channels
      let (mean, std) = (Float(mean[mean.count == 1 ? 0 : channel]), Float(std[std.count == 1 ? 0 : channel]))
      for position in plane * area..<(plane + 1) * area {
        planes.values[position] = (planes.values[position] - mean) / std
      }
    }
    return planes.image
  }
}

extension ScalarType {
  /// The bits of an integer without its sign; nil for other types.
  fileprivate var valueBits: Int? {
    switch self {
    case .i8: 7
    case .u8: 8
    case .i16: 15
    case .u16: 16
    case .i32: 31
    case .i64: 63
    default: nil
    }
  }
}

extension FloatPlanes {
  /// The numbers as they are.
  fileprivate var floats: NDArray { unfailing { try NDArray(values, shape: shape) } }

  /// The numbers without their fractions, those outside of bytes at their ends.
  fileprivate var bytes: NDArray { unfailing { try NDArray(values.map(byte), shape: shape) } }
}

extension NDArray {
  /// Each number by itself, rounded to a type.
  fileprivate func mapped(to dtype: ScalarType, _ body: (Double) -> Double) -> NDArray {
    unfailing { try NDArray(dtype: dtype, shape: shape, values: doubles.map { .float(body($0)) }) }
  }

  /// The channels before height and width, or behind them.
  fileprivate func transposed(channelsFirst: Bool) -> NDArray {
    let channels = channelsFirst ? shape[2] : shape[0]
    let area = count / Swift.max(channels, 1)
    let newShape = channelsFirst ? [shape[2], shape[0], shape[1]] : [shape[1], shape[2], shape[0]]
    return NDArray(dtype: dtype, shape: newShape) { target in
      withUnsafeBytes { source in
        let size = dtype.byteCount
        for pixel in 0..<area {
          for channel in 0..<channels {
            let (first, last) = ((channel * area + pixel) * size, (pixel * channels + channel) * size)
            let (from, to) = channelsFirst ? (last, first) : (first, last)
            for byte in 0..<size { target[to + byte] = source[from + byte] }
          }
        }
      }
    }
  }
}

/// Another type, whose range stands for the same brightness: `torchvision.transforms.ConvertImageDtype`.
public struct ConvertImageDtype: Transform {
  private let dtype: ScalarType

  /// Converts to a type.
  public init(_ dtype: ScalarType = .f32) { self.dtype = dtype }

  /// The image in the type.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.convertImageDtype(image, dtype)
  }
}

/// An image of bytes as floats from 0 to 1: `torchvision.transforms.ToTensor`.
public struct ToTensor: Transform {
  private let isChannelsLast: Bool

  /// Takes `[channels, height, width]`, or with `isChannelsLast` `[height, width, channels]`.
  public init(isChannelsLast: Bool = false) { self.isChannelsLast = isChannelsLast }

  /// The image as floats, `[channels, height, width]`.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.toTensor(image, isChannelsLast: isChannelsLast)
  }
}

/// An image as Pillow and NumPy have it, `u8[height, width, channels]`: `torchvision.transforms.ToPILImage`.
public struct ToPILImage: Transform {
  /// Makes bytes with the channels last.
  public init() {}

  /// The image as bytes.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray { try Functional.toPILImage(image) }
}
