package import LatheCore

/// A planned program, translated for the interpreter: prepared once, run by any number of sessions.
package struct Executable: Sendable {
  /// The program and its places in memory.
  package let planned: PlannedProgram
  let kernels: [KernelPlan]
  /// Bytes that the largest kernel needs for its registers and for its local arrays.
  let registerBytes: Int
  let localBytes: Int
  /// Where outputs are collected, by position among the outputs, and how much memory that takes.
  let outputOffsets: [Int]
  let outputBytes: Int
  /// The small constants, which are copied to be near each other, by buffer position.
  ///
  /// Large ones stay in place.
  let copiedConstants: [Int]

  /// Constants up to this size are copied into the session.
  private static let smallConstant = 1 << 16

  /// The program, without its places.
  package var program: Program { planned.program }

  /// Translates every kernel and checks that the plan fits the program.
  ///
  /// - Throws: what does not fit, all at once: a mistake of the lowering or the planning, not of the model.
  package init(_ planned: PlannedProgram) throws(DiagnosticsError) {
    var planned = planned
    planned.program = planned.program.computingConstants()
    self.planned = planned
    let program = planned.program
    var faults = Self.faults(of: planned)
    var kernels: [KernelPlan] = []
    if faults.isEmpty {
      for kernel in program.kernels {
        do {
          kernels.append(try KernelPlan(kernel, of: program))
        } catch {
          faults.append(
            Diagnostic("kernel \(kernel.name) cannot be run: \(error.message)", location: kernel.location))
        }
      }
    }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
    self.kernels = kernels
    registerBytes = (kernels.map(\.registerBytes).max() ?? 0).aligned
    localBytes = (kernels.map(\.localBytes).max() ?? 0).aligned
    var outputs: [Int] = []
    var total = 0
    for port in program.outputs {
      outputs.append(total)
      total += program[port.buffer].byteCount.aligned
    }
    outputOffsets = outputs
    outputBytes = total
    copiedConstants = program.buffers.indices.filter { position in
      guard case .constant = program.buffers[position].kind else { return false }
      return program.buffers[position].byteCount <= Self.smallConstant
    }
  }

  /// What in the plan contradicts the program.
  private static func faults(of planned: PlannedProgram) -> [Diagnostic] {
    let program = planned.program
    var messages: [String] = []
    if planned.offsets.count != program.buffers.count {
      return [Diagnostic("the plan has \(planned.offsets.count) offsets for \(program.buffers.count) buffers")]
    }
    let exchanged = Set(program.exchanged)
    for (position, (buffer, offset)) in zip(program.buffers, planned.offsets).enumerated() {
      switch buffer.kind {
      case .temporary:
        guard let offset else { continue }  // found below where a kernel uses it
        let alignment = exchanged.contains(BufferID(position)) ? buffer.dtype.byteCount : PlannedProgram.alignment
        if offset < 0 || offset % alignment != 0 || offset + buffer.byteCount > planned.arenaBytes {
          messages.append(
            "temporary \(buffer.name) of \(buffer.byteCount) bytes lies at \(offset) of an arena of \(planned.arenaBytes)"
          )
        }
      case .constant(let content):
        if content.dtype != buffer.dtype || content.count != buffer.count {
          messages.append("constant \(buffer.name) holds \(content.type)")
        }
      case .input(let position):
        if !program.inputs.indices.contains(position) { messages.append("\(buffer.name) is input \(position)") }
      case .output(let position):
        if !program.outputs.indices.contains(position) { messages.append("\(buffer.name) is output \(position)") }
      case .variable(let position):
        guard program.variables.indices.contains(position), planned.variableOffsets.indices.contains(position) else {
          messages.append("\(buffer.name) is variable \(position)")
          continue
        }
        let offset = planned.variableOffsets[position]
        let variable = program.variables[position].initial
        if offset < 0 || offset + buffer.byteCount > planned.stateBytes
          || variable.count * variable.dtype.byteCount != buffer.byteCount
        {
          messages.append("variable \(buffer.name) lies at \(offset) of a state of \(planned.stateBytes) bytes")
        }
      }
    }
    for port in program.inputs + program.outputs where !program.buffers.indices.contains(port.buffer.position) {
      messages.append("port \(port.name) names buffer \(port.buffer.position)")
    }
    for kernel in program.kernels {
      for buffer in kernel.reads + kernel.writes {
        guard program.buffers.indices.contains(buffer.position) else {
          messages.append("kernel \(kernel.name) names buffer \(buffer.position)")
          continue
        }
        if program[buffer].kind == .temporary, planned.offsets[buffer.position] == nil {
          messages.append("kernel \(kernel.name) uses \(program[buffer].name), which has no place in the arena")
        }
      }
      // Their memory is not the session's own.
      for buffer in kernel.writes where program.buffers.indices.contains(buffer.position) {
        switch program[buffer].kind {
        case .input, .constant: messages.append("kernel \(kernel.name) writes \(program[buffer].name)")
        case .temporary, .output, .variable: break
        }
      }
    }
    return (messages + stepFaults(program.steps, program)).map { Diagnostic($0) }
  }

  private static func stepFaults(_ steps: [Step], _ program: Program) -> [String] {
    steps.flatMap { step -> [String] in
      switch step {
      case .kernel(let position):
        program.kernels.indices.contains(position) ? [] : ["a step runs kernel \(position)"]
      case .loop(_, let body): stepFaults(body, program)
      case .branch(let predicate, let then, let otherwise):
        predicateFaults(predicate, program) + stepFaults(then, program) + stepFaults(otherwise, program)
      case .whileLoop(let condition, let predicate, let body):
        predicateFaults(predicate, program) + stepFaults(condition, program) + stepFaults(body, program)
      case .ready(let bucket), .wait(let bucket):
        program.buckets.indices.contains(bucket) ? [] : ["a step names bucket \(bucket)"]
      }
    }
  }

  private static func predicateFaults(_ buffer: BufferID, _ program: Program) -> [String] {
    guard program.buffers.indices.contains(buffer.position), program[buffer].dtype == .bool, program[buffer].count == 1
    else { return ["buffer \(buffer.position) is no scalar bool to decide by"] }
    return []
  }
}

