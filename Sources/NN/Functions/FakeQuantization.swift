public import LatheCore

/// The numbers that an integer type can hold, rounded to and back, while gradients pass through:
/// `torch.fake_quantize_per_tensor_affine`.
///
/// Numbers beyond the ends become the ends, and have no gradient.
///
/// - Parameters:
///   - scale: The distance of two numbers: a number, or a tensor without axes or of one element.
///   - zeroPoint: The integer that stands for 0.
///   - quantMin: The least integer.
///   - quantMax: The greatest integer.
public func fakeQuantizePerTensorAffine(
  _ x: Tensor, scale: some TensorOperand, zeroPoint: some TensorOperand, quantMin: Int, quantMax: Int
) -> Tensor {
  let (scale, zero) = (scale.tensor(beside: x), zeroPoint.tensor(beside: x))
  return composite("fakeQuantizePerTensorAffine", [x, scale, zero]) { () throws(TypeFault) -> Tensor in
    for parameter in [scale, zero] where parameter.type.elementCount != 1 {
      throw TypeFault("a parameter is \(parameter.type), needs one number")
    }
    return try fakeQuantized(x, scale.reshape([Dim]()), zero.reshape([Dim]()), quantMin, quantMax)
  }
}

/// As `fakeQuantizePerTensorAffine`, with a scale and a zero point for each element along an axis:
/// `torch.fake_quantize_per_channel_affine`.
public func fakeQuantizePerChannelAffine(
  _ x: Tensor, scale: Tensor, zeroPoint: Tensor, axis: Int, quantMin: Int, quantMax: Int
) -> Tensor {
  composite("fakeQuantizePerChannelAffine", [x, scale, zeroPoint]) { () throws(TypeFault) -> Tensor in
    let axis = try x.axis(axis)
    for parameter in [scale, zeroPoint] where parameter.shape != [x.shape[axis]] {
      throw TypeFault("a parameter is \(parameter.type), needs [\(x.shape[axis])], one number for each channel")
    }
    let shape = x.shape.indices.map { $0 == axis ? x.shape[axis] : 1 }
    return try fakeQuantized(x, scale.reshape(shape), zeroPoint.reshape(shape), quantMin, quantMax)
  }
}

private func fakeQuantized(
  _ x: Tensor, _ scale: Tensor, _ zero: Tensor, _ low: Int, _ high: Int
) throws(TypeFault) -> Tensor {
  try x.requireFloat("the input")
  guard low <= high else { throw TypeFault("quantMin \(low) is above quantMax \(high)") }
  let scale = scale.detach().convert(to: x.dtype)
  let zero = zero.detach().convert(to: x.dtype)
  let whole = (x.detach() * (1 / scale)).round() + zero
  let isInside = (whole .>= Double(low)) .& (whole .<= Double(high))
  let rounded = (whole.clamp(min: Double(low), max: Double(high)) - zero) * scale
  // The value is the rounded one, the gradient that of x where it is inside.
  return rounded.detach() + isInside.select(x - x.detach(), x.zerosLike())
}

/// The integers that stand for numbers: `torch.quantize_per_tensor`, whose `int_repr` this is.
///
/// - Parameter dtype: `i8`, `u8` or `i32`; numbers beyond its ends become the ends.
public func quantizePerTensor(
  _ x: Tensor, scale: some TensorOperand, zeroPoint: some TensorOperand, dtype: ScalarType
) -> Tensor {
  let (scale, zero) = (scale.tensor(beside: x), zeroPoint.tensor(beside: x))
  return composite("quantizePerTensor", [x, scale, zero]) { () throws(TypeFault) -> Tensor in
    try x.requireFloat("the input")
    guard [.i8, .u8, .i32].contains(dtype), case .integer(let low) = dtype.lowest,
      case .integer(let high) = dtype.highest
    else { throw TypeFault("numbers are not quantized to \(dtype)", help: "to i8, u8 or i32") }
    let whole = (x * (1 / scale.convert(to: x.dtype))).round() + zero.convert(to: x.dtype)
    return whole.clamp(min: Double(low), max: Double(high)).convert(to: dtype)
  }
}

