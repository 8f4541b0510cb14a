/// Scalar functions on tensors, with PyTorch's broadcasting and type promotion.
extension Tensor {
  /// Applies a scalar function after bringing the operands to one type and shape.
  ///
  /// Sources: https://pytorch.org/docs/stable/notes/broadcasting.html,
  /// https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
  public static func pointwise(_ function: Pointwise, _ operands: Tensor...) -> Tensor { pointwise(function, operands) }

  public static func pointwise(_ function: Pointwise, _ operands: [Tensor]) -> Tensor {
    let builder = innermostBuilder(of: operands)
    guard !operands.contains(where: \.isPoisoned) else { return builder.poison }
    do {
      let shape = try broadcastShape(operands.map(\.type))
      try TypeFault.requireCount(operands.map(\.type), function.arity)
      let numbers = function == .select ? Array(operands.dropFirst()) : operands
      let dtype = promotedType(numbers)
      let aligned = operands.enumerated().map { position, operand in
        (function == .select && position == 0 ? operand : operand.convert(to: dtype)).expanded(to: shape)
      }
      return apply(.pointwise(function), aligned)
    } catch {
      builder.record(error, operation: function.name, operands: operands)
      return builder.poison
    }
  }

  /// The type that operands meet in: tensors with axes decide over those without, unless a category is higher.
  private static func promotedType(_ operands: [Tensor]) -> ScalarType {
    func category(_ type: ScalarType) -> Int { type == .bool ? 0 : type.isInteger ? 1 : 2 }
    let shaped = operands.filter { $0.rank > 0 }.map(\.dtype)
    let scalars = operands.filter { $0.rank == 0 }.map(\.dtype)
    func joined(_ types: [ScalarType]) -> ScalarType? {
      types.first.map { first in types.dropFirst().reduce(first) { $0.promoted(with: $1) } }
    }
    guard let fromShaped = joined(shaped) else { return joined(scalars) ?? .f32 }
    guard let fromScalars = joined(scalars), category(fromScalars) > category(fromShaped) else { return fromShaped }
    return fromShaped.promoted(with: fromScalars)
  }

  /// The common shape of operands: aligned at their last axes, sizes equal or 1.
  public static func broadcastShape(_ types: [TensorType]) throws(TypeFault) -> [Dimension] {
    let rank = types.map(\.rank).max() ?? 0
    var shape = [Dimension](repeating: 1, count: rank)
    for type in types {
      for (axis, size) in type.shape.enumerated() {
        let target = rank - type.rank + axis
        if shape[target] == 1 {
          shape[target] = size
        } else if size != 1 && size != shape[target] {
          throw TypeFault(
            "\(types.map(\.shape.text).joined(separator: " and ")) do not broadcast: sizes \(shape[target]) and \(size) meet on axis \(target) of the result",
            help: "sizes must be equal or 1, aligned at the last axis")
        }
      }
    }
    return shape
  }

  /// Broadcasts to a shape of at least this rank, aligned at the last axes.
  public func expanded(to shape: [Dimension]) -> Tensor {
    broadcast(to: shape, axes: Array(Swift.max(shape.count - rank, 0)..<shape.count))
  }

  /// A number as a tensor without axes, of this tensor's type; where this one holds integers and the number is none,
  /// of type `f32`.
  package func lift(_ number: Double) -> Tensor {
    if dtype.isFloat { return builder.scalar(.float(number), dtype) }
    guard let integer = Int(exactly: number) else { return builder.scalar(.float(number), .f32) }
    return builder.scalar(.integer(integer), dtype == .bool ? .i64 : dtype)
  }

  public static func + (a: Tensor, b: Tensor) -> Tensor { pointwise(.add, a, b) }
  public static func - (a: Tensor, b: Tensor) -> Tensor { pointwise(.subtract, a, b) }
  public static func * (a: Tensor, b: Tensor) -> Tensor { pointwise(.multiply, a, b) }

