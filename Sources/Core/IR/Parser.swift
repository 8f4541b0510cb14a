extension Graph {
  /// Reads the text form that `text` writes.
  ///
  /// Operations are built anew through `Builder`, so that types are inferred again and compared with those written.
  /// Values may have any names; dead nodes vanish, and equal ones are joined.
  ///
  /// - Parameters:
  ///   - text: One function.
  ///   - file: The file that diagnostics name; nodes without a location of their own get theirs in this file.
  /// - Throws: Every independent mistake, with line and column.
  public init(parsing text: String, file: String? = nil) throws(DiagnosticsError) {
    var parser = Parser(text, file: file)
    self = try parser.whole()
  }
}

extension Model {
  /// Reads the text form that `text` writes; one function alone is a model of its name.
  ///
  /// - Parameters:
  ///   - text: `model NAME { … }`, or one function.
  ///   - file: The file that diagnostics name; nodes without a location of their own get theirs in this file.
  /// - Throws: Every independent mistake, with line and column.
  public init(parsing text: String, file: String? = nil) throws(DiagnosticsError) {
    var parser = Parser(text, file: file)
    self = try parser.wholeModel()
  }
}

/// A recursive-descent parser; after a mistake it goes on with the next statement.
private struct Parser: TextParser {
  /// What a function's text has declared so far.
  private struct Scope {
    let builder = Builder()
    var values: [String: Tensor] = [:]
    var variables: [String: Tensor] = [:]
    var results: [(name: String, tensor: Tensor)] = []
    var outputs: [(token: Token, name: String, type: TensorType)] = []
    var returned = false
  }

  let lexer: Lexer
  let file: String?
  var position = 0
  var diagnostics: [Diagnostic] = []
  /// The locations that comments give to the statements at the places in the text.
  private var restored: [Location: Location] = [:]

  init(_ text: String, file: String?) {
    lexer = Lexer(text)
    self.file = file
  }

  mutating func whole() throws(DiagnosticsError) -> Graph {
    var graph: Graph?
    do throws(SyntaxFault) {
      if isAt(word: "model") {
        throw fault("expected one function", help: "a model of several is read by Model(parsing:)")
      }
      graph = try function(depth: 0)
      if token.kind != .end { throw fault("expected the end of the text after the function") }
    } catch {
      diagnostics.append(error.diagnostic)
    }
    guard diagnostics.isEmpty, let graph else { throw inOrder }
    return graph
  }

  mutating func wholeModel() throws(DiagnosticsError) -> Model {
    guard isAt(word: "model") else { return Model(try whole()) }
    let start = token
    advance()
    var modelName = ""
    var declared: [Variable] = []
    var functions: [Graph] = []
    do throws(SyntaxFault) {
      guard token.kind == .identifier || token.kind == .string else { throw fault("expected the model's name") }
      modelName = try name(token, dropping: 0)
      advance()
      try expect("{")
      while isAt(word: "var") {
        let first = position
        let place = token
        do throws(SyntaxFault) {
          let (variable, _) = try declaration()
          if declared.contains(where: { $0.name == variable.name }) {
            report("variable '\(variable.name)' is declared twice", at: place)
          } else {
            declared.append(variable)
          }
        } catch {
          diagnostics.append(error.diagnostic)
          recover(from: first)
        }
      }
      while isAt(word: "func") {
        if let function = try function(depth: 0, variables: declared) { functions.append(function) }
      }
      guard take("}") else { throw fault("expected a function or '}'") }
      if token.kind != .end { throw fault("expected the end of the text after the model") }
    } catch {
      diagnostics.append(error.diagnostic)
    }
    guard diagnostics.isEmpty else { throw inOrder }
    do {
      return try Model(name: modelName, functions: functions, declaring: declared)
    } catch {
      throw DiagnosticsError(
        error.diagnostics.map { diagnostic in
          var diagnostic = diagnostic
          diagnostic.location = place(start)
          return diagnostic
        })
    }
  }

  /// What is wrong, in the order of the text.
  private var inOrder: DiagnosticsError {
    DiagnosticsError(
      diagnostics.sorted {
        ($0.location.line ?? 0, $0.location.column ?? 0) < ($1.location.line ?? 0, $1.location.column ?? 0)
      })
  }

