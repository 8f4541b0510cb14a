import CCodecs
import Foundation
public import LatheCore
import LatheData

/// An image in the form of PNG: `torchvision.io.encode_png`.
///
/// - Parameters:
///   - image: `[channels, height, width]`, `u8` or `u16`: grey, grey and opacity, RGB, or RGB and opacity.
///   - compressionLevel: From 0, fast and large, to 9.
/// - Throws: For arrays that are no such image, and levels that are none.
public func encodePNG(_ image: NDArray, compressionLevel: Int = 6) throws(DiagnosticsError) -> [UInt8] {
  guard (0...9).contains(compressionLevel) else {
    throw DiagnosticsError("encodePNG: \(compressionLevel) is no level of compression: they are 0 ... 9")
  }
  return try encode(image, "encodePNG", channels: 1...4, dtypes: [.u8, .u16]) { image, bytes, size, message in
    codecs_encode_png(image, Int32(compressionLevel), bytes, size, message)
  }
}

/// An image in the form of JPEG: `torchvision.io.encode_jpeg`.
///
/// - Parameters:
///   - image: `u8[channels, height, width]`: grey or RGB.
///   - quality: From 1, small, to 100.
/// - Throws: For arrays that are no such image, and qualities that are none.
public func encodeJPEG(_ image: NDArray, quality: Int = 75) throws(DiagnosticsError) -> [UInt8] {
  guard (1...100).contains(quality) else {
    throw DiagnosticsError("encodeJPEG: \(quality) is no quality: they are 1 ... 100")
  }
  return try encode(image, "encodeJPEG", channels: [1, 3], dtypes: [.u8]) { image, bytes, size, message in
    codecs_encode_jpeg(image, Int32(quality), bytes, size, message)
  }
}

/// Writes an image to a file, in the form that its suffix says: `.png`, `.jpg` or `.jpeg`.
///
/// - Throws: With the path as its place, that the file cannot be written, or that its suffix names no form; for arrays that
///   are no image of that form.
public func writeImage(_ image: NDArray, _ path: String) throws(DiagnosticsError) {
  let bytes: [UInt8]
  switch URL(fileURLWithPath: path).pathExtension.lowercased() {
  case "png": bytes = try encodePNG(image)
  case "jpg", "jpeg": bytes = try encodeJPEG(image)
  default:
    throw DiagnosticsError(
      "names no form of an image: its suffix must be .png, .jpg or .jpeg", location: Location(file: path))
  }
  try bytes.writeAtomically(to: path)
}

private typealias Encode = (
  UnsafePointer<codecs_image>, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
  UnsafeMutablePointer<CChar>
) -> Int32

/// Brings the channels of a pixel together and hands them to a library.
private func encode(
  _ image: NDArray, _ name: String, channels: some Sequence<Int>, dtypes: [ScalarType], _ encode: Encode
) throws(DiagnosticsError) -> [UInt8] {
  guard image.shape.count == 3, channels.contains(image.shape[0]), dtypes.contains(image.dtype), image.count > 0,
    image.shape.allSatisfy({ $0 <= Int(Int32.max) })
  else {
    throw DiagnosticsError(
      "\(name): \(image.type) is no image of this form",
      help: "it takes \(dtypes.map { "\($0)" }.joined(separator: " or "))[channels, height, width], "
        + "with \(channels.map { "\($0)" }.joined(separator: ", ")) channels")
  }
  let (depth, count) = (image.dtype.byteCount, image.shape[1] * image.shape[2])
  var pixels = [UInt8](repeating: 0, count: image.bytes.count)
  for channel in 0..<image.shape[0] {
    for pixel in 0..<count {
      for byte in 0..<depth {
        pixels[(pixel * image.shape[0] + channel) * depth + byte] =
          image.bytes[(channel * count + pixel) * depth + byte]
      }
    }
  }
  var message = [CChar](repeating: 0, count: Int(CODECS_MESSAGE_SIZE))
  var bytes: UnsafeMutablePointer<UInt8>?
  var size = 0
  let status = pixels.withUnsafeMutableBufferPointer { pixels in
    var content = codecs_image()
    content.width = image.shape[2]
    content.height = image.shape[1]
    content.channels = Int32(image.shape[0])
    content.depth = Int32(depth * 8)
    content.pixels = pixels.baseAddress
    return encode(&content, &bytes, &size, &message)
  }
  guard status == 0, let bytes else { throw DiagnosticsError("\(name): \(text(message))") }
  defer { free(bytes) }
  return [UInt8](UnsafeBufferPointer(start: bytes, count: size))
}
