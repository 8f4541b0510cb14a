internal import LatheCore
internal import LatheNN

/// Functions of matrices that are factorizations here, and operators there.
extension Matcher {
  /// Determinants and inverses by their last nodes.
  func matrixFunctions() -> [Int: Composite] {
    let functions: [(operation: String, function: (Tensor) -> Tensor)] = [
      ("Det", { det($0) }), ("Inverse", { Linalg.inv($0) }),
    ]
    var found: [Int: Composite] = [:]
    for x in factorized() {
      for (operation, function) in functions where OperatorTypes.of(operation).working(type(x).dtype) != nil {
        let template = Template(of: [.value(x)], in: self) { [function($0[0])] }
        for value in template?.results()?.first ?? [] {
          found[Int(value.node)] = Composite(operands: [x]) { export, type throws(TypeFault) in
            try export.compute(operation, [try export.value(x)], in: type.dtype, type)
          }
        }
      }
    }
    return found
  }

  /// What is factorized, or given to a function that factorizes.
  private func factorized() -> [Value] {
    var values: [Value] = []
    for node in graph.nodes {
      switch node.operation {
      case .factorization(.lu): values.append(node.operands[0])
      case .call(let call):
        let body = Matcher(graph: call.body)
        for (input, operand) in zip(call.body.inputs, node.operands) where body.factorized().contains(input) {
          values.append(operand)
        }
      default: continue
      }
    }
    return values
  }
}
