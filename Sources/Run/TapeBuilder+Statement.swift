internal import LatheCore

/// Statements.
extension TapeBuilder {
  mutating func emit(_ statements: [Statement]) throws(TapeFault) {
    try emit(statements) { _ throws(TapeFault) in }
  }

  /// Emits statements and what follows in their scope: registers that they declare last until then.
  mutating func emit(
    _ statements: [Statement], then following: (inout TapeBuilder) throws(TapeFault) -> Void
  ) throws(TapeFault) {
    var declared: [Operand] = []
    var rest = statements[...]
    while let statement = rest.popFirst() {
      switch statement {
      case .loop(let loop):
        if block != nil {
          try emitInBlock(loop)
        } else if try emitBlocks(LoopChain(loop)) {
          continue
        } else if lane == nil, StripChoice.runsInStrips(loop) {
          try emitStrips(loop)
        } else {
          try emitLoop(loop)
        }
      case .accumulate(let accumulation):
        if let block, let rows = RowPattern(accumulation) {
          try emitRows(rows, block)
        } else if lane == nil {
          try emitInStrips(accumulation)
        } else {
          try emitSerially(accumulation)
        }
      case .declare(let register, let expression):
        if let operand = try declare(register, expression) { declared.append(operand) }
      case .assign(let register, let expression):
        guard let target = registers[register.id] else { throw TapeFault("register \(register.id) is not in scope") }
        let value = try emit(expression)
        move(value, to: target, masked: true)
        release(value)
      case .allocate(let array) where block != nil:
        if let sum = BlockSum(array, rest), try emitTile(sum.reduction, addingTo: sum.total) {
          rest = []
          continue
        }
        let register = register(array.type, perLane: true, temporary: false)
        block?.arrays[array.id] = register
      case .allocate(let array) where array.lanes != nil && lane == nil:
        var tile = [statement] + rest.prefix { $0.belongs(to: array) }
        while case .declare = tile.last { tile.removeLast() }
        if try emitBlocks(LoopChain(core: tile)) { rest = rest.dropFirst(tile.count - 1) } else { allocate(array) }
      case .allocate(let array): allocate(array)
      case .store(let memory, let index, let expression): try store(memory, index, expression)
      case .when(let constraints, let body):
        try restricted(to: constraints) { builder throws(TapeFault) in try builder.emit(body) }
      case .whenTrue(let predicate, let body): try emitWhen(predicate, body)
      case .call(let call): try emit(call)
      }
    }
    try following(&self)
    for operand in declared { reuse(operand) }
  }

  private mutating func emit(_ call: RoutineCall) throws(TapeFault) {
    guard lane == nil, mask == nil else { throw TapeFault("a routine is called for lanes") }
    func addresses(_ blocks: [RoutineCall.Block]) throws(TapeFault) -> [Int32] {
      try blocks.map { block throws(TapeFault) in
        let (address, positions) = try address(.buffer(block.buffer), block.start)
        guard positions == nil else { throw TapeFault("a matrix has no place") }
        return address
      }
    }
    var instruction = Instruction(.call)
    instruction.extra = Int32(tape.calls.count)
    tape.calls.append(
      PreparedCall(
        routine: call.routine, operands: try addresses(call.operands), results: try addresses(call.results)))
    append(instruction)
  }

  private mutating func allocate(_ array: LocalArray) {
    locals[array.id] = tape.localBytes
    tape.localBytes += (array.count * array.type.byteCount).aligned
  }

  /// Names the value; registers that change later get a place of their own.
  private mutating func declare(_ register: Register, _ expression: Expression) throws(TapeFault) -> Operand? {
    let value = try emit(expression)
    guard value.type == register.type else {
      throw TapeFault("register \(register.id) of \(register.type) is declared with a \(value.type)")
    }
    if mutated.contains(register.id) || (!value.isTemporary && isMutable(expression)) {
      var place = self.register(register.type, perLane: lane != nil, temporary: false)
      move(value, to: place)
      release(value)
      place.isTemporary = false
      registers[register.id] = place
      return place
    }
    var place = value
    place.isTemporary = false
    registers[register.id] = place
    return value.isTemporary ? place : nil
  }

  private func isMutable(_ expression: Expression) -> Bool {
    if case .register(let register) = expression { return mutated.contains(register.id) }
    return false
  }

