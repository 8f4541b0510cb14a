internal import LatheCore
internal import LatheNN

/// Activation functions.
extension Operator {
  static let activations: [String: Operator] = [
    "Relu": .unary { relu($0) },
    "Sigmoid": .unary { $0.sigmoid() },
    "LeakyRelu": .unary("alpha", 0.01) { leakyRelu($0, negativeSlope: $1) },
    "Elu": .unary("alpha", 1) { elu($0, alpha: $1) },
    "Celu": .unary("alpha", 1) { celu($0, alpha: $1) },
    "Selu": .one { call throws(TypeFault) in
      let alpha = try call.float("alpha", default: 1.67326319217681884765625)
      let gamma = try call.float("gamma", default: 1.05070102214813232421875)
      return elu(try call.tensor(0), alpha: alpha) * gamma
    },
    "PRelu": .one { call throws(TypeFault) in
      let operands = try call.matching(2)
      let (x, slope) = (operands[0], operands[1])
      return (x .< x.zerosLike()).select(x * slope, x)
    },
    "ThresholdedRelu": .unary("alpha", 1) { x, alpha in (x .> x.constant(alpha)).select(x, x.zerosLike()) },
    "HardSigmoid": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let y = x * (try call.float("alpha", default: 0.2)) + (try call.float("beta", default: 0.5))
      return y.maximum(0).minimum(1)
    },
    "HardSwish": .unary { hardswish($0) },
    "Softplus": .unary { softplus($0) },
    "Softsign": .unary { softsign($0) },
    "Mish": .unary { mish($0) },
    "Swish": .unary("alpha", 1) { x, alpha in x * (x * alpha).sigmoid() },
    "SwiGLU": .one { call throws(TypeFault) in
      let operands = try call.matching(2)
      let alpha = try call.float("alpha", default: 1)
      return operands[0] * (operands[0] * alpha).sigmoid() * operands[1]
    },
    "Gelu": .one { call throws(TypeFault) in
      switch try call.string("approximate", default: "none") {
      case "none": return gelu(try call.tensor(0))
      case "tanh": return gelu(try call.tensor(0), approximate: .tanh)
      case let other: throw TypeFault("the approximation '\(other)' is neither none nor tanh")
      }
    },
    "Shrink": .one(shrink),
    "Softmax": .one { call throws(TypeFault) in try alongAxis(call) { stepwiseSoftmax($0, axis: $1) } },
    "LogSoftmax": .one { call throws(TypeFault) in try alongAxis(call) { logSoftmax($0, dim: $1) } },
    "Hardmax": .one { call throws(TypeFault) in
      try alongAxis(call) { x, axis in
        if x.shape[axis] == 0 { return x }
        let place = x.argReduce(.max, axis: axis).inserting(axes: [axis])
        return (x.builder.iota(TensorType(.i64, x.shape), axis: axis) .== place).convert(to: x.dtype)
      }
    },
  ]

  /// Softmax whose steps are all in the operand's own type, as the operator's function body has them; only in 16-bit
  /// floats is that another number.
  static func stepwiseSoftmax(_ x: Tensor, axis: Int) -> Tensor {
    guard x.dtype.isFloat, x.dtype != x.dtype.computeType else { return softmax(x, dim: axis) }
    let largest = x.reduce(.max, axes: [axis]).broadcast(like: x, without: [axis])
    let powers = (x - largest).exp()
    return powers / powers.reduce(.sum, axes: [axis]).broadcast(like: x, without: [axis])
  }

  /// What lies beyond a bound, moved towards zero.
  ///
  /// Integers are compared and moved as numbers, not as what a bound would
  /// be in their type.
  private static func shrink(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    let (bias, bound) = (try call.float("bias", default: 0), try call.float("lambd", default: 0.5))
    let number = x.dtype.isFloat ? x : x.convert(to: .f64)
    // Whole steps stay exact where numbers of 64 bits are not.
    let isWhole = x.dtype.isInteger && bias.rounded() == bias && Swift.abs(bias) < 0x1p53
    func moved(by step: Double) -> Tensor {
      isWhole ? x + x.builder.scalar(.integer(Int(step)), x.dtype) : (number + step).convert(to: x.dtype)
    }
    return (number .< number.constant(-bound)).select(
      moved(by: bias), (number .> number.constant(bound)).select(moved(by: -bias), x.zerosLike()))
  }

  /// Before opset 13 the axes from `axis` on count as one, since then `axis` is meant alone.
  private static func alongAxis(
    _ call: Call, _ function: (Tensor, Int) -> Tensor
  ) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    if call.opset >= 13 { return function(x, try call.axis(default: -1, rank: x.rank)) }
    let axis = try call.integer("axis", default: 1)
    if axis == x.rank || x.rank == 0 {
      return function(x.inserting(axes: [x.rank]), x.rank).reshape(x.shape)
    }
    let first = try Call.axis(axis, rank: x.rank)
    if first == x.rank - 1 { return function(x, first) }
    let flat = Array(x.shape[..<first]) + [Array(x.shape[first...]).elementCount]
    return function(x.reshape(flat), first).reshape(x.shape)
  }
}
