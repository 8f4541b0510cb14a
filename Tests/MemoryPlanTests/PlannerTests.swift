import LatheMemory
import Testing

@Suite("Planner")
struct PlannerTests {
  @Test("nothing needs no arena")
  func empty() throws {
    let result = plan(try Problem(buffers: []))
    #expect(result.offsets.isEmpty && result.height == 0 && result.isOptimal)
    let none = try Problem(buffers: [Buffer(id: "none", lifetime: 0..<1, size: 0)])
    try validate(none, plan(none))
    #expect(plan(none).height == 0)
  }

  @Test("buffers that are never live together share bytes, the others do not")
  func literals() throws {
    let problem = try Problem(buffers: [
      Buffer(id: "a", lifetime: 0..<2, size: 100), Buffer(id: "b", lifetime: 1..<3, size: 50),
      Buffer(id: "c", lifetime: 2..<4, size: 100), Buffer(id: "far", lifetime: 10..<11, size: 120),
    ])
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 150)
    #expect(result.lowerBound == 150)
    #expect(result.isOptimal)
    #expect(result.offsets[0] == result.offsets[2])
  }

  @Test("a stack of nested lifetimes, as of a training step, is solved without a search")
  func nested() throws {
    let depth = 60
    var buffers: [Buffer] = []
    for index in 0..<depth {
      let (kept, scratch) = (64 * (1 + index * 7 % 5), 64 * (1 + index * 3 % 4))
      buffers.append(Buffer(id: "x\(index)", lifetime: index..<2 * depth - index, size: kept, alignment: 64))
      buffers.append(Buffer(id: "t\(index)", lifetime: index..<index + 2, size: scratch, alignment: 64))
    }
    let problem = try Problem(buffers: buffers)
    let result = plan(problem, options: .greedy)
    try validate(problem, result)
    #expect(result.isOptimal)
    #expect(result.steps == 0)
  }

  @Test("random instances are valid and no lower than the bound", arguments: 0..<12)
  func random(seed: Int) throws {
    let alignments = seed % 3 == 0 ? [1] : seed % 3 == 1 ? [1, 4, 32] : [16, 64]
    let buffers = randomBuffers(20 + 15 * seed, seed: UInt64(seed), longest: 3 + 4 * seed, alignments: alignments)
    let problem = try Problem(buffers: buffers)
    let greedy = plan(problem, options: .greedy)
    let result = plan(problem, options: PlannerOptions(steps: 1_000_000))
    for candidate in [greedy, result] {
      try validate(problem, candidate)
      #expect(candidate.lowerBound >= mostLive(buffers))
      #expect(candidate.height >= candidate.lowerBound)
    }
    #expect(result.height <= greedy.height)
    if result.height == result.lowerBound { #expect(result.isOptimal) }
  }

  @Test("what the search calls optimal is what trying everything finds", arguments: 0..<24)
  func exhaustive(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed) + 1000)
    let buffers = (0..<6).map { index in
      let lower = Int.random(in: 0..<6, using: &random)
      return Buffer(
        id: "b\(index)", lifetime: lower..<lower + Int.random(in: 1...4, using: &random),
        size: Int.random(in: 1...5, using: &random), alignment: seed % 2 == 0 ? 1 : [1, 2, 4][index % 3],
        fixedOffset: seed % 5 == 0 && index == 5 ? 4 : nil)
    }
    let problem = try Problem(buffers: buffers)
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.isOptimal)
    #expect(result.height == lowestHeight(buffers))
  }

  /// The lowest height over all offsets, found by trying each of them.
  private func lowestHeight(_ buffers: [Buffer]) -> Int {
    var best = buffers.map { $0.size + 4 }.reduce(0, +)
    var offsets: [Int] = []
    func extend(_ height: Int) {
      if height >= best { return }
      let index = offsets.count
      if index == buffers.count {
        best = height
        return
      }
      let buffer = buffers[index]
      for offset in buffer.fixedOffset.map({ $0...$0 }) ?? 0...best where offset % buffer.alignment == 0 {
        let bytes = offset..<offset + buffer.size
        let clashes = offsets.indices.contains {
          buffers[$0].lifetime.overlaps(buffer.lifetime)
            && (offsets[$0]..<offsets[$0] + buffers[$0].size).overlaps(bytes)
        }
        if clashes { continue }
        offsets.append(offset)
        extend(max(height, offset + buffer.size))
        offsets.removeLast()
      }
    }
    extend(0)
    return best
  }

  @Test("fixed buffers stay, the others go around them", arguments: 0..<6)
  func fixedOffsets(seed: Int) throws {
    var buffers = randomBuffers(60, seed: UInt64(seed) + 50, longest: 20, alignments: [1, 8])
    buffers[0].fixedOffset = 800
    buffers[0].alignment = 16
    buffers.append(Buffer(id: "pinned", lifetime: 0..<80, size: 48, alignment: 16, fixedOffset: 2048))
    let problem = try Problem(buffers: buffers)
    let result = plan(problem, options: PlannerOptions(steps: 500_000))
    try validate(problem, result)
    #expect(result.offsets[0] == 800)
    #expect(result.offsets[60] == 2048)
    #expect(result.lowerBound >= 2096)
  }

  @Test("the same problem gets the same plan")
  func determinism() throws {
    let problem = try Problem(buffers: randomBuffers(120, seed: 77, longest: 60))
    let options = PlannerOptions(steps: 2_000_000)
    let (first, second) = (plan(problem, options: options), plan(problem, options: options))
    #expect(first.offsets == second.offsets)
    #expect(first.steps == second.steps)
    #expect(first.strategy == second.strategy)
  }

  @Test("limits of steps and of time end the work")
  func limits() throws {
    let problem = try Problem(buffers: randomBuffers(300, seed: 5, longest: 200))
    let stepped = plan(problem, options: PlannerOptions(steps: 300_000))
    try validate(problem, stepped)
    #expect(stepped.steps < 1_000_000)
    let timed = plan(problem, options: PlannerOptions(steps: .max, timeLimit: .milliseconds(50)))
    try validate(problem, timed)
    #expect(timed.elapsed < .seconds(5))
  }

  @Test("sizes that are not multiples of the alignment are padded, except at the top")
  func padding() throws {
    let problem = try Problem(
      buffers: (0..<3).map { Buffer(id: "b\($0)", lifetime: 0..<1, size: 65 + $0, alignment: 64) })
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.isOptimal)
    #expect((256 + 65...256 + 67).contains(result.height))
  }

  @Test("a capacity that cannot be kept gives a plan that says so")
  func capacity() throws {
    let buffers = (0..<3).map { Buffer(id: "b\($0)", lifetime: 0..<1, size: 10) }
    let tight = try Problem(buffers: buffers, capacity: 29)
    #expect(!plan(tight).fits(tight))
    #expect(throws: PlanFault.exceedsCapacity(2, id: "b2", end: 30, capacity: 29)) {
      try validate(tight, Plan(offsets: [0, 10, 20], height: 30))
    }
    let roomy = try Problem(buffers: buffers, capacity: 30)
    #expect(plan(roomy, options: PlannerOptions(goal: .fit)).fits(roomy))
  }
}

@Suite("MiniMalloc instances")
struct InstanceTests {
  @Test("the small example is packed at its lower bound")
  func example() throws {
    let problem = try instance("input.12", capacity: 12)
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == 12)
    #expect(result.isOptimal)
  }

  @Test("a challenging instance is packed optimally", arguments: ["A", "B", "C", "F"])
  func optimal(name: String) throws {
    let problem = try instance("\(name).1048576", capacity: 1 << 20)
    let result = plan(problem)
    try validate(problem, result)
    #expect(result.height == result.lowerBound)
    #expect(result.isOptimal)
    #expect(result.strategy == .search)
  }

  @Test("a challenging instance is packed within the capacity", arguments: ["D", "E"])
  func fits(name: String) throws {
    let problem = try instance("\(name).1048576", capacity: 1 << 20)
    let result = plan(problem, options: PlannerOptions(goal: .fit))
    try validate(problem, result)
    #expect(result.fits(problem))
  }
}
