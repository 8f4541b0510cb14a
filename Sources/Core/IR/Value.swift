/// A result of a node, by position: a name for a tensor in one graph.
public struct Value: Hashable, Sendable {
  /// The node's position in `Graph.nodes`.
  public var node: Int32
  /// Which of the node's results.
  public var result: Int32

  /// A result of a node, by positions.
  package init(node: Int, result: Int = 0) {
    self.node = Int32(node)
    self.result = Int32(result)
  }

  /// What an operation that could not be built gives; everything that is built on it is poisoned too, silently.
  package static let poison = Value(node: -1)

  /// Whether it stands for what could not be built.
  package var isPoison: Bool { node < 0 }
}

/// An application of an operation to values.
public struct Node: Hashable, Sendable {
  /// What is computed.
  package var operation: Operation
  /// What it is computed from.
  public var operands: [Value]
  /// The types of the results, as the operation's type rule gives them.
  public var types: [TensorType]

  /// The name of its operation, as in the graph's text: `add`, `convolution`.
  public var name: String { operation.name }

  /// An operation on operands with results of the given types.
  package init(operation: Operation, operands: [Value], types: [TensorType]) {
    self.operation = operation
    self.operands = operands
    self.types = types
  }
}
