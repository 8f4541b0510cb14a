public import LatheCore
public import LatheNN

/// Ma and others, ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design (2018).
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct ShuffleNetV2: Module {
  /// The first convolution.
  public var conv1: Sequential
  /// The maximum of 3 x 3 windows.
  public var maxpool = MaxPool2d(kernelSize: 3, stride: 2, padding: 1)
  /// The first stage of blocks.
  public var stage2: Sequential
  /// The second stage of blocks.
  public var stage3: Sequential
  /// The third stage of blocks.
  public var stage4: Sequential
  /// The last convolution.
  public var conv5: Sequential
  /// The linear layer.
  public var fc: Linear

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - repeats: How many blocks each stage has.
  ///   - channels: Those of the first convolution, of the stages and of the last convolution.
  public init(repeats: (Int, Int, Int), channels: (Int, Int, Int, Int, Int), numClasses: Int = 1000) {
    func stage(_ channels: Int, _ out: Int, _ count: Int) -> Sequential {
      Sequential(
        (0..<max(count, 1)).map {
          $0 == 0 ? InvertedResidual(channels, out, stride: 2) : InvertedResidual(out, out, stride: 1)
        })
    }
    conv1 = convNormActivation(3, channels.0, stride: 2)
    stage2 = stage(channels.0, channels.1, repeats.0)
    stage3 = stage(channels.1, channels.2, repeats.1)
    stage4 = stage(channels.2, channels.3, repeats.2)
    conv5 = convNormActivation(channels.3, channels.4, kernelSize: 1)
    fc = Linear(channels.4, numClasses)
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    fc(conv5(stage4(stage3(stage2(maxpool(conv1(x)))))).mean(dim: [2, 3]))
  }
}

/// Two branches whose channels are mixed: with stride 1 one of them passes on half the channels.
private struct InvertedResidual: Module {
  let branch1: Sequential
  let branch2: Sequential
  let isSplit: Bool

  init(_ channels: Int, _ out: Int, stride: Int) {
    isSplit = stride == 1
    let half = out / 2
    func depthwise(_ channels: Int) -> [any Module<Tensor, Tensor>] {
      [
        Conv2d(channels, channels, kernelSize: 3, stride: stride, padding: 1, groups: channels, bias: false),
        BatchNorm2d(channels),
      ]
    }
    func pointwise(_ channels: Int) -> [any Module<Tensor, Tensor>] {
      [Conv2d(channels, half, kernelSize: 1, bias: false), BatchNorm2d(half), ReLU()]
    }
    branch1 = Sequential(isSplit ? [] : depthwise(channels) + pointwise(channels))
    branch2 = Sequential(pointwise(isSplit ? half : channels) + depthwise(half) + pointwise(half))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard isSplit else { return channelShuffle(cat([branch1(x), branch2(x)], dim: 1), groups: 2) }
    let halves = x.chunk(2, dim: 1)
    return channelShuffle(cat([halves[0], branch2(halves[1])], dim: 1), groups: 2)
  }
}

/// ShuffleNet v2 with half the channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func shufflenetV2X0_5(numClasses: Int = 1000) -> ShuffleNetV2 {
  ShuffleNetV2(repeats: (4, 8, 4), channels: (24, 48, 96, 192, 1024), numClasses: numClasses)
}

/// ShuffleNet v2.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func shufflenetV2X1_0(numClasses: Int = 1000) -> ShuffleNetV2 {
  ShuffleNetV2(repeats: (4, 8, 4), channels: (24, 116, 232, 464, 1024), numClasses: numClasses)
}

/// ShuffleNet v2 with one and a half times the channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func shufflenetV2X1_5(numClasses: Int = 1000) -> ShuffleNetV2 {
  ShuffleNetV2(repeats: (4, 8, 4), channels: (24, 176, 352, 704, 1024), numClasses: numClasses)
}

/// ShuffleNet v2 with twice the channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func shufflenetV2X2_0(numClasses: Int = 1000) -> ShuffleNetV2 {
  ShuffleNetV2(repeats: (4, 8, 4), channels: (24, 244, 488, 976, 2048), numClasses: numClasses)
}
