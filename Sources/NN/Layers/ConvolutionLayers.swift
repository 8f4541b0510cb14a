public import LatheCore

/// What the convolution layers of all ranks share.
private func weights(
  _ outChannels: Int, _ inChannels: Int, _ kernel: [Int], bias: Bool, groups: Int, transposed: Bool,
  _ dtype: ScalarType
) -> (Parameter, Parameter?) {
  let groups = max(groups, 1)
  let shape = (transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]) + kernel
  // PyTorch reads the fan-in off axis 1, for transposed weights too.
  let fanIn = product(Array(shape[1...]))
  return (
    Parameter(shape, dtype: dtype, initializer: .fanIn(fanIn)),
    bias ? Parameter([outChannels], dtype: dtype, initializer: .fanIn(fanIn)) : nil
  )
}

/// A kernel's sizes for all axes; a single number stands for all of them.
///
/// Wrong counts are found at the call.
func spread(_ sizes: some IntegerList, _ count: Int) -> [Int] {
  let numbers = sizes.integers
  return numbers.count == 1 ? Array(repeating: numbers[0], count: count) : numbers
}

/// Convolution over one axis.
public typealias Conv1d = ConvNd<1>
/// Convolution over two axes.
public typealias Conv2d = ConvNd<2>
/// Convolution over three axes.
public typealias Conv3d = ConvNd<3>

/// Convolution over `rank` axes.
public struct ConvNd<let rank: Int>: Module {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let stride: [Int]
  private let padding: ConvolutionPadding
  private let dilation: [Int]
  private let groups: Int
  private let paddingMode: PaddingMode
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    convolutionOptions(weight, bias, rank, stride, padding, dilation, groups, paddingMode)
  }

  /// Makes a layer.
  ///
  /// - Parameter paddingMode: What the padding holds; zeros for `constant`.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, dilation: some IntegerList = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .constant, dtype: ScalarType = .f32
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, rank), bias: bias, groups: groups, transposed: false, dtype)
    self.stride = stride.integers
    self.padding = padding
    self.dilation = dilation.integers
    self.groups = groups
    self.paddingMode = paddingMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      let (weight, bias) = (weight.read(in: $0), bias?.read(in: $0))
      let (padded, rest) = paddedInput(x, weight, padding, paddingMode, stride, dilation)
      return convolution(
        rank, padded, weight, bias, stride: stride, padding: rest, dilation: dilation, groups: groups)
    }
  }
}

/// Transposed convolution over one axis.
public typealias ConvTranspose1d = ConvTransposeNd<1>
/// Transposed convolution over two axes.
public typealias ConvTranspose2d = ConvTransposeNd<2>
/// Transposed convolution over three axes.
public typealias ConvTranspose3d = ConvTransposeNd<3>

/// Transposed convolution over `rank` axes.
public struct ConvTransposeNd<let rank: Int>: Module {
  /// The weight.
  public let weight: Parameter
  /// The bias.
  public let bias: Parameter?
  private let stride: [Int]
  private let padding: [Int]
  private let outputPadding: [Int]
  private let dilation: [Int]
  private let groups: Int
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    convolutionOptions(
      weight, bias, rank, stride, ConvolutionPadding(padding), dilation, groups, .constant,
      outputPadding: outputPadding)
  }

  /// Makes a layer with the given options.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: some IntegerList = 0, outputPadding: some IntegerList = 0, groups: Int = 1, bias: Bool = true,
    dilation: some IntegerList = 1, dtype: ScalarType = .f32
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, rank), bias: bias, groups: groups, transposed: true, dtype)
    self.stride = stride.integers
    self.padding = padding.integers
    self.outputPadding = outputPadding.integers
    self.dilation = dilation.integers
    self.groups = groups
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { transposed(x, outputPadding, in: $0) }
  }

  /// Applies the layer for a result of the given sizes, from which the padding of the output follows.
  public func callAsFunction(_ x: Tensor, outputSize: [Int]) -> Tensor {
    identity.scope(of: x) { builder in
      composite("convTranspose\(rank)d", [x]) { () throws(TypeFault) -> Tensor in
        let outputPadding = try outputPaddingOf(
          x, outputSize, kernel: Array(weight.sizes[2...]), stride: stride, padding: padding, dilation: dilation)
        return transposed(x, outputPadding, in: builder)
      }
    }
  }

  private func transposed(_ x: Tensor, _ outputPadding: [Int], in builder: Builder) -> Tensor {
    transposedConvolution(
      rank, x, weight.read(in: builder), bias?.read(in: builder), stride: stride, padding: ConvolutionPadding(padding),
      outputPadding: outputPadding, groups: groups, dilation: dilation)
  }
}

