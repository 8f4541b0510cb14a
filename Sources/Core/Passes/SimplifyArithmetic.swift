import Foundation

/// Rules about scalar functions, mostly with literals.
enum ArithmeticRules {
  static let all = [
    literalToTheRight, neutral, annihilator, negation, powers, divisionByPowerOfTwo, reciprocalOfRoot, doubled,
    chosen, equalOperands, mergedLiterals,
  ]

  private static func function(_ match: Match) -> Pointwise? {
    if case .pointwise(let function) = match.operation { function } else { nil }
  }

  private static func isNumber(_ value: ScalarValue?, _ number: Double) -> Bool {
    switch value {
    case .float(let x): x == number
    case .integer(let x): Double(x) == number
    case nil: false
    }
  }

  /// Literals stand on the right, so that other rules need not look on both sides.
  static let literalToTheRight = RewriteRule("literal-to-the-right") { match in
    guard let function = function(match), match.operands.count == 2, match.operands[0].isLiteral,
      !match.operands[1].isLiteral
    else { return nil }
    let swapped: Pointwise
    switch function {
    case .add, .multiply, .maximum, .minimum, .equal, .notEqual, .and, .or, .xor: swapped = function
    case .less: swapped = .greater
    case .lessEqual: swapped = .greaterEqual
    case .greater: swapped = .less
    case .greaterEqual: swapped = .lessEqual
    default: return nil
    }
    return match.builder.apply(.pointwise(swapped), [match.operands[1], match.operands[0]])
  }

  /// `x + 0`, `x - 0`, `x * 1`, `x / 1`, `x ^ 1`, extremes with infinities, shifts by 0.
  static let neutral = RewriteRule("neutral-operand") { match in
    guard let function = function(match), match.operands.count == 2, let number = match.operands[1].splat else {
      return nil
    }
    let type = match.operands[1].dtype
    let isNeutral =
      switch function {
      case .add, .subtract, .shiftLeft, .shiftRight, .or, .xor: isNumber(number, 0)
      case .multiply, .divide, .power: isNumber(number, 1)
      case .maximum: number == type.lowest
      case .minimum: number == type.highest
      case .and: number == .integer(type == .bool ? 1 : type.rounded(.integer(-1)).integer)
      default: false
      }
    return isNeutral ? [match.operands[0]] : nil
  }

  /// `x * 0` and `x & 0` of integers; of floats only where `x` is finite, which is not known.
  static let annihilator = RewriteRule("annihilating-operand") { match in
    guard let function = function(match), function == .multiply || function == .and,
      match.types[0].dtype.isFloat == false,
      isNumber(match.operands[1].splat, 0)
    else { return nil }
    return [match.operands[1]]
  }

  /// `0 - x` and `x * -1` are `-x`; `x + -y` is `x - y`; `x - -y` is `x + y`.
  static let negation = RewriteRule("negation") { match in
    guard let function = function(match), match.operands.count == 2 else { return nil }
    let (x, y) = (match.operands[0], match.operands[1])
    switch function {
    case .subtract:
      if isNumber(x.splat, 0) { return [-y] }
      return y.operands(of: .negate).map { [x + $0[0]] }
    case .multiply:
      // An unsigned -1 is another number.
      return x.dtype.isSigned && isNumber(y.splat, -1) ? [-x] : nil
    case .add:
      if let negated = y.operands(of: .negate) { return [x - negated[0]] }
      return x.operands(of: .negate).map { [y - $0[0]] }
    default: return nil
    }
  }

  /// Powers by products and roots, as PyTorch computes them: 2, 3, 1/2, -1/2, -1 and -2.
  ///
  /// The square is rounded better than by `pow`, the cube is rounded twice. The square root of -infinity is NaN where
  /// `pow` has infinity.
  static let powers = RewriteRule("power") { match in
    guard function(match) == .power, let exponent = match.operands[1].splat?.double else { return nil }
    let x = match.operands[0]
    switch exponent {
    case 2: return [x * x]
    case 3: return [x * x * x]
    case 0.5 where x.dtype.isFloat: return [x.sqrt()]
    case -0.5 where x.dtype.isFloat: return [x.rsqrt()]
    case -1 where x.dtype.isFloat: return [x.onesLike() / x]
    case -2 where x.dtype.isFloat: return [x.onesLike() / (x * x)]
    default: return nil
    }
  }

  /// Division by a power of two is multiplication with its inverse, exactly.
  static let divisionByPowerOfTwo = RewriteRule("division-by-power-of-two") { match in
    guard function(match) == .divide, case .float(let divisor) = match.operands[1].splat, divisor.isNormal,
      divisor.significand == 1, (-14...14).contains(divisor.exponent)
    else { return nil }
    return [match.operands[0] * match.operands[1].filled(.float(1 / divisor))]
  }

  /// `1 / sqrt(x)` is one function, rounded once.
  static let reciprocalOfRoot = RewriteRule("reciprocal-of-root") { match in
    guard function(match) == .divide, isNumber(match.operands[0].splat, 1),
      let root = match.operands[1].operands(of: .sqrt)
    else { return nil }
    return [root[0].rsqrt()]
  }

  /// Functions that undo or repeat themselves.
  static let doubled = RewriteRule("function-of-itself") { match in
    guard let function = function(match), match.operands.count == 1,
      let inner = match.operands[0].operands(of: function)
    else { return nil }
    switch function {
    case .negate, .not: return inner
    case .abs, .floor, .ceil, .round, .trunc, .sign: return match.operands
    default: return nil
    }
  }

  /// Choices that are known, or between equals.
  static let chosen = RewriteRule("choice") { match in
    guard function(match) == .select else { return nil }
    if match.operands[1].value == match.operands[2].value { return [match.operands[1]] }
    guard case .integer(let predicate) = match.operands[0].splat else { return nil }
    return [match.operands[predicate == 0 ? 2 : 1]]
  }

  /// Functions of twice the same: extremes and logic, and differences of integers.
  static let equalOperands = RewriteRule("equal-operands") { match in
    guard let function = function(match), match.operands.count == 2,
      match.operands[0].value == match.operands[1].value
    else { return nil }
    let x = match.operands[0]
    switch function {
    case .maximum, .minimum, .and, .or: return [x]
    case .subtract, .xor: return x.dtype.isFloat ? nil : [x.filled(.integer(0))]
    default: return nil
    }
  }

  /// `(x f a) f b` is `x f (a f b)` where that is exact: extremes, logic, sums and products of integers.
  static let mergedLiterals = RewriteRule("merge-literals") { match in
    guard let function = function(match), match.operands.count == 2, match.operands[1].isLiteral,
      let inner = match.operands[0].operands(of: function), inner[1].isLiteral, !inner[0].isLiteral
    else { return nil }
    switch function {
    case .maximum, .minimum, .and, .or, .xor: break
    case .add, .multiply: if match.types[0].dtype.isFloat { return nil }
    default: return nil
    }
    let merged = match.builder.apply(match.operation, [inner[1], match.operands[1]])[0]
    return match.builder.apply(match.operation, [inner[0], merged])
  }
}

extension ScalarValue {
  fileprivate var integer: Int { if case .integer(let value) = self { value } else { 0 } }
}