  private mutating func store(_ memory: Memory, _ index: Index, _ expression: Expression) throws(TapeFault) {
    if case .local(let array) = memory, let place = block?.arrays[array.id] ?? nil,
      case .pointwise(let function, let operands) = expression, operands.count == 2,
      case .load(memory, _, _) = operands[0], mask == nil
    {
      // Joined where it is.
      let value = try emit(operands[1])
      apply(function, [place, value], place.type, into: place)
      round(place)
      return release(value)
    }
    let value = try emit(expression)
    if case .local(let array) = memory, let place = block?.arrays[array.id] ?? nil {
      move(value, to: place)
      release(value)
      if case .constant = expression { block?.isFresh = true } else { block?.isFresh = false }
      return
    }
    let (address, positions) = try address(memory, index)
    guard tape.addresses[Int(address)].type == value.type else {
      throw TapeFault("a \(value.type) is stored to memory of \(tape.addresses[Int(address)].type)")
    }
    var instruction = Instruction(positions == nil ? .store : .scatter)
    instruction.type = value.type
    instruction.lanes =
      value.isPerLane || positions != nil || tape.addresses[Int(address)].isPerLane || mask != nil
    instruction.a = value.offset
    instruction.uniform = value.isPerLane ? 0 : 1
    instruction.b = mask?.offset ?? -1
    instruction.c = positions?.offset ?? -1
    instruction.extra = address
    append(instruction)
    if let positions { release(positions) }
    release(value)
  }

  private mutating func emitWhen(_ predicate: Expression, _ body: [Statement]) throws(TapeFault) {
    let holds = try emit(predicate)
    guard holds.isPerLane else {
      var jump = Instruction(.jumpUnless)
      jump.a = holds.offset
      let place = append(jump)
      try emit(body)
      tape.code[place].target = position
      release(holds)
      return
    }
    let outer = mask
    var joined = holds
    if let outer {
      joined = register(.bool, perLane: true)
      apply(.and, [holds, outer], .bool, into: joined)
      release(holds)
    }
    mask = joined
    try emit(body)
    mask = outer
    release(joined)
  }

  // MARK: Loops

  /// In a block: its own loops are lanes, others count.
  private mutating func emitInBlock(_ loop: Loop) throws(TapeFault) {
    if block?.contains(loop.variable) ?? false { return try emit(loop.body) }
    let isTile = try emitTile(loop)
    block?.isFresh = false
    if !isTile { try emitLoop(loop) }
  }

  private mutating func emitLoop(_ loop: Loop) throws(TapeFault) {
    try counted(loop.variable, loop.lower, loop.upper) { builder, _ throws(TapeFault) in
      try builder.emit(loop.body)
    }
  }

  private mutating func emitStrips(_ loop: Loop) throws(TapeFault) {
    try strips(loop.variable, loop.lower, loop.upper, length: Tape.stripLength) { builder throws(TapeFault) in
      try builder.emit(loop.body)
    }
  }

  /// A loop that counts one by one.
  ///
  /// Ends that differ between lanes become a window around the body.
  mutating func counted(
    _ variable: LoopVariable, _ lower: Bound, _ upper: Bound,
    _ body: (inout TapeBuilder, _ counter: Int32) throws(TapeFault) -> Void
  ) throws(TapeFault) {
    var enter = Instruction(.enterLoop)
    enter.a = integerRegister()
    enter.b = integerRegister()
    enter.extra = try bounds(lower, upper)
    let start = append(enter)
    noteShared(variable, start)
    variables[variable] = enter.a
    let bodyStart = position
    let constraints = laneConstraints(variable, lower, upper)
    if constraints.isEmpty {
      try body(&self, enter.a)
    } else {
      try restricted(to: constraints) { builder throws(TapeFault) in try body(&builder, enter.a) }
    }
    var again = Instruction(.repeatLoop)
    again.a = enter.a
    again.b = enter.b
    again.target = bodyStart
    append(again)
    tape.code[start].target = position
  }

  private mutating func strips(
    _ variable: LoopVariable, _ lower: Bound, _ upper: Bound, length: Int,
    _ body: (inout TapeBuilder) throws(TapeFault) -> Void
  ) throws(TapeFault) {
    var enter = Instruction(.enterStrips)
    enter.a = integerRegister()
    enter.b = integerRegister()
    enter.c = Int32(length)
    enter.dst = 1
    enter.extra = try bounds(lower, upper)
    let start = append(enter)
    variables[variable] = enter.a
    let bodyStart = position
    lane = variable
    let saved = stripLength
    stripLength = max(stripLength, length)
    try body(&self)
    stripLength = saved
    lane = nil
    var again = Instruction(.repeatStrips)
    again.a = enter.a
    again.b = enter.b
    again.c = Int32(length)
    again.dst = 1
    again.target = bodyStart
    append(again)
    tape.code[start].target = position
  }

