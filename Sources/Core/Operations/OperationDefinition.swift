/// All that Lathe knows of one primitive: its type rule, its gradient, its loops and its text form, in one place.
package protocol OperationDefinition: Hashable, Sendable {
  /// The operation's name in the text form and in diagnostics.
  var name: String { get }

  /// The attributes in the order in which the text form writes them.
  var attributes: [(name: String, value: Attribute)] { get }

  /// The types of the results, or what is wrong with the operands. The verifier is this rule, applied again.
  func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType]

  /// Throws what the contents of literals have against the operation, whose operands fit by their types.
  ///
  /// - Parameter literal: The content of an operand, or the one number that it repeats; nil where it is not known.
  func check(_ operands: [TensorType], literal: (Int) -> NDArray?) throws(TypeFault)

  /// The cotangents of the operands, given those of the results; nil where an operand gets none.
  ///
  /// Expressed in primitives, so that gradients can be differentiated again.
  func pullback(_ context: PullbackContext) throws(TypeFault) -> [Tensor?]

  /// The results for a batch of operands, with a leading axis for the batch; nil where the operation is to be repeated
  /// for one after the other.
  func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]?

  /// What every element of the results is. All shapes are known here.
  func lower(_ context: LoweringContext) -> Definition

  /// The operation with symbolic dimensions replaced by the sizes bound to them.
  func substituting(_ bindings: [String: Int]) -> Self
}

extension OperationDefinition {
  package var attributes: [(name: String, value: Attribute)] { [] }

  package func check(_ operands: [TensorType], literal: (Int) -> NDArray?) throws(TypeFault) {}

  package func batched(_ context: BatchingContext) throws(TypeFault) -> [Tensor]? { nil }

  package func substituting(_ bindings: [String: Int]) -> Self { self }
}

/// What a gradient rule sees: one application of the operation, and the cotangents of its results.
package struct PullbackContext {
  package let operands: [Tensor]
  package let results: [Tensor]
  /// One for each result; nil stands for zero.
  package let cotangents: [Tensor?]
  /// Which operands' cotangents are wanted; rules may skip the others.
  package let wanted: [Bool]
  package let builder: Builder

  package init(operands: [Tensor], results: [Tensor], cotangents: [Tensor?], wanted: [Bool], builder: Builder) {
    self.operands = operands
    self.results = results
    self.cotangents = cotangents
    self.wanted = wanted
    self.builder = builder
  }

  /// The cotangent of the only result.
  package var cotangent: Tensor { cotangents[0] ?? results[0].zerosLike() }
}

/// What a loop definition sees: element access to the operands, the types of the results, and a maker of scalars.
package struct LoweringContext {
  package let operands: [TensorExpression]
  package let results: [TensorType]
  package let scalars: ScalarBuilder

  package init(operands: [TensorExpression], results: [TensorType], scalars: ScalarBuilder) {
    self.operands = operands
    self.results = results
    self.scalars = scalars
  }

  /// The sizes of a result.
  package func shape(_ result: Int = 0) -> [Int] { results[result].sizes }
}

extension TypeFault {
  /// Throws unless all numbers are so small that no type rule's arithmetic on a few of them overflows.
  static func requireBounded(_ attributes: [(name: String, value: Attribute)]) throws(TypeFault) {
    let limit = 1 << 31
    for attribute in attributes {
      let numbers: [Int] =
        switch attribute.value {
        case .integer(let value): [value]
        case .integers(let values): values
        case .dimensions(let sizes): sizes.compactMap(\.known)
        default: []
        }
      for number in numbers where number.magnitude > limit {
        throw TypeFault("attribute '\(attribute.name)' has \(number), beyond 2^31")
      }
    }
  }

  /// Throws unless the known sizes of the results are not negative and the elements can be counted.
  static func requireBounded(_ results: [TensorType]) throws(TypeFault) {
    for result in results {
      for size in result.shape {
        guard let known = size.known else { continue }
        if known < 0 { throw TypeFault("the result \(result) has the negative size \(known)") }
      }
      if result.boundedElementCount == nil { throw TypeFault("the result \(result) has more than 2^40 elements") }
      for case let size? in result.shape.map(\.known) where size > 1 << 31 {
        throw TypeFault("the result \(result) has the size \(size), beyond 2^31")
      }
    }
  }

  /// Throws where numbers are in a format that they are only stored in.
  static func requireComputed(_ types: [TensorType]) throws(TypeFault) {
    for type in types where type.dtype.narrow != nil {
      throw TypeFault(
        "numbers of type \(type.dtype) are stored, but not computed with", help: "convert them to f32 before")
    }
  }

  /// Throws unless there are `count` operands.
  static func requireCount(_ operands: [TensorType], _ count: Int) throws(TypeFault) {
    guard operands.count == count else {
      throw TypeFault("takes \(count) operand\(count == 1 ? "" : "s"), \(operands.count) given")
    }
  }

  /// Throws unless all operands have one element type.
  static func requireSameType(_ operands: [TensorType]) throws(TypeFault) {
    for operand in operands.dropFirst() where operand.dtype != operands[0].dtype {
      throw TypeFault(
        "operands have different element types, \(operands[0].dtype) and \(operand.dtype)", help: "convert one of them")
    }
  }

  /// Throws unless `axes` are distinct axes of a tensor of `rank`.
  static func requireAxes(_ axes: [Int], rank: Int, _ what: String = "axes") throws(TypeFault) {
    for axis in axes where axis < 0 || axis >= rank {
      throw TypeFault("\(what): axis \(axis) is outside a tensor of rank \(rank)")
    }
    guard Set(axes).count == axes.count else { throw TypeFault("\(what) \(axes) are not distinct") }
  }
}
