internal import LatheCore

/// Translates one kernel's statements into a tape.
///
/// At most one loop is in strips at any place: inside it a register holds one element per lane of a strip, or one for
/// all lanes where it does not depend on the loop. Conditions on indices that are affine in the lane narrow the window of
/// lanes; others become masks.
struct TapeBuilder {
  /// A register: where it is, and whether it holds one element per lane.
  struct Operand {
    var offset: Int32
    var type: ScalarType
    var isPerLane: Bool
    /// A temporary that its reader gives back; not so literals and declared registers.
    var isTemporary = true
  }

  var tape = Tape()
  let buffers: [Buffer]
  /// The widest vectors that the program was lowered for.
  let vectorBytes: Int
  /// The integer register of every loop variable in scope.
  var variables: [LoopVariable: Int32] = [:]
  var registers: [Int32: Operand] = [:]
  /// Registers that are assigned after their declaration.
  let mutated: Set<Int32>
  var locals: [Int: Int] = [:]
  /// The loop that runs in strips here.
  var lane: LoopVariable?
  /// The loop that threads may share.
  private(set) var shared: LoopVariable?
  /// The loops that are lanes here, where they are several; the outermost is `lane`.
  var block: LaneBlock?
  /// The lanes that are active here, where no window says it.
  var mask: Operand?
  var stripLength = Tape.stripLength
  private var literals: [Literal: Operand] = [:]
  /// Register file space to use again, by size.
  private var free: [Int: [Int32]] = [:]

  private struct Literal: Hashable {
    var lane: Lane
    var bits: UInt64
  }

  /// - Throws: `TapeFault` where the kernel is not what the contract of loop programs says.
  static func tape(
    for statements: [Statement], parameters: [LoopVariable], of program: Program, shared: LoopVariable?
  ) throws(TapeFault) -> Tape {
    var builder = TapeBuilder(program, mutated: statements.mutatedRegisters)
    builder.shared = shared
    for parameter in parameters {
      let offset = builder.integerRegister()
      builder.variables[parameter] = offset
      builder.tape.parameters.append(Tape.Parameter(variable: parameter, offset: offset))
    }
    try builder.emit(statements)
    return builder.tape
  }

  private init(_ program: Program, mutated: Set<Int32>) {
    buffers = program.buffers
    vectorBytes = program.target.vectorBytes
    self.mutated = mutated
  }

  // MARK: Registers

  /// Space for one element, or for a strip of them.
  mutating func register(_ type: ScalarType, perLane: Bool, temporary: Bool = true) -> Operand {
    let size = perLane ? (Lane(type).byteCount * stripLength).aligned : 64
    if let offset = free[size]?.popLast() {
      return Operand(offset: offset, type: type, isPerLane: perLane, isTemporary: temporary)
    }
    return Operand(offset: space(size), type: type, isPerLane: perLane, isTemporary: temporary)
  }

  /// Space that is never used for anything else.
  mutating func space(_ size: Int) -> Int32 {
    let offset = Int32(tape.registerBytes)
    tape.registerBytes += size.aligned
    return offset
  }

  mutating func integerRegister() -> Int32 { space(8) }

  /// Gives the space of a temporary back.
  mutating func release(_ operand: Operand) {
    if operand.isTemporary { reuse(operand) }
  }

  mutating func reuse(_ operand: Operand) {
    let size = operand.isPerLane ? (Lane(operand.type).byteCount * stripLength).aligned : 64
    free[size, default: []].append(operand.offset)
  }

  /// The register of a literal, filled before the tape runs.
  mutating func literal(_ value: ScalarValue, _ type: ScalarType) -> Operand {
    let lane = Lane(type)
    let bits: UInt64
    switch (lane, type.rounded(value)) {
    case (.float, let value): bits = UInt64(Float(value.double).bitPattern)
    case (.double, let value): bits = value.double.bitPattern
    case (_, .integer(let value)): bits = UInt64(bitPattern: Int64(value))
    case (_, .float): bits = 0
    }
    let key = Literal(lane: lane, bits: bits)
    if var known = literals[key] {
      known.type = type
      return known
    }
    let operand = Operand(offset: space(8), type: type, isPerLane: false, isTemporary: false)
    tape.literals.append(Tape.Literal(offset: operand.offset, lane: lane, bits: bits))
    literals[key] = operand
    return operand
  }

  /// Notes where the shared loop is entered.
  mutating func noteShared(_ variable: LoopVariable, _ entry: Int) {
    if variable == shared { tape.shared = (Int32(entry), variable.extent) }
  }

  // MARK: Instructions

  @discardableResult
  mutating func append(_ instruction: Instruction) -> Int {
    tape.code.append(instruction)
    return tape.code.count - 1
  }

  /// The place of the next instruction, as jumps name it.
  var position: Int32 { Int32(tape.code.count) }

  /// `dst = source`, in the lanes of the window that the mask allows.
  mutating func move(_ source: Operand, to target: Operand, masked: Bool = false) {
    var instruction = Instruction(.copy)
    instruction.type = target.type
    instruction.dst = target.offset
    instruction.lanes = target.isPerLane
    if masked, let mask {
      instruction.code = .blend
      instruction.a = mask.offset
      instruction.b = source.offset
      instruction.uniform = (mask.isPerLane ? 0 : 1) | (source.isPerLane ? 0 : 2)
    } else {
      instruction.a = source.offset
      instruction.uniform = source.isPerLane ? 0 : 1
    }
    append(instruction)
  }

  /// Rounds or wraps a register to its type, where the native type is wider.
  mutating func round(_ operand: Operand) {
    guard operand.type.isNarrow else { return }
    var instruction = Instruction(.round)
    instruction.type = operand.type
    instruction.dst = operand.offset
    instruction.lanes = operand.isPerLane
    append(instruction)
  }
}

/// What a kernel has against being run: a mistake of the lowering, said with the kernel's name by the executable.
struct TapeFault: Error {
  var message: String

  init(_ message: String) {
    self.message = message
  }
}

extension ScalarType {
  /// Whether the interpreter's native type can hold numbers that this type cannot.
  var isNarrow: Bool {
    switch self {
    case .f64, .f32, .i64, .u64, .bool: false
    default: true
    }
  }
}

extension Int {
  /// The next multiple of the memory's alignment.
  var aligned: Int { (self + PlannedProgram.alignment - 1) / PlannedProgram.alignment * PlannedProgram.alignment }
}

extension [Statement] {
  /// The registers that are assigned or accumulated into, here or in inner blocks.
  var mutatedRegisters: Set<Int32> {
    var result = Set<Int32>()
    for statement in self {
      switch statement {
      case .assign(let register, _): result.insert(register.id)
      case .accumulate(let accumulation):
        result.insert(accumulation.accumulator.id)
        result.formUnion(accumulation.prologue.mutatedRegisters)
      case .loop(let loop): result.formUnion(loop.body.mutatedRegisters)
      case .when(_, let body), .whenTrue(_, let body): result.formUnion(body.mutatedRegisters)
      case .declare, .allocate, .store, .call: break
      }
    }
    return result
  }
}
