internal import LatheCore
internal import LatheNN

/// Scalar functions.
extension Operator {
  static let elementwise: [String: Operator] = [
    "Abs": .unary { $0.abs() },
    "Neg": .unary { -$0 },
    "Sign": .unary { x in
      // PyTorch's sign of NaN is 0.
      x.dtype.isFloat ? x.isNaN().select(x, x.sign()) : x.sign()
    },
    "Exp": .unary { $0.exp() },
    "Log": .unary { $0.log() },
    "Sqrt": .unary { $0.sqrt() },
    "Reciprocal": .unary { $0.constant(1) / $0 },
    "Sin": .unary { $0.sin() },
    "Cos": .unary { $0.cos() },
    "Tan": .unary { $0.tan() },
    "Asin": .unary { $0.asin() },
    "Acos": .unary { $0.acos() },
    "Atan": .unary { $0.atan() },
    "Sinh": .unary { $0.sinh() },
    "Cosh": .unary { $0.cosh() },
    "Tanh": .unary { $0.tanh() },
    "Asinh": .unary { $0.asinh() },
    "Acosh": .unary { $0.acosh() },
    "Atanh": .unary { $0.atanh() },
    "Erf": .unary { $0.erf().convert(to: $0.dtype) },
    "Floor": .unary { $0.floor() },
    "Ceil": .unary { $0.ceil() },
    "Round": .unary { $0.round() },
    "IsNaN": .unary { $0.isNaN() },
    "IsInf": .one(isInf),
    "Not": .unary { $0.logicalNot() },
    "BitwiseNot": .unary { $0.bitwiseNot() },
    "Identity": Operator { call throws(TypeFault) in
      guard let operand = call.operands.first ?? nil else { throw TypeFault("operand 0 is missing") }
      return [operand]
    },
    "Add": .binary(+),
    "Sub": .binary(-),
    "Mul": .binary(*),
    "Div": .binary { .pointwise(.divide, $0, $1) },
    "Pow": .one(power),
    "Mod": .one(modulo),
    "And": .binary { $0.logicalAnd($1) },
    "Or": .binary { $0.logicalOr($1) },
    "Xor": .binary { $0.logicalXor($1) },
    "BitwiseAnd": .binary { $0.bitwiseAnd($1) },
    "BitwiseOr": .binary { $0.bitwiseOr($1) },
    "BitwiseXor": .binary { $0.bitwiseXor($1) },
    "BitShift": .one(bitShift),
    "Equal": .binary(.==),
    "Less": .binary(.<),
    "LessOrEqual": .binary(.<=),
    "Greater": .binary(.>),
    "GreaterOrEqual": .binary(.>=),
    "Max": .variadic { $0.maximum($1) },
    "Min": .variadic { $0.minimum($1) },
    "Sum": .variadic(+),
    "Mean": .one { call throws(TypeFault) in
      let operands = try call.matching()
      return operands.dropFirst().reduce(operands[0], +) / Double(operands.count)
    },
    "Where": .one(choose),
    "Clip": .one(clip),
    "Cast": .one { call throws(TypeFault) in
      guard let type = try call.elementType("to") else { throw TypeFault("attribute 'to' is missing") }
      return try cast(call, try call.tensor(0), to: type)
    },
    "CastLike": .one { call throws(TypeFault) in try cast(call, try call.tensor(0), to: try call.tensor(1).dtype) },
    "BitCast": .one { call throws(TypeFault) in
      guard let type = try call.elementType("to") else { throw TypeFault("attribute 'to' is missing") }
      let x = try call.tensor(0)
      let bits = x.dtype == .bool ? x.convert(to: .u8) : x  // truth values are the bytes 0 and 1
      return type == .bool ? bits.bitcast(to: .u8) .!= 0 : bits.bitcast(to: type)
    },
  ]

  /// Numbers in another type; to formats of eight bits as the attributes say: saturating, where not told otherwise, and
  /// scales (`f8e8m0`) rounded up.
  static func cast(_ call: Call, _ x: Tensor, to type: ScalarType) throws(TypeFault) -> Tensor {
    guard let format = type.narrow, x.dtype != type else { return x.convert(to: type) }
    // Out of range is not the nearest end here, but what is left in the lowest bits.
    guard format.isFloat else { return (x.dtype.isFloat ? x.convert(to: .i64) : x).convert(to: type) }
    let saturates = try call.flag("saturate", default: true)
    let number = x.convert(to: .f32)
    guard format.isSigned else {
      return try scaleExponent(number, saturates, try call.string("round_mode", default: "up")).bitcast(to: type)
    }
    let largest = Double(format.largest)
    return (saturates ? number.maximum(-largest).minimum(largest) : number).convert(to: type)
  }

  /// The exponents of numbers as ONNX rounds them to powers of two, `u8`; signs are lost.
  private static func scaleExponent(_ x: Tensor, _ saturates: Bool, _ mode: String) throws(TypeFault) -> Tensor {
    let bits = x.bitcast(to: .u32)
    let exponent = (bits >> 23) .& 255
    func isSet(_ mask: Int) -> Tensor { (bits .& mask) .!= 0 }
    var up: Tensor
    switch mode {
    case "up": up = isSet(0x7f_ffff)
    case "nearest": up = isSet(0x40_0000) .& (isSet(0x3f_ffff) .| (exponent .> 0))
    case "down": return exponent.convert(to: .u8)
    default: throw TypeFault("the round_mode '\(mode)' is not one of up, down, nearest")
    }
    up = up .& (exponent .< (saturates ? 254 : 255))
    return (exponent + up.convert(to: .u32)).convert(to: .u8)
  }

