/// Computes operations on literals, from their loop definitions: the default of constant folding.
///
/// Definitions that read their operands at affine places, which views and scalar functions do, are run over strips of
/// elements; the rest is left to the slow `ReferenceEvaluator` as far as it is small. Bits agree with it in either case.
package enum LiteralEvaluator {
  /// The most element computations that are left to `ReferenceEvaluator`.
  private static let referenceLimit = 1 << 16

  /// The results, or nil for control flow, for what would take long, and where an index is out of range: the run says so.
  package static func evaluate(
    _ operation: Operation, _ operands: [NDArray], _ types: [TensorType]
  ) -> [NDArray]? {
    guard types.count == 1, let shape = types[0].shape.known, let count = types[0].elementCount else { return nil }
    switch operation {
    case .conditional, .whileLoop, .scan, .call: return nil
    case .reshape, .detach: return [unfailing { try operands[0].reshaped(shape) }]
    default: break
    }
    let scalars = ScalarBuilder()
    let expressions = operands.enumerated().map { TensorExpression($1.type, in: BufferID($0), scalars) }
    let context = LoweringContext(operands: expressions, results: types, scalars: scalars)
    if count > 0, case .elements(let elements) = operation.definition.lower(context) {
      let variables = scalars.variables(shape)
      let root = elements[0](variables.map { Index($0) })
      if let strips = StripProgram(root, variables, scalars, operands) {
        return [NDArray(dtype: types[0].dtype, shape: shape) { strips.run(into: $0) }]
      }
    }
    guard work(operation, operands, count) <= referenceLimit else { return nil }
    return try? ReferenceEvaluator.evaluate(operation, operands, types)
  }

  /// How many elements are computed or read.
  private static func work(_ operation: Operation, _ operands: [NDArray], _ count: Int) -> Int {
    let read = operands.reduce(0) { $0 + $1.count }
    switch operation {
    case .dot(let dot): return count * max(1, dot.leftContracting.reduce(1) { $0 * operands[0].shape[$1] })
    case .convolution: return count * max(1, operands[1].shape.dropFirst().reduce(1, *))
    case .windowReduce(let payload): return count * payload.window.size.reduce(1, *)
    case .windowArgReduce(let payload): return count * payload.window.size.reduce(1, *)
    default: return count + read
    }
  }
}
