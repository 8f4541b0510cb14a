internal import LatheCore

/// Expressions: each becomes one register.
extension TapeBuilder {
  /// Emits the expression; the result is a fresh temporary, a literal or a declared register.
  mutating func emit(_ expression: Expression) throws(TapeFault) -> Operand {
    switch expression {
    case .constant(let value, let type): return literal(value, type)
    case .register(let register):
      guard var operand = registers[register.id] else { throw TapeFault("register \(register.id) is not in scope") }
      operand.isTemporary = false
      return operand
    case .index(let index): return try value(index)
    case .load(let memory, let index, let type): return try load(memory, index, type)
    case .pointwise(let function, let operands): return try pointwise(function, operands)
    case .convert(let inner, let type): return try convert(inner, type, .convert)
    case .bitcast(let inner, let type): return try convert(inner, type, .bitcast)
    case .checked(let inner, let extent): return try checked(inner, extent)
    case .select(let constraints, let then, let otherwise): return try select(constraints, then, otherwise)
    }
  }

  private mutating func load(_ memory: Memory, _ index: Index, _ type: ScalarType) throws(TapeFault) -> Operand {
    if case .local(let array) = memory, var place = block?.arrays[array.id] ?? nil {
      place.isTemporary = false
      return place
    }
    if let known = block?.hoisted.first(where: { $0.load == .load(memory, index, type) }) { return known.register }
    let (address, positions) = try address(memory, index)
    guard tape.addresses[Int(address)].type == type else {
      throw TapeFault("a \(type) is loaded from memory of \(tape.addresses[Int(address)].type)")
    }
    let perLane = positions != nil || tape.addresses[Int(address)].isPerLane || mask != nil
    let result = register(type, perLane: perLane)
    var instruction = Instruction(positions == nil ? .load : .gather)
    instruction.type = type
    instruction.dst = result.offset
    instruction.lanes = perLane
    instruction.a = positions?.offset ?? -1
    instruction.b = mask?.offset ?? -1
    instruction.extra = address
    append(instruction)
    if let positions { release(positions) }
    return result
  }

  private mutating func pointwise(_ function: Pointwise, _ arguments: [Expression]) throws(TapeFault) -> Operand {
    guard arguments.count == function.arity else {
      throw TapeFault("\(function.rawValue) of \(arguments.count) operands")
    }
    if let (value, zero) = rectified(function, arguments) { return try pointwise(.maximum, [value, zero]) }
    var operands: [Operand] = []
    for argument in arguments { operands.append(try emit(argument)) }
    let type = operands[operands.count - 1].type
    // In place of an operand that nobody reads again: the fewer strips, the nearer the cache.
    let last =
      function.compiledStrip == nil || type != .f32 ? nil : operands.firstIndex { $0.isPerLane && $0.isTemporary }
    let result =
      last.map { operands[$0] }
      ?? register(function.resultType(operands.map(\.type)), perLane: operands.contains { $0.isPerLane })
    apply(function, operands, type, into: result)
    if !function.isTest && function != .select { round(result) }
    for (position, operand) in operands.enumerated() where position != last { release(operand) }
    return result
  }

  /// The operand of `x <= 0 ? 0 : x`, and the zero: the greater of both, in one step; also for NaN, which stays.
  private func rectified(_ function: Pointwise, _ arguments: [Expression]) -> (value: Expression, zero: Expression)? {
    guard function == .select, case .pointwise(.lessEqual, let compared) = arguments[0],
      case .constant(let bound, let type) = compared[1], case .constant(let least, _) = arguments[1],
      type.isFloat, bound.double == 0, least.double == 0, compared[0] == arguments[2]
    else { return nil }
    return (arguments[2], arguments[1])
  }

  func set(_ instruction: inout Instruction, _ operands: [Operand]) {
    for (position, operand) in operands.enumerated() {
      switch position {
      case 0: instruction.a = operand.offset
      case 1: instruction.b = operand.offset
      default: instruction.c = operand.offset
      }
      if !operand.isPerLane { instruction.uniform |= 1 << UInt8(position) }
    }
  }

  /// `result = function(operands)`.
  mutating func apply(_ function: Pointwise, _ operands: [Operand], _ type: ScalarType, into result: Operand) {
    var instruction = Instruction(.pointwise)
    instruction.function = function
    instruction.type = type
    instruction.dst = result.offset
    instruction.lanes = result.isPerLane
    set(&instruction, operands)
    append(instruction)
  }

  private mutating func convert(
    _ inner: Expression, _ type: ScalarType, _ code: Instruction.Code
  ) throws(TapeFault) -> Operand {
    let operand = try emit(inner)
    let result = register(type, perLane: operand.isPerLane)
    var instruction = Instruction(code)
    instruction.type = type
    instruction.sourceType = operand.type
    instruction.dst = result.offset
    instruction.lanes = result.isPerLane
    set(&instruction, [operand])
    append(instruction)
    if code == .convert { round(result) }
    release(operand)
    return result
  }

  /// The index itself, for which the run ends where it is out of range.
  private mutating func checked(_ inner: Expression, _ extent: Int) throws(TapeFault) -> Operand {
    let operand = try emit(inner)
    var instruction = Instruction(.check)
    instruction.lanes = operand.isPerLane || mask != nil
    set(&instruction, [operand])
    instruction.b = mask?.offset ?? -1
    instruction.extra = factor(extent)
    append(instruction)
    return operand
  }

  /// `otherwise` everywhere, then `then` over it where the constraints hold.
  private mutating func select(
    _ constraints: [Constraint], _ then: Expression, _ otherwise: Expression
  ) throws(TapeFault) -> Operand {
    let perLane =
      lane != nil
      && (mask != nil || constraints.contains { dependsOnLane($0.index) } || isPerLane(then) || isPerLane(otherwise))
    let result = register(then.type, perLane: perLane)
    let other = try emit(otherwise)
    move(other, to: result)
    release(other)
    let outer = mask?.offset
    try restricted(to: constraints) { builder throws(TapeFault) in
      let value = try builder.emit(then)
      builder.move(value, to: result, masked: builder.mask?.offset != outer)
      builder.release(value)
    }
    return result
  }

  /// Whether the value may differ between lanes.
  func isPerLane(_ expression: Expression) -> Bool {
    switch expression {
    case .constant: false
    case .register(let register): registers[register.id]?.isPerLane ?? false
    case .index(let index): dependsOnLane(index)
    case .load(_, let index, _): mask != nil || dependsOnLane(index)
    case .pointwise(_, let operands): operands.contains { isPerLane($0) }
    case .convert(let inner, _), .bitcast(let inner, _), .checked(let inner, _): isPerLane(inner)
    case .select(let constraints, let then, let otherwise):
      constraints.contains { dependsOnLane($0.index) } || isPerLane(then) || isPerLane(otherwise)
    }
  }
}
