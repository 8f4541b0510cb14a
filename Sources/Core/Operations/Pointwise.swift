import Foundation

/// The scalar functions: applied to every element alike, each a row of one table.
///
/// Operands have one shape and one element type (`select`'s predicate is `bool`); broadcasting and promotion are
/// explicit nodes, made by `Tensor`. Integer arithmetic wraps; quotients and remainders of integers by zero are 0.
package enum Pointwise: String, Hashable, Sendable, CaseIterable {
  /// Of one number.
  case negate, abs, sign
  /// Of one float: exponentials, logarithms and roots.
  case exp, exp2, expm1, log, log1p, log2, log10, sqrt, rsqrt
  /// Of one float: trigonometric and hyperbolic functions.
  case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh
  /// Of one float.
  case sigmoid, erf, erfc, lgamma
  /// Of one float, to a whole number in the same type.
  case floor, ceil, round, trunc
  /// A condition on one number.
  case isNaN = "is_nan", isFinite = "is_finite"
  /// Of one integer or truth value, bit by bit.
  case not
  /// Of two numbers.
  case add, subtract, multiply, divide
  /// The remainder with the sign of the dividend, C's `fmod` and `%`.
  case fmod
  /// Of two numbers.
  case power, maximum, minimum, atan2
  /// Derivative `n` of digamma: operands are `n`, a whole number from 0 on, and `x`.
  case polygamma
  /// Whether two elements are the same.
  case equal, notEqual = "not_equal"
  /// Which of two numbers is the greater.
  case less, lessEqual = "less_equal", greater, greaterEqual = "greater_equal"
  /// Of two integers or truth values, bit by bit.
  case and, or, xor
  /// Of an integer, by as many bits as the second says.
  case shiftLeft = "shift_left", shiftRight = "shift_right"
  /// The second operand where the first is true, and the third elsewhere.
  case select
}

/// What there is to know of one scalar function.
struct PointwiseRule: Sendable {
  /// Which element types a function takes.
  enum Domain: Sendable {
    case any, number, float, integer, integerOrBool

    func contains(_ type: ScalarType) -> Bool {
      switch self {
      case .any: true
      case .number: type != .bool
      case .float: type.isFloat
      case .integer: type.isInteger
      case .integerOrBool: !type.isFloat
      }
    }

    var text: String {
      switch self {
      case .any: "any type"
      case .number: "numbers"
      case .float: "floats"
      case .integer: "integers"
      case .integerOrBool: "integers or bool"
      }
    }
  }

  /// What computes the function on host numbers; integers are handed over as `Int` and wrap to their type afterwards.
  enum Evaluation: Sendable {
    case real1(@Sendable (Double) -> Double)
    case real2(@Sendable (Double, Double) -> Double)
    case number1(@Sendable (Double) -> Double, @Sendable (Int, ScalarType) -> Int)
    case number2(@Sendable (Double, Double) -> Double, @Sendable (Int, Int, ScalarType) -> Int)
    case integer1(@Sendable (Int) -> Int)
    case integer2(@Sendable (Int, Int, ScalarType) -> Int)
    case test1(@Sendable (Double) -> Bool)
    case test2(@Sendable (Double, Double) -> Bool, @Sendable (Int, Int, ScalarType) -> Bool)
    case select
  }

  /// The cotangents of the operands: `(operands, result, cotangent)`; nil where the function is locally constant.
  typealias Derivative = @Sendable (_ x: [Tensor], _ y: Tensor, _ dy: Tensor) -> [Tensor?]

  var domain: Domain
  var evaluation: Evaluation
  var derivative: Derivative?
  /// The function in C.
  var spelling: CSpelling

  init(_ domain: Domain, _ spelling: CSpelling, _ evaluation: Evaluation, derivative: Derivative? = nil) {
    self.domain = domain
    self.spelling = spelling
    self.evaluation = evaluation
    self.derivative = derivative
  }

  var arity: Int {
    switch evaluation {
    case .real1, .number1, .integer1, .test1: 1
    case .real2, .number2, .integer2, .test2: 2
    case .select: 3
    }
  }

  var isTest: Bool {
    switch evaluation {
    case .test1, .test2: true
    default: false
    }
  }
}

/// How C writes a scalar function; the C back-end adds type suffixes, casts and parentheses.
package enum CSpelling: Hashable, Sendable {
  /// A prefix operator.
  case prefix(String)
  /// An infix operator; on integers it is computed unsigned so that it wraps.
  case infix(String)
  /// A comparison or logical operator: no wrapping.
  case comparison(String)
  /// A function of `<math.h>`, `f`-suffixed for `float`.
  case math(String)
  /// A function that the emitted file defines for itself where it is used: `lathe_sigmoid_f32`.
  case helper(String)
  /// `a ? b : c`.
  case conditional
}

