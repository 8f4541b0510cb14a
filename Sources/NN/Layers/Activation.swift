public import LatheCore

/// Activations as modules: each calls the function of its name.

/// The function `relu`.
public struct ReLU: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { relu($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `relu6`.
public struct ReLU6: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { relu6($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `sigmoid`.
public struct Sigmoid: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { $0.sigmoid() }

  /// Makes a layer.
  public init() {}
}

/// The function `tanh`.
public struct Tanh: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { $0.tanh() }

  /// Makes a layer.
  public init() {}
}

/// The function `silu`.
public struct SiLU: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { silu($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `mish`.
public struct Mish: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { mish($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `selu`.
public struct SELU: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { selu($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `hardswish`.
public struct Hardswish: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { hardswish($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `hardsigmoid`.
public struct Hardsigmoid: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { hardsigmoid($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `logsigmoid`.
public struct LogSigmoid: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { logsigmoid($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `softsign`.
public struct Softsign: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { softsign($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `tanhshrink`.
public struct Tanhshrink: FunctionLayer {
  /// What the layer applies.
  public let function = LayerFunction<Tensor> { tanhshrink($0) }

  /// Makes a layer.
  public init() {}
}

/// The function `elu`.
public struct ELU: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(alpha: Double = 1) {
    function = LayerFunction(["alpha": alpha]) { elu($0, alpha: alpha) }
  }
}

/// The function `celu`.
public struct CELU: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(alpha: Double = 1) {
    function = LayerFunction(["alpha": alpha]) { celu($0, alpha: alpha) }
  }
}

/// The function `leakyRelu`.
public struct LeakyReLU: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(_ negativeSlope: Double = 0.01) {
    function = LayerFunction(["negative_slope": negativeSlope]) { leakyRelu($0, negativeSlope: negativeSlope) }
  }
}

/// The function `gelu`.
public struct GELU: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(approximate: GeluApproximation = .none) {
    function = LayerFunction(text: "approximate='\(approximate.rawValue)'") { gelu($0, approximate: approximate) }
  }
}

/// The function `softplus`.
public struct Softplus: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(beta: Double = 1, threshold: Double = 20) {
    function = LayerFunction(["beta": beta, "threshold": threshold]) { softplus($0, beta: beta, threshold: threshold) }
  }
}

/// The function `softshrink`.
public struct Softshrink: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(lambda: Double = 0.5) {
    function = LayerFunction(["": lambda]) { softshrink($0, lambda: lambda) }
  }
}

/// The function `hardshrink`.
public struct Hardshrink: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(lambda: Double = 0.5) {
    function = LayerFunction(["": lambda]) { hardshrink($0, lambda: lambda) }
  }
}

/// The function `hardtanh`.
public struct Hardtanh: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(minVal: Double = -1, maxVal: Double = 1) {
    function = LayerFunction(["min_val": minVal, "max_val": maxVal]) { hardtanh($0, minVal: minVal, maxVal: maxVal) }
  }
}

/// The function `threshold`.
public struct Threshold: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(_ threshold: Double, _ value: Double) {
    function = LayerFunction(["threshold": threshold, "value": value]) { LatheNN.threshold($0, threshold, value) }
  }
}

/// The function `softmax`.
public struct Softmax: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(dim: Int) {
    function = LayerFunction(["dim": dim]) { softmax($0, dim: dim) }
  }
}

/// The function `logSoftmax`.
public struct LogSoftmax: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(dim: Int) {
    function = LayerFunction(["dim": dim]) { logSoftmax($0, dim: dim) }
  }
}

/// The function `softmin`.
public struct Softmin: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(dim: Int) {
    function = LayerFunction(["dim": dim]) { softmin($0, dim: dim) }
  }
}

/// The function `glu`.
public struct GLU: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(dim: Int = -1) {
    function = LayerFunction(["dim": dim]) { glu($0, dim: dim) }
  }
}

/// The function `pixelShuffle`.
public struct PixelShuffle: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(_ upscaleFactor: Int) {
    function = LayerFunction(["upscale_factor": upscaleFactor]) { pixelShuffle($0, upscaleFactor) }
  }
}

/// The function `pixelUnshuffle`.
public struct PixelUnshuffle: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(_ downscaleFactor: Int) {
    function = LayerFunction(["downscale_factor": downscaleFactor]) { pixelUnshuffle($0, downscaleFactor) }
  }
}

/// `x` where positive; elsewhere `x` times a slope that is drawn for each element in training, and a mean else.
public struct RReLU: Module {
  private let lower: Double
  private let upper: Double
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { "lower=\(lower), upper=\(upper)" }

  /// Makes a layer whose slopes are between two bounds.
  public init(lower: Double = 1.0 / 8, upper: Double = 1.0 / 3) {
    self.lower = lower
    self.upper = upper
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { rrelu(x, lower: lower, upper: upper, training: identity.isTraining(in: $0)) }
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
  public init(_ numParameters: Int = 1, init value: Double = 0.25, dtype: ScalarType = .f32) {
    weight = Parameter([numParameters], dtype: dtype, initializer: .constant(value))
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { prelu(x, weight.read(in: $0)) } }
}
