public import LatheCore
public import LatheNN

/// Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition (2014).
///
/// It takes images `[N, 3, H, W]` of 32 pixels or more and gives scores `[N, numClasses]`.
public struct VGG: Module {
  /// The convolutions.
  public var features: Sequential
  /// Means of 7 x 7 windows.
  public var avgpool = AdaptiveAvgPool2d([7, 7])
  /// The linear layers.
  public var classifier: Sequential

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - stages: The channels of the 3 x 3 convolutions between the poolings; the last has to be 512.
  ///   - batchNorm: Whether every convolution is normalized.
  public init(stages: [[Int]], batchNorm: Bool = false, numClasses: Int = 1000, dropout: Double = 0.5) {
    var layers: [any Module<Tensor, Tensor>] = []
    var channels = 3
    for stage in stages {
      for width in stage {
        layers.append(Conv2d(channels, width, kernelSize: 3, padding: 1))
        if batchNorm { layers.append(BatchNorm2d(width)) }
        layers.append(ReLU())
        channels = width
      }
      layers.append(MaxPool2d(kernelSize: 2, stride: 2))
    }
    features = Sequential(layers)
    classifier = Sequential(
      Linear(512 * 7 * 7, 4096), ReLU(), Dropout(dropout), Linear(4096, 4096), ReLU(), Dropout(dropout),
      Linear(4096, numClasses))
    drawWeights(
      convolution: .kaimingNormal(mode: .fanOut, nonlinearity: .relu), linear: .normal(std: 0.01))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(avgpool(features(x)).flatten(startDim: 1)) }
}

/// The stages of a VGG with so many convolutions in each of the last three, 1 or 2 in the first two.
private func stages(_ first: Int, _ last: Int) -> [[Int]] {
  zip([64, 128, 256, 512, 512], [first, first, last, last, last]).map { Array(repeating: $0, count: $1) }
}

/// VGG with 11 layers with weights.
public func vgg11(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(1, 2), numClasses: numClasses, dropout: dropout)
}

/// VGG with 11 layers with weights and batch normalization.
public func vgg11BN(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(1, 2), batchNorm: true, numClasses: numClasses, dropout: dropout)
}

/// VGG with 13 layers with weights.
public func vgg13(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 2), numClasses: numClasses, dropout: dropout)
}

/// VGG with 13 layers with weights and batch normalization.
public func vgg13BN(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 2), batchNorm: true, numClasses: numClasses, dropout: dropout)
}

/// VGG with 16 layers with weights.
public func vgg16(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 3), numClasses: numClasses, dropout: dropout)
}

/// VGG with 16 layers with weights and batch normalization.
public func vgg16BN(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 3), batchNorm: true, numClasses: numClasses, dropout: dropout)
}

/// VGG with 19 layers with weights.
public func vgg19(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 4), numClasses: numClasses, dropout: dropout)
}

/// VGG with 19 layers with weights and batch normalization.
public func vgg19BN(numClasses: Int = 1000, dropout: Double = 0.5) -> VGG {
  VGG(stages: stages(2, 4), batchNorm: true, numClasses: numClasses, dropout: dropout)
}
