/// An argument of the graph.
package struct Input: OperationDefinition {
  package var argument: String
  package var type: TensorType

  package init(_ argument: String, _ type: TensorType) {
    self.argument = argument
    self.type = type
  }

  package var name: String { "input" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    for size in type.shape {
      if let known = size.known, known < 0 { throw TypeFault("the size \(known) is negative") }
    }
    return [type]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  package func substituting(_ bindings: [String: Int]) -> Input { Input(argument, type.substituting(bindings)) }
}

/// The content of a variable before the run.
package struct VariableRead: OperationDefinition {
  package var variable: String
  package var type: TensorType

  package init(_ variable: String, _ type: TensorType) {
    self.variable = variable
    self.type = type
  }

  package var name: String { "variable" }

  package func infer(_ operands: [TensorType]) -> [TensorType] { [type] }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  package func lower(_ context: LoweringContext) -> Definition { .controlFlow }
}

/// A literal.
package struct Constant: OperationDefinition {
  package var array: NDArray

  package init(_ array: NDArray) {
    self.array = array
  }

  package var name: String { "constant" }

  package var attributes: [(name: String, value: Attribute)] { [("value", .array(array))] }

  package func infer(_ operands: [TensorType]) -> [TensorType] { [array.type] }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  /// A literal without axes is written into the code; larger ones are buffers, which the program's lowering provides.
  package func lower(_ context: LoweringContext) -> Definition {
    let value = array.first ?? .integer(0)
    return .element { _ in context.scalars.constant(value, array.dtype) }
  }
}

/// The index along one axis: `iota[.., i, ..] = i`.
package struct Iota: OperationDefinition {
  package var type: TensorType
  package var axis: Int

  package init(_ type: TensorType, axis: Int) {
    self.type = type
    self.axis = axis
  }

  package var name: String { "iota" }

  package var attributes: [(name: String, value: Attribute)] {
    [("dtype", .type(type.dtype)), ("shape", .dimensions(type.shape)), ("axis", .integer(axis))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    type = TensorType(try attributes.type("dtype"), try attributes.dimensions("shape"))
    axis = try attributes.integer("axis")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireAxes([axis], rank: type.rank)
    guard type.dtype != .bool else { throw TypeFault("is not defined on bool") }
    return [type]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { index in context.scalars.convert(context.scalars.index(index[axis]), type.dtype) }
  }

  package func substituting(_ bindings: [String: Int]) -> Iota { Iota(type.substituting(bindings), axis: axis) }
}
