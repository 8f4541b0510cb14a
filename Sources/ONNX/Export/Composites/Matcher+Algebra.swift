internal import LatheCore
internal import LatheNN

/// Functions of matrices that are factorizations here, and operators there.
extension Matcher {
  /// Determinants by their last nodes.
  func determinants() -> [Int: Composite] {
    var found: [Int: Composite] = [:]
    for x in factorized() where OperatorTypes.of("Det").working(type(x).dtype) != nil {
      let template = Template(of: [.value(x)], in: self) { [det($0[0])] }
      for value in template?.results()?.first ?? [] {
        found[Int(value.node)] = Composite(operands: [x]) { export, type throws(TypeFault) in
          try export.compute("Det", [try export.value(x)], in: type.dtype, type)
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
