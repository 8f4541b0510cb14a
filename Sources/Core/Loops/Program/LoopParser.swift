extension Program {
  /// Reads the text form that `text` writes.
  ///
  /// What is written need not be a program that can be run: `verify` tells.
  ///
  /// - Parameter file: The file that diagnostics name.
  /// - Throws: The first mistake of syntax, with line and column.
  public init(parsing text: String, file: String? = nil) throws(DiagnosticsError) {
    var parser = LoopParser(text, file: file)
    do throws(SyntaxFault) {
      self = try parser.whole()
    } catch {
      throw DiagnosticsError([error.diagnostic])
    }
  }
}

/// A recursive-descent parser of loop programs.
private struct LoopParser: TextParser {
  /// Expressions nest at most this deeply.
  private static let expressionLimit = 1000

  let lexer: Lexer
  let file: String?
  var position = 0
  var diagnostics: [Diagnostic] = []
  private var program = Program(name: "")
  private var buffers: [String: BufferID] = [:]
  /// What the kernel's text has introduced so far, whether it is in scope or not.
  private var variables: [Int: LoopVariable] = [:]
  private var registers: [Int32: Register] = [:]
  private var locals: [Int: LocalArray] = [:]

  init(_ text: String, file: String?) {
    lexer = Lexer(text)
    self.file = file
  }

  // MARK: Programs

  mutating func whole() throws(SyntaxFault) -> Program {
    try expect(word: "program")
    program.name = try name()
    try expect(word: "for")
    program.target = try target()
    try expect("{")
    while token.kind == .identifier, let kind = BufferWord(rawValue: text(token)) { try buffer(kind) }
    while isAt(word: "kernel") { try kernel() }
    try expect(word: "steps")
    program.steps = try steps([:], depth: 0)
    try expect("}")
    if token.kind != .end { throw fault("expected the end of the text after the program") }
    return program
  }

  private mutating func target() throws(SyntaxFault) -> Target {
    let start = try expect(.string, "a target's name")
    var target = Target(name: try name(start, dropping: 0), vectorBytes: 0, registers: 0)
    try attributes { (parser, name) throws(SyntaxFault) in
      switch name {
      case "vector_bytes": target.vectorBytes = try parser.integer()
      case "registers": target.registers = try parser.integer()
      case "l1_bytes": target.level1Bytes = try parser.integer()
      case "l2_bytes": target.level2Bytes = try parser.integer()
      case "long_sum": target.longSum = try parser.integer()
      case "order":
        let numbers = try parser.integers()
        guard numbers.count == 3 else { throw parser.fault("an order has three numbers") }
        target.order = Target.Order(vectorBytes: numbers[0], registers: numbers[1], level2Bytes: numbers[2])
      default: return false
      }
      return true
    }
    return target
  }

  private enum BufferWord: String {
    case input, output, constant, variable, temporary
  }

  private mutating func buffer(_ word: BufferWord) throws(SyntaxFault) {
    advance()
    let start = try expect(.identifier, "a buffer's name")
    let own = text(start)
    var outer = own
    if token.kind == .string { outer = try name() }
    try expect(":")
    let type = try type()
    guard let shape = type.shape.known else { throw fault("the sizes of a buffer are numbers", at: start) }
    let id = BufferID(program.buffers.count)
    let kind: Buffer.Kind
    switch word {
    case .input:
      kind = .input(program.inputs.count)
      program.inputs.append(Port(name: outer, buffer: id, type: type))
    case .output:
      kind = .output(program.outputs.count)
      program.outputs.append(Port(name: outer, buffer: id, type: type))
    case .variable:
      kind = .variable(program.variables.count)
      let role = try expect(.identifier, "'parameter' or 'buffer'")
      guard let role = Variable.Role(rawValue: text(role)) else {
        throw fault("expected 'parameter' or 'buffer'", at: role)
      }
      try expect("=")
      let initial = try array(try literal(), type, at: start)
      program.variables.append(Variable(name: outer, role: role, initial: initial))
      program.variableBuffers.append(id)
    case .constant:
      try expect("=")
      kind = .constant(try content(type, at: start))
    case .temporary: kind = .temporary
    }
    let padding = take(word: "padding") ? try integer() : 0
    buffers[own] = id
    var buffer = Buffer(name: own, dtype: type.dtype, shape: shape, kind: kind, location: location())
    buffer.padding = padding
    program.buffers.append(buffer)
  }

