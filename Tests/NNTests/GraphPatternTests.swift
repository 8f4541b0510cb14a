import Lathe
import TestSupport
import Testing

@Suite("Patterns in graphs")
struct GraphPatternTests {
  private let type = TensorType.f32(2, 3)

  @Test("every place is replaced, and the graph means the same")
  func replaces() throws {
    let graph = try trace(type, type) { a, b in
      let product = a.exp() * b.exp()
      return [product.exp() * (a + 1).exp(), product - b, a.exp() + b.exp()]
    }
    let pattern = try trace(type, type) { a, b in a.exp() * b.exp() }
    let sum = try trace(type, type) { a, b in (a + b).exp() }
    let (replaced, count) = try graph.replacingPattern(pattern, with: sum)
    #expect(count == 2)
    #expect(!replaced.nodes.contains { $0.operation == .pointwise(.multiply) })
    let inputs = [
      "input": NDArray([0, 0.5, 1, -1, 2, 0.25] as [Float]), "input1": NDArray([1, 2, 0, -2, 0.5, 1] as [Float]),
    ]
    .mapValues { array in unfailing { try array.reshaped([2, 3]) } }
    let names = graph.inputs.map(graph.inputName)
    let given = Dictionary(uniqueKeysWithValues: zip(names, inputs.sorted { $0.key < $1.key }.map(\.value)))
    let expected = try ReferenceEvaluator.run(graph, inputs: given).outputs
    for (name, output) in try ReferenceEvaluator.run(replaced, inputs: given).outputs {
      try assertClose(output, try #require(expected[name]), rtol: 1e-5, atol: 1e-5)
    }
  }

  @Test("a value that occurs twice in a pattern is one value, and places do not overlap")
  func bindings() throws {
    let square = try trace(type) { $0 * $0 }
    let power = try trace(type) { $0.pow(2) }
    let graph = try trace(type, type) { a, b in [a * a, a * b, (a * a) * (a * a)] }
    #expect(try graph.replacingPattern(square, with: power).count == 2)
    let twice = try trace(type) { $0.neg().exp().neg().exp() }
    let zero = try trace(type) { $0 * 0 }
    let chain = try trace(type) { $0.neg().exp().neg().exp().neg().exp() }
    #expect(try chain.replacingPattern(twice, with: zero).count == 1)
  }

  @Test("what is no pattern is refused")
  func refused() throws {
    let graph = try trace(type) { $0.exp() }
    let wide = try trace(.f32(4)) { $0.exp() }
    let same = try trace(type) { $0 }
    #expect(throws: DiagnosticsError.self) { try graph.replacingPattern(graph, with: wide) }
    #expect(throws: DiagnosticsError.self) { try graph.replacingPattern(same, with: graph) }
    let two = try trace(type) { [$0.exp(), $0.sin()] }
    #expect(throws: DiagnosticsError.self) { try graph.replacingPattern(two, with: two) }
  }
}
