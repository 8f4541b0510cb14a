internal import LatheCore

extension Matcher {
  func relu(_ value: Value) -> Composite? { rectified(value).flatMap { floating($0, "Relu") } }

  /// `x` of `x <= 0 ? 0 : x`.
  func rectified(_ value: Value) -> Value? {
    guard let select = operands(value, .select), isNumber(select[1], 0),
      let test = operands(select[0], .lessEqual), test[0] == select[2], isNumber(test[1], 0)
    else { return nil }
    return select[2]
  }

  /// `x > 0 ? x : x * slope`.
  func leakyRelu(_ value: Value) -> Composite? {
    guard let select = operands(value, .select), let test = operands(select[0], .greater), isNumber(test[1], 0),
      test[0] == select[1], let (x, slope) = scaled(select[2], .multiply), x == select[1]
    else { return nil }
    return floating(x, "LeakyRelu", [.float("alpha", slope)])
  }

  /// `x > 0 ? x : (e^x - 1) * alpha`.
  func elu(_ value: Value) -> Composite? {
    guard let select = operands(value, .select), let test = operands(select[0], .greater), isNumber(test[1], 0),
      test[0] == select[1]
    else { return nil }
    let (power, alpha) = scaled(select[2], .multiply) ?? (select[2], 1)
    guard let exponent = operand(power, .expm1), let bounded = operands(exponent, .select), bounded[0] == select[0],
      isNumber(bounded[1], 0), bounded[2] == select[1]
    else { return nil }
    return floating(select[1], "Elu", [.float("alpha", alpha)])
  }

  /// `log(1 + e^x)`, the identity above 20.
  func softplus(_ value: Value) -> Composite? {
    guard let select = operands(value, .select), let test = operands(select[0], .greater), isNumber(test[1], 20),
      test[0] == select[1], let sum = operands(select[2], .add), let positive = scaled(sum[0], .maximum),
      positive.number == 0, let bounded = operands(positive.x, .select), bounded[0] == select[0],
      isNumber(bounded[1], 0), bounded[2] == select[1], let power = operand(sum[1], .log1p),
      let negated = operand(power, .exp), let magnitude = operand(negated, .negate),
      operand(magnitude, .abs) == positive.x
    else { return nil }
    return floating(select[1], "Softplus")
  }

  /// Numbers kept in a range, as extremes or as choices.
  func clipped(_ value: Value) -> (x: Value, low: Double, high: Double)? {
    if let (inner, high) = scaled(value, .minimum), let (x, low) = scaled(inner, .maximum), low <= high {
      return (x, low, high)
    }
    guard let select = operands(value, .select), let test = operands(select[0], .lessEqual),
      let low = number(select[1]), isNumber(test[1], low), let inner = operands(select[2], .select),
      let above = operands(inner[0], .greaterEqual), let high = number(inner[1]), isNumber(above[1], high),
      inner[2] == test[0], above[0] == test[0], low <= high
    else { return nil }
    return (test[0], low, high)
  }

  func clip(_ value: Value) -> Composite? {
    guard type(value).dtype.isFloat, let (x, low, high) = clipped(value) else { return nil }
    return Composite(operands: [x]) { export, type throws(TypeFault) in
      let bounds = [low, high].map { export.model.scalar(.float($0), type.dtype) }
      return try export.compute("Clip", [try export.value(x)] + bounds, in: type.dtype, type)
    }
  }

  /// A conversion to an 8-bit float that takes its ends for what is out of range.
  func saturatingCast(_ value: Value) -> Composite? {
    guard case .convert(let convert) = graph[value].operation, convert.target.saturates,
      let format = convert.target.narrow, let (x, low, high) = clipped(graph[value].operands[0]),
      type(x).dtype == .f32, high == Double(format.largest), low == -high
    else { return nil }
    return Composite(operands: [x]) { export, type throws(TypeFault) in
      export.emit("Cast", [try export.value(x)], type, [.int("to", type.dtype.onnx.rawValue)])
    }
  }

  /// `x * clip(x + 3, 0, 6) / 6`.
  func hardSwish(_ value: Value) -> Composite? {
    guard let (product, six) = scaled(value, .divide), six == 6, let factors = operands(product, .multiply),
      let (sum, low, high) = clipped(factors[1]), low == 0, high == 6, let (x, three) = scaled(sum, .add), three == 3,
      x == factors[0]
    else { return nil }
    return floating(x, "HardSwish")
  }

  /// `clip(x * a + b, 0, 1)`.
  func hardSigmoid(_ value: Value) -> Composite? {
    guard let (sum, low, high) = clipped(value), low == 0, high == 1, let (product, b) = scaled(sum, .add),
      let (x, a) = scaled(product, .multiply)
    else { return nil }
    return floating(x, "HardSigmoid", [.float("alpha", a), .float("beta", b)])
  }

  /// `x * 0.5 * (erf(x * sqrt(0.5)) + 1)`, or with the tangent that approximates it.
  func gelu(_ value: Value) -> Composite? {
    guard let factors = operands(value, .multiply), let (x, half) = scaled(factors[0], .multiply), half == 0.5,
      let (bend, one) = scaled(factors[1], .add), one == 1
    else { return nil }
    if let inner = operand(bend, .erf), let (y, scale) = scaled(inner, .multiply), y == x,
      abs(scale - 0.5.squareRoot()) < 1e-6
    {
      return floating(x, "Gelu")
    }
    guard let inner = operand(bend, .tanh), let (sum, scale) = scaled(inner, .multiply),
      abs(scale - 0.797_884_560_802_865) < 1e-6, let parts = operands(sum, .add), parts[0] == x,
      let (cube, factor) = scaled(parts[1], .multiply), abs(factor - 0.044715) < 1e-7,
      let outer = operands(cube, .multiply), outer[1] == x, let square = operands(outer[0], .multiply),
      square == [x, x]
    else { return nil }
    return floating(x, "Gelu", [.string("approximate", "tanh")])
  }

  /// The sign, with NaN where the operand is: what ONNX's operator is taken to give.
  func sign(_ value: Value) -> Composite? {
    guard let select = operands(value, .select), operand(select[0], .isNaN) == select[1],
      operand(select[2], .sign) == select[1]
    else { return nil }
    return floating(select[1], "Sign")
  }
}
