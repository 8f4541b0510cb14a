import LatheCore
import LatheNN

/// A convolution without bias, a normalization and an activation, one after another: torchvision's
/// `Conv2dNormActivation`.
///
/// - Parameters:
///   - norm: Makes the normalization of so many channels.
///   - activation: What follows it, if anything.
func convNormActivation(
  _ inChannels: Int, _ outChannels: Int, kernelSize: Int = 3, stride: Int = 1, dilation: Int = 1, groups: Int = 1,
  norm: (Int) -> any Module<Tensor, Tensor> = { BatchNorm2d($0) }, activation: (any Module<Tensor, Tensor>)? = ReLU()
) -> Sequential {
  let layers: [any Module<Tensor, Tensor>] = [
    Conv2d(
      inChannels, outChannels, kernelSize: kernelSize, stride: stride,
      padding: ConvolutionPadding((kernelSize - 1) / 2 * dilation), dilation: dilation, groups: groups, bias: false),
    norm(outChannels),
  ]
  return Sequential(layers + [activation].compactMap { $0 })
}

/// The multiple of 8 that is nearest to a number of channels, which it does not leave by more than a tenth below.
///
/// - Returns: A number that no layer takes where there is none.
func divisibleBy8(_ channels: Double) -> Int {
  guard let rounded = Int(exactly: ((channels + 4) / 8).rounded(.down)), rounded < 1 << 40 else { return -1 }
  let multiple = max(8, rounded * 8)
  return Double(multiple) < 0.9 * channels ? multiple + 8 : multiple
}