/// Pads the input in a mode that convolutions do not have themselves; what padding is left to them.
private func paddedInput(
  _ x: Tensor, _ weight: Tensor, _ padding: ConvolutionPadding, _ mode: PaddingMode, _ stride: [Int],
  _ dilation: [Int]
) -> (Tensor, ConvolutionPadding) {
  guard mode != .constant, !x.isPoisoned, !weight.isPoisoned else { return (x, padding) }
  let padded = composite("pad", [x]) { () throws(TypeFault) -> Tensor in
    let spatial = weight.rank - 2
    guard x.rank > spatial else { throw TypeFault("the input \(x.type) has fewer axes than the kernel") }
    let kernel = try (2..<weight.rank).map { (axis) throws(TypeFault) -> Int in try weight.knownSize(axis) }
    let (low, high) = try padding.amounts(
      kernel: kernel, stride: try stride.spread(spatial, "stride"), dilation: try dilation.spread(spatial, "dilation"))
    let none = [Int](repeating: 0, count: x.rank - spatial)
    return pad(x, low: none + low, high: none + high, mode: mode)
  }
  return (padded, .valid)
}

/// The options of all convolution layers, those with PyTorch's defaults left out.
private func convolutionOptions(
  _ weight: Parameter, _ bias: Parameter?, _ count: Int, _ stride: [Int], _ padding: ConvolutionPadding,
  _ dilation: [Int], _ groups: Int, _ mode: PaddingMode, outputPadding: [Int]? = nil
) -> String {
  let sizes = weight.sizes
  let channels =
    outputPadding == nil ? (sizes[1] * max(groups, 1), sizes[0]) : (sizes[0], sizes[1] * max(groups, 1))
  var text = options([
    "": channels.0, "": channels.1, "kernel_size": Array(sizes[2...]), "stride": spread(stride, count),
  ])
  func add(_ name: String, _ sizes: [Int], default value: Int) {
    let sizes = spread(sizes, count)
    if sizes.contains(where: { $0 != value }) { text += ", " + options([name: sizes]) }
  }
  switch padding {
  case .valid: text += ", padding=valid"
  case .same: text += ", padding=same"
  case .symmetric(let amounts): add("padding", amounts, default: 0)
  case .explicit(let low, let high): text += ", padding=(\(options(["": low])), \(options(["": high])))"
  }
  add("dilation", dilation, default: 1)
  if let outputPadding { add("output_padding", outputPadding, default: 0) }
  if groups != 1 { text += ", groups=\(groups)" }
  if bias == nil { text += ", bias=False" }
  if mode != .constant { text += ", padding_mode=\(mode.rawValue)" }
  return text
}

/// How much more than the least that a transposed convolution gives is wanted along each axis.
private func outputPaddingOf(
  _ x: Tensor, _ outputSize: [Int], kernel: [Int], stride: [Int], padding: [Int], dilation: [Int]
) throws(TypeFault) -> [Int] {
  let spatial = kernel.count
  try x.requireRank((spatial + 1)...(spatial + 2), "the input")
  let wanted = outputSize.count == x.rank ? Array(outputSize.suffix(spatial)) : outputSize
  guard wanted.count == spatial else {
    throw TypeFault("outputSize has \(outputSize.count) numbers, needs \(spatial) or \(x.rank)")
  }
  let (stride, padding, dilation) = (
    try stride.spread(spatial, "stride"), try padding.spread(spatial, "padding"),
    try dilation.spread(spatial, "dilation")
  )
  return try (0..<spatial).map { (axis) throws(TypeFault) -> Int in
    let size = try x.knownSize(x.rank - spatial + axis)
    for number in [size, stride[axis], padding[axis], dilation[axis], kernel[axis], wanted[axis]] {
      try requireBounded(number, "an option of the layer")
    }
    let least = (size - 1) * stride[axis] - 2 * padding[axis] + (kernel[axis] - 1) * dilation[axis] + 1
    let extra = wanted[axis] - least
    guard extra >= 0, extra < stride[axis] else {
      throw TypeFault("outputSize \(wanted[axis]) is not \(least) to \(least + stride[axis] - 1)")
    }
    return extra
  }
}
