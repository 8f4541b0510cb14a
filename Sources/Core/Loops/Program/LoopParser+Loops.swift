/// Loops, their bounds and conditions.
extension LoopParser {
  /// `i0 < 4`, `1 <= i0 < min(4, …) (of 8)`.
  mutating func range() throws(SyntaxFault) -> (variable: LoopVariable, lower: Bound, upper: Bound) {
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

  mutating func constraints() throws(SyntaxFault) -> [Constraint] {
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
}
