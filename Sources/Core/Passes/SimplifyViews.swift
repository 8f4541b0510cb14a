/// Rules about reshapes, permutations, slices, pads, conversions and concatenations, and chains of them.
enum ViewRules {
  static let all = [
    identity, reshapeOfReshape, permuteOfPermute, permuteToReshape, sliceOfSlice, cutToSlice, padOfPad,
    convertOfConvert, reverseOfReverse, concatenateOfConcatenate, sliceOfConcatenate,
  ]

  /// Views that change nothing.
  static let identity = RewriteRule("identity") { match in
    guard let x = match.operands.first, match.operands.count == 1 || match.operation.isPad, match.types[0] == x.type
    else { return nil }
    let isIdentity =
      switch match.operation {
      case .reshape, .convert, .bitcast, .concatenate: true
      case .permute(let permute): permute.permutation == Array(0..<x.rank)
      case .broadcast(let broadcast): broadcast.axes == Array(0..<x.rank)
      case .slice(let slice): slice.start.allSatisfy { $0 == 0 } && slice.stride.allSatisfy { $0 == 1 }
      case .reverse(let reverse): reverse.axes.allSatisfy { x.shape[$0] == 1 }
      case .pad(let pad): (pad.low + pad.high + pad.interior).allSatisfy { $0 == 0 }
      case .reduce(let reduce): reduce.axes.isEmpty
      default: false
      }
    return isIdentity ? [x] : nil
  }

  static let reshapeOfReshape = RewriteRule("reshape-of-reshape") { match in
    guard case .reshape(let outer) = match.operation, case .reshape = match.operands[0].operation else { return nil }
    return [match.operands[0].source(0).reshape(outer.shape)]
  }

  static let permuteOfPermute = RewriteRule("permute-of-permute") { match in
    guard case .permute(let outer) = match.operation, case .permute(let inner) = match.operands[0].operation else {
      return nil
    }
    return [match.operands[0].source(0).permute(outer.permutation.map { inner.permutation[$0] })]
  }

  /// A permutation that moves axes of size 1 only is a reshape.
  static let permuteToReshape = RewriteRule("permute-to-reshape") { match in
    guard case .permute(let permute) = match.operation else { return nil }
    let x = match.operands[0]
    let order = permute.permutation.filter { x.shape[$0] != 1 }
    return order == order.sorted() ? [x.reshape(match.types[0].shape)] : nil
  }

  static let sliceOfSlice = RewriteRule("slice-of-slice") { match in
    guard case .slice(let outer) = match.operation, case .slice(let inner) = match.operands[0].operation,
      !match.types[0].shape.contains(0)
    else { return nil }
    let axes = outer.start.indices
    let start = axes.map { inner.start[$0] + outer.start[$0] * inner.stride[$0] }
    let stride = axes.map { inner.stride[$0] * outer.stride[$0] }
    let limit = axes.map { Dim(start[$0] + 1) + (match.types[0].shape[$0] - 1) * Dim(stride[$0]) }
    return [match.operands[0].source(0).slice(start: start, limit: limit, stride: stride)]
  }

  /// A pad that only cuts off is a slice.
  static let cutToSlice = RewriteRule("cut-to-slice") { match in
    guard case .pad(let pad) = match.operation, pad.interior.allSatisfy({ $0 == 0 }),
      (pad.low + pad.high).allSatisfy({ $0 <= 0 }), !match.types[0].shape.contains(0)
    else { return nil }
    let x = match.operands[0]
    let limit = x.shape.indices.map { x.shape[$0] + Dim(pad.high[$0]) }
    return [x.slice(start: pad.low.map { -$0 }, limit: limit, stride: pad.low.map { _ in 1 })]
  }

