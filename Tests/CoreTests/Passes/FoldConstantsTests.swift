import LatheCore
import TestSupport
import Testing

@Suite struct FoldConstantsTests {
  /// A literal of more elements than builders fold by themselves.
  private static func literal(_ shape: [Int]) throws -> NDArray {
    let count = shape.reduce(1, *)
    return try NDArray((0..<count).map { Float($0 % 17) / 4 - 2 }, shape: shape)
  }

  private func folded(_ graph: Graph, _ pipeline: Pipeline = Pipeline([.foldConstants])) throws -> Graph {
    var options = Pipeline.Options()
    options.verifyEach = true
    let result = try pipeline.run(graph, options).graph
    try expectSameMeaning(graph, result)
    return result
  }

  @Test("weights of eight bits are not folded to wider ones", arguments: [ScalarType.i8, .u8, .f8e4m3fn])
  func quantized(_ type: ScalarType) throws {
    let builder = Builder()
    let weights = builder.constant(try NDArray(repeating: .integer(1), dtype: type, shape: [64, 64]))
    let x = builder.input("x", .f32(64, 64))
    let graph = try builder.finish(name: "main", outputs: [("y", x * weights.convert(to: .f32))])
    #expect(try Pipeline([.foldConstants]).run(graph).graph == graph)
  }

  @Test func arithmeticOfWeightsBecomesOneLiteral() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(2, 40))
    let weight = try builder.constant(Self.literal([40, 40]))
    let scale = try builder.constant(Self.literal([40, 1]))
    let scaled = ((weight * scale).permute([1, 0]) + 1).reshape([40, 40])
    let y = x.dot(scaled, DotGeneral(leftContracting: [1], rightContracting: [0]))
    let graph = try folded(try builder.finish(name: "main", outputs: [("y", y)]))
    #expect(graph.nodes.map(\.operation.name) == ["input", "constant", "dot"])
  }

  @Test func weightsThatRepeatOneNumberStaySmall() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(1, 8))
    let weight = builder.full(.f32(8, 40), .float(0.5))
    let scaled = weight * weight.exp() * builder.full(.f32(8, 40), .float(3))
    let y = x.dot(scaled.permute([1, 0]), DotGeneral(leftContracting: [1], rightContracting: [1]))
    let graph = try folded(
      try builder.finish(name: "main", outputs: [("y", y)]), Pipeline([.simplify, .foldConstants, .simplify]))
    #expect(graph.nodes.map(\.operation.name) == ["input", "constant", "broadcast", "dot"])
    #expect(graph.nodes.compactMap { graph.literal($0) } == [1])
  }

  @Test func outerProductsAreNotExpanded() throws {
    let builder = Builder()
    let column = try builder.constant(Self.literal([600, 1]))
    let row = try builder.constant(Self.literal([1, 600]))
    let graph = try builder.finish(name: "main", outputs: [("y", column * row)])
    #expect(try Pipeline([.foldConstants]).run(graph).graph == graph)
  }

  @Test func smallMasksOfIndicesBecomeLiterals() throws {
    let builder = Builder()
    let type = TensorType.i64(12, 12)
    let mask = builder.iota(type, axis: 0) .>= builder.iota(type, axis: 1)
    let graph = try folded(try builder.finish(name: "main", outputs: [("y", mask)]))
    #expect(graph.nodes.map(\.operation.name) == ["constant"])
  }

  @Test("strips give the bits of the reference evaluator", arguments: PrimitiveCase.all)
  func strips(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes {
      // Every operand a literal: what the evaluator makes of each node is compared with the oracle.
      let graph = try row.graph(dtype)
      let inputs = row.inputs(dtype)
      let bound = try Self.withLiterals(graph, inputs)
      let result = try Pipeline([.foldConstants]).run(bound).graph
      try expectSameMeaning(bound, result, inputs: [:])
    }
  }

  /// The graph with its inputs replaced by variables that hold their contents, then frozen.
  private static func withLiterals(_ graph: Graph, _ inputs: [String: NDArray]) throws -> Graph {
    let builder = Builder()
    let arguments = graph.inputs.map { value in
      inputs[graph.inputName(value)].map {
        builder.variable(Variable(name: graph.inputName(value), role: .buffer, initial: $0))
      } ?? builder.poison
    }
    let results = graph.inlined(arguments, in: builder)
    let unfolded = try builder.finish(
      name: graph.name, outputs: zip(graph.outputs, results).map { ($0.name, $1) })
    return try Pipeline([.freezeVariables]).run(unfolded).graph
  }
}

extension Graph {
  /// The number of elements of a literal node.
  fileprivate func literal(_ node: Node) -> Int? {
    if case .constant(let constant) = node.operation { constant.array.count } else { nil }
  }
}
