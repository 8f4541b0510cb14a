import CCodecs
import Foundation
public import LatheCore
public import LatheData

/// Which channels an image is to have: `torchvision.io.ImageReadMode`.
public enum ImageReadMode: Hashable, Sendable {
  /// Those that it has.
  case unchanged
  /// One.
  case gray
  /// Grey and opacity.
  case grayAlpha
  /// Red, green and blue.
  case rgb
  /// Red, green, blue and opacity.
  case rgbAlpha

  /// The number of the channels; 0 for those that it has.
  fileprivate var channels: Int32 {
    switch self {
    case .unchanged: 0
    case .gray: 1
    case .grayAlpha: 2
    case .rgb: 3
    case .rgbAlpha: 4
    }
  }
}

/// The forms of images that are read and written.
enum ImageFormat {
  case png, jpeg

  /// The form that a file begins with; nil where it is another one.
  init?(_ bytes: some Collection<UInt8>) {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else {
      return nil
    }
  }
}

/// Reads the image in a file, PNG or JPEG: `torchvision.io.read_image`.
///
/// - Parameters:
///   - path: The file.
///   - mode: Which channels are wanted; of colours that are not, the brightness is taken.
/// - Returns: `u8[channels, height, width]`; of a PNG with 16 bits, `u16`.
/// - Throws: With the path as its place, that the file cannot be read, or that it is damaged or no such image.
public func readImage(_ path: String, mode: ImageReadMode = .unchanged) throws(DiagnosticsError) -> NDArray {
  try decodeImage(FileContent(reading: path), mode: mode)
}

/// The image in the content of a file, PNG or JPEG: `torchvision.io.decode_image`.
///
/// JPEGs of cyan, magenta, yellow and black are read as RGB. Palettes are looked up; a colour that is transparent gives an
/// image opacity.
///
/// - Parameters:
///   - file: The content, with a name for diagnostics.
///   - mode: Which channels are wanted; of colours that are not, the brightness is taken.
/// - Returns: `u8[channels, height, width]`; of a PNG with 16 bits, `u16`.
/// - Throws: With the file as its place, that it is damaged or no such image.
public func decodeImage(_ file: FileContent, mode: ImageReadMode = .unchanged) throws(DiagnosticsError) -> NDArray {
  func fault(_ message: String) -> DiagnosticsError { DiagnosticsError(message, location: Location(file: file.path)) }
  guard let format = ImageFormat(file.bytes) else {
    throw fault(file.bytes.isEmpty ? "is empty" : "is no image in the form of PNG or JPEG")
  }
  if format == .jpeg, mode == .grayAlpha || mode == .rgbAlpha {
    throw fault("is a JPEG, which has no opacity: read it as .gray or .rgb")
  }
  var image = codecs_image()
  var message = [CChar](repeating: 0, count: Int(CODECS_MESSAGE_SIZE))
  let decode = format == .png ? codecs_decode_png : codecs_decode_jpeg
  guard decode(file.bytes, file.bytes.count, mode.channels, &image, &message) == 0, let pixels = image.pixels else {
    throw fault("is a damaged image: \(text(message))")
  }
  defer { free(pixels) }
  return planes(image, UnsafeRawPointer(pixels))
}

/// The text in a buffer of C.
func text(_ message: [CChar]) -> String {
  String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The channels one behind the other.
private func planes(_ image: codecs_image, _ pixels: UnsafeRawPointer) -> NDArray {
  let (channels, count) = (Int(image.channels), image.width * image.height)
  func transpose<Element: BitwiseCopyable>(_ type: Element.Type, _ target: UnsafeMutableRawBufferPointer) {
    let source = pixels.assumingMemoryBound(to: Element.self)
    target.withMemoryRebound(to: Element.self) { target in
      for channel in 0..<channels {
        for pixel in 0..<count { target[channel * count + pixel] = source[pixel * channels + channel] }
      }
    }
  }
  return NDArray(dtype: image.depth == 16 ? .u16 : .u8, shape: [channels, image.height, image.width]) { target in
    if image.depth == 16 { transpose(UInt16.self, target) } else { transpose(UInt8.self, target) }
  }
}
