/// A mistake of syntax: the rest of the statement cannot be read.
struct SyntaxFault: Error {
  var diagnostic: Diagnostic
}

/// A literal as it is written, before its type is known.
enum ParsedLiteral {
  case splat(String, Token)
  case list([(String, Token)], Token)
  case bytes([UInt8], Token)
}

/// What no text may exceed.
enum TextLimit {
  /// Functions, dimensions and expressions nest at most this deeply, so that no text overflows the stack.
  static let depth = 48
  /// A literal of more bytes is a mistake rather than a model.
  static let literal = 1 << 31
}

/// What the parsers of the text forms have in common: tokens, types, literals, and where faults are.
protocol TextParser {
  var lexer: Lexer { get }
  /// The file that diagnostics name.
  var file: String? { get }
  /// The token that comes next.
  var position: Int { get set }
  var diagnostics: [Diagnostic] { get set }
}

extension TextParser {
  // MARK: Tokens

  var token: Token { lexer.tokens[position] }

  func text(_ token: Token) -> String { String(decoding: lexer.bytes[token.range], as: UTF8.self) }

  func place(_ token: Token) -> Location {
    Location(file: file ?? "<text>", line: token.line, column: token.column)
  }

  func fault(_ message: String, at token: Token? = nil, help: String? = nil) -> SyntaxFault {
    let token = token ?? self.token
    let found: String =
      switch token.kind {
      case .end: "the end of the text"
      default: "'\(text(token).prefix(40))'"
      }
    let message = message.hasPrefix("expected") ? "\(message), found \(found)" : message
    return SyntaxFault(diagnostic: Diagnostic(message, location: place(token), help: help))
  }

  mutating func report(_ message: String, at token: Token, help: String? = nil) {
    diagnostics.append(fault(message, at: token, help: help).diagnostic)
  }

  mutating func advance() {
    if position + 1 < lexer.tokens.count { position += 1 }
  }

  func isAt(_ character: Character) -> Bool {
    character.asciiValue.map { token.kind == .punctuation($0) } ?? false
  }

  func isAt(word: String) -> Bool { token.kind == .identifier && text(token) == word }

  mutating func take(_ character: Character) -> Bool {
    guard isAt(character) else { return false }
    advance()
    return true
  }

  mutating func expect(_ character: Character) throws(SyntaxFault) {
    guard take(character) else { throw fault("expected '\(character)'") }
  }

  mutating func expect(_ kind: Token.Kind, _ what: String) throws(SyntaxFault) -> Token {
    guard token.kind == kind else { throw fault("expected \(what)") }
    defer { advance() }
    return token
  }

  /// The name in `%name`, `@name`, `name` or a quoted form of these; numbered values keep apart from quoted digits.
  func name(_ token: Token, dropping prefix: Int) throws(SyntaxFault) -> String {
    let start = token.range.lowerBound + prefix
    guard start < token.range.upperBound, lexer.bytes[start] == UInt8(ascii: "\"") else {
      return String(decoding: lexer.bytes[start..<token.range.upperBound], as: UTF8.self)
    }
    guard let (name, _) = TextString.read(lexer.bytes, from: start) else {
      throw fault("the name has an unknown escape", at: token)
    }
    return name
  }

  mutating func integer() throws(SyntaxFault) -> Int {
    let isNegative = take("-")
    let number = try expect(.number, "a number")
    guard let value = Int((isNegative ? "-" : "") + text(number)) else {
      throw fault("expected a 64-bit integer", at: number)
    }
    return value
  }

  // MARK: Types

  mutating func type() throws(SyntaxFault) -> TensorType {
    let word = token
    guard word.kind == .identifier, let scalar = ScalarType(rawValue: text(word)) else {
      throw fault("expected a type such as f32[2,3]")
    }
    advance()
    return TensorType(scalar, try dimensions())
  }

  /// Sizes in brackets.
  mutating func dimensions() throws(SyntaxFault) -> [Dim] {
    try expect("[")
    var sizes: [Dim] = []
    if !isAt("]") {
      repeat { sizes.append(try dimension(depth: 0)) } while take(",")
    }
    try expect("]")
    return sizes
  }

