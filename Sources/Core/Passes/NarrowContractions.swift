extension Graph {
  /// The graph in mixed precision, as `Autocast` makes it while tracing: for models from files.
  ///
  /// Matrix products and convolutions take operands of the type and sum in `f32`; what moves elements, adds, multiplies,
  /// compares or chooses stays in the type; everything else, as sums, exponentials and divisions, is carried out in
  /// `f32`. Inputs, outputs, variables and sub-graphs keep their types.
  ///
  /// - Parameter type: `f16` or `bf16`.
  /// - Throws: For other types.
  public func autocast(_ type: ScalarType = .bf16) throws(DiagnosticsError) -> Graph {
    guard type == .f16 || type == .bf16 else {
      throw DiagnosticsError("a graph is not carried out in \(type)", help: "mixed precision is of bf16 or f16")
    }
    var kept = Set(outputs.map(\.value)).union(updates.map(\.value))
    for input in inputs { kept.insert(input) }
    var operations: [Operation] = []
    for node in nodes {
      operations.append(
        try node.operation.mappingGraphs { (inner) throws(DiagnosticsError) in try inner.autocast(type) })
    }
    return try rebuilt { node, position, operands, builder in
      if operands.isEmpty { return nil }
      let results: [Tensor]
      let declared = node.operands.map { self.type(of: $0).dtype }
      switch operations[position] {
      case .dot, .convolution:
        let isSingle = declared.allSatisfy { $0 == .f32 }
        results = builder.apply(operations[position], isSingle ? operands.map { $0.convert(to: type) } : operands)
      case let operation where operation.staysNarrow:
        let floats = operands.filter { $0.isPoisoned || $0.dtype.isFloat }
        let narrow = floats.contains { $0.dtype == type } && floats.allSatisfy { $0.dtype == type || $0.isNumber }
        let wanted = zip(operands, declared).map { operand, dtype in
          dtype == .f32 ? operand.convert(to: narrow ? type : .f32) : operand.convert(to: dtype)
        }
        results = builder.apply(operation, wanted)
      case let operation:
        results = builder.apply(operation, zip(operands, declared).map { $0.convert(to: $1) })
      }
      return results.enumerated().map { result, tensor in
        let value = Value(node: position, result: result)
        return kept.contains(value) && !tensor.isPoisoned ? tensor.convert(to: self.type(of: value).dtype) : tensor
      }
    }
  }
}

extension Operation {
  /// Whether little is lost where the operation is carried out in 16 bits.
  fileprivate var staysNarrow: Bool {
    switch self {
    case .pointwise(let function):
      switch function {
      case .negate, .abs, .add, .subtract, .multiply, .maximum, .minimum, .select, .equal, .notEqual, .less, .lessEqual,
        .greater, .greaterEqual:
        true
      default: false
      }
    case .reshape, .permute, .broadcast, .slice, .reverse, .pad, .concatenate, .gather, .detach: true
    default: false
    }
  }
}

extension Tensor {
  /// Whether it is one number, repeated to a shape or not.
  fileprivate var isNumber: Bool {
    if let literal { return literal.count == 1 }
    guard !isPoisoned else { return false }
    switch operation {
    case .broadcast, .reshape, .convert: return source(0).isNumber
    default: return false
    }
  }
}
