import Foundation
public import LatheCore

/// Another size: `torchvision.transforms.Resize`.
public struct Resize: Transform {
  private let size: ImageSize
  private let interpolation: ImageInterpolation
  private let maxSize: Int?
  private let antialias: Bool

  /// Resizes to height and width; a single number is the shorter side, and the other one keeps its proportion.
  public init(
    _ size: ImageSize, interpolation: ImageInterpolation = .bilinear, maxSize: Int? = nil, antialias: Bool = true
  ) {
    self.size = size
    self.interpolation = interpolation
    self.maxSize = maxSize
    self.antialias = antialias
  }

  /// The image in its new size.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.resize(image, size, interpolation: interpolation, maxSize: maxSize, antialias: antialias)
  }
}

/// The middle of an image: `torchvision.transforms.CenterCrop`.
public struct CenterCrop: Transform {
  private let size: ImageSize

  /// Cuts out the middle; a smaller image is filled up with 0.
  public init(_ size: ImageSize) { self.size = size }

  /// The middle of the image.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.centerCrop(image, size)
  }
}

/// Pixels beside an image: `torchvision.transforms.Pad`.
public struct Pad: Transform {
  private let padding: ImagePadding
  private let fill: [Double]
  private let mode: ImagePaddingMode

  /// Pads with a colour, one number or one for each channel, or with what the mode says.
  public init(_ padding: ImagePadding, fill: [Double] = [0], mode: ImagePaddingMode = .constant) {
    self.padding = padding
    self.fill = fill
    self.mode = mode
  }

  /// The larger image.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.pad(image, padding, fill: fill, mode: mode)
  }
}

/// A random part of an image: `torchvision.transforms.RandomCrop`.
public struct RandomCrop: Transform {
  private let size: ImageSize
  private let padding: ImagePadding
  private let padIfNeeded: Bool
  private let fill: [Double]
  private let mode: ImagePaddingMode

  /// Pads, then cuts out a part.
  ///
  /// - Parameters:
  ///   - size: Height and width of the part.
  ///   - padding: Pixels beside the image.
  ///   - padIfNeeded: Whether an image that is too small is padded by what is missing, on both sides.
  ///   - fill: The colour of those pixels.
  ///   - mode: What they are.
  public init(
    _ size: ImageSize, padding: ImagePadding = 0, padIfNeeded: Bool = false, fill: [Double] = [0],
    mode: ImagePaddingMode = .constant
  ) {
    self.size = size
    self.padding = padding
    self.padIfNeeded = padIfNeeded
    self.fill = fill
    self.mode = mode
  }

  /// A part of the image.
  ///
  /// - Throws: That the image is smaller than its part.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("RandomCrop")
    let (height, width) = try size.checked("RandomCrop")
    var (left, top, right, bottom) = try padding.checked("RandomCrop")
    let missing = (max(height - image.height - top - bottom, 0), max(width - image.width - left - right, 0))
    if padIfNeeded {
      (top, bottom, left, right) = (top + missing.0, bottom + missing.0, left + missing.1, right + missing.1)
    } else if missing != (0, 0) {
      throw DiagnosticsError(
        "RandomCrop: \(image.type) with its padding is smaller than \(height) x \(width)",
        help: "give padIfNeeded: true")
    }
    let room = (image.height + top + bottom - height, image.width + left + right - width)
    let y = room.0 > 0 ? drawn(below: room.0 + 1) : 0
    let x = room.1 > 0 ? drawn(below: room.1 + 1) : 0
    let padded = try Functional.pad(
      image, ImagePadding(left: left, top: top, right: right, bottom: bottom), fill: fill, mode: mode)
    return try Functional.crop(padded, top: y, left: x, height: height, width: width)
  }
}

/// A random part of random proportion, in another size: `torchvision.transforms.RandomResizedCrop`, once
/// `RandomSizedCrop`.
public struct RandomResizedCrop: Transform {
  private let size: ImageSize
  private let scale: ClosedRange<Double>
  private let ratio: ClosedRange<Double>
  private let interpolation: ImageInterpolation
  private let antialias: Bool

  /// Cuts out a part and resizes it.
  ///
  /// - Parameters:
  ///   - size: The height and width that the part is resized to.
  ///   - scale: Which share of the area the part has.
  ///   - ratio: The width over the height of the part.
  ///   - interpolation: How pixels between pixels are made.
  ///   - antialias: Whether they are means when shrinking.
  public init(
    _ size: ImageSize, scale: ClosedRange<Double> = 0.08...1, ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3,
    interpolation: ImageInterpolation = .bilinear, antialias: Bool = true
  ) {
    self.size = size
    self.scale = scale
    self.ratio = ratio
    self.interpolation = interpolation
    self.antialias = antialias
  }

  /// A part of the image.
  ///
  /// - Throws: For ratios that are not positive.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("RandomResizedCrop")
    guard ratio.lowerBound > 0, ratio.upperBound.isFinite, scale.lowerBound >= 0 else {
      throw DiagnosticsError("RandomResizedCrop: the scale \(scale) and the ratio \(ratio)")
    }
    let part = place(image.height, image.width)
    return try Functional.resizedCrop(
      image, top: part.top, left: part.left, height: part.height, width: part.width, size, interpolation: interpolation,
      antialias: antialias)
  }

  private func place(_ height: Int, _ width: Int) -> (top: Int, left: Int, height: Int, width: Int) {
    let logarithms = Double(log(Float(ratio.lowerBound)))...Double(log(Float(ratio.upperBound)))
    for _ in 0..<10 {
      let area = Double(height * width) * drawn(scale)
      let proportion = Double(exp(Float(drawn(logarithms))))
      let w = Int((area * proportion).squareRoot().rounded(.toNearestOrEven))
      let h = Int((area / proportion).squareRoot().rounded(.toNearestOrEven))
      if w > 0, w <= width, h > 0, h <= height {
        let top = drawn(below: height - h + 1)
        return (top, drawn(below: width - w + 1), h, w)
      }
    }
    // The middle, in the nearest proportion.
    let proportion = Double(width) / Double(height)
    var (h, w) = (height, width)
    if proportion < ratio.lowerBound {
      h = Int((Double(width) / ratio.lowerBound).rounded(.toNearestOrEven))
    } else if proportion > ratio.upperBound {
      w = Int((Double(height) * ratio.upperBound).rounded(.toNearestOrEven))
    }
    return ((height - h) / 2, (width - w) / 2, max(h, 1), max(w, 1))
  }
}

/// Left and right exchanged with a probability: `torchvision.transforms.RandomHorizontalFlip`.
public struct RandomHorizontalFlip: Transform {
  private let p: Double

  /// Flips with a probability.
  public init(p: Double = 0.5) { self.p = p }

  /// The image or its mirror image.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    drawn(p) ? try Functional.hflip(image) : image
  }
}

/// Top and bottom exchanged with a probability: `torchvision.transforms.RandomVerticalFlip`.
public struct RandomVerticalFlip: Transform {
  private let p: Double

  /// Flips with a probability.
  public init(p: Double = 0.5) { self.p = p }

  /// The image or its mirror image.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    drawn(p) ? try Functional.vflip(image) : image
  }
}
