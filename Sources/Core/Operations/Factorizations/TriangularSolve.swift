/// The solution `x` of `a x = b` for matrices `a[.., n, n]`, of which one triangle is read, and `b[.., n, k]`.
package struct TriangularSolve: OperationDefinition {
  package var upper: Bool
  /// The diagonal is taken to be ones and not read.
  package var unit: Bool
  /// A zero on the diagonal fails the run; otherwise the solution is not finite there.
  package var checked: Bool

  package init(upper: Bool, unit: Bool = false, checked: Bool = false) {
    self.upper = upper
    self.unit = unit
    self.checked = checked
  }

  package var name: String { "triangular_solve" }

  package var attributes: [(name: String, value: Attribute)] {
    [("upper", .flag(upper)), ("unit", .flag(unit)), ("checked", .flag(checked))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    upper = try attributes.flag("upper")
    unit = try attributes.flag("unit")
    checked = try attributes.flag("checked")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 2)
    try TypeFault.requireSameType(operands)
    let a = try TypeFault.requireMatrix(operands[0], isSquare: true)
    let b = try TypeFault.requireMatrix(operands[1])
    guard a.batch == b.batch else {
      throw TypeFault("the leading axes of \(operands[0]) and \(operands[1]) differ")
    }
    guard a.rows == b.rows else {
      throw TypeFault("\(operands[0]) has \(a.rows) rows, the right-hand sides \(operands[1]) have \(b.rows)")
    }
    return [operands[1]]
  }

  /// `db = a⁻ᵀ dx`, and `da = -db xᵀ` in the triangle that is read.
  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    let db = context.operands[0].transposed.triangularSolve(
      context.cotangent, upper: !upper, unit: unit, checked: checked)
    guard context.wanted[0] else { return [nil, db] }
    let da = -db.matrixProduct(context.results[0].transposed)
    return [upper ? da.upperTriangle(strict: unit) : da.lowerTriangle(strict: unit), db]
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    context.apply(.factorization(.triangularSolve(self)))
  }

  package func lower(_ context: LoweringContext) -> Definition {
    let shape = context.results[0].sizes
    let flags = [upper, unit, checked].map { $0 ? 1 : 0 }
    return .routine(Routine(.triangularSolve, context.results[0].dtype, Array(shape.suffix(2)) + flags))
  }
}
