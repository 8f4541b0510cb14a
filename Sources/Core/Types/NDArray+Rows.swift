/// Samples along the first axis.
extension NDArray {
  /// What is at places of the first axis, which the caller has checked: one array with these rows in their order.
  package func rows(at places: some Collection<Int>) -> NDArray {
    let size = bytes.count / Swift.max(shape[0], 1)
    return NDArray(dtype: dtype, shape: [places.count] + shape.dropFirst()) { target in
      withUnsafeBytes { source in
        for (position, place) in places.enumerated() where size > 0 {
          target[position * size..<(position + 1) * size].copyBytes(from: source[place * size..<(place + 1) * size])
        }
      }
    }
  }

  /// What is at one place of the first axis, which the caller has checked, without that axis.
  package func row(at place: Int) -> NDArray {
    unfailing { try rows(at: CollectionOfOne(place)).reshaped(Array(shape.dropFirst())) }
  }

  /// Arrays of one type and shape along a new first axis: `torch.stack`.
  ///
  /// - Throws: That there are none, or that they differ.
  public static func stack(_ arrays: [NDArray]) throws(DiagnosticsError) -> NDArray {
    guard let first = arrays.first else { throw fault("nothing is there to be stacked") }
    if let position = arrays.firstIndex(where: { $0.dtype != first.dtype || $0.shape != first.shape }) {
      throw fault(
        "stacked are \(first.type) and, at \(position), \(arrays[position].type)",
        help: "arrays that are stacked have one type and shape")
    }
    try requireMemory(first.dtype, [arrays.count] + first.shape)
    return NDArray(dtype: first.dtype, shape: [arrays.count] + first.shape) { target in
      let size = first.bytes.count
      for (position, array) in arrays.enumerated() where size > 0 {
        array.withUnsafeBytes { target[position * size..<(position + 1) * size].copyBytes(from: $0) }
      }
    }
  }
}