  /// A literal and how the content is made of it.
  private mutating func content(_ type: TensorType, at start: Token) throws(SyntaxFault) -> ConstantContent {
    let literal = try literal()
    guard isAt(word: "of") else { return ConstantContent(try array(literal, type, at: start)) }
    advance()
    let given = try self.type()
    var content = ConstantContent(try array(literal, given, at: start))
    while true {
      if isAt(word: "winograd") {
        advance()
        var size = 0
        try attributes { (parser, name) throws(SyntaxFault) in
          if name == "size" { size = try parser.integer() }
          return name == "size"
        }
        guard [2, 4].contains(size), content.shape.count == 4, content.dtype == .f32 else {
          throw fault("Winograd's weights are made of f32[out, in, 3, 3], for squares of 2 or 4", at: start)
        }
        content = content.transformed(by: Winograd(size: size))
      } else if isAt(word: "rearranged") {
        advance()
        let order = try rearrangement()
        content = content.rearranged(order, shape: [order.count])
      } else {
        break
      }
    }
    guard let shape = type.shape.known, shape.reduce(1, *) == content.count else {
      throw fault("the content has \(content.count) elements, the type is \(type)", at: start)
    }
    return content.reshaped(shape)
  }

  private mutating func rearrangement() throws(SyntaxFault) -> Rearrangement {
    let start = token
    var (origin, filled) = (0, 0)
    var (extents, strides) = ([Int](), [Int]())
    try attributes { (parser, name) throws(SyntaxFault) in
      switch name {
      case "origin": origin = try parser.integer()
      case "extents": extents = try parser.integers()
      case "strides": strides = try parser.integers()
      case "filled": filled = try parser.integer()
      default: return false
      }
      return true
    }
    guard extents.count == strides.count else { throw fault("an extent has a stride", at: start) }
    return Rearrangement(origin: origin, extents: extents, strides: strides, filled: filled)
  }

  // MARK: Tokens

  private mutating func expect(word: String) throws(SyntaxFault) {
    guard isAt(word: word) else { throw fault("expected '\(word)'") }
    advance()
  }

  private mutating func take(word: String) -> Bool {
    guard isAt(word: word) else { return false }
    advance()
    return true
  }

  /// A name, bare or quoted.
  private mutating func name() throws(SyntaxFault) -> String {
    guard token.kind == .identifier || token.kind == .string else { throw fault("expected a name") }
    defer { advance() }
    return try name(token, dropping: 0)
  }

  /// What the comment at the end of the line before says.
  private func location() -> Location { lexer.locations[lexer.tokens[max(0, position - 1)].line] ?? Location() }

  /// `{name: value, …}`; the body reads a value, or returns false where it does not know the name.
  private mutating func attributes(
    _ body: (inout LoopParser, String) throws(SyntaxFault) -> Bool
  ) throws(SyntaxFault) {
    try expect("{")
    repeat {
      let name = try expect(.identifier, "an attribute's name")
      try expect(":")
      guard try body(&self, text(name)) else { throw fault("there is no such attribute", at: name) }
    } while take(",")
    try expect("}")
  }

  private mutating func list<Element>(
    _ element: (inout LoopParser) throws(SyntaxFault) -> Element
  ) throws(SyntaxFault) -> [Element] {
    try expect("[")
    var result: [Element] = []
    if !isAt("]") {
      repeat { result.append(try element(&self)) } while take(",")
    }
    try expect("]")
    return result
  }