/// The numbers that integers stand for: `torch.dequantize`.
public func dequantize(_ x: Tensor, scale: some TensorOperand, zeroPoint: some TensorOperand) -> Tensor {
  let wide = x.convert(to: .f32)
  let (scale, zero) = (scale.tensor(beside: wide), zeroPoint.tensor(beside: wide))
  return composite("dequantize", [x, scale, zero]) {
    (wide - zero.convert(to: .f32)) * scale.convert(to: .f32)
  }
}

/// How the range of numbers that were seen becomes a scale and a zero point: `torch.ao.quantization`'s observers.
public struct Observer: Hashable, Sendable {
  /// Whether the range is as wide to both sides of 0, so that the zero point is 0, or in the middle of unsigned types.
  public var isSymmetric: Bool
  /// The least integer.
  public var quantMin: Int
  /// The greatest integer.
  public var quantMax: Int
  /// The share of a new range in the moving mean; nil where the range is that of all numbers.
  public var averagingConstant: Double?

  /// An observer of all numbers, for `u8` by default: `MinMaxObserver`.
  public init(
    isSymmetric: Bool = false, quantMin: Int = 0, quantMax: Int = 255, averagingConstant: Double? = nil
  ) {
    self.isSymmetric = isSymmetric
    self.quantMin = quantMin
    self.quantMax = quantMax
    self.averagingConstant = averagingConstant
  }

  /// For weights in `i8`: symmetric, from -128 to 127.
  public static let weights = Observer(isSymmetric: true, quantMin: -128, quantMax: 127)

  /// The scale and the zero point for a range.
  ///
  /// Source: https://github.com/pytorch/pytorch/blob/main/torch/ao/quantization/observer.py
  public func parameters(min: Double, max: Double) -> (scale: Double, zeroPoint: Int) {
    let (low, high) = (Swift.min(min, 0), Swift.max(max, 0))
    let steps = Double(quantMax - quantMin)
    let least = Double(Float.ulpOfOne)
    if isSymmetric {
      let scale = Swift.max(Swift.max(-low, high) / (steps / 2), least)
      return (Double(Float(scale)), quantMin < 0 ? 0 : (quantMin + quantMax + 1) / 2)
    }
    let scale = Swift.max((high - low) / steps, least)
    let zero = quantMin - Int((low / scale).rounded(.toNearestOrEven))
    return (Double(Float(scale)), Swift.min(Swift.max(zero, quantMin), quantMax))
  }

  /// Keeps the range of what a tensor holds in two variables.
  func observe(_ x: Tensor, _ name: String) {
    let builder = x.builder
    let (low, high) = (x.amin().convert(to: .f32), x.amax().convert(to: .f32))
    func kept(_ end: String, _ first: Double) -> Tensor {
      builder.variable(
        Variable(name: "\(name).\(end)", role: .buffer, initial: NDArray(scalar: .float(first), dtype: .f32)))
    }
    let (least, most) = (kept("min_val", .infinity), kept("max_val", -.infinity))
    if let share = averagingConstant {
      let isFirst = least .> most
      builder.update("\(name).min_val", to: isFirst.select(low, least + (low - least) * share))
      builder.update("\(name).max_val", to: isFirst.select(high, most + (high - most) * share))
    } else {
      builder.update("\(name).min_val", to: least.minimum(low))
      builder.update("\(name).max_val", to: most.maximum(high))
    }
  }
}

/// What is quantized of a model, and how: the inputs of matrix products and convolutions.
public struct QuantizationPlan: Hashable, Sendable {
  /// How inputs that data decides are observed.
  public var activations: Observer
  /// How weights are quantized, each output channel by itself where they are a convolution's or a linear layer's.
  public var weights: Observer

  /// A plan: unsigned activations, signed weights.
  public init(activations: Observer = Observer(), weights: Observer = .weights) {
    self.activations = activations
    self.weights = weights
  }
}

extension Graph {
  private static let observerPrefix = "observer"

