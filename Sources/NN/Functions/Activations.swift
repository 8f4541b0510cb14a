public import LatheCore

/// Activation functions, as `torch.nn.functional` names them. Each is defined once, as a free function; the ones that
/// PyTorch's tensors have too are methods below.
///
/// Source: https://pytorch.org/docs/stable/nn.functional.html#non-linear-activation-functions

/// `max(x, 0)`; the gradient at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  // A select rather than maximum, whose gradient at a tie is a half; NaN is not below zero and stays.
  composite("relu", [x]) { (x .<= 0).select(x.zerosLike(), x) }
}

/// `x` limited to `0 ... 6`.
public func relu6(_ x: Tensor) -> Tensor { hardtanh(x, minVal: 0, maxVal: 6) }

/// `x` where positive, `negativeSlope * x` elsewhere.
public func leakyRelu(_ x: Tensor, negativeSlope: Double = 0.01) -> Tensor {
  composite("leakyRelu", [x]) { (x .> 0).select(x, x * negativeSlope) }
}

/// `x`, or `slope * x` where it is negative; in training each element's slope is drawn evenly between two bounds, else it is
/// their mean.
public func rrelu(_ x: Tensor, lower: Double = 1.0 / 8, upper: Double = 1.0 / 3, training: Bool = false) -> Tensor {
  composite("rrelu", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireFloat("the input")
    guard lower <= upper else { throw TypeFault("the lower bound is \(lower), the upper \(upper)") }
    guard training, lower < upper else { return leakyRelu(x, negativeSlope: (lower + upper) / 2) }
    let slope = x.builder.rand(x.shape, dtype: x.dtype) * (upper - lower) + lower
    return (x .> 0).select(x, x * slope)
  }
}

/// `x` where positive, `weight * x` elsewhere; one weight, or one for each channel (axis 1).
public func prelu(_ x: Tensor, _ weight: Tensor) -> Tensor {
  composite("prelu", [x, weight]) { () throws(TypeFault) -> Tensor in
    var weight = weight
    if weight.rank == 1, weight.shape[0] != 1, x.rank >= 2 {
      guard weight.shape[0] == x.shape[1] else {
        throw TypeFault(
          "the weight has \(weight.shape[0]) elements, the input \(x.shape[1]) channels (axis 1 of \(x.type))",
          help: "PReLU(\(x.shape[1])), or one parameter for all channels")
      }
      weight = weight.reshape([weight.shape[0]] + [Dim](repeating: 1, count: x.rank - 2))
    }
    return (x .> 0).select(x, weight * x)
  }
}

/// `x` where positive, `alpha * (exp(x) - 1)` elsewhere.
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor {
  composite("elu", [x]) { (x .> 0).select(x, (x .> 0).select(x.zerosLike(), x).expm1() * alpha) }
}

/// `scale * elu(x, alpha)` with the constants that keep mean and variance.
public func selu(_ x: Tensor) -> Tensor { elu(x, alpha: 1.673_263_242_354_377_2) * 1.050_700_987_355_480_5 }

/// `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`.
public func celu(_ x: Tensor, alpha: Double = 1) -> Tensor {
  composite("celu", [x]) { () throws(TypeFault) -> Tensor in
    guard alpha != 0 else { throw TypeFault("alpha is 0") }
    return (x .> 0).select(x, ((x .> 0).select(x.zerosLike(), x) / alpha).expm1() * alpha)
  }
}

/// How `gelu` is computed.
public enum GeluApproximation: String, Sendable {
  /// The function itself, or its approximation by `tanh`.
  case none, tanh
}

/// `x` times the normal distribution's cumulative function, or its approximation by tanh.
public func gelu(_ x: Tensor, approximate: GeluApproximation = .none) -> Tensor {
  composite("gelu", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireFloat("the input")
    switch approximate {
    case .none: return x * 0.5 * ((x * 0.5.squareRoot()).erf() + 1)
    case .tanh:
      let inner = (x + x * x * x * 0.044715) * (2 / Double.pi).squareRoot()
      return x * 0.5 * (inner.tanh() + 1)
    }
  }
}

/// `x * sigmoid(x)`, also known as swish.
public func silu(_ x: Tensor) -> Tensor { composite("silu", [x]) { x * x.sigmoid() } }

/// `x * tanh(softplus(x))`.
public func mish(_ x: Tensor) -> Tensor { composite("mish", [x]) { x * softplus(x).tanh() } }

/// `log(1 + exp(beta * x)) / beta`, the identity above the threshold.
public func softplus(_ x: Tensor, beta: Double = 1, threshold: Double = 20) -> Tensor {
  composite("softplus", [x]) { () throws(TypeFault) -> Tensor in
    try x.requireFloat("the input")
    let scaled = beta == 1 ? x : x * beta
    let isLinear = scaled .> threshold
    // The unused branch stays finite, so that its gradient is 0 rather than NaN.
    let bounded = isLinear.select(scaled.zerosLike(), scaled)
    let soft = bounded.maximum(0) + (-bounded.abs()).exp().log1p()
    return isLinear.select(x, beta == 1 ? soft : soft / beta)
  }
}

/// `log(sigmoid(x))` without overflow.
public func logsigmoid(_ x: Tensor) -> Tensor {
  composite("logsigmoid", [x]) { x.minimum(0) - (-x.abs()).exp().log1p() }
}