  private func isNumbered(_ token: Token) -> Bool {
    let first = token.range.lowerBound + 1
    return first < token.range.upperBound && lexer.bytes[first] != UInt8(ascii: "\"")
      && !TextName.isStart(lexer.bytes[first])
  }

  private func key(_ token: Token) throws(SyntaxFault) -> String {
    (isNumbered(token) ? "#" : "%") + (try name(token, dropping: 1))
  }

  // MARK: Functions

  /// Nil when there are mistakes, which are recorded.
  ///
  /// - Parameter variables: Those that the model around the function declares.
  private mutating func function(depth: Int, variables: [Variable] = []) throws(SyntaxFault) -> Graph? {
    guard depth < TextLimit.depth else { throw fault("functions nest more than \(TextLimit.depth) deep") }
    let before = diagnostics.count
    var scope = Scope()
    for variable in variables { scope.variables[variable.name] = scope.builder.variable(variable) }
    guard isAt(word: "func") else { throw fault("expected 'func'") }
    let start = token
    advance()
    guard token.kind == .identifier || token.kind == .string else { throw fault("expected the function's name") }
    let functionName = try name(token, dropping: 0)
    advance()
    try expect("(")
    if !isAt(")") {
      repeat {
        let argument = try expect(.value, "an argument, %name")
        if isNumbered(argument) { throw fault("expected a name for the argument", at: argument) }
        let argumentName = try name(argument, dropping: 1)
        try expect(":")
        let type = try type()
        let tensor = scope.builder.at(place(argument)) { scope.builder.input(argumentName, type) }
        remember(place(argument))
        scope.values["%" + argumentName] = tensor
      } while take(",")
    }
    try expect(")")
    _ = try expect(.arrow, "'->'")
    try expect("(")
    if !isAt(")") {
      repeat {
        let output = try expect(.value, "an output, %name")
        let outputName = try name(output, dropping: 1)
        try expect(":")
        scope.outputs.append((output, outputName, try type()))
      } while take(",")
    }
    try expect(")")
    try expect("{")
    while !isAt("}") {
      if token.kind == .end { throw fault("expected '}'") }
      statement(&scope, depth: depth)
    }
    let end = token
    advance()
    if !scope.returned { report("the function has no 'return'", at: end) }
    diagnostics += scope.builder.diagnostics
    guard diagnostics.count == before else { return nil }
    do throws(DiagnosticsError) {
      var graph = try scope.builder.at(place(start)) { () throws(DiagnosticsError) in
        try scope.builder.finish(name: functionName, outputs: scope.results)
      }
      graph.locations = graph.locations.map { restored[$0] ?? (file == nil ? Location() : $0) }
      for (position, output) in scope.outputs.enumerated() where output.type != graph.type(of: graph.outputs[position])
      {
        graph.outputs[position].shape = output.type.shape
      }
      return graph
    } catch {
      diagnostics += error.diagnostics.map { diagnostic in
        var diagnostic = diagnostic
        diagnostic.location = place(start)
        return diagnostic
      }
      return nil
    }
  }

  /// Notes what the comment at the end of the statement that was just read says.
  private mutating func remember(_ start: Location) {
    guard let location = lexer.locations[lexer.tokens[max(0, position - 1)].line] else { return }
    var full = location
    if location.file == nil, file != nil {
      (full.file, full.line, full.column) = (start.file, start.line, start.column)
    }
    restored[start] = full
  }

  // MARK: Statements

  private mutating func statement(_ scope: inout Scope, depth: Int) {
    let start = position
    // What the statement would have defined is faulty, so that its users say nothing more.
    var defined: [String] = []
    do throws(SyntaxFault) {
      if isAt(word: "var") {
        try variable(&scope)
      } else if isAt(word: "update") {
        try update(&scope)
      } else if isAt(word: "return") {
        try results(&scope)
      } else if token.kind == .value || isAt("=") {
        try node(&scope, depth: depth, defined: &defined)
      } else {
        throw fault("expected a statement: %name = …, var, update or return")
      }
    } catch {
      diagnostics.append(error.diagnostic)
      for name in defined { scope.values[name] = scope.builder.poison }
      recover(from: start)
    }
  }