  /// True division: integers are divided as `f32`.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let floating = a.dtype.isFloat || b.dtype.isFloat
    return floating ? pointwise(.divide, a, b) : pointwise(.divide, a.convert(to: .f32), b.convert(to: .f32))
  }

  public static func + (a: Tensor, b: Double) -> Tensor { a + a.lift(b) }
  public static func - (a: Tensor, b: Double) -> Tensor { a - a.lift(b) }
  public static func * (a: Tensor, b: Double) -> Tensor { a * a.lift(b) }
  public static func / (a: Tensor, b: Double) -> Tensor { a / a.lift(b) }
  public static func + (a: Double, b: Tensor) -> Tensor { b.lift(a) + b }
  public static func - (a: Double, b: Tensor) -> Tensor { b.lift(a) - b }
  public static func * (a: Double, b: Tensor) -> Tensor { b.lift(a) * b }
  public static func / (a: Double, b: Tensor) -> Tensor { b.lift(a) / b }
  public static prefix func - (a: Tensor) -> Tensor { pointwise(.negate, a) }

  public static func .== (a: Tensor, b: Tensor) -> Tensor { pointwise(.equal, a, b) }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { pointwise(.notEqual, a, b) }
  public static func .< (a: Tensor, b: Tensor) -> Tensor { pointwise(.less, a, b) }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { pointwise(.lessEqual, a, b) }
  public static func .> (a: Tensor, b: Tensor) -> Tensor { pointwise(.greater, a, b) }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { pointwise(.greaterEqual, a, b) }
  public static func .== (a: Tensor, b: Double) -> Tensor { a .== a.lift(b) }
  public static func .!= (a: Tensor, b: Double) -> Tensor { a .!= a.lift(b) }
  public static func .< (a: Tensor, b: Double) -> Tensor { a .< a.lift(b) }
  public static func .<= (a: Tensor, b: Double) -> Tensor { a .<= a.lift(b) }
  public static func .> (a: Tensor, b: Double) -> Tensor { a .> a.lift(b) }
  public static func .>= (a: Tensor, b: Double) -> Tensor { a .>= a.lift(b) }
  public static func .& (a: Tensor, b: Tensor) -> Tensor { pointwise(.and, a, b) }
  public static func .| (a: Tensor, b: Tensor) -> Tensor { pointwise(.or, a, b) }

  public func negate() -> Tensor { .pointwise(.negate, self) }
  public func abs() -> Tensor { .pointwise(.abs, self) }
  public func sign() -> Tensor { .pointwise(.sign, self) }
  public func exp() -> Tensor { .pointwise(.exp, floating) }
  public func exp2() -> Tensor { .pointwise(.exp2, floating) }
  public func expm1() -> Tensor { .pointwise(.expm1, floating) }
  public func log() -> Tensor { .pointwise(.log, floating) }
  public func log1p() -> Tensor { .pointwise(.log1p, floating) }
  public func log2() -> Tensor { .pointwise(.log2, floating) }
  public func log10() -> Tensor { .pointwise(.log10, floating) }
  public func sqrt() -> Tensor { .pointwise(.sqrt, floating) }
  public func rsqrt() -> Tensor { .pointwise(.rsqrt, floating) }
  public func sin() -> Tensor { .pointwise(.sin, floating) }
  public func cos() -> Tensor { .pointwise(.cos, floating) }
  public func tan() -> Tensor { .pointwise(.tan, floating) }
  public func asin() -> Tensor { .pointwise(.asin, floating) }
  public func acos() -> Tensor { .pointwise(.acos, floating) }
  public func atan() -> Tensor { .pointwise(.atan, floating) }
  public func sinh() -> Tensor { .pointwise(.sinh, floating) }
  public func cosh() -> Tensor { .pointwise(.cosh, floating) }
  public func tanh() -> Tensor { .pointwise(.tanh, floating) }
  public func asinh() -> Tensor { .pointwise(.asinh, floating) }
  public func acosh() -> Tensor { .pointwise(.acosh, floating) }
  public func atanh() -> Tensor { .pointwise(.atanh, floating) }
  public func sigmoid() -> Tensor { .pointwise(.sigmoid, floating) }
  public func erf() -> Tensor { .pointwise(.erf, floating) }
  public func erfc() -> Tensor { .pointwise(.erfc, floating) }
  public func lgamma() -> Tensor { .pointwise(.lgamma, floating) }
  /// The derivative of `lgamma`.
  public func digamma() -> Tensor { polygamma(0) }

  /// Derivative `n` of `digamma`, for `n` from 0 on.
  public func polygamma(_ n: Int) -> Tensor { .pointwise(.polygamma, floating.lift(Double(n)), floating) }
  public func floor() -> Tensor { dtype.isFloat ? .pointwise(.floor, self) : self }
  public func ceil() -> Tensor { dtype.isFloat ? .pointwise(.ceil, self) : self }
  public func round() -> Tensor { dtype.isFloat ? .pointwise(.round, self) : self }
  public func trunc() -> Tensor { dtype.isFloat ? .pointwise(.trunc, self) : self }
  public func isNaN() -> Tensor { .pointwise(.isNaN, floating) }
  public func isFinite() -> Tensor { .pointwise(.isFinite, floating) }
  public func bitwiseNot() -> Tensor { .pointwise(.not, self) }
  public func fmod(_ other: Tensor) -> Tensor { .pointwise(.fmod, self, other) }
  public func power(_ exponent: Tensor) -> Tensor { .pointwise(.power, self, exponent) }
  public func power(_ exponent: Double) -> Tensor { .pointwise(.power, self, lift(exponent)) }
  public func maximum(_ other: Tensor) -> Tensor { .pointwise(.maximum, self, other) }
  public func maximum(_ other: Double) -> Tensor { maximum(lift(other)) }
  public func minimum(_ other: Tensor) -> Tensor { .pointwise(.minimum, self, other) }
  public func minimum(_ other: Double) -> Tensor { minimum(lift(other)) }
  public func atan2(_ other: Tensor) -> Tensor { .pointwise(.atan2, floating, other.floating) }

  /// `a` where this tensor of `bool` is true, `b` elsewhere.
  public func select(_ a: Tensor, _ b: Tensor) -> Tensor { .pointwise(.select, self, a, b) }

  /// Integers and `bool` as `f32`, as PyTorch's floating functions take them.
  private var floating: Tensor { dtype.isFloat ? self : convert(to: .f32) }
}