/// One kernel, ready to run.
final class KernelPlan: Sendable {
  let name: String
  let location: Location
  /// The size that the kernel checks.
  let counted: Kernel.CountedSize?
  /// The loops, one part after the other.
  let tapes: [PreparedTape]

  init(_ kernel: Kernel, of program: Program) throws(TapeFault) {
    name = kernel.name
    location = kernel.location
    counted = kernel.counted
    tapes = try ParallelPart.parts(of: kernel).map { part throws(TapeFault) in
      PreparedTape(
        try TapeBuilder.tape(
          for: part.statements, parameters: kernel.parameters, of: program, shared: part.shared))
    }
  }

  var registerBytes: Int { tapes.map(\.registerBytes).max() ?? 0 }
  var localBytes: Int { tapes.map(\.localBytes).max() ?? 0 }
}

/// Statements of a kernel that follow each other, and the loop among them that threads may share.
private struct ParallelPart {
  var statements: [Statement]
  var shared: LoopVariable?

  /// A kernel's statements, with every nest of parallel loops by itself.
  ///
  /// Registers and local arrays live in one part: a nest takes along what is declared before it, which each thread then
  /// computes, and anything else that follows names is not taken apart.
  static func parts(of kernel: Kernel) -> [ParallelPart] {
    var result: [ParallelPart] = []
    var pending: [Statement] = []
    func flush() {
      if !pending.isEmpty { result.append(ParallelPart(statements: pending)) }
      pending = []
    }
    for part in kernel.parts {
      let nest = part.drop { if case .declare = $0 { true } else { false } }
      if nest.count == 1, case .loop(let loop)? = nest.first, let shared = sharedLoop(loop) {
        flush()
        result.append(ParallelPart(statements: part, shared: shared))
      } else if part.contains(where: \.introducesName) {
        pending += part
      } else {
        for statement in part {
          if case .loop(let loop) = statement, let shared = sharedLoop(loop) {
            flush()
            result.append(ParallelPart(statements: [statement], shared: shared))
          } else {
            pending.append(statement)
          }
        }
      }
    }
    flush()
    return result
  }

  /// The longest of the parallel loops around a nest.
  private static func sharedLoop(_ loop: Loop) -> LoopVariable? {
    var best: LoopVariable?
    var current = loop
    while current.kind == .parallel, current.lower.known == 0, current.upper.known == current.variable.extent {
      if current.variable.extent > best?.extent ?? 1 { best = current.variable }
      guard case .loop(let next) = current.body.last else { break }
      current = next
    }
    return best
  }
}

extension Statement {
  /// Whether statements behind this one may mention a name that it introduces.
  fileprivate var introducesName: Bool {
    switch self {
    case .declare, .allocate: true
    case .loop, .accumulate, .assign, .store, .when, .whenTrue, .call: false
    }
  }
}
