internal import LatheCore

extension GraphExport {
  /// A scalar function of operands that broadcast.
  func write(_ function: Pointwise, _ x: [ONNXValue], _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let dtype = x[x.count - 1].dtype
    func node(_ operation: String) throws(TypeFault) -> ONNXValue { try compute(operation, x, in: dtype, type) }
    func expansion(_ body: ([Tensor]) throws(TypeFault) -> Tensor) throws(TypeFault) -> ONNXValue {
      try inline(x, body)
    }
    // What ONNX Runtime computes in f32 only is made of what it computes in f64, too.
    if dtype == .f64, [.tan, .sinh, .cosh, .asinh, .acosh, .atanh].contains(function) {
      return try expansion { x throws(TypeFault) in try function.inOperatorsOfONNX(x) }
    }
    switch function {
    case .negate:
      if dtype.isSigned { return try node("Neg") }
      return try compute("Sub", [model.scalar(.integer(0), dtype), x[0]], in: dtype, type)
    case .abs: return try node("Abs")
    case .sign:
      // Without the operator, which leaves open what the sign of NaN is.
      return try expansion { x in (x[0] .> 0).convert(to: dtype) - (x[0] .< 0).convert(to: dtype) }
    case .exp: return try node("Exp")
    case .log: return try node("Log")
    case .sqrt: return try node("Sqrt")
    case .sin: return try node("Sin")
    case .cos: return try node("Cos")
    case .tan: return try node("Tan")
    case .asin: return try node("Asin")
    case .acos: return try node("Acos")
    case .atan: return try node("Atan")
    case .sinh: return try node("Sinh")
    case .cosh: return try node("Cosh")
    case .tanh: return try node("Tanh")
    case .asinh: return try node("Asinh")
    case .acosh: return try node("Acosh")
    case .atanh: return try node("Atanh")
    case .sigmoid: return try node("Sigmoid")
    case .erf: return try node("Erf")
    case .floor: return try node("Floor")
    case .ceil: return try node("Ceil")
    case .round: return try node("Round")
    case .isNaN: return try node("IsNaN")
    case .rsqrt:
      return try compute("Reciprocal", [try compute("Sqrt", x, in: dtype, type)], in: dtype, type)
    case .exp2, .expm1, .log1p, .log2, .log10, .erfc, .lgamma, .trunc, .isFinite, .atan2:
      return try expansion { x throws(TypeFault) in try function.inOperatorsOfONNX(x) }
    case .polygamma:
      guard let order = model.literal(named: x[0].name), order.count == 1, let n = order.first?.double,
        (0...16).contains(n), n == n.rounded()
      else { throw TypeFault("ONNX can express a polygamma function only of one order, a literal from 0 to 16") }
      return try inline([x[1]]) { Pointwise.polygammaSum(order: n, $0[0]) }
    case .not: return dtype == .bool ? emit("Not", x, type) : try node("BitwiseNot")
    case .add: return try node("Add")
    case .subtract: return try node("Sub")
    case .multiply: return try node("Mul")
    case .divide, .fmod:
      let operation = function == .divide ? "Div" : "Mod"
      let attributes = function == .divide ? [] : [.int("fmod", 1)] as [Onnx_AttributeProto]
      func quotient(_ x: [ONNXValue]) throws(TypeFault) -> ONNXValue {
        try compute(operation, x, in: dtype, type, attributes)
      }
      if dtype.isFloat || isSafeDivisor(x[1]) { return try quotient(x) }
      return try guarded(x, type, isRemainder: function == .fmod, quotient)
    case .power:
      if dtype.isFloat { return try node("Pow") }
      return try expansion { x throws(TypeFault) in try function.inOperatorsOfONNX(x) }
    case .maximum: return dtype == .bool ? emit("Or", x, type) : try node("Max")
    case .minimum: return dtype == .bool ? emit("And", x, type) : try node("Min")
    case .equal: return try node("Equal")
    case .notEqual:
      return dtype == .bool ? emit("Xor", x, type) : emit("Not", [try node("Equal")], type)
    case .less, .lessEqual, .greater, .greaterEqual:
      if dtype == .bool {
        let inverted = function == .less || function == .lessEqual ? 0 : 1
        var operands = x
        operands[inverted] = emit("Not", [x[inverted]], x[inverted].type)
        return emit(function == .less || function == .greater ? "And" : "Or", operands, type)
      }
      switch function {
      case .less: return try node("Less")
      case .lessEqual: return try node("LessOrEqual")
      case .greater: return try node("Greater")
      default: return try node("GreaterOrEqual")
      }
    case .and: return dtype == .bool ? emit("And", x, type) : try node("BitwiseAnd")
    case .or: return dtype == .bool ? emit("Or", x, type) : try node("BitwiseOr")
    case .xor: return dtype == .bool ? emit("Xor", x, type) : try node("BitwiseXor")
    case .shiftLeft, .shiftRight: return try write(shift: function, x, type)
    case .select:
      // A predicate of type bool is no operand of the type in question.
      guard dtype == .bool else { return try node("Where") }
      let chosen = emit("And", [x[0], x[1]], type)
      return emit("Or", [chosen, emit("And", [emit("Not", [x[0]], x[0].type), x[2]], type)], type)
    }
  }

