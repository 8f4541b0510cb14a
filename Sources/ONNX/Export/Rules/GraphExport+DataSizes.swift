internal import LatheCore

extension GraphExport {
  /// A size that data decides: so many of the numbers from 0 on, whose axis has it.
  ///
  /// `TopK` takes a number that the run computes, and fails where it is negative or beyond the capacity.
  func write(_ extent: Extent, _ count: ONNXValue) throws(TypeFault) -> ONNXValue {
    let size = Dim(extent: extent.size)
    let numbers = try numbers(extent.capacity, .i64)
    let type = TensorType(.i64, [size])
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
