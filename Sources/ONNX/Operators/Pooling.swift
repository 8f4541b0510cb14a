internal import LatheCore
internal import LatheNN

/// Pooling: reductions of windows, and of all spatial axes.
extension Operator {
  static let pooling: [String: Operator] = [
    "MaxPool": .several(maxPool),
    "AveragePool": .one { call throws(TypeFault) in try averagePool(call, try call.tensor(0)) },
    "LpPool": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      let (fitted, empty) = try WindowArguments(pooling: call, over: x).fitted(over: x)
      let window = try fitted.rounded(up: try call.flag("ceil_mode"), over: x)
      let p = Double(try call.integer("p", default: 2))
      return x.abs().pow(p).windowReduce(.sum, window.shape).pow(1 / p).emptied(empty)
    },
    "GlobalAveragePool": .one { call throws(TypeFault) in try overSpatial(call, mean) },
    "GlobalMaxPool": .one { call throws(TypeFault) in try overSpatial(call) { $0.reduce(.max, axes: $1) } },
    "GlobalLpPool": .one { call throws(TypeFault) in
      let p = Double(try call.integer("p", default: 2))
      return try overSpatial(call) { $0.abs().pow(p).reduce(.sum, axes: $1).pow(1 / p) }
    },
    "MaxUnpool": .one(maxUnpool),
  ]

  /// A reduction of all axes but batch and channel, which stay with size 1.
  private static func overSpatial(_ call: Call, _ reduce: (Tensor, [Int]) -> Tensor) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    guard x.rank >= 2 else { throw TypeFault("the operand \(x.type) has no batch and channel axes") }
    let axes = Array(2..<x.rank)
    return reduce(x, axes).reshape(Array(x.shape[..<2]) + axes.map { _ in 1 })
  }

  /// The second result holds places in the whole operand, row-major or, with `storage_order`, with the spatial axes in
  /// opposite order.
  private static func maxPool(_ call: Call) throws(TypeFault) -> [Tensor] {
    let x = try call.tensor(0)
    let (fitted, empty) = try WindowArguments(pooling: call, over: x).fitted(over: x)
    let window = try fitted.rounded(up: try call.flag("ceil_mode"), over: x)
    let y = x.windowReduce(.max, window.shape)
    guard call.node.output.count > 1, !call.node.output[1].isEmpty, !y.isPoisoned else { return [y.emptied(empty)] }
    var places = x.windowArgReduce(.max, window.shape)
    let spatial = Array(x.shape[2...])
    let builder = call.builder
    func number(_ size: Dim) -> Tensor { Sizes([size], isScalar: true).tensor(in: builder) }
    if try call.flag("storage_order") {
      var turned = builder.zeros(places.type)
      for axis in spatial.indices.reversed() {
        turned = turned + places.fmod(number(spatial[axis])) * number(Array(spatial[..<axis]).elementCount)
        places = .pointwise(.divide, places, number(spatial[axis]))
      }
      places = turned
    }
    let type = TensorType(.i64, y.shape)
    let image = builder.iota(type, axis: 0) * number(x.shape[1]) + builder.iota(type, axis: 1)
    return [y, places + image * number(spatial.elementCount)].map { $0.emptied(empty) }
  }

  static func averagePool(_ call: Call, _ x: Tensor) throws(TypeFault) -> Tensor {
    let (window, empty) = try WindowArguments(pooling: call, over: x).fitted(over: x)
    return avgPoolNd(
      x, kernelSize: window.size, stride: window.stride, low: window.low, high: window.high, dilation: window.dilation,
      ceilMode: try call.flag("ceil_mode"), countIncludePad: try call.flag("count_include_pad")
    ).emptied(empty)
  }

  /// Every element goes to the place that `MaxPool` took it from.
  private static func maxUnpool(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, places) = (try call.tensor(0), try call.tensor(1))
    let window = try WindowArguments(pooling: call, over: x)
    var shape = Array(x.shape[..<2])
    for axis in window.size.indices {
      let spread = (x.shape[2 + axis] - 1) * Dim(window.stride[axis])
      shape.append(spread + Dim(window.reach(axis) - window.low[axis] - window.high[axis]))
    }
    // Places count in the smallest result; a given shape is larger at the ends.
    let flat = call.builder.zeros(TensorType(x.dtype, [shape.elementCount]))
    let result = flat.scatter(
      places.reshape([places.shape.elementCount, 1]), x.reshape([x.shape.elementCount]), IndexedAxes(axes: [0]),
      combiner: nil
    )
    .reshape(shape)
    guard call.has(2) else { return result }
    let wanted = try call.integers(2, "the output shape")
    guard wanted.count == x.rank else { throw TypeFault("the output shape \(wanted) does not fit \(x.type)") }
    var high: [Int] = []
    for (axis, size) in wanted.enumerated() { high.append(size - (try result.size(axis, "the size of axis \(axis)"))) }
    return result.pad(low: high.map { _ in 0 }, high: high, interior: high.map { _ in 0 })
  }
}