extension Pointwise {
  /// The row of the table.
  var rule: PointwiseRule {
    switch self {
    case .negate:
      PointwiseRule(.number, .prefix("-"), .number1({ -$0 }, { a, _ in 0 &- a })) { _, _, dy in [-dy] }
    case .abs:
      PointwiseRule(.number, .helper("abs"), .number1({ Swift.abs($0) }, { a, t in a < 0 && t.isSigned ? 0 &- a : a }))
      { x, _, dy in
        [dy * x[0].sign()]
      }
    case .sign:
      // NaN has sign 0, as in PyTorch.
      PointwiseRule(
        .number, .helper("sign"),
        .number1({ $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, { a, t in t.isSigned ? a.signum() : a == 0 ? 0 : 1 }))
    case .exp: PointwiseRule(.float, .math("exp"), .real1(Foundation.exp)) { _, y, dy in [dy * y] }
    case .exp2:
      PointwiseRule(.float, .math("exp2"), .real1(Foundation.exp2)) { _, y, dy in [dy * y * 0.693_147_180_559_945_3] }
    case .expm1: PointwiseRule(.float, .math("expm1"), .real1(Foundation.expm1)) { _, y, dy in [dy * (y + 1)] }
    case .log: PointwiseRule(.float, .math("log"), .real1(Foundation.log)) { x, _, dy in [dy / x[0]] }
    case .log1p: PointwiseRule(.float, .math("log1p"), .real1(Foundation.log1p)) { x, _, dy in [dy / (x[0] + 1)] }
    case .log2:
      PointwiseRule(.float, .math("log2"), .real1(Foundation.log2)) { x, _, dy in [dy / (x[0] * M_LN2)] }
    case .log10:
      PointwiseRule(.float, .math("log10"), .real1(Foundation.log10)) { x, _, dy in [dy / (x[0] * M_LN10)] }
    case .sqrt: PointwiseRule(.float, .math("sqrt"), .real1 { $0.squareRoot() }) { _, y, dy in [dy / (y * 2)] }
    case .rsqrt:
      PointwiseRule(.float, .helper("rsqrt"), .real1 { 1 / $0.squareRoot() }) { x, y, dy in [dy * y / x[0] * -0.5] }
    case .sin: PointwiseRule(.float, .math("sin"), .real1(Foundation.sin)) { x, _, dy in [dy * x[0].cos()] }
    case .cos: PointwiseRule(.float, .math("cos"), .real1(Foundation.cos)) { x, _, dy in [-(dy * x[0].sin())] }
    case .tan: PointwiseRule(.float, .math("tan"), .real1(Foundation.tan)) { _, y, dy in [dy * (y * y + 1)] }
    case .asin:
      PointwiseRule(.float, .math("asin"), .real1(Foundation.asin)) { x, _, dy in [dy * (1 - x[0] * x[0]).rsqrt()] }
    case .acos:
      PointwiseRule(.float, .math("acos"), .real1(Foundation.acos)) { x, _, dy in [-(dy * (1 - x[0] * x[0]).rsqrt())] }
    case .atan:
      PointwiseRule(.float, .math("atan"), .real1(Foundation.atan)) { x, _, dy in [dy / (x[0] * x[0] + 1)] }
    case .sinh: PointwiseRule(.float, .math("sinh"), .real1(Foundation.sinh)) { x, _, dy in [dy * x[0].cosh()] }
    case .cosh: PointwiseRule(.float, .math("cosh"), .real1(Foundation.cosh)) { x, _, dy in [dy * x[0].sinh()] }
    case .tanh: PointwiseRule(.float, .math("tanh"), .real1(Foundation.tanh)) { _, y, dy in [dy * (1 - y * y)] }
    case .asinh:
      PointwiseRule(.float, .math("asinh"), .real1(Foundation.asinh)) { x, _, dy in [dy * (x[0] * x[0] + 1).rsqrt()] }
    case .acosh:
      PointwiseRule(.float, .math("acosh"), .real1(Foundation.acosh)) { x, _, dy in [dy * (x[0] * x[0] - 1).rsqrt()] }
    case .atanh:
      PointwiseRule(.float, .math("atanh"), .real1(Foundation.atanh)) { x, _, dy in [dy / (1 - x[0] * x[0])] }
    case .sigmoid:
      PointwiseRule(
        .float, .helper("sigmoid"),
        .real1 { x in
          // exp of a negative number only, so that neither branch overflows
          let e = Foundation.exp(-Swift.abs(x))
          return x >= 0 ? 1 / (1 + e) : e / (1 + e)
        }
      ) { _, y, dy in [dy * y * (1 - y)] }
    case .erf:
      PointwiseRule(.float, .math("erf"), .real1(Foundation.erf)) { x, _, dy in
        [dy * (-(x[0] * x[0])).exp() * (2 / Double.pi.squareRoot())]
      }
    case .erfc:
      PointwiseRule(.float, .math("erfc"), .real1(Foundation.erfc)) { x, _, dy in
        [dy * (-(x[0] * x[0])).exp() * (-2 / Double.pi.squareRoot())]
      }
    case .lgamma:
      PointwiseRule(.float, .math("lgamma"), .real1 { Foundation.lgamma($0) }) { x, _, dy in [dy * x[0].digamma()] }
    case .floor: PointwiseRule(.float, .math("floor"), .real1 { $0.rounded(.down) })
    case .ceil: PointwiseRule(.float, .math("ceil"), .real1 { $0.rounded(.up) })
    case .round: PointwiseRule(.float, .math("rint"), .real1 { $0.rounded(.toNearestOrEven) })
    case .trunc: PointwiseRule(.float, .math("trunc"), .real1 { $0.rounded(.towardZero) })
    case .isNaN: PointwiseRule(.float, .helper("is_nan"), .test1(\.isNaN))
    case .isFinite: PointwiseRule(.float, .helper("is_finite"), .test1(\.isFinite))
    case .not: PointwiseRule(.integerOrBool, .prefix("~"), .integer1 { ~$0 })
    case .add: PointwiseRule(.number, .infix("+"), .number2(+, { a, b, _ in a &+ b })) { _, _, dy in [dy, dy] }
    case .subtract: PointwiseRule(.number, .infix("-"), .number2(-, { a, b, _ in a &- b })) { _, _, dy in [dy, -dy] }
    case .multiply:
      PointwiseRule(.number, .infix("*"), .number2(*, { a, b, _ in a &* b })) { x, _, dy in [dy * x[1], dy * x[0]] }
    case .divide:
      PointwiseRule(.number, .helper("divide"), .number2(/, Self.quotient)) { x, y, dy in
        let quotient = dy / x[1]
        return [quotient, -(quotient * y)]
      }
    case .fmod:
      PointwiseRule(.number, .helper("fmod"), .number2(Foundation.fmod, Self.remainder)) { x, _, dy in
        [dy, -(dy * (x[0] / x[1]).trunc())]
      }
    case .power:
      PointwiseRule(.number, .helper("power"), .number2(Foundation.pow, Self.power)) { x, y, dy in
        let base = x[0]
        let exponent = x[1]
        // x^(n-1) rather than y / x, which is NaN at 0; and no log x where x^n is 0 around n
        let byBase = (exponent .== exponent.zerosLike()).select(
          dy.zerosLike(), dy * exponent * base.pow(exponent - 1))
        let isFlat = (base .== base.zerosLike()) .& (exponent .>= exponent.zerosLike())
        let byExponent = isFlat.select(dy.zerosLike(), dy * y * isFlat.select(base.onesLike(), base).log())
        return [byBase, byExponent]
      }
    case .maximum:
      PointwiseRule(
        .any, .helper("maximum"),
        .number2({ $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }, { a, b, t in Self.less(a, b, t) ? b : a })
      ) { x, _, dy in Self.shared(dy, x[0] .> x[1], x[0] .== x[1]) }
    case .minimum:
      PointwiseRule(
        .any, .helper("minimum"),
        .number2({ $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) }, { a, b, t in Self.less(b, a, t) ? b : a })
      ) { x, _, dy in Self.shared(dy, x[0] .< x[1], x[0] .== x[1]) }
    case .atan2:
      PointwiseRule(.float, .math("atan2"), .real2(Foundation.atan2)) { x, _, dy in
        let scaled = dy / (x[0] * x[0] + x[1] * x[1])
        return [scaled * x[1], -(scaled * x[0])]
      }
    case .polygamma:
      PointwiseRule(.float, .helper("polygamma"), .real2(Self.polygamma)) { x, _, dy in
        [nil, dy * .pointwise(.polygamma, x[0] + 1, x[1])]
      }
    case .equal: PointwiseRule(.any, .comparison("=="), .test2({ $0 == $1 }) { a, b, _ in a == b })
    case .notEqual: PointwiseRule(.any, .comparison("!="), .test2({ $0 != $1 }) { a, b, _ in a != b })
    case .less: PointwiseRule(.any, .comparison("<"), .test2({ $0 < $1 }, Self.less))
    case .lessEqual: PointwiseRule(.any, .comparison("<="), .test2({ $0 <= $1 }) { a, b, t in !Self.less(b, a, t) })
    case .greater: PointwiseRule(.any, .comparison(">"), .test2({ $0 > $1 }) { a, b, t in Self.less(b, a, t) })
    case .greaterEqual: PointwiseRule(.any, .comparison(">="), .test2({ $0 >= $1 }) { a, b, t in !Self.less(a, b, t) })
    case .and: PointwiseRule(.integerOrBool, .infix("&"), .integer2 { a, b, _ in a & b })
    case .or: PointwiseRule(.integerOrBool, .infix("|"), .integer2 { a, b, _ in a | b })
    case .xor: PointwiseRule(.integerOrBool, .infix("^"), .integer2 { a, b, _ in a ^ b })
    case .shiftLeft:
      PointwiseRule(
        .integer, .helper("shift_left"), .integer2 { a, b, t in b < 0 || b >= t.byteCount * 8 ? 0 : a << b })
    case .shiftRight: PointwiseRule(.integer, .helper("shift_right"), .integer2(Self.shiftedRight))
    case .select:
      PointwiseRule(.any, .conditional, .select) { x, _, dy in
        [nil, x[0].select(dy, dy.zerosLike()), x[0].select(dy.zerosLike(), dy)]
      }
    }
  }

