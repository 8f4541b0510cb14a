import LatheCore
import LatheNN

extension Parameterized {
  /// Says how the weights of convolutions and linear layers are drawn, whose biases become zeros; nil leaves a kind as
  /// the layers have it.
  func drawWeights(convolution: Initializer? = nil, linear: Initializer? = nil) {
    for module in modules() {
      if let convolution, let layer = module as? Conv2d {
        layer.weight.initializer = convolution
        layer.bias?.initializer = .zeros
      } else if let linear, let layer = module as? Linear {
        layer.weight.initializer = linear
        layer.bias?.initializer = .zeros
      }
    }
  }
}
