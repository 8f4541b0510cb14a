public import LatheCore
public import LatheNN

/// What `stochasticDepth` leaves out at once.
public enum StochasticDepthMode: String, Sendable {
  /// All samples.
  case batch
  /// Each sample by itself.
  case row
}

/// Sets whole samples to zero at random, and scales the others so that the mean stays.
///
/// - Parameters:
///   - p: The share of zeros.
///   - training: Without, `x` is the result.
public func stochasticDepth(_ x: Tensor, p: Double, mode: StochasticDepthMode, training: Bool = true) -> Tensor {
  guard training, p != 0, !x.isPoisoned else { return x }
  var sizes = [Dim](repeating: 1, count: x.rank)
  if mode == .row, x.rank > 0 { sizes[0] = x.shape[0] }
  return x * dropout(x.builder.full(TensorType(x.dtype, sizes), .float(1)), p: p)
}

/// The function `stochasticDepth` while training; the argument itself otherwise.
public struct StochasticDepth: Module {
  private let p: Double
  private let mode: StochasticDepthMode
  private let identity = LayerIdentity()

  /// The options as torchvision prints them.
  public var extraRepr: String { "p=\(p), mode=\(mode)" }

  /// Makes a layer with the given options.
  public init(_ p: Double, mode: StochasticDepthMode) {
    self.p = p
    self.mode = mode
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    identity.scope(of: x) { stochasticDepth(x, p: p, mode: mode, training: identity.isTraining(in: $0)) }
  }
}
