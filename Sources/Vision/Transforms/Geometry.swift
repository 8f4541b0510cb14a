public import LatheCore

/// How an image goes on beyond its border: the `padding_mode` of `torchvision.transforms.Pad`.
public enum ImagePaddingMode: Hashable, Sendable {
  /// By a colour.
  case constant
  /// By the pixels at the border.
  case edge
  /// Mirrored, without the pixels at the border once more.
  case reflect
  /// Mirrored, with them.
  case symmetric
}

/// Pixels beside an image: `2` on all sides, `[left and right, top and bottom]`, or `[left, top, right, bottom]`.
public struct ImagePadding: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  private let widths: [Int]

  /// The same on all sides.
  public init(_ width: Int) { widths = [width] }

  /// Each side by itself.
  public init(left: Int, top: Int, right: Int, bottom: Int) { widths = [left, top, right, bottom] }

  /// The same on all sides.
  public init(integerLiteral width: Int) { self.init(width) }

  /// One, two or four numbers.
  public init(arrayLiteral widths: Int...) { self.widths = widths }

  /// The four sides.
  ///
  /// - Throws: That there are other numbers.
  func checked(_ name: String) throws(DiagnosticsError) -> (left: Int, top: Int, right: Int, bottom: Int) {
    guard [1, 2, 4].contains(widths.count), widths.allSatisfy({ abs($0) < 1 << 31 }) else {
      throw DiagnosticsError("\(name): \(widths) is no padding", help: "give one, two or four numbers")
    }
    let (left, top) = (widths[0], widths[widths.count == 1 ? 0 : 1])
    return widths.count == 4 ? (left, top, widths[2], widths[3]) : (left, top, left, top)
  }
}

/// Functions of images on the host: `torchvision.transforms.functional`, in its second version.
///
/// Images are `[…, channels, height, width]`.
public enum Functional {}

extension Functional {
  /// Left and right exchanged: `hflip`.
  ///
  /// - Throws: For arrays that are no image.
  public static func hflip(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("hflip")
    return image.remapped(rows: Array(0..<image.height), columns: (0..<image.width).reversed())
  }

  /// Top and bottom exchanged: `vflip`.
  ///
  /// - Throws: For arrays that are no image.
  public static func vflip(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("vflip")
    return image.remapped(rows: (0..<image.height).reversed(), columns: Array(0..<image.width))
  }

  /// A part of an image: `crop`.
  ///
  /// What lies outside is 0.
  ///
  /// - Throws: For arrays that are no image, and parts of no pixels.
  public static func crop(
    _ image: NDArray, top: Int, left: Int, height: Int, width: Int
  ) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("crop")
    guard height > 0, width > 0, abs(top) < 1 << 31, abs(left) < 1 << 31 else {
      throw DiagnosticsError("crop: a part of \(height) x \(width) pixels, at \(top), \(left)")
    }
    try NDArray.requireMemory(image.dtype, image.shape.dropLast(2) + [height, width])
    func places(_ start: Int, _ count: Int, _ size: Int) -> [Int?] {
      (start..<start + count).map { (0..<size).contains($0) ? $0 : nil }
    }
    return image.remapped(
      rows: places(top, height, image.height), columns: places(left, width, image.width))
  }

  /// The middle of an image: `center_crop`.
  ///
  /// A smaller image is filled up with 0.
  ///
  /// - Throws: For arrays that are no image, and sizes that are none.
  public static func centerCrop(_ image: NDArray, _ size: ImageSize) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("centerCrop")
    let (height, width) = try size.checked("centerCrop")
    func start(_ size: Int, _ newSize: Int) -> Int {
      newSize > size ? -((newSize - size) / 2) : Int((Double(size - newSize) / 2).rounded(.toNearestOrEven))
    }
    return try crop(
      image, top: start(image.height, height), left: start(image.width, width), height: height, width: width)
  }

  /// Pixels beside an image: `pad`.
  ///
  /// Negative numbers cut.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - padding: How many pixels.
  ///   - fill: Their colour in the mode `.constant`: one number, or one for each channel.
  ///   - mode: What they are.
  /// - Throws: For arrays that are no image, for mirrored pixels that there are not, and where nothing is left.
  public static func pad(
    _ image: NDArray, _ padding: ImagePadding, fill: [Double] = [0], mode: ImagePaddingMode = .constant
  ) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("pad")
    guard fill.count == 1 || fill.count == image.channelCount, mode == .constant || fill == [0] else {
      throw DiagnosticsError("pad: \(fill) is no colour for \(image.type) in the mode .\(mode)")
    }
    let (left, top, right, bottom) = try padding.checked("pad")
    func places(_ before: Int, _ after: Int, _ size: Int) throws(DiagnosticsError) -> [Int?] {
      let limit = mode == .reflect ? size - 1 : mode == .symmetric ? size : Int.max
      guard before + size + after > 0, before <= limit, after <= limit else {
        throw DiagnosticsError("pad: \(before) and \(after) pixels beside \(size) in the mode .\(mode)")
      }
      return (-before..<size + after).map { place in
        if (0..<size).contains(place) { return place }
        return switch mode {
        case .constant: nil
        case .edge: place < 0 ? 0 : size - 1
        case .reflect: place < 0 ? -place : 2 * size - 2 - place
        case .symmetric: place < 0 ? -place - 1 : 2 * size - 1 - place
        }
      }
    }
    try NDArray.requireMemory(
      image.dtype, image.shape.dropLast(2) + [max(image.height + top + bottom, 0), max(image.width + left + right, 0)])
    return image.remapped(
      rows: try places(top, bottom, image.height), columns: try places(left, right, image.width), fill: fill)
  }

  /// A part of an image in another size: `resized_crop`.
  ///
  /// - Throws: For arrays that are no image, and parts or sizes that are none.
  public static func resizedCrop(
    _ image: NDArray, top: Int, left: Int, height: Int, width: Int, _ size: ImageSize,
    interpolation: ImageInterpolation = .bilinear, antialias: Bool = true
  ) throws(DiagnosticsError) -> NDArray {
    let (newHeight, newWidth) = try size.checked("resizedCrop")
    let part = try crop(image, top: top, left: left, height: height, width: width)
    return try resize(
      part, ImageSize(height: newHeight, width: newWidth), interpolation: interpolation, antialias: antialias)
  }
}