  /// Gives the cotangent to the operand that was chosen, and half of it to each where they tie, as PyTorch does.
  private static func shared(_ dy: Tensor, _ first: Tensor, _ tie: Tensor) -> [Tensor?] {
    let zero = dy.zerosLike()
    let half = tie.select(dy * 0.5, zero)
    return [first.select(dy, half), (first .| tie).select(half, dy)]
  }

  private static func less(_ a: Int, _ b: Int, _ type: ScalarType) -> Bool {
    type == .u64 ? UInt(bitPattern: a) < UInt(bitPattern: b) : a < b
  }

  private static func quotient(_ a: Int, _ b: Int, _ type: ScalarType) -> Int {
    if b == 0 { return 0 }
    if type == .u64 { return Int(bitPattern: UInt(bitPattern: a) / UInt(bitPattern: b)) }
    return a.dividedReportingOverflow(by: b).partialValue
  }

  private static func remainder(_ a: Int, _ b: Int, _ type: ScalarType) -> Int {
    if b == 0 { return 0 }
    if type == .u64 { return Int(bitPattern: UInt(bitPattern: a) % UInt(bitPattern: b)) }
    return a.remainderReportingOverflow(dividingBy: b).partialValue
  }

  private static func shiftedRight(_ a: Int, _ b: Int, _ type: ScalarType) -> Int {
    if b < 0 || b >= type.byteCount * 8 { return a < 0 && type.isSigned ? -1 : 0 }
    return type == .u64 ? Int(bitPattern: UInt(bitPattern: a) >> UInt(b)) : a >> b
  }

