/// What a constant buffer holds: a literal of the graph, or what is made of one whenever it is asked for.
///
/// Weights in the order of a machine's loops are as large as the model, transformed ones larger, and every target wants
/// its own. So a program says only how they are made: contents that are made alike are known to be equal without being
/// computed, and whoever needs the elements computes them and lets them go.
package struct ConstantContent: Hashable, Sendable {
  /// One step from the literal to the content.
  private enum Derivation: Hashable {
    case winograd(Winograd)
    case rearranged(Rearrangement)

    func applied(to array: NDArray) -> NDArray {
      switch self {
      case .winograd(let algorithm): algorithm.weights(of: array)
      case .rearranged(let rearrangement): rearrangement.applied(to: array)
      }
    }
  }

  private let literal: NDArray
  private var derivations: [Derivation] = []
  /// The sizes of the axes, outermost first.
  package private(set) var shape: [Int]

  /// The content that is given.
  package init(_ literal: NDArray) {
    self.literal = literal
    shape = literal.shape
  }

  package var dtype: ScalarType { literal.dtype }

  package var type: TensorType { TensorType(dtype, shape) }

  /// The number of elements.
  package var count: Int { shape.reduce(1, *) }

  /// The size of the elements.
  package var byteCount: Int { count * dtype.byteCount }

  /// The elements; computed anew each time, except of a literal.
  package var array: NDArray {
    unfailing { try derivations.reduce(literal) { $1.applied(to: $0) }.reshaped(shape) }
  }

  /// Hands out the elements' bytes piece by piece; all pieces but the last are whole words of 64 bits.
  ///
  /// What a rearrangement makes is never there as a whole.
  package func withParts<Failure>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
    if case .rearranged(let rearrangement) = derivations.last {
      let source = derivations.dropLast().reduce(literal) { $1.applied(to: $0) }
      return try rearrangement.withParts(of: source, body)
    }
    try array.bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
  }

  /// The same elements along one axis: contents that differ in their shapes only are equal then.
  package var flattened: ConstantContent { reshaped([count]) }

  func reshaped(_ shape: [Int]) -> ConstantContent {
    var result = self
    result.shape = shape
    return result
  }

  /// The weights `[product][in][out]` of an algorithm, of weights `f32[out, in, 3, 3]`.
  func transformed(by algorithm: Winograd) -> ConstantContent {
    var result = reshaped([algorithm.productCount, shape[1], shape[0]])
    result.derivations.append(.winograd(algorithm))
    return result
  }

  /// The elements that a packing copies, in its order.
  func packed(_ packing: Packing) -> ConstantContent {
    let rearrangement = packing.rearrangement
    return rearrangement.keeps(count) ? reshaped(packing.extents) : rearranged(rearrangement, shape: packing.extents)
  }

  /// The elements in another order.
  func rearranged(_ rearrangement: Rearrangement, shape: [Int]) -> ConstantContent {
    var result = reshaped(shape)
    result.derivations.append(.rearranged(rearrangement))
    return result
  }

  /// The text form: the literal, and what is made of it.
  func text(_ literalText: (NDArray) -> String) -> String {
    var text = literalText(literal)
    if derivations.isEmpty, literal.shape == shape { return text }
    text += " of \(literal.type)"
    for derivation in derivations {
      switch derivation {
      case .winograd(let algorithm): text += " winograd {size: \(algorithm.size)}"
      case .rearranged(let rearrangement): text += " rearranged \(rearrangement.text)"
      }
    }
    return text
  }

  /// The same content as a literal.
  var computed: ConstantContent { derivations.isEmpty ? self : ConstantContent(array) }
}

extension Program {
  /// The program with all constants as literals, for back-ends that read them in every run.
  package func computingConstants() -> Program {
    var result = self
    for (position, buffer) in buffers.enumerated() {
      if case .constant(let content) = buffer.kind { result.buffers[position].kind = .constant(content.computed) }
    }
    return result
  }
}
