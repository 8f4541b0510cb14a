internal import LatheCore

extension GraphExport {
  func write(_ slice: Slice, _ x: ONNXValue) throws(TypeFault) -> ONNXValue {
    let axes = x.shape.indices.filter {
      slice.start[$0] != 0 || slice.limit[$0] != x.shape[$0] || slice.stride[$0] != 1
    }
    return try self.slice(
      x, axes: axes, start: axes.map { slice.start[$0] }, limit: axes.map { slice.limit[$0] },
      stride: axes.map { slice.stride[$0] })
  }

  func write(_ pad: Pad, _ x: ONNXValue, _ value: ONNXValue) throws(TypeFault) -> ONNXValue {
    var spread = x
    var high = pad.high
    for axis in x.shape.indices where pad.interior[axis] > 0 && x.shape[axis] != 0 {
      // An axis behind it takes the elements between, those after the last one are cut off again.
      let step = pad.interior[axis] + 1
      var shape = spread.shape
      shape.insert(1, at: axis + 1)
      var behind = shape.map { _ in 0 }
      behind[axis + 1] = pad.interior[axis]
      let column = try self.pad(
        try reshape(spread, to: shape), low: shape.map { _ in 0 }, high: behind, value: value)
      shape.remove(at: axis + 1)
      shape[axis] = shape[axis] * Dim(step)
      spread = try reshape(column, to: shape)
      high[axis] -= pad.interior[axis]
    }
    return try self.pad(spread, low: pad.low, high: high, value: value)
  }

  func write(_ convert: Convert, _ operand: Value) throws(TypeFault) -> ONNXValue {
    let type = graph.type(of: operand)
    // What numbers are only stored in is not repeated: that is done behind.
    let x = type.dtype.narrow == nil ? try value(operand) : try broadcasting(operand)
    return try expand(try converted(x, operand, to: convert.target), to: type.shape)
  }

  /// ONNX leaves open what a float becomes that a small integer does not hold; here that is the nearest end, which
  /// quantization counts on.
  private func converted(_ x: ONNXValue, _ operand: Value, to target: ScalarType) throws(TypeFault) -> ONNXValue {
    guard x.dtype.isFloat, target.isInteger, target.byteCount < 4 else { return cast(x, to: target) }
    var wide = cast(x, to: x.dtype.computeType)
    if target.narrow != nil, matcher.operand(operand, .round) == nil {
      // ONNX Runtime rounds to formats below a byte, where ONNX's reference and Lathe cut off.
      wide = try inline([wide]) { ($0[0] .< 0).select($0[0].ceil(), $0[0].floor()) }
    }
    let ends = [target.lowest, target.highest].map(\.double)
    if let (_, low, high) = matcher.clipped(operand), low >= ends[0], high <= ends[1] {
      return cast(wide, to: target)
    }
    let bounds = ends.map { model.scalar(.float($0), wide.dtype) }
    return cast(try compute("Clip", [wide] + bounds, in: wide.dtype, wide.type), to: target)
  }

  func write(bitcast x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    // Between integers of one size a cast keeps the bits.
    if x.dtype.isInteger, type.dtype.isInteger { return cast(x, to: type.dtype) }
    return emit("BitCast", [x], type, [.int("to", type.dtype.onnx.rawValue)])
  }
}
