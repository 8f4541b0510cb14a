internal import LatheCore

/// What the statements of a kernel mention, so that nothing unused is written: compilers warn about it.
struct CUses {
  private(set) var registers: Set<Int32> = []
  private(set) var locals: Set<Int> = []
  private(set) var loaded: Set<BufferID> = []
  private(set) var stored: Set<BufferID> = []
  private(set) var variables: Set<LoopVariable> = []
  /// The registers that change after they are declared.
  private(set) var assigned: Set<Int32> = []
  /// Whether indices are checked.
  private(set) var checksIndices = false
  private(set) var callsFailing = false

  /// What a run returns where the statements fail.
  var failure: CStatus? { checksIndices ? .index : callsFailing ? .singular : nil }

  init(_ statements: [Statement]) {
    for statement in statements { add(statement) }
  }

  private mutating func add(_ statement: Statement) {
    switch statement {
    case .loop(let loop):
      add(loop.lower)
      add(loop.upper)
      for inner in loop.body { add(inner) }
    case .accumulate(let accumulation):
      add(accumulation.lower)
      add(accumulation.upper)
      assigned.insert(accumulation.accumulator.id)
      for inner in accumulation.prologue { add(inner) }
      add(accumulation.value, except: accumulation.accumulator)
    case .declare(_, let value): add(value)
    case .assign(let register, let value):
      assigned.insert(register.id)
      add(value, except: register)
    case .allocate: break
    case .store(let memory, let index, let value):
      if case .buffer(let buffer) = memory { stored.insert(buffer) }
      add(index)
      add(value)
    case .when(let constraints, let body):
      for constraint in constraints { add(constraint.index) }
      for inner in body { add(inner) }
    case .whenTrue(let condition, let body):
      add(condition)
      for inner in body { add(inner) }
    case .call(let call):
      if call.routine.failure != nil { callsFailing = true }
      for block in call.operands {
        loaded.insert(block.buffer)
        add(block.start)
      }
      for block in call.results + (call.work.map { [$0] } ?? []) {
        stored.insert(block.buffer)
        add(block.start)
      }
    }
  }

  private mutating func add(_ bound: Bound) {
    for quotient in bound.quotients { add(quotient.dividend) }
  }

  private mutating func add(_ index: Index) {
    for term in index.terms {
      switch term.atom {
      case .variable(let variable): variables.insert(variable)
      case .value(let scalar): registers.insert(scalar.id)
      case .floorDivide(let inner, _), .modulo(let inner, _): add(inner)
      }
    }
  }

  private mutating func add(_ expression: Expression, except own: Register? = nil) {
    switch expression {
    case .constant: break
    case .register(let register): if register != own { registers.insert(register.id) }
    case .index(let index): add(index)
    case .load(let memory, let index, _):
      switch memory {
      case .buffer(let buffer): loaded.insert(buffer)
      case .local(let local): locals.insert(local.id)
      }
      add(index)
    case .pointwise(_, let operands): for operand in operands { add(operand, except: own) }
    case .convert(let operand, _), .bitcast(let operand, _): add(operand, except: own)
    case .checked(let operand, _):
      checksIndices = true
      add(operand, except: own)
    case .select(let constraints, let then, let otherwise):
      for constraint in constraints { add(constraint.index) }
      add(then, except: own)
      add(otherwise, except: own)
    }
  }

  /// The statements without those that never run, or whose results nobody reads.
  static func live(_ statements: [Statement]) -> [Statement] {
    var statements = statements
    while true {
      var dropped = 0
      statements = CUses(statements).live(statements, &dropped)
      if dropped == 0 { return statements }
    }
  }

  private func live(_ statements: [Statement], _ dropped: inout Int) -> [Statement] {
    statements.compactMap { statement in
      let kept: Statement?
      switch statement {
      case .loop(let loop) where Bound.areEmpty(loop.lower, loop.upper): kept = nil
      case .loop(var loop):
        loop.body = live(loop.body, &dropped)
        kept = loop.body.isEmpty ? nil : .loop(loop)
      case .accumulate(let accumulation) where Bound.areEmpty(accumulation.lower, accumulation.upper): kept = nil
      case .accumulate(var accumulation):
        accumulation.prologue = live(accumulation.prologue, &dropped)
        kept = registers.contains(accumulation.accumulator.id) ? .accumulate(accumulation) : nil
      case .declare(let register, _), .assign(let register, _): kept = registers.contains(register.id) ? statement : nil
      case .allocate(let local), .store(.local(let local), _, _): kept = locals.contains(local.id) ? statement : nil
      case .store: kept = statement
      case .when(let constraints, let body):
        let body = live(body, &dropped)
        kept = body.isEmpty ? nil : .when(constraints, body)
      case .whenTrue(let condition, let body):
        let body = live(body, &dropped)
        kept = body.isEmpty ? nil : .whenTrue(condition, body)
      case .call: kept = statement
      }
      if kept == nil { dropped += 1 }
      return kept
    }
  }
}

extension Bound {
  /// Whether it is known that nothing lies between two ends.
  fileprivate static func areEmpty(_ lower: Bound, _ upper: Bound) -> Bool {
    guard let lower = lower.known, let upper = upper.known else { return false }
    return upper <= lower
  }
}
