public import LatheCore
public import LatheNN

/// He and others, Deep Residual Learning for Image Recognition (2015), with the wider and grouped forms that followed.
///
/// It takes images `[N, 3, H, W]` and gives scores `[N, numClasses]`.
public struct ResNet: Module {
  /// What a stage repeats.
  public enum Block: Sendable {
    /// Two convolutions of 3 x 3.
    case basic
    /// One of 3 x 3 between two of 1 x 1; the last has four times as many channels.
    case bottleneck

    var expansion: Int { self == .basic ? 1 : 4 }
  }

  /// The first convolution.
  public var conv1: Conv2d
  /// Its normalization.
  public var bn1: BatchNorm2d
  /// Its activation.
  public var relu = ReLU()
  /// The maximum of 3 x 3 windows.
  public var maxpool = MaxPool2d(kernelSize: 3, stride: 2, padding: 1)
  /// The blocks of 64 channels.
  public var layer1: Sequential
  /// The blocks of 128 channels.
  public var layer2: Sequential
  /// The blocks of 256 channels.
  public var layer3: Sequential
  /// The blocks of 512 channels.
  public var layer4: Sequential
  /// The mean of each channel.
  public var avgpool = AdaptiveAvgPool2d(1)
  /// The linear layer.
  public var fc: Linear

  /// Makes a model.
  ///
  /// - Parameters:
  ///   - layers: How many blocks each of the four stages has.
  ///   - zeroInitResidual: Whether every block starts as the identity.
  ///   - groups: The groups of the 3 x 3 convolutions of bottlenecks.
  ///   - widthPerGroup: Their channels in each group, for 64 of the stage.
  ///   - replaceStrideWithDilation: Whether each of the last three stages widens its windows rather than halve its image.
  public init(
    _ block: Block, _ layers: (Int, Int, Int, Int), numClasses: Int = 1000, zeroInitResidual: Bool = false,
    groups: Int = 1, widthPerGroup: Int = 64, replaceStrideWithDilation: (Bool, Bool, Bool) = (false, false, false)
  ) {
    conv1 = Conv2d(3, 64, kernelSize: 7, stride: 2, padding: 3, bias: false)
    bn1 = BatchNorm2d(64)
    var (channels, dilation) = (64, 1)
    func stage(_ planes: Int, _ count: Int, stride: Int = 1, dilated: Bool = false) -> Sequential {
      let width = planes * block.expansion
      var (stride, firstDilation) = (stride, dilation)
      if dilated { (stride, dilation) = (1, dilation * stride) }
      var blocks: [any Module<Tensor, Tensor>] = []
      for position in 0..<max(count, 1) {
        if position > 0 { (stride, firstDilation) = (1, dilation) }
        let downsample =
          stride == 1 && channels == width
          ? nil
          : Sequential(Conv2d(channels, width, kernelSize: 1, stride: stride, bias: false), BatchNorm2d(width))
        switch block {
        case .basic: blocks.append(BasicBlock(channels, planes, stride: stride, dilation: firstDilation, downsample))
        case .bottleneck:
          let inner = planes &* widthPerGroup / 64 &* groups
          blocks.append(
            Bottleneck(
              channels, inner, width, stride: stride, dilation: firstDilation, groups: groups, downsample))
        }
        channels = width
      }
      return Sequential(blocks)
    }
    layer1 = stage(64, layers.0)
    layer2 = stage(128, layers.1, stride: 2, dilated: replaceStrideWithDilation.0)
    layer3 = stage(256, layers.2, stride: 2, dilated: replaceStrideWithDilation.1)
    layer4 = stage(512, layers.3, stride: 2, dilated: replaceStrideWithDilation.2)
    fc = Linear(512 * block.expansion, numClasses)
    drawWeights(convolution: .kaimingNormal(mode: .fanOut, nonlinearity: .relu))
    guard zeroInitResidual else { return }
    for module in modules() {
      (module as? BasicBlock)?.bn2.weight?.initializer = .zeros
      (module as? Bottleneck)?.bn3.weight?.initializer = .zeros
    }
  }

  /// Applies the model in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let x = maxpool(relu(bn1(conv1(x))))
    return fc(avgpool(layer4(layer3(layer2(layer1(x))))).flatten(startDim: 1))
  }
}