  mutating func bounds(_ lower: Bound, _ upper: Bound) throws(TapeFault) -> Int32 {
    var quotients: [BoundQuotient] = []
    for quotient in lower.quotients + upper.quotients {
      guard isAffineInLane(quotient.dividend) else { throw TapeFault("a loop's end differs irregularly between lanes") }
      quotients.append(BoundQuotient(affine: try affine(quotient.dividend), divisor: quotient.divisor))
    }
    tape.bounds.append(
      LoopBounds(
        lower: lower.constant, upper: upper.constant, firstQuotient: Int32(tape.quotients.count),
        lowerCount: Int32(lower.quotients.count), upperCount: Int32(upper.quotients.count)))
    tape.quotients += quotients
    return Int32(tape.bounds.count - 1)
  }

  /// What says for each lane whether an iteration lies between ends that differ between lanes:
  /// `v >= ceil(d / q)` is `v * q - d >= 0`, and `v < ceil(d / q)` is `v * q - d < 0`.
  private func laneConstraints(_ variable: LoopVariable, _ lower: Bound, _ upper: Bound) -> [Constraint] {
    let counter = Index(variable)
    return lower.quotients.filter { dependsOnLane($0.dividend) }
      .map { .inRange(counter * $0.divisor - $0.dividend, 0..<Int.max / 2) }
      + upper.quotients.filter { dependsOnLane($0.dividend) }
      .map { .inRange(counter * $0.divisor - $0.dividend, (Int.min / 2)..<0) }
  }

  // MARK: Accumulations

  /// Outside of strips: the accumulation's own loop runs in strips, which are joined lane by lane.
  private mutating func emitInStrips(_ accumulation: Accumulation) throws(TapeFault) {
    let lanes = accumulation.lanes
    guard lanes > 0, lanes & (lanes - 1) == 0 else { throw TapeFault("\(lanes) lanes are no power of two") }
    guard let accumulator = registers[accumulation.accumulator.id] else {
      throw TapeFault("accumulator \(accumulation.accumulator.id) is not in scope")
    }
    let function = accumulation.combiner.function
    var partials = accumulator
    if lanes > 1 {
      partials.offset = space(lanes * Lane(accumulator.type).byteCount)
      fill(partials.offset, accumulator.type, accumulation.combiner, count: lanes)
    }
    let length = max(Tape.stripLength / lanes, 1) * lanes
    try strips(accumulation.variable, accumulation.lower, accumulation.upper, length: length) {
      builder throws(TapeFault) in
      try builder.emit(accumulation.prologue) { builder throws(TapeFault) in
        let value = try builder.emit(accumulation.value)
        var instruction = Instruction(.joinStrip)
        instruction.function = function
        instruction.type = accumulator.type
        instruction.dst = partials.offset
        instruction.lanes = true
        builder.set(&instruction, [value])
        instruction.extra = Int32(lanes)
        builder.append(instruction)
        builder.release(value)
      }
    }
    if lanes > 1 { fold(partials.offset, into: accumulator, function, lanes) }
    round(accumulator)
  }

  /// Sets consecutive elements to the combiner's identity.
  private mutating func fill(_ offset: Int32, _ type: ScalarType, _ combiner: Combiner, count: Int) {
    let identity = literal(combiner.identity(type), type)
    for lane in 0..<count {
      move(
        identity,
        to: Operand(offset: offset + Int32(lane * Lane(type).byteCount), type: type, isPerLane: false))
    }
  }

  private mutating func fold(_ offset: Int32, into accumulator: Operand, _ function: Pointwise, _ lanes: Int) {
    var instruction = Instruction(.foldPartials)
    instruction.function = function
    instruction.type = accumulator.type
    instruction.dst = accumulator.offset
    instruction.a = offset
    instruction.extra = Int32(lanes)
    append(instruction)
  }

