import TestSupport
import Testing

@testable import LatheCore

/// Sizes that data decides, in graphs.
@Suite struct ExtentTests {
  /// The first `%n` elements of `%x`, with the lines given behind.
  private func text(_ lines: String, results: String, capacity: String = "8") -> String {
    """
    func main(%x: f32[8], %n: i64[], %m: i64[]) -> (\(results)) {
      %0 = extent %n {size: [?n0], capacity: [\(capacity)]} : i64[]
      %1 = slice %x {start: [0], limit: [?n0], stride: [1]} : f32[?n0]
      \(lines)
    }
    """
  }

  private func faults(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test("the text form comes back") func roundTrip() throws {
    let graph = try Graph(parsing: text("%2 = exp %1 : f32[?n0]\nreturn %2", results: "%y: f32[?n0]"))
    #expect(try Graph(parsing: graph.text) == graph)
    #expect(graph.capacities.map(\.size) == ["n0"] && graph.symbols.isEmpty)
    let bounded = try graph.bounded()
    #expect(try Graph(parsing: bounded.text) == bounded)
  }

  @Test("sizes that two numbers decide do not fit each other") func mixed() {
    let lines = """
      %2 = extent %m {size: [?n1], capacity: [8]} : i64[]
      %3 = slice %x {start: [0], limit: [?n1], stride: [1]} : f32[?n1]
      %4 = add %1, %3 : f32[?n0]
      return %4
      """
    let rendering = faults { _ = try Graph(parsing: text(lines, results: "%y: f32[?n0]"), file: "f.lathe") }
    #expect(rendering.hasPrefix("f.lathe:6:6: error: add: operands have different shapes, [?n0] and [?n1]"))
  }

  @Test("what defines a size stays as long as it is mentioned") func liveness() throws {
    let lines = """
      %2 = constant 1 : f32[]
      %3 = broadcast %2 {shape: [?n0], axes: []} : f32[?n0]
      %4 = reduce_sum %3 {axes: [0]} : f32[]
      return %4
      """
    let graph = try Graph(parsing: text(lines, results: "%y: f32[]"))
    try graph.verify()
    #expect(graph.capacities.map(\.size) == ["n0"])
  }

  @Test("element-wise operations are not masked, reductions are, by the number") func masks() throws {
    let graph = try Graph(
      parsing: text(
        "%2 = exp %1 : f32[?n0]\n%3 = reduce_max %2 {axes: [0]} : f32[]\nreturn %2, %3",
        results: "%y: f32[?n0], %z: f32[]"))
    let bounded = try graph.bounded()
    #expect(
      bounded.text == """
        func main(%x: f32[8], %n: i64[], %m: i64[]) -> (%y: f32[?n0], %z: f32[], %"?n0": i64[]) {
          %0 = extent %n {size: [?n0], capacity: [8]} : i64[]
          %1 = exp %x : f32[8]
          %2 = iota {dtype: i64, shape: [8], axis: 0} : i64[8]
          %3 = broadcast %0 {shape: [8], axes: []} : i64[8]
          %4 = less %2, %3 : bool[8]
          %5 = constant -inf : f32[]
          %6 = broadcast %5 {shape: [8], axes: []} : f32[8]
          %7 = select %4, %1, %6 : f32[8]
          %8 = reduce_max %7 {axes: [0]} : f32[]
          return %1, %8, %0
        }

        """)
  }

  @Test("a number that is known is a capacity that is filled") func known() throws {
    let graph = try Graph(
      parsing: text("%2 = reduce_max %1 {axes: [0]} : f32[]\nreturn %1, %2", results: "%y: f32[?n0], %z: f32[]"))
    let fixed = try graph.fixing(["n": NDArray(scalar: .integer(3), dtype: .i64)]).bounded()
    #expect(fixed.type(of: fixed.outputs[0].value) == .f32(3))
    #expect(faults { _ = try graph.fixing(["n": NDArray(scalar: .integer(9), dtype: .i64)]) } != "")
  }

  @Test("a cut that may lie outside is told") func outside() throws {
    let graph = try Graph(
      parsing: text("%2 = slice %1 {start: [0], limit: [4], stride: [1]} : f32[4]\nreturn %2", results: "%y: f32[4]"),
      file: "f.lathe")
    #expect(
      faults { _ = try graph.bounded() }.hasPrefix(
        "f.lathe:4:8: error: slice: 0 ..< 4 may lie outside of axis 0 of f32[?n0]"))
    let fitting = try Graph(
      parsing: text(
        "%2 = slice %1 {start: [0], limit: [min(?n0, 4)], stride: [1]} : f32[min(?n0, 4)]\nreturn %2",
        results: "%y: f32[min(?n0, 4)]"))
    #expect(try fitting.bounded().outputs.count == 2)
  }

  @Test("the verifier wants every size defined once, before it is mentioned") func verifier() throws {
    let graph = try Graph(parsing: text("return %1", results: "%y: f32[?n0]"))
    var undefined = graph
    undefined.nodes[3] = Node(operation: .detach(Detach()), operands: [Value(node: 1)], types: [.scalar(.i64)])
    #expect(faults { try undefined.verify() }.contains("slice: the size ?n0 is not defined before"))
    var twice = graph
    twice.nodes.append(graph.nodes[3])
    twice.locations.append(Location())
    #expect(faults { try twice.verify() }.contains("extent: the size ?n0 is defined twice"))
    var input = graph
    input.nodes[0] = Node(
      operation: .input(Input("x", TensorType(.f32, [Dim(extent: "n0")]))), operands: [],
      types: [TensorType(.f32, [Dim(extent: "n0")])])
    #expect(faults { try input.verify() }.contains("has a size that data decides"))
  }

  @Test("what is decided inside of a sub-graph does not leave it") func regions() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(4))
    do {
      _ = try builder.region([x.type]) { inner, values in
        let count = (values[0] .> 0).convert(to: .i64).reduce(.sum, axes: [0])
        let size = inner.extent(count, capacity: 4)
        return [values[0].slice(start: [0], limit: [size], stride: [1])]
      }
      Issue.record("the region was built")
    } catch {
      #expect(error.message.contains("whose size is decided inside"))
    }
  }

  @Test("one number of one capacity is one size") func interned() {
    let builder = Builder()
    let n = builder.input("n", .scalar(.i64))
    #expect(builder.extent(n, capacity: 4) == builder.extent(n, capacity: 4))
    #expect(builder.extent(n, capacity: 4) != builder.extent(n, capacity: 5))
    #expect(builder.extent(n + 1, capacity: 4).extents == ["n2"])
    #expect(builder.extent(builder.scalar(.integer(3), .i64), capacity: 4) == 3)
  }

  @Test(
    "bounds of sizes",
    arguments: [("?n0", "min(?n0, 4)"), ("2*?n0", "?n0"), ("?n0 + 1", "1"), ("?n0", "0"), ("N*?n0", "0")])
  func atLeast(_ larger: String, _ smaller: String) throws {
    func size(_ text: String) throws -> Dim {
      let graph = try Graph(parsing: "func f(%x: f32[\(text)]) -> () {\nreturn\n}")
      return graph.type(of: graph.inputs[0]).shape[0]
    }
    #expect(try size(larger).isAtLeast(try size(smaller)))
    #expect(try !size(smaller).isAtLeast(try size(larger) + 1))
    #expect(try !size("?n0").isAtLeast(1) && size("N").isAtLeast(1))
  }
}
