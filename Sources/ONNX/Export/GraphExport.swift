internal import LatheCore
internal import SwiftProtobuf

/// Writes the nodes of one graph, operation by operation.
final class GraphExport: NodeWriter {
  let graph: Graph
  let matcher: Matcher
  private var values: [Value: ONNXValue] = [:]
  /// Broadcasts in the form that operators broadcast further by themselves.
  private var compact: [Value: ONNXValue] = [:]
  private var poisoned: Set<Value> = []
  /// Where nodes come from that do not say so themselves.
  private let place: Location

  init(
    _ graph: Graph, in block: Block, of model: ModelExport, arguments: [ONNXValue],
    variables: [String: ONNXValue] = [:], place: Location = Location()
  ) {
    self.graph = graph
    matcher = Matcher(graph: graph)
    self.place = place
    super.init(in: block, of: model)
    for (input, argument) in zip(graph.inputs, arguments) { values[input] = argument }
    for (position, node) in graph.nodes.enumerated() {
      if case .variable(let read) = node.operation { values[Value(node: position)] = variables[read.variable] }
    }
  }

  /// Writes everything that the outputs and updates need.
  func run() {
    let matches = matcher.composites()
    var live = Set((graph.outputs.map(\.value) + graph.updates.map(\.value)).map { Int($0.node) })
    for position in graph.nodes.indices.reversed() where live.contains(position) {
      let node = graph.nodes[position]
      let operands = (matches[position]?.operands ?? node.operands) + node.extents.compactMap { matcher.extents[$0] }
      live.formUnion(operands.map { Int($0.node) })
    }
    for position in graph.nodes.indices where live.contains(position) && values[Value(node: position)] == nil {
      let node = graph.nodes[position]
      let results = node.types.indices.map { Value(node: position, result: $0) }
      let operands = matches[position]?.operands ?? node.operands
      guard !operands.contains(where: poisoned.contains) else {
        poisoned.formUnion(results)
        continue
      }
      location = graph.locations[position].isEmpty ? place : graph.locations[position]
      do throws(TypeFault) {
        let written = if let match = matches[position] { try match.write(self, node.types) } else { try write(node) }
        for (result, value) in zip(results, written) { values[result] = value }
      } catch {
        poisoned.formUnion(results)
        if error != .poisoned { report(error, of: node.operation.name) }
      }
    }
  }

  private func report(_ fault: TypeFault, of operation: String) {
    var help = fault.help
    if !fault.unbound.isEmpty {
      help = "bind it with " + fault.unbound.map { "--dim \($0)=NUMBER" }.joined(separator: " ")
    }
    model.report(
      Diagnostic("\(operation): \(fault.message)", operation: operation, location: location, help: help))
  }

  /// Whether a value could not be written; what depends on it is passed over in silence.
  func isPoisoned(_ value: Value) -> Bool { poisoned.contains(value) }

  // MARK: Values

  /// A value in its whole shape.
  func value(_ value: Value) throws(TypeFault) -> ONNXValue {
    if let known = values[value] { return known }
    let node = graph[value]
    let written: ONNXValue
    switch node.operation {
    case .broadcast, .iota:
      written = try expand(try broadcasting(value), to: node.types[0].shape)
    default: internalError("\(node.operation.name) is read before it is written")
    }
    values[value] = written
    return written
  }

  /// A value as an operand that is broadcast by whatever reads it: with axes of size 1 where it repeats, and without
  /// leading ones.
  func broadcasting(_ value: Value) throws(TypeFault) -> ONNXValue {
    if let known = compact[value] ?? values[value] { return known }
    let node = graph[value]
    let written: ONNXValue
    switch node.operation {
    case .broadcast(let broadcast):
      let source = try self.value(node.operands[0])
      written = try spread(source, over: broadcast.axes, rank: broadcast.shape.count)
    case .iota(let iota):
      written = try spread(
        try numbers(iota.type.shape[iota.axis], iota.type.dtype), over: [iota.axis], rank: iota.type.rank)
    default: return try self.value(value)
    }
    compact[value] = written
    return written
  }

  /// A tensor with its axes at other places, those between of size 1; leading ones are left out.
  private func spread(_ x: ONNXValue, over axes: [Int], rank: Int) throws(TypeFault) -> ONNXValue {
    guard let first = axes.first else { return x }
    let shape = (first..<rank).map { axis in axes.firstIndex(of: axis).map { x.shape[$0] } ?? Dim(1) }
    return try reshape(x, to: shape)
  }

  /// Operands of an operator that broadcasts, whose result has a shape.
  func broadcasting(_ operands: [Value], to shape: [Dim]) throws(TypeFault) -> [ONNXValue] {
    var written: [ONNXValue] = []
    for operand in operands { written.append(try broadcasting(operand)) }
    let reached = shape.indices.allSatisfy { axis in
      shape[axis] == 1
        || written.contains { operand in
          let position = axis - (shape.count - operand.rank)
          return position >= 0 && operand.shape[position] == shape[axis]
        }
    }
    let isDeepEnough = written.contains { $0.rank == shape.count }
    if !reached || !isDeepEnough { written[0] = try value(operands[0]) }
    return written
  }
}
