public import LatheCore

/// Runs a planned program one scalar at a time in a real arena: what loops, storage sharing and the plan mean together.
///
/// Every index is checked. Memory starts as garbage, so that reading what was never written shows.
public struct ProgramEvaluator {
  /// An access outside of a buffer.
  public struct OutOfBounds: Error, CustomStringConvertible {
    public let description: String
  }

  /// A matrix that has no factorization.
  public struct RoutineFailed: Error {}

  /// A checked index that lies outside.
  public struct IndexOutOfRange: Error {}

  private let planned: PlannedProgram
  private var program: Program { planned.program }
  private var arena: [UInt8]
  private var contents: [BufferID: [UInt8]] = [:]
  private var environment: [Int: Int] = [:]
  private var registers: [Int32: ScalarValue] = [:]
  private var locals: [Int: [ScalarValue]] = [:]

  package init(_ planned: PlannedProgram) {
    self.planned = planned
    arena = [UInt8](repeating: 0xa5, count: planned.arenaBytes)
    for (index, variable) in planned.program.variables.enumerated() {
      contents[planned.program.variableBuffers[index]] = variable.initial.bytes
    }
  }

  /// The content of a variable.
  public func variable(_ name: String) throws -> NDArray? {
    guard let index = program.variables.firstIndex(where: { $0.name == name }) else { return nil }
    let type = program.variables[index].type
    return try contents[program.variableBuffers[index]].map {
      try NDArray(dtype: type.dtype, shape: type.shape.known ?? [], bytes: $0)
    }
  }

  public mutating func run(_ inputs: [String: NDArray]) throws -> [String: NDArray] {
    for (position, buffer) in program.buffers.enumerated() {
      switch buffer.kind {
      case .constant(let content): contents[BufferID(position)] = content.array.bytes
      case .output: contents[BufferID(position)] = [UInt8](repeating: 0xa5, count: buffer.byteCount)
      case .input, .variable, .temporary: break
      }
    }
    for port in program.inputs { contents[port.buffer] = inputs[port.name]?.bytes ?? [] }
    for step in program.steps { try run(step) }
    var outputs: [String: NDArray] = [:]
    for port in program.outputs {
      outputs[port.name] = try NDArray(
        dtype: port.type.dtype, shape: port.type.shape.known ?? [], bytes: contents[port.buffer] ?? [])
    }
    return outputs
  }

  private mutating func run(_ step: Step) throws {
    switch step {
    case .kernel(let position):
      registers = [:]
      locals = [:]
      for statement in program.kernels[position].body { try run(statement) }
    case .loop(let variable, let body):
      for value in 0..<variable.extent {
        for step in body {
          environment[variable.id] = value
          try run(step)
        }
      }
    // What is handed out comes back as it is.
    case .ready, .wait: break
    case .branch(let predicate, let then, let otherwise):
      for step in try load(.buffer(predicate), 0, .bool) == .integer(1) ? then : otherwise { try run(step) }
    case .whileLoop(let condition, let predicate, let body):
      for step in condition { try run(step) }
      while try load(.buffer(predicate), 0, .bool) == .integer(1) { for step in body + condition { try run(step) } }
    }
  }

  private mutating func run(_ statement: Statement) throws {
    switch statement {
    case .loop(let loop):
      let range = try (lower: end(loop.lower, max), upper: end(loop.upper, min))
      for value in range.lower..<max(range.lower, range.upper) {
        environment[loop.variable.id] = value
        for statement in loop.body { try run(statement) }
      }
    case .accumulate(let accumulation):
      let type = accumulation.accumulator.type
      let function = accumulation.combiner.function
      // One lane is the accumulator itself.
      var lanes = [ScalarValue](repeating: accumulation.combiner.identity(type), count: accumulation.lanes)
      if accumulation.lanes == 1 { lanes = [registers[accumulation.accumulator.id]!] }
      let lower = try end(accumulation.lower, max)
      for value in lower..<max(lower, try end(accumulation.upper, min)) {
        environment[accumulation.variable.id] = value
        for statement in accumulation.prologue { try run(statement) }
        let lane = (value - lower) % accumulation.lanes
        lanes[lane] = function.evaluate([lanes[lane], try self.value(accumulation.value)], type)
      }
      while lanes.count > 1 {
        let half = lanes.count / 2
        lanes = (0..<half).map { function.evaluate([lanes[$0], lanes[$0 + half]], type) }
      }
      registers[accumulation.accumulator.id] =
        accumulation.lanes == 1
        ? lanes[0] : function.evaluate([registers[accumulation.accumulator.id]!, lanes[0]], type)
    case .declare(let register, let value), .assign(let register, let value):
      registers[register.id] = try self.value(value)
    case .allocate(let array): locals[array.id] = [ScalarValue](repeating: .integer(-7777), count: array.count)
    case .store(let memory, let index, let value): try store(memory, self.index(index), self.value(value))
    case .when(let constraints, let body):
      for constraint in constraints where try !holds(constraint) { return }
      for statement in body { try run(statement) }
    case .whenTrue(let condition, let body):
      if try value(condition) == .integer(1) { for statement in body { try run(statement) } }
    case .call(let call): try run(call)
    }
  }