  /// Wraps; a negative exponent gives 0 unless the base is 1 or -1.
  private static func power(_ base: Int, _ exponent: Int, _ type: ScalarType) -> Int {
    if exponent < 0 && type.isSigned { return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0 }
    var result = 1
    var square = base
    var rest = UInt(bitPattern: exponent)
    while rest > 0 {
      if rest & 1 == 1 { result = result &* square }
      square = square &* square
      rest >>= 1
    }
    return result
  }

  /// The sum of `n! / (x + k)^(n + 1)` over all `k >= 0` (for `n = 0` less its infinite part), with the sign of `n`.
  ///
  /// Terms are added until Euler and Maclaurin's series takes over. Below 0 the sum is that from the fraction of `x` on,
  /// and, mirrored, those from `1 - fraction` on less those from `1 - x` on, so that it is never long.
  /// Source: https://dlmf.nist.gov/25.11 (25.11.5), https://dlmf.nist.gov/5.15
  private static func polygamma(_ n: Double, _ x: Double) -> Double {
    guard n >= 0, n == n.rounded(.down) else { return .nan }
    let odd = Foundation.fmod(n, 2) == 1
    let factorial = Foundation.tgamma(n + 1)
    let start = 10 + Swift.min(n, 170)
    func sum(from x: Double) -> Double {
      var sum = 0.0
      var a = x
      while a < start {
        sum += factorial * Foundation.pow(a, -n - 1)
        a += 1
      }
      let scale = factorial * Foundation.pow(a, -n)
      sum += (n == 0 ? -Foundation.log(a) : scale / n) + scale / (2 * a)
      var factor = scale * (n + 1) / (a * a)
      for (j, coefficient) in polygammaSeries.enumerated() {
        sum += coefficient * factor
        factor *= (n + Double(2 * j + 2)) * (n + Double(2 * j + 3)) / (a * a)
      }
      return sum
    }
    guard x < 0 else { return odd ? sum(from: x) : -sum(from: x) }
    let fraction = sum(from: x - x.rounded(.down))
    let mirrored = sum(from: x.rounded(.up) - x)
    return (odd ? mirrored + fraction : mirrored - fraction) - sum(from: 1 - x)
  }

