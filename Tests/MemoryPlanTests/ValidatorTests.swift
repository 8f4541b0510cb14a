import LatheMemory
import Testing

@Suite("Validator")
struct ValidatorTests {
  /// Two aligned buffers live together, a fixed one, and one that is alone; the plan below is right for it.
  private let buffers = [
    Buffer(id: "a", lifetime: 0..<4, size: 64, alignment: 16),
    Buffer(id: "b", lifetime: 2..<6, size: 32, alignment: 16),
    Buffer(id: "pin", lifetime: 0..<6, size: 16, fixedOffset: 96), Buffer(id: "late", lifetime: 6..<7, size: 100),
  ]
  private let offsets = [0, 64, 96, 0]

  @Test("a right plan passes")
  func valid() throws {
    try validate(Problem(buffers: buffers, capacity: 112), Plan(offsets: offsets, height: 112))
  }

  @Test(
    "each fault is named",
    arguments: [
      (PlanFault.missingBuffer(3, id: "late"), [0, 64, 96], 112),
      (.surplusOffsets(5, buffers: 4), [0, 64, 96, 0, 0], 112),
      (.negativeOffset(0, id: "a", -16), [-16, 64, 96, 0], 112),
      (.misaligned(1, id: "b", 72, alignment: 16), [0, 72, 96, 0], 112),
      (.fixedOffsetMoved(2, id: "pin", 100, fixed: 96), [0, 64, 100, 0], 200),
      (.exceedsHeight(2, id: "pin", end: 112, height: 111), [0, 64, 96, 0], 111),
      (.exceedsHeight(3, id: "late", end: .max, height: 112), [0, 64, 96, .max - 50], 112),
      (.exceedsCapacity(3, id: "late", end: 120, capacity: 119), [0, 64, 96, 20], 120),
      (.overlap(0, 1, ids: "a", "b"), [0, 48, 96, 0], 112),
      (.overlap(1, 2, ids: "b", "pin"), [0, 80, 96, 0], 112),
    ])
  func faults(fault: PlanFault, offsets: [Int], height: Int) throws {
    let problem = try Problem(buffers: buffers, capacity: 119)
    #expect(throws: fault) { try validate(problem, Plan(offsets: offsets, height: height)) }
  }

  @Test("sharing is allowed to aliases only, and to successors for one step")
  func sharing() throws {
    let buffers = [
      Buffer(id: "x", lifetime: 0..<3, size: 8), Buffer(id: "view", lifetime: 1..<4, size: 4),
      Buffer(id: "y", lifetime: 3..<5, size: 8), Buffer(id: "stranger", lifetime: 4..<5, size: 8),
    ]
    let aliases: [Alias] = [.view(1, of: 0, at: 4), .inPlace(2, over: 0)]
    let problem = try Problem(buffers: buffers, aliases: aliases)
    try validate(problem, Plan(offsets: [0, 4, 0, 8], height: 16))
    #expect(throws: PlanFault.viewMoved(1, id: "view", 0, expected: 4)) {
      try validate(problem, Plan(offsets: [0, 0, 0, 8], height: 16))
    }
    #expect(throws: PlanFault.overlap(2, 3, ids: "y", "stranger")) {
      try validate(problem, Plan(offsets: [0, 4, 0, 4], height: 16))
    }
    var longer = buffers
    longer[1].lifetime = 1..<5
    let late = try Problem(buffers: longer, aliases: aliases)
    #expect(throws: PlanFault.overlap(1, 2, ids: "view", "y")) {
      try validate(late, Plan(offsets: [0, 4, 0, 8], height: 16))
    }
    try validate(late, plan(late))
  }

  @Test("faults read as sentences")
  func descriptions() {
    #expect(
      PlanFault.overlap(0, 7, ids: "a", "b").description
        == "buffer 'a' (#0) and buffer 'b' (#7) are live together and overlap")
    #expect(
      PlanFault.misaligned(1, id: "b", 72, alignment: 16).description
        == "buffer 'b' (#1): offset 72 is not a multiple of 16")
  }
}

@Suite("Problem")
struct ProblemTests {
  private func fault(_ change: (inout Buffer) -> Void) -> ProblemFault? {
    var buffer = Buffer(id: "x", lifetime: 0..<2, size: 8)
    change(&buffer)
    do throws(ProblemFault) {
      _ = try Problem(buffers: [Buffer(id: "w", lifetime: 0..<2, size: 8, fixedOffset: 0), buffer])
      return nil
    } catch {
      return error
    }
  }

  @Test("what cannot be planned is refused with its reason")
  func faults() {
    #expect(fault { _ in } == nil)
    #expect(fault { $0.lifetime = 3..<3 } == .emptyLifetime(1, id: "x", 3..<3))
    #expect(fault { $0.size = -1 } == .negativeSize(1, id: "x", -1))
    #expect(fault { $0.alignment = 0 } == .badAlignment(1, id: "x", 0))
    #expect(fault { $0.alignment = 12 } == .badAlignment(1, id: "x", 12))
    #expect(fault { $0.alignment = .min } == .badAlignment(1, id: "x", .min))
    #expect(fault { $0.fixedOffset = -4 } == .negativeFixedOffset(1, id: "x", -4))
    #expect(fault { $0.fixedOffset = 4 } == .fixedOverlap(0, 1, ids: "w", "x"))
    #expect(
      fault {
        $0.fixedOffset = 12
        $0.alignment = 8
      } == .misalignedFixedOffset(1, id: "x", 12, alignment: 8))
    #expect(fault { $0.size = .max } == .tooLarge(1, id: "x"))
    #expect(fault { $0.fixedOffset = .max } == .tooLarge(1, id: "x"))
    #expect(throws: ProblemFault.negativeCapacity(-1)) { try Problem(buffers: [], capacity: -1) }
  }

  @Test("the extremes of time and size are planned without overflow")
  func extremes() throws {
    let problem = try Problem(buffers: [
      Buffer(id: "always", lifetime: Int.min..<Int.max, size: 1 << 58, alignment: 1 << 20),
      Buffer(id: "end", lifetime: Int.max - 1..<Int.max, size: 1 << 57),
    ])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == (1 << 58) + (1 << 57))
    #expect(!Report(problem, result).description.isEmpty)
  }
}
