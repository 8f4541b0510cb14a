internal import LatheCore
internal import LatheNN

/// Nodes that call graphs of their own: branches and loops.
extension Importer {
  /// The results of such a node; nil for any other.
  func controlFlow(_ node: ProgramNode) throws(TypeFault) -> [Tensor]? {
    guard node.target.hasPrefix("torch.ops.higher_order.") else { return nil }
    let call = Call(node, nil, scope, builder, evaluating: evaluating)
    func graph(_ position: Int) throws(TypeFault) -> ProgramGraph {
      guard position < node.inputs.count, case .graph(let graph) = node.inputs[position].arg else {
        throw TypeFault("argument \(position) is no graph")
      }
      return graph
    }
    func tensors(_ position: Int) throws(TypeFault) -> [Tensor] {
      guard position < node.inputs.count else { throw TypeFault("argument \(position) is missing") }
      return try call.tensors(in: node.inputs[position].arg)
    }
    call.ignoreArguments()
    switch node.shortTarget {
    case "higher_order.cond":
      let (first, second, operands) = (try graph(1), try graph(2), try tensors(3))
      guard let predicate = try tensors(0).first else { throw TypeFault("has nothing to decide by") }
      return cond(predicate) {
        results(of: first, given: operands)
      } otherwise: {
        results(of: second, given: operands)
      }
    case "higher_order.while_loop":
      let (condition, body, initial, others) = (try graph(0), try graph(1), try tensors(2), try tensors(3))
      return whileLoop(initial) { state in
        results(of: condition, given: state + others).first ?? builder.poison
      } body: { state in
        results(of: body, given: state + others)
      }
    case "higher_order.scan":
      let (body, initial, sequences, others) = (try graph(0), try tensors(1), try tensors(2), try tensors(3))
      let (state, outputs) = scan(initial, over: sequences) { state, elements in
        let all = results(of: body, given: state + elements + others)
        return (Array(all.prefix(initial.count)), Array(all.dropFirst(initial.count)))
      }
      return state + outputs
    case "higher_order.map_impl":
      let (body, sequences, others) = (try graph(0), try tensors(1), try tensors(2))
      return scan([], over: sequences) { _, elements in ([], results(of: body, given: elements + others)) }.outputs
    default: return nil
    }
  }

  /// The results of a graph inside of a node.
  private func results(of graph: ProgramGraph, given arguments: [Tensor]) -> [Tensor] {
    let graph = graph.inlined()
    let outer = (scope, memory)
    defer { (scope, memory) = outer }
    let names = graph.inputs.flatMap(\.names)
    scope = Scope(types: graph.types, arguments: Set(names))
    memory = SharedMemory(graph, kept: names)
    for (name, tensor) in zip(names, arguments) { scope.values[name] = .tensor(tensor) }
    for (index, node) in graph.nodes.enumerated() { run(node, index) }
    return graph.outputs.map { output in
      do throws(TypeFault) {
        return asserted(try Call(scope, builder).tensors(in: output).first ?? builder.poison)
      } catch {
        if error != .poisoned { builder.record(error, operation: "graph", operands: []) }
        return builder.poison
      }
    }
  }
}