/// `x / (1 + |x|)`.
public func softsign(_ x: Tensor) -> Tensor { composite("softsign", [x]) { x / (x.abs() + 1) } }

/// `x - tanh(x)`.
public func tanhshrink(_ x: Tensor) -> Tensor { composite("tanhshrink", [x]) { x - x.tanh() } }

/// `x` moved towards zero by `lambda`, 0 in between.
public func softshrink(_ x: Tensor, lambda: Double = 0.5) -> Tensor {
  composite("softshrink", [x]) { (x .> lambda).select(x - lambda, (x .< -lambda).select(x + lambda, x * 0)) }
}

/// `x` where `|x| > lambda`, 0 elsewhere.
public func hardshrink(_ x: Tensor, lambda: Double = 0.5) -> Tensor {
  composite("hardshrink", [x]) { (x.abs() .<= lambda).select(x.zerosLike(), x) }
}

/// `x` limited to a range; the gradient is 0 at and beyond its ends.
public func hardtanh(_ x: Tensor, minVal: Double = -1, maxVal: Double = 1) -> Tensor {
  composite("hardtanh", [x]) {
    (x .<= minVal).select(x.fullLike(minVal), (x .>= maxVal).select(x.fullLike(maxVal), x))
  }
}

/// `min(max(x + 3, 0), 6) / 6`.
public func hardsigmoid(_ x: Tensor) -> Tensor { composite("hardsigmoid", [x]) { relu6(x + 3) / 6 } }

/// `x * hardsigmoid(x)`.
public func hardswish(_ x: Tensor) -> Tensor { composite("hardswish", [x]) { x * relu6(x + 3) / 6 } }

/// `x` where above the threshold, `value` elsewhere.
public func threshold(_ x: Tensor, _ threshold: Double, _ value: Double) -> Tensor {
  composite("threshold", [x]) { (x .<= threshold).select(x.fullLike(value), x) }
}

/// The first half of an axis times the sigmoid of the second.
public func glu(_ x: Tensor, dim: Int = -1) -> Tensor {
  composite("glu", [x]) { () throws(TypeFault) -> Tensor in
    let axis = try x.axis(dim)
    let size = try x.knownSize(axis)
    guard size % 2 == 0 else { throw TypeFault("axis \(axis) of \(x.type) has odd size \(size)") }
    return x.slice(axis: axis, from: 0, to: size / 2) * x.slice(axis: axis, from: size / 2, to: size).sigmoid()
  }
}

/// `exp(x)` divided by its sum along an axis.
///
/// - Parameter dtype: The type of floats that elements are converted to before.
public func softmax(_ x: Tensor, dim: Int, dtype: ScalarType? = nil) -> Tensor {
  composite("softmax", [x]) { () throws(TypeFault) -> Tensor in
    let x = dtype.map { x.convert(to: $0) } ?? x
    try x.requireFloat("the input")
    if x.rank == 0, dim == 0 || dim == -1 { return x.onesLike() }
    let axis = try x.axis(dim)
    let wide = x.wide
    let exponentials = (wide - greatest(wide, axis)).exp()
    let sum = exponentials.reduce(.sum, axes: [axis]).unsqueeze(dim: axis)
    return (exponentials / sum).convert(to: x.dtype)
  }
}

/// The logarithm of `softmax`, computed without it.
///
/// - Parameter dtype: The type of floats that elements are converted to before.
public func logSoftmax(_ x: Tensor, dim: Int, dtype: ScalarType? = nil) -> Tensor {
  composite("logSoftmax", [x]) { () throws(TypeFault) -> Tensor in
    let x = dtype.map { x.convert(to: $0) } ?? x
    try x.requireFloat("the input")
    if x.rank == 0, dim == 0 || dim == -1 { return x.zerosLike() }
    let axis = try x.axis(dim)
    let wide = x.wide
    let shifted = wide - greatest(wide, axis)
    let sum = shifted.exp().reduce(.sum, axes: [axis]).unsqueeze(dim: axis)
    return (shifted - sum.log()).convert(to: x.dtype)
  }
}

/// `softmax(-x)`.
///
/// - Parameter dtype: The type of floats that elements are converted to before.
public func softmin(_ x: Tensor, dim: Int, dtype: ScalarType? = nil) -> Tensor { softmax(-x, dim: dim, dtype: dtype) }

/// The greatest element along an axis, kept with size 1: a shift that takes no part in the gradient.
private func greatest(_ x: Tensor, _ axis: Int) -> Tensor {
  x.detach().reduce(.max, axes: [axis]).unsqueeze(dim: axis)
}

/// The logistic function.
public func sigmoid(_ x: Tensor) -> Tensor { x.sigmoid() }

/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor { x.tanh() }

extension Tensor {
  /// See the function `relu`.
  public func relu() -> Tensor { LatheNN.relu(self) }

  /// See the function `softmax`.
  public func softmax(dim: Int, dtype: ScalarType? = nil) -> Tensor { LatheNN.softmax(self, dim: dim, dtype: dtype) }

  /// See the function `logSoftmax`.
  public func logSoftmax(dim: Int, dtype: ScalarType? = nil) -> Tensor {
    LatheNN.logSoftmax(self, dim: dim, dtype: dtype)
  }
}