  /// Inside of strips: one iteration after the other, for all lanes at once.
  private mutating func emitSerially(_ accumulation: Accumulation) throws(TapeFault) {
    guard let accumulator = registers[accumulation.accumulator.id] else {
      throw TapeFault("accumulator \(accumulation.accumulator.id) is not in scope")
    }
    if accumulation.lanes > 1 { return try emitPartials(accumulation, accumulator) }
    try counted(accumulation.variable, accumulation.lower, accumulation.upper) { builder, _ throws(TapeFault) in
      try builder.emit(accumulation.prologue) { builder throws(TapeFault) in
        try builder.emitJoin(accumulation, accumulator)
      }
    }
    round(accumulator)
  }

  /// `accumulator = join(accumulator, value)`, with the product of a sum of products in one instruction.
  private mutating func emitJoin(_ accumulation: Accumulation, _ accumulator: Operand) throws(TapeFault) {
    let function = accumulation.combiner.function
    if mask == nil, function == .add, !accumulator.type.isNarrow, accumulator.type != .bool,
      case .pointwise(.multiply, let factors) = accumulation.value, factors.count == 2
    {
      let left = try emit(factors[0])
      let right = try emit(factors[1])
      if left.isPerLane || right.isPerLane {
        var instruction = Instruction(.joinProduct)
        instruction.type = accumulator.type
        instruction.dst = accumulator.offset
        instruction.lanes = true
        set(&instruction, [left, right])
        append(instruction)
        release(left)
        release(right)
        return
      }
      let product = register(accumulator.type, perLane: false)
      apply(.multiply, [left, right], accumulator.type, into: product)
      release(left)
      release(right)
      join(product, into: accumulator, function)
      release(product)
      return
    }
    let value = try emit(accumulation.value)
    if let mask {
      // Joined aside, and taken over where the mask holds.
      let joined = register(accumulator.type, perLane: accumulator.isPerLane)
      move(accumulator, to: joined)
      join(value, into: joined, function)
      var instruction = Instruction(.blend)
      instruction.type = accumulator.type
      instruction.dst = accumulator.offset
      instruction.lanes = true
      set(&instruction, [mask, joined])
      append(instruction)
      release(joined)
    } else {
      join(value, into: accumulator, function)
    }
    release(value)
  }

  mutating func join(_ value: Operand, into accumulator: Operand, _ function: Pointwise) {
    var instruction = Instruction(.join)
    instruction.function = function
    instruction.type = accumulator.type
    instruction.dst = accumulator.offset
    instruction.lanes = accumulator.isPerLane
    set(&instruction, [value])
    append(instruction)
  }

  /// Partial results as strips of their own: iteration `i` joins into partial result `i % lanes`.
  private mutating func emitPartials(_ accumulation: Accumulation, _ accumulator: Operand) throws(TapeFault) {
    let lanes = accumulation.lanes
    guard mask == nil, lanes & (lanes - 1) == 0 else { throw TapeFault("partial results in masked lanes") }
    let function = accumulation.combiner.function
    let size = (Lane(accumulator.type).byteCount * stripLength).aligned
    let partials = space(size * lanes)
    let identity = literal(accumulation.combiner.identity(accumulator.type), accumulator.type)
    var places: [Operand] = []
    for lane in 0..<lanes {
      places.append(
        Operand(
          offset: partials + Int32(lane * size), type: accumulator.type, isPerLane: true, isTemporary: false))
      move(identity, to: places[lane])
    }
    let counter = Operand(offset: integerRegister(), type: .i64, isPerLane: false, isTemporary: false)
    move(literal(.integer(0), .i64), to: counter)
    try counted(accumulation.variable, accumulation.lower, accumulation.upper) { builder, _ throws(TapeFault) in
      try builder.emit(accumulation.prologue) { builder throws(TapeFault) in
        let value = try builder.emit(accumulation.value)
        var instruction = Instruction(.joinPartial)
        instruction.function = function
        instruction.type = accumulator.type
        instruction.dst = partials
        instruction.lanes = true
        builder.set(&instruction, [value])
        instruction.b = counter.offset
        instruction.c = Int32(lanes)
        instruction.extra = Int32(size)
        builder.append(instruction)
        builder.release(value)
      }
      var next = Instruction(.addScaled)
      next.dst = counter.offset
      next.a = builder.literal(.integer(1), .i64).offset
      next.uniform = 1
      next.extra = builder.factor(1)
      builder.append(next)
    }
    var width = lanes
    while width > 1 {
      width /= 2
      for lane in 0..<width { join(places[lane + width], into: places[lane], function) }
    }
    join(places[0], into: accumulator, function)
    round(accumulator)
  }
}
