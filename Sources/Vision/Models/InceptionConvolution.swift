import LatheCore
import LatheNN

/// A convolution, a normalization and ReLU, as both Inception networks have them: torchvision's `BasicConv2d`.
struct InceptionConvolution: Module {
  let conv: Conv2d
  let bn: BatchNorm2d

  init(
    _ channels: Int, _ out: Int, kernelSize: some IntegerList = 1, stride: Int = 1, padding: ConvolutionPadding = 0
  ) {
    conv = Conv2d(channels, out, kernelSize: kernelSize, stride: stride, padding: padding, bias: false)
    bn = BatchNorm2d(out, eps: 0.001)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { relu(bn(conv(x))) }
}

extension Parameterized {
  /// Says how the weights of convolutions and linear layers are drawn, by the deviation of each; biases stay as the layers
  /// have them.
  func drawTruncated(_ std: (Parameter) -> Double) {
    for module in modules() {
      guard let weight = (module as? Conv2d)?.weight ?? (module as? Linear)?.weight else { continue }
      weight.initializer = .truncNormal(std: std(weight), a: -2, b: 2)
    }
  }
}

/// An image that was normalized by the means and deviations of ImageNet's channels, as one normalized by 0.5 and 0.5.
func renormalized(_ x: Tensor) -> Tensor {
  let (means, deviations) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
  func channels(_ values: [Double]) -> Tensor { x.newTensor(values).reshape(1, 3, 1, 1) }
  return x * channels(deviations.map { $0 / 0.5 }) + channels(means.map { ($0 - 0.5) / 0.5 })
}
