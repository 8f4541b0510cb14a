/// Whole graphs, node by node: the oracle that tests hold every pass and back-end against.
extension ReferenceEvaluator {
  /// Runs a graph.
  ///
  /// - Parameters:
  ///   - inputs: One array for each input; their sizes bind the graph's symbols.
  ///   - variables: Contents before the run; the initial content where none is given.
  /// - Returns: The outputs, and the contents of updated variables after the run.
  /// - Throws: Missing inputs, types that do not fit, faults that the sizes bring about.
  package static func run(
    _ graph: Graph, inputs: [String: NDArray], variables: [String: NDArray] = [:]
  ) throws(DiagnosticsError) -> (outputs: [String: NDArray], updates: [String: NDArray]) {
    let graph = try graph.binding(try bindings(graph, inputs))
    var arguments: [NDArray] = []
    for input in graph.inputs {
      guard case .input(let payload) = graph[input].operation else { continue }
      guard let array = inputs[payload.argument] else {
        throw DiagnosticsError("input '\(payload.argument)' is missing")
      }
      guard array.type == payload.type else {
        throw DiagnosticsError("input '\(payload.argument)' is \(payload.type), given \(array.type)")
      }
      arguments.append(array)
    }
    for variable in graph.variables {
      if let array = variables[variable.name], array.type != variable.type {
        throw DiagnosticsError("variable '\(variable.name)' is \(variable.type), given \(array.type)")
      }
    }
    let values = try values(graph, arguments, variables)
    func array(_ value: Value) -> NDArray { values[Int(value.node)][Int(value.result)] }
    return (
      Dictionary(graph.outputs.map { ($0.name, array($0.value)) }) { $1 },
      Dictionary(graph.updates.map { ($0.variable, array($0.value)) }) { $1 }
    )
  }

  /// The sizes of the symbols that stand alone in the types of the inputs.
  private static func bindings(_ graph: Graph, _ inputs: [String: NDArray]) throws(DiagnosticsError) -> [String: Int] {
    var bindings: [String: Int] = [:]
    for input in graph.inputs {
      guard case .input(let payload) = graph[input].operation, let array = inputs[payload.argument],
        array.shape.count == payload.type.rank
      else { continue }
      for (size, dimension) in zip(array.shape, payload.type.shape) where dimension.symbols.count == 1 {
        let symbol = dimension.symbols[0]
        guard dimension == Dim(symbol: symbol) else { continue }
        guard bindings[symbol] ?? size == size else {
          throw DiagnosticsError("symbol \(symbol) is \(bindings[symbol] ?? size) and \(size)")
        }
        bindings[symbol] = size
      }
    }
    return bindings
  }

  /// The results of every node.
  private static func values(
    _ graph: Graph, _ arguments: [NDArray], _ variables: [String: NDArray] = [:]
  ) throws(DiagnosticsError) -> [[NDArray]] {
    var values: [[NDArray]] = []
    values.reserveCapacity(graph.nodes.count)
    for (position, node) in graph.nodes.enumerated() {
      let operands = node.operands.map { values[Int($0.node)][Int($0.result)] }
      switch node.operation {
      case .input: values.append([arguments[position]])
      case .variable(let read):
        guard let initial = variables[read.variable] ?? graph.variable(named: read.variable)?.initial else {
          throw DiagnosticsError("variable '\(read.variable)' has no content")
        }
        values.append([initial])
      case .conditional(let payload):
        let branch = operands[0].element(at: 0) == .integer(0) ? payload.otherwise : payload.then
        values.append(try results(branch, Array(operands.dropFirst())))
      case .whileLoop(let payload):
        var state = Array(operands.prefix(payload.stateCount))
        let constants = operands.dropFirst(payload.stateCount)
        while try results(payload.condition, state + constants)[0][0] != .integer(0) {
          state = try results(payload.body, state + constants)
        }
        values.append(state)
      case .call(let payload): values.append(try results(payload.body, operands))
      case .scan(let payload): values.append(try scan(payload, operands, node.types))
      default:
        let location = graph.locations[position]
        guard node.types.allSatisfy({ $0.elementCount != nil }) else {
          throw DiagnosticsError("\(node.operation.name) has unknown sizes", location: location)
        }
        let results: [NDArray]?
        do throws(IndexFault) { results = try evaluate(node.operation, operands, node.types) } catch {
          throw DiagnosticsError("\(node.operation.name): \(error.message)", location: location)
        }
        if let results {
          values.append(results)
        } else if case .factorization = node.operation {
          throw DiagnosticsError("\(node.operation.name): a matrix has none", location: location)
        } else {
          internalError("\(node.operation.name) has no loop definition")
        }
      }
    }
    return values
  }

  /// The outputs of a sub-graph.
  private static func results(_ graph: Graph, _ arguments: [NDArray]) throws(DiagnosticsError) -> [NDArray] {
    let values = try values(graph, arguments)
    return graph.outputs.map { values[Int($0.value.node)][Int($0.value.result)] }
  }

  private static func scan(
    _ payload: Scan, _ operands: [NDArray], _ types: [TensorType]
  ) throws(DiagnosticsError) -> [NDArray] {
    guard let length = payload.length.known else { throw DiagnosticsError("scan has an unknown length") }
    var carry = Array(operands.prefix(payload.carryCount))
    let sequences = operands.dropFirst(payload.carryCount).prefix(payload.sequenceCount)
    let constants = operands.dropFirst(payload.carryCount + payload.sequenceCount)
    var stacked = types.dropFirst(payload.carryCount).map {
      [[UInt8]](repeating: [], count: $0.sizes[0])
    }
    for step in payload.reverse ? Array((0..<length).reversed()) : Array(0..<length) {
      let elements = sequences.map { sequence in
        let size = sequence.bytes.count / length
        return unfailing {
          try NDArray(
            dtype: sequence.dtype, shape: Array(sequence.shape.dropFirst()),
            bytes: Array(sequence.bytes[(step * size)..<((step + 1) * size)]))
        }
      }
      let results = try results(payload.body, carry + elements + constants)
      carry = Array(results.prefix(payload.carryCount))
      for (index, result) in results.dropFirst(payload.carryCount).enumerated() { stacked[index][step] = result.bytes }
    }
    let rest = zip(types.dropFirst(payload.carryCount), stacked).map { type, parts in
      unfailing { try NDArray(dtype: type.dtype, shape: type.sizes, bytes: Array(parts.joined())) }
    }
    return carry + rest
  }
}
