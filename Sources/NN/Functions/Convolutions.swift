public import LatheCore

/// What surrounds the input of a convolution.
public enum ConvolutionPadding: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// As much on both sides; one amount for all axes, or one each.
  case symmetric([Int])
  /// Different amounts before and after.
  case explicit(low: [Int], high: [Int])
  /// So much that stride 1 keeps the size; the odd element goes behind.
  case same
  /// None.
  case valid

  /// One amount for both sides of every axis.
  public init(integerLiteral value: Int) { self = .symmetric([value]) }

  /// One amount for both sides of each axis.
  public init(arrayLiteral elements: Int...) { self = .symmetric(elements) }

  /// The same amount on both sides of every axis.
  public init(_ amounts: some IntegerList) { self = .symmetric(amounts.integers) }

  func amounts(kernel: [Int], stride: [Int], dilation: [Int]) throws(TypeFault) -> (low: [Int], high: [Int]) {
    switch self {
    case .valid: return (kernel.map { _ in 0 }, kernel.map { _ in 0 })
    case .symmetric(let amounts):
      let spread = try amounts.spread(kernel.count, "padding")
      return (spread, spread)
    case .explicit(let low, let high):
      return (try low.spread(kernel.count, "padding"), try high.spread(kernel.count, "padding"))
    case .same:
      guard stride.allSatisfy({ $0 == 1 }) else {
        throw TypeFault("padding 'same' needs stride 1, given \(stride)", help: "give the amounts")
      }
      let total = zip(kernel, dilation).map { ($0 - 1) * $1 }
      return (total.map { $0 / 2 }, total.map { $0 - $0 / 2 })
    }
  }
}

/// Convolution over one axis: `x[N, C, L]`, `weight[O, C / groups, K]`.
public let conv1d = ConvFunction(spatial: 1)
/// Convolution over two axes: `x[N, C, H, W]`, `weight[O, C / groups, kH, kW]`.
public let conv2d = ConvFunction(spatial: 2)
/// Convolution over three axes: `x[N, C, D, H, W]`, `weight[O, C / groups, kD, kH, kW]`.
public let conv3d = ConvFunction(spatial: 3)
/// Convolution over as many axes as the weight has beside its two channel axes.
public let convNd = ConvFunction(spatial: nil)

/// What `conv1d`, `conv2d`, `conv3d` and `convNd` are: convolution, of a batch or one element.
public struct ConvFunction: Sendable {
  /// How many axes; nil for those of the weight.
  fileprivate let spatial: Int?

  /// Applies the function; `bias[O]`.
  public func callAsFunction(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, dilation: some IntegerList = 1, groups: Int = 1
  ) -> Tensor {
    convolution(
      spatial, x, weight, bias, stride: stride.integers, padding: padding, dilation: dilation.integers, groups: groups)
  }
}

