import Foundation
public import LatheCore
import SwiftProtobuf

extension SummaryWriter {
  /// Adds a graph, for TensorBoard's page of graphs (`add_graph`).
  ///
  /// Modules are its boxes.
  ///
  /// ```swift
  /// try writer.addGraph(trace(LeNet(), .f32(1, 1, 28, 28)))
  /// ```
  ///
  /// - Throws: That events cannot be written.
  public func addGraph(_ graph: Graph, walltime: Double? = nil) throws(DiagnosticsError) {
    var nodes = GraphNodes()
    nodes.add(graph, in: [])
    let definition = Tensorboard_GraphDef.with {
      $0.node = nodes.list
      $0.versions.producer = 22
    }
    try add(.graphDef(Data(definition.encoded)), nil, walltime)
  }
}

/// The nodes of a graph by names that are paths: scopes, divided by slashes, and the operation.
private struct GraphNodes {
  private(set) var list: [Tensorboard_NodeDef] = []
  private var taken = Set<String>()

  /// Adds a function's nodes, and gives the names of its outputs.
  @discardableResult
  mutating func add(_ graph: Graph, in scope: [String]) -> [String] {
    var names: [String] = []
    for (position, path) in graph.modulePaths.enumerated() {
      let node = graph.nodes[position]
      let inner = scope + path.map(String.init)
      let name: String
      var kind = node.operation.name
      switch node.operation {
      case .input(let input):
        name = unused(scope + ["input", input.argument])
        kind = "IO Node"
      case .variable(let read):
        name = unused(scope + read.variable.split(separator: ".").map(String.init))
        kind = graph.variable(named: read.variable)?.role == .buffer ? "Buffer" : "Parameter"
      case .constant:
        // TensorBoard draws what it calls this as a small circle beside its reader.
        name = unused(inner + [kind])
        kind = "Const"
      default: name = unused(inner + [kind])
      }
      names.append(name)
      var inputs = node.operands.map { Self.reference($0, names) }
      for case (let part, .graph(let body)) in node.operation.definition.attributes {
        // Nothing flows from a function's inside to its reader but by way of the node: an edge of control.
        inputs += add(body, in: name.split(separator: "/").map(String.init) + [part]).map { "^" + $0 }
      }
      add(name, kind, inputs, node.types, Self.attributes(node))
    }
    let outputs = graph.outputs.map { output in
      let name = unused(scope + ["output", output.name])
      add(name, "IO Node", [Self.reference(output.value, names)], [graph.type(of: output)], "")
      return name
    }
    for update in graph.updates {
      let name = unused(scope + ["update", update.variable])
      add(name, "Update", [Self.reference(update.value, names)], [graph.type(of: update.value)], "")
    }
    return outputs
  }

  private mutating func add(
    _ name: String, _ kind: String, _ inputs: [String], _ types: [TensorType], _ attributes: String
  ) {
    let shapes = types.map { type in SummaryWriter.shape(type.shape.map { $0.known ?? -1 }) }
    list.append(
      .with {
        $0.name = name
        $0.op = kind
        $0.input = inputs
        $0.attr["_output_shapes"] = .with { $0.list.shape = shapes }
        let text = (types.map(\.description) + [attributes]).filter { !$0.isEmpty }.joined(separator: "; ")
        $0.attr["attr"] = .with { $0.s = Data(text.utf8) }
      })
  }

  private static func reference(_ value: Value, _ names: [String]) -> String {
    names[Int(value.node)] + (value.result > 0 ? ":\(value.result)" : "")
  }

  /// A path that no other node has, of characters that TensorBoard takes.
  private mutating func unused(_ path: [String]) -> String {
    let allowed: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) }
    let name = path.map { part in
      let text = String(part.map { allowed($0) ? $0 : "_" })
      return text.first.map { $0.isLetter || $0.isNumber || $0 == "." } ?? false ? text : "." + text
    }
    .joined(separator: "/")
    var candidate = name
    var number = 1
    while !taken.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  /// The attributes as text, apart from literals and functions.
  private static func attributes(_ node: Node) -> String {
    node.operation.definition.attributes.compactMap { name, value in
      switch value {
      case .integer(let number): "\(name) \(number)"
      case .integers(let numbers): "\(name) \(numbers)"
      case .dimensions(let sizes): "\(name) \(sizes.text)"
      case .flag(let flag): "\(name) \(flag)"
      case .word(let word): "\(name) \(word)"
      case .type(let type): "\(name) \(type)"
      case .array, .graph: nil
      }
    }
    .joined(separator: "; ")
  }
}
