internal import LatheCore
internal import LatheNN

/// The meaning of an ATen operator: a function from arguments to values of the graph.
///
/// Operators are rows of the tables of their families. A row's name is the operator's, with its overload where overloads
/// differ in meaning; what defaults are, what is written and whose memory results are in, its ``Schema`` says.
struct Operator: Sendable {
  typealias Body<Result> = @Sendable (Call) throws(TypeFault) -> Result

  let apply: Body<[ProgramValue]>

  /// An operator with one tensor as result.
  static func one(_ body: @escaping Body<Tensor>) -> Operator {
    Operator { call throws(TypeFault) in [.tensor(try body(call))] }
  }

  /// An operator with several tensors as results.
  static func several(_ body: @escaping Body<[Tensor]>) -> Operator {
    Operator { call throws(TypeFault) in try body(call).map { .tensor($0) } }
  }

  /// An operator whose result is a size.
  static func size(_ body: @escaping Body<Dim>) -> Operator {
    Operator { call throws(TypeFault) in [.size(try body(call))] }
  }

  /// A function of one tensor.
  static func unary(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor()) }
  }

  /// A function of a tensor and another or a number.
  static func binary(_ function: @escaping @Sendable (Tensor, any TensorOperand) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(), try call.operand()) }
  }

  /// A function of two tensors.
  static func tensors(_ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(), try call.tensor("other")) }
  }

  /// What checks something that an import checks by itself, or has no result.
  static let nothing = Operator { call throws(TypeFault) in
    call.ignoreArguments()
    return []
  }

  private static let all: [String: Operator] = [
    arithmetic, comparisons, activations, reductions, shapes, indexing, creation, contractions, pooling, normalizations,
    recurrence, resizing, sampling, losses, sizes,
  ].reduce(into: [:]) { table, family in table.merge(family) { first, _ in first } }

  /// The operator of a target such as `torch.ops.aten.add_.Tensor`, and the schema of its overload.
  ///
  /// What is no tensor's function, such as `_operator.add`, has no schema.
  static func named(_ target: String) -> (operator: Operator, schema: Schema?)? {
    guard target.hasPrefix("torch.ops.aten.") else { return all[target].map { ($0, nil) } }
    var name = String(target.dropFirst("torch.ops.aten.".count))
    if name.hasSuffix(".default") { name.removeLast(".default".count) }
    guard let schema = Schema.all[name] else { return nil }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let overload = parts.count > 1 ? ".\(parts[1])" : ""
    let base = schema.isInPlace ? String(parts[0].dropLast()) : parts[0]
    return (all[base + overload] ?? all[base]).map { ($0, schema) }
  }

  /// The names of the operators that are defined here, sorted.
  static var names: [String] { all.keys.sorted() }
}

extension Schema {
  /// Whether the result is written to the first argument, as by `add_`.
  var isInPlace: Bool { parameters.first?.name == "self" && parameters.first?.isWritten == true }
}
