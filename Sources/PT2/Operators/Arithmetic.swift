internal import LatheCore
internal import LatheNN

/// Arithmetic, logic and comparisons, element by element.
extension Operator {
  static let arithmetic: [String: Operator] = [
    "add": .one { call throws(TypeFault) in
      let (x, other) = try call.operands()
      guard let alpha = try call.number("alpha") else { return x.add(other) }
      return x.add(other, alpha: alpha)
    },
    "sub": .one { call throws(TypeFault) in
      let (x, other) = try call.operands()
      guard let alpha = try call.number("alpha") else { return x.sub(other) }
      return x.sub(other, alpha: alpha)
    },
    "rsub": .one { call throws(TypeFault) in
      let (x, other) = try call.operands()
      let scaled = try call.number("alpha").map { x.mul($0) } ?? x
      return other.tensor(beside: x).sub(scaled)
    },
    "mul": .binary { $0.mul($1) },
    "div": .one(div),
    "floor_divide": .binary { $0.floorDivide($1) },
    "fmod": .binary { $0.fmod($1) },
    "remainder": .binary { $0.remainder($1) },
    "pow.Tensor_Scalar": .one { call throws(TypeFault) in try call.tensor().pow(call.operand("exponent")) },
    "pow.Tensor_Tensor": .one { call throws(TypeFault) in try call.tensor().pow(call.operand("exponent")) },
    "pow.Scalar": .one { call throws(TypeFault) in
      let exponent = try call.tensor("exponent")
      return try call.operand("self").tensor(beside: exponent).pow(exponent)
    },
    "maximum": .tensors { $0.maximum($1) }, "minimum": .tensors { $0.minimum($1) },
    "max.other": .tensors { $0.maximum($1) }, "min.other": .tensors { $0.minimum($1) },
    "clamp": .one(clamp),
    "clamp_min": .one(clamp),
    "clamp_max": .one(clamp),
    "addcmul": .one { call throws(TypeFault) in
      let (a, b) = (try call.tensor("tensor1"), try call.tensor("tensor2"))
      // A whole number, where the tensors are integers.
      guard let value = try call.number("value") else { throw TypeFault("the value is no number") }
      return try call.tensor().addcmul(a, b, value: value)
    },
    "addcdiv": .one { call throws(TypeFault) in
      let (a, b) = (try call.tensor("tensor1"), try call.tensor("tensor2"))
      return try call.tensor().addcdiv(a, b, value: call.float("value"))
    },
    "lerp": .one { call throws(TypeFault) in try call.tensor().lerp(call.tensor("end"), weight: call.operand("weight"))
    },
    "gcd": .tensors { $0.gcd($1) }, "lcm": .tensors { $0.lcm($1) },
    "frexp": .several { call throws(TypeFault) in
      let (mantissa, exponent) = try call.tensor().frexp()
      return [mantissa, exponent]
    },
    "atan2": .tensors { $0.atan2($1) },
    "neg": .unary { -$0 }, "abs": .unary { $0.abs() }, "sign": .unary { $0.sign() },
    "exp": .unary { $0.exp() }, "exp2": .unary { $0.exp2() }, "expm1": .unary { $0.expm1() },
    "log": .unary { $0.log() }, "log1p": .unary { $0.log1p() }, "log2": .unary { $0.log2() },
    "log10": .unary { $0.log10() }, "sqrt": .unary { $0.sqrt() }, "rsqrt": .unary { $0.rsqrt() },
    "sin": .unary { $0.sin() }, "cos": .unary { $0.cos() }, "tan": .unary { $0.tan() },
    "asin": .unary { $0.asin() }, "acos": .unary { $0.acos() }, "atan": .unary { $0.atan() },
    "sinh": .unary { $0.sinh() }, "cosh": .unary { $0.cosh() }, "asinh": .unary { $0.asinh() },
    "acosh": .unary { $0.acosh() }, "atanh": .unary { $0.atanh() }, "erf": .unary { $0.erf() },
    "erfc": .unary { $0.erfc() }, "floor": .unary { $0.floor() }, "ceil": .unary { $0.ceil() },
    "trunc": .unary { $0.trunc() }, "frac": .unary { $0.frac() },
    "round": .one { call throws(TypeFault) in try call.tensor().round(decimals: call.optionalInteger("decimals") ?? 0)
    },
    "reciprocal": .unary { $0.reciprocal() }, "square": .unary { $0.square() },
    "isnan": .unary { $0.isNaN() }, "isinf": .unary { $0.isInf() }, "isfinite": .unary { $0.isFinite() },
    "signbit": .unary { $0.signbit() }, "sinc": .unary { $0.sinc() }, "deg2rad": .unary { $0.deg2rad() },
    "rad2deg": .unary { $0.rad2deg() }, "lgamma": .unary { $0.lgamma() }, "digamma": .unary { $0.digamma() },
    "erfinv": .unary { $0.erfinv() },
    "logit": .one { call throws(TypeFault) in try call.tensor().logit(eps: call.optionalFloat("eps")) },
    "nan_to_num": .one { call throws(TypeFault) in
      try call.tensor().nanToNum(
        nan: call.optionalFloat("nan") ?? 0, posinf: call.optionalFloat("posinf"), neginf: call.optionalFloat("neginf"))
    },
    "fmax": .tensors { $0.fmax($1) }, "fmin": .tensors { $0.fmin($1) }, "hypot": .tensors { $0.hypot($1) },
    "logaddexp": .tensors { $0.logaddexp($1) }, "logaddexp2": .tensors { $0.logaddexp2($1) },
    "copysign": .numbers { $0.copysign($1) }, "ldexp": .tensors { $0.ldexp($1) },
    "isposinf": .unary { $0.isPosInf() }, "isneginf": .unary { $0.isNegInf() }, "sgn": .unary { $0.sign() },
    "heaviside": .one { call throws(TypeFault) in try call.tensor().heaviside(call.tensor("values")) },
    "float_power": .numbers(of: "exponent") { $0.to(.f64).pow($1.to(.f64)) },
    "isclose": .one { call throws(TypeFault) in
      try call.tensor().isClose(
        call.tensor("other"), rtol: call.float("rtol"), atol: call.float("atol"), equalNaN: call.flag("equal_nan"))
    },
    "isin": .one { call throws(TypeFault) in
      // Which way it is found does not matter.
      call.ignore("assume_unique")
      let elements = try call.tensor(call.schema?["test_elements"] == nil ? "test_element" : "test_elements")
      let x = try call.tensor(call.schema?["element"] == nil ? "elements" : "element")
      return x.isIn(elements, invert: try call.flag("invert"))
    },
    "bitwise_left_shift": leftShift, "__lshift__": leftShift, "bitwise_right_shift": rightShift,
    "__rshift__": rightShift,
    "bitwise_not": .unary { $0.bitwiseNot() },
    "logical_not": .unary { $0.logicalNot() },
    "logical_and": .tensors { $0.logicalAnd($1) }, "logical_or": .tensors { $0.logicalOr($1) },
    "logical_xor": .tensors { $0.logicalXor($1) },
    "__and__": bitwiseAnd, "bitwise_and": bitwiseAnd, "__or__": bitwiseOr, "bitwise_or": bitwiseOr,
    "__xor__": bitwiseXor, "bitwise_xor": bitwiseXor,
  ]

