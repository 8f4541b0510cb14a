/// Indices and scalar expressions.
extension LoopParser {
  mutating func bracketedIndex() throws(SyntaxFault) -> Index {
    try expect("[")
    let index = try index(depth: 0)
    try expect("]")
    return index
  }

  /// Terms as they are written: nothing is simplified.
  mutating func index(depth: Int) throws(SyntaxFault) -> Index {
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

  mutating func expression(depth: Int) throws(SyntaxFault) -> Expression {
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
  mutating func call(depth: Int) throws(SyntaxFault) -> Expression {
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
