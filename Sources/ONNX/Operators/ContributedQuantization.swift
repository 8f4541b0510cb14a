internal import LatheCore
internal import LatheNN

/// The operators of `com.microsoft` on scaled integers, which ONNX Runtime's quantizer writes.
extension Operator {
  static let contributedQuantization: [String: Operator] = [
    "QLinearAdd": .one { call throws(TypeFault) in
      try quantized(call, try dequantized(call, 0) + (try dequantized(call, 3)), scale: 6, like: 0)
    },
    "QLinearMul": .one { call throws(TypeFault) in
      try quantized(call, try dequantized(call, 0) * (try dequantized(call, 3)), scale: 6, like: 0)
    },
    "QLinearSigmoid": .one { call throws(TypeFault) in
      try quantized(call, try dequantized(call, 0).sigmoid(), scale: 3, like: 0)
    },
    "QLinearLeakyRelu": .one { call throws(TypeFault) in
      let y = leakyRelu(try dequantized(call, 0), negativeSlope: try call.float("alpha", default: 0.01))
      return try quantized(call, y, scale: 3, like: 0)
    },
    "QLinearSoftmax": .one { call throws(TypeFault) in
      let x = try dequantized(call, 0)
      let axis = try call.axis(default: -1, rank: x.rank)
      guard try call.integer("opset", default: 13) >= 13 || axis == x.rank - 1 else {
        throw TypeFault("a softmax over several axes is not supported")
      }
      return try quantized(call, softmax(x, dim: axis), scale: 3, like: 0)
    },
    "QLinearReduceMean": .one { call throws(TypeFault) in
      let x = try dequantized(call, 0)
      let axes = try Call.axes(try call.optionalIntegers("axes") ?? Array(0..<x.rank), rank: x.rank)
      return try quantized(
        call, x.mean(dim: axes, keepdim: try call.flag("keepdims", default: true)), scale: 3, like: 0)
    },
    "QLinearAveragePool": .one { call throws(TypeFault) in
      let y = try channelsFirst(call, try dequantized(call, 0)) { x throws(TypeFault) in try averagePool(call, x) }
      return try quantized(call, y, scale: 3, like: 0)
    },
    "QLinearGlobalAveragePool": .one { call throws(TypeFault) in
      let y = try channelsFirst(call, try dequantized(call, 0)) { x in
        x.mean(dim: Array(2..<x.rank), keepdim: true)
      }
      return try quantized(call, y, scale: 3, like: 0)
    },
    "QLinearConcat": .one { call throws(TypeFault) in
      guard call.operands.count >= 5, (call.operands.count - 2) % 3 == 0 else {
        throw TypeFault("\(call.operands.count) operands are not a scale, a zero point and three for each tensor")
      }
      var tensors: [Tensor] = []
      for position in stride(from: 2, to: call.operands.count, by: 3) {
        tensors.append(try dequantized(call, position))
      }
      let joined = Tensor.concatenate(tensors, axis: try call.axis(rank: tensors[0].rank))
      return try quantized(call, joined, scale: 0, like: 1)
    },
    "QLinearWhere": .one { call throws(TypeFault) in
      let chosen = try call.tensor(0).select(try dequantized(call, 1), try dequantized(call, 4))
      return try quantized(call, chosen, scale: 7, like: 1)
    },
    "QGemm": .one { call throws(TypeFault) in
      let isTurned = try call.flag("transB")
      // A zero point of each column is one of each row before the matrix is turned.
      var (a, b) = (try centred(call, 0, zero: 2), try centred(call, 3, zero: 5, rows: isTurned))
      if try call.flag("transA") { a = a.permute([1, 0]) }
      if isTurned { b = b.permute([1, 0]) }
      var sum = matmul(a, b)
      if let bias = try call.optional(6) { sum = sum + bias }
      let factor = try scale(call, 1) * (try scale(call, 4)) * (try call.float("alpha", default: 1))
      guard call.has(7) else { return sum.convert(to: .f32) * factor }
      return try requantized(sum, factor / (try scale(call, 7)), zero: call.tensor(8))
    },
    "MatMulIntegerToFloat": .one { call throws(TypeFault) in
      let product = matmul(try centred(call, 0, zero: 4, rows: true), try centred(call, 1, zero: 5))
      let y = product.convert(to: .f32) * (try scale(call, 2) * (try scale(call, 3)))
      return try call.optional(4 + 2).map { y + $0 } ?? y
    },
    "DynamicQuantizeMatMul": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let y = product(x, try centred(call, 1, zero: 3), try scale(call, 2))
      return try call.optional(4).map { y + $0 } ?? y
    },
    "QAttention": .several { call throws(TypeFault) in
      let product = matmul(try centred(call, 0, zero: 6), try centred(call, 1, zero: 7))
      let projected = product.convert(to: .f32) * (try scale(call, 3) * (try scale(call, 4))) + (try call.tensor(2))
      return try attended(call, projected, mask: 5, past: 8, bias: nil)
    },
    "NhwcMaxPool": .one { call throws(TypeFault) in
      try channelsFirst(call, try call.tensor(0), isLast: true) { x throws(TypeFault) in
        let window = try WindowArguments(pooling: call, over: x).rounded(up: try call.flag("ceil_mode"), over: x)
        return x.windowReduce(.max, window.shape)
      }
    },
  ]

  /// The numbers of scaled integers: operand, scale and zero point follow each other.
  private static func dequantized(_ call: Call, _ position: Int) throws(TypeFault) -> Tensor {
    let x = try call.tensor(position).convert(to: .f32)
    let scale = try scale(call, position + 1)
    guard let zero = try call.optional(position + 2)?.convert(to: .f32) else { return x * scale }
    return (x - (zero.type.elementCount == 1 ? zero.reshape([Int]()) : zero)) * scale
  }

  /// Numbers as scaled integers; without a zero point it is 0, of the type of an operand.
  private static func quantized(
    _ call: Call, _ y: Tensor, scale position: Int, like operand: Int
  ) throws(TypeFault) -> Tensor {
    let zero = try call.optional(position + 1)
    let other = try call.tensor(operand).dtype
    var whole = (y / (try scale(call, position))).round()
    if let zero { whole = whole + (zero.type.elementCount == 1 ? zero.reshape([Int]()) : zero).convert(to: .f32) }
    return whole.convert(to: zero?.dtype ?? other)
  }

  /// A product of numbers, which are scaled to unsigned bytes by their range, with a matrix of scaled integers.
  static func product(_ x: Tensor, _ centred: Tensor, _ scale: Tensor) -> Tensor {
    let (bytes, own, zero) = dynamicallyQuantized(x)
    let sum = matmul(bytes.convert(to: .i32) - zero.convert(to: .i32), centred)
    return sum.convert(to: .f32) * (own * scale)
  }

  /// Applies a function of images whose channels come first, where the operator has them last.
  private static func channelsFirst(
    _ call: Call, _ x: Tensor, isLast: Bool? = nil, _ function: (Tensor) throws(TypeFault) -> Tensor
  ) throws(TypeFault) -> Tensor {
    let flag = try call.flag("channels_last")
    guard isLast ?? flag else { return try function(x) }
    return try function(x.movedim(-1, 1)).movedim(1, -1)
  }
}
