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
      var y = (x.convert(to: .f32) / (try spread(scale, over: x, call)).convert(to: .f32)).round()
      if let zero { y = y + (try spread(zero, over: x, call)).convert(to: .f32) }
      return y.convert(to: type)  // out of range to the nearest end
    },
    "DynamicQuantizeLinear": .several { call throws(TypeFault) in
      let x = try call.tensor(0)
      let axes = Array(0..<x.rank)
      let (low, high) = (x.reduce(.min, axes: axes).minimum(0), x.reduce(.max, axes: axes).maximum(0))
      // Nothing but zeros has no range; ONNX Runtime takes 1.
      let range = high - low
      let scale = (range .== 0).select(range.onesLike(), range / 255)
      let zero = (-(low / scale)).round().maximum(0).minimum(255)
      return [((x / scale).round() + zero).convert(to: .u8), scale, zero.convert(to: .u8)]
    },
    "MatMulInteger": .one { call throws(TypeFault) in
      func centred(_ position: Int) throws(TypeFault) -> Tensor {
        let x = try call.tensor(position).convert(to: .i32)
        guard let zero = try call.optional(position + 2)?.convert(to: .i32) else { return x }
        // One number for each row of the first operand, for each column of the second.
        return x - (zero.rank == 1 && position == 0 && zero.shape != [1] ? zero.inserting(axes: [1]) : zero)
      }
      return matmul(try centred(0), try centred(1))
    },
  ]

  /// A scale or zero point for all elements, for each place on an axis, or for blocks along an axis.
  private static func spread(_ tensor: Tensor, over x: Tensor, _ call: Call) throws(TypeFault) -> Tensor {
    if tensor.type.elementCount == 1 { return tensor.reshape([Int]()) }
    let axis = try call.axis(default: 1, rank: x.rank)
    if tensor.rank == 1 { return tensor.broadcast(to: x.shape, axes: [axis]) }
    let block = try call.integer("block_size", default: 0)
    guard block > 0, tensor.rank == x.rank else { throw TypeFault("\(tensor.type) does not scale \(x.type)") }
    var shape = tensor.shape
    shape.insert(Dimension(block), at: axis + 1)
    var joined = tensor.shape
    joined[axis] = tensor.shape[axis] * Dimension(block)
    let repeated = tensor.broadcast(to: shape, axes: shape.indices.filter { $0 != axis + 1 }).reshape(joined)
    return repeated.slice(start: joined.map { _ in 0 }, limit: x.shape, stride: joined.map { _ in 1 })
  }
}
