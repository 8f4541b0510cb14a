public import LatheCore
public import LatheNN

/// The classic convolutional network for 32 by 32 images with one channel.
public struct LeNet: Module {
  let conv1 = Conv2d(1, 6, kernelSize: 5), conv2 = Conv2d(6, 16, kernelSize: 5)
  let fc1 = Linear(400, 120), fc2 = Linear(120, 84), fc3 = Linear(84, 10)

  /// Makes a network.
  public init() {}

  /// Applies the network.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    var x = maxPool2d(relu(conv1(x)), kernelSize: 2)
    x = maxPool2d(relu(conv2(x)), kernelSize: 2)
    x = x.flatten(startDim: 1)
    return fc3(relu(fc2(relu(fc1(x)))))
  }
}

/// Linear layers with ReLU between them.
public struct MLP: Module {
  let layers: [Linear]

  /// Makes a network.
  ///
  /// - Parameter sizes: The numbers of features, from the input to the output.
  public init(_ sizes: [Int]) {
    layers = zip(sizes, sizes.dropFirst()).map { Linear($0, $1) }
  }

  /// Applies the network.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layers.indices.reduce(x) { x, layer in layers[layer](layer == 0 ? x : relu(x)) }
  }
}

/// Two convolutions around which the input goes as well.
public struct BasicBlock: Module {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let conv2: Conv2d
  let bn2: BatchNorm2d
  let downsample: Sequential?

  /// Makes a network.
  public init(_ inChannels: Int, _ channels: Int, stride: Int) {
    conv1 = Conv2d(inChannels, channels, kernelSize: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(channels)
    conv2 = Conv2d(channels, channels, kernelSize: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(channels)
    downsample =
      stride == 1 && inChannels == channels
      ? nil
      : Sequential(
        Conv2d(inChannels, channels, kernelSize: 1, stride: stride, bias: false), BatchNorm2d(channels))
  }

  /// Applies the network.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn2(conv2(relu(bn1(conv1(x)))))
    return relu(y + (downsample?(x) ?? x))
  }
}

/// The residual network with 18 layers, with torchvision's names.
public struct ResNet18: Module {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let layer1: Sequential
  let layer2: Sequential
  let layer3: Sequential
  let layer4: Sequential
  let fc: Linear

  /// Makes a network.
  ///
  /// - Parameter width: The channels of the first stage; 64 in the original.
  public init(width: Int = 64, classes: Int = 1000) {
    conv1 = Conv2d(3, width, kernelSize: 7, stride: 2, padding: 3, bias: false)
    bn1 = BatchNorm2d(width)
    func stage(_ inChannels: Int, _ channels: Int, stride: Int) -> Sequential {
      Sequential(BasicBlock(inChannels, channels, stride: stride), BasicBlock(channels, channels, stride: 1))
    }
    layer1 = stage(width, width, stride: 1)
    layer2 = stage(width, 2 * width, stride: 2)
    layer3 = stage(2 * width, 4 * width, stride: 2)
    layer4 = stage(4 * width, 8 * width, stride: 2)
    fc = Linear(8 * width, classes)
  }

  /// Applies the network.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = maxPool2d(relu(bn1(conv1(x))), kernelSize: 3, stride: 2, padding: 1)
    let z = layer4(layer3(layer2(layer1(y))))
    return fc(adaptiveAvgPool2d(z, 1).flatten(startDim: 1))
  }
}
