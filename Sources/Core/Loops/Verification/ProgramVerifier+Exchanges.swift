/// What is handed out: once, as a whole, and left alone until it is back.
extension ProgramVerifier {
  mutating func exchanges() {
    var seen = Set<BufferID>()
    for member in program.buckets.flatMap(\.members) {
      guard program.buffers.indices.contains(member.buffer.position) else {
        report("'\(member.label)' has no buffer")
        return
      }
      let buffer = program[member.buffer]
      if buffer.kind != .temporary || buffer.dtype != .f32 || buffer.padding > 0 {
        report("'\(member.label)' is handed out in '\(buffer.name)', which is no plain f32 temporary")
      }
      if !seen.insert(member.buffer).inserted { report("'\(buffer.name)' is handed out twice") }
    }
    for step in program.steps {
      for inner in step.nested.joined() where inner.handsOut {
        report("a bucket is handed out inside of a loop or branch")
      }
    }
    for (number, bucket) in program.buckets.enumerated() {
      let ready = program.steps.indices.filter { program.steps[$0] == .ready(number) }
      let wait = program.steps.indices.filter { program.steps[$0] == .wait(number) }
      guard ready.count == 1, wait.count == 1, ready[0] < wait[0] else {
        report("bucket \(number) is ready in steps \(ready) and waited for in steps \(wait)")
        continue
      }
      let members = Set(bucket.members.map(\.buffer))
      for (position, step) in program.steps.enumerated().dropFirst(ready[0]) {
        let accesses = program.accesses(step)
        let touched = position < wait[0] ? accesses.reads.union(accesses.writes) : accesses.writes
        for buffer in touched.intersection(members).sorted() {
          report(
            "step \(position) \(position < wait[0] ? "touches" : "writes") '\(program[buffer].name)' of bucket \(number), "
              + "which is handed out")
        }
      }
    }
    for step in program.steps {
      switch step {
      case .ready(let number), .wait(let number):
        if !program.buckets.indices.contains(number) { report("there is no bucket \(number)") }
      default: break
      }
    }
  }
}

extension Step {
  /// Whether it hands a bucket out or takes it back, or has such steps inside.
  fileprivate var handsOut: Bool {
    switch self {
    case .ready, .wait: true
    case .kernel: false
    case .loop, .branch, .whileLoop: nested.joined().contains(where: \.handsOut)
    }
  }
}