func convolution(
  _ spatial: Int?, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: ConvolutionPadding,
  dilation: [Int], groups: Int
) -> Tensor {
  let name = "conv" + (spatial.map { "\($0)d" } ?? "Nd")
  let spatial = spatial ?? max(weight.rank - 2, 1)
  return composite(name, [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try weight.requireRank((spatial + 2)...(spatial + 2), "the weight")
    try x.requireRank((spatial + 1)...(spatial + 2), "the input")
    let kernel = try (2..<weight.rank).map { (axis) throws(TypeFault) -> Int in try weight.knownSize(axis) }
    let stride = try stride.spread(spatial, "stride")
    let dilation = try dilation.spread(spatial, "dilation")
    let (low, high) = try padding.amounts(kernel: kernel, stride: stride, dilation: dilation)
    let isBatched = x.rank == spatial + 2
    let batched = isBatched ? x : x.unsqueeze(dim: 0)
    guard groups > 0 else { throw TypeFault("groups is \(groups)") }
    let channels = weight.shape[1] * Dim(groups)
    guard weight.shape[0].divided(exactlyBy: Dim(groups)) != nil else {
      throw TypeFault(
        "\(weight.shape[0]) output channels do not divide into \(groups) groups",
        help: "the channels of input and output must be multiples of groups")
    }
    if batched.shape[1].divided(exactlyBy: Dim(groups)) == nil {
      throw TypeFault(
        "the \(batched.shape[1]) channels of the input do not divide into \(groups) groups",
        help: "the channels of input and output must be multiples of groups")
    }
    guard batched.shape[1] == channels else {
      let grouping = groups == 1 ? "" : "groups: \(groups), "
      let layer = "Conv\(spatial)d(\(batched.shape[1]), \(weight.shape[0]), \(grouping)...)"
      throw TypeFault(
        "the input has \(batched.shape[1]) channels (axis \(isBatched ? 1 : 0) of \(x.type)), "
          + "the weight \(weight.type) takes \(channels)",
        help: "use \(layer), or an input with \(channels) channels")
    }
    if let bias, bias.shape != [weight.shape[0]] {
      throw TypeFault("the bias is \(bias.type), needs [\(weight.shape[0])], one for each output channel")
    }
    let payload = Convolution(
      stride: stride, low: low, high: high, inputDilation: stride.map { _ in 1 }, dilation: dilation, groups: groups)
    var y = try batched.convolution(weight, payload).checked()
    if let bias {
      y = y + bias.autocast(beside: y).reshape([weight.shape[0]] + [Dim](repeating: 1, count: spatial))
    }
    return isBatched ? y : y.squeeze(dim: 0)
  }
}

/// Transposed convolution over one axis: `x[N, C, L]`, `weight[C, O / groups, K]`.
public let convTranspose1d = ConvTransposeFunction(spatial: 1)
/// Transposed convolution over two axes: `x[N, C, H, W]`, `weight[C, O / groups, kH, kW]`.
public let convTranspose2d = ConvTransposeFunction(spatial: 2)
/// Transposed convolution over three axes: `x[N, C, D, H, W]`, `weight[C, O / groups, kD, kH, kW]`.
public let convTranspose3d = ConvTransposeFunction(spatial: 3)
/// Transposed convolution over as many axes as the weight has beside its two channel axes.
public let convTransposeNd = ConvTransposeFunction(spatial: nil)

/// What `convTranspose1d`, `convTranspose2d`, `convTranspose3d` and `convTransposeNd` are: transposed convolution, of a
/// batch or one element.
public struct ConvTransposeFunction: Sendable {
  /// How many axes; nil for those of the weight.
  fileprivate let spatial: Int?

  /// Applies the function; `bias[O]`.
  ///
  /// - Parameter outputPadding: How much longer the result is at its end: less than the stride or the dilation.
  public func callAsFunction(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, outputPadding: some IntegerList = 0, groups: Int = 1,
    dilation: some IntegerList = 1
  ) -> Tensor {
    transposedConvolution(
      spatial, x, weight, bias, stride: stride.integers, padding: padding, outputPadding: outputPadding.integers,
      groups: groups, dilation: dilation.integers)
  }
}

/// The gradient of a convolution with respect to its input: the input is spread by the stride and correlated with the
/// reversed kernel, inputs and outputs of each group exchanged.
func transposedConvolution(
  _ spatial: Int?, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: ConvolutionPadding,
  outputPadding: [Int], groups: Int, dilation: [Int]
) -> Tensor {
  let name = "convTranspose" + (spatial.map { "\($0)d" } ?? "Nd")
  let spatial = spatial ?? max(weight.rank - 2, 1)
  return composite(name, [x, weight, bias]) { () throws(TypeFault) -> Tensor in
    try weight.requireRank((spatial + 2)...(spatial + 2), "the weight")
    try x.requireRank((spatial + 1)...(spatial + 2), "the input")
    let kernel = try (2..<weight.rank).map { (axis) throws(TypeFault) -> Int in try weight.knownSize(axis) }
    let stride = try stride.spread(spatial, "stride")
    let dilation = try dilation.spread(spatial, "dilation")
    let extra = try outputPadding.spread(spatial, "outputPadding")
    let (low, high) = try padding.amounts(kernel: kernel, stride: stride, dilation: dilation)
    for axis in 0..<spatial where extra[axis] < 0 || extra[axis] >= max(stride[axis], dilation[axis]) {
      throw TypeFault("outputPadding \(extra[axis]) must be less than the stride \(stride[axis]) or the dilation")
    }
    let isBatched = x.rank == spatial + 2
    let batched = isBatched ? x : x.unsqueeze(dim: 0)
    guard batched.shape[1] == weight.shape[0] else {
      throw TypeFault(
        "the input has \(batched.shape[1]) channels (axis \(isBatched ? 1 : 0) of \(x.type)), "
          + "the weight \(weight.type) takes \(weight.shape[0])",
        help: "use ConvTranspose\(spatial)d(\(batched.shape[1]), ...)")
    }
    guard groups > 0, let inputs = weight.shape[0].divided(exactlyBy: Dim(groups)) else {
      throw TypeFault("\(weight.shape[0]) channels do not divide into \(groups) groups")
    }
    let outputs = weight.shape[1]
    if let bias, bias.shape != [outputs * Dim(groups)] {
      throw TypeFault("the bias is \(bias.type), needs [\(outputs * Dim(groups))]")
    }
    let window = Array(weight.shape[2...])
    let swapped = weight.reshape([Dim(groups), inputs, outputs] + window)
      .permute([0, 2, 1] + Array(3..<(3 + spatial)))
      .reshape([outputs * Dim(groups), inputs] + window)
      .reverse(Array(2..<(2 + spatial)))
    let reach = zip(kernel, dilation).map { ($0 - 1) * $1 }
    let payload = Convolution(
      stride: stride.map { _ in 1 }, low: (0..<spatial).map { reach[$0] - low[$0] },
      high: (0..<spatial).map { reach[$0] - high[$0] + extra[$0] }, inputDilation: stride, dilation: dilation,
      groups: groups)
    var y = try batched.convolution(swapped, payload).checked()
    if let bias { y = y + bias.reshape([y.shape[1]] + [Dim](repeating: 1, count: spatial)) }
    return isBatched ? y : y.squeeze(dim: 0)
  }
}