  /// Goes to the next line that begins a statement of the same function, or to the function's end.
  private mutating func recover(from start: Int) {
    var nesting = 0
    var next = start
    while lexer.tokens[next].kind != .end {
      let candidate = lexer.tokens[next]
      switch candidate.kind {
      case .punctuation(UInt8(ascii: "{")): nesting += 1
      case .punctuation(UInt8(ascii: "}")):
        if nesting == 0 && next > start {
          position = next
          return
        }
        nesting -= 1
      default: break
      }
      if next > position || (next == position && next > start), nesting <= 0, candidate.startsLine { break }
      next += 1
    }
    position = next
  }

  private mutating func variable(_ scope: inout Scope) throws(SyntaxFault) {
    let next = lexer.tokens[min(position + 1, lexer.tokens.count - 1)]
    if next.kind == .variable {
      let name = try name(next, dropping: 1)
      if scope.variables[name] == nil { scope.variables[name] = scope.builder.poison }
    }
    let (variable, declared) = try declaration()
    if scope.variables[variable.name]?.isPoisoned == false {
      return report("variable '\(variable.name)' is declared twice", at: declared)
    }
    let place = place(declared)
    scope.variables[variable.name] = scope.builder.at(place) { scope.builder.variable(variable) }
    remember(place)
  }

  /// `var @name: type role = literal`.
  private mutating func declaration() throws(SyntaxFault) -> (variable: Variable, name: Token) {
    advance()
    let declared = try expect(.variable, "a variable, @name")
    let name = try name(declared, dropping: 1)
    try expect(":")
    let type = try type()
    let word = try expect(.identifier, "'parameter' or 'buffer'")
    guard let role = Variable.Role(rawValue: text(word)) else {
      throw fault("expected 'parameter' or 'buffer'", at: word)
    }
    try expect("=")
    return (Variable(name: name, role: role, initial: try array(try literal(), type, at: declared)), declared)
  }

  private mutating func update(_ scope: inout Scope) throws(SyntaxFault) {
    advance()
    let target = try expect(.variable, "a variable, @name")
    let name = try name(target, dropping: 1)
    try expect("=")
    let value = try operand(&scope)
    if scope.variables[name]?.isPoisoned == true { return }
    scope.builder.at(place(target)) { scope.builder.update(name, to: value) }
  }

  private mutating func results(_ scope: inout Scope) throws(SyntaxFault) {
    let start = token
    if scope.returned { throw fault("a second 'return'") }
    scope.returned = true
    advance()
    var values: [(Token, Tensor)] = []
    if token.kind == .value || token.kind == .variable {
      repeat { values.append((token, try operand(&scope))) } while take(",")
    }
    guard values.count == scope.outputs.count else {
      throw fault("the function returns \(values.count) values, its head names \(scope.outputs.count)", at: start)
    }
    for ((token, value), output) in zip(values, scope.outputs) {
      // An output of sizes that data decides may be a tensor of their capacities.
      let isBounded =
        value.dtype == output.type.dtype && value.rank == output.type.rank && value.shape.known != nil
        && !output.type.shape.extents.isEmpty
      if !value.isPoisoned, value.type != output.type, !isBounded {
        report("output '\(output.name)' is declared as \(output.type), the value returned is \(value.type)", at: token)
      }
      scope.results.append((output.name, value))
    }
  }

