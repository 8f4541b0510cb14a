internal import LatheCore

extension GraphExport {
  /// A gather: along one axis, or of slices at coordinates.
  func write(
    _ indexed: IndexedAxes, _ x: ONNXValue, _ indices: ONNXValue, _ type: TensorType
  ) throws(TypeFault) -> ONNXValue {
    try located(indexed, x, try coordinates(indices), type) { x, moved, places, type throws(TypeFault) in
      guard let axis = indexed.onlyAxis else {
        return emit(
          "GatherND", [moved, places], type, indexed.batch == 0 ? [] : [.int("batch_dims", indexed.batch)])
      }
      // Gather leaves the places where the axis was.
      let listed = Array(places.shape.dropLast())
      let raw = emit(
        "Gather", [x, try reshape(places, to: listed)],
        type.with(shape: x.shape[..<axis] + listed + x.shape[(axis + 1)...]), [.int("axis", axis)])
      let rest = Array(0..<axis) + Array((axis + listed.count)..<raw.rank)
      return transpose(raw, Array(axis..<(axis + listed.count)) + rest)
    }
  }

  /// Reads with the addressed axes in front, behind those of the batch; where indices may lie outside, at the nearest
  /// place, with zeros put there.
  private func located(
    _ indexed: IndexedAxes, _ x: ONNXValue, _ places: ONNXValue, _ type: TensorType,
    _ read: (_ x: ONNXValue, _ moved: ONNXValue, _ places: ONNXValue, TensorType) throws(TypeFault) -> ONNXValue
  ) throws(TypeFault) -> ONNXValue {
    let order = Array(0..<indexed.batch) + indexed.axes + kept(indexed, x.rank)
    guard indexed.outside == .ignored else { return try read(x, transpose(x, order), places, type) }
    let sizes = try shape(indexed.axes.map { x.shape[$0] })
    // Where there may be nothing, there has to be something that can be read.
    let high = x.shape.indices.map { indexed.axes.contains($0) && !x.shape[$0].isAtLeast(1) ? 1 : 0 }
    let x = try pad(x, low: high.map { _ in 0 }, high: high, value: identity(.sum, x.dtype))
    let moved = transpose(x, order)
    let last = emit("Sub", [sizes, model.vector([1], "size")], sizes.type)
    let zero = model.vector([0], "size")
    let above = try compute("Max", [places, zero], in: .i64, places.type)
    let nearest = try compute("Min", [above, last], in: .i64, places.type)
    let isInside = try allEqual(places, nearest)
    let mask = try reshape(
      isInside, to: isInside.shape + [Dim](repeating: 1, count: type.rank - isInside.rank))
    let zeros = model.scalar(type.dtype.isFloat ? .float(0) : .integer(0), type.dtype)
    return try write(.select, [mask, try read(x, moved, nearest, type), zeros], type)
  }

  private func kept(_ indexed: IndexedAxes, _ rank: Int) -> [Int] {
    (indexed.batch..<rank).filter { !indexed.axes.contains($0) }
  }

  /// Whether coordinates are the same in all axes.
  private func allEqual(_ a: ONNXValue, _ b: ONNXValue) throws(TypeFault) -> ONNXValue {
    let equal = emit("Equal", [a, b], a.type.with(dtype: .bool))
    return try write(Reduce(.min, axes: [a.rank - 1]), equal, TensorType(.bool, Array(a.shape.dropLast())))
  }

  /// Indices in the type that operators take; ONNX would count negative ones from the end, which have no meaning here.
  private func coordinates(_ indices: ONNXValue) throws(TypeFault) -> ONNXValue { cast(indices, to: .i64) }

  func write(_ scatter: Scatter, _ operands: [ONNXValue]) throws(TypeFault) -> ONNXValue {
    let indexed = scatter.indexed
    let x = operands[0]
    var places = try coordinates(operands[1])
    let order = Array(0..<indexed.batch) + indexed.axes + kept(indexed, x.rank)
    var target = transpose(x, order)
    let whole = target.shape
    if indexed.outside == .ignored {
      // One more place, which takes what is not written, and is cut off again.
      let sizes = try shape(indexed.axes.map { x.shape[$0] })
      let last = emit("Sub", [sizes, model.vector([1], "size")], sizes.type)
      let above = try compute("Max", [places, model.vector([0], "size")], in: .i64, places.type)
      let isInside = try allEqual(places, try compute("Min", [above, last], in: .i64, places.type))
      let first = try shape([whole[indexed.batch]])
      let other =
        indexed.axes.count == 1
        ? first
        : emit(
          "Concat", [first, model.vector(indexed.axes.dropFirst().map { _ in 0 }, "size")], sizes.type,
          [.int("axis", 0)])
      places = emit(
        "Where", [try reshape(isInside, to: isInside.shape + [1]), places, other], places.type)
      var high = whole.map { _ in 0 }
      high[indexed.batch] = 1
      target = try pad(target, low: whole.map { _ in 0 }, high: high, value: identity(.sum, x.dtype))
    }
    if indexed.batch > 0 {
      // Places of the batch are coordinates like the others.
      let leading = Array(places.shape.dropLast())
      var columns: [ONNXValue] = []
      for axis in 0..<indexed.batch {
        var shape = leading.map { _ in Dim(1) } + [1]
        shape[axis] = leading[axis]
        columns.append(try expand(try reshape(try numbers(leading[axis], .i64), to: shape), to: leading + [1]))
      }
      places = emit(
        "Concat", columns + [places],
        TensorType(.i64, leading + [Dim(indexed.batch + indexed.axes.count)]),
        [.int("axis", leading.count)])
    }
    var attributes: [Onnx_AttributeProto] = []
    switch scatter.combiner {
    case nil: break
    case .sum, .product:
      model.require(opset: 16)
      attributes = [.string("reduction", scatter.combiner == .sum ? "add" : "mul")]
    case .min, .max:
      model.require(opset: 18)
      attributes = [.string("reduction", scatter.combiner == .min ? "min" : "max")]
    }
    let written = try joined(scatter.combiner, target, places, operands[2], attributes)
    let axis = indexed.batch
    let cut =
      written.shape == whole
      ? written : try slice(written, axes: [axis], start: [0], limit: [whole[axis]], stride: [1])
    return transpose(cut, Permute(order).inverse)
  }

  /// The scatter itself; truth values and 16-bit floats are joined as others.
  private func joined(
    _ combiner: Combiner?, _ target: ONNXValue, _ places: ONNXValue, _ updates: ONNXValue,
    _ attributes: [Onnx_AttributeProto]
  ) throws(TypeFault) -> ONNXValue {
    let working: ScalarType =
      combiner == nil ? target.dtype : target.dtype == .bool ? .u8 : target.dtype.computeType
    let result = emit(
      "ScatterND", [cast(target, to: working), places, cast(updates, to: working)],
      target.type.with(dtype: working), attributes)
    return cast(result, to: target.dtype)
  }
}

extension IndexedAxes {
  /// The axis that is addressed, where it is one and nothing is a batch.
  fileprivate var onlyAxis: Int? { batch == 0 && axes.count == 1 ? axes[0] : nil }
}
