public import LatheCore
public import LatheNN

/// Sandler and others, MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018).
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct MobileNetV2: Module {
  /// The convolutions.
  public var features: Sequential
  /// The linear layer.
  public var classifier: Sequential

  /// Makes a model.
  ///
  /// - Parameter widthMult: What the channels are multiplied by, to multiples of 8.
  public init(numClasses: Int = 1000, widthMult: Double = 1, dropout: Double = 0.2) {
    var channels = divisibleBy8(32 * widthMult)
    let last = divisibleBy8(1280 * max(1, widthMult))
    var layers: [any Module<Tensor, Tensor>] = [convNormActivation(3, channels, stride: 2, activation: ReLU6())]
    // Expansion, channels, blocks, stride of the first.
    let stages = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]
    for (expansion, width, count, stride) in stages {
      let out = divisibleBy8(Double(width) * widthMult)
      for position in 0..<count {
        layers.append(InvertedResidual(channels, out, stride: position == 0 ? stride : 1, expansion: expansion))
        channels = out
      }
    }
    layers.append(convNormActivation(channels, last, kernelSize: 1, activation: ReLU6()))
    features = Sequential(layers)
    classifier = Sequential(Dropout(dropout), Linear(last, numClasses))
    drawWeights(convolution: .kaimingNormal(mode: .fanOut), linear: .normal(std: 0.01))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(adaptiveAvgPool2d(features(x), 1).flatten(startDim: 1))
  }
}

/// A depthwise convolution between two of 1 x 1, beside the identity where shapes allow it.
private struct InvertedResidual: Module {
  let conv: Sequential
  let isResidual: Bool

  init(_ channels: Int, _ out: Int, stride: Int, expansion: Int) {
    let expanded = channels * expansion
    var layers: [any Module<Tensor, Tensor>] = []
    if expansion != 1 { layers.append(convNormActivation(channels, expanded, kernelSize: 1, activation: ReLU6())) }
    layers += [
      convNormActivation(expanded, expanded, stride: stride, groups: expanded, activation: ReLU6()),
      Conv2d(expanded, out, kernelSize: 1, bias: false), BatchNorm2d(out),
    ]
    conv = Sequential(layers)
    isResidual = stride == 1 && channels == out
  }

  func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? x + conv(x) : conv(x) }
}

/// MobileNet v2.
public func mobilenetV2(numClasses: Int = 1000, widthMult: Double = 1, dropout: Double = 0.2) -> MobileNetV2 {
  MobileNetV2(numClasses: numClasses, widthMult: widthMult, dropout: dropout)
}
