public import LatheCore

/// The pieces that a tensor falls into: an array of tensors that a mistake cannot make trap.
///
/// A piece that does not exist is a faulty tensor, recorded with the place of the subscript. Where the operand itself is
/// faulty, so that nobody knows how many pieces there would be, every piece is faulty, without further messages.
public struct TensorList: RandomAccessCollection, Sendable {
  private let operation: String
  private let operand: Tensor
  private let pieces: [Tensor]

  init(_ operation: String, of operand: Tensor, _ pieces: [Tensor]) {
    self.operation = operation
    self.operand = operand
    self.pieces = pieces
  }

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of pieces; one where nobody knows it.
  public var endIndex: Int { pieces.count }

  /// The piece at a position.
  public subscript(position: Int) -> Tensor {
    if pieces.indices.contains(position) { return pieces[position] }
    let builder = operand.builder
    guard !operand.isPoisoned, !pieces.contains(where: \.isPoisoned) else { return builder.poison }
    builder.record(
      TypeFault("there is no piece \(position)", help: "there are \(pieces.count)"), operation: operation,
      operands: [operand])
    return builder.poison
  }

  /// Some of the pieces.
  public subscript(bounds: Range<Int>) -> Swift.Slice<TensorList> { Swift.Slice(base: self, bounds: bounds) }

  /// The list with every piece replaced.
  func map(_ transform: (Tensor) -> Tensor) -> TensorList {
    TensorList(operation, of: operand, pieces.map(transform))
  }
}