  /// A sum of products of numbers, symbols, sizes that data decides (`?n0`), `floor((…) / n)` and `min(…, …)`.
  mutating func dimension(depth: Int) throws(SyntaxFault) -> Dim {
    guard depth < TextLimit.depth else { throw fault("dimensions nest more than \(TextLimit.depth) deep") }
    var sum = Dim(0)
    var isNegative = take("-")
    while true {
      var product = try factor(depth: depth)
      while take("*") { product = product * (try factor(depth: depth)) }
      sum = isNegative ? sum - product : sum + product
      if take("+") {
        isNegative = false
      } else if take("-") {
        isNegative = true
      } else {
        return sum
      }
    }
  }

  mutating func factor(depth: Int) throws(SyntaxFault) -> Dim {
    if token.kind == .number { return Dim(try integer()) }
    let isExtent = take("?")
    if token.kind == .string || (isExtent && token.kind == .identifier) {
      let symbol = try name(token, dropping: 0)
      advance()
      return isExtent ? Dim(extent: symbol) : Dim(symbol: symbol)
    }
    guard token.kind == .identifier, !isExtent else { throw fault("expected a size") }
    if isAt(word: "min") {
      advance()
      try expect("(")
      let first = try dimension(depth: depth + 1)
      try expect(",")
      let second = try dimension(depth: depth + 1)
      try expect(")")
      return .minimum(first, second)
    }
    guard isAt(word: "floor") else {
      defer { advance() }
      return Dim(symbol: text(token))
    }
    advance()
    try expect("(")
    try expect("(")
    let dividend = try dimension(depth: depth + 1)
    try expect(")")
    try expect("/")
    let divisor = token
    let number = try integer()
    guard number > 0 else { throw fault("expected a positive divisor", at: divisor) }
    try expect(")")
    return dividend.floorDivided(by: number)
  }

  // MARK: Literals

  mutating func literal() throws(SyntaxFault) -> ParsedLiteral {
    let start = token
    if isAt(word: "base64") {
      advance()
      let payload = try expect(.string, "a string")
      let range = (payload.range.lowerBound + 1)..<(payload.range.upperBound - 1)
      guard let bytes = TextLiteral.bytes(lexer.bytes[range]) else {
        throw fault("the string is not base64", at: payload)
      }
      return .bytes(bytes, payload)
    }
    if isAt("<") { throw fault("the literal was left out when the text was written", help: "write it with 'text'") }
    guard take("[") else { return .splat(try number(), start) }
    var elements: [(String, Token)] = []
    if !isAt("]") {
      repeat {
        let element = token
        elements.append((try number(), element))
      } while take(",")
    }
    try expect("]")
    return .list(elements, start)
  }

  /// The text of a number, `true`, `inf` and the like.
  mutating func number() throws(SyntaxFault) -> String {
    let sign = take("-") ? "-" : ""
    guard token.kind == .number || token.kind == .identifier else { throw fault("expected a literal") }
    defer { advance() }
    return sign + text(token)
  }

  func array(_ literal: ParsedLiteral, _ type: TensorType, at start: Token) throws(SyntaxFault) -> NDArray {
    guard let shape = type.shape.known, shape.allSatisfy({ $0 >= 0 }) else {
      throw fault("a literal has a known shape, this one is \(type)", at: start)
    }
    guard let count = type.boundedElementCount, count * type.dtype.byteCount <= TextLimit.literal else {
      throw fault("a literal of type \(type) is too large", at: start)
    }
    func element(_ text: String, _ token: Token) throws(SyntaxFault) -> ScalarValue {
      guard let value = TextLiteral.value(text, type.dtype) else {
        throw fault("'\(text.prefix(40))' is no \(type.dtype)", at: token)
      }
      return value
    }
    switch literal {
    case .splat(let text, let token):
      let one = NDArray(scalar: try element(text, token), dtype: type.dtype).bytes
      return NDArray(dtype: type.dtype, shape: shape) { buffer in
        for index in buffer.indices { buffer[index] = one[index % one.count] }
      }
    case .list(let elements, let token):
      guard elements.count == count else { throw fault("\(elements.count) numbers are given for \(type)", at: token) }
      var values: [ScalarValue] = []
      for (text, token) in elements { values.append(try element(text, token)) }
      return unfailing { try NDArray(dtype: type.dtype, shape: shape, values: values) }
    case .bytes(let bytes, let token):
      guard bytes.count == count * type.dtype.byteCount else {
        throw fault("\(bytes.count) bytes are given for \(type), which has \(count * type.dtype.byteCount)", at: token)
      }
      return unfailing { try NDArray(dtype: type.dtype, shape: shape, bytes: bytes) }
    }
  }
}
