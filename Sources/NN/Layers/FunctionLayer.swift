public import LatheCore

/// A layer that does no more than apply a function, with the options that it was made with.
///
/// It says what it applies once, when it is made; calls, paths and printing follow from that.
public protocol FunctionLayer<Input>: Module where Output == Tensor {
  /// What the function is of.
  associatedtype Input

  /// What the layer applies.
  var function: LayerFunction<Input> { get }
}

extension FunctionLayer {
  /// The options as PyTorch prints them.
  public var extraRepr: String { function.extraRepr }

  /// Applies the layer in the graph of its arguments.
  public func callAsFunction(_ input: Input) -> Tensor { function(input) }
}

/// What a ``FunctionLayer`` applies: a function of one tensor to four, its options, and the layer's identity.
public struct LayerFunction<Input>: Sendable, LayerIdentified {
  let identity = LayerIdentity()
  let extraRepr: String
  private let first: @Sendable (Input) -> Tensor
  private let body: @Sendable (Input) -> Tensor

  fileprivate init(
    _ text: String, first: @escaping @Sendable (Input) -> Tensor, _ body: @escaping @Sendable (Input) -> Tensor
  ) {
    extraRepr = text
    self.first = first
    self.body = body
  }

  func callAsFunction(_ input: Input) -> Tensor { identity.scope(of: first(input)) { _ in body(input) } }
}

extension LayerFunction<Tensor> {
  /// - Parameter options: What the layer prints.
  init(_ options: KeyValuePairs<String, Any?> = [:], _ body: @escaping @Sendable (Tensor) -> Tensor) {
    self.init(text: LatheNN.options(options), body)
  }

  /// - Parameter text: What the layer prints.
  init(text: String, _ body: @escaping @Sendable (Tensor) -> Tensor) { self.init(text, first: { $0 }, body) }
}

extension LayerFunction<(Tensor, Tensor)> {
  init(_ body: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
    self.init("", first: { $0.0 }) { body($0.0, $0.1) }
  }
}

extension LayerFunction<(Tensor, Tensor, Tensor)> {
  init(_ body: @escaping @Sendable (Tensor, Tensor, Tensor) -> Tensor) {
    self.init("", first: { $0.0 }) { body($0.0, $0.1, $0.2) }
  }
}

extension LayerFunction<(Tensor, Tensor, Tensor, Tensor)> {
  init(_ body: @escaping @Sendable (Tensor, Tensor, Tensor, Tensor) -> Tensor) {
    self.init("", first: { $0.0 }) { body($0.0, $0.1, $0.2, $0.3) }
  }
}
