public import LatheCore
public import LatheNN

/// Howard and others, Searching for MobileNetV3 (2019).
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct MobileNetV3: Module {
  /// A block of the network.
  public struct Block: Sendable {
    let channels: Int
    let kernel: Int
    let expanded: Int
    let out: Int
    let squeezes: Bool
    let isHardswish: Bool
    let stride: Int
    let dilation: Int

    /// Describes a block.
    ///
    /// - Parameters:
    ///   - squeezes: Whether channels are weighted by a squeeze and excitation.
    ///   - isHardswish: Whether the activation is hardswish rather than ReLU.
    ///   - widthMult: What the channels are multiplied by, to multiples of 8.
    public init(
      _ channels: Int, kernel: Int, expanded: Int, out: Int, squeezes: Bool, isHardswish: Bool, stride: Int,
      dilation: Int = 1, widthMult: Double = 1
    ) {
      self.channels = divisibleBy8(Double(channels) * widthMult)
      self.kernel = kernel
      self.expanded = divisibleBy8(Double(expanded) * widthMult)
      self.out = divisibleBy8(Double(out) * widthMult)
      self.squeezes = squeezes
      self.isHardswish = isHardswish
      self.stride = stride
      self.dilation = dilation
    }
  }

  /// The convolutions.
  public var features: Sequential
  /// The mean of each channel.
  public var avgpool = AdaptiveAvgPool2d(1)
  /// The linear layers.
  public var classifier: Sequential

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - blocks: At least one.
  ///   - lastChannel: The features between the two linear layers.
  public init(_ blocks: [Block], lastChannel: Int, numClasses: Int = 1000, dropout: Double = 0.2) {
    // Without blocks there are no channels that a layer would take.
    let (first, last) = (blocks.first?.channels ?? -1, blocks.last?.out ?? -1)
    var layers: [any Module<Tensor, Tensor>] = [
      convNormActivation(3, first, stride: 2, norm: norm, activation: Hardswish())
    ]
    layers += blocks.map { InvertedResidual($0) }
    layers.append(convNormActivation(last, 6 * last, kernelSize: 1, norm: norm, activation: Hardswish()))
    features = Sequential(layers)
    classifier = Sequential(
      Linear(6 * last, lastChannel), Hardswish(), Dropout(dropout), Linear(lastChannel, numClasses))
    drawWeights(convolution: .kaimingNormal(mode: .fanOut), linear: .normal(std: 0.01))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(avgpool(features(x)).flatten(startDim: 1)) }
}

private func norm(_ channels: Int) -> BatchNorm2d { BatchNorm2d(channels, eps: 0.001, momentum: 0.01) }

/// A depthwise convolution between two of 1 x 1, with a weight for each channel, beside the identity where shapes allow
/// it.
private struct InvertedResidual: Module {
  let block: Sequential
  let isResidual: Bool

  init(_ options: MobileNetV3.Block) {
    let activation: any Module<Tensor, Tensor> = options.isHardswish ? Hardswish() : ReLU()
    var layers: [any Module<Tensor, Tensor>] = []
    if options.expanded != options.channels {
      layers.append(
        convNormActivation(options.channels, options.expanded, kernelSize: 1, norm: norm, activation: activation))
    }
    layers.append(
      convNormActivation(
        options.expanded, options.expanded, kernelSize: options.kernel,
        stride: options.dilation > 1 ? 1 : options.stride, dilation: options.dilation, groups: options.expanded,
        norm: norm, activation: activation))
    if options.squeezes {
      layers.append(
        SqueezeExcitation(
          options.expanded, divisibleBy8(Double(options.expanded / 4)), scaleActivation: Hardsigmoid()))
    }
    layers.append(convNormActivation(options.expanded, options.out, kernelSize: 1, norm: norm, activation: nil))
    block = Sequential(layers)
    isResidual = options.stride == 1 && options.channels == options.out
  }

  func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? block(x) + x : block(x) }
}

