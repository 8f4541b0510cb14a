public import LatheCore
public import LatheNN

/// Iandola and others, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters (2016).
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct SqueezeNet: Module {
  /// Which of the two published forms it has.
  public enum Version: Sendable {
    /// The form of the paper.
    case v10
    /// As accurate with 2.4 times fewer operations.
    case v11
  }

  /// The convolutions.
  public var features: Sequential
  /// A convolution with a channel for each class, and the mean of each.
  public var classifier: Sequential

  /// Makes a model with the given options.
  public init(_ version: Version, numClasses: Int = 1000, dropout: Double = 0.5) {
    let pool = { MaxPool2d(kernelSize: 3, stride: 2, ceilMode: true) }
    switch version {
    case .v10:
      features = Sequential(
        Conv2d(3, 96, kernelSize: 7, stride: 2), ReLU(), pool(), Fire(96, 16, 64), Fire(128, 16, 64),
        Fire(128, 32, 128), pool(), Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256),
        pool(), Fire(512, 64, 256))
    case .v11:
      features = Sequential(
        Conv2d(3, 64, kernelSize: 3, stride: 2), ReLU(), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(),
        Fire(128, 32, 128), Fire(256, 32, 128), pool(), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256),
        Fire(512, 64, 256))
    }
    let last = Conv2d(512, numClasses, kernelSize: 1)
    classifier = Sequential(Dropout(dropout), last, ReLU(), AdaptiveAvgPool2d(1))
    features.drawWeights(convolution: .kaimingUniform())
    classifier.drawWeights(convolution: .normal(std: 0.01))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x)).flatten(startDim: 1) }
}

/// A convolution to few channels, and from these two to many, of 1 x 1 and of 3 x 3.
private struct Fire: Module {
  let squeeze: Conv2d
  let squeezeActivation = ReLU()
  let expand1x1: Conv2d
  let expand1x1Activation = ReLU()
  let expand3x3: Conv2d
  let expand3x3Activation = ReLU()

  init(_ channels: Int, _ squeezed: Int, _ expanded: Int) {
    squeeze = Conv2d(channels, squeezed, kernelSize: 1)
    expand1x1 = Conv2d(squeezed, expanded, kernelSize: 1)
    expand3x3 = Conv2d(squeezed, expanded, kernelSize: 3, padding: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = squeezeActivation(squeeze(x))
    return cat([expand1x1Activation(expand1x1(x)), expand3x3Activation(expand3x3(x))], dim: 1)
  }
}

/// SqueezeNet 1.0.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func squeezenet1_0(numClasses: Int = 1000, dropout: Double = 0.5) -> SqueezeNet {
  SqueezeNet(.v10, numClasses: numClasses, dropout: dropout)
}

/// SqueezeNet 1.1.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func squeezenet1_1(numClasses: Int = 1000, dropout: Double = 0.5) -> SqueezeNet {
  SqueezeNet(.v11, numClasses: numClasses, dropout: dropout)
}