  /// Operators of the first operator sets that never were more than an experiment, but are in files.
  static let experimental: [String: Operator] = [
    "Affine": .one { call throws(TypeFault) in
      try call.tensor(0) * (try call.float("alpha", default: 1)) + (try call.float("beta", default: 0))
    },
    "Crop": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      guard x.rank == 4 else { throw TypeFault("the operand \(x.type) has not 4 axes") }
      let border = try call.integers("border", default: 0, count: 4)  // left, top, right, bottom
      var sizes = [
        try x.size(2, "the height") - border[1] - border[3], try x.size(3, "the width") - border[0] - border[2],
      ]
      if let listed = try call.optionalIntegers("scale"), listed.count == 2 { sizes = listed }
      return x.slice(axis: 2, from: border[1], to: border[1] + sizes[0])
        .slice(axis: 3, from: border[0], to: border[0] + sizes[1])
    },
    "ImageScaler": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let bias = try call.floats("bias") ?? []
      guard x.rank == 4, x.shape[1] == Dim(bias.count) else {
        throw TypeFault("\(bias.count) biases for the channels of \(x.type)")
      }
      return x * (try call.float("scale", default: 1))
        + x.builder.tensor(bias, shape: [bias.count, 1, 1], dtype: x.dtype)
    },
    "ParametricSoftplus": .one { call throws(TypeFault) in
      softplus(try call.tensor(0) * (try call.float("beta", default: 1))) * (try call.float("alpha", default: 1))
    },
    "ScaledTanh": .one { call throws(TypeFault) in
      (try call.tensor(0) * (try call.float("beta", default: 1))).tanh() * (try call.float("alpha", default: 1))
    },
    "Scale": .unary("scale", 1) { $0 * $1 },
  ]

  private static func isInf(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    let none = x .!= x.filled(.float(.nan)) .& x.isFinite() .& x.isNaN()
    let above = try call.flag("detect_positive", default: true) ? x .== .infinity : none
    let below = try call.flag("detect_negative", default: true) ? x .== -.infinity : none
    return above .| below
  }

  /// The result has the base's type, whatever the exponent's is; neither loses anything before.
  private static func power(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, exponent) = (try call.tensor(0), try call.tensor(1))
    let types = [x.dtype, exponent.dtype]
    let meeting: ScalarType
    if types[0] == types[1] || isExact(exponent, in: x.dtype) {
      meeting = x.dtype
    } else if types.allSatisfy(\.isInteger) {
      meeting = .i64
    } else {
      let isNarrow = types.allSatisfy { $0.isFloat && $0 != .f64 || $0.byteCount < 4 }
      meeting = isNarrow ? .f32 : .f64
    }
    return x.convert(to: meeting).pow(exponent.convert(to: meeting)).convert(to: x.dtype)
  }

  /// Whether the values are known and small whole numbers, which every type of floats has.
  private static func isExact(_ tensor: Tensor, in dtype: ScalarType) -> Bool {
    guard dtype.isFloat, let values = tensor.literal?.values, values.count <= 64 else { return false }
    return values.allSatisfy { Swift.abs($0.double) <= 256 && $0.double.rounded() == $0.double }
  }

  /// The remainder with the sign of the divisor, or with `fmod` that of the dividend.
  private static func modulo(_ call: Call) throws(TypeFault) -> Tensor {
    let operands = try call.matching(2)
    return try call.flag("fmod") ? operands[0].fmod(operands[1]) : operands[0].remainder(operands[1])
  }

  private static func bitShift(_ call: Call) throws(TypeFault) -> Tensor {
    let operands = try call.matching(2)
    switch try call.string("direction") {
    case "LEFT": return operands[0].bitwiseLeftShift(operands[1])
    case "RIGHT": return operands[0].bitwiseRightShift(operands[1])
    case let other: throw TypeFault("the direction '\(other)' is neither LEFT nor RIGHT")
    }
  }

  private static func choose(_ call: Call) throws(TypeFault) -> Tensor {
    let (condition, a, b) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    guard condition.dtype == .bool else { throw TypeFault("the condition is \(condition.dtype), not bool") }
    guard a.dtype == b.dtype else {
      throw TypeFault("operands have different element types, \(a.dtype) and \(b.dtype)")
    }
    let operands = Tensor.stretchedAlike([condition, a, b])
    return operands[0].select(operands[1], operands[2])
  }

  /// Bounds are attributes before opset 11, operands since.
  private static func clip(_ call: Call) throws(TypeFault) -> Tensor {
    var x = try call.tensor(0)
    var bounds: [Tensor?]
    if call.opset < 11 {
      // In opset 6 they are finite by default.
      let largest = call.opset < 6 ? nil : Double(Float.greatestFiniteMagnitude)
      let ends = [try call.optionalFloat("min") ?? largest.map { -$0 }, try call.optionalFloat("max") ?? largest]
      bounds = ends.map { $0.map { x.constant($0) } }
    } else {
      bounds = [try call.optional(1), try call.optional(2)]
      for case let bound? in bounds where bound.dtype != x.dtype {
        throw TypeFault("the bound is \(bound.type), the operand \(x.type)")
      }
      // Some exporters write a bound as one element on an axis.
      bounds = bounds.map { bound in bound.map { $0.type.elementCount == 1 ? $0.reshape([Int]()) : $0 } }
    }
    if let low = bounds[0] { x = x.maximum(low) }
    if let high = bounds[1] { x = x.minimum(high) }
    return x
  }
}
