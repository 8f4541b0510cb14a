import Foundation
public import LatheCore
public import LatheNN

/// Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (2019), and EfficientNetV2:
/// Smaller Models and Faster Training (2021).
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct EfficientNet: Module {
  /// A stage of the network: so many blocks, of which the first may halve the image.
  public struct Stage: Sendable {
    let expandRatio: Double
    let kernel: Int
    let stride: Int
    let channels: Int
    let out: Int
    let count: Int
    let isFused: Bool

    /// Describes a stage.
    ///
    /// - Parameters:
    ///   - isFused: Whether blocks have one convolution in place of the first and the depthwise one, as in version 2.
    ///   - widthMult: What the channels are multiplied by, to multiples of 8.
    ///   - depthMult: What the number of blocks is multiplied by.
    public init(
      expandRatio: Double, kernel: Int, stride: Int, channels: Int, out: Int, count: Int, isFused: Bool = false,
      widthMult: Double = 1, depthMult: Double = 1
    ) {
      self.expandRatio = expandRatio
      self.kernel = kernel
      self.stride = stride
      self.channels = divisibleBy8(Double(channels) * widthMult)
      self.out = divisibleBy8(Double(out) * widthMult)
      self.count = Int(exactly: (Double(count) * depthMult).rounded(.up)) ?? 0
      self.isFused = isFused
    }
  }

  /// The convolutions.
  public var features: Sequential
  /// The mean of each channel.
  public var avgpool = AdaptiveAvgPool2d(1)
  /// The linear layer.
  public var classifier: Sequential

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - stages: At least one.
  ///   - stochasticDepthProb: The share of samples that the last block leaves out in training; earlier ones leave out
  ///     less.
  ///   - lastChannel: The channels of the last convolution; by default four times those of the last stage.
  ///   - normEps: The `eps` of the normalizations.
  ///   - normMomentum: Their momentum.
  public init(
    _ stages: [Stage], dropout: Double, stochasticDepthProb: Double = 0.2, lastChannel: Int? = nil,
    numClasses: Int = 1000, normEps: Double = 1e-5, normMomentum: Double? = 0.1
  ) {
    let norm = { (channels: Int) in BatchNorm2d(channels, eps: normEps, momentum: normMomentum) }
    // Without stages there are no channels that a layer would take.
    let (first, last) = (stages.first?.channels ?? -1, stages.last?.out ?? -1)
    var layers: [any Module<Tensor, Tensor>] = [
      convNormActivation(3, first, stride: 2, norm: norm, activation: SiLU())
    ]
    let total = Double(stages.reduce(0) { $0 + max($1.count, 0) })
    var position = 0.0
    for stage in stages {
      layers.append(
        Sequential(
          (0..<max(stage.count, 0)).map { block in
            defer { position += 1 }
            return MBConv(
              stage, isFirst: block == 0, stochasticDepth: stochasticDepthProb * position / total, norm: norm)
          }))
    }
    let lastChannel = lastChannel ?? 4 * last
    layers.append(convNormActivation(last, lastChannel, kernelSize: 1, norm: norm, activation: SiLU()))
    features = Sequential(layers)
    classifier = Sequential(Dropout(dropout), Linear(lastChannel, numClasses))
    let bound = 1 / Double(numClasses).squareRoot()
    drawWeights(convolution: .kaimingNormal(mode: .fanOut), linear: .uniform(-bound, bound))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(avgpool(features(x)).flatten(startDim: 1)) }
}

/// An inverted residual with a weight for each channel, or a fused one, which has no such weights.
private struct MBConv: Module {
  let block: Sequential
  let stochasticDepth: StochasticDepth
  let isResidual: Bool

  init(_ stage: EfficientNet.Stage, isFirst: Bool, stochasticDepth share: Double, norm: (Int) -> BatchNorm2d) {
    let (channels, out) = (isFirst ? stage.channels : stage.out, stage.out)
    let stride = isFirst ? stage.stride : 1
    let expanded = divisibleBy8(Double(channels) * stage.expandRatio)
    var layers: [any Module<Tensor, Tensor>] = []
    if stage.isFused {
      let isExpanding = expanded != channels
      layers.append(
        convNormActivation(
          channels, isExpanding ? expanded : out, kernelSize: stage.kernel, stride: stride, norm: norm,
          activation: SiLU()))
      if isExpanding { layers.append(convNormActivation(expanded, out, kernelSize: 1, norm: norm, activation: nil)) }
    } else {
      if expanded != channels {
        layers.append(convNormActivation(channels, expanded, kernelSize: 1, norm: norm, activation: SiLU()))
      }
      layers += [
        convNormActivation(
          expanded, expanded, kernelSize: stage.kernel, stride: stride, groups: expanded, norm: norm,
          activation: SiLU()),
        SqueezeExcitation(expanded, max(1, channels / 4), activation: SiLU()),
        convNormActivation(expanded, out, kernelSize: 1, norm: norm, activation: nil),
      ]
    }
    block = Sequential(layers)
    stochasticDepth = StochasticDepth(share, mode: .row)
    isResidual = stride == 1 && channels == out
  }

