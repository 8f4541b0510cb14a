import LatheCore
import Testing

@Suite struct ReferenceEvaluatorTests {
  private func run(
    _ text: String, _ inputs: [String: NDArray], _ variables: [String: NDArray] = [:]
  ) throws -> (outputs: [String: NDArray], updates: [String: NDArray]) {
    try ReferenceEvaluator.run(try Graph(parsing: text), inputs: inputs, variables: variables)
  }

  @Test("symbols take their sizes from the inputs") func symbols() throws {
    let text = """
      func main(%x: f32[N,2]) -> (%y: f32[2*N]) {
        %0 = reshape %x {shape: [2*N]} : f32[2*N]
        return %0
      }
      """
    let x = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
    #expect(try run(text, ["x": x]).outputs["y"] == x.reshaped([6]))
  }

  @Test("variables are read before and updated after the run") func state() throws {
    let text = """
      func main() -> (%before: i64[]) {
        var @count: i64[] buffer = 5
        %0 = constant 1 : i64[]
        %1 = add @count, %0 : i64[]
        update @count = %1
        return @count
      }
      """
    let first = try run(text, [:])
    #expect(first.outputs["before"]?.integers == [5] && first.updates["count"]?.integers == [6])
    let second = try run(text, [:], first.updates)
    #expect(second.outputs["before"]?.integers == [6] && second.updates["count"]?.integers == [7])
  }

  @Test("while repeats as long as its condition holds, perhaps never", arguments: [(1.0, 7), (100.0, 0), (400.0, 0)])
  func loops(_ start: Double, _ steps: Int) throws {
    let text = """
      func main(%x: f64[]) -> (%x: f64[], %steps: i64[]) {
        %zero = constant 0 : i64[]
        %1, %2 = while %x, %zero {
          state: 2,
          condition: func f(%x: f64[], %n: i64[]) -> (%go: bool[]) {
            %limit = constant 100.0 : f64[]
            %0 = less %x, %limit : bool[]
            return %0
          },
          body: func f(%x: f64[], %n: i64[]) -> (%x: f64[], %n: i64[]) {
            %0 = add %x, %x : f64[]
            %1 = constant 1 : i64[]
            %2 = add %n, %1 : i64[]
            return %0, %2
          }
        } : f64[], i64[]
        return %1, %2
      }
      """
    let outputs = try run(text, ["x": try NDArray([start], shape: [])]).outputs
    #expect(outputs["steps"]?.integers == [steps])
    #expect(outputs["x"]?.doubles == [start * Double(1 << steps)])
  }

  @Test("scan carries and stacks, forwards and in reverse", arguments: [(false, [1, 3, 6]), (true, [6, 5, 3])])
  func scans(_ reverse: Bool, _ sums: [Int]) throws {
    let text = """
      func main(%x: i64[3]) -> (%last: i64[], %all: i64[3]) {
        %zero = constant 0 : i64[]
        %1, %2 = scan %zero, %x {
          length: [3], carry: 1, sequences: 1, reverse: \(reverse),
          body: func f(%sum: i64[], %x: i64[]) -> (%sum: i64[], %out: i64[]) {
            %0 = add %sum, %x : i64[]
            return %0, %0
          }
        } : i64[], i64[3]
        return %1, %2
      }
      """
    let outputs = try run(text, ["x": NDArray([1, 2, 3] as [Int64])]).outputs
    #expect(outputs["last"]?.integers == [6] && outputs["all"]?.integers == sums)
  }

  @Test(
    "what does not fit is a diagnostic",
    arguments: [
      ([:], "error: input 'x' is missing"),
      (["x": try NDArray.zeros(.f64, [2, 3])], "error: input 'x' is f32[2,3], given f64[2,3]"),
      (["x": try NDArray.zeros(.f32, [2])], "error: input 'x' is f32[N,3], given f32[2]"),
      (["x": try NDArray.zeros(.f32, [2, 4])], "error: input 'x' is f32[2,3], given f32[2,4]"),
    ] as [([String: NDArray], String)])
  func faults(_ inputs: [String: NDArray], _ rendering: String) throws {
    let graph = try Graph(parsing: "func main(%x: f32[N,3]) -> (%y: f32[N,3]) {\n%0 = exp %x : f32[N,3]\nreturn %0\n}")
    let error = #expect(throws: DiagnosticsError.self) { try ReferenceEvaluator.run(graph, inputs: inputs) }
    #expect(error?.description == rendering)
  }

  @Test("64-bit integers are exact, and wrap") func integers() throws {
    let text = """
      func main(%x: i64[2,3]) -> (%sum: i64[2], %product: i64[2], %dot: i64[2,2]) {
        %0 = reduce_sum %x {axes: [1]} : i64[2]
        %1 = reduce_product %x {axes: [1]} : i64[2]
        %2 = dot %x, %x {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : i64[2,2]
        return %0, %1, %2
      }
      """
    let rows: [[Int]] = [[1 << 53 + 1, 3, -5], [3_037_000_499, 1, 3_037_000_493]]
    let x = try NDArray(dtype: .i64, shape: [2, 3], values: rows.joined().map { .integer($0) })
    let outputs = try run(text, ["x": x]).outputs
    #expect(outputs["sum"]?.integers == rows.map { $0.reduce(0, &+) })
    #expect(outputs["product"]?.integers == rows.map { $0.reduce(1, &*) })
    #expect(
      outputs["dot"]?.integers
        == rows.flatMap { left in rows.map { right in zip(left, right).reduce(0) { $0 &+ $1.0 &* $1.1 } } })
  }

  @Test("reductions over nothing give their identity") func empty() throws {
    let text = """
      func main(%x: f32[0,2]) -> (%sum: f32[2], %product: f32[2], %max: f32[2]) {
        %0 = reduce_sum %x {axes: [0]} : f32[2]
        %1 = reduce_product %x {axes: [0]} : f32[2]
        %2 = reduce_max %x {axes: [0]} : f32[2]
        return %0, %1, %2
      }
      """
    let outputs = try run(text, ["x": try NDArray.zeros(.f32, [0, 2])]).outputs
    #expect(outputs["sum"]?.doubles == [0, 0] && outputs["product"]?.doubles == [1, 1])
    #expect(outputs["max"]?.doubles == [-Double.infinity, -.infinity])
  }
}
