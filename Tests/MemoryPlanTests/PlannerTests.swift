import LatheMemory
import Testing

@Suite("Planner")
struct PlannerTests {
  @Test("the MiniMalloc example is packed at its lower bound")
  func example() throws {
    let problem = try Problem(buffers: [
      Buffer(id: "b1", lifetime: 0..<3, size: 4), Buffer(id: "b2", lifetime: 3..<9, size: 4),
      Buffer(id: "b3", lifetime: 0..<9, size: 4), Buffer(id: "b4", lifetime: 9..<21, size: 4),
      Buffer(id: "b5", lifetime: 0..<21, size: 4),
    ])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 12)
    #expect(result.lowerBound == 12)
    #expect(result.isOptimal)
  }
}
