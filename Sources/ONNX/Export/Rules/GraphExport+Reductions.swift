internal import LatheCore

extension GraphExport {
  func write(_ reduce: Reduce, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    if reduce.axes.isEmpty { return x }
    let axes = reduce.axes.sorted()
    if x.dtype == .bool {
      // `any` and `all` of numbers.
      let number = cast(x, to: .u8)
      return cast(try write(reduce, number, type.with(dtype: .u8)), to: .bool)
    }
    if x.dtype == .u64, reduce.combiner == .min || reduce.combiner == .max {
      return unsigned(try write(reduce, signed(x), type.with(dtype: .i64)))
    }
    let operation =
      switch reduce.combiner {
      case .sum: "ReduceSum"
      case .product: "ReduceProd"
      case .min: "ReduceMin"
      case .max: "ReduceMax"
      }
    return try self.reduce(operation, x, axes, type)
  }

  /// A reduction by an operator; only the sum has its axes as an operand since 13, the others since 18.
  func reduce(_ operation: String, _ x: ONNXValue, _ axes: [Int], _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let keep = Onnx_AttributeProto.int("keepdims", 0)
    if operation == "ReduceSum" || model.opset >= 18 {
      return try compute(operation, [x, model.vector(axes, "axes")], in: x.dtype, type, [keep])
    }
    return try compute(operation, [x], in: x.dtype, type, [.ints("axes", axes), keep])
  }

  /// Unsigned 64-bit numbers as signed ones of the same order.
  func signed(_ x: ONNXValue) -> ONNXValue {
    emit("Add", [cast(x, to: .i64), model.scalar(.integer(.min), .i64)], x.type.with(dtype: .i64))
  }

  /// Undoes `signed`.
  func unsigned(_ x: ONNXValue) -> ONNXValue {
    cast(emit("Add", [x, model.scalar(.integer(.min), .i64)], x.type), to: .u64)
  }

  /// The operand in an order that ONNX compares: truth values and unsigned 64-bit numbers are others.
  private func comparable(_ x: ONNXValue) -> ONNXValue {
    x.dtype == .u64 ? signed(x) : x
  }

  func write(_ argReduce: ArgReduce, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let operand = comparable(x)
    return try compute(
      argReduce.combiner == .max ? "ArgMax" : "ArgMin", [operand], in: operand.dtype,
      results: [type], [.int("axis", argReduce.axis), .int("keepdims", 0)])[0]
  }

  func write(_ sort: ArgSort, _ x: ONNXValue, _ type: TensorType) throws(TypeFault) -> ONNXValue {
    let operand = comparable(x)
    let results = try compute(
      "TopK", [operand, try size(x.shape[sort.axis])], in: operand.dtype,
      results: [x.type.with(dtype: operand.dtype), type],
      [.int("axis", sort.axis), .int("largest", sort.descending ? 1 : 0), .int("sorted", 1)])
    return results[1]
  }

  func write(_ cumulative: CumulativeReduce, _ x: ONNXValue) throws(TypeFault) -> ONNXValue {
    let type = x.type
    if cumulative.combiner == .sum {
      return try compute(
        "CumSum", [x, model.literal(NDArray(scalar: .integer(cumulative.axis), dtype: .i64), "axis")], in: x.dtype,
        type,
        [.int("reverse", cumulative.reverse ? 1 : 0)])
    }
    // A scan along the axis, whose state is the result so far.
    var shape = x.shape
    shape.remove(at: cumulative.axis)
    let slice = type.with(shape: shape)
    let initial = try expand(identity(cumulative.combiner, x.dtype), to: shape)
    let state = parameter("state", slice)
    let element = parameter("element", slice)
    let body = try subgraph("body", parameters: [state, element]) { inner throws(TypeFault) in
      let scan = GraphExport(
        try joining(cumulative.combiner, slice), in: inner.block, of: model, arguments: [state, element],
        place: location)
      scan.run()
      let joined = try scan.value(scan.graph.outputs[0].value)
      return [joined, joined]
    }
    let direction = cumulative.reverse ? 1 : 0
    return emit(
      "Scan", [initial, x], results: [slice, type],
      [
        .graph("body", body), .int("num_scan_inputs", 1), .ints("scan_input_axes", [cumulative.axis]),
        .ints("scan_output_axes", [cumulative.axis]), .ints("scan_input_directions", [direction]),
        .ints("scan_output_directions", [direction]),
      ])[1]
  }

  /// The function that joins two tensors.
  private func joining(_ combiner: Combiner, _ type: TensorType) throws(TypeFault) -> Graph {
    try Builder().region([type, type]) { _, x in [.pointwise(combiner.function, x[0], x[1])] }
  }
}