  private mutating func integers() throws(SyntaxFault) -> [Int] {
    try list { (parser) throws(SyntaxFault) in try parser.integer() }
  }

  /// The number in `i3`, where the token is such a name.
  private func number(after letter: Character) -> Int? {
    guard token.kind == .identifier else { return nil }
    let word = text(token)
    return word.first == letter ? Int(word.dropFirst()).flatMap { $0 >= 0 ? $0 : nil } : nil
  }

  /// The number in `%a3`.
  private mutating func localNumber() throws(SyntaxFault) -> Int {
    let start = try expect(.value, "a local array, %a0")
    let word = text(start)
    guard word.hasPrefix("%a"), let number = Int(word.dropFirst(2)) else {
      throw fault("expected a local array, %a0", at: start)
    }
    return number
  }

  private func knownBuffer(_ token: Token) throws(SyntaxFault) -> BufferID {
    guard let buffer = buffers[text(token)] else { throw fault("there is no buffer '\(text(token))'", at: token) }
    return buffer
  }

  private func isNext(_ character: Character) -> Bool {
    let next = lexer.tokens[min(position + 1, lexer.tokens.count - 1)]
    return character.asciiValue.map { next.kind == .punctuation($0) } ?? false
  }

  // MARK: Steps

  private mutating func steps(_ loops: [Int: LoopVariable], depth: Int) throws(SyntaxFault) -> [Step] {
    guard depth < TextLimit.depth else { throw fault("steps nest more than \(TextLimit.depth) deep") }
    try expect("{")
    var result: [Step] = []
    while !isAt("}") {
      if take(word: "run") {
        let name = try expect(.identifier, "a kernel's name")
        guard let position = program.kernels.firstIndex(where: { $0.name == text(name) }) else {
          throw fault("there is no kernel '\(text(name))'", at: name)
        }
        result.append(.kernel(position))
      } else if take(word: "for") {
        let variable = try programVariable()
        result.append(.loop(variable, try steps(loops.merging([variable.id: variable]) { $1 }, depth: depth + 1)))
      } else if take(word: "if") {
        let predicate = try knownBuffer(try expect(.identifier, "a buffer's name"))
        let then = try steps(loops, depth: depth + 1)
        try expect(word: "else")
        result.append(.branch(predicate, then: then, otherwise: try steps(loops, depth: depth + 1)))
      } else if take(word: "repeat") {
        let condition = try steps(loops, depth: depth + 1)
        try expect(word: "while")
        let predicate = try knownBuffer(try expect(.identifier, "a buffer's name"))
        result.append(.whileLoop(condition: condition, predicate, body: try steps(loops, depth: depth + 1)))
      } else {
        throw fault("expected a step: run, for, if or repeat")
      }
    }
    try expect("}")
    return result
  }

  /// `t2 < 4`.
  private mutating func programVariable() throws(SyntaxFault) -> LoopVariable {
    guard let number = number(after: "t") else { throw fault("expected a variable of the program, t0") }
    advance()
    try expect("<")
    return LoopVariable(id: -number, extent: try integer())
  }

  // MARK: Kernels and statements

