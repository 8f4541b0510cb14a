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

  /// An operator of whose results all but the first are meant for PyTorch's own gradients.
  static func first(of count: Int, _ body: @escaping Body<Tensor>) -> Operator {
    Operator { call throws(TypeFault) in
      [.tensor(try body(call))] + [ProgramValue](repeating: .unread, count: count - 1)
    }
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
    .one { call throws(TypeFault) in
      let (x, other) = try call.operands()
      return function(x, other)
    }
  }

  /// A function of two tensors.
  static func tensors(_ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in
      let (x, other) = try call.operands()
      return function(x, other.tensor(beside: x))
    }
  }

  /// What says something that an import finds out by itself.
  static let nothing = Operator { call throws(TypeFault) in
    call.ignoreArguments()
    return []
  }

  /// A function of one tensor, by the name of the parameter.
  static func one(of name: String, _ function: @escaping @Sendable (Tensor) -> Tensor) -> Operator {
    .one { call throws(TypeFault) in function(try call.tensor(name)) }
  }

  /// A function of two tensors, of which either may be a number.
  static func numbers(
    of second: String = "other", _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Operator {
    .one { call throws(TypeFault) in
      if let number = try call.number("self") {
        let other = try call.tensor(second)
        return function(number.tensor(beside: other), other)
      }
      let (x, other) = try call.operands(second)
      return function(x, other.tensor(beside: x))
    }
  }

  private static let all: [String: Operator] = {
    let families = [
      arithmetic, comparisons, activations, special, reductions, shapes, indexing, creation, contractions, algebra,
      pooling, normalizations, recurrence, resizing, sampling, losses, quantization, sizes,
    ]
    var table = families.reduce(into: [String: Operator]()) { table, family in table.merge(family) { first, _ in first }
    }
    for (name, other) in aliases { table[name] = table[other] ?? internalError("no row '\(other)'") }
    return table
  }()

  /// Other names of operators.
  private static let aliases = [
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctanh": "atanh", "arctan2": "atan2", "negative": "neg", "fix": "trunc", "clip": "clamp", "divide": "div",
    "subtract": "sub", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
    "special_erf": "erf", "special_erfc": "erfc", "special_erfinv": "erfinv", "special_exp2": "exp2",
    "special_expm1": "expm1", "special_expit": "sigmoid", "special_psi": "digamma", "special_digamma": "digamma",
    "special_gammaln": "lgamma", "special_log1p": "log1p", "special_logit": "logit", "special_i0": "i0",
    "special_sinc": "sinc", "special_round": "round", "special_polygamma": "polygamma",
    "special_multigammaln": "mvlgamma", "special_gammainc": "igamma", "special_gammaincc": "igammac",
    "special_xlogy": "xlogy", "special_softmax": "softmax", "special_log_softmax": "log_softmax",
    "special_logsumexp": "logsumexp", "matrix_exp": "linalg_matrix_exp", "matrix_power": "linalg_matrix_power",
    "linalg_matmul": "matmul", "ger": "outer", "moveaxis": "movedim", "swapdims": "transpose",
    "row_stack": "vstack", "argwhere": "nonzero", "trapz.dx": "trapezoid.dx", "_unsafe_index": "index",
    "_unsafe_index_put": "index_put", "unsafe_split_with_sizes": "split_with_sizes", "concatenate": "cat",
    "concat": "cat", "multiply": "mul", "true_divide": "div", "_unique": "_unique2",
  ]

  /// The operator of a target such as `torch.ops.aten.add_.Tensor`, and the schema of its overload.
  ///
  /// What is no tensor's function, such as `_operator.add`, has no schema.
  ///
  /// - Parameter isComplex: Whether operands or results are complex.
  static func named(_ target: String, ofComplex isComplex: Bool = false) -> (operator: Operator, schema: Schema?)? {
    guard target.hasPrefix("torch.ops.aten.") else { return all[target].map { ($0, nil) } }
    var name = String(target.dropFirst("torch.ops.aten.".count))
    if name.hasSuffix(".default") { name.removeLast(".default".count) }
    guard let schema = Schema.all[name] else { return nil }
    let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
    let overload = parts.count > 1 ? ".\(parts[1])" : ""
    let base = schema.isInPlace ? String(parts[0].dropLast()) : parts[0]
    let table = isComplex ? complex : all
    return (table[base + overload] ?? table[base]).map { ($0, schema) }
  }

  /// The operator of real numbers by a row's name.
  static func real(_ name: String) -> Operator? { all[name] }

  /// The names of the operators that are defined here, sorted.
  static var names: [String] { Set(all.keys).union(complex.keys).sorted() }
}

extension Schema {
  /// Whether the result is written to the first argument, as by `add_`.
  var isInPlace: Bool { parameters.first?.name == "self" && parameters.first?.isWritten == true }
}
