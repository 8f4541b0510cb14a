internal import LatheCore

/// What names of sizes (`dim_param`) stand for: symbols, and sums, products and quotients of symbols, with sizes for
/// those that are bound.
///
/// Symbols become identifiers, since the text form and `--dim` need them so.
struct SymbolNames {
  private let dims: [String: Int]
  /// The symbols that sizes were found for, as the file and as the graph spell them.
  private(set) var bound: Set<String> = []
  /// The file's names by the identifiers that stand for them.
  private var spellings: [String: String] = [:]

  init(_ dims: [String: Int]) {
    self.dims = dims
  }

  /// The size that a file names; a placeholder for an unknown size is a symbol of its own.
  ///
  /// - Parameter other: The name of the symbol where the size has none.
  mutating func size(_ name: String, unnamed other: String) -> Dim {
    // Exporters write placeholders for what they do not know; two of them are not the same size.
    let isNamed = name.contains { $0.isLetter || $0.isNumber } && name != "None" && Int(name) == nil
    guard isNamed else { return symbol(other) }
    if dims[name] == nil, let expression = expression(name) { return expression }
    return symbol(name)
  }

  private mutating func symbol(_ name: String) -> Dim {
    var identifier = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "_" })
    if identifier.first?.isNumber != false { identifier = "_" + identifier }
    // `a b` and `a_b` are two.
    while let other = spellings[identifier], other != name { identifier += "_" }
    spellings[identifier] = name
    if let size = dims[identifier] ?? dims[name] {
      bound.formUnion([identifier, name])
      return Dim(size)
    }
    return Dim(symbol: identifier)
  }

  /// Sizes for names as the file or the graph spells them, by the names that the graph has for them.
  func identified(_ sizes: [String: Int]) -> [String: Int] {
    var identified = sizes
    for (identifier, spelling) in spellings where identified[identifier] == nil {
      identified[identifier] = sizes[spelling]
    }
    return identified
  }

  // MARK: Expressions

  /// A name that is a formula, such as `past_sequence_length + 1`; nil for a plain name, which may hold a hyphen.
  private mutating func expression(_ name: String) -> Dim? {
    guard name.utf8.count <= 200, let tokens = Self.tokens(name), tokens.count > 1 else { return nil }
    var rest = tokens[...]
    guard let formula = Self.sum(&rest, depth: 0), rest.isEmpty else { return nil }
    return value(formula)
  }

  private indirect enum Formula {
    case number(Int)
    case symbol(String)
    case sum(Formula, Formula)
    case difference(Formula, Formula)
    case product(Formula, Formula)
    case quotient(Formula, Int)
  }

  private mutating func value(_ formula: Formula) -> Dim {
    switch formula {
    case .number(let number): Dim(number)
    case .symbol(let name): symbol(name)
    case .sum(let a, let b): value(a) + value(b)
    case .difference(let a, let b): value(a) - value(b)
    case .product(let a, let b): value(a) * value(b)
    case .quotient(let a, let divisor): value(a).floorDivided(by: divisor)
    }
  }

  /// Words, numbers and signs; nil where a character is none of them.
  private static func tokens(_ text: String) -> [Substring]? {
    var tokens: [Substring] = []
    var rest = text[...]
    while let first = rest.first {
      if first == " " {
        rest.removeFirst()
      } else if first.isASCII, first.isLetter || first.isNumber || first == "_" {
        let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == "." }
        tokens.append(word)
        rest = rest.dropFirst(word.count)
      } else if rest.hasPrefix("//") {
        tokens.append("//")
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("- ") || "+*()".contains(first) {
        tokens.append(rest.prefix(1))
        rest.removeFirst()
      } else {
        return nil
      }
    }
    return tokens
  }

  private static func sum(_ tokens: inout ArraySlice<Substring>, depth: Int) -> Formula? {
    guard depth < 32, var result = product(&tokens, depth: depth) else { return nil }
    while let sign = tokens.first, sign == "+" || sign == "-" {
      tokens.removeFirst()
      guard let next = product(&tokens, depth: depth) else { return nil }
      result = sign == "+" ? .sum(result, next) : .difference(result, next)
    }
    return result
  }

  private static func product(_ tokens: inout ArraySlice<Substring>, depth: Int) -> Formula? {
    guard var result = factor(&tokens, depth: depth) else { return nil }
    while let sign = tokens.first, sign == "*" || sign == "//" {
      tokens.removeFirst()
      guard let next = factor(&tokens, depth: depth) else { return nil }
      if sign == "*" {
        result = .product(result, next)
      } else if case .number(let divisor) = next, divisor > 0 {
        result = .quotient(result, divisor)
      } else {
        return nil
      }
    }
    return result
  }

  private static func factor(_ tokens: inout ArraySlice<Substring>, depth: Int) -> Formula? {
    guard let token = tokens.popFirst() else { return nil }
    if token == "(" {
      guard let inner = sum(&tokens, depth: depth + 1), tokens.popFirst() == ")" else { return nil }
      return inner
    }
    guard let first = token.first, first.isLetter || first.isNumber || first == "_" else { return nil }
    guard first.isNumber else { return .symbol(String(token)) }
    guard let number = Int(token), number <= Call.largestSize else { return nil }
    return .number(number)
  }
}