  private mutating func kernel() throws(SyntaxFault) {
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
    if isAt("{"), !isEndOfLine {
      try attributes { (parser, name) throws(SyntaxFault) in
        switch name {
        case "macs": macs = try parser.integer()
        case "in_place":
          inPlace = try parser.list { (parser) throws(SyntaxFault) in
            try parser.knownBuffer(try parser.expect(.identifier, "a buffer's name"))
          }
        case "nodes": nodes = try parser.integers()
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
    program.kernels.append(
      Kernel(
        name: name, summary: summary, parameters: parameters, macs: macs, parts: parts, inPlace: inPlace, nodes: nodes,
        location: lexer.locations[head] ?? Location()))
  }

  /// `cholesky f64 [3] of a[0] to l[0]`.
  private mutating func call() throws(SyntaxFault) -> RoutineCall {
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

  private mutating func register() throws(SyntaxFault) -> Register {
    guard let number = number(after: "r").flatMap({ Int32(exactly: $0) }), let register = registers[number] else {
      throw fault("expected a register that is declared")
    }
    advance()
    return register
  }

  private mutating func memory() throws(SyntaxFault) -> Memory {
    guard token.kind == .value else { return .buffer(try knownBuffer(try expect(.identifier, "a buffer's name"))) }
    let start = token
    guard let array = locals[try localNumber()] else { throw fault("the local array is not declared", at: start) }
    return .local(array)
  }

  private mutating func scalarType() throws(SyntaxFault) -> ScalarType {
    guard token.kind == .identifier, let type = ScalarType(rawValue: text(token)) else {
      throw fault("expected an element type such as f32")
    }
    advance()
    return type
  }

  // MARK: Loops

  /// `i0 < 4`, `1 <= i0 < min(4, …) (of 8)`.
  private mutating func range() throws(SyntaxFault) -> (variable: LoopVariable, lower: Bound, upper: Bound) {
    var lower = Bound(0)
    if number(after: "i") == nil && number(after: "t") == nil {
      lower = try bound("max")
      try expect("<")
      try expect("=")
    }
    let number: Int
    if let own = self.number(after: "i") {
      number = own
    } else if let own = self.number(after: "t") {
      number = -own
    } else {
      throw fault("expected a loop variable, i0")
    }
    advance()
    try expect("<")
    let upper = try bound("min")
    var extent = upper.constant
    if take("(") {
      try expect(word: "of")
      extent = try integer()
      try expect(")")
    }
    let variable = LoopVariable(id: number, extent: extent)
    variables[number] = variable
    return (variable, lower, upper)
  }

  private mutating func bound(_ function: String) throws(SyntaxFault) -> Bound {
    guard take(word: function) else { return Bound(try integer()) }
    try expect("(")
    var bound = Bound(try integer())
    while take(",") {
      if take(word: "ceil") {
        try expect("(")
        try expect("(")
        let dividend = try index(depth: 0)
        try expect(")")
        try expect("/")
        bound.quotients.append(Bound.Quotient(dividend: dividend, divisor: try integer()))
        try expect(")")
      } else {
        bound.quotients.append(Bound.Quotient(dividend: try index(depth: 0), divisor: 1))
      }
    }
    try expect(")")
    return bound
  }

  private mutating func constraints() throws(SyntaxFault) -> [Constraint] {
    var result: [Constraint] = []
    repeat { result.append(try constraint()) } while take(word: "and")
    return result
  }

  /// `0 <= i0 - 1 < 4` or `mod(i0, 2) = 0`.
  private mutating func constraint() throws(SyntaxFault) -> Constraint {
    if take(word: "mod") {
      try expect("(")
      let index = try index(depth: 0)
      try expect(",")
      let divisor = try integer()
      try expect(")")
      try expect("=")
      guard try integer() == 0 else { throw fault("a remainder is compared with 0") }
      return .multiple(index, of: divisor)
    }
    let start = token
    let lower = try integer()
    try expect("<")
    try expect("=")
    let index = try index(depth: 0)
    try expect("<")
    let upper = try integer()
    guard lower <= upper else { throw fault("the range ends before it begins", at: start) }
    return .inRange(index, lower..<upper)
  }

  // MARK: Indices

  private mutating func bracketedIndex() throws(SyntaxFault) -> Index {
    try expect("[")
    let index = try index(depth: 0)
    try expect("]")
    return index
  }

  /// Terms as they are written: nothing is simplified.
  private mutating func index(depth: Int) throws(SyntaxFault) -> Index {
    guard depth < TextLimit.depth else { throw fault("indices nest more than \(TextLimit.depth) deep") }
    var (constant, terms) = (0, [Index.Term]())
    var isNegative = take("-")
    while true {
      var coefficient = 1
      var isNumber = false
      if token.kind == .number {
        coefficient = try integer()
        isNumber = !take("*")
      }
      if isNegative { coefficient = -coefficient }
      if isNumber {
        constant += coefficient
      } else {
        terms.append(Index.Term(atom: try atom(depth: depth), coefficient: coefficient))
      }
      if take("+") {
        isNegative = false
      } else if take("-") {
        isNegative = true
      } else {
        return Index(constant: constant, terms: terms)
      }
    }
  }

  private mutating func atom(depth: Int) throws(SyntaxFault) -> Index.Atom {
    if take(word: "floor") {
      try expect("(")
      try expect("(")
      let dividend = try index(depth: depth + 1)
      try expect(")")
      try expect("/")
      let divisor = try integer()
      try expect(")")
      return .floorDivide(dividend, divisor)
    }
    if take(word: "mod") {
      try expect("(")
      let dividend = try index(depth: depth + 1)
      try expect(",")
      let divisor = try integer()
      try expect(")")
      return .modulo(dividend, divisor)
    }
    if number(after: "r") != nil { return .value(Scalar(id: try register().id)) }
    guard let variable = number(after: "i") ?? number(after: "t").map({ -$0 }), let known = variables[variable] else {
      throw fault("expected a loop variable or a register that is declared")
    }
    advance()
    return .variable(known)
  }

  // MARK: Expressions

  private mutating func expression(depth: Int) throws(SyntaxFault) -> Expression {
    guard depth < Self.expressionLimit else { throw fault("expressions nest too deeply") }
    if isAt("[") { return .index(try bracketedIndex()) }
    if take("(") {
      let constraints = try constraints()
      try expect("?")
      let then = try expression(depth: depth + 1)
      try expect(":")
      let otherwise = try expression(depth: depth + 1)
      try expect(")")
      return .select(constraints, then: then, otherwise: otherwise)
    }
    if token.kind == .value || token.kind == .identifier && isNext("[") {
      let memory = try memory()
      let type =
        switch memory {
        case .buffer(let buffer): program[buffer].dtype
        case .local(let array): array.type
        }
      return .load(memory, try bracketedIndex(), type)
    }
    if isAt(word: "checked"), isNext("(") {
      advance()
      try expect("(")
      let operand = try expression(depth: depth + 1)
      try expect(",")
      let extent = try integer()
      try expect(")")
      return .checked(operand, extent)
    }
    if token.kind == .identifier, isNext("(") { return try call(depth: depth) }
    if isAt(word: "bitcast") {
      advance()
      try expect("<")
      let type = try scalarType()
      try expect(">")
      try expect("(")
      let operand = try expression(depth: depth + 1)
      try expect(")")
      return .bitcast(operand, type)
    }
    if number(after: "r") != nil { return .register(try register()) }
    let start = token
    let number = try number()
    try expect(":")
    let type = try scalarType()
    guard let value = TextLiteral.exactValue(number, type) else {
      throw fault("'\(number.prefix(40))' is no \(type)", at: start)
    }
    return .constant(value, type)
  }

  /// A scalar function, or a conversion.
  private mutating func call(depth: Int) throws(SyntaxFault) -> Expression {
    let start = token
    advance()
    try expect("(")
    var operands: [Expression] = []
    repeat { operands.append(try expression(depth: depth + 1)) } while take(",")
    try expect(")")
    if let type = ScalarType(rawValue: text(start)), operands.count == 1 { return .convert(operands[0], type) }
    guard let function = Pointwise(rawValue: text(start)) else {
      throw fault("there is no scalar function '\(text(start))'", at: start)
    }
    // What the type of the result is read from must be there.
    guard operands.count == function.arity else {
      throw fault("\(function.name) has \(function.arity) operands, \(operands.count) are given", at: start)
    }
    return .pointwise(function, operands)
  }
}
