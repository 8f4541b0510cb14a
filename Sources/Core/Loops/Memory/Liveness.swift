/// When each buffer of a program is in use, on a clock that ticks once per kernel in the order of the program's text.
struct Liveness {
  /// First and last tick of use, by buffer position; nil for buffers that are never used.
  private(set) var ranges: [ClosedRange<Int>?]
  /// For each kernel, the tick at which it runs.
  private(set) var times: [Int: Int] = [:]
  /// For each tick, the loops around it, outermost first, by number.
  private(set) var loops: [[Int]] = []
  private var clock = 0
  private var loopCount = 0
  private var around: [Int] = []

  init(_ program: Program) {
    ranges = Array(repeating: nil, count: program.buffers.count)
    program.steps.forEach { walk($0, program) }
  }

  private mutating func tick() -> Int {
    loops.append(around)
    clock += 1
    return clock - 1
  }

  private mutating func use(_ buffer: BufferID, at time: Int) {
    let known = ranges[buffer.position]
    ranges[buffer.position] = min(known?.lowerBound ?? time, time)...max(known?.upperBound ?? time, time)
  }

  private mutating func walk(_ step: Step, _ program: Program) {
    switch step {
    case .kernel(let position):
      let kernel = program.kernels[position]
      let time = tick()
      times[position] = time
      for buffer in kernel.reads + kernel.writes { use(buffer, at: time) }
    case .ready(let number), .wait(let number):
      let time = tick()
      for member in program.buckets[number].members { use(member.buffer, at: time) }
    case .loop(_, let body): loop { $0.walk(body, program) }
    case .branch(let predicate, let then, let otherwise):
      use(predicate, at: tick())
      walk(then, program)
      walk(otherwise, program)
    case .whileLoop(let condition, let predicate, let body):
      loop { liveness in
        liveness.walk(condition, program)
        liveness.use(predicate, at: liveness.tick())
        liveness.walk(body, program)
      }
    }
  }

  private mutating func walk(_ steps: [Step], _ program: Program) { steps.forEach { walk($0, program) } }

  /// Buffers used both inside and outside of a loop, or before they are written in it, live through all of it.
  private mutating func loop(_ body: (inout Liveness) -> Void) {
    let start = clock
    around.append(loopCount)
    loopCount += 1
    let before = ranges
    body(&self)
    around.removeLast()
    let end = max(start, clock - 1)
    for position in ranges.indices {
      guard let range = ranges[position], range.upperBound >= start, before[position] != nil else { continue }
      ranges[position] = range.lowerBound...end
    }
    enclosing.append(start...end)
  }

  /// The loops, innermost first where they nest.
  private var enclosing: [ClosedRange<Int>] = []

  /// The ranges with uses after a loop taken into account: what is made in a loop and read behind it lives through the
  /// loop, since any iteration may be the last.
  func settled() -> [ClosedRange<Int>?] {
    ranges.map { range in
      guard var range else { return nil }
      for loop in enclosing
      where range.lowerBound > loop.lowerBound && range.lowerBound <= loop.upperBound
        && range.upperBound > loop.upperBound
      {
        range = loop.lowerBound...range.upperBound
      }
      return range
    }
  }
}
