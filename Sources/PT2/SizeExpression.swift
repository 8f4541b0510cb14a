internal import LatheCore

/// Reads sizes as sympy's `srepr` writes them: `Add(Integer(1), Mul(Integer(2), Symbol('s0', integer=True)))`.
struct SizeExpression {
  private let text: [Character]
  private var position = 0
  private let sizes: [String: Int]

  /// The size, or nil where it is written with what no size here is made of.
  ///
  /// - Parameter sizes: The sizes of symbols that are bound.
  static func dimension(_ text: String, _ sizes: [String: Int]) -> Dim? {
    var parser = SizeExpression(text: Array(text), sizes: sizes)
    guard let dimension = parser.expression(depth: 0), parser.position == parser.text.count else { return nil }
    return dimension
  }

  private init(text: [Character], sizes: [String: Int]) {
    self.text = text
    self.sizes = sizes
  }

  private mutating func skip(_ token: String) -> Bool {
    while position < text.count, text[position] == " " { position += 1 }
    guard text[position...].starts(with: token) else { return false }
    position += token.count
    return true
  }

  private mutating func word(_ isPart: (Character) -> Bool) -> String {
    let start = position
    while position < text.count, isPart(text[position]) { position += 1 }
    return String(text[start..<position])
  }

  private mutating func expression(depth: Int) -> Dim? {
    guard depth < 64 else { return nil }
    _ = skip("")
    let name = word { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    guard skip("(") else { return nil }
    switch name {
    case "Integer":
      let digits = word { $0.isNumber || $0 == "-" }
      guard skip(")"), let number = Int(digits), number.magnitude <= UInt(Call.largestSize) else { return nil }
      return Dim(number)
    case "Symbol":
      guard skip("'") else { return nil }
      let name = word { $0 != "'" }
      _ = word { $0 != ")" }
      guard skip(")"), !name.isEmpty else { return nil }
      return sizes[name].map { Dim($0) } ?? Dim(symbol: name)
    default:
      var operands: [Dim] = []
      while !skip(")") {
        guard operands.isEmpty || skip(","), let operand = expression(depth: depth + 1) else { return nil }
        operands.append(operand)
      }
      return Self.combined(name, operands)
    }
  }

  /// The result of a function of sizes, or nil where it is not known as one.
  static func combined(_ name: String, _ operands: [Dim]) -> Dim? {
    guard let first = operands.first else { return nil }
    let rest = operands.dropFirst()
    switch name {
    case "Add": return rest.reduce(first, +)
    case "Mul": return rest.reduce(first, *)
    case "Max": return rest.reduce(first, Dim.maximum)
    case "Min": return rest.reduce(first, Dim.minimum)
    default: break
    }
    guard operands.count == 2 else { return nil }
    switch name {
    case "FloorDiv", "CleanDiv": return quotient(first, operands[1])
    case "PythonMod", "Mod": return quotient(first, operands[1]).map { first - $0 * operands[1] }
    case "Pow":
      guard let exponent = operands[1].known, (0..<8).contains(exponent) else { return nil }
      return (0..<exponent).reduce(Dim(1)) { power, _ in power * first }
    default: return nil
    }
  }

  /// The quotient rounded down, where the divisor is a positive number or divides exactly.
  private static func quotient(_ dividend: Dim, _ divisor: Dim) -> Dim? {
    guard let divisor = divisor.known else { return dividend.divided(exactlyBy: divisor) }
    return divisor > 0 ? dividend.floorDivided(by: divisor) : nil
  }
}
