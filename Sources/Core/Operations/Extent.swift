/// A size that only data decides: gives a symbol of the graph, such as `?n0`, its value.
///
/// The operand is the number of elements, an `i64` without axes, and so is the result. A number below 0 or beyond the
/// capacity fails the run. Shapes of the nodes behind mention the symbol; the pass `bound-sizes` puts the capacity in its
/// place and masks by the number. Where nothing in the graph bounds the number, the capacity is left to whoever compiles
/// it (`Graph.limiting`, `--max NAME=SIZE`).
package struct Extent: OperationDefinition {
  /// What the text form writes before the name of such a size.
  package static let prefix = "?"

  /// The name of the symbol; no other extent of the graph has it.
  package var size: String
  /// What the number is at most, an expression of sizes that are known before it; nil where nothing says so yet.
  package var capacity: Dim?

  package init(size: String, capacity: Dim?) {
    self.size = size
    self.capacity = capacity
  }

  package var name: String { "extent" }

  package var attributes: [(name: String, value: Attribute)] {
    [("size", .dimensions([Dim(extent: size)])), ("capacity", .dimensions(capacity.map { [$0] } ?? []))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    let sizes = try attributes.dimensions("size")
    guard sizes.count == 1, let name = sizes[0].extents.first, sizes[0] == Dim(extent: name) else {
      throw TypeFault("the size \(sizes.text) is not one name such as ?n0")
    }
    size = name
    let capacities = try attributes.dimensions("capacity")
    guard capacities.count <= 1 else { throw TypeFault("the capacity \(capacities.text) is not one size") }
    capacity = capacities.first
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard operands[0] == .scalar(.i64) else { throw TypeFault("the number of elements is \(operands[0]), not i64[]") }
    if let known = capacity?.known, known < 0 { throw TypeFault("the capacity \(known) is negative") }
    return operands
  }

  package func check(_ operands: [TensorType], literal: (Int) -> NDArray?) throws(TypeFault) {
    guard let number = literal(0)?.integers.first else { return }
    guard number >= 0, number <= capacity?.known ?? .max else {
      throw TypeFault(
        "\(number) elements are \(number < 0 ? "fewer than 0" : "more than \(capacity?.description ?? "there can be")")"
      )
    }
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? {
    throw TypeFault("the size ?\(size) would differ from element to element of the batch")
  }

  package func lower(_ context: LoweringContext) -> Definition {
    guard let capacity = capacity?.known else { internalError("?\(size) is lowered with an open capacity") }
    return .element { _ in context.scalars.checked(context.operands[0][[]], capacity + 1, always: true) }
  }

  package func substituting(_ bindings: [String: Int]) -> Extent {
    Extent(size: size, capacity: capacity?.substituting(bindings))
  }
}
