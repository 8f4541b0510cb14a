import LatheCore
import TestSupport
import Testing

/// Every pullback against central differences of the oracle's values, in `f64`.
@Suite struct GradientTests {
  private static let step = 1e-6

  @Test("the gradient agrees with central differences", arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func first(_ row: PrimitiveCase) throws { try check(row, order: 1) }

  @Test(
    "the gradient of the gradient agrees with central differences",
    arguments: PrimitiveCase.all.filter { $0.smoothness >= .twice })
  func second(_ row: PrimitiveCase) throws { try check(row, order: 2) }

  private func check(_ row: PrimitiveCase, order: Int) throws {
    let inputs = row.inputs(.f64)
    let loss = try row.lossGraph(.f64, order: order)
    let gradients = try ReferenceEvaluator.run(try row.gradientGraph(.f64, order: order), inputs: inputs).outputs
    for (name, array) in inputs where array.dtype == .f64 {
      let gradient = try #require(gradients["grad/\(name)"])
      #expect(gradient.type == array.type)
      for position in array.doubles.indices {
        func value(_ offset: Double) throws -> Double {
          var moved = array.doubles
          moved[position] += offset
          var changed = inputs
          changed[name] = NDArray(moved, shape: array.shape)
          return try #require(ReferenceEvaluator.run(loss, inputs: changed).outputs["loss"]).doubles[0]
        }
        let expected = (try value(Self.step) - value(-Self.step)) / (2 * Self.step)
        let actual = gradient.doubles[position]
        #expect(
          abs(actual - expected) <= 1e-5 * abs(expected) + 1e-7,
          "\(name)[\(position)]: \(actual), differences give \(expected)")
      }
    }
  }
}
