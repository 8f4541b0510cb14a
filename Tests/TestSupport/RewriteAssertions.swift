public import LatheCore
public import Testing

/// Expects that a pass makes of one text another, and that both mean the same on numbers.
///
/// Literals, inputs and results are compared through the text form; comments and blank lines do not count.
///
/// - Parameters:
///   - after: Nil where the pass should change nothing.
///   - tolerance: How far apart relatively the results may be; 0 for the same bits.
public func expectRewrite(
  _ before: String, _ pass: Pass, _ after: String?, tolerance: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectRewrite(before, Pipeline([pass]), after, tolerance: tolerance, sourceLocation: sourceLocation)
}

/// The same for several passes in order.
public func expectRewrite(
  _ before: String, _ pipeline: Pipeline, _ after: String?, tolerance: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let given = try Graph(parsing: before)
  var options = Pipeline.Options()
  options.verifyEach = true
  let result = try pipeline.run(given, options).graph
  #expect(result.text == (try Graph(parsing: after ?? before)).text, sourceLocation: sourceLocation)
  try expectSameMeaning(given, result, tolerance: tolerance, sourceLocation: sourceLocation)
}

/// Expects that two graphs give the same numbers on inputs without pattern.
public func expectSameMeaning(
  _ a: Graph, _ b: Graph, inputs: [String: NDArray]? = nil, tolerance: Double = 0,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let inputs = inputs ?? PrimitiveCase.inputs(a)
  let expected = try ReferenceEvaluator.run(a, inputs: inputs)
  let actual = try ReferenceEvaluator.run(b, inputs: inputs)
  #expect(actual.updates.count == expected.updates.count, sourceLocation: sourceLocation)
  for (name, array) in expected.outputs.merging(expected.updates, uniquingKeysWith: { first, _ in first }) {
    let other = try #require(actual.outputs[name] ?? actual.updates[name], sourceLocation: sourceLocation)
    #expect(other.type == array.type, sourceLocation: sourceLocation)
    guard tolerance > 0, array.dtype.isFloat, other.count == array.count else {
      #expect(other == array, "\(name): \(other.values) instead of \(array.values)", sourceLocation: sourceLocation)
      continue
    }
    let scale = array.doubles.map(abs).filter(\.isFinite).max() ?? 0
    for (x, y) in zip(array.doubles, other.doubles) where !(x.isNaN && y.isNaN) && x != y {
      #expect(abs(x - y) <= tolerance * scale, "\(name): \(y) instead of \(x)", sourceLocation: sourceLocation)
    }
  }
}

extension PrimitiveCase {
  /// Contents for the inputs of a graph: numbers without pattern between -2 and 2, symbols bound to 3.
  static func inputs(_ graph: Graph) -> [String: NDArray] {
    let sizes = Dictionary(uniqueKeysWithValues: graph.symbols.map { ($0, 3) })
    var inputs: [String: NDArray] = [:]
    for (position, value) in graph.inputs.enumerated() {
      let type = graph.type(of: value).substituting(sizes)
      let shape = type.shape.known ?? []
      let numbers = spread(count: shape.reduce(1, *), -2...2, seed: position)
      let values: [ScalarValue] = numbers.map {
        type.dtype.isFloat ? .float($0) : .integer(Int(($0 * 2).rounded(.towardZero)))
      }
      inputs[graph.inputName(value)] = unfailing { try NDArray(dtype: type.dtype, shape: shape, values: values) }
    }
    return inputs
  }
}