  func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? stochasticDepth(block(x)) + x : block(x) }
}

/// The first version, widened and deepened.
private func scaled(
  _ widthMult: Double, _ depthMult: Double, _ numClasses: Int, _ dropout: Double, eps: Double = 1e-5,
  momentum: Double = 0.1
) -> EfficientNet {
  // Expansion, kernel, stride, channels, channels out, blocks.
  let rows = [
    (1.0, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
  ]
  return EfficientNet(
    rows.map {
      EfficientNet.Stage(
        expandRatio: $0.0, kernel: $0.1, stride: $0.2, channels: $0.3, out: $0.4, count: $0.5, widthMult: widthMult,
        depthMult: depthMult)
    }, dropout: dropout, numClasses: numClasses, normEps: eps, normMomentum: momentum)
}

/// The second version, of stages with kernels of 3 x 3, the first three fused.
///
/// - Parameter rows: Expansion, stride, channels, channels out, blocks.
private func second(_ rows: [(Double, Int, Int, Int, Int)], _ numClasses: Int, _ dropout: Double) -> EfficientNet {
  EfficientNet(
    rows.enumerated().map { position, row in
      EfficientNet.Stage(
        expandRatio: row.0, kernel: 3, stride: row.1, channels: row.2, out: row.3, count: row.4, isFused: position < 3)
    }, dropout: dropout, lastChannel: 1280, numClasses: numClasses, normEps: 0.001)
}

/// EfficientNet B0.
public func efficientnetB0(numClasses: Int = 1000, dropout: Double = 0.2) -> EfficientNet {
  scaled(1, 1, numClasses, dropout)
}

/// EfficientNet B1.
public func efficientnetB1(numClasses: Int = 1000, dropout: Double = 0.2) -> EfficientNet {
  scaled(1, 1.1, numClasses, dropout)
}

/// EfficientNet B2.
public func efficientnetB2(numClasses: Int = 1000, dropout: Double = 0.3) -> EfficientNet {
  scaled(1.1, 1.2, numClasses, dropout)
}

/// EfficientNet B3.
public func efficientnetB3(numClasses: Int = 1000, dropout: Double = 0.3) -> EfficientNet {
  scaled(1.2, 1.4, numClasses, dropout)
}

/// EfficientNet B4.
public func efficientnetB4(numClasses: Int = 1000, dropout: Double = 0.4) -> EfficientNet {
  scaled(1.4, 1.8, numClasses, dropout)
}

/// EfficientNet B5.
public func efficientnetB5(numClasses: Int = 1000, dropout: Double = 0.4) -> EfficientNet {
  scaled(1.6, 2.2, numClasses, dropout, eps: 0.001, momentum: 0.01)
}

/// EfficientNet B6.
public func efficientnetB6(numClasses: Int = 1000, dropout: Double = 0.5) -> EfficientNet {
  scaled(1.8, 2.6, numClasses, dropout, eps: 0.001, momentum: 0.01)
}

/// EfficientNet B7.
public func efficientnetB7(numClasses: Int = 1000, dropout: Double = 0.5) -> EfficientNet {
  scaled(2, 3.1, numClasses, dropout, eps: 0.001, momentum: 0.01)
}

/// The small EfficientNet v2.
public func efficientnetV2S(numClasses: Int = 1000, dropout: Double = 0.2) -> EfficientNet {
  second(
    [
      (1, 1, 24, 24, 2), (4, 2, 24, 48, 4), (4, 2, 48, 64, 4), (4, 2, 64, 128, 6), (6, 1, 128, 160, 9),
      (6, 2, 160, 256, 15),
    ], numClasses, dropout)
}

/// The medium EfficientNet v2.
public func efficientnetV2M(numClasses: Int = 1000, dropout: Double = 0.3) -> EfficientNet {
  second(
    [
      (1, 1, 24, 24, 3), (4, 2, 24, 48, 5), (4, 2, 48, 80, 5), (4, 2, 80, 160, 7), (6, 1, 160, 176, 14),
      (6, 2, 176, 304, 18), (6, 1, 304, 512, 5),
    ], numClasses, dropout)
}

/// The large EfficientNet v2.
public func efficientnetV2L(numClasses: Int = 1000, dropout: Double = 0.4) -> EfficientNet {
  second(
    [
      (1, 1, 32, 32, 4), (4, 2, 32, 64, 7), (4, 2, 64, 96, 7), (4, 2, 96, 192, 10), (6, 1, 192, 224, 19),
      (6, 2, 224, 384, 25), (6, 1, 384, 640, 7),
    ], numClasses, dropout)
}
