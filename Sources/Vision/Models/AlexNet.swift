public import LatheCore
public import LatheNN

/// AlexNet in the form of Krizhevsky, One weird trick for parallelizing convolutional neural networks (2014).
///
/// It takes images `[N, 3, H, W]` of 63 pixels or more and gives scores `[N, numClasses]`.
public struct AlexNet: Module {
  /// The convolutions.
  public var features: Sequential
  /// Means of 6 x 6 windows.
  public var avgpool = AdaptiveAvgPool2d([6, 6])
  /// The linear layers.
  public var classifier: Sequential

  /// Makes a model with the given options.
  public init(numClasses: Int = 1000, dropout: Double = 0.5) {
    features = Sequential(
      Conv2d(3, 64, kernelSize: 11, stride: 4, padding: 2), ReLU(), MaxPool2d(kernelSize: 3, stride: 2),
      Conv2d(64, 192, kernelSize: 5, padding: 2), ReLU(), MaxPool2d(kernelSize: 3, stride: 2),
      Conv2d(192, 384, kernelSize: 3, padding: 1), ReLU(),
      Conv2d(384, 256, kernelSize: 3, padding: 1), ReLU(),
      Conv2d(256, 256, kernelSize: 3, padding: 1), ReLU(), MaxPool2d(kernelSize: 3, stride: 2))
    classifier = Sequential(
      Dropout(dropout), Linear(256 * 6 * 6, 4096), ReLU(), Dropout(dropout), Linear(4096, 4096), ReLU(),
      Linear(4096, numClasses))
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(avgpool(features(x)).flatten(startDim: 1)) }
}

/// AlexNet.
public func alexnet(numClasses: Int = 1000, dropout: Double = 0.5) -> AlexNet {
  AlexNet(numClasses: numClasses, dropout: dropout)
}
