/// Kernels and their statements.
extension LoopParser {
  mutating func kernel() throws(SyntaxFault) {
    advance()
    (variables, registers, locals) = ([:], [:], [:])
    let name = try name()
    var parameters: [LoopVariable] = []
    if take("(") {
      repeat {
        let variable = try programVariable()
        parameters.append(variable)
        variables[variable.id] = variable
      } while take(",")
      try expect(")")
    }
    let summary = try self.name(try expect(.string, "what the kernel computes, a string"), dropping: 0)
    var macs = 0
    var (inPlace, nodes) = ([BufferID](), [Int]())
    var (size, capacity): (String?, Int?)
    if isAt("{"), !isEndOfLine {
      try attributes { (parser, name) throws(SyntaxFault) in
        switch name {
        case "macs": macs = try parser.integer()
        case "in_place":
          inPlace = try parser.list { (parser) throws(SyntaxFault) in
            try parser.knownBuffer(try parser.expect(.identifier, "a buffer's name"))
          }
        case "nodes": nodes = try parser.integers()
        case "size": size = try parser.name(try parser.expect(.string, "the name of a size, a string"), dropping: 0)
        case "capacity": capacity = try parser.integer()
        default: return false
        }
        return true
      }
    }
    let head = token.line
    var parts: [[Statement]] = []
    if isNext("}") {
      try expect("{")
      try expect("}")
    } else {
      let start = position
      try expect("{")
      if isAt(word: "part") {
        while take(word: "part") { parts.append(try block(depth: 0)) }
        try expect("}")
      } else {
        position = start
        parts = [try block(depth: 0)]
      }
    }
    let counted = size.map { Kernel.CountedSize(name: $0, capacity: capacity ?? 0) }
    program.kernels.append(
      Kernel(
        name: name, summary: summary, parameters: parameters, macs: macs, parts: parts, inPlace: inPlace, nodes: nodes,
        location: lexer.locations[head] ?? Location(), counted: counted))
  }

  /// `cholesky f64 [3] of a[0] to l[0]`.
  mutating func call() throws(SyntaxFault) -> RoutineCall {
    let word = try expect(.identifier, "a routine's name")
    guard let name = Routine.Name(rawValue: text(word)) else { throw fault("there is no such routine", at: word) }
    let type = try scalarType()
    let routine = Routine(name, type, try integers())
    guard routine.numbers.count == Routine.numberCount(name), routine.numbers.allSatisfy({ $0 >= 0 }) else {
      throw fault("\(name.rawValue) takes \(Routine.numberCount(name)) numbers", at: word)
    }
    func block(_ parser: inout LoopParser) throws(SyntaxFault) -> RoutineCall.Block {
      let start = parser.token
      guard case .buffer(let buffer) = try parser.memory() else { throw parser.fault("expected a buffer", at: start) }
      return RoutineCall.Block(buffer: buffer, start: try parser.bracketedIndex())
    }
    func blocks(_ parser: inout LoopParser) throws(SyntaxFault) -> [RoutineCall.Block] {
      var result: [RoutineCall.Block] = []
      repeat { result.append(try block(&parser)) } while parser.take(",")
      return result
    }
    try expect(word: "of")
    let operands = try blocks(&self)
    try expect(word: "to")
    let results = try blocks(&self)
    let work = take(word: "in") ? try block(&self) : nil
    guard operands.count == routine.operandCounts.count, results.count == routine.results.count,
      (work == nil) == (routine.workCount == 0)
    else { throw fault("\(name.rawValue) reads and writes other matrices", at: word) }
    return RoutineCall(routine, operands: operands, results: results, work: work)
  }

  /// Whether the token is the last of its line.
  private var isEndOfLine: Bool { lexer.tokens[min(position + 1, lexer.tokens.count - 1)].startsLine }

  private mutating func block(depth: Int) throws(SyntaxFault) -> [Statement] {
    guard depth < TextLimit.depth else { throw fault("blocks nest more than \(TextLimit.depth) deep") }
    try expect("{")
    var result: [Statement] = []
    while !isAt("}") { result.append(try statement(depth: depth)) }
    try expect("}")
    return result
  }