  /// The graph with observers before matrix products and convolutions, whose ranges runs keep in variables:
  /// `torch.ao.quantization.prepare`.
  public func prepareQuantization(_ plan: QuantizationPlan = QuantizationPlan()) throws(DiagnosticsError) -> Graph {
    let weights = weightValues
    return try rebuilt { node, _, operands, builder in
      guard node.operation.isQuantized else { return nil }
      for (value, operand) in zip(node.operands, operands)
      where !weights.contains(value) && !operand.isPoisoned && operand.dtype == .f32 {
        plan.activations.observe(operand, Self.observer(value))
      }
      return nil
    }
  }

  /// This graph with pairs of quantize and dequantize before matrix products and convolutions, with the ranges that
  /// observers have kept in a state and those of the weights: `torch.ao.quantization.convert`.
  ///
  /// - Parameter state: That of a session of the prepared graph, after runs on typical data.
  /// - Throws: That an observer has seen nothing.
  public func convertQuantization(
    _ state: [String: NDArray], _ plan: QuantizationPlan = QuantizationPlan()
  ) throws(DiagnosticsError) -> Graph {
    let weights = weightValues
    // Every range is looked at before anything is built.
    var parameters: [Value: (scale: Double, zeroPoint: Int)] = [:]
    for node in nodes where node.operation.isQuantized {
      for value in node.operands where !weights.contains(value) && type(of: value).dtype == .f32 {
        let name = Self.observer(value)
        guard let low = try state["\(name).min_val"]?.item(), let high = try state["\(name).max_val"]?.item(),
          low <= high
        else {
          throw DiagnosticsError(
            "observer '\(name)' has seen nothing", help: "run the prepared graph on typical data, and give its state")
        }
        parameters[value] = plan.activations.parameters(min: low, max: high)
      }
    }
    return try rebuilt { node, _, operands, builder in
      guard node.operation.isQuantized else { return nil }
      let quantized = zip(node.operands, operands).enumerated().map { position, pair -> Tensor in
        let (value, operand) = pair
        if let (scale, zero) = parameters[value] {
          return plan.activations.rounded(operand, builder.scalar(.float(scale), .f32), zero)
        }
        guard operand.dtype == .f32 else { return operand }
        let axis = position == 1 ? node.operation.weightChannels : nil
        return plan.weights.weight(operand, axis)
      }
      return builder.apply(node.operation, quantized)
    }
  }

  private static func observer(_ value: Value) -> String {
    "\(observerPrefix).\(value.node)" + (value.result == 0 ? "" : ".\(value.result)")
  }

  /// The values that depend on no input: variables, literals, and what is made of them.
  private var weightValues: Set<Value> {
    var result = Set<Value>()
    for (position, node) in nodes.enumerated() {
      if case .input = node.operation { continue }
      if node.operands.allSatisfy(result.contains) {
        for index in node.types.indices { result.insert(Value(node: position, result: index)) }
      }
    }
    return result
  }
}

extension Operation {
  /// Whether operands are quantized: the operations that multiply matrices.
  fileprivate var isQuantized: Bool {
    switch self {
    case .dot, .convolution: true
    default: false
    }
  }

  /// The axis of the second operand whose elements are output channels; nil where none is.
  fileprivate var weightChannels: Int? {
    switch self {
    case .convolution: 0
    case .dot(let dot): dot.leftBatch.isEmpty ? [0, 1].first { !dot.rightContracting.contains($0) } : nil
    default: nil
    }
  }
}

extension Observer {
  /// A tensor as the integers of the range, and back.
  fileprivate func rounded(_ x: Tensor, _ scale: Tensor, _ zero: Int) -> Tensor {
    let type: ScalarType = quantMin < 0 ? .i8 : .u8
    let whole = ((x * (1 / scale)).round() + Double(zero)).clamp(min: Double(quantMin), max: Double(quantMax))
    return (whole.convert(to: type).convert(to: .f32) - Double(zero)) * scale
  }

  /// A weight as integers and back, its channels by themselves.
  fileprivate func weight(_ x: Tensor, _ channels: Int?) -> Tensor {
    let axes = x.shape.indices.filter { $0 != channels }
    let size = axes.isEmpty ? x.abs() : x.abs().amax(dim: axes, keepdim: true)
    let scale = (size / (Double(quantMax - quantMin) / 2)).clamp(min: Double(Float.ulpOfOne))
    return rounded(x, scale, quantMin < 0 ? 0 : (quantMin + quantMax + 1) / 2)
  }
}
