/// An argument of the graph.
public struct Input: OperationDefinition {
  public var argument: String
  public var type: TensorType

  public init(_ argument: String, _ type: TensorType) {
    self.argument = argument
    self.type = type
  }

  public var name: String { "input" }

  public func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    for size in type.shape {
      if let known = size.known, known < 0 { throw TypeFault("the size \(known) is negative") }
    }
    return [type]
  }

  public func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  public func lower(_ context: LoweringContext) -> Definition { .controlFlow }

  public func substituting(_ bindings: [String: Int]) -> Input { Input(argument, type.substituting(bindings)) }
}

/// The content of a variable before the run.
public struct VariableRead: OperationDefinition {
  public var variable: String
  public var type: TensorType

  public init(_ variable: String, _ type: TensorType) {
    self.variable = variable
    self.type = type
  }

  public var name: String { "variable" }

  public func infer(_ operands: [TensorType]) -> [TensorType] { [type] }

  public func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  public func lower(_ context: LoweringContext) -> Definition { .controlFlow }
}

/// A literal.
public struct Constant: OperationDefinition {
  public var array: NDArray

  public init(_ array: NDArray) {
    self.array = array
  }

  public var name: String { "constant" }

  public var attributes: [(name: String, value: Attribute)] { [("value", .array(array))] }

  public func infer(_ operands: [TensorType]) -> [TensorType] { [array.type] }

  public func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  /// A literal without axes is written into the code; larger ones are buffers, which the program's lowering provides.
  public func lower(_ context: LoweringContext) -> Definition {
    let value = array.first ?? .integer(0)
    return .element { _ in context.scalars.constant(value, array.dtype) }
  }
}

/// The index along one axis: `iota[.., i, ..] = i`.
public struct Iota: OperationDefinition {
  public var type: TensorType
  public var axis: Int

  public init(_ type: TensorType, axis: Int) {
    self.type = type
    self.axis = axis
  }

  public var name: String { "iota" }

  public var attributes: [(name: String, value: Attribute)] {
    [("dtype", .type(type.dtype)), ("shape", .dimensions(type.shape)), ("axis", .integer(axis))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    type = TensorType(try attributes.type("dtype"), try attributes.dimensions("shape"))
    axis = try attributes.integer("axis")
  }

  public func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireAxes([axis], rank: type.rank)
    guard type.dtype != .bool else { throw TypeFault("is not defined on bool") }
    return [type]
  }

  public func pullback(_ context: PullbackContext) -> [Tensor?] { [] }

  public func lower(_ context: LoweringContext) -> Definition {
    .element { index in context.scalars.convert(context.scalars.index(index[axis]), type.dtype) }
  }

  public func substituting(_ bindings: [String: Int]) -> Iota { Iota(type.substituting(bindings), axis: axis) }
}