  private mutating func run(_ call: RoutineCall) throws {
    let blocks = try call.reads.map { block, count in
      let start = try index(block.start)
      return try (start..<start + count).map { try load(.buffer(block.buffer), $0, call.routine.type) }
    }
    guard let results = ReferenceEvaluator.run(call.routine, blocks) else { throw RoutineFailed() }
    for (block, values) in zip(call.results, results) {
      let start = try index(block.start)
      for (position, value) in values.enumerated() { try store(.buffer(block.buffer), start + position, value) }
    }
  }

  private func end(_ bound: Bound, _ join: (Int, Int) -> Int) throws -> Int {
    var result = bound.constant
    for quotient in bound.quotients {
      let dividend = try index(quotient.dividend)
      result = join(result, Int((Double(dividend) / Double(quotient.divisor)).rounded(.up)))
    }
    return result
  }

  private func index(_ index: Index) throws -> Int {
    var result = index.constant
    for term in index.terms {
      let factor: Int
      switch term.atom {
      case .variable(let variable):
        guard let value = environment[variable.id] else {
          throw OutOfBounds(description: "loop variable \(variable.id) is not bound")
        }
        factor = value
      case .value(let scalar):
        guard case .integer(let value)? = registers[scalar.id] else {
          throw OutOfBounds(description: "register \(scalar.id) is not set")
        }
        factor = value
      case .floorDivide(let inner, let divisor):
        factor = Int((Double(try self.index(inner)) / Double(divisor)).rounded(.down))
      case .modulo(let inner, let divisor):
        let value = try self.index(inner)
        factor = ((value % divisor) + divisor) % divisor
      }
      result += factor * term.coefficient
    }
    return result
  }

  private func holds(_ constraint: Constraint) throws -> Bool {
    switch constraint {
    case .inRange(let index, let range): range.contains(try self.index(index))
    case .multiple(let index, let divisor): try self.index(index) % divisor == 0
    }
  }

  private func value(_ expression: Expression) throws -> ScalarValue {
    switch expression {
    case .constant(let value, _): return value
    case .register(let register):
      guard let value = registers[register.id] else {
        throw OutOfBounds(description: "register \(register.id) is not set")
      }
      return value
    case .index(let index): return .integer(try self.index(index))
    case .load(let memory, let index, let type): return try load(memory, self.index(index), type)
    case .pointwise(let function, let operands):
      return function.evaluate(try operands.map { try value($0) }, operands.last?.type ?? expression.type)
    case .convert(let operand, let type):
      return type.converted(try value(operand), from: operand.type)
    case .bitcast(let operand, let type):
      let bytes = NDArray(scalar: try value(operand), dtype: operand.type).bytes
      return try NDArray(dtype: type, shape: [], bytes: bytes)[0]
    case .checked(let operand, let extent):
      guard case .integer(let index) = try value(operand), (0..<extent).contains(index) else {
        throw IndexOutOfRange()
      }
      return .integer(index)
    case .select(let constraints, let then, let otherwise):
      // The fallback may be evaluated everywhere, and so is here.
      let fallback = try value(otherwise)
      for constraint in constraints where try !holds(constraint) { return fallback }
      return try value(then)
    }
  }

  /// The element's place: in the arena, or in a buffer of its own.
  private func check(_ buffer: BufferID, _ index: Int) throws {
    guard index >= 0, index < program[buffer].count else {
      throw OutOfBounds(description: "element \(index) of \(program[buffer].name), which has \(program[buffer].count)")
    }
  }

  private func load(_ memory: Memory, _ index: Int, _ type: ScalarType) throws -> ScalarValue {
    switch memory {
    case .local(let array):
      guard let values = locals[array.id], values.indices.contains(index) else {
        throw OutOfBounds(description: "element \(index) of a local array of \(array.count)")
      }
      return values[index]
    case .buffer(let buffer):
      try check(buffer, index)
      if let offset = planned.offsets[buffer.position] {
        return arena.withUnsafeBytes { type.load(from: UnsafeRawBufferPointer(rebasing: $0[offset...]), at: index) }
      }
      return (contents[buffer] ?? []).withUnsafeBytes { type.load(from: $0, at: index) }
    }
  }

  private mutating func store(_ memory: Memory, _ index: Int, _ value: ScalarValue) throws {
    switch memory {
    case .local(let array):
      guard locals[array.id]?.indices.contains(index) == true else {
        throw OutOfBounds(description: "element \(index) of a local array of \(array.count)")
      }
      locals[array.id]![index] = value
    case .buffer(let buffer):
      try check(buffer, index)
      let type = program[buffer].dtype
      if let offset = planned.offsets[buffer.position] {
        arena.withUnsafeMutableBytes {
          type.store(value, to: UnsafeMutableRawBufferPointer(rebasing: $0[offset...]), at: index)
        }
      } else {
        contents[buffer]?.withUnsafeMutableBytes { type.store(value, to: $0, at: index) }
      }
    }
  }
}