  /// Whether integers can be divided by a literal: it has no zeros, and no -1 either, which the least number has no
  /// quotient with.
  private func isSafeDivisor(_ divisor: ONNXValue) -> Bool {
    guard let literal = model.literal(named: divisor.name) else { return false }
    return literal.values.allSatisfy { $0 != .integer(0) && ($0 != .integer(-1) || !literal.dtype.isSigned) }
  }

  /// Division of integers, which by zero gives 0, and by -1 wraps; ONNX leaves both open.
  private func guarded(
    _ x: [ONNXValue], _ type: TensorType, isRemainder: Bool, _ quotient: ([ONNXValue]) throws(TypeFault) -> ONNXValue
  ) throws(TypeFault) -> ONNXValue {
    func divisor(_ y: Tensor) -> Tensor {
      let isZero = y .== 0
      return (y.dtype.isSigned ? isZero .| (y .== -1) : isZero).select(y.onesLike(), y)
    }
    let safe = try inline([x[1]]) { divisor($0[0]) }
    let raw = try quotient([x[0], safe])
    return try inline([x[0], x[1], raw]) { operands in
      let (a, b, raw) = (operands[0], operands[1], operands[2])
      var result = raw
      if b.dtype.isSigned { result = (b .== -1).select(isRemainder ? raw.zerosLike() : -a, result) }
      return (b .== 0).select(raw.zerosLike(), result)
    }
  }

  /// ONNX shifts unsigned numbers only, and leaves open what a shift by all bits or more gives.
  private func write(shift function: Pointwise, _ x: [ONNXValue], _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let dtype = type.dtype
    guard !dtype.isSigned else {
      return try inline(x) { operands in
        let word = dtype.unsigned
        let (a, count) = (operands[0], operands[1])
        let (bits, places) = (a.convert(to: word), count.convert(to: word))
        func shifted(_ bits: Tensor) -> Tensor { .pointwise(function, bits, places) }
        if function == .shiftLeft { return shifted(bits).convert(to: dtype) }
        return (a .< 0).select(shifted(bits.bitwiseNot()).bitwiseNot(), shifted(bits)).convert(to: dtype)
      }
    }
    let direction = [Onnx_AttributeProto.string("direction", function == .shiftLeft ? "LEFT" : "RIGHT")]
    if dtype == .u16 {
      let wide = try write(
        shift: function, x.map { cast($0, to: .u32) }, type.with(dtype: .u32))
      return cast(wide, to: dtype)
    }
    let width = dtype.byteCount * 8
    if let literal = model.literal(named: x[1].name),
      literal.integers.allSatisfy({ (0..<width).contains($0) })
    {
      return emit("BitShift", x, type, direction)
    }
    let isInside = try compute(
      "Less", [x[1], model.scalar(.integer(width), dtype)], in: dtype, x[1].type.with(dtype: .bool))
    let zero = model.scalar(.integer(0), dtype)
    let count = try compute("Where", [isInside, x[1], zero], in: dtype, x[1].type)
    return try compute("Where", [isInside, emit("BitShift", [x[0], count], type, direction), zero], in: dtype, type)
  }
}

extension ScalarType {
  /// The unsigned integer of the same size.
  fileprivate var unsigned: ScalarType {
    switch byteCount {
    case 1: .u8
    case 2: .u16
    case 4: .u32
    default: .u64
    }
  }
}
