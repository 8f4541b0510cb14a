/// Reads a regular expression and writes its program.
struct PatternCompiler {
  private indirect enum Node {
    case set(ScalarSet)
    case sequence([Node])
    case choice([Node])
    case repeated(Node, least: Int, most: Int, Greed)
    case look(Node, isAhead: Bool, isNegated: Bool)
    case atomic(Node)
    case instruction(Pattern.Instruction)
  }

  private enum Greed { case greedy, lazy, possessive }

  private struct Flags {
    var ignoresCase = false
    /// Whether a dot is a line end, too.
    var isDotAll = false
    var isExtended = false
  }

  private static let maximalDepth = 50
  private static let maximalLength = 100_000

  private let scalars: [Unicode.Scalar]
  private let expression: String
  private var position = 0
  private var program: [Pattern.Instruction] = []
  private(set) var markCount = 0

  init(_ expression: String) {
    self.expression = expression
    scalars = Array(expression.unicodeScalars)
  }

  mutating func compile() throws(TokenizerFault) -> [Pattern.Instruction] {
    var flags = Flags()
    let node = try choice(&flags, depth: 0)
    guard position == scalars.count else { throw fault("a parenthesis too many") }
    try emit(node)
    return program
  }

  private func fault(_ message: String) -> TokenizerFault {
    TokenizerFault("the pattern \(expression.debugDescription): \(message)")
  }

  // MARK: Reading