  private mutating func statement(depth: Int) throws(SyntaxFault) -> Statement {
    if token.kind == .value {
      let memory = try memory()
      return try store(memory)
    }
    guard token.kind == .identifier else { throw fault("expected a statement") }
    // A buffer may be called as a statement is.
    if isNext("[") {
      let memory = try memory()
      return try store(memory)
    }
    if take(word: "for") {
      let (variable, lower, upper) = try range()
      var kind = LoopKind.serial
      if token.kind == .identifier {
        guard let known = LoopKind(rawValue: text(token)) else { throw fault("expected a kind of loop") }
        kind = known
        advance()
      }
      return .loop(Loop(variable, lower: lower, upper: upper, kind: kind, body: try block(depth: depth + 1)))
    }
    if take(word: "let") {
      guard let number = number(after: "r").flatMap({ Int32(exactly: $0) }) else {
        throw fault("expected a register, r0")
      }
      advance()
      try expect(":")
      let register = Register(id: Int(number), type: try scalarType())
      try expect("=")
      let value = try expression(depth: 0)
      registers[number] = register
      return .declare(register, value)
    }
    if take(word: "local") {
      let number = try localNumber()
      try expect(":")
      let type = try type()
      guard let shape = type.shape.known, shape.count == 1 else { throw fault("a local array has one size") }
      var lanes: Int?
      if take(word: "in") {
        try expect(word: "vectors")
        try expect(word: "of")
        lanes = try integer()
      }
      let array = LocalArray(id: number, type: type.dtype, count: shape[0], lanes: lanes)
      locals[number] = array
      return .allocate(array)
    }
    if take(word: "call") { return .call(try call()) }
    if take(word: "when") { return .when(try constraints(), try block(depth: depth + 1)) }
    if take(word: "if") { return .whenTrue(try expression(depth: 0), try block(depth: depth + 1)) }
    let register = try register()
    try expect("=")
    if let combiner = Combiner(rawValue: text(token)), !isNext("("), !isNext("[") {
      advance()
      try expect(word: "over")
      let (variable, lower, upper) = try range()
      var lanes = 1
      if take(word: "in") {
        lanes = try integer()
        try expect(word: "lanes")
      }
      try expect(word: "of")
      let start = position
      // Registers of the prologue, which is written behind the value.
      skipToBlock()
      let behind = position
      let prologue = take(word: "with") ? try block(depth: depth + 1) : []
      let end = position
      position = start
      let value = try expression(depth: 0)
      guard position == behind else { throw fault("expected the end of the value") }
      position = end
      return .accumulate(
        Accumulation(
          variable, lower: lower, upper: upper, combiner: combiner, accumulator: register, lanes: lanes,
          prologue: prologue, value: value))
    }
    return .assign(register, try expression(depth: 0))
  }

  /// Goes behind the expression, to what comes after it on another line, or to `with` on this.
  private mutating func skipToBlock() {
    repeat { advance() } while !token.startsLine && token.kind != .end && !(isAt(word: "with") && isNext("{"))
  }

  private mutating func store(_ memory: Memory) throws(SyntaxFault) -> Statement {
    let index = try bracketedIndex()
    try expect("=")
    return .store(memory, index, try expression(depth: 0))
  }

  mutating func register() throws(SyntaxFault) -> Register {
    guard let number = number(after: "r").flatMap({ Int32(exactly: $0) }), let register = registers[number] else {
      throw fault("expected a register that is declared")
    }
    advance()
    return register
  }

  mutating func memory() throws(SyntaxFault) -> Memory {
    guard token.kind == .value else { return .buffer(try knownBuffer(try expect(.identifier, "a buffer's name"))) }
    let start = token
    guard let array = locals[try localNumber()] else { throw fault("the local array is not declared", at: start) }
    return .local(array)
  }

  mutating func scalarType() throws(SyntaxFault) -> ScalarType {
    guard token.kind == .identifier, let type = ScalarType(rawValue: text(token)) else {
      throw fault("expected an element type such as f32")
    }
    advance()
    return type
  }
}
