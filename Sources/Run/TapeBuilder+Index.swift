internal import LatheCore

/// Index expressions: affine where possible, per lane otherwise.
extension TapeBuilder {
  /// What an index is, seen from a strip.
  enum Position {
    /// Affine in the lane.
    case affine(Affine)
    /// One integer per lane.
    case perLane(Operand)
  }

  /// Whether the value differs between lanes.
  func dependsOnLane(_ index: Index) -> Bool {
    index.terms.contains { dependsOnLane($0.atom) }
  }

  private func dependsOnLane(_ atom: Index.Atom) -> Bool {
    switch atom {
    case .variable(let variable): variable == lane || block?.contains(variable) ?? false
    case .value(let scalar): registers[scalar.id]?.isPerLane ?? false
    case .floorDivide(let inner, _), .modulo(let inner, _): dependsOnLane(inner)
    }
  }

  /// Whether the index is a window's: affine in the lane, with nothing else that differs between lanes.
  func isAffineInLane(_ index: Index) -> Bool {
    index.terms.allSatisfy { term in
      if case .variable = term.atom { return true }
      return !dependsOnLane(term.atom)
    }
  }

  /// The affine form of an index that is affine in the lane.
  mutating func affine(_ index: Index) throws(TapeFault) -> Affine {
    var terms: [AffineTerm] = []
    var stride = 0
    for term in index.terms {
      switch term.atom {
      case .variable(let variable):
        // The block's inner loops start at 0.
        if let block, variable != lane, block.contains(variable) { continue }
        terms.append(AffineTerm(offset: try offset(of: variable), coefficient: term.coefficient))
        if variable == lane { stride = term.coefficient }
      case .value(let scalar):
        terms.append(AffineTerm(offset: try integerOffset(scalar), coefficient: term.coefficient))
      case .floorDivide(let inner, let divisor):
        terms.append(
          AffineTerm(offset: try divided(inner, by: divisor, .floorDivide).offset, coefficient: term.coefficient))
      case .modulo(let inner, let divisor):
        terms.append(AffineTerm(offset: try divided(inner, by: divisor, .modulo).offset, coefficient: term.coefficient))
      }
    }
    if let block {
      let strides = blockStrides(index, block)
      stride = strides.count == 1 ? strides[0].stride : 0
    }
    let first = Int32(tape.terms.count)
    tape.terms += terms
    return Affine(constant: index.constant, firstTerm: first, termCount: Int32(terms.count), stride: stride)
  }

  mutating func position(_ index: Index) throws(TapeFault) -> Position {
    isAffineInLane(index) ? .affine(try affine(index)) : .perLane(try perLane(index))
  }

  /// The index as an integer register: per lane if it differs between lanes.
  mutating func value(_ index: Index) throws(TapeFault) -> Operand {
    guard isAffineInLane(index) else { return try perLane(index) }
    return try ramp(index)
  }

  /// An affine index written out.
  private mutating func ramp(_ index: Index) throws(TapeFault) -> Operand {
    let form = try affine(index)
    let result = register(.i64, perLane: form.stride != 0)
    var instruction = Instruction(.ramp)
    instruction.dst = result.offset
    instruction.lanes = result.isPerLane
    instruction.extra = Int32(tape.affines.count)
    tape.affines.append(form)
    append(instruction)
    return result
  }

  /// An index of which some part is not affine in the lane: the affine part, plus the others one by one.
  private mutating func perLane(_ index: Index) throws(TapeFault) -> Operand {
    var others: [(operand: Operand, coefficient: Int)] = []
    var rest = index
    for term in index.terms {
      let operand: Operand
      switch term.atom {
      case .variable: continue
      case .value(let scalar):
        guard let known = registers[scalar.id], known.isPerLane else { continue }
        operand = known
      case .floorDivide(let inner, let divisor):
        guard dependsOnLane(inner) else { continue }
        operand = try divided(inner, by: divisor, .floorDivide)
      case .modulo(let inner, let divisor):
        guard dependsOnLane(inner) else { continue }
        operand = try divided(inner, by: divisor, .modulo)
      }
      others.append((operand, term.coefficient))
      rest = rest.removing(term)
    }
    let start = try ramp(rest)
    var result = start
    if !start.isPerLane {
      result = register(.i64, perLane: true)
      move(start, to: result)
      release(start)
    }
    for (operand, coefficient) in others {
      var instruction = Instruction(.addScaled)
      instruction.dst = result.offset
      instruction.a = operand.offset
      instruction.lanes = true
      instruction.uniform = operand.isPerLane ? 0 : 1
      instruction.extra = factor(coefficient)
      append(instruction)
      release(operand)
    }
    return result
  }

  private mutating func divided(
    _ inner: Index, by divisor: Int, _ code: Instruction.Code
  ) throws(TapeFault) -> Operand {
    let dividend = try value(inner)
    // Uniform quotients are terms of affine forms that are read later, so that their space is not given back.
    let result =
      dividend.isPerLane
      ? register(.i64, perLane: true)
      : Operand(offset: integerRegister(), type: .i64, isPerLane: false, isTemporary: false)
    var instruction = Instruction(code)
    instruction.dst = result.offset
    instruction.a = dividend.offset
    instruction.lanes = result.isPerLane
    instruction.extra = factor(divisor)
    append(instruction)
    release(dividend)
    return result
  }

  mutating func factor(_ number: Int) -> Int32 {
    if let known = tape.factors.firstIndex(of: number) { return Int32(known) }
    tape.factors.append(number)
    return Int32(tape.factors.count - 1)
  }