  /// Bernoulli's numbers over factorials: `B(2 j) / (2 j)!` for `j` from 1 on.
  package static let polygammaSeries = {
    let inverses: [Double] = [
      12, -720, 30240, -1_209_600, 47_900_160, -1_307_674_368_000 / 691, 74_724_249_600, -10_670_622_842_880_000 / 3617,
    ]
    return inverses.map { 1 / $0 }
  }()
}

extension Pointwise: OperationDefinition {
  package var name: String { rawValue }

  /// The number of operands.
  package var arity: Int { rule.arity }

  /// How C writes the function.
  package var spelling: CSpelling { rule.spelling }

  /// Whether the result is `bool` whatever the operands are.
  package var isTest: Bool { rule.isTest }

  /// The element type of the result for operands of the given types.
  package func resultType(_ operands: [ScalarType]) -> ScalarType {
    if isTest { return .bool }
    return self == .select ? operands[1] : operands[0]
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    let rule = rule
    try TypeFault.requireCount(operands, rule.arity)
    let numbers = self == .select ? Array(operands.dropFirst()) : operands
    if self == .select, operands[0].dtype != .bool {
      throw TypeFault("the predicate is \(operands[0].dtype), not bool")
    }
    try TypeFault.requireSameType(numbers)
    guard rule.domain.contains(numbers[0].dtype) else {
      throw TypeFault("is not defined on \(numbers[0].dtype), only on \(rule.domain.text)", help: "convert the operand")
    }
    for operand in operands.dropFirst() where operand.shape != operands[0].shape {
      throw TypeFault("operands have different shapes, \(operands[0].shape.text) and \(operand.shape.text)")
    }
    return [TensorType(resultType(operands.map(\.dtype)), operands[0].shape)]
  }

  package func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?] {
    guard let derivative = rule.derivative else { return context.operands.map { _ in nil } }
    return derivative(context.operands, context.results[0], context.cotangent)
  }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? { context.apply(.pointwise(self)) }

  package func lower(_ context: LoweringContext) -> Definition {
    .element { index in context.scalars.pointwise(self, context.operands.map { $0[index] }) }
  }

  /// The function on host numbers of the given element type (that of the last operand), rounded to the result's type.
  package func evaluate(_ operands: [ScalarValue], _ type: ScalarType) -> ScalarValue {
    func integer(_ value: ScalarValue) -> Int { if case .integer(let x) = value { x } else { 0 } }
    switch rule.evaluation {
    case .real1(let f): return type.rounded(.float(f(operands[0].double)))
    case .real2(let f): return type.rounded(.float(f(operands[0].double, operands[1].double)))
    case .number1(let f, let g):
      return type.rounded(type.isFloat ? .float(f(operands[0].double)) : .integer(g(integer(operands[0]), type)))
    case .number2(let f, let g):
      return type.rounded(
        type.isFloat
          ? .float(f(operands[0].double, operands[1].double))
          : .integer(g(integer(operands[0]), integer(operands[1]), type)))
    case .integer1(let g):
      // `not` on bool is logical: all bits but the lowest are dropped
      let value = g(integer(operands[0]))
      return type == .bool ? .integer(value & 1) : type.rounded(.integer(value))
    case .integer2(let g): return type.rounded(.integer(g(integer(operands[0]), integer(operands[1]), type)))
    case .test1(let f): return .integer(f(operands[0].double) ? 1 : 0)
    case .test2(let f, let g):
      let holds =
        type.isFloat
        ? f(operands[0].double, operands[1].double) : g(integer(operands[0]), integer(operands[1]), type)
      return .integer(holds ? 1 : 0)
    case .select: return operands[0] == .integer(0) ? operands[2] : operands[1]
    }
  }
}
