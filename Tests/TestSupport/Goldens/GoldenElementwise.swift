import LatheCore
import LatheNN

extension GoldenCall {
  func unary(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "abs": return [x.abs()]
    case "acos": return [x.acos()]
    case "acosh": return [x.acosh()]
    case "asin": return [x.asin()]
    case "asinh": return [x.asinh()]
    case "atan": return [x.atan()]
    case "atanh": return [x.atanh()]
    case "ceil": return [x.ceil()]
    case "cos": return [x.cos()]
    case "cosh": return [x.cosh()]
    case "deg2rad": return [x.deg2rad()]
    case "erf": return [x.erf()]
    case "erfc": return [x.erfc()]
    case "exp": return [x.exp()]
    case "exp2": return [x.exp2()]
    case "expm1": return [x.expm1()]
    case "floor": return [x.floor()]
    case "frac": return [x.frac()]
    case "digamma": return [x.digamma()]
    case "polygamma": return [x.polygamma(int(0) ?? 0)]
    case "lgamma", "special.gammaln": return [x.lgamma()]
    case "log": return [x.log()]
    case "log10": return [x.log10()]
    case "log1p": return [x.log1p()]
    case "log2": return [x.log2()]
    case "logit": return [x.logit(eps: double(1, "eps"))]
    case "neg": return [x.neg()]
    case "positive", "clone", "contiguous": return [x]
    case "rad2deg": return [x.rad2deg()]
    case "reciprocal": return [x.reciprocal()]
    case "round": return [x.round(decimals: int(1, "decimals") ?? 0)]
    case "rsqrt": return [x.rsqrt()]
    case "sigmoid", "special.expit": return [x.sigmoid()]
    case "sign": return [x.sign()]
    case "erfinv": return [x.erfinv()]
    case "sin": return [x.sin()]
    case "sinc": return [x.sinc()]
    case "sinh": return [x.sinh()]
    case "sqrt": return [x.sqrt()]
    case "square": return [x.square()]
    case "tan": return [x.tan()]
    case "tanh": return [x.tanh()]
    case "trunc": return [x.trunc()]
    case "special.entr": return [x.entr()]
    case "special.ndtr": return [x.ndtr()]
    case "nan_to_num":
      return [
        x.nanToNum(nan: double(1, "nan") ?? 0, posinf: double(2, "posinf"), neginf: double(3, "neginf"))
      ]
    case "clamp":
      if let low = int(1, "min"), let high = int(2, "max") { return [x.clamp(min: low, max: high)] }
      if optional(1, "min") ?? optional(2, "max") != nil {
        return [x.clamp(min: optional(1, "min"), max: optional(2, "max"))]
      }
      return [x.clamp(min: double(1, "min"), max: double(2, "max"))]
    case "logical_not": return [x.logicalNot()]
    case "bitwise_not": return [x.bitwiseNot()]
    case "signbit": return [x.signbit()]
    case "isnan": return [x.isNaN()]
    case "isinf": return [x.isInf()]
    case "isfinite": return [x.isFinite()]
    case "isposinf": return [x.isPosInf()]
    case "isneginf": return [x.isNegInf()]
    case "to":
      if case .dtype(let dtype) = argument(1) { return [x.to(dtype)] }
      return nil
    default: return nil
    }
  }

  func binary(_ name: String) -> [Tensor]? {
    switch name {
    case "maximum": return [tensor(0).maximum(tensor(1))]
    case "max" where optional(1) != nil: return [tensor(0).maximum(tensor(1))]
    case "minimum": return [tensor(0).minimum(tensor(1))]
    case "min" where optional(1) != nil: return [tensor(0).minimum(tensor(1))]
    case "fmax": return [tensor(0).fmax(tensor(1))]
    case "fmin": return [tensor(0).fmin(tensor(1))]
    case "pow":
      if optional(0) == nil, let base = double(0) { return [LatheNN.pow(base, tensor(1))] }
      if let exponent = int(1) { return [tensor(0) ** exponent] }
      if let exponent = double(1) { return [tensor(0) ** exponent] }
      return [tensor(0) ** tensor(1)]
    case "add" where optional(1) == nil:
      if let other = int(1) { return [tensor(0).add(other, alpha: int(99, "alpha") ?? 1)] }
      return [tensor(0).add(double(1) ?? 0, alpha: double(99, "alpha") ?? 1)]
    case "div" where optional(1) == nil:
      let mode = text(99, "rounding_mode").flatMap { RoundingMode(rawValue: $0) }
      return [tensor(0).div(double(1) ?? 1, roundingMode: mode)]
    case "floor_divide" where optional(1) == nil: return [tensor(0).floorDivide(double(1) ?? 1)]
    case "fmod" where optional(1) == nil: return [tensor(0).fmod(double(1) ?? 1)]
    case "add": return [tensor(0).add(tensor(1), alpha: double(99, "alpha") ?? 1)]
    case "sub": return [tensor(0).sub(tensor(1), alpha: double(99, "alpha") ?? 1)]
    case "rsub": return [tensor(1).sub(tensor(0), alpha: double(99, "alpha") ?? 1)]
    case "mul": return [tensor(0).mul(tensor(1))]
    case "div":
      return [
        tensor(0).div(tensor(1), roundingMode: text(99, "rounding_mode").flatMap { RoundingMode(rawValue: $0) })
      ]
    case "floor_divide": return [tensor(0).floorDivide(tensor(1))]
    case "fmod": return [tensor(0).fmod(tensor(1))]
    case "remainder":
      if let divisor = double(1) { return [tensor(0) % divisor] }
      return [tensor(0) % tensor(1)]
    case "atan2": return [tensor(0).atan2(tensor(1))]
    case "hypot": return [tensor(0).hypot(tensor(1))]
    case "logaddexp": return [tensor(0).logaddexp(tensor(1))]
    case "logaddexp2": return [tensor(0).logaddexp2(tensor(1))]
    case "copysign": return [tensor(0).copysign(tensor(1))]
    case "xlogy": return [tensor(0).xlogy(tensor(1))]
    case "special.xlog1py": return [tensor(0).xlog1py(tensor(1))]
    case "addcmul": return [tensor(0).addcmul(tensor(1), tensor(2), value: double(99, "value") ?? 1)]
    case "addcdiv": return [tensor(0).addcdiv(tensor(1), tensor(2), value: double(99, "value") ?? 1)]
    case "lerp":
      if let weight = optional(2) { return [tensor(0).lerp(tensor(1), weight: weight)] }
      return [tensor(0).lerp(tensor(1), weight: double(2) ?? 0)]
    case "heaviside": return [tensor(0).heaviside(tensor(1))]
    case "ldexp": return [tensor(0).ldexp(tensor(1))]
    case "where":
      if let number = double(2) { return [`where`(tensor(0), tensor(1), number)] }
      return [`where`(tensor(0), tensor(1), tensor(2))]
    case "bitwise_and": return [tensor(0).bitwiseAnd(tensor(1))]
    case "bitwise_or": return [tensor(0).bitwiseOr(tensor(1))]
    case "bitwise_xor": return [tensor(0).bitwiseXor(tensor(1))]
    case "bitwise_left_shift": return [tensor(0).bitwiseLeftShift(tensor(1))]
    case "bitwise_right_shift": return [tensor(0).bitwiseRightShift(tensor(1))]
    case "logical_and": return [tensor(0).logicalAnd(tensor(1))]
    case "logical_or": return [tensor(0).logicalOr(tensor(1))]
    case "logical_xor": return [tensor(0).logicalXor(tensor(1))]
    case "eq": return [tensor(0).eq(tensor(1))]
    case "ne": return [tensor(0).ne(tensor(1))]
    case "lt": return [tensor(0).lt(tensor(1))]
    case "le": return [tensor(0).le(tensor(1))]
    case "gt": return [tensor(0).gt(tensor(1))]
    case "ge": return [tensor(0).ge(tensor(1))]
    case "isclose":
      return [
        tensor(0).isClose(
          tensor(1), rtol: double(99, "rtol") ?? 1e-5, atol: double(99, "atol") ?? 1e-8,
          equalNaN: flag(99, "equal_nan"))
      ]
    default: return nil
    }
  }

  func activation(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "relu": return [relu(x)]
    case "relu6": return [relu6(x)]
    case "leaky_relu": return [leakyRelu(x, negativeSlope: double(1, "negative_slope") ?? 0.01)]
    case "prelu": return [prelu(x, tensor(1))]
    case "elu": return [elu(x, alpha: double(1, "alpha") ?? 1)]
    case "selu": return [selu(x)]
    case "celu": return [celu(x, alpha: double(1, "alpha") ?? 1)]
    case "gelu": return [gelu(x, approximate: text(1, "approximate") == "tanh" ? .tanh : .none)]
    case "silu": return [silu(x)]
    case "mish": return [mish(x)]
    case "softplus": return [softplus(x, beta: double(1, "beta") ?? 1, threshold: double(2, "threshold") ?? 20)]
    case "logsigmoid": return [logsigmoid(x)]
    case "softsign": return [softsign(x)]
    case "tanhshrink": return [tanhshrink(x)]
    case "softshrink": return [softshrink(x, lambda: double(1, "lambd") ?? 0.5)]
    case "hardshrink": return [hardshrink(x, lambda: double(1, "lambd") ?? 0.5)]
    case "hardtanh": return [hardtanh(x, minVal: double(1, "min_val") ?? -1, maxVal: double(2, "max_val") ?? 1)]
    case "hardsigmoid": return [hardsigmoid(x)]
    case "hardswish": return [hardswish(x)]
    case "threshold": return [threshold(x, double(1) ?? 0, double(2) ?? 0)]
    case "glu": return [glu(x, dim: int(1, "dim") ?? -1)]
    case "softmax": return [softmax(x, dim: int(1, "dim") ?? -1, dtype: dtype)]
    case "log_softmax": return [logSoftmax(x, dim: int(1, "dim") ?? -1, dtype: dtype)]
    case "softmin": return [softmin(x, dim: int(1, "dim") ?? -1, dtype: dtype)]
    case "dropout": return [dropout(x, p: double(1, "p") ?? 0.5, training: keywords["training"] == nil)]
    case "linear": return [linear(x, tensor(1), optional(2, "bias"))]
    case "bilinear": return [bilinear(x, tensor(1), tensor(2), optional(3, "bias"))]
    default: return nil
    }
  }
}
