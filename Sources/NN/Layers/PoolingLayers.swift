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
}

/// The function `avgPool1d`.
public struct AvgPool1d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let identity = LayerIdentity()

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

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool1d(x, outputSize) }
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
}

/// The function `avgPool2d`.
public struct AvgPool2d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let identity = LayerIdentity()

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
      avgPool2d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
        countIncludePad: countIncludePad)
    }
  }
}

/// The function `adaptiveAvgPool2d`.
public struct AdaptiveAvgPool2d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

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

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool2d(x, outputSize) }
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
}

/// The function `avgPool3d`.
public struct AvgPool3d: Module {
  private let kernelSize: [Int]
  private let stride: [Int]
  private let padding: [Int]
  private let ceilMode: Bool
  private let countIncludePad: Bool
  private let identity = LayerIdentity()

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
      avgPool3d(
        x, kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
        countIncludePad: countIncludePad)
    }
  }
}

/// The function `adaptiveAvgPool3d`.
public struct AdaptiveAvgPool3d: Module {
  private let outputSize: [Int]
  private let identity = LayerIdentity()

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

  /// Makes a layer with the given options.
  public init(_ outputSize: some IntegerList) { self.outputSize = outputSize.integers }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { _ in adaptiveMaxPool3d(x, outputSize) }
  }
}
