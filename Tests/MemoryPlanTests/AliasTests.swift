import LatheMemory
import Testing

@Suite("Aliases")
struct AliasTests {
  private func buffer(_ id: String, _ lifetime: Range<Int>, _ size: Int, alignment: Int = 1) -> Buffer {
    Buffer(id: id, lifetime: lifetime, size: size, alignment: alignment)
  }

  @Test("views lie where their base puts them, and keep it alive")
  func views() throws {
    let problem = try Problem(
      buffers: [
        buffer("concat", 2..<4, 96), buffer("left", 0..<3, 32), buffer("right", 1..<3, 64),
        buffer("reshape", 3..<6, 96), buffer("other", 5..<6, 10),
      ],
      aliases: [.view(1, of: 0), .view(2, of: 0, at: 32), .view(3, of: 0)])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 106)
    #expect(result.offsets[2] == result.offsets[0] + 32)
    #expect(result.offsets[3] == result.offsets[0])
  }

  @Test("a dying input is overwritten in place")
  func inPlace() throws {
    let chain = (0..<5).map { buffer("x\($0)", $0..<$0 + 2, 100) }
    let apart = try Problem(buffers: chain)
    #expect(plan(apart).height == 200)
    let joined = try Problem(buffers: chain, aliases: (1..<5).map { .inPlace($0, over: $0 - 1) })
    let result = plan(joined)
    try validate(joined, result)
    #expect(result.height == 100)
  }

  @Test(
    "what does not permit overwriting keeps the buffers apart",
    arguments: [
      (Range(0...4), 100, 1), (0..<2, 120, 1), (0..<1, 100, 1), (0..<3, 100, 1),
    ])
  func apart(span: Range<Int>, size: Int, alignment: Int) throws {
    // Too long a life, a larger successor, a pause before it, and a life one step too long.
    let problem = try Problem(
      buffers: [buffer("x", span, 100), buffer("y", (span == 0..<1 ? 2 : 1)..<5, size, alignment: alignment)],
      aliases: [.inPlace(1, over: 0)])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == (span == 0..<1 ? 100 : 100 + size))
  }

  @Test("a view that outlives the step prevents overwriting")
  func outlivingView() throws {
    let problem = try Problem(
      buffers: [buffer("x", 0..<2, 100), buffer("view", 1..<4, 100), buffer("y", 1..<3, 100)],
      aliases: [.view(1, of: 0), .inPlace(2, over: 0)])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 200)
  }

  @Test("the input of a concatenation may itself be computed in place")
  func inPlaceIntoView() throws {
    let problem = try Problem(
      buffers: [
        buffer("whole", 3..<5, 100), buffer("right", 2..<4, 60), buffer("before", 0..<3, 60),
        buffer("left", 3..<4, 40),
      ],
      aliases: [.view(3, of: 0), .view(1, of: 0, at: 40), .inPlace(1, over: 2)])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 100)
    #expect(result.offsets[2] == result.offsets[0] + 40)
  }

  @Test("faults of aliases name the buffers")
  func faults() {
    let buffers = [buffer("a", 0..<2, 64), buffer("b", 0..<2, 32, alignment: 16), buffer("c", 0..<2, 64)]
    func expect(_ fault: ProblemFault, _ aliases: [Alias], _ buffers: [Buffer]) {
      #expect(throws: fault) { try Problem(buffers: buffers, aliases: aliases) }
    }
    expect(.unknownBuffer(3, count: 3), [.view(0, of: 3)], buffers)
    expect(.unknownBuffer(-1, count: 3), [.inPlace(-1, over: 0)], buffers)
    expect(.viewOutsideBase(1, id: "b", base: "a"), [.view(1, of: 0, at: 48)], buffers)
    expect(.viewOutsideBase(1, id: "b", base: "a"), [.view(1, of: 0, at: .max)], buffers)
    expect(.misalignedView(1, id: "b", at: 8, alignment: 16), [.view(1, of: 0, at: 8)], buffers)
    expect(
      .contradictoryView(1, id: "b", base: "c"),
      [.view(2, of: 0), .view(1, of: 0, at: 16), .view(1, of: 2, at: 32)], buffers)
    var pinned = buffers
    pinned[0].fixedOffset = 0
    pinned[2].fixedOffset = 64
    expect(.contradictoryFixedOffsets(0, 2, ids: "a", "c"), [.view(2, of: 0)], pinned)
  }
}
