internal import LatheCore
internal import LatheNN

/// Reductions and running reductions.
extension Operator {
  static let reductions: [String: Operator] = [
    "ReduceSum": .one { call throws(TypeFault) in try reduced(call) { $0.reduce(.sum, axes: $1) } },
    "ReduceProd": .one { call throws(TypeFault) in try reduced(call) { $0.reduce(.product, axes: $1) } },
    "ReduceMax": .one { call throws(TypeFault) in try reduced(call) { $0.reduce(.max, axes: $1) } },
    "ReduceMin": .one { call throws(TypeFault) in try reduced(call) { $0.reduce(.min, axes: $1) } },
    "ReduceMean": .one { call throws(TypeFault) in try reduced(call) { mean($0, axes: $1) } },
    "ReduceL1": .one { call throws(TypeFault) in try reduced(call) { $0.abs().reduce(.sum, axes: $1) } },
    "ReduceL2": .one { call throws(TypeFault) in
      try reduced(call) { x, axes in
        let squares = x.dtype.isFloat ? x : x.convert(to: .f64)
        return (squares * squares).reduce(.sum, axes: axes).sqrt().convert(to: x.dtype)
      }
    },
    "ReduceSumSquare": .one { call throws(TypeFault) in try reduced(call) { ($0 * $0).reduce(.sum, axes: $1) } },
    "ReduceLogSum": .one { call throws(TypeFault) in
      try reduced(call) { $0.reduce(.sum, axes: $1).log().convert(to: $0.dtype) }
    },
    "ReduceLogSumExp": .one { call throws(TypeFault) in try reduced(call, logSumExp) },
    "ArgMax": .one { call throws(TypeFault) in try place(call, .max) },
    "ArgMin": .one { call throws(TypeFault) in try place(call, .min) },
    "TopK": .several { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axis = try call.axis(default: -1, rank: x.rank)
      if call.has(1), call.operands[1]?.sizes == nil {
        let k = try call.deciding(1)
        let (values, indices) = x.topk(
          try scalar(k, "k"), dim: axis, largest: try call.flag("largest", default: true))
        return [values, indices]
      }
      let counts = try call.attributes["k"] == nil ? call.integers(1, "k") : [call.integer("k", default: 1)]
      guard counts.count == 1 else { throw TypeFault("k is \(counts), not one number") }
      let (values, indices) = x.topk(counts[0], dim: axis, largest: try call.flag("largest", default: true))
      return [values, indices]
    },
    "CumSum": .one { call throws(TypeFault) in try running(call, .sum, 0) },
    "CumProd": .one { call throws(TypeFault) in try running(call, .product, 1) },
  ]

  /// Axes are an attribute in older operator sets and an operand in newer ones; none means all.
  private static func reduced(
    _ call: Call, _ function: (Tensor, [Int]) throws(TypeFault) -> Tensor
  ) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    var axes = try call.axes(operand: 1, rank: x.rank) ?? []
    if axes.isEmpty, try !call.flag("noop_with_empty_axes") { axes = Array(0..<x.rank) }
    axes.sort()
    let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
    // 16-bit floats are joined in f32.
    let result = try function(x.convert(to: x.dtype.computeType), axes).convert(to: x.dtype)
    return try call.flag("keepdims", default: true) ? result.reshape(kept) : result
  }

  /// The mean over axes, whose sizes need not be known yet; integers are divided as C does.
  static func mean(_ x: Tensor, axes: [Int]) -> Tensor {
    if x.isPoisoned { return x }
    let sum = x.reduce(.sum, axes: axes)
    let count = axes.map { x.shape[$0] }.elementCount
    let divisor = Sizes([count], isScalar: true).tensor(in: x.builder).convert(to: x.dtype)
    return .pointwise(.divide, sum, divisor)
  }

  /// `log(sum(exp(x)))`, shifted by the largest element so that nothing overflows.
  private static func logSumExp(_ x: Tensor, axes: [Int]) throws(TypeFault) -> Tensor {
    let y = x.dtype.isFloat ? x : x.convert(to: .f64)
    let kept = y.shape.indices.map { axes.contains($0) ? 1 : y.shape[$0] }
    let largest = y.reduce(.max, axes: axes)
    let shift = largest.isFinite().select(largest, largest.zerosLike()).detach()
    let sum = (y - shift.reshape(kept)).exp().reduce(.sum, axes: axes)
    return (sum.log() + shift).convert(to: x.dtype)
  }

  private static func place(_ call: Call, _ combiner: Combiner) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    let axis = try call.axis(default: 0, rank: x.rank)
    var result: Tensor
    if try call.flag("select_last_index") {
      let last = Sizes([x.shape[axis] - 1], isScalar: true).tensor(in: x.builder)
      result = last - x.reverse([axis]).argReduce(combiner, axis: axis)
    } else {
      result = x.argReduce(combiner, axis: axis)
    }
    if try call.flag("keepdims", default: true) { result = result.inserting(axes: [axis]) }
    return result
  }

  private static func running(_ call: Call, _ combiner: Combiner, _ identity: Double) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    let places = try call.integers(1, "the axis")
    guard places.count == 1 else { throw TypeFault("the axis \(places) is not one number") }
    let axis = try Call.axis(places[0], rank: x.rank)
    let reverse = try call.flag("reverse")
    var operand = x
    if try call.flag("exclusive") {
      var low = [Int](repeating: 0, count: x.rank)
      var high = low
      (low[axis], high[axis]) = reverse ? (-1, 1) : (1, -1)
      operand = x.pad(low: low, high: high, interior: low.map { _ in 0 }, value: x.constant(identity))
    }
    return operand.cumulative(combiner, axis: axis, reverse: reverse)
  }
}
