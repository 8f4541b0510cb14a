public import LatheCore
public import LatheNN

/// Brightness alone: `torchvision.transforms.Grayscale`.
public struct Grayscale: Transform {
  private let numOutputChannels: Int

  /// Makes one channel, or three equal ones.
  public init(numOutputChannels: Int = 1) { self.numOutputChannels = numOutputChannels }

  /// The image without colours.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.rgbToGrayscale(image, numOutputChannels: numOutputChannels)
  }
}

/// Brightness alone with a probability, in as many channels as before: `torchvision.transforms.RandomGrayscale`.
public struct RandomGrayscale: Transform {
  private let p: Double

  /// Takes colours away with a probability.
  public init(p: Double = 0.1) { self.p = p }

  /// The image, or the image without colours.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try image.requireImage("RandomGrayscale", channels: [1, 3])
    return drawn(p) ? try Functional.rgbToGrayscale(image, numOutputChannels: image.channelCount) : image
  }
}

/// Random brightness, contrast, saturation and hue, in random order: `torchvision.transforms.ColorJitter`.
public struct ColorJitter: Transform {
  private let brightness: ClosedRange<Double>?
  private let contrast: ClosedRange<Double>?
  private let saturation: ClosedRange<Double>?
  private let hue: ClosedRange<Double>?

  /// Changes factors by at most these numbers around 1, and the hue around 0.
  ///
  /// - Throws: For negative numbers, and hues above a half.
  public init(
    brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0
  ) throws(DiagnosticsError) {
    guard brightness >= 0, contrast >= 0, saturation >= 0, (0...0.5).contains(hue) else {
      throw DiagnosticsError(
        "ColorJitter: brightness \(brightness), contrast \(contrast), saturation \(saturation), hue \(hue)")
    }
    func range(_ width: Double) -> ClosedRange<Double> { max(1 - width, 0)...1 + width }
    try self.init(
      brightness: range(brightness), contrast: range(contrast), saturation: range(saturation), hue: -hue...hue)
  }

  /// Draws factors from ranges.
  ///
  /// - Throws: For factors below 0, and hues outside of -0.5 ... 0.5.
  public init(
    brightness: ClosedRange<Double>, contrast: ClosedRange<Double> = 1...1, saturation: ClosedRange<Double> = 1...1,
    hue: ClosedRange<Double> = 0...0
  ) throws(DiagnosticsError) {
    guard brightness.lowerBound >= 0, contrast.lowerBound >= 0, saturation.lowerBound >= 0, hue.lowerBound >= -0.5,
      hue.upperBound <= 0.5
    else {
      throw DiagnosticsError(
        "ColorJitter: brightness \(brightness), contrast \(contrast), saturation \(saturation), hue \(hue)")
    }
    // What never changes anything is not drawn.
    self.brightness = brightness == 1...1 ? nil : brightness
    self.contrast = contrast == 1...1 ? nil : contrast
    self.saturation = saturation == 1...1 ? nil : saturation
    self.hue = hue == 0...0 ? nil : hue
  }

  /// The image in other colours.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    let order = Generator.default.permutation(4)
    let factors = [brightness, contrast, saturation, hue].map { $0.map(drawn) }
    var image = image
    for kind in order {
      guard let factor = factors[kind] else { continue }
      image =
        switch kind {
        case 0: try Functional.adjustBrightness(image, factor)
        case 1: try Functional.adjustContrast(image, factor)
        case 2: try Functional.adjustSaturation(image, factor)
        default: try Functional.adjustHue(image, factor)
        }
    }
    return image
  }
}

/// The distance from means in deviations, channel by channel: `torchvision.transforms.Normalize`.
public struct Normalize: Transform {
  private let mean: [Double]
  private let std: [Double]

  /// Subtracts means and divides by deviations: one number for each channel, or one for all.
  public init(mean: [Double], std: [Double]) {
    self.mean = mean
    self.std = std
  }

  /// The image normalized.
  public func callAsFunction(_ image: NDArray) throws(DiagnosticsError) -> NDArray {
    try Functional.normalize(image, mean: mean, std: std)
  }
}

extension Normalize: Module {
  /// The same in a graph, `[batch, channels, height, width]`, so that compiled code takes images as they are.
  public func callAsFunction(_ image: Tensor) -> Tensor {
    func channels(_ numbers: [Double]) -> Tensor {
      let array = NDArray(dtype: image.dtype, values: numbers.map { .float($0) })
      return image.builder.tensor(array).view([-1, 1, 1])
    }
    return (image - channels(mean)) / channels(std)
  }
}
