internal import LatheCore
internal import LatheNN

/// Conversions between floats and scaled integers.
extension Operator {
  static let quantization: [String: Operator] = [
    "DequantizeLinear": .one { call throws(TypeFault) in
      let (x, scale) = (try call.tensor(0), try call.tensor(1))
      var wide = x.convert(to: .f32)
      if let zero = try call.optional(2) { wide = wide - (try spread(zero, over: x, call)).convert(to: .f32) }
      return (wide * (try spread(scale, over: x, call)).convert(to: .f32)).convert(
        to: try call.elementType("output_dtype") ?? scale.dtype)
    },
    "QuantizeLinear": .one { call throws(TypeFault) in
      let (x, scale) = (try call.tensor(0), try call.tensor(1))
      let zero = try call.optional(2)
      let type = try call.elementType("output_dtype") ?? zero?.dtype ?? .u8
      let precision = try call.elementType("precision") ?? .f32
      let quotient = x.convert(to: precision) / (try spread(scale, over: x, call)).convert(to: precision)
      let isWhole = !type.isFloat
      var y = quotient.convert(to: .f32)
      if isWhole { y = y.round() }
      if let zero { y = y + (try spread(zero, over: x, call)).convert(to: .f32) }
      return isWhole ? y.convert(to: type) : try cast(call, y, to: type)  // out of range to the nearest end
    },
    "DynamicQuantizeLinear": .several { call throws(TypeFault) in
      let (bytes, scale, zero) = dynamicallyQuantized(try call.tensor(0))
      return [bytes, scale, zero]
    },
    "MatMulInteger": .one { call throws(TypeFault) in
      matmul(try centred(call, 0, zero: 2, rows: true), try centred(call, 1, zero: 3))
    },
    "ConvInteger": .one { call throws(TypeFault) in
      let (x, weight) = (try centred(call, 0, zero: 2), try centred(call, 1, zero: 3, channels: 0))
      return try convolved(call, x, weight, bias: nil)
    },
    "QLinearMatMul": .one { call throws(TypeFault) in
      let product = matmul(try centred(call, 0, zero: 2, rows: true), try centred(call, 3, zero: 5))
      // A scale for each row of the first operand, for each column of the second.
      let (first, second) = (try scale(call, 1), try scale(call, 4))
      let rows = first.rank == 1 ? first.inserting(axes: [1]) : first
      return try requantized(product, rows * second / (try scale(call, 6)), zero: call.tensor(7))
    },
    "QLinearConv": .one { call throws(TypeFault) in
      let (x, weight) = (try centred(call, 0, zero: 2), try centred(call, 3, zero: 5, channels: 0))
      let sum = try convolved(call, x, weight, bias: try call.optional(8)).checked()
      var factor = try scale(call, 1) * (try scale(call, 4)) / (try scale(call, 6))
      if factor.rank == 1 { factor = factor.broadcast(to: sum.shape, axes: [1]) }
      return try requantized(sum, factor, zero: call.tensor(7))
    },
  ]

  /// Numbers as unsigned bytes that cover their range, with the scale and the zero point.
  static func dynamicallyQuantized(_ x: Tensor) -> (bytes: Tensor, scale: Tensor, zero: Tensor) {
    let axes = Array(0..<x.rank)
    let (low, high) = (x.reduce(.min, axes: axes).minimum(0), x.reduce(.max, axes: axes).maximum(0))
    // Nothing but zeros has no range; ONNX Runtime takes 1.
    let range = high - low
    let scale = (range .== 0).select(range.onesLike(), range / 255)
    let zero = (-(low / scale)).round().maximum(0).minimum(255)
    return (((x / scale).round() + zero).convert(to: .u8), scale, zero.convert(to: .u8))
  }

  /// An operand less its zero point, which may be one for each row of a matrix, each column, or each output channel.
  static func centred(
    _ call: Call, _ position: Int, zero: Int, rows: Bool = false, channels: Int? = nil
  ) throws(TypeFault) -> Tensor {
    let x = try call.tensor(position).convert(to: .i32)
    guard let point = try call.optional(zero)?.convert(to: .i32) else { return x }
    if point.type.elementCount == 1 { return x - point.reshape([Int]()) }
    if let channels { return x - point.broadcast(to: x.shape, axes: [channels]) }
    return x - (rows && point.rank == 1 ? point.inserting(axes: [1]) : point)
  }

  /// A scale in `f32`; one number loses its axes.
  static func scale(_ call: Call, _ position: Int) throws(TypeFault) -> Tensor {
    let scale = try call.tensor(position).convert(to: .f32)
    return scale.type.elementCount == 1 ? scale.reshape([Int]()) : scale
  }

  /// A sum of products in another scale: rounded to even, moved by the zero point, whose type it gets, and saturated.
  static func requantized(_ sum: Tensor, _ factor: Tensor, zero: Tensor) throws(TypeFault) -> Tensor {
    let point = zero.type.elementCount == 1 ? zero.reshape([Int]()) : zero
    return ((sum.convert(to: .f32) * factor).round() + point.convert(to: .f32)).convert(to: zero.dtype)
  }

  /// A scale or zero point for all elements, for each place on an axis, or for blocks along an axis.
  private static func spread(_ tensor: Tensor, over x: Tensor, _ call: Call) throws(TypeFault) -> Tensor {
    if tensor.type.elementCount == 1 { return tensor.reshape([Int]()) }
    let axis = try call.axis(default: 1, rank: x.rank)
    let block = try call.integer("block_size", default: 0)
    if tensor.rank == 1, block == 0 || x.rank > 1 { return tensor.broadcast(to: x.shape, axes: [axis]) }
    guard block > 0, tensor.rank == x.rank else { throw TypeFault("\(tensor.type) does not scale \(x.type)") }
    var shape = tensor.shape
    shape.insert(Dim(block), at: axis + 1)
    var joined = tensor.shape
    joined[axis] = tensor.shape[axis] * Dim(block)
    let repeated = tensor.broadcast(to: shape, axes: shape.indices.filter { $0 != axis + 1 }).reshape(joined)
    return repeated.slice(start: joined.map { _ in 0 }, limit: x.shape, stride: joined.map { _ in 1 })
  }
}
