public import LatheCore

/// What the convolution layers of all ranks share.
private func weights(
  _ outChannels: Int, _ inChannels: Int, _ kernel: [Int], bias: Bool, groups: Int, transposed: Bool
) -> (Parameter, Parameter?) {
  let groups = max(groups, 1)
  let shape = (transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]) + kernel
  // PyTorch reads the fan-in off axis 1, for transposed weights too.
  let fanIn = product(Array(shape[1...]))
  return (
    Parameter(shape, initializer: .fanIn(fanIn)), bias ? Parameter([outChannels], initializer: .fanIn(fanIn)) : nil
  )
}

/// A kernel's sizes for all axes; a single number stands for all of them.
///
/// Wrong counts are found at the call.
private func spread(_ sizes: some IntegerList, _ count: Int) -> [Int] {
  let numbers = sizes.integers
  return numbers.count == 1 ? Array(repeating: numbers[0], count: count) : numbers
}

/// Convolution over one axis.
public struct Conv1d: Module {
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

  /// Makes a layer.
  ///
  /// - Parameter paddingMode: What the padding holds; zeros for `constant`.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, dilation: some IntegerList = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .constant
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 1), bias: bias, groups: groups, transposed: false)
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
      return conv1d(padded, weight, bias, stride: stride, padding: rest, dilation: dilation, groups: groups)
    }
  }
}

/// Convolution over two axes.
public struct Conv2d: Module {
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

  /// Makes a layer.
  ///
  /// - Parameter paddingMode: What the padding holds; zeros for `constant`.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, dilation: some IntegerList = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .constant
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 2), bias: bias, groups: groups, transposed: false)
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
      return conv2d(padded, weight, bias, stride: stride, padding: rest, dilation: dilation, groups: groups)
    }
  }
}

/// Convolution over three axes.
public struct Conv3d: Module {
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

  /// Makes a layer.
  ///
  /// - Parameter paddingMode: What the padding holds; zeros for `constant`.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: ConvolutionPadding = 0, dilation: some IntegerList = 1, groups: Int = 1, bias: Bool = true,
    paddingMode: PaddingMode = .constant
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 3), bias: bias, groups: groups, transposed: false)
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
      return conv3d(padded, weight, bias, stride: stride, padding: rest, dilation: dilation, groups: groups)
    }
  }
}

/// Transposed convolution over one axis.
public struct ConvTranspose1d: Module {
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

  /// Makes a layer with the given options.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: some IntegerList = 0, outputPadding: some IntegerList = 0, groups: Int = 1, bias: Bool = true,
    dilation: some IntegerList = 1
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 1), bias: bias, groups: groups, transposed: true)
    self.stride = stride.integers
    self.padding = padding.integers
    self.outputPadding = outputPadding.integers
    self.dilation = dilation.integers
    self.groups = groups
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      convTranspose1d(
        x, weight.read(in: $0), bias?.read(in: $0), stride: stride, padding: ConvolutionPadding(padding),
        outputPadding: outputPadding, groups: groups, dilation: dilation)
    }
  }
}

/// Transposed convolution over two axes.
public struct ConvTranspose2d: Module {
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

  /// Makes a layer with the given options.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: some IntegerList = 0, outputPadding: some IntegerList = 0, groups: Int = 1, bias: Bool = true,
    dilation: some IntegerList = 1
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 2), bias: bias, groups: groups, transposed: true)
    self.stride = stride.integers
    self.padding = padding.integers
    self.outputPadding = outputPadding.integers
    self.dilation = dilation.integers
    self.groups = groups
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      convTranspose2d(
        x, weight.read(in: $0), bias?.read(in: $0), stride: stride, padding: ConvolutionPadding(padding),
        outputPadding: outputPadding, groups: groups, dilation: dilation)
    }
  }
}

/// Transposed convolution over three axes.
public struct ConvTranspose3d: Module {
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

  /// Makes a layer with the given options.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernelSize: some IntegerList, stride: some IntegerList = 1,
    padding: some IntegerList = 0, outputPadding: some IntegerList = 0, groups: Int = 1, bias: Bool = true,
    dilation: some IntegerList = 1
  ) {
    (weight, self.bias) = weights(
      outChannels, inChannels, spread(kernelSize, 3), bias: bias, groups: groups, transposed: true)
    self.stride = stride.integers
    self.padding = padding.integers
    self.outputPadding = outputPadding.integers
    self.dilation = dilation.integers
    self.groups = groups
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) {
      convTranspose3d(
        x, weight.read(in: $0), bias?.read(in: $0), stride: stride, padding: ConvolutionPadding(padding),
        outputPadding: outputPadding, groups: groups, dilation: dilation)
    }
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