  private func offset(of variable: LoopVariable) throws(TapeFault) -> Int32 {
    guard let offset = variables[variable] else { throw TapeFault("loop variable \(variable.id) is not in scope") }
    return offset
  }

  private func integerOffset(_ scalar: Scalar) throws(TapeFault) -> Int32 {
    guard let operand = registers[scalar.id], Lane(operand.type) == .integer else {
      throw TapeFault("an index uses register \(scalar.id), which is no integer in scope")
    }
    return operand.offset
  }

  // MARK: Addresses and conditions

  /// A place in memory, or nil where positions differ irregularly between lanes; then their register is given too.
  mutating func address(_ memory: Memory, _ index: Index) throws(TapeFault) -> (address: Int32, positions: Operand?) {
    let count: Int
    let type: ScalarType
    var place = Address(
      affine: Affine(constant: 0, firstTerm: 0, termCount: 0, stride: 0), buffer: -1, localOffset: 0, count: 0,
      type: .f32, size: 0)
    switch memory {
    case .buffer(let buffer):
      guard buffers.indices.contains(buffer.position) else { throw TapeFault("there is no buffer \(buffer.position)") }
      count = buffers[buffer.position].count
      type = buffers[buffer.position].dtype
      place.buffer = Int32(buffer.position)
    case .local(let array):
      guard let offset = locals[array.id] else { throw TapeFault("local array \(array.id) is not in scope") }
      count = array.count
      type = array.type
      place.localOffset = offset
    }
    place.count = count
    place.type = type
    place.size = type.byteCount
    if let block, isAffineInLane(index) {
      let strides = blockStrides(index, block)
      if strides.count > 1 {
        place.block = Int32(tape.tables.count)
        tape.tables += [strides.count] + strides.map(\.extent) + strides.map(\.stride)
      }
    }
    var positions: Operand?
    switch try position(index) {
    case .affine(let affine): place.affine = affine
    case .perLane(let operand): positions = operand
    }
    tape.addresses.append(place)
    return (Int32(tape.addresses.count - 1), positions)
  }

  /// Runs `body` where the constraints hold; what a window cannot say becomes a mask while `body` is translated.
  mutating func restricted(
    to constraints: [Constraint], _ body: (inout TapeBuilder) throws(TapeFault) -> Void
  ) throws(TapeFault) {
    var conditions: [Condition] = []
    var irregular: [Constraint] = []
    for constraint in constraints {
      if let condition = try window(constraint) { conditions.append(condition) } else { irregular.append(constraint) }
    }
    var narrow: Int?
    if !conditions.isEmpty { narrow = enterWindow(conditions) }
    let outer = mask
    var masks: [Operand] = []
    for constraint in irregular {
      let operand = try value(constraint.index)
      let result = register(.bool, perLane: true)
      var instruction = Instruction(.mask)
      instruction.dst = result.offset
      instruction.lanes = true
      instruction.a = -1
      if let mask { instruction.a = try perLaneMask(mask).offset }
      instruction.b = operand.offset
      instruction.extra = Int32(tape.conditions.count)
      tape.conditions.append(condition(constraint, Affine(constant: 0, firstTerm: 0, termCount: 0, stride: 0)))
      append(instruction)
      release(operand)
      masks.append(result)
      mask = result
    }
    try body(&self)
    mask = outer
    for mask in masks { release(mask) }
    if let narrow { leaveWindow(narrow) }
  }

  private mutating func perLaneMask(_ mask: Operand) throws(TapeFault) -> Operand {
    guard mask.isPerLane else { throw TapeFault("a mask is the same for all lanes") }
    return mask
  }

  /// The constraint as a condition of a window, or nil where the lanes that satisfy it are no interval.
  private mutating func window(_ constraint: Constraint) throws(TapeFault) -> Condition? {
    guard isAffineInLane(constraint.index) else { return nil }
    if case .multiple(let index, let divisor) = constraint, let lane, index.coefficient(of: lane) % divisor != 0 {
      return nil
    }
    return condition(constraint, try affine(constraint.index))
  }

  private func condition(_ constraint: Constraint, _ affine: Affine) -> Condition {
    switch constraint {
    case .inRange(_, let range):
      Condition(affine: affine, lower: range.lowerBound, upper: range.upperBound, divisor: 0)
    case .multiple(_, let divisor): Condition(affine: affine, lower: 0, upper: 0, divisor: divisor)
    }
  }

  /// Emits the start of a window; the end needs the place that is given.
  mutating func enterWindow(_ conditions: [Condition]) -> Int {
    var instruction = Instruction(.narrow)
    instruction.a = integerRegister()
    instruction.b = integerRegister()
    instruction.c = Int32(conditions.count)
    instruction.extra = Int32(tape.conditions.count)
    tape.conditions += conditions
    return append(instruction)
  }

  mutating func leaveWindow(_ narrow: Int) {
    var instruction = Instruction(.widen)
    instruction.a = tape.code[narrow].a
    instruction.b = tape.code[narrow].b
    tape.code[narrow].target = position
    append(instruction)
  }
}

extension Index {
  /// The expression without one of its terms.
  func removing(_ term: Term) -> Index {
    var rest = Index(constant)
    for other in terms where other != term {
      switch other.atom {
      case .variable(let variable): rest = rest + Index(variable) * other.coefficient
      case .value(let scalar): rest = rest + Index(scalar) * other.coefficient
      case .floorDivide(let inner, let divisor): rest = rest + inner.floorDivided(by: divisor) * other.coefficient
      case .modulo(let inner, let divisor): rest = rest + inner.modulo(divisor) * other.coefficient
      }
    }
    return rest
  }
}
