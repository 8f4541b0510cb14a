/// Where gradients are switched off or on, and types are chosen by rule, programs call graphs of their own. Here the
/// nodes of such a graph are its caller's.
extension ProgramGraph {
  /// The graph with the nodes of called graphs in the places of the calls.
  func inlined() -> ProgramGraph {
    guard nodes.contains(where: { $0.inlining != nil }) else { return self }
    var types = types
    var nodes: [ProgramNode] = []
    for (index, node) in self.nodes.enumerated() {
      guard let (graph, operands, ending) = node.inlining else {
        nodes.append(node)
        continue
      }
      let body = graph.inlined()
      var names: [String: String] = [:]
      for (input, operand) in zip(body.inputs.flatMap(\.names), operands.flatMap(\.names)) { names[input] = operand }
      func renamed(_ name: String) -> String { names[name] ?? "\(index)/\(name)" }
      for (name, type) in body.types { types[renamed(name)] = types[renamed(name)] ?? type }
      nodes += body.nodes.map { $0.renamed(renamed) }
      for (inner, outer) in zip(body.outputs.flatMap(\.names), node.outputNames) {
        nodes.append(ProgramNode(ending, of: renamed(inner), giving: outer, metadata: node.metadata))
      }
    }
    return ProgramGraph(inputs: inputs, outputs: outputs, nodes: nodes, types: types, sizes: sizes)
  }
}

extension ProgramNode {
  /// The graph that is called, what it is given, and what its results are to the caller.
  fileprivate var inlining: (graph: ProgramGraph, operands: [Argument], ending: String)? {
    let settings: [Argument]
    switch target {
    case "torch.ops.higher_order.wrap_with_set_grad_enabled": settings = inputs.prefix(1).map(\.arg)
    // Types that are chosen by rule are not written down in the nodes.
    case "torch.ops.higher_order.wrap_with_autocast": settings = inputs.prefix(4).map(\.arg)
    default: return nil
    }
    guard inputs.count > settings.count, case .graph(let graph) = inputs[settings.count].arg else { return nil }
    let isGradient = settings.count == 1
    guard case .bool(let isEnabled)? = isGradient ? settings.first : settings.dropFirst(2).first,
      isGradient || !isEnabled
    else { return nil }
    return (graph, inputs[(settings.count + 1)...].map(\.arg), isGradient && !isEnabled ? "detach" : "alias")
  }

  fileprivate init(_ operation: String, of operand: String, giving result: String, metadata: [String: String]?) {
    target = "torch.ops.aten.\(operation).default"
    inputs = [NamedArgument(name: "self", arg: .tensor(operand))]
    outputs = [.tensor(result)]
    self.metadata = metadata
    name = result
  }

  fileprivate func renamed(_ name: (String) -> String) -> ProgramNode {
    ProgramNode(
      target: target, inputs: inputs.map { NamedArgument(name: $0.name, arg: $0.arg.renamed(name)) },
      outputs: outputs.map { $0.renamed(name) }, metadata: metadata, name: self.name)
  }
}

extension Argument {
  fileprivate func renamed(_ name: (String) -> String) -> Argument {
    switch self {
    case .tensor(let tensor): .tensor(name(tensor))
    case .tensors(let tensors): .tensors(tensors.map(name))
    case .optionalTensors(let tensors): .optionalTensors(tensors.map { $0.map(name) })
    case .symbol(let symbol): .symbol(name(symbol))
    case .sizes(let sizes): .sizes(sizes.map { $0.renamed(name) })
    default: self
    }
  }
}
