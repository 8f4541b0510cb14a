import ArgumentParser
import Lathe
import LatheCore

/// `info`: the table of layers that users of Keras know.
struct InfoCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "info",
      abstract: "Print the layers: name, operation, output type, parameters, multiply-accumulates, bytes.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var known: BindingOptions

  func perform() throws {
    let graph = try model.boundGraph(known.bindings(of: model))
    try Console.output(LayerTable(graph, parameters: try model.parameterCount()).text)
  }
}

/// The nodes of a graph in rows, one for each layer.
struct LayerTable {
  /// Nodes one after another that come from one place.
  private struct Layer {
    var name: String
    var operation: String
    var type: TensorType
    var parameters = 0
    var macs: Dim = 0
    /// Whether the operation is that of the node that does most of the work.
    var isNamed = false
  }

  let text: String

  /// - Parameter parameters: The elements of the parameters, where the model's file names them.
  init(_ graph: Graph, parameters: Int?) {
    var layers: [Layer] = []
    var place: Location?
    // Layers whose weights have equal contents have them each.
    var counted = Set<Value>()
    for (position, node) in graph.nodes.enumerated() where !node.operation.isSource {
      let location = graph.locations[position]
      let macs = graph.macs(of: node)
      // Code outside of layers has no name: there every call is a layer, save operations that only repeat a number.
      let isAnonymous = location.modulePath == nil && location.node == nil && location.call == nil
      if case .broadcast = node.operation, isAnonymous { continue }
      let key = Location(modulePath: location.modulePath, node: location.node, call: location.call)
      let name = location.call?.function ?? node.operation.name
      if isAnonymous || place != key || layers.isEmpty {
        layers.append(
          Layer(name: location.node ?? location.modulePath ?? "", operation: name, type: node.types[0]))
        place = key
        counted = []
      }
      let last = layers.count - 1
      if macs != 0 {
        layers[last].operation = name
        layers[last].isNamed = true
      } else if !layers[last].isNamed {
        layers[last].operation = name
      }
      layers[last].type = node.types[0]
      layers[last].macs = layers[last].macs + macs
      for operand in node.operands where counted.insert(operand).inserted && graph[operand].operation.isSource {
        layers[last].parameters += graph.parameterTypes(of: graph[operand]).elementCount
      }
      layers[last].parameters += graph.parameterTypes(of: node).elementCount
    }

    var table = TextTable([
      ("name", .left), ("operation", .left), ("output", .left), ("parameters", .right), ("MACs", .right),
      ("bytes", .right),
    ])
    func bytes(_ type: TensorType) -> Dim { type.shape.elementCount * Dim(type.dtype.byteCount) }
    var total: (parameters: Int, macs: Dim, bytes: Dim) = (0, 0, 0)
    for input in graph.inputs {
      let type = graph.type(of: input)
      total.bytes = total.bytes + bytes(type)
      table.append([graph.inputName(input), "input", "\(type)", "", "", bytes(type).grouped])
    }
    for layer in layers {
      total.parameters += layer.parameters
      total.macs = total.macs + layer.macs
      total.bytes = total.bytes + bytes(layer.type)
      table.append([
        layer.name, layer.operation, "\(layer.type)", layer.parameters == 0 ? "" : layer.parameters.grouped,
        layer.macs == 0 ? "" : layer.macs.grouped, bytes(layer.type).grouped,
      ])
    }
    let held = graph.parameterTypes
    total.parameters = parameters ?? held.elementCount
    table.append(["total", "", "", total.parameters.grouped, total.macs.grouped, total.bytes.grouped])
    let trained = graph.variables.filter { $0.role == .parameter }.reduce(0) { $0 + $1.initial.count }
    text =
      table.text(totals: true)
      + "parameters: \(total.parameters.grouped) in \(held.reduce(0) { $0 + ($1.byteCount ?? 0) }.grouped) bytes"
      + (total.parameters > held.elementCount ? ", equal contents once" : "")
      + (graph.variables.isEmpty ? "" : ", \(trained.grouped) of them trained") + "\n"
      + graph.capacities.map { "decided by data: \(ModelSummary.Extent($0.size, capacity: $0.capacity).text)\n" }
      .joined()
  }
}
