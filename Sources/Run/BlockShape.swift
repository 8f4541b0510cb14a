internal import LatheCore

/// What statements are allowed in a block.
struct BlockShape {
  let builder: TapeBuilder
  /// The loops that become lanes.
  var variables = Set<LoopVariable>()
  /// Where the arrays of a tile are touched.
  var arrays: [Int: [Index]] = [:]

  init(builder: TapeBuilder) { self.builder = builder }

  func allows(_ statements: [Statement]) -> Bool {
    var declared = Set<Int32>()
    return statements.allSatisfy { statement in
      switch statement {
      case .declare(let register, _): declared.insert(register.id)
      // A sum that goes on from one iteration to the next is none for every lane.
      case .accumulate(let accumulation) where !declared.contains(accumulation.accumulator.id): return false
      default: break
      }
      return allows(statement)
    }
  }

  private func allows(_ statement: Statement) -> Bool {
    switch statement {
    case .declare(_, let value): allows(value)
    case .store(let memory, let index, let value): allows(memory, index) && allows(value)
    case .loop(let loop):
      if variables.contains(loop.variable) {
        allows(loop.body)
      } else {
        loop.kind != .lanes && (loop.lower.quotients + loop.upper.quotients).allSatisfy { isUniform($0.dividend) }
          && allows(loop.body)
      }
    case .when(let constraints, let body): constraints.allSatisfy { isUniform($0.index) } && allows(body)
    case .allocate(let array): arrays[array.id] != nil
    case .accumulate(let accumulation):
      RowPattern(accumulation).map { rows in
        rows.fits(variables) && rows.operands.allSatisfy { allows(.buffer($0.buffer), $0.start) }
      } ?? false
    case .assign, .whenTrue, .call: false
    }
  }

  private func allows(_ value: Expression) -> Bool {
    switch value {
    case .constant, .register: true
    case .checked: false
    case .index(let index): isUniform(index)
    case .load(let memory, let index, _): allows(memory, index)
    case .pointwise(_, let operands): operands.allSatisfy { allows($0) }
    case .convert(let inner, _), .bitcast(let inner, _): allows(inner)
    case .select(let constraints, let then, let otherwise):
      constraints.allSatisfy { isUniform($0.index) } && allows(then) && allows(otherwise)
    }
  }

  private func allows(_ memory: Memory, _ index: Index) -> Bool {
    switch memory {
    case .local(let array): arrays[array.id]?.contains(index) ?? false
    case .buffer:
      index.terms.allSatisfy { term in
        switch term.atom {
        case .variable: true
        case .floorDivide(let inner, _), .modulo(let inner, _): isUniform(inner)
        // Registers from around the nest only.
        case .value(let scalar): builder.registers[scalar.id].map { !$0.isPerLane } ?? false
        }
      }
    }
  }

  /// Whether all lanes have the same value.
  private func isUniform(_ index: Index) -> Bool {
    index.variables.isDisjoint(with: variables) && !index.isDynamic
  }

  /// Whether every lane stores elements of its own, and reads none that another one stores.
  func storesOnce(_ statements: [Statement]) -> Bool {
    var stored: [BufferID: Index] = [:]
    for case .store(.buffer(let buffer), let index, _) in statements {
      guard stored.updateValue(index, forKey: buffer) == nil, isInjective(index) else { return false }
    }
    return statements.allSatisfy { statement in
      switch statement {
      case .declare(_, let value), .store(_, _, let value):
        value.loads.allSatisfy { stored[$0.buffer] ?? $0.index == $0.index }
      case .accumulate(let accumulation): accumulation.value.loads.allSatisfy { stored[$0.buffer] == nil }
      default: true
      }
    }
  }

  private func isInjective(_ index: Index) -> Bool {
    var reach = 0
    for (stride, extent) in variables.map({ (abs(index.coefficient(of: $0)), $0.extent) }).sorted(by: <)
    where extent > 1 {
      guard stride > reach else { return false }
      reach += stride * (extent - 1)
    }
    return true
  }
}

extension Expression {
  /// All elements of buffers that are read.
  fileprivate var loads: [(buffer: BufferID, index: Index)] {
    switch self {
    case .load(.buffer(let buffer), let index, _): [(buffer, index)]
    case .pointwise(_, let operands): operands.flatMap(\.loads)
    case .convert(let inner, _), .bitcast(let inner, _), .checked(let inner, _): inner.loads
    case .select(_, let then, let otherwise): then.loads + otherwise.loads
    case .constant, .register, .index, .load: []
    }
  }
}

extension Statement {
  /// Whether it is a plain step of an element-wise nest.
  var isStraight: Bool {
    switch self {
    case .declare, .store(.buffer, _, _): true
    default: false
    }
  }
}
