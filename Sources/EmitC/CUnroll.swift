internal import LatheCore

/// One value of a loop variable put in its place, and registers under new names.
///
/// Every copy of an unrolled body declares registers of its own.
struct CSubstitution {
  let variable: LoopVariable
  let value: Int
  let registers: [Int32: Register]

  func apply(_ index: Index) -> Index {
    index.substituting(
      { $0 == variable ? Index(value) : Index($0) },
      value: { scalar in Index(registers[scalar.id].map { Scalar(id: $0.id) } ?? scalar) })
  }

  func apply(_ register: Register) -> Register { registers[register.id] ?? register }

  func apply(_ expression: Expression) -> Expression {
    switch expression {
    case .constant: return expression
    case .register(let register): return .register(apply(register))
    case .index(let index):
      let index = apply(index)
      return index.known.map { .constant(.integer($0), .i64) } ?? .index(index)
    case .load(let memory, let index, let type): return .load(memory, apply(index), type)
    case .pointwise(let function, let operands): return .pointwise(function, operands.map { apply($0) })
    case .convert(let operand, let type): return .convert(apply(operand), type)
    case .bitcast(let operand, let type): return .bitcast(apply(operand), type)
    case .checked(let operand, let extent): return .checked(apply(operand), extent)
    case .select(let constraints, let then, let otherwise):
      guard let constraints = apply(constraints) else { return apply(otherwise) }
      return constraints.isEmpty ? apply(then) : .select(constraints, then: apply(then), otherwise: apply(otherwise))
    }
  }

  /// The constraints that are left to test; nil where one can never hold.
  private func apply(_ constraints: [Constraint]) -> [Constraint]? {
    var rest: [Constraint] = []
    for constraint in constraints {
      let constraint = constraint.mapIndex(apply)
      switch constraint.known {
      case true: continue
      case false: return nil
      case nil: rest.append(constraint)
      }
    }
    return rest
  }

  func apply(_ statements: [Statement]) -> [Statement] { statements.flatMap { apply($0) } }

  private func apply(_ statement: Statement) -> [Statement] {
    switch statement {
    case .loop(var loop):
      (loop.lower, loop.upper) = (apply(loop.lower, isUpper: false), apply(loop.upper, isUpper: true))
      loop.body = apply(loop.body)
      return [.loop(loop)]
    case .accumulate(var accumulation):
      accumulation.lower = apply(accumulation.lower, isUpper: false)
      accumulation.upper = apply(accumulation.upper, isUpper: true)
      accumulation.accumulator = apply(accumulation.accumulator)
      accumulation.prologue = apply(accumulation.prologue)
      accumulation.value = apply(accumulation.value)
      return [.accumulate(accumulation)]
    case .declare(let register, let value): return [.declare(apply(register), apply(value))]
    case .assign(let register, let value): return [.assign(apply(register), apply(value))]
    case .allocate: return [statement]
    case .store(let memory, let index, let value): return [.store(memory, apply(index), apply(value))]
    case .when(let constraints, let body):
      guard let constraints = apply(constraints) else { return [] }
      return constraints.isEmpty ? apply(body) : [.when(constraints, apply(body))]
    case .whenTrue(let condition, let body): return [.whenTrue(apply(condition), apply(body))]
    case .call(let call):
      return [.call(call.mapping { RoutineCall.Block(buffer: $0.buffer, start: apply($0.start)) })]
    }
  }

  /// The end of a loop, with quotients that have become numbers joined into its constant.
  private func apply(_ bound: Bound, isUpper: Bool) -> Bound {
    var result = Bound(bound.constant)
    for quotient in bound.quotients {
      let dividend = apply(quotient.dividend)
      if let known = dividend.known {
        let rounded = (known + quotient.divisor - 1).dividedDown(by: quotient.divisor)
        result.constant = isUpper ? min(result.constant, rounded) : max(result.constant, rounded)
      } else {
        result.quotients.append(Bound.Quotient(dividend: dividend, divisor: quotient.divisor))
      }
    }
    return result
  }
}

extension Int {
  /// The quotient rounded towards negative infinity, by a positive divisor.
  fileprivate func dividedDown(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}

extension CKernelRenderer {
  /// The statements with unrolled loops written out.
  ///
  /// - Returns: the statements, and of each whether it comes out of such a loop.
  mutating func unrolled(_ statements: [Statement]) -> [(statement: Statement, isUnrolled: Bool)] {
    statements.flatMap { statement -> [(statement: Statement, isUnrolled: Bool)] in
      guard case .loop(let loop) = statement, loop.kind == .unrolled, let lower = loop.lower.known,
        let upper = loop.upper.known, isWrittenOut(loop)
      else { return [(statement, false)] }
      let declared = loop.body.declaredRegisters
      return (lower..<max(lower, upper)).flatMap { value in
        var registers: [Int32: Register] = [:]
        for register in declared { registers[register.id] = copy(register) }
        let substitution = CSubstitution(variable: loop.variable, value: value, registers: registers)
        return unrolled(substitution.apply(loop.body)).map { ($0.statement, true) }
      }
    }
  }

  /// Without vectors, loops around lanes stay loops: there is an array to address.
  private func isWrittenOut(_ loop: Loop) -> Bool { hasVectors || !loop.body.containsLanes }
}

extension [Statement] {
  /// The registers that the statements declare, at any depth.
  fileprivate var declaredRegisters: [Register] {
    flatMap { statement -> [Register] in
      switch statement {
      case .declare(let register, _): [register]
      case .loop(let loop): loop.body.declaredRegisters
      case .accumulate(let accumulation): accumulation.prologue.declaredRegisters
      case .when(_, let body), .whenTrue(_, let body): body.declaredRegisters
      case .assign, .allocate, .store, .call: []
      }
    }
  }

  /// Whether a loop of several lanes is among the statements, at any depth.
  var containsLanes: Bool {
    contains { statement in
      switch statement {
      case .loop(let loop): loop.kind == .lanes && loop.variable.extent > 1 || loop.body.containsLanes
      case .when(_, let body), .whenTrue(_, let body): body.containsLanes
      case .declare, .assign, .allocate, .store, .accumulate, .call: false
      }
    }
  }
}