/// Two convolutions beside the identity.
private struct BasicBlock: Module {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let relu = ReLU()
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let downsample: Sequential?

  init(_ channels: Int, _ planes: Int, stride: Int, dilation: Int, _ downsample: Sequential?) {
    conv1 = Conv2d(
      channels, planes, kernelSize: 3, stride: stride, padding: ConvolutionPadding(dilation), dilation: dilation,
      bias: false)
    bn1 = BatchNorm2d(planes)
    conv2 = Conv2d(planes, planes, kernelSize: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(planes)
    self.downsample = downsample
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    relu(bn2(conv2(relu(bn1(conv1(x))))) + (downsample?(x) ?? x))
  }
}

/// A convolution of 3 x 3 between two of 1 x 1, beside the identity.
private struct Bottleneck: Module {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let conv3: Conv2d
  let bn3: BatchNorm2d
  let relu = ReLU()
  let downsample: Sequential?

  init(
    _ channels: Int, _ inner: Int, _ width: Int, stride: Int, dilation: Int, groups: Int, _ downsample: Sequential?
  ) {
    conv1 = Conv2d(channels, inner, kernelSize: 1, bias: false)
    bn1 = BatchNorm2d(inner)
    conv2 = Conv2d(
      inner, inner, kernelSize: 3, stride: stride, padding: ConvolutionPadding(dilation), dilation: dilation,
      groups: groups, bias: false)
    bn2 = BatchNorm2d(inner)
    conv3 = Conv2d(inner, width, kernelSize: 1, bias: false)
    bn3 = BatchNorm2d(width)
    self.downsample = downsample
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + (downsample?(x) ?? x))
  }
}

/// ResNet with 18 layers with weights.
public func resnet18(numClasses: Int = 1000) -> ResNet { ResNet(.basic, (2, 2, 2, 2), numClasses: numClasses) }

/// ResNet with 34 layers with weights.
public func resnet34(numClasses: Int = 1000) -> ResNet { ResNet(.basic, (3, 4, 6, 3), numClasses: numClasses) }

/// ResNet with 50 layers with weights.
public func resnet50(numClasses: Int = 1000) -> ResNet { ResNet(.bottleneck, (3, 4, 6, 3), numClasses: numClasses) }

/// ResNet with 101 layers with weights.
public func resnet101(numClasses: Int = 1000) -> ResNet { ResNet(.bottleneck, (3, 4, 23, 3), numClasses: numClasses) }

/// ResNet with 152 layers with weights.
public func resnet152(numClasses: Int = 1000) -> ResNet { ResNet(.bottleneck, (3, 8, 36, 3), numClasses: numClasses) }

/// ResNeXt with 50 layers with weights, 32 groups of 4 channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func resnext50_32x4d(numClasses: Int = 1000) -> ResNet {
  ResNet(.bottleneck, (3, 4, 6, 3), numClasses: numClasses, groups: 32, widthPerGroup: 4)
}

/// ResNeXt with 101 layers with weights, 32 groups of 8 channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func resnext101_32x8d(numClasses: Int = 1000) -> ResNet {
  ResNet(.bottleneck, (3, 4, 23, 3), numClasses: numClasses, groups: 32, widthPerGroup: 8)
}

/// ResNeXt with 101 layers with weights, 64 groups of 4 channels.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func resnext101_64x4d(numClasses: Int = 1000) -> ResNet {
  ResNet(.bottleneck, (3, 4, 23, 3), numClasses: numClasses, groups: 64, widthPerGroup: 4)
}

/// ResNet with 50 layers with weights and twice as many channels inside of bottlenecks.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func wideResnet50_2(numClasses: Int = 1000) -> ResNet {
  ResNet(.bottleneck, (3, 4, 6, 3), numClasses: numClasses, widthPerGroup: 128)
}

/// ResNet with 101 layers with weights and twice as many channels inside of bottlenecks.
// swift-format-ignore: AlwaysUseLowerCamelCase
public func wideResnet101_2(numClasses: Int = 1000) -> ResNet {
  ResNet(.bottleneck, (3, 4, 23, 3), numClasses: numClasses, widthPerGroup: 128)
}