  private mutating func node(_ scope: inout Scope, depth: Int, defined: inout [String]) throws(SyntaxFault) {
    let start = token
    if token.kind == .value {
      repeat {
        let result = try expect(.value, "a value, %name")
        let key = try key(result)
        if scope.values[key] != nil || defined.contains(key) {
          throw fault("\(text(result)) is defined twice", at: result)
        }
        defined.append(key)
      } while take(",")
    }
    try expect("=")
    let operationToken = try expect(.identifier, "an operation")
    let operationName = text(operationToken)
    let place = place(operationToken)
    var operands: [Tensor] = []
    var attributes: Attributes? = Attributes([:])
    var literal: ParsedLiteral?
    if operationName == "constant" {
      literal = try self.literal()
    } else {
      if token.kind == .value || token.kind == .variable {
        repeat { operands.append(try operand(&scope)) } while take(",")
      }
      if isAt("{") { attributes = try self.attributes(depth: depth) }
    }
    try expect(":")
    var types: [TensorType] = []
    if token.kind == .identifier {
      repeat { types.append(try type()) } while take(",")
    }
    if let literal {
      guard types.count == 1 else { throw fault("a constant has one type", at: start) }
      attributes = Attributes(["value": .array(try array(literal, types[0], at: operationToken))])
    }
    let results = apply(operationName, attributes, operands, at: place, in: scope.builder)
    remember(place)
    if let results, !results.contains(where: \.isPoisoned) {
      guard results.count == defined.count else {
        throw fault("\(operationName) gives \(results.count) results, \(defined.count) are named", at: start)
      }
      let inferred = results.map(\.type)
      guard inferred == types else {
        throw fault(
          "\(operationName) gives \(inferred.map(\.description).joined(separator: ", ")), written is "
            + types.map(\.description).joined(separator: ", "), at: operationToken)
      }
    }
    for (position, key) in defined.enumerated() {
      scope.values[key] = results.flatMap { position < $0.count ? $0[position] : nil } ?? scope.builder.poison
    }
  }

  /// The operation's results; nil when it is not known or its attributes do not fit, which is recorded.
  private mutating func apply(
    _ name: String, _ attributes: Attributes?, _ operands: [Tensor], at place: Location, in builder: Builder
  ) -> [Tensor]? {
    guard let attributes else { return nil }
    do throws(TypeFault) {
      let operation = try Operation(name: name, attributes: attributes)
      return builder.at(place) { builder.apply(operation, operands) }
    } catch {
      builder.at(place) { builder.record(error, operation: name, operands: operands) }
      return nil
    }
  }

  private mutating func operand(_ scope: inout Scope) throws(SyntaxFault) -> Tensor {
    let token = token
    guard token.kind == .value || token.kind == .variable else { throw fault("expected a value, %name or @name") }
    let known =
      token.kind == .value ? scope.values[try key(token)] : scope.variables[try name(token, dropping: 1)]
    advance()
    if let known { return known }
    report("\(text(token)) is not defined", at: token)
    return scope.builder.poison
  }

  // MARK: Attributes

  /// Nil when a function among them is faulty.
  private mutating func attributes(depth: Int) throws(SyntaxFault) -> Attributes? {
    try expect("{")
    var values: [String: Attribute] = [:]
    var isFaulty = false
    if !isAt("}") {
      repeat {
        let name = try expect(.identifier, "an attribute's name")
        try expect(":")
        let value = try attribute(depth: depth)
        guard values[text(name)] == nil else { throw fault("attribute '\(text(name))' is given twice", at: name) }
        if let value { values[text(name)] = value } else { isFaulty = true }
      } while take(",")
    }
    try expect("}")
    return isFaulty ? nil : Attributes(values)
  }

  private mutating func attribute(depth: Int) throws(SyntaxFault) -> Attribute? {
    if isAt("[") {
      let list = try dimensions()
      return list.known.map { .integers($0) } ?? .dimensions(list)
    }
    if isAt("-") || token.kind == .number { return .integer(try integer()) }
    if token.kind == .string {
      defer { advance() }
      return .word(try name(token, dropping: 0))
    }
    guard token.kind == .identifier else { throw fault("expected an attribute's value") }
    let word = text(token)
    switch word {
    case "true", "false":
      advance()
      return .flag(word == "true")
    case "func": return try function(depth: depth + 1).map { .graph($0) }
    default:
      guard let scalar = ScalarType(rawValue: word) else {
        advance()
        return .word(word)
      }
      let start = token
      let next = lexer.tokens[min(position + 1, lexer.tokens.count - 1)]
      guard next.kind == .punctuation(UInt8(ascii: "[")) else {
        advance()
        return .type(scalar)
      }
      let type = try type()
      return .array(try array(try literal(), type, at: start))
    }
  }
}