/// The larger MobileNet v3.
///
/// - Parameters:
///   - widthMult: What the channels are multiplied by, to multiples of 8.
///   - reducedTail: Whether the last blocks have half as many channels.
///   - dilated: Whether the last blocks widen their windows rather than halve the image.
public func mobilenetV3Large(
  numClasses: Int = 1000, dropout: Double = 0.2, widthMult: Double = 1, reducedTail: Bool = false,
  dilated: Bool = false
) -> MobileNetV3 {
  let (divider, dilation) = (reducedTail ? 2 : 1, dilated ? 2 : 1)
  return mobilenetV3(
    [
      (16, 3, 16, 16, false, false, 1, 1), (16, 3, 64, 24, false, false, 2, 1), (24, 3, 72, 24, false, false, 1, 1),
      (24, 5, 72, 40, true, false, 2, 1), (40, 5, 120, 40, true, false, 1, 1), (40, 5, 120, 40, true, false, 1, 1),
      (40, 3, 240, 80, false, true, 2, 1), (80, 3, 200, 80, false, true, 1, 1), (80, 3, 184, 80, false, true, 1, 1),
      (80, 3, 184, 80, false, true, 1, 1), (80, 3, 480, 112, true, true, 1, 1), (112, 3, 672, 112, true, true, 1, 1),
      (112, 5, 672, 160 / divider, true, true, 2, dilation),
      (160 / divider, 5, 960 / divider, 160 / divider, true, true, 1, dilation),
      (160 / divider, 5, 960 / divider, 160 / divider, true, true, 1, dilation),
    ], 1280 / divider, numClasses, dropout, widthMult)
}

/// The smaller MobileNet v3.
///
/// - Parameters:
///   - widthMult: What the channels are multiplied by, to multiples of 8.
///   - reducedTail: Whether the last blocks have half as many channels.
///   - dilated: Whether the last blocks widen their windows rather than halve the image.
public func mobilenetV3Small(
  numClasses: Int = 1000, dropout: Double = 0.2, widthMult: Double = 1, reducedTail: Bool = false,
  dilated: Bool = false
) -> MobileNetV3 {
  let (divider, dilation) = (reducedTail ? 2 : 1, dilated ? 2 : 1)
  return mobilenetV3(
    [
      (16, 3, 16, 16, true, false, 2, 1), (16, 3, 72, 24, false, false, 2, 1), (24, 3, 88, 24, false, false, 1, 1),
      (24, 5, 96, 40, true, true, 2, 1), (40, 5, 240, 40, true, true, 1, 1), (40, 5, 240, 40, true, true, 1, 1),
      (40, 5, 120, 48, true, true, 1, 1), (48, 5, 144, 48, true, true, 1, 1),
      (48, 5, 288, 96 / divider, true, true, 2, dilation),
      (96 / divider, 5, 576 / divider, 96 / divider, true, true, 1, dilation),
      (96 / divider, 5, 576 / divider, 96 / divider, true, true, 1, dilation),
    ], 1024 / divider, numClasses, dropout, widthMult)
}

/// - Parameter rows: The paper's tables 1 and 2: channels, kernel, expanded channels, channels out, whether there is a
///   squeeze and excitation, whether the activation is hardswish, stride, dilation.
private func mobilenetV3(
  _ rows: [(Int, Int, Int, Int, Bool, Bool, Int, Int)], _ lastChannel: Int, _ numClasses: Int, _ dropout: Double,
  _ widthMult: Double
) -> MobileNetV3 {
  MobileNetV3(
    rows.map {
      MobileNetV3.Block(
        $0.0, kernel: $0.1, expanded: $0.2, out: $0.3, squeezes: $0.4, isHardswish: $0.5, stride: $0.6,
        dilation: $0.7, widthMult: widthMult)
    }, lastChannel: divisibleBy8(Double(lastChannel) * widthMult), numClasses: numClasses, dropout: dropout)
}
