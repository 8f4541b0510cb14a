public import LatheCore
public import LatheNN

/// Szegedy and others, Going Deeper with Convolutions (2014), with batch normalization.
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct GoogLeNet: Module {
  private let conv1: InceptionConvolution
  private let maxpool1 = MaxPool2d(kernelSize: 3, stride: 2, ceilMode: true)
  private let conv2, conv3: InceptionConvolution
  private let maxpool2 = MaxPool2d(kernelSize: 3, stride: 2, ceilMode: true)
  private let inception3a, inception3b: Inception
  private let maxpool3 = MaxPool2d(kernelSize: 3, stride: 2, ceilMode: true)
  private let inception4a, inception4b, inception4c, inception4d, inception4e: Inception
  private let maxpool4 = MaxPool2d(kernelSize: 2, stride: 2, ceilMode: true)
  private let inception5a, inception5b: Inception
  private let aux1, aux2: Auxiliary?
  /// The mean of each channel.
  public var avgpool = AdaptiveAvgPool2d(1)
  /// What is left out before the linear layer.
  public var dropout: Dropout
  /// The linear layer.
  public var fc: Linear
  private let transformInput: Bool

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - auxLogits: Whether there are two more classifiers, for training: see ``withAuxLogits(_:)``.
  ///   - transformInput: Whether images come normalized by ImageNet's means and deviations, as for other models.
  ///   - dropoutAux: What the other classifiers leave out.
  public init(
    numClasses: Int = 1000, auxLogits: Bool = true, transformInput: Bool = false, dropout: Double = 0.2,
    dropoutAux: Double = 0.7
  ) {
    self.transformInput = transformInput
    conv1 = InceptionConvolution(3, 64, kernelSize: 7, stride: 2, padding: 3)
    conv2 = InceptionConvolution(64, 64)
    conv3 = InceptionConvolution(64, 192, kernelSize: 3, padding: 1)
    inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
    inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
    inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
    inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
    inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
    inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
    inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
    inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
    inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
    aux1 = auxLogits ? Auxiliary(512, numClasses, dropoutAux) : nil
    aux2 = auxLogits ? Auxiliary(528, numClasses, dropoutAux) : nil
    self.dropout = Dropout(dropout)
    fc = Linear(1024, numClasses)
    drawTruncated { _ in 0.01 }
  }

  /// Applies the model in the graph of its argument, without the other classifiers.
  public func callAsFunction(_ x: Tensor) -> Tensor { parts(x).logits }

  /// Applies the model with its other classifiers, which are for the loss in training: the model's output there in
  /// torchvision.
  ///
  /// - Returns: The scores, and those of the other classifiers, the later first; nil where the model was made without.
  public func withAuxLogits(_ x: Tensor) -> (logits: Tensor, auxLogits2: Tensor?, auxLogits1: Tensor?) {
    let parts = parts(x)
    return (parts.logits, aux2?(parts.second), aux1?(parts.first))
  }

  /// The scores, and what the other classifiers branch off from.
  private func parts(_ x: Tensor) -> (logits: Tensor, first: Tensor, second: Tensor) {
    let x = transformInput ? renormalized(x) : x
    let stem = maxpool2(conv3(conv2(maxpool1(conv1(x)))))
    let first = inception4a(maxpool3(inception3b(inception3a(stem))))
    let second = inception4d(inception4c(inception4b(first)))
    let last = inception5b(inception5a(maxpool4(inception4e(second))))
    return (fc(dropout(avgpool(last).flatten(startDim: 1))), first, second)
  }
}

/// Windows of four kinds beside each other.
private struct Inception: Module {
  let branch1: InceptionConvolution
  let branch2, branch3, branch4: Sequential

  /// - Parameters:
  ///   - reduced3: The channels that windows of 3 x 3 see; `reduced5` those of 5 x 5, which torchvision has as 3 x 3.
  init(
    _ channels: Int, _ single: Int, _ reduced3: Int, _ out3: Int, _ reduced5: Int, _ out5: Int, _ pooled: Int
  ) {
    branch1 = InceptionConvolution(channels, single)
    branch2 = Sequential(
      InceptionConvolution(channels, reduced3), InceptionConvolution(reduced3, out3, kernelSize: 3, padding: 1))
    branch3 = Sequential(
      InceptionConvolution(channels, reduced5), InceptionConvolution(reduced5, out5, kernelSize: 3, padding: 1))
    branch4 = Sequential(
      MaxPool2d(kernelSize: 3, stride: 1, padding: 1, ceilMode: true), InceptionConvolution(channels, pooled))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { cat([branch1(x), branch2(x), branch3(x), branch4(x)], dim: 1) }
}

/// A classifier on the way.
private struct Auxiliary: Module {
  let conv: InceptionConvolution
  let fc1, fc2: Linear
  let dropout: Dropout

  init(_ channels: Int, _ numClasses: Int, _ dropout: Double) {
    conv = InceptionConvolution(channels, 128)
    fc1 = Linear(2048, 1024)
    fc2 = Linear(1024, numClasses)
    self.dropout = Dropout(dropout)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc2(dropout(relu(fc1(conv(adaptiveAvgPool2d(x, 4)).flatten(startDim: 1)))))
  }
}

/// GoogLeNet.
///
/// - Parameters:
///   - auxLogits: Whether there are two more classifiers, for training: see ``GoogLeNet/withAuxLogits(_:)``.
///   - transformInput: Whether images come normalized by ImageNet's means and deviations, as for other models.
///   - dropoutAux: What the other classifiers leave out.
public func googlenet(
  numClasses: Int = 1000, auxLogits: Bool = true, transformInput: Bool = false, dropout: Double = 0.2,
  dropoutAux: Double = 0.7
) -> GoogLeNet {
  GoogLeNet(
    numClasses: numClasses, auxLogits: auxLogits, transformInput: transformInput, dropout: dropout,
    dropoutAux: dropoutAux)
}
