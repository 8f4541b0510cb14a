/// Rounds every element to another type: floats to nearest even, floats to integers towards zero (NaN to 0, out of range
/// to the nearest end), integers wrap, anything but zero is `true`.
package struct Convert: OperationDefinition {
  package var target: ScalarType

  package init(_ target: ScalarType) {
    self.target = target
  }

  package var name: String { "convert" }

  package var attributes: [(name: String, value: Attribute)] { [("to", .type(target))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    target = try attributes.type("to")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    return [operands[0].with(dtype: target)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] {
    let source = context.operands[0].dtype
    return [source.isFloat && target.isFloat ? context.cotangent.convert(to: source) : nil]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.convert(self))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { context.scalars.convert(context.operands[0][$0], target) }
  }
}

/// Reads the bits of every element as another type of the same size.
package struct Bitcast: OperationDefinition {
  package var target: ScalarType

  package init(_ target: ScalarType) {
    self.target = target
  }

  package var name: String { "bitcast" }

  package var attributes: [(name: String, value: Attribute)] { [("to", .type(target))] }

  init(_ attributes: Attributes) throws(TypeFault) {
    target = try attributes.type("to")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard target != .bool, operands[0].dtype != .bool else { throw TypeFault("is not defined on bool") }
    guard operands[0].dtype.bitCount == target.bitCount else {
      throw TypeFault("\(operands[0].dtype) and \(target) have different sizes")
    }
    return [operands[0].with(dtype: target)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.bitcast(self))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { context.scalars.bitcast(context.operands[0][$0], target) }
  }
}

/// The operand itself, through which no gradient flows.
package struct Detach: OperationDefinition {
  package init() {}

  package var name: String { "detach" }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    return operands
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.detach(self))
  }

  package func lower(_ context: LoweringContext) -> Definition { .element { context.operands[0][$0] } }
}