  private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard scalars[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func next() throws(TokenizerFault) -> Unicode.Scalar {
    guard let scalar = current else { throw fault("it breaks off") }
    position += 1
    return scalar
  }

  private mutating func choice(_ flags: inout Flags, depth: Int) throws(TokenizerFault) -> Node {
    guard depth < Self.maximalDepth else { throw fault("groups are nested too deeply") }
    var branches = [try sequence(&flags, depth: depth)]
    while take("|") { branches.append(try sequence(&flags, depth: depth)) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence(_ flags: inout Flags, depth: Int) throws(TokenizerFault) -> Node {
    var parts: [Node] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      if flags.isExtended, scalar.isSpace {
        position += 1
        continue
      }
      guard let atom = try atom(&flags, depth: depth) else { continue }
      parts.append(try quantified(atom))
    }
    return .sequence(parts)
  }

  private mutating func quantified(_ atom: Node) throws(TokenizerFault) -> Node {
    var atom = atom
    while true {
      let start = position
      var bounds: (least: Int, most: Int)?
      var isInterval = false
      if take("*") {
        bounds = (0, .max)
      } else if take("+") {
        bounds = (1, .max)
      } else if take("?") {
        bounds = (0, 1)
      } else if take("{") {
        bounds = interval()
        isInterval = true
      }
      guard let bounds else {
        position = start
        return atom
      }
      guard bounds.least <= bounds.most, bounds.least <= 1000, bounds.most <= 1000 || bounds.most == .max else {
        throw fault("a repetition of \(bounds.least) to \(bounds.most)")
      }
      // In Ruby's syntax, a plus behind an interval repeats it.
      let greed: Greed = take("?") ? .lazy : !isInterval && take("+") ? .possessive : .greedy
      atom = .repeated(atom, least: bounds.least, most: bounds.most, greed)
    }
  }

  /// What is between braces; nil where they are only characters.
  private mutating func interval() -> (least: Int, most: Int)? {
    func number() -> Int? {
      var digits = ""
      while position < scalars.count, ("0"..."9").contains(scalars[position]), digits.count < 6 {
        digits.unicodeScalars.append(scalars[position])
        position += 1
      }
      return Int(digits)
    }
    let least = number()
    if take("}") { return least.map { ($0, $0) } }
    guard take(",") else { return nil }
    let most = number()
    guard take("}"), least != nil || most != nil else { return nil }
    return (least ?? 0, most ?? .max)
  }

  private mutating func atom(_ flags: inout Flags, depth: Int) throws(TokenizerFault) -> Node? {
    let scalar = try next()
    switch scalar {
    case "(": return try group(&flags, depth: depth)
    case "[": return .set(try set(flags, depth: depth))
    case ".":
      return .set(flags.isDotAll ? ScalarSet([.any]) : ScalarSet([.range(0x0a...0x0a)], isNegated: true))
    case "^": return .instruction(.lineStart)
    case "$": return .instruction(.lineEnd)
    case "*", "+", "?": throw fault("nothing to repeat before '\(scalar)'")
    case "\\":
      switch current {
      case "b": return anchor(.wordBoundary(isNegated: false))
      case "B": return anchor(.wordBoundary(isNegated: true))
      case "A": return anchor(.textStart)
      case "z": return anchor(.textEnd)
      case "Z": return anchor(.lastLineEnd)
      case "w", "W":
        let isNegated = current == "W"
        position += 1
        return .set(isNegated ? ScalarSet([.set(.word)], isNegated: true) : .word)
      default: break
      }
      switch try escape() {
      case .range(let range) where range.count == 1:
        guard let literal = Unicode.Scalar(range.lowerBound) else { throw fault("no such character") }
        return .set(ScalarSet(literal, ignoringCase: flags.ignoresCase))
      case let item: return .set(ScalarSet([item]))
      }
    default: return .set(ScalarSet(scalar, ignoringCase: flags.ignoresCase))
    }
  }

  private mutating func anchor(_ instruction: Pattern.Instruction) -> Node {
    position += 1
    return .instruction(instruction)
  }

  private mutating func group(_ flags: inout Flags, depth: Int) throws(TokenizerFault) -> Node? {
    func closed(_ node: Node) throws(TokenizerFault) -> Node {
      guard take(")") else { throw fault("a group does not end") }
      return node
    }
    var inner = flags
    guard take("?") else { return try closed(choice(&inner, depth: depth + 1)) }
    if take(":") { return try closed(choice(&inner, depth: depth + 1)) }
    if take(">") { return .atomic(try closed(choice(&inner, depth: depth + 1))) }
    for (mark, isAhead, isNegated) in [
      ("=", true, false), ("!", true, true), ("<=", false, false), ("<!", false, true),
    ]
    where take(mark) {
      return .look(try closed(choice(&inner, depth: depth + 1)), isAhead: isAhead, isNegated: isNegated)
    }
    if take("#") {
      while let scalar = current, scalar != ")" { position += scalar == "\\" ? 2 : 1 }
      guard take(")") else { throw fault("a comment does not end") }
      return nil
    }
    var value = true
    while true {
      switch try next() {
      case "-": value = false
      case "i": inner.ignoresCase = value
      case "m": inner.isDotAll = value
      case "x": inner.isExtended = value
      case ":": return try closed(choice(&inner, depth: depth + 1))
      case ")":
        // Flags by themselves hold to the end of the group around them.
        return try choice(&inner, depth: depth + 1)
      case let other: throw fault("the group '(?\(other)' is not known")
      }
    }
  }

  /// A set in brackets, behind the first.
  private mutating func set(_ flags: Flags, depth: Int) throws(TokenizerFault) -> ScalarSet {
    guard depth < Self.maximalDepth else { throw fault("sets are nested too deeply") }
    let isNegated = take("^")
    var items: [ScalarSet.Item] = []
    var operands: [ScalarSet] = []
    var isFirst = true
    while isFirst || current != "]" {
      defer { isFirst = false }
      if take("&&") {
        operands.append(ScalarSet(items))
        items = []
        continue
      }
      if take("[:") {
        let isNot = take("^")
        var name = ""
        while let scalar = current, scalar.isASCII, scalar.properties.isAlphabetic {
          name.unicodeScalars.append(scalar)
          position += 1
        }
        guard take(":]"), let item = ScalarSet.named(name) else { throw fault("the set '[:\(name)' is not known") }
        items.append(isNot ? .set(ScalarSet([item], isNegated: true)) : item)
        continue
      }
      if take("[") {
        items.append(.set(try set(flags, depth: depth + 1)))
        continue
      }
      let low = try element()
      guard case .range(let first) = low, first.count == 1, current == "-", position + 1 < scalars.count,
        scalars[position + 1] != "]"
      else {
        items.append(low)
        continue
      }
      position += 1
      guard case .range(let last) = try element(), first.lowerBound <= last.upperBound else {
        throw fault("a range that is none")
      }
      items.append(.range(first.lowerBound...last.upperBound))
    }
    position += 1
    var result = ScalarSet(items)
    if flags.ignoresCase { result = result.ignoringCase }
    if !operands.isEmpty { result = ScalarSet([.intersection(operands + [result])]) }
    return isNegated ? ScalarSet([.set(result)], isNegated: true) : result
  }

  private mutating func element() throws(TokenizerFault) -> ScalarSet.Item {
    let scalar = try next()
    return scalar == "\\" ? try escape() : .range(scalar.value...scalar.value)
  }

  /// What stands behind a backslash.
  private mutating func escape() throws(TokenizerFault) -> ScalarSet.Item {
    func negated(_ item: ScalarSet.Item) -> ScalarSet.Item { .set(ScalarSet([item], isNegated: true)) }
    func scalar(_ value: UInt32) -> ScalarSet.Item { .range(value...value) }
    let digit = ScalarSet.Item.categories([.decimalNumber])
    let hexadecimal = ScalarSet.Item.set(ScalarSet([.range(0x30...0x39), .range(0x41...0x46), .range(0x61...0x66)]))
    let escaped = try next()
    switch escaped {
    case "s": return .space
    case "S": return negated(.space)
    case "d": return digit
    case "D": return negated(digit)
    case "w": return .word
    case "W": return negated(.word)
    case "h": return hexadecimal
    case "H": return negated(hexadecimal)
    case "n": return scalar(0x0a)
    case "r": return scalar(0x0d)
    case "t": return scalar(0x09)
    case "f": return scalar(0x0c)
    case "v": return scalar(0x0b)
    case "a": return scalar(0x07)
    case "e": return scalar(0x1b)
    case "0": return scalar(0)
    case "x":
      guard take("{") else { return scalar(try number(digits: 2)) }
      let value = try number(digits: 8)
      guard take("}") else { throw fault("a code does not end") }
      return scalar(value)
    case "u": return scalar(try number(digits: 4))
    case "p", "P":
      guard take("{") else { throw fault("a property without braces") }
      let isNot = take("^") != (escaped == "P")
      var name = ""
      while let scalar = current, scalar != "}" {
        name.unicodeScalars.append(scalar)
        position += 1
      }
      guard take("}") else { throw fault("a property does not end") }
      guard let item = ScalarSet.property(name) else { throw fault("the property '\(name)' is not known") }
      return isNot ? negated(item) : item
    default:
      guard !escaped.isASCII || !(escaped.properties.isAlphabetic || escaped.isNumeric) else {
        throw fault("'\\\(escaped)' is not known")
      }
      return scalar(escaped.value)
    }
  }

  private mutating func number(digits limit: Int) throws(TokenizerFault) -> UInt32 {
    var text = ""
    while let scalar = current, text.count < limit, scalar.isASCII, scalar.properties.isASCIIHexDigit {
      text.unicodeScalars.append(scalar)
      position += 1
    }
    guard let value = UInt32(text, radix: 16) else { throw fault("a code that is none") }
    return value
  }

  // MARK: Writing

  private mutating func emit(_ node: Node) throws(TokenizerFault) {
    guard program.count < Self.maximalLength else { throw fault("it is too long") }
    switch node {
    case .set(let set): program.append(.set(set))
    case .sequence(let parts): for part in parts { try emit(part) }
    case .instruction(let instruction): program.append(instruction)
    case .choice(let branches):
      var jumps: [Int] = []
      for branch in branches.dropLast() {
        let split = program.count
        program.append(.jump(0))
        try emit(branch)
        jumps.append(program.count)
        program.append(.jump(0))
        program[split] = .split(split + 1, program.count)
      }
      if let last = branches.last { try emit(last) }
      for jump in jumps { program[jump] = .jump(program.count) }
    case .look(let inner, let isAhead, let isNegated):
      let start = program.count
      program.append(.jump(0))
      try emit(inner)
      program[start] = .look(isAhead: isAhead, isNegated: isNegated, end: program.count)
    case .atomic(let inner):
      let start = program.count
      program.append(.jump(0))
      try emit(inner)
      program[start] = .atomic(end: program.count)
    case .repeated(.set(let set), let least, let most, let greed) where greed != .lazy:
      program.append(.span(set, least: least, most: most, isPossessive: greed == .possessive))
    case .repeated(let inner, let least, let most, .possessive):
      try emit(.atomic(.repeated(inner, least: least, most: most, .greedy)))
    case .repeated(let inner, let least, let most, let greed): try emit(inner, least, most, greed)
    }
  }

  private mutating func emit(_ inner: Node, _ least: Int, _ most: Int, _ greed: Greed) throws(TokenizerFault) {
    func split(_ inside: Int, _ behind: Int) -> Pattern.Instruction {
      greed == .lazy ? .split(behind, inside) : .split(inside, behind)
    }
    for _ in 0..<least { try emit(inner) }
    if most == .max {
      let start = program.count
      let mark = markCount
      markCount += 1
      program += [.jump(0), .mark(mark)]
      try emit(inner)
      program += [.progress(mark), .jump(start)]
      program[start] = split(start + 1, program.count)
    } else {
      var splits: [Int] = []
      for _ in least..<most {
        splits.append(program.count)
        program.append(.jump(0))
        try emit(inner)
      }
      for start in splits { program[start] = split(start + 1, program.count) }
    }
  }
}