  /// Two pads with one value are one, unless the inner cuts off what the outer puts back.
  static let padOfPad = RewriteRule("pad-of-pad") { match in
    guard case .pad(let outer) = match.operation, case .pad(let inner) = match.operands[0].operation,
      match.operands[0].source(1).value == match.operands[1].value,
      (inner.interior + outer.interior).allSatisfy({ $0 == 0 }),
      zip(inner.low + inner.high, outer.low + outer.high).allSatisfy({ $0 >= 0 || $1 <= 0 })
    else { return nil }
    return [
      match.operands[0].source(0).pad(
        low: zip(inner.low, outer.low).map(+), high: zip(inner.high, outer.high).map(+), interior: inner.interior,
        value: match.operands[1])
    ]
  }

  /// A conversion through a type that holds every value of the first.
  static let convertOfConvert = RewriteRule("convert-of-convert") { match in
    guard case .convert(let outer) = match.operation, case .convert(let inner) = match.operands[0].operation else {
      return nil
    }
    let x = match.operands[0].source(0)
    // Floats become integers by clamping, integers by wrapping.
    let clamps = !x.dtype.isFloat && inner.target.isFloat && outer.target.isInteger
    guard inner.target.holds(x.dtype), !clamps || outer.target.holds(x.dtype) else { return nil }
    return [x.convert(to: outer.target)]
  }

  static let reverseOfReverse = RewriteRule("reverse-of-reverse") { match in
    guard case .reverse(let outer) = match.operation, case .reverse(let inner) = match.operands[0].operation else {
      return nil
    }
    return [match.operands[0].source(0).reverse(Set(outer.axes).symmetricDifference(inner.axes).sorted())]
  }

  /// Concatenations along one axis are one; empty operands vanish.
  static let concatenateOfConcatenate = RewriteRule("concatenate-of-concatenate") { match in
    guard case .concatenate(let outer) = match.operation else { return nil }
    var parts: [Tensor] = []
    for operand in match.operands {
      if case .concatenate(let inner) = operand.operation, inner.axis == outer.axis, match.isOnlyUser(of: operand) {
        parts += match.builder.node(of: operand.value).operands.map { Tensor(builder: match.builder, value: $0) }
      } else if operand.shape[outer.axis] != 0 {
        parts.append(operand)
      }
    }
    guard !parts.isEmpty, parts.map(\.value) != match.operands.map(\.value) else { return nil }
    return [Tensor.concatenate(parts, axis: outer.axis)]
  }

  /// A slice that lies in one operand of a concatenation.
  static let sliceOfConcatenate = RewriteRule("slice-of-concatenate") { match in
    guard case .slice(var slice) = match.operation, case .concatenate(let concatenate) = match.operands[0].operation,
      let end = slice.limit[concatenate.axis].known
    else { return nil }
    let joined = match.builder.node(of: match.operands[0].value).operands
    var start = 0
    for value in joined {
      let part = Tensor(builder: match.builder, value: value)
      guard let size = part.shape[concatenate.axis].known else { return nil }
      if slice.start[concatenate.axis] >= start, end <= start + size {
        slice.start[concatenate.axis] -= start
        slice.limit[concatenate.axis] = Dim(end - start)
        return [part.slice(start: slice.start, limit: slice.limit, stride: slice.stride)]
      }
      start += size
    }
    return nil
  }
}

extension Operation {
  fileprivate var isPad: Bool { if case .pad = self { true } else { false } }
}

extension ScalarType {
  /// The bits of a number's magnitude that the type holds exactly: all of an integer's, the significand of a float.
  private var precision: Int {
    switch self {
    case .f64: 53
    case .f32: 24
    case .f16: 11
    case .bf16: 8
    case .bool: 1
    case .f8e8m0: 0  // it has no 0
    default:
      narrow.map { $0.isFloat ? $0.fractionBits + 1 : $0.bits - ($0.isSigned ? 1 : 0) } ?? byteCount * 8
        - (isSigned ? 1 : 0)
    }
  }

  /// Whether the type holds every value of another.
  func holds(_ other: ScalarType) -> Bool {
    if self == other || other == .bool { return true }
    if self == .bool { return false }
    if other.isFloat { return self == .f64 || (self == .f32 && other != .f64) }
    if isFloat { return other.precision <= precision }
    return other.precision <= precision && (isSigned || !other.isSigned)
  }
}
