public import LatheCore

/// Pooling as modules: each calls the function of its name, over as many axes as the name tells.

/// The function `maxPool1d`.
public typealias MaxPool1d = MaxPoolNd<1>
/// The function `maxPool2d`.
public typealias MaxPool2d = MaxPoolNd<2>
/// The function `maxPool3d`.
public typealias MaxPool3d = MaxPoolNd<3>

/// The maximum of windows over the last `rank` axes.
public struct MaxPoolNd<let rank: Int>: Module {
  private let pooling: Pooling
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": oneOrAll(pooling.kernel), "stride": oneOrAll(pooling.stride), "padding": oneOrAll(pooling.low),
      "dilation": oneOrAll(pooling.dilation), "ceil_mode": pooling.ceilMode,
    ])
  }

  /// Makes a layer with the given options; the stride is the kernel's size by default.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    dilation: some IntegerList = 1, ceilMode: Bool = false
  ) {
    pooling = Pooling("maxPool", rank, kernelSize, stride, padding, dilation, ceilMode)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { identity.scope(of: x) { _ in pooling.max(x) } }

  /// Applies the layer and gives the places of the maxima as well, as for `MaxUnpool2d`: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in pooling.maxWithIndices(x) }
  }
}

/// The function `avgPool1d`.
public typealias AvgPool1d = AvgPoolNd<1>
/// The function `avgPool2d`.
public typealias AvgPool2d = AvgPoolNd<2>
/// The function `avgPool3d`.
public typealias AvgPool3d = AvgPoolNd<3>

/// The mean of windows over the last `rank` axes.
public struct AvgPoolNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer; `divisorOverride` takes the place of the number of elements under a window.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) {
    let pooling = Pooling("avgPool", rank, kernelSize, stride, padding, 1, ceilMode)
    // PyTorch writes one axis as a tuple.
    let text = { (sizes: [Int]) -> Any in rank == 1 ? sizes : oneOrAll(sizes) }
    function = LayerFunction([
      "kernel_size": text(pooling.kernel), "stride": text(pooling.stride), "padding": text(pooling.low),
    ]) { pooling.average($0, countIncludePad: countIncludePad, divisor: divisorOverride) }
  }
}

/// The function `lpPool1d`.
public typealias LPPool1d = LPPoolNd<1>
/// The function `lpPool2d`.
public typealias LPPool2d = LPPoolNd<2>
/// The function `lpPool3d`.
public typealias LPPool3d = LPPoolNd<3>

/// The norm of windows over the last `rank` axes.
public struct LPPoolNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options.
  public init(
    _ normType: Double, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, ceilMode: Bool = false
  ) {
    let pooling = Pooling("lpPool", rank, kernelSize, stride, 0, 1, ceilMode)
    function = LayerFunction([
      "norm_type": normType, "kernel_size": oneOrAll(pooling.kernel),
      "stride": stride.map { oneOrAll($0.integers) }, "ceil_mode": ceilMode,
    ]) { pooling.norm($0, normType) }
  }
}

/// The function `maxUnpool1d`.
public typealias MaxUnpool1d = MaxUnpoolNd<1>
/// The function `maxUnpool2d`.
public typealias MaxUnpool2d = MaxUnpoolNd<2>
/// The function `maxUnpool3d`.
public typealias MaxUnpool3d = MaxUnpoolNd<3>

/// Elements back at their places, of the results and places of `MaxPoolNd.withIndices`.
public struct MaxUnpoolNd<let rank: Int>: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["kernel_size": spread(kernelSize, rank), "stride": spread(stride, rank), "padding": spread(padding, rank)])
  }

  /// Makes a layer with the given options; the stride is the kernel's size by default.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
  }

  /// Applies the layer to elements and their places.
  public func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor { self(inputs.0, inputs.1, outputSize: nil) }

  /// Applies the layer to elements and their places, for a result of the given sizes.
  public func callAsFunction(_ x: Tensor, _ indices: Tensor, outputSize: [Int]?) -> Tensor {
    identity.scope(of: x) { _ in
      maxUnpool(
        x, indices, spatial: rank, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
    }
  }
}

/// The function `adaptiveAvgPool1d`.
public typealias AdaptiveAvgPool1d = AdaptiveAvgPoolNd<1>
/// The function `adaptiveAvgPool2d`.
public typealias AdaptiveAvgPool2d = AdaptiveAvgPoolNd<2>
/// The function `adaptiveAvgPool3d`.
public typealias AdaptiveAvgPool3d = AdaptiveAvgPoolNd<3>

/// The means of windows that give wanted sizes over the last `rank` axes.
public struct AdaptiveAvgPoolNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given options; -1 keeps the size of an axis.
  public init(_ outputSize: some IntegerList) {
    let outputSize = outputSize.integers
    function = LayerFunction(["output_size": oneOrAll(outputSize)]) { adaptiveAverage(rank, $0, outputSize) }
  }
}

/// The function `adaptiveMaxPool1d`.
public typealias AdaptiveMaxPool1d = AdaptiveMaxPoolNd<1>
/// The function `adaptiveMaxPool2d`.
public typealias AdaptiveMaxPool2d = AdaptiveMaxPoolNd<2>
/// The function `adaptiveMaxPool3d`.
public typealias AdaptiveMaxPool3d = AdaptiveMaxPoolNd<3>

/// The maxima of windows that give wanted sizes over the last `rank` axes.
public struct AdaptiveMaxPoolNd<let rank: Int>: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options; -1 keeps the size of an axis.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { withIndices(x).output }

  /// Applies the layer and gives the places of the maxima as well: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in adaptiveMaximum(rank, x, outputSize) }
  }
}

/// The function `fractionalMaxPool2d`.
public struct FractionalMaxPool2d: Module {
  private let kernelSize: [Int]
  private let outputSize: [Int]?
  private let outputRatio: [Double]?
  private let identity = LayerIdentity()

  /// Makes a layer for either sizes or shares of the input's.
  public init(
    kernelSize: some IntegerList, outputSize: (some IntegerList)? = Int?.none,
    outputRatio: (some FactorList)? = Double?.none
  ) {
    self.kernelSize = kernelSize.integers
    self.outputSize = outputSize?.integers
    self.outputRatio = outputRatio?.factors
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor { withIndices(x).output }

  /// Applies the layer and gives the places of the maxima as well: `return_indices`.
  ///
  /// - Parameter randomSamples: Where the windows lie, `[N, C, 2]` in `0 ..< 1`; drawn by default.
  public func withIndices(_ x: Tensor, randomSamples: Tensor? = nil) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in
      fractionalMaxPool2dWithIndices(
        x, kernelSize: kernelSize, outputSize: outputSize, outputRatio: outputRatio, randomSamples: randomSamples)
    }
  }
}
