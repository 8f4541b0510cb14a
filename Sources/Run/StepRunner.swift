internal import LatheCore

/// Where loops of a program's steps are: so few that looking through them is faster than a table.
private struct LoopPositions {
  private var all: [(variable: LoopVariable, value: Int)] = []

  /// The loop's position, once it is set.
  subscript(variable: LoopVariable) -> Int {
    get {
      for known in all where known.variable.id == variable.id { return known.value }
      internalError("loop variable \(variable.id) has no value")
    }
    set {
      for position in all.indices where all[position].variable.id == variable.id {
        all[position].value = newValue
        return
      }
      all.append((variable, newValue))
    }
  }
}

/// Walks the steps of a program once.
struct StepRunner {
  let executable: Executable
  let buffers: UnsafePointer<UnsafeMutableRawPointer>
  let registers: UnsafeMutableRawPointer
  let locals: UnsafeMutableRawPointer
  /// Threads to share loops with; each has registers and locals of its own.
  let pool: ThreadPool?
  /// Where the surrounding scans are.
  private var positions = LoopPositions()
  /// How long the kernels ran, where that is measured.
  private(set) var times: KernelTimes?

  init(
    executable: Executable, buffers: UnsafePointer<UnsafeMutableRawPointer>, registers: UnsafeMutableRawPointer,
    locals: UnsafeMutableRawPointer, pool: ThreadPool?, times: KernelTimes?
  ) {
    self.executable = executable
    self.buffers = buffers
    self.registers = registers
    self.locals = locals
    self.pool = pool
    self.times = times
  }

  /// Runs a step; buckets are handed to the exchange.
  mutating func run(_ step: Step, _ exchange: inout some GradientExchange) throws(DiagnosticsError) {
    switch step {
    case .ready(let bucket): try exchange.ready(bucket, memory(of: executable.program.buckets[bucket]))
    case .wait(let bucket): try exchange.wait(bucket)
    default: try run(step)
    }
  }

  /// The members of a bucket lie behind each other.
  private func memory(of bucket: ExchangeBucket) -> UnsafeMutableBufferPointer<Float> {
    let count = executable.program.count(bucket)
    guard let first = bucket.members.first else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(
      start: buffers[first.buffer.position].bindMemory(to: Float.self, capacity: count), count: count)
  }

  private mutating func run(_ step: Step) throws(DiagnosticsError) {
    switch step {
    case .ready, .wait: internalError("a bucket is handed out inside of a loop or branch")
    case .kernel(let position): try runKernel(at: position)
    case .loop(let variable, let body):
      for value in 0..<max(0, variable.extent) {
        positions[variable] = value
        try run(body)
      }
    case .branch(let predicate, let then, let otherwise): try run(holds(predicate) ? then : otherwise)
    case .whileLoop(let condition, let predicate, let body):
      try run(condition)
      while holds(predicate) {
        try run(body)
        try run(condition)
      }
    }
  }

  private mutating func run(_ steps: [Step]) throws(DiagnosticsError) {
    for step in steps { try run(step) }
  }

  private mutating func runKernel(at position: Int) throws(DiagnosticsError) {
    guard times != nil else { return try run(executable.kernels[position]) }
    let start = ContinuousClock.now
    try run(executable.kernels[position])
    let nanoseconds = (ContinuousClock.now - start) / .nanoseconds(1)
    times?.nanoseconds[position] += UInt64(max(0, nanoseconds))
    times?.calls[position] += 1
  }

  /// Runs a kernel's tapes one after the other, each on all threads that it has work for.
  private func run(_ kernel: KernelPlan) throws(DiagnosticsError) {
    for tape in kernel.tapes {
      let fault =
        if let pool, let extent = tape.sharedExtent {
          run(tape, extent: extent, pool)
        } else {
          Machine.run(tape, registers: registers, locals: locals, buffers: buffers) { positions[$0] }
        }
      if let fault { throw error(fault, in: kernel, tape) }
    }
  }

  /// Runs a tape in parts of its shared loop, a few for each thread, so that none waits long for another.
  private func run(_ tape: PreparedTape, extent: Int, _ pool: ThreadPool) -> Machine.Fault? {
    let positions = positions
    let parts = min(extent, 4 * pool.count)
    var faults = [Machine.Fault?](repeating: nil, count: parts)
    faults.withUnsafeMutableBufferPointer { faults in
      pool.run(parts) { thread, part in
        faults[part] = Machine.run(
          tape, registers: registers + thread * executable.registerBytes,
          locals: locals + thread * executable.localBytes,
          buffers: buffers, part: (part * extent / parts)..<((part + 1) * extent / parts)
        ) { positions[$0] }
      }
    }
    return faults.lazy.compactMap { $0 }.first
  }

  private func holds(_ predicate: BufferID) -> Bool { buffers[predicate.position].load(as: UInt8.self) != 0 }

  private func error(_ fault: Machine.Fault, in kernel: KernelPlan, _ tape: PreparedTape) -> DiagnosticsError {
    switch fault {
    case .index(let fault) where kernel.counted != nil:
      DiagnosticsError(
        "kernel \(kernel.name): \(kernel.counted?.message(fault.index) ?? fault.message)", location: kernel.location,
        help: kernel.counted?.help(fault.index))
    case .index(let fault):
      DiagnosticsError("kernel \(kernel.name): \(fault.message)", location: kernel.location)
    case .routine(let call, let failure):
      DiagnosticsError(
        "kernel \(kernel.name): \(failure.message(of: tape.view.pointee.calls[Int(call)].routine))",
        location: kernel.location)
    case .access(let address, let position): accessError(kernel, address, position)
    }
  }

  private func accessError(_ kernel: KernelPlan, _ address: Address, _ position: Int) -> DiagnosticsError {
    let name = address.buffer >= 0 ? executable.program.buffers[Int(address.buffer)].name : "a local array"
    return DiagnosticsError(
      "kernel \(kernel.name) accesses element \(position) of \(name), which has \(address.count)",
      location: kernel.location, help: "this is a mistake in Lathe, not in the model: please report it")
  }
}