  private static let leftShift = Operator.numbers { $0.bitwiseLeftShift($1) }
  private static let rightShift = Operator.numbers { $0.bitwiseRightShift($1) }
  private static let bitwiseAnd = Operator.numbers { $0.bitwiseAnd($1) }
  private static let bitwiseOr = Operator.numbers { $0.bitwiseOr($1) }
  private static let bitwiseXor = Operator.numbers { $0.bitwiseXor($1) }

  private static func div(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, other) = try call.operands()
    guard call.has("rounding_mode") else { return x.div(other) }
    let name = try call.string("rounding_mode")
    guard let mode = RoundingMode(rawValue: name) else { throw TypeFault("the rounding '\(name)' is not known") }
    return x.div(other, roundingMode: mode)
  }

  private static func clamp(_ call: Call) throws(TypeFault) -> Tensor {
    var x = try call.tensor()
    if call.has("min") { x = x.clamp(min: try call.operand("min").tensor(beside: x), max: Tensor?.none) }
    if call.has("max") { x = x.clamp(min: Tensor?.none, max: try call.operand("max").tensor(beside: x)) }
    return x
  }

  static let comparisons: [String: Operator] = [
    "eq": .binary { $0.eq($1) }, "ne": .binary { $0.ne($1) }, "lt": .binary { $0.lt($1) },
    "le": .binary { $0.le($1) }, "gt": .binary { $0.gt($1) }, "ge": .binary { $0.ge($1) },
    "where": .one { call throws(TypeFault) in
      let condition = try call.tensor("condition")
      return `where`(condition, try call.operand("self"), try call.operand("other"))
    },
    "masked_fill": .one { call throws(TypeFault) in
      let (x, mask) = (try call.tensor(), try call.tensor("mask"))
      if let number = try call.number("value") { return x.maskedFill(mask, number) }
      return x.maskedFill(mask, try call.tensor("value"))
    },
  ]
}
