extension Onnx_GraphProto {
  /// The initializers that are parameters of the model, and no constants of its computation.
  ///
  /// Files do not say which is which: exporters write scales, epsilons and slopes as initializers too. Such a one is a
  /// single number that only element-wise operators read, under a name of its exporter's making. A parameter's name is
  /// its path in the module, with a point, or a variable's of TensorFlow.
  var parameterNames: Set<String> {
    var readers: [String: Set<String>] = [:]
    addReaders(to: &readers)
    return Set(
      initializer.filter { tensor in
        let isNumber = tensor.dims.allSatisfy { $0 == 1 }
        let isNamed = tensor.name.contains(".") || tensor.name.contains("ReadVariableOp")
        return !isNumber || isNamed || !(readers[tensor.name] ?? []).isSubset(of: Self.elementwise)
      }.map(\.name))
  }

  private static let elementwise: Set<String> = [
    "Add", "Cast", "Clip", "Div", "Equal", "Expand", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min",
    "Mod", "Mul", "Pow", "Sub", "Sum", "Where",
  ]

  /// Notes the operators of the nodes that read each value, those of sub-graphs too.
  private func addReaders(to readers: inout [String: Set<String>]) {
    for node in node {
      for name in node.input { readers[name, default: []].insert(node.opType) }
      for attribute in node.attribute {
        for graph in (attribute.hasG ? [attribute.g] : []) + attribute.graphs { graph.addReaders(to: &readers) }
      }
    }
  }
}
