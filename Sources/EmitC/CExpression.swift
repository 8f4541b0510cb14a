internal import LatheCore

extension CKernelRenderer {
  /// An expression as a C value of `type.cValue`.
  mutating func render(_ expression: Expression) -> CText {
    switch expression {
    case .constant(let value, let type):
      let text = type.cLiteral(value)
      return CText(text, text.hasPrefix("-") || text.hasPrefix("(") ? .unary : .primary)
    case .register(let register): return value(register.id)
    case .index(let index): return render(index)
    case .load(let memory, let index, let type):
      if case .local(let local) = memory, let name = register(local, index) { return CText(name) }
      return reusedElement(memory, index, type) ?? plainElement(memory, index, type)
    case .pointwise(let function, let operands):
      return render(function, operands)
    case .convert(let operand, let type): return convert(operand, to: type)
    case .bitcast(let operand, let type): return bitcast(operand, to: type)
    case .checked(let operand, let extent):
      let size = CText(ScalarType.i64.cLiteral(.integer(extent)))
      // The number that a capacity is too small for can be told; nothing reads it as a size.
      let check = checksSize ? CHelper.checkedSize : .checkedIndex
      return .call(helpers.name(check), [render(operand), size, CText("&\(failed)")])
    case .select(let constraints, let then, let otherwise):
      return conditional(render(constraints), render(then), render(otherwise), then.type)
    }
  }

  private func conditional(_ test: CText, _ then: CText, _ otherwise: CText, _ type: ScalarType) -> CText {
    let text = "\(test.at(.or)) ? \(then.at(.or)) : \(otherwise.at(.conditional))"
    let narrowed = type.narrowed(text)
    return CText(narrowed, narrowed == text ? .conditional : .unary)
  }

  /// A scalar function of operands.
  mutating func render(_ function: Pointwise, _ operands: [Expression]) -> CText {
    let type = operands[operands.count - 1].type
    if helpers.math == .own, type.computeType == .f32, function.hasExpansion {
      return rounded(.call(helpers.name(.expansion(function)), [render(operands[0])]), type, isExact: false)
    }
    if let (symbol, count) = shift(function, operands) {
      return CText("\(render(operands[0]).at(.unary)) \(symbol) \(count)", .shift)
    }
    switch function.spelling {
    case .conditional:
      let texts = operands.map { render($0) }
      // Behind `?:`, loads are conditional; gcc 12.2 gives those of two neighbouring elements one mask.
      if operands.dropFirst().contains(where: \.loadsBuffers) {
        return .call(helpers.name(.choice(type.computeType)), texts)
      }
      return conditional(texts[0], texts[1], texts[2], type)
    case .comparison(let symbol): return comparison(symbol, operands[0], operands[1])
    case .math(let name):
      let result = CText.call(name + type.mathSuffix, operands.map { render($0) })
      return rounded(result, type, isExact: ["floor", "ceil", "rint", "trunc"].contains(name))
    case .prefix, .infix:
      if type == .bool { return logic(function, operands) }
      if type.isInteger { return wrapping(.pointwise(function, operands), type) }
      return rounded(arithmetic(function.spelling, operands.map { render($0) }), type, isExact: function == .negate)
    case .helper(let name): return helper(name, operands, type)
    }
  }

  /// The nearest 16-bit value, for types that have one.
  private mutating func rounded(_ text: CText, _ type: ScalarType, isExact: Bool) -> CText {
    type.isCoded && !isExact ? .call(helpers.name(.round(type)), [text]) : text
  }

  func arithmetic(_ spelling: CSpelling, _ operands: [CText]) -> CText {
    switch spelling {
    case .prefix(let symbol):
      let operand = operands[0].at(.unary)
      return CText(symbol + (operand.hasPrefix(symbol) ? "(\(operand))" : operand), .unary)
    case .infix(let symbol):
      let level: CText.Level =
        switch symbol {
        case "+", "-": .sum
        case "*", "/": .product
        case "&": .bitAnd
        case "|": .bitOr
        default: .bitXor
        }
      // Compilers ask for parentheses around whatever is mixed with bitwise operators. On the right, an operand of the
      // same level keeps its parentheses: floats are not associative.
      let left = level < .sum ? operands[0].at(.unary) : operands[0].at(level)
      let right = level < .sum ? operands[1].at(.unary) : operands[1].at(level == .sum ? .product : .unary)
      return CText("\(left) \(symbol) \(right)", level)
    default: internalError("\(spelling) is no operator")
    }
  }

  private mutating func logic(_ function: Pointwise, _ operands: [Expression]) -> CText {
    let texts = operands.map { render($0) }
    switch function {
    case .not: return !texts[0]
    case .and: return CText("\(texts[0].at(.and)) && \(texts[1].at(.bitOr))", .and)
    case .or: return CText("\(texts[0].at(.bitOr)) || \(texts[1].at(.bitOr))", .or)
    case .xor: return CText("\(texts[0].at(.shift)) != \(texts[1].at(.shift))", .equality)
    default: internalError("\(function.rawValue) is not defined on bool")
    }
  }

  /// Integer arithmetic, computed unsigned so that it wraps.
  private mutating func wrapping(_ expression: Expression, _ type: ScalarType) -> CText {
    let text = unsigned(expression, type)
    return type == .u32 || type == .u64 ? text : .cast(type.cValue, text)
  }

