extension Program {
  /// Reads the text form that `text` writes.
  ///
  /// What is written need not be a program that can be run: `verify` tells.
  ///
  /// - Parameter file: The file that diagnostics name.
  /// - Throws: The first mistake of syntax, with line and column.
  package init(parsing text: String, file: String? = nil) throws(DiagnosticsError) {
    var parser = LoopParser(text, file: file)
    do throws(SyntaxFault) {
      self = try parser.whole()
    } catch {
      throw DiagnosticsError([error.diagnostic])
    }
  }
}

/// A recursive-descent parser of loop programs.
struct LoopParser: TextParser {
  /// Expressions nest at most this deeply.
  static let expressionLimit = 1000

  let lexer: Lexer
  let file: String?
  var position = 0
  var diagnostics: [Diagnostic] = []
  var program = Program(name: "")
  private var buffers: [String: BufferID] = [:]
  /// What the kernel's text has introduced so far, whether it is in scope or not.
  var variables: [Int: LoopVariable] = [:]
  var registers: [Int32: Register] = [:]
  var locals: [Int: LocalArray] = [:]

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
    while take(word: "bucket") {
      let members = try list { (parser) throws(SyntaxFault) in
        let label = try parser.name()
        try parser.expect(word: "in")
        let buffer = try parser.knownBuffer(try parser.expect(.identifier, "a buffer's name"))
        return ExchangeBucket.Member(label: label, buffer: buffer)
      }
      program.buckets.append(ExchangeBucket(members: members))
    }
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
      case "interpreted":
        try parser.expect(word: "true")
        target.isInterpreted = true
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

  /// `of [?n0,4]`: the sizes of an output some of which data decides.
  private mutating func declaredShape() throws(SyntaxFault) -> [Dim] {
    advance()
    return try dimensions()
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
      let shape = isAt(word: "of") ? try declaredShape() : nil
      program.outputs.append(Port(name: outer, buffer: id, type: type, shape: shape))
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

  mutating func expect(word: String) throws(SyntaxFault) {
    guard isAt(word: word) else { throw fault("expected '\(word)'") }
    advance()
  }

  mutating func take(word: String) -> Bool {
    guard isAt(word: word) else { return false }
    advance()
    return true
  }

  /// A name, bare or quoted.
  mutating func name() throws(SyntaxFault) -> String {
    guard token.kind == .identifier || token.kind == .string else { throw fault("expected a name") }
    defer { advance() }
    return try name(token, dropping: 0)
  }

  /// What the comment at the end of the line before says.
  func location() -> Location { lexer.locations[lexer.tokens[max(0, position - 1)].line] ?? Location() }

  /// `{name: value, …}`; the body reads a value, or returns false where it does not know the name.
  mutating func attributes(
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

  mutating func list<Element>(
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

  mutating func integers() throws(SyntaxFault) -> [Int] {
    try list { (parser) throws(SyntaxFault) in try parser.integer() }
  }

  /// The number in `i3`, where the token is such a name.
  func number(after letter: Character) -> Int? {
    guard token.kind == .identifier else { return nil }
    let word = text(token)
    return word.first == letter ? Int(word.dropFirst()).flatMap { $0 >= 0 ? $0 : nil } : nil
  }

  /// The number in `%a3`.
  mutating func localNumber() throws(SyntaxFault) -> Int {
    let start = try expect(.value, "a local array, %a0")
    let word = text(start)
    guard word.hasPrefix("%a"), let number = Int(word.dropFirst(2)) else {
      throw fault("expected a local array, %a0", at: start)
    }
    return number
  }

  func knownBuffer(_ token: Token) throws(SyntaxFault) -> BufferID {
    guard let buffer = buffers[text(token)] else { throw fault("there is no buffer '\(text(token))'", at: token) }
    return buffer
  }

  func isNext(_ character: Character) -> Bool {
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
      } else if take(word: "ready") {
        result.append(.ready(try bucket()))
      } else if take(word: "wait") {
        result.append(.wait(try bucket()))
      } else {
        throw fault("expected a step: run, for, if, repeat, ready or wait")
      }
    }
    try expect("}")
    return result
  }

  /// The position of a bucket.
  private mutating func bucket() throws(SyntaxFault) -> Int {
    let start = token
    let position = try integer()
    guard program.buckets.indices.contains(position) else { throw fault("there is no bucket \(position)", at: start) }
    return position
  }

  /// `t2 < 4`.
  mutating func programVariable() throws(SyntaxFault) -> LoopVariable {
    guard let number = number(after: "t") else { throw fault("expected a variable of the program, t0") }
    advance()
    try expect("<")
    return LoopVariable(id: -number, extent: try integer())
  }
}
