/// The buffers that statements read and write.
struct Accesses {
  private(set) var reads = Set<BufferID>()
  private(set) var writes = Set<BufferID>()

  mutating func add(_ statement: Statement) {
    switch statement {
    case .loop(let loop): loop.body.forEach { add($0) }
    case .accumulate(let accumulation):
      accumulation.prologue.forEach { add($0) }
      add(accumulation.value)
    case .declare(_, let value), .assign(_, let value): add(value)
    case .allocate: break
    case .store(let memory, _, let value):
      if case .buffer(let buffer) = memory { writes.insert(buffer) }
      add(value)
    case .when(_, let body): body.forEach { add($0) }
    case .whenTrue(let condition, let body):
      add(condition)
      body.forEach { add($0) }
    case .call(let call):
      reads.formUnion(call.reads.filter { $0.count > 0 }.map(\.block.buffer))
      writes.formUnion(call.writes.filter { $0.count > 0 }.map(\.block.buffer))
    }
  }

  private mutating func add(_ expression: Expression) {
    switch expression {
    case .constant, .register, .index: break
    case .load(let memory, _, _): if case .buffer(let buffer) = memory { reads.insert(buffer) }
    case .pointwise(_, let operands): operands.forEach { add($0) }
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): add(operand)
    case .select(_, let then, let otherwise):
      add(then)
      add(otherwise)
    }
  }
}

/// Statements with buffers renamed.
extension Statement {
  func renaming(_ names: [BufferID: BufferID]) -> Statement {
    switch self {
    case .loop(var loop):
      loop.body = loop.body.map { $0.renaming(names) }
      return .loop(loop)
    case .accumulate(var accumulation):
      accumulation.prologue = accumulation.prologue.map { $0.renaming(names) }
      accumulation.value = accumulation.value.renaming(names)
      return .accumulate(accumulation)
    case .declare(let register, let value): return .declare(register, value.renaming(names))
    case .assign(let register, let value): return .assign(register, value.renaming(names))
    case .allocate: return self
    case .store(let memory, let index, let value): return .store(memory.renaming(names), index, value.renaming(names))
    case .when(let constraints, let body): return .when(constraints, body.map { $0.renaming(names) })
    case .whenTrue(let condition, let body):
      return .whenTrue(condition.renaming(names), body.map { $0.renaming(names) })
    case .call(let call):
      return .call(call.mapping { RoutineCall.Block(buffer: names[$0.buffer] ?? $0.buffer, start: $0.start) })
    }
  }
}

extension Expression {
  fileprivate func renaming(_ names: [BufferID: BufferID]) -> Expression {
    switch self {
    case .constant, .register, .index: self
    case .load(let memory, let index, let type): .load(memory.renaming(names), index, type)
    case .pointwise(let function, let operands): .pointwise(function, operands.map { $0.renaming(names) })
    case .convert(let operand, let type): .convert(operand.renaming(names), type)
    case .bitcast(let operand, let type): .bitcast(operand.renaming(names), type)
    case .checked(let operand, let extent): .checked(operand.renaming(names), extent)
    case .select(let constraints, let then, let otherwise):
      .select(constraints, then: then.renaming(names), otherwise: otherwise.renaming(names))
    }
  }
}

extension Memory {
  fileprivate func renaming(_ names: [BufferID: BufferID]) -> Memory {
    if case .buffer(let buffer) = self { .buffer(names[buffer] ?? buffer) } else { self }
  }
}

extension Kernel {
  func renaming(_ names: [BufferID: BufferID]) -> Kernel {
    guard reads.contains(where: { names[$0] != nil }) || writes.contains(where: { names[$0] != nil }) else {
      return self
    }
    return Kernel(
      name: name, summary: summary, parameters: parameters, macs: macs,
      parts: parts.map { part in part.map { $0.renaming(names) } },
      inPlace: inPlace.map { names[$0] ?? $0 }, nodes: nodes, location: location, counted: counted)
  }
}
