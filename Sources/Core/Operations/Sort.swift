/// The order that sorts an axis: where each element of the sorted axis comes from, as `i64`.
///
/// Stable: of equal elements the first stays first, in either direction. NaN counts as greater than everything, as in
/// PyTorch. The sorted elements are a gather of it, which has their gradient.
package struct ArgSort: OperationDefinition {
  package var axis: Int
  package var descending: Bool

  package init(axis: Int, descending: Bool = false) {
    self.axis = axis
    self.descending = descending
  }

  package var name: String { "arg_sort" }

  package var attributes: [(name: String, value: Attribute)] {
    [("axis", .integer(axis)), ("descending", .flag(descending))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    axis = try attributes.integer("axis")
    descending = try attributes.flag("descending")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    try TypeFault.requireAxes([axis], rank: operands[0].rank)
    return [operands[0].with(dtype: .i64)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.argSort(ArgSort(axis: axis + 1, descending: descending)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    if context.shape()[axis] < 2 { return .element { _ in context.scalars.constant(.integer(0), .i64) } }
    return .sort(SortDefinition(axis: axis, descending: descending) { context.operands[0][$0] })
  }

  /// Whether an element of a type belongs strictly before another.
  static func precedes(_ a: ScalarValue, _ b: ScalarValue, _ type: ScalarType, descending: Bool) -> Bool {
    let (low, high) = descending ? (b, a) : (a, b)
    if type.isFloat, high.double.isNaN || low.double.isNaN { return high.double.isNaN && !low.double.isNaN }
    return Pointwise.less.evaluate([low, high], type) == .integer(1)
  }
}
