public import LatheCore

/// The product of sizes, of which a hostile one gives a number that no tensor has.
func product(_ sizes: [Int]) -> Int { sizes.map { Dimension($0) }.elementCount.known ?? 0 }

/// A named tensor of a module: a trained weight, or a buffer that is kept with the weights.
///
/// A parameter is known by its identity: it says what the tensor is, not what it holds. Its name is its place in the
/// module that is traced, its content is given or drawn when tracing, and changes as a graph update only.
public final class Parameter: Sendable {
  /// The element type and shape.
  public let type: TensorType
  /// Whether it is trained.
  public let role: Variable.Role
  /// What it holds at first.
  public let initializer: Initializer

  /// Declares a parameter.
  ///
  /// - Parameter shape: Known, positive sizes; others are reported when a module with the parameter is traced.
  public init(
    _ shape: [Int], dtype: ScalarType = .f32, role: Variable.Role = .parameter, initializer: Initializer
  ) {
    type = TensorType(dtype, shape)
    self.role = role
    self.initializer = initializer
  }

  /// The parameter's content in the graph that `tensor` belongs to.
  public func callAsFunction(for tensor: Tensor) -> Tensor { read(in: tensor.builder) }

  /// The parameter's content in a graph.
  func read(in builder: Builder) -> Tensor {
    guard let variable = variable(in: builder) else { return builder.poison }
    return builder.variable(variable)
  }

  /// What the parameter holds by now, after the updates of calls before.
  func updated(in builder: Builder) -> Tensor {
    guard let variable = variable(in: builder) else { return builder.poison }
    return builder.content(variable)
  }

  /// Makes a tensor the parameter's content after the run.
  func update(to value: Tensor) {
    if let variable = variable(in: value.builder) { value.builder.update(variable.name, to: value) }
  }

  private func variable(in builder: Builder) -> Variable? {
    let names = builder.context as? ModuleNames
    if let variable = names?.variables[ObjectIdentifier(self)] { return variable }
    if names?.faulty.contains(ObjectIdentifier(self)) != true {
      builder.report(
        Diagnostic(
          "a parameter of shape \(type) is not part of the traced module",
          help: "store the layer as a property of the module that is given to trace"))
    }
    return nil
  }
}
