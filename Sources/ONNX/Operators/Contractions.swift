internal import LatheCore
internal import LatheNN

/// Matrix products and convolutions.
extension Operator {
  static let contractions: [String: Operator] = [
    "MatMul": .one { call throws(TypeFault) in
      let operands = try call.matching(2)
      return matmul(operands[0], operands[1])
    },
    "Gemm": .one(gemm),
    "Einsum": .one { call throws(TypeFault) in einsum(try call.string("equation"), try call.matching()) },
    "Conv": .one(conv),
    "ConvTranspose": .one(convTranspose),
    "Det": .unary { det($0) },
  ]

  static func gemm(_ call: Call) throws(TypeFault) -> Tensor {
    var (a, b) = (try call.tensor(0), try call.tensor(1))
    guard a.rank == 2, b.rank == 2 else { throw TypeFault("the operands \(a.type) and \(b.type) are not matrices") }
    guard a.dtype == b.dtype else {
      throw TypeFault("operands have different element types, \(a.dtype) and \(b.dtype)")
    }
    if try call.flag("transA") { a = a.permute([1, 0]) }
    if try call.flag("transB") { b = b.permute([1, 0]) }
    guard a.shape[1] == b.shape[0] else {
      throw TypeFault("the inner sizes differ: \(a.shape.text) times \(b.shape.text)")
    }
    let alpha = try call.float("alpha", default: 1)
    let beta = try call.float("beta", default: 1)
    // A factor may be a fraction also where elements are integers; what is cut off is the sum.
    let isWhole = alpha.rounded() == alpha && beta.rounded() == beta
    let precision = a.dtype.isFloat || isWhole ? a.dtype : .f64
    func scaled(_ x: Tensor, by factor: Double) -> Tensor {
      let x = x.convert(to: precision)
      return factor == 1 ? x : x * x.constant(factor)
    }
    let y = scaled(matmul(a, b), by: alpha)
    guard let c = try call.optional(2), beta != 0 else { return y.convert(to: a.dtype) }
    guard c.dtype == a.dtype else {
      throw TypeFault("operands have different element types, \(a.dtype) and \(c.dtype)")
    }
    let shape = try Tensor.broadcastShape([y.type, c.type])
    guard shape == y.shape else { throw TypeFault("C, \(c.type), does not broadcast to \(y.shape.text)") }
    return (y + scaled(c, by: beta)).convert(to: a.dtype)
  }

  /// The window of a convolution; an attribute may repeat the kernel's sizes.
  static func window(_ call: Call, _ x: Tensor, _ weight: Tensor) throws(TypeFault) -> WindowArguments {
    guard x.rank >= 3, weight.rank == x.rank else {
      throw TypeFault("the operand \(x.type) and the weight \(weight.type) need the same number of axes, 3 or more")
    }
    let sizes = try Call.known(Array(weight.shape[2...]), "the kernel's size")
    if let listed = try call.optionalIntegers("kernel_shape"), listed != sizes {
      throw TypeFault("the kernel_shape \(listed) is not that of the weight \(weight.type)")
    }
    return try WindowArguments(call, size: sizes, over: x)
  }

  /// The convolution that the attributes describe.
  static func convolved(_ call: Call, _ x: Tensor, _ weight: Tensor, bias: Tensor?) throws(TypeFault) -> Tensor {
    let window = try window(call, x, weight)
    return convNd(
      x, weight, bias, stride: window.stride, padding: .explicit(low: window.low, high: window.high),
      dilation: window.dilation, groups: try call.integer("group", default: 1))
  }

  private static func conv(_ call: Call) throws(TypeFault) -> Tensor {
    try convolved(call, try call.tensor(0), try call.tensor(1), bias: try call.optional(2))
  }

  /// Padding takes from the result; with `output_shape`, as much as is too much.
  private static func convTranspose(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, weight) = (try call.tensor(0), try call.tensor(1))
    let mode = try call.string("auto_pad", default: "NOTSET")
    var call = call
    call.attributes["auto_pad"] = nil
    var window = try window(call, x, weight)
    let spatial = window.size.count
    let extra = try call.integers("output_padding", default: 0, count: spatial)
    var wanted = try call.optionalIntegers("output_shape")
    if mode == "VALID" {
      (window.low, window.high) = (window.size.map { _ in 0 }, window.size.map { _ in 0 })
    } else if wanted == nil, mode.hasPrefix("SAME") {
      wanted = []
      for axis in 0..<spatial {
        wanted?.append(try x.size(2 + axis, "the size of spatial axis \(axis), for auto_pad,") * window.stride[axis])
      }
    }
    if let wanted = wanted?.suffix(spatial).map({ $0 }) {
      guard wanted.count == spatial else {
        throw TypeFault("the output_shape \(wanted) has fewer than \(spatial) sizes")
      }
      for axis in 0..<spatial {
        let extent = try x.size(2 + axis, "the size of spatial axis \(axis), for output_shape,")
        let total = window.stride[axis] * (extent - 1) + extra[axis] + window.reach(axis) - wanted[axis]
        let half = total >> 1  // rounds down, also where the output is larger than the padding allows
        window.low[axis] = mode == "SAME_UPPER" ? half : total - half
        window.high[axis] = total - window.low[axis]
      }
    }
    return convTransposeNd(
      x, weight, try call.optional(2), stride: window.stride, padding: .explicit(low: window.low, high: window.high),
      outputPadding: extra, groups: try call.integer("group", default: 1), dilation: window.dilation)
  }
}
