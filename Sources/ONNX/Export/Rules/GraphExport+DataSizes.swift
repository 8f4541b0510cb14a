internal import LatheCore

extension GraphExport {
  /// A size that data decides: so many of the numbers from 0 on, whose axis has it.
  ///
  /// `TopK` takes a number that the run computes, and fails where it is negative or beyond the capacity.
  func write(_ extent: Extent, _ count: ONNXValue) throws(TypeFault) -> ONNXValue {
    let type = TensorType(.i64, [Dim(extent: extent.size)])
    guard let capacity = extent.capacity else {
      // Nothing says how many there may be.
      let (zero, one) = (model.scalar(.integer(0), .i64), model.scalar(.integer(1), .i64))
      let all = emit("Range", [zero, try reshape(count, to: []), one], type)
      return try define(extent.size, by: all, axis: 0)
    }
    let numbers = try numbers(capacity, .i64)
    let first = emit(
      "TopK", [numbers, try reshape(count, to: [1])], results: [type, type], [.int("largest", 0), .int("sorted", 0)])[0]
    return try define(extent.size, by: first, axis: 0)
  }

  /// Says which axis has a size that data decides, and gives the number.
  func define(_ size: String, by value: ONNXValue, axis: Int) throws(TypeFault) -> ONNXValue {
    block.note(Block.Witness(value: value, axis: axis), of: size)
    return try reshape(try self.size(Dim(extent: size)), to: [])
  }
}
