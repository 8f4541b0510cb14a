internal import LatheCore

/// A C expression and how strongly its outermost operator binds.
struct CText: Sendable {
  /// The binding of C's operators, loosest first.
  enum Level: Int, Comparable, Sendable {
    case conditional, or, and, bitOr, bitXor, bitAnd, equality, relation, shift, sum, product, unary, primary

    static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  var text: String
  var level: Level

  init(_ text: String, _ level: Level = .primary) {
    self.text = text
    self.level = level
  }

  /// The text, in parentheses if it binds looser than `level`.
  func at(_ level: Level) -> String { self.level < level ? "(\(text))" : text }

  static func call(_ function: String, _ arguments: [CText]) -> CText {
    CText("\(function)(\(arguments.map(\.text).joined(separator: ", ")))")
  }

  static func cast(_ type: String, _ operand: CText) -> CText { CText("(\(type))\(operand.at(.unary))", .unary) }

  static prefix func ! (a: CText) -> CText { CText("!\(a.at(.unary))", .unary) }
}

extension CKernelRenderer {
  /// An index as a signed expression of pointer width.
  mutating func render(_ index: Index) -> CText {
    var text = ""
    var level = CText.Level.primary
    func append(_ part: String, negative: Bool) {
      if text.isEmpty {
        text = negative ? "-\(part)" : part
      } else {
        text += negative ? " - \(part)" : " + \(part)"
        level = .sum
      }
    }
    // A positive number in front reads better than a leading minus.
    let leading = index.terms.first.map { $0.coefficient < 0 } ?? true
    if leading && (index.constant > 0 || index.terms.isEmpty) { append("\(index.constant)", negative: false) }
    for term in index.terms {
      let atom = render(term.atom)
      let factor = term.coefficient.magnitude
      let product = factor == 1 ? atom : CText("\(atom.at(.product)) * \(factor)", .product)
      if text.isEmpty { level = term.coefficient < 0 ? .unary : product.level }
      append(
        term.coefficient < 0 && text.isEmpty && factor == 1 ? product.at(.unary) : product.at(.product),
        negative: term.coefficient < 0)
    }
    if !index.terms.isEmpty, index.constant != 0, !(leading && index.constant > 0) {
      append("\(index.constant.magnitude)", negative: index.constant < 0)
    }
    return CText(text, index.terms.isEmpty && index.constant < 0 ? .unary : level)
  }

  private mutating func render(_ atom: Index.Atom) -> CText {
    switch atom {
    case .variable(let variable): return CText(variableName(variable))
    case .value(let scalar): return value(scalar.id)
    case .floorDivide(let index, let divisor):
      if let bounds = index.bounds, bounds.lowerBound >= 0 {
        return CText("\(render(index).at(.product)) / \(divisor)", .product)
      }
      return .call(helpers.name(.floorDivide), [render(index), CText("\(divisor)")])
    case .modulo(let index, let divisor):
      if let bounds = index.bounds, bounds.lowerBound >= 0 {
        return CText("\(render(index).at(.product)) % \(divisor)", .product)
      }
      return .call(helpers.name(.floorModulo), [render(index), CText("\(divisor)")])
    }
  }

  /// All constraints together, as a condition.
  mutating func render(_ constraints: [Constraint]) -> CText {
    var parts: [CText] = []
    for constraint in constraints {
      switch constraint {
      case .multiple(let index, let divisor):
        parts.append(CText("\(render(index).at(.product)) % \(divisor) == 0", .equality))
      case .inRange(let index, let range):
        let bounds = index.bounds
        // The constant moves to the other side, where it folds; with data, an index may be anything and stays whole.
        let moved = index.isDynamic ? 0 : index.constant
        let negated = !index.isDynamic && !index.terms.isEmpty && index.terms.allSatisfy { $0.coefficient < 0 }
        let variable =
          index.isDynamic ? renderWrapping(index) : negated ? render((index - moved) * -1) : render(index - moved)
        let low = CText("\(range.lowerBound - moved)")
        let high = CText("\(range.upperBound - moved)")
        let text = variable.at(.sum)
        if bounds.map({ $0.lowerBound < range.lowerBound }) ?? true {
          parts.append(
            negated
              ? CText("\(text) <= \(moved - range.lowerBound)", .relation) : CText("\(text) >= \(low.text)", .relation))
        }
        if bounds.map({ $0.upperBound >= range.upperBound }) ?? true {
          parts.append(
            negated
              ? CText("\(text) > \(moved - range.upperBound)", .relation) : CText("\(text) < \(high.text)", .relation))
        }
      }
    }
    guard let first = parts.first else { return CText("true") }
    return parts.count == 1 ? first : CText(parts.map { $0.at(.bitOr) }.joined(separator: " && "), .and)
  }

  /// An index with data in it before it is known to be in range: wraps instead of overflowing.
  private mutating func renderWrapping(_ index: Index) -> CText {
    if index.terms.count == 1, index.constant == 0, index.terms[0].coefficient == 1 { return render(index) }
    var parts: [String] = []
    for term in index.terms {
      let atom = CText.cast("uint64_t", render(term.atom)).text
      let factor = ScalarType.u64.cLiteral(.integer(term.coefficient))
      parts.append(term.coefficient == 1 ? atom : "\(atom) * \(factor)")
    }
    if index.constant != 0 { parts.append(ScalarType.u64.cLiteral(.integer(index.constant))) }
    return CText("(int64_t)(\(parts.joined(separator: " + ")))", .unary)
  }

  /// The end of a loop as an expression; quotients are rounded up.
  mutating func render(_ bound: Bound, isUpper: Bool) -> CText {
    var result: CText?
    func join(_ next: CText, _ helpers: inout CHelpers) {
      result = result.map { .call(helpers.name(isUpper ? .smaller : .larger), [$0, next]) } ?? next
    }
    for quotient in bound.quotients {
      join(render(roundedUp: quotient), &helpers)
    }
    if !bound.constantIsIdle(isUpper: isUpper) {
      join(CText("\(bound.constant)", bound.constant < 0 ? .unary : .primary), &helpers)
    }
    return result ?? CText("\(bound.constant)")
  }

  private mutating func render(roundedUp quotient: Bound.Quotient) -> CText {
    if quotient.divisor == 1 { return render(quotient.dividend) }
    let dividend = quotient.dividend + (quotient.divisor - 1)
    if let bounds = dividend.bounds, bounds.lowerBound >= 0 {
      return CText("\(render(dividend).at(.product)) / \(quotient.divisor)", .product)
    }
    return .call(helpers.name(.floorDivide), [render(dividend), CText("\(quotient.divisor)")])
  }
}

extension Bound {
  /// Whether a quotient alone is always as strict as the constant.
  fileprivate func constantIsIdle(isUpper: Bool) -> Bool {
    quotients.contains { quotient in
      guard quotient.divisor == 1, let bounds = quotient.dividend.bounds else { return false }
      return isUpper ? bounds.upperBound <= constant : bounds.lowerBound >= constant
    }
  }
}
