public import LatheCore
public import LatheNN

/// Huang and others, Densely Connected Convolutional Networks (2016).
///
/// It takes images `[N, 3, H, W]` of 29 pixels or more and gives scores `[N, numClasses]`.
public struct DenseNet: Module {
  /// The convolutions.
  public var features: Sequential
  /// The linear layer.
  public var classifier: Linear

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - growthRate: The channels that every layer adds.
  ///   - blockConfig: How many layers each block has.
  ///   - numInitFeatures: The channels of the first convolution.
  ///   - bnSize: The channels within a layer, as a multiple of those that it adds.
  ///   - dropRate: The share of what a layer adds that is left out in training.
  public init(
    growthRate: Int = 32, blockConfig: [Int] = [6, 12, 24, 16], numInitFeatures: Int = 64, bnSize: Int = 4,
    dropRate: Double = 0, numClasses: Int = 1000
  ) {
    var layers: [(name: String, module: any Module<Tensor, Tensor>)] = [
      ("conv0", Conv2d(3, numInitFeatures, kernelSize: 7, stride: 2, padding: 3, bias: false)),
      ("norm0", BatchNorm2d(numInitFeatures)), ("relu0", ReLU()),
      ("pool0", MaxPool2d(kernelSize: 3, stride: 2, padding: 1)),
    ]
    var channels = numInitFeatures
    for (position, count) in blockConfig.enumerated() {
      var block: [(name: String, module: any Module<Tensor, Tensor>)] = []
      for layer in 0..<max(count, 0) {
        block.append(("denselayer\(layer + 1)", DenseLayer(channels, growthRate, bnSize &* growthRate, dropRate)))
        channels += growthRate
      }
      layers.append(("denseblock\(position + 1)", Sequential(named: block)))
      if position < blockConfig.count - 1 {
        layers.append(("transition\(position + 1)", transition(channels)))
        channels /= 2
      }
    }
    layers.append(("norm5", BatchNorm2d(channels)))
    features = Sequential(named: layers)
    classifier = Linear(channels, numClasses)
    drawWeights(convolution: .kaimingNormal())
    classifier.bias?.initializer = .zeros
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(adaptiveAvgPool2d(relu(features(x)), 1).flatten(startDim: 1))
  }
}

/// Adds channels to those that it is given.
private struct DenseLayer: Module {
  let norm1: BatchNorm2d
  let relu1 = ReLU()
  let conv1: Conv2d
  let norm2: BatchNorm2d
  let relu2 = ReLU()
  let conv2: Conv2d
  let dropout: Dropout

  init(_ channels: Int, _ growthRate: Int, _ inner: Int, _ dropRate: Double) {
    norm1 = BatchNorm2d(channels)
    conv1 = Conv2d(channels, inner, kernelSize: 1, bias: false)
    norm2 = BatchNorm2d(inner)
    conv2 = Conv2d(inner, growthRate, kernelSize: 3, padding: 1, bias: false)
    dropout = Dropout(dropRate)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    cat([x, dropout(conv2(relu2(norm2(conv1(relu1(norm1(x)))))))], dim: 1)
  }
}

/// To half the channels and half the image.
private func transition(_ channels: Int) -> Sequential {
  Sequential(named: [
    ("norm", BatchNorm2d(channels)), ("relu", ReLU()),
    ("conv", Conv2d(channels, channels / 2, kernelSize: 1, bias: false)),
    ("pool", AvgPool2d(kernelSize: 2, stride: 2)),
  ])
}

/// DenseNet with 121 layers with weights.
public func densenet121(numClasses: Int = 1000) -> DenseNet { DenseNet(numClasses: numClasses) }

/// DenseNet with 161 layers with weights.
public func densenet161(numClasses: Int = 1000) -> DenseNet {
  DenseNet(growthRate: 48, blockConfig: [6, 12, 36, 24], numInitFeatures: 96, numClasses: numClasses)
}

/// DenseNet with 169 layers with weights.
public func densenet169(numClasses: Int = 1000) -> DenseNet {
  DenseNet(blockConfig: [6, 12, 32, 32], numClasses: numClasses)
}

/// DenseNet with 201 layers with weights.
public func densenet201(numClasses: Int = 1000) -> DenseNet {
  DenseNet(blockConfig: [6, 12, 48, 32], numClasses: numClasses)
}
