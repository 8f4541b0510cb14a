public import LatheCore

/// Padding as modules: `pad` in a mode, around as many axes as the name tells.
///
/// Amounts are one for all sides, or PyTorch's pairs from the last axis on: `[left, right, top, bottom, ...]`.

/// Padding by a number.
public typealias ConstantPad1d = ConstantPadNd<1>
/// Padding by a number.
public typealias ConstantPad2d = ConstantPadNd<2>
/// Padding by a number.
public typealias ConstantPad3d = ConstantPadNd<3>

/// Pads the last `rank` axes by a number.
public struct ConstantPadNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given amounts.
  public init(_ padding: some IntegerList, _ value: Double) {
    function = padded(padding, rank, .constant, value)
  }
}

/// Padding by zeros.
public typealias ZeroPad1d = ZeroPadNd<1>
/// Padding by zeros.
public typealias ZeroPad2d = ZeroPadNd<2>
/// Padding by zeros.
public typealias ZeroPad3d = ZeroPadNd<3>

/// Pads the last `rank` axes by zeros.
public struct ZeroPadNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given amounts.
  public init(_ padding: some IntegerList) {
    function = padded(padding, rank, .constant)
  }
}

/// Padding by what lies inside, without the edge.
public typealias ReflectionPad1d = ReflectionPadNd<1>
/// Padding by what lies inside, without the edge.
public typealias ReflectionPad2d = ReflectionPadNd<2>
/// Padding by what lies inside, without the edge.
public typealias ReflectionPad3d = ReflectionPadNd<3>

/// Pads the last `rank` axes by what lies inside, without the edge.
public struct ReflectionPadNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given amounts.
  public init(_ padding: some IntegerList) {
    function = padded(padding, rank, .reflect)
  }
}

/// Padding by the edge.
public typealias ReplicationPad1d = ReplicationPadNd<1>
/// Padding by the edge.
public typealias ReplicationPad2d = ReplicationPadNd<2>
/// Padding by the edge.
public typealias ReplicationPad3d = ReplicationPadNd<3>

/// Pads the last `rank` axes by the edge.
public struct ReplicationPadNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given amounts.
  public init(_ padding: some IntegerList) {
    function = padded(padding, rank, .replicate)
  }
}

/// Padding by the other end.
public typealias CircularPad1d = CircularPadNd<1>
/// Padding by the other end.
public typealias CircularPad2d = CircularPadNd<2>
/// Padding by the other end.
public typealias CircularPad3d = CircularPadNd<3>

/// Pads the last `rank` axes by the other end.
public struct CircularPadNd<let rank: Int>: FunctionLayer {
  /// What the layer applies.
  public let function: LayerFunction<Tensor>

  /// Makes a layer with the given amounts.
  public init(_ padding: some IntegerList) {
    function = padded(padding, rank, .circular)
  }
}

private func padded(
  _ padding: some IntegerList, _ rank: Int, _ mode: PaddingMode, _ value: Double? = nil
) -> LayerFunction<Tensor> {
  let amounts = spread(padding, 2 * rank)
  let text = value.map { options(["padding": amounts, "value": $0]) } ?? options(["": amounts])
  return LayerFunction(text: text) { x in
    composite("pad", [x]) { () throws(TypeFault) -> Tensor in
      guard amounts.count == 2 * rank else {
        throw TypeFault("\(amounts.count) amounts for \(rank) axes", help: "give one or \(2 * rank)")
      }
      try x.requireRank((rank + 1)...(rank + 2), "the input")
      return pad(x, amounts, mode: mode, value: value ?? 0)
    }
  }
}
