internal import LatheCore
internal import LatheNN

/// The meaning of an ATen operator: a function from arguments to values of the graph.
///
/// Operators are rows of the tables of their families. A row's name is the operator's, with its overload where overloads
/// differ in meaning. One that ends in `_` writes its result to its first argument.
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
  static func size(_ body: @escaping Body<Dimension>) -> Operator {
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

  /// What checks something that an import checks by itself, or has no result.
  static let nothing = Operator { _ throws(TypeFault) in [] }

  private static let all: [String: Operator] = [
    arithmetic, comparisons, activations, reductions, shapes, indexing, creation, contractions, pooling, normalizations,
    recurrence, resizing, sizes,
  ].reduce(into: [:]) { table, family in table.merge(family) { first, _ in first } }

  /// The operator of a target such as `torch.ops.aten.add_.Tensor`, and whether it writes to its first argument.
  static func named(_ target: String) -> (Operator, isInPlace: Bool)? {
    let isATen = target.hasPrefix("torch.ops.aten.")
    let name = isATen ? String(target.dropFirst("torch.ops.aten.".count)) : target
    if let operation = all[name] { return (operation, false) }
    guard isATen else { return nil }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    if let operation = all[parts[0]] { return (operation, false) }
    guard parts[0].hasSuffix("_"), !parts[0].hasPrefix("__") else { return nil }
    let base = String(parts[0].dropLast())
    let overload = parts.count > 1 ? ".\(parts[1])" : ""
    return (all[base + overload] ?? all[base]).map { ($0, true) }
  }

  /// The names of the operators that are defined here, sorted.
  static var names: [String] { all.keys.sorted() }

  /// Whose memory an operator's results are in.
  enum MemoryUse {
    /// Their own.
    case fresh
    /// The first argument's, or a part of it.
    case view
    /// The first argument's, element by element.
    case same
  }

  private static let views: Set<String> = [
    "view", "reshape", "flatten", "transpose", "permute", "t", "numpy_T", "select", "slice", "expand", "expand_as",
    "squeeze", "unsqueeze", "split", "split_with_sizes", "chunk", "unbind", "narrow", "unflatten", "view_as",
    "reshape_as", "contiguous", "to", "_to_copy", "swapaxes", "movedim", "diagonal", "tensor_split", "as_strided",
    "unfold", "broadcast_to", "type_as", "real",
  ]

  static func memoryUse(of node: ProgramNode) -> MemoryUse {
    let name = node.shortTarget.split(separator: ".").dropFirst().first.map(String.init) ?? ""
    switch name {
    case "alias", "detach", "detach_", "lift_fresh", "dropout", "feature_dropout", "alpha_dropout": return .same
    case _ where name.hasSuffix("_") && !name.hasSuffix("__"): return .same
    default: return views.contains(name) ? .view : .fresh
    }
  }
}
