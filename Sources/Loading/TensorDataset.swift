public import LatheCore

/// Arrays with one row for each sample: `torch.utils.data.TensorDataset`.
public struct TensorDataset: Dataset {
  /// The arrays.
  public let tensors: [NDArray]
  /// The number of rows.
  public let count: Int

  /// A dataset whose samples are the rows of arrays.
  ///
  /// - Throws: That an array has no first axis, or other rows than the first one.
  public init(_ tensors: NDArray...) throws(DiagnosticsError) {
    guard let count = tensors.first?.shape.first, tensors.allSatisfy({ $0.shape.first == count }) else {
      throw DiagnosticsError(
        "TensorDataset: not all of \(tensors.map { "\($0.type)" }.joined(separator: ", ")) have a row for each sample",
        help: "the first sizes are equal")
    }
    self.tensors = tensors
    self.count = count
  }

  /// The row of each array.
  public subscript(index: Int) -> [NDArray] {
    get throws(DiagnosticsError) {
      try requireSample(index)
      return tensors.map { $0.row(at: index) }
    }
  }
}
