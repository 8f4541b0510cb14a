import LatheCore
import Synchronization
import TestSupport
import Testing

@Suite struct PipelineTests {
  @Test(
    "the pipelines keep the meaning of every primitive and of its gradient",
    arguments: PrimitiveCase.all, [Pipeline.inference, Pipeline.training])
  func meaning(_ row: PrimitiveCase, _ pipeline: Pipeline) throws {
    var options = Pipeline.Options()
    options.verifyEach = true
    for dtype in row.dtypes {
      let graph = try row.graph(dtype)
      try expectSameMeaning(
        graph, try pipeline.run(graph, options).graph, inputs: row.inputs(dtype),
        tolerance: dtype == .f64 ? 1e-14 : 1e-6)
    }
    guard row.smoothness >= .once else { return }
    let gradient = try row.gradientGraph(.f64, order: 1)
    try expectSameMeaning(
      gradient, try pipeline.run(gradient, options).graph, inputs: row.inputs(.f64), tolerance: 1e-13)
  }

  private static let chain = """
    func main(%x: f32[3]) -> (%y: f32[3]) {
      %0 = negate %x : f32[3]
      %1 = negate %0 : f32[3]
      %2 = exp %1 : f32[3]
      %3 = negate %2 : f32[3]
      %4 = negate %3 : f32[3]
      return %4
    }
    """

  @Test func stopsAfterTheGivenNumberOfRewrites() throws {
    let graph = try Graph(parsing: Self.chain)
    var counts: [Int] = []
    for limit in 0...3 {
      var options = Pipeline.Options()
      options.stopAfter = limit
      let (result, report) = try Pipeline.inference.run(graph, options)
      #expect(report.rewriteCount == min(limit, 2))
      try expectSameMeaning(graph, result)
      counts.append(result.nodes.count)
    }
    #expect(counts == [6, 4, 2, 2])
  }

  @Test func aPassThatBreaksTheGraphIsNamedAndItsInputKept() throws {
    let graph = try Graph(parsing: Self.chain)
    let kept = Mutex("")
    var options = Pipeline.Options()
    options.verifyEach = true
    options.dump = { pass, text in
      kept.withLock { $0 = text }
      return "/tmp/\(pass).lathe"
    }
    let broken = Pass("break-output") { (graph, context) throws(DiagnosticsError) in
      try graph.rebuilt { node, _, operands, builder in
        node.operation == .pointwise(.exp)
          ? builder.apply(.reshape(Reshape([Dim(2)])), operands) : nil
      }
    }
    let error = #expect(throws: DiagnosticsError.self) {
      try Pipeline([.simplify, broken]).run(graph, options)
    }
    let diagnostic = try #require(error?.diagnostics.first)
    #expect(diagnostic.message.hasPrefix("pass break-output: reshape: [3] has 3 elements, [2] has 2"))
    #expect(diagnostic.help == "the graph before the pass is in /tmp/break-output.lathe")
    // What was kept is the graph between the two passes.
    #expect(try Graph(parsing: kept.withLock { $0 }) == Pipeline([.simplify]).run(graph).graph)
  }

  @Test func printsGraphsAfterPassesThatChangeThem() throws {
    let lines = Mutex<[String]>([])
    var options = Pipeline.Options()
    options.printAfter = .onChange
    options.print = { text in lines.withLock { $0.append(text) } }
    _ = try Pipeline.inference.run(try Graph(parsing: Self.chain), options)
    #expect(
      lines.withLock { $0 } == [
        """
        // after simplify
        func main(%x: f32[3]) -> (%y: f32[3]) {
          %0 = exp %x : f32[3]
          return %0
        }

        """
      ])
  }

  @Test func reportsWhatEveryPassHasDone() throws {
    let report = try Pipeline.inference.run(try Graph(parsing: Self.chain)).report
    #expect(report.entries.map(\.pass) == Pipeline.inference.passes.map(\.name))
    let entry = try #require(report.entries.first { $0.isChanged })
    #expect(entry.pass == "simplify")
    #expect(entry.rewrites == ["function-of-itself": 2])
    #expect((entry.nodesBefore, entry.nodesAfter) == (6, 2))
  }

  @Test func variablesThatAreReadOnlyBecomeLiterals() throws {
    try expectRewrite(
      """
      func main(%x: f32[2]) -> (%y: f32[2]) {
        var @w: f32[2] parameter = [1.0, 2.0]
        var @n: f32[2] buffer = [0.0, 0.0]
        %0 = multiply %x, @w : f32[2]
        %1 = add @n, %0 : f32[2]
        update @n = %1
        return %0
      }
      """, .freezeVariables,
      """
      func main(%x: f32[2]) -> (%y: f32[2]) {
        var @n: f32[2] buffer = [0.0, 0.0]
        %w = constant [1.0, 2.0] : f32[2]
        %0 = multiply %x, %w : f32[2]
        %1 = add @n, %0 : f32[2]
        update @n = %1
        return %0
      }
      """)
  }

  @Test func deadAndEqualNodesVanish() throws {
    try expectRewrite(
      """
      func main(%x: f32[2]) -> (%y: f32[2]) {
        %0 = detach %x : f32[2]
        %1 = exp %0 : f32[2]
        %2 = exp %x : f32[2]
        %3 = subtract %1, %2 : f32[2]
        %4 = sin %3 : f32[2]
        %5 = add %1, %2 : f32[2]
        return %5
      }
      """, .dropDetach,
      """
      func main(%x: f32[2]) -> (%y: f32[2]) {
        %0 = exp %x : f32[2]
        %1 = add %0, %0 : f32[2]
        return %1
      }
      """)
  }

  @Test func longChainsVanish() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(4))
    var y = x
    for _ in 0..<500 { y = (y.negate() + 0).negate().reshape([2, 2]).reshape([4]) }
    let graph = try builder.finish(name: "main", outputs: [("y", y)])
    #expect(try Pipeline.inference.run(graph).graph.nodes.count == 1)
  }
}
