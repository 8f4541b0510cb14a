public import LatheCore
public import LatheNN

/// A weight for each channel, computed from the means of all: `x[N, C, H, W]` of the same type.
public struct SqueezeExcitation: Module {
  /// Takes the mean of each channel.
  public let avgpool = AdaptiveAvgPool2d(1)
  /// To fewer channels.
  public let fc1: Conv2d
  /// Back to all.
  public let fc2: Conv2d
  /// What follows `fc1`.
  public let activation: any Module<Tensor, Tensor>
  /// What makes weights of the result.
  public let scaleActivation: any Module<Tensor, Tensor>

  /// Makes a layer with the given options.
  public init(
    _ inputChannels: Int, _ squeezeChannels: Int, activation: any Module<Tensor, Tensor> = ReLU(),
    scaleActivation: any Module<Tensor, Tensor> = Sigmoid()
  ) {
    fc1 = Conv2d(inputChannels, squeezeChannels, kernelSize: 1)
    fc2 = Conv2d(squeezeChannels, inputChannels, kernelSize: 1)
    self.activation = activation
    self.scaleActivation = scaleActivation
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { scaleActivation(fc2(activation(fc1(avgpool(x))))) * x }
}
