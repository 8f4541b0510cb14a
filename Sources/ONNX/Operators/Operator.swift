internal import LatheCore
internal import LatheNN

/// The meaning of an ONNX operator: a function from operands and attributes to tensors of the graph.
///
/// Operators are rows of the tables of their families; a row names a function of `LatheNN` or of `Tensor`, or one in the
/// family's file that handles what changed between operator sets.
struct Operator: Sendable {
  typealias Body<Result> = @Sendable (Call) throws(TypeFault) -> Result

  let apply: Body<[Operand]>

  /// An operator with one result.
  static func one(_ body: @escaping Body<Tensor>) -> Operator {
    Operator { call throws(TypeFault) in [Operand(try body(call))] }
  }

  /// An operator with several tensors as results.
  static func several(_ body: @escaping Body<[Tensor]>) -> Operator {
    Operator { call throws(TypeFault) in try body(call).map { Operand($0) } }
  }

  /// A function of one tensor.
  static func unary(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(0)) }
  }

  /// A function of one tensor and an attribute that is a number.
  static func unary(
    _ attribute: String, _ other: Double, _ function: @escaping @Sendable (Tensor, Double) -> Tensor
  ) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(0), try call.float(attribute, default: other)) }
  }

  /// A function of two tensors of one type, element by element: they broadcast.
  static func binary(_ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in
      let operands = Tensor.stretchedAlike(try call.matching(2))
      return function(operands[0], operands[1])
    }
  }

  /// A function of any number of tensors of one type, two at a time.
  static func variadic(_ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in
      let operands = Tensor.stretchedAlike(try call.matching())
      return operands.dropFirst().reduce(operands[0], function)
    }
  }

  /// The operators that are defined here, by domain and name; the standard domain's name is empty.
  static let table: [String: [String: Operator]] = [
    "": [
      elementwise, activations, reductions, shapes, indexing, contractions, pooling, normalizations, recurrent,
      controlFlow, sequences, resizing, losses, attention, quantization, vision, signal, random, recurrences, text,
      experimental,
    ].reduce(into: [:]) { table, family in table.merge(family) { first, _ in first } },
    "ai.onnx.ml": machineLearning,
    "com.microsoft": contributed,
    "ai.onnx.preview": preview,
    "ai.onnx.preview.training": training,
  ]

  /// The operator of a name, where it is defined here.
  static func named(_ name: String, domain: String) -> Operator? { table[domain]?[name] }

  /// Operators whose result depends on the types of their operands, but not on their values.
  static let typeOnly: Set<String> = ["Shape", "Size", "EyeLike", "SequenceLength"]
}

extension Tensor {
  /// A number of this tensor's type, without axes.
  func constant(_ value: Double) -> Tensor {
    builder.scalar(dtype.isFloat ? .float(value) : .integer(Int(exactly: value.rounded(.towardZero)) ?? 0), dtype)
  }

  /// Throws silently where the tensor could not be built, so that its shape can be relied on.
  func checked() throws(TypeFault) -> Tensor {
    if isPoisoned { throw .poisoned }
    return self
  }

  /// Puts axes of size 1 at positions of the result, ascending.
  func inserting(axes: [Int]) -> Tensor {
    var shape = shape
    for axis in axes.sorted() { shape.insert(1, at: Swift.min(axis, shape.count)) }
    return reshape(shape)
  }

  /// The size of an axis where it must be known.
  func size(_ axis: Int, _ what: String) throws(TypeFault) -> Int {
    try Call.known([shape[axis]], what)[0]
  }
}
