internal import LatheCore

/// Stride, padding and dilation of a window over the spatial axes, as `Conv` and the pooling operators give them.
struct WindowArguments {
  /// More than any honest model has; products of such numbers with sizes do not overflow.
  private static let limit = 1 << 20

  var size: [Int]
  var stride: [Int]
  var dilation: [Int]
  var low: [Int]
  var high: [Int]

  /// - Parameters:
  ///   - size: The window's size on each spatial axis.
  ///   - x: The tensor that the window slides over; its spatial axes are the last ones.
  init(_ call: Call, size: [Int], over x: Tensor) throws(TypeFault) {
    let count = size.count
    self.size = size
    stride = try call.integers("strides", default: 1, count: count)
    dilation = try call.integers("dilations", default: 1, count: count)
    let pads = try call.integers("pads", default: 0, count: 2 * count)
    low = Array(pads[..<count])
    high = Array(pads[count...])
    for number in size + stride + dilation where number < 1 || number > Self.limit {
      throw TypeFault("window sizes, strides and dilations are 1 to \(Self.limit), given \(number)")
    }
    switch try call.string("auto_pad", default: "NOTSET") {
    case "NOTSET", "": break
    case "VALID":
      low = size.map { _ in 0 }
      high = low
    case let mode where mode == "SAME_UPPER" || mode == "SAME_LOWER":
      for axis in 0..<count {
        // As many results as strides start in the operand.
        let reach = reach(axis)
        var total = reach - 1
        if stride[axis] > 1 {
          let extent = try x.size(x.rank - count + axis, "the size of spatial axis \(axis), for auto_pad,")
          total = Swift.max(0, ((extent + stride[axis] - 1) / stride[axis] - 1) * stride[axis] + reach - extent)
        }
        low[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        high[axis] = total - low[axis]
      }
    case let mode: throw TypeFault("auto_pad '\(mode)' is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER")
    }
  }

  /// The window of a pooling operator.
  init(pooling call: Call, over x: Tensor) throws(TypeFault) {
    let size = try call.integers("kernel_shape")
    guard x.rank == size.count + 2 else {
      throw TypeFault("a window of \(size.count) axes needs an operand with \(size.count + 2), given \(x.type)")
    }
    try self.init(call, size: size, over: x)
    for axis in size.indices where low[axis] < 0 || high[axis] < 0 { throw TypeFault("the padding is negative") }
  }

  /// How far a window extends on an axis.
  func reach(_ axis: Int) -> Int { (size[axis] - 1) * dilation[axis] + 1 }

  /// The window with as much padding at the end as makes the last, incomplete window count; a window that would start
  /// in this padding does not count.
  func rounded(up: Bool, over x: Tensor) throws(TypeFault) -> WindowArguments {
    guard up else { return self }
    var result = self
    for axis in size.indices {
      let extent = try x.size(x.rank - size.count + axis, "the size of spatial axis \(axis), for ceil_mode,")
      let room = extent + low[axis] + high[axis] - reach(axis)
      // A window that is larger than the padded operand, by less than a stride, gives one result.
      guard room > -stride[axis] else { continue }
      var count = room > 0 ? (room + stride[axis] - 1) / stride[axis] + 1 : 1
      if (count - 1) * stride[axis] >= extent + low[axis] { count -= 1 }
      result.high[axis] += (count - 1) * stride[axis] - room
    }
    return result
  }

  /// The window over an operand that is larger by a stride on some axes, which then hold no element of the result: with
  /// room for one, which is to be taken away (`Tensor.emptied`).
  ///
  /// The formula of ONNX gives 0 there. By less than a stride its floor gives 0, too, but ONNX Runtime cuts towards zero and
  /// gives one window that stands out of the operand: that stays a fault of the pooling.
  func fitted(over x: Tensor) -> (window: WindowArguments, empty: [Int]) {
    var (result, empty) = (self, [Int]())
    for axis in size.indices {
      let place = x.rank - size.count + axis
      guard let extent = x.shape[place].known else { continue }
      guard extent + low[axis] + high[axis] - reach(axis) == -stride[axis] else { continue }
      result.high[axis] += stride[axis]
      empty.append(place)
    }
    return (result, empty)
  }

  var shape: WindowShape { WindowShape(size: size, stride: stride, low: low, high: high, dilation: dilation) }
}

extension Tensor {
  /// The tensor without the elements along some axes.
  func emptied(_ axes: [Int]) -> Tensor { axes.reduce(self) { $0.slice(axis: $1, from: 0, to: 0) } }
}
