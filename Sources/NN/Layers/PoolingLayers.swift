public import LatheCore

/// Pooling as modules: each calls the function of its name.

/// The function `maxPool1d`.
public struct MaxPool1d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let dilation: [Int]
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": oneOrAll(kernelSize), "stride": oneOrAll(stride), "padding": oneOrAll(padding),
      "dilation": oneOrAll(dilation), "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    dilation: some IntegerList = 1, ceilMode: Bool = false
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.dilation = dilation.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      maxPool1d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }

  /// Applies the layer and gives the places of the maxima as well, as for `MaxUnpool1d`: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in
      maxPool1dWithIndices(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }
}

/// The function `avgPool1d`.
public struct AvgPool1d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["kernel_size": spread(kernelSize, 1), "stride": spread(stride, 1), "padding": spread(padding, 1)])
  }

  /// Makes a layer with the given options.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    ceilMode: Bool = false, countIncludePad: Bool = true
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      avgPool1d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
        countIncludePad: countIncludePad)
    }
  }
}

/// The function `adaptiveAvgPool1d`.
public struct AdaptiveAvgPool1d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveAvgPool1d(x, outputSize) }
  }
}

/// The function `adaptiveMaxPool1d`.
public struct AdaptiveMaxPool1d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool1d(x, outputSize) }
  }

  /// Applies the layer and gives the places of the maxima as well: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in adaptiveMaxPool1dWithIndices(x, outputSize) }
  }
}

/// The function `maxPool2d`.
public struct MaxPool2d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let dilation: [Int]
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": oneOrAll(kernelSize), "stride": oneOrAll(stride), "padding": oneOrAll(padding),
      "dilation": oneOrAll(dilation), "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    dilation: some IntegerList = 1, ceilMode: Bool = false
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.dilation = dilation.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      maxPool2d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }

  /// Applies the layer and gives the places of the maxima as well, as for `MaxUnpool2d`: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in
      maxPool2dWithIndices(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }
}

/// The function `avgPool2d`.
public struct AvgPool2d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let divisorOverride: Int?
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["kernel_size": oneOrAll(kernelSize), "stride": oneOrAll(stride), "padding": oneOrAll(padding)])
  }

  /// Makes a layer; `divisorOverride` takes the place of the number of elements under a window.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      avgPool2d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
        countIncludePad: countIncludePad, divisorOverride: divisorOverride)
    }
  }
}

/// The function `adaptiveAvgPool2d`.
public struct AdaptiveAvgPool2d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveAvgPool2d(x, outputSize) }
  }
}

/// The function `adaptiveMaxPool2d`.
public struct AdaptiveMaxPool2d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool2d(x, outputSize) }
  }

  /// Applies the layer and gives the places of the maxima as well: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in adaptiveMaxPool2dWithIndices(x, outputSize) }
  }
}

/// The function `maxPool3d`.
public struct MaxPool3d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let dilation: [Int]
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": oneOrAll(kernelSize), "stride": oneOrAll(stride), "padding": oneOrAll(padding),
      "dilation": oneOrAll(dilation), "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    dilation: some IntegerList = 1, ceilMode: Bool = false
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.dilation = dilation.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      maxPool3d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }

  /// Applies the layer and gives the places of the maxima as well, as for `MaxUnpool3d`: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in
      maxPool3dWithIndices(
        x, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
    }
  }
}

/// The function `avgPool3d`.
public struct AvgPool3d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let divisorOverride: Int?
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options(["kernel_size": oneOrAll(kernelSize), "stride": oneOrAll(stride), "padding": oneOrAll(padding)])
  }

  /// Makes a layer; `divisorOverride` takes the place of the number of elements under a window.
  public init(
    kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, padding: some IntegerList = 0,
    ceilMode: Bool = false, countIncludePad: Bool = true, divisorOverride: Int? = nil
  ) {
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers ?? kernelSize.integers
    self.padding = padding.integers
    self.ceilMode = ceilMode
    self.countIncludePad = countIncludePad
    self.divisorOverride = divisorOverride
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      avgPool3d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
        countIncludePad: countIncludePad, divisorOverride: divisorOverride)
    }
  }
}

/// The function `adaptiveAvgPool3d`.
public struct AdaptiveAvgPool3d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveAvgPool3d(x, outputSize) }
  }
}

/// The function `adaptiveMaxPool3d`.
public struct AdaptiveMaxPool3d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { options(["output_size": oneOrAll(outputSize)]) }

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool3d(x, outputSize) }
  }

  /// Applies the layer and gives the places of the maxima as well: `return_indices`.
  public func withIndices(_ x: Tensor) -> (output: Tensor, indices: Tensor) {
    identity.scope(of: x) { _ in adaptiveMaxPool3dWithIndices(x, outputSize) }
  }
}

/// The function `lpPool1d`.
public struct LPPool1d: Module {
  private let normType: Double
  private let kernelSize: [Int]
  private let stride: [Int]?
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "norm_type": normType, "kernel_size": oneOrAll(kernelSize), "stride": stride.map(oneOrAll),
      "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    _ normType: Double, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, ceilMode: Bool = false
  ) {
    self.normType = normType
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      lpPool1d(x, normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
    }
  }
}

/// The function `maxUnpool1d`, of the results and places of `MaxPool1d.withIndices`.
public struct MaxUnpool1d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": spread(kernelSize, 1), "stride": spread(stride, 1), "padding": spread(padding, 1),
    ])
  }

  /// Makes a layer with the given options.
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
      maxUnpool1d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
    }
  }
}

/// The function `lpPool2d`.
public struct LPPool2d: Module {
  private let normType: Double
  private let kernelSize: [Int]
  private let stride: [Int]?
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "norm_type": normType, "kernel_size": oneOrAll(kernelSize), "stride": stride.map(oneOrAll),
      "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    _ normType: Double, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, ceilMode: Bool = false
  ) {
    self.normType = normType
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      lpPool2d(x, normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
    }
  }
}

/// The function `maxUnpool2d`, of the results and places of `MaxPool2d.withIndices`.
public struct MaxUnpool2d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": spread(kernelSize, 2), "stride": spread(stride, 2), "padding": spread(padding, 2),
    ])
  }

  /// Makes a layer with the given options.
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
      maxUnpool2d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
    }
  }
}

/// The function `lpPool3d`.
public struct LPPool3d: Module {
  private let normType: Double
  private let kernelSize: [Int]
  private let stride: [Int]?
  private let ceilMode: Bool
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "norm_type": normType, "kernel_size": oneOrAll(kernelSize), "stride": stride.map(oneOrAll),
      "ceil_mode": ceilMode,
    ])
  }

  /// Makes a layer with the given options.
  public init(
    _ normType: Double, kernelSize: some IntegerList, stride: (some IntegerList)? = Int?.none, ceilMode: Bool = false
  ) {
    self.normType = normType
    self.kernelSize = kernelSize.integers
    self.stride = stride?.integers
    self.ceilMode = ceilMode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in
      lpPool3d(x, normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
    }
  }
}

/// The function `maxUnpool3d`, of the results and places of `MaxPool3d.withIndices`.
public struct MaxUnpool3d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String {
    options([
      "kernel_size": spread(kernelSize, 3), "stride": spread(stride, 3), "padding": spread(padding, 3),
    ])
  }

  /// Makes a layer with the given options.
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
      maxUnpool3d(x, indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
    }
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