  private mutating func unsigned(_ expression: Expression, _ type: ScalarType) -> CText {
    switch expression {
    case .constant(.integer(let value), _):
      let pattern = type.byteCount == 8 ? value : Int(UInt32(truncatingIfNeeded: value))
      return CText(type.byteCount == 8 ? ScalarType.u64.cLiteral(.integer(pattern)) : "\(pattern)u")
    case .pointwise(.negate, let operands):
      return CText("\(type.byteCount == 8 ? "UINT64_C(0)" : "0u") - \(unsigned(operands[0], type).at(.product))", .sum)
    case .pointwise(let function, let operands)
    where [.add, .subtract, .multiply, .and, .or, .xor, .not].contains(function):
      return arithmetic(function.spelling, operands.map { unsigned($0, type) })
    default:
      let text = render(expression)
      return type == .u32 || type == .u64 ? text : .cast(type.cWrapping, text)
    }
  }

  private mutating func comparison(_ symbol: String, _ left: Expression, _ right: Expression) -> CText {
    let type = left.type
    let (a, b) = (render(left), render(right))
    if !type.isFloat, isExtreme(left) || isExtreme(right) || a.text == b.text {
      return .call(helpers.name(.compare(symbol, type)), [a, b])
    }
    let isEquality = symbol == "==" || symbol == "!="
    return CText("\(a.at(.shift)) \(symbol) \(b.at(.shift))", isEquality ? .equality : .relation)
  }

  /// Whether compilers know the outcome of a comparison with the expression.
  private func isExtreme(_ expression: Expression) -> Bool {
    guard case .constant(let value, let type) = expression else { return false }
    return type == .bool || value == type.lowest || value == type.highest
  }

  private mutating func helper(_ name: String, _ operands: [Expression], _ type: ScalarType) -> CText {
    let compute = type.computeType
    let texts = operands.map { render($0) }
    switch (name, type) {
    case ("maximum", .bool): return CText("\(texts[0].at(.bitOr)) || \(texts[1].at(.bitOr))", .or)
    case ("minimum", .bool): return CText("\(texts[0].at(.bitOr)) && \(texts[1].at(.bitOr))", .and)
    case ("abs", _) where type.isFloat: return .call("fabs\(type.mathSuffix)", texts)
    case ("abs", _) where !type.isSigned: return texts[0]
    case ("divide", _) where type.isFloat: return rounded(arithmetic(.infix("/"), texts), type, isExact: false)
    case ("fmod", _) where type.isFloat: return .call("fmod\(type.mathSuffix)", texts)
    case ("power", _) where type.isFloat: return rounded(.call("pow\(type.mathSuffix)", texts), type, isExact: false)
    default:
      let isExact = ["maximum", "minimum", "sign", "is_nan", "is_finite"].contains(name)
      return rounded(.call(helpers.name(.function(name, compute)), texts), type, isExact: isExact)
    }
  }

  /// The operator for a shift of an unsigned number of full width, or for one to the right, by a number of bits that is
  /// known and not too large.
  func shift(_ function: Pointwise, _ operands: [Expression]) -> (symbol: String, count: Int)? {
    let type = operands[0].type
    guard function == .shiftRight || function == .shiftLeft && !type.isSigned, type.byteCount >= 4,
      case .constant(.integer(let count), _) = operands[1], (0..<(type.byteCount * 8)).contains(count)
    else { return nil }
    return (function == .shiftLeft ? "<<" : ">>", count)
  }

  private mutating func convert(_ operand: Expression, to type: ScalarType) -> CText {
    let source = operand.type
    let text = render(operand)
    if source == type { return text }
    if type == .bool {
      return CText("\(text.at(.shift)) != \(source.isFloat ? source.computeType.cLiteral(.float(0)) : "0")", .equality)
    }
    if source.isFloat && type.isInteger {
      return .call(helpers.name(.saturate(from: source.computeType, to: type)), [text])
    }
    if source.isFloat && type.isFloat {
      if source.isCoded && type == .f32 { return text }
      if source.isCoded && type.isCoded || source == .f32 && type.isCoded { return rounded(text, type, isExact: false) }
      return rounded(.cast(type.cValue, text), type, isExact: false)
    }
    if type.isFloat {
      return rounded(.cast(type.cValue, text), type, isExact: false)
    }
    return wrapped(.cast(type.cValue, text), type)
  }

  /// The lowest bits of an integer, for types that have fewer than those that C computes with.
  private mutating func wrapped(_ text: CText, _ type: ScalarType) -> CText {
    type.narrow == nil ? text : .call(helpers.name(.round(type)), [text])
  }

  private mutating func bitcast(_ operand: Expression, to type: ScalarType) -> CText {
    let source = operand.type
    var text = render(operand)
    if source == type { return text }
    if !source.isFloat && !type.isFloat { return wrapped(.cast(type.cValue, text), type) }
    if source.isCoded || type.isCoded {
      let code = (source.isCoded ? source : type).cStorage
      if source.isCoded { text = .call(helpers.name(.pack(source)), [text]) } else { text = .cast(code, text) }
      if type.isCoded { return .call(helpers.name(.unpack(type)), [text]) }
      return type.cValue == code ? text : wrapped(.cast(type.cValue, text), type)
    }
    return .call(helpers.name(.bits(from: source, to: type)), [text])
  }
}

extension Expression {
  /// Whether elements of tensors are read.
  fileprivate var loadsBuffers: Bool {
    switch self {
    case .load(.buffer, _, _): true
    case .load, .constant, .register, .index: false
    case .pointwise(_, let operands): operands.contains(where: \.loadsBuffers)
    case .convert(let operand, _), .bitcast(let operand, _), .checked(let operand, _): operand.loadsBuffers
    case .select(_, let then, let otherwise): then.loadsBuffers || otherwise.loadsBuffers
    }
  }
}
