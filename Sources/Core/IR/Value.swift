/// A result of a node, by position: a name for a tensor in one graph.
public struct Value: Hashable, Sendable {
  /// The node's position in `Graph.nodes`.
  public var node: Int32
  /// Which of the node's results.
  public var result: Int32

  /// A result of a node, by positions.
  public init(node: Int, result: Int = 0) {
    self.node = Int32(node)
    self.result = Int32(result)
  }

  /// What an operation that could not be built gives; everything that is built on it is poisoned too, silently.
  public static let poison = Value(node: -1)

  /// Whether it stands for what could not be built.
  public var isPoison: Bool { node < 0 }
}

/// An application of an operation to values.
public struct Node: Hashable, Sendable {
  /// What is computed.
  public var operation: Operation
  /// What it is computed from.
  public var operands: [Value]
  /// The types of the results, as the operation's type rule gives them.
  public var types: [TensorType]

  /// An operation on operands with results of the given types.
  public init(operation: Operation, operands: [Value], types: [TensorType]) {
    self.operation = operation
    self.operands = operands
    self.types = types
  }
}
