public import LatheCore

/// Activations and pooling as modules, for containers: each calls the function of its name.

/// The function `relu`.
public struct ReLU: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in relu(x) } }
}

/// The function `relu6`.
public struct ReLU6: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in relu6(x) } }
}

/// The function `sigmoid`.
public struct Sigmoid: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in x.sigmoid() } }
}

/// The function `tanh`.
public struct Tanh: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in x.tanh() } }
}

/// The function `silu`.
public struct SiLU: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in silu(x) } }
}

/// The function `mish`.
public struct Mish: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in mish(x) } }
}

/// The function `selu`.
public struct SELU: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in selu(x) } }
}

/// The function `hardswish`.
public struct Hardswish: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in hardswish(x) } }
}

/// The function `hardsigmoid`.
public struct Hardsigmoid: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in hardsigmoid(x) } }
}

/// The function `logsigmoid`.
public struct LogSigmoid: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in logsigmoid(x) } }
}

/// The function `softsign`.
public struct Softsign: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in softsign(x) } }
}

/// The function `tanhshrink`.
public struct Tanhshrink: Module {
  private let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init() {}

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in tanhshrink(x) } }
}

/// The function `elu`.
public struct ELU: Module {
  private let alpha: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["alpha": alpha]) }

  /// Makes a layer with the given options.
  public init(alpha: Double = 1) {
    self.alpha = alpha
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in elu(x, alpha: alpha) } }
}

/// The function `celu`.
public struct CELU: Module {
  private let alpha: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["alpha": alpha]) }

  /// Makes a layer with the given options.
  public init(alpha: Double = 1) {
    self.alpha = alpha
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in celu(x, alpha: alpha) } }
}

/// The function `leakyRelu`.
public struct LeakyReLU: Module {
  private let negativeSlope: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["negative_slope": negativeSlope]) }

  /// Makes a layer with the given options.
  public init(_ negativeSlope: Double = 0.01) {
    self.negativeSlope = negativeSlope
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in leakyRelu(x, negativeSlope: negativeSlope) }
  }
}

/// The function `gelu`.
public struct GELU: Module {
  private let approximate: GeluApproximation
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { "approximate='\(approximate.rawValue)'" }

  /// Makes a layer with the given options.
  public init(approximate: GeluApproximation = .none) {
    self.approximate = approximate
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in gelu(x, approximate: approximate) } }
}

/// The function `softplus`.
public struct Softplus: Module {
  private let beta: Double
  private let threshold: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["beta": beta, "threshold": threshold]) }

  /// Makes a layer with the given options.
  public init(beta: Double = 1, threshold: Double = 20) {
    self.beta = beta
    self.threshold = threshold
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in softplus(x, beta: beta, threshold: threshold) }
  }
}

/// The function `softshrink`.
public struct Softshrink: Module {
  private let lambda: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["": lambda]) }

  /// Makes a layer with the given options.
  public init(lambda: Double = 0.5) {
    self.lambda = lambda
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in softshrink(x, lambda: lambda) } }
}

/// The function `hardshrink`.
public struct Hardshrink: Module {
  private let lambda: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["": lambda]) }

  /// Makes a layer with the given options.
  public init(lambda: Double = 0.5) {
    self.lambda = lambda
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in hardshrink(x, lambda: lambda) } }
}

/// The function `hardtanh`.
public struct Hardtanh: Module {
  private let minVal: Double
  private let maxVal: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["min_val": minVal, "max_val": maxVal]) }

  /// Makes a layer with the given options.
  public init(minVal: Double = -1, maxVal: Double = 1) {
    self.minVal = minVal
    self.maxVal = maxVal
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in hardtanh(x, minVal: minVal, maxVal: maxVal) }
  }
}

/// The function `threshold`.
public struct Threshold: Module {
  private let threshold: Double
  private let value: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["threshold": threshold, "value": value]) }

  /// Makes a layer with the given options.
  public init(_ threshold: Double, _ value: Double) {
    self.threshold = threshold
    self.value = value
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in LatheNN.threshold(x, threshold, value) }
  }
}

/// The function `softmax`.
public struct Softmax: Module {
  private let dim: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["dim": dim]) }

  /// Makes a layer with the given options.
  public init(dim: Int) {
    self.dim = dim
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in softmax(x, dim: dim) } }
}

/// The function `logSoftmax`.
public struct LogSoftmax: Module {
  private let dim: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["dim": dim]) }

  /// Makes a layer with the given options.
  public init(dim: Int) {
    self.dim = dim
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in logSoftmax(x, dim: dim) } }
}

/// The function `softmin`.
public struct Softmin: Module {
  private let dim: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["dim": dim]) }

  /// Makes a layer with the given options.
  public init(dim: Int) {
    self.dim = dim
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in softmin(x, dim: dim) } }
}

/// The function `glu`.
public struct GLU: Module {
  private let dim: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["dim": dim]) }

  /// Makes a layer with the given options.
  public init(dim: Int = -1) {
    self.dim = dim
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in glu(x, dim: dim) } }
}

/// The function `pixelShuffle`.
public struct PixelShuffle: Module {
  private let upscaleFactor: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["upscale_factor": upscaleFactor]) }

  /// Makes a layer with the given options.
  public init(_ upscaleFactor: Int) {
    self.upscaleFactor = upscaleFactor
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in pixelShuffle(x, upscaleFactor) } }
}

/// The function `pixelUnshuffle`.
public struct PixelUnshuffle: Module {
  private let downscaleFactor: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["downscale_factor": downscaleFactor]) }

  /// Makes a layer with the given options.
  public init(_ downscaleFactor: Int) {
    self.downscaleFactor = downscaleFactor
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in pixelUnshuffle(x, downscaleFactor) }
  }
}

/// `x` where positive, a trained weight times `x` elsewhere.
public struct PReLU: Module {
  /// The weight.
  public let weight: Parameter
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["num_parameters": product(weight.sizes)]) }

  /// Makes a layer.
  ///
  /// - Parameter numParameters: 1, or the number of channels (axis 1).
  public init(_ numParameters: Int = 1, init value: Double = 0.25) {
    weight = Parameter([numParameters], initializer: .constant(value))
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { prelu(x, weight.read(in: $0)) } }
}
