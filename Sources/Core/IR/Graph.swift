/// A named tensor that lives longer than one run: a parameter, a running statistic, an optimiser moment, a counter.
public struct Variable: Hashable, Sendable {
  /// What a variable is to training.
  public enum Role: String, Hashable, Sendable {
    /// Trained: gradients are taken with respect to it.
    case parameter
    /// Kept with the parameters, not trained (PyTorch's buffers).
    case buffer
  }

  /// The name, a path of layers: `encoder.weight`.
  public var name: String
  /// The type of its content.
  public var type: TensorType
  /// What it is to training.
  public var role: Role
  /// What the variable holds before the first run.
  public var initial: NDArray

  /// A variable of the type of its initial content.
  public init(name: String, role: Role, initial: NDArray) {
    self.name = name
    self.type = initial.type
    self.role = role
    self.initial = initial
  }
}

/// A pure function from inputs and variables to outputs and new variable contents, in static single assignment form.
///
/// Nodes are in topological order: an operand's node precedes its user. Graphs are made by `Builder` only.
public struct Graph: Sendable {
  /// A named result.
  public struct Output: Hashable, Sendable {
    /// The output's name.
    public var name: String
    /// The value that it is.
    public var value: Value
    /// The sizes of which the value has the capacities, where data decides some; nil where the value's own are meant.
    ///
    /// Only the pass `bound-sizes` makes such outputs. The output named `?n0` then holds the number that `?n0` is.
    public var shape: [Dim]?

    /// A value under a name.
    public init(name: String, value: Value, shape: [Dim]? = nil) {
      self.name = name
      self.value = value
      self.shape = shape
    }
  }

  /// A variable's content after the run.
  public struct Update: Hashable, Sendable {
    /// The variable's name.
    public var variable: String
    /// The value that it holds then.
    public var value: Value

    /// A variable and its next content.
    public init(variable: String, value: Value) {
      self.variable = variable
      self.value = value
    }
  }

  /// The function's name.
  public var name: String
  /// The operations, operands before their users.
  public internal(set) var nodes: [Node]
  /// The input nodes, in the order of the function's arguments.
  public internal(set) var inputs: [Value]
  /// The results, in order.
  public internal(set) var outputs: [Output]
  /// The variables that a run changes.
  public internal(set) var updates: [Update]
  /// The variables that the graph reads or writes, in the order in which they were declared.
  public internal(set) var variables: [Variable]
  /// Where each node comes from; a side table, so that provenance never keeps equal nodes apart.
  public internal(set) var locations: [Location]

  /// The type of a value.
  public func type(of value: Value) -> TensorType { nodes[Int(value.node)].types[Int(value.result)] }

  /// The type of an output as callers see it.
  public func type(of output: Output) -> TensorType {
    let type = type(of: output.value)
    return output.shape.map { type.with(shape: $0) } ?? type
  }

  /// The node that a value is a result of.
  public subscript(value: Value) -> Node { nodes[Int(value.node)] }

  /// The name of an input, empty for other values.
  public func inputName(_ value: Value) -> String {
    if case .input(let input) = self[value].operation { return input.argument }
    return ""
  }

  /// The variable of a name; nil where there is none.
  public func variable(named name: String) -> Variable? { variables.first { $0.name == name } }

  /// The graph with other initial contents of some variables, of their types.
  package func settingVariables(_ contents: [String: NDArray]) -> Graph {
    var result = self
    for (position, variable) in variables.enumerated() {
      guard let content = contents[variable.name], content.type == variable.type else { continue }
      result.variables[position].initial = content
    }
    return result
  }

  /// The literal that a value is, where it is one.
  public func literal(_ value: Value) -> NDArray? {
    if case .constant(let constant) = self[value].operation { return constant.array }
    return nil
  }

  /// The symbols that occur in the types of the inputs, sorted.
  public var symbols: [String] {
    Set(inputs.flatMap { type(of: $0).shape.flatMap(\.symbols) }).sorted()
  }
}

/// Equality of structure: locations and names of graphs do not count.
extension Graph: Hashable {
  /// Whether two graphs compute the same in the same way, wherever their nodes come from.
  public static func == (a: Graph, b: Graph) -> Bool {
    a.nodes == b.nodes && a.inputs == b.inputs && a.outputs == b.outputs && a.updates == b.updates
      && a.variables == b.variables
  }

  /// Adds what `==` compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(nodes)
    hasher.combine(outputs)
  }
}
