internal import Foundation
public import LatheCore
package import LatheData
internal import SwiftProtobuf

/// The bytes of a graph as an ONNX model.
///
/// The model has the oldest operator set that expresses the graph, from 13 on, and the same bytes whenever it is written.
/// Inputs and outputs keep their names, symbols of sizes are `dim_param`s.
///
/// Variables that no update changes are initializers under their own names. Of a graph with updates, such as a training
/// step, the variables that are updated are inputs, whose defaults are their initial contents, and what they hold
/// afterwards are further outputs: `next/NAME` belongs to the input `NAME`.
///
/// - Parameters:
///   - graph: The graph, simplified before it is written.
///   - state: Variables that are inputs too, though this graph does not update them: those of other functions.
/// - Throws: Everything that ONNX cannot express, with its places; a model larger than the 2 GB that one file can have.
public func exportONNX(_ graph: Graph, state: Set<String> = []) throws(DiagnosticsError) -> [UInt8] {
  let model = try Onnx_ModelProto(graph, state: state)
  guard model.dataByteCount <= ExternalLayout.largestInline else {
    throw DiagnosticsError(
      "the model is larger than 2 GB, and no single file of ONNX can be", help: "export it to a path")
  }
  return try model.bytes(for: nil)
}

/// Writes a graph as an ONNX model.
///
/// Tensors of 1 KiB and more are in `PATH.data` beside it where the model would be larger than 2 GB.
///
/// - Parameters:
///   - path: The `.onnx` file.
///   - graph: As for `exportONNX(_:state:)`.
///   - state: As for `exportONNX(_:state:)`.
/// - Throws: What ONNX cannot express, and what keeps the files from being written.
public func exportONNX(_ graph: Graph, to path: String, state: Set<String> = []) throws(DiagnosticsError) {
  try onnxFiles(of: graph, path: path, state: state).writeAtomically()
}

/// Writes the functions of a model, each as an ONNX model of its own: of a single one to the path, of several
/// `train_step` becomes `PATH.train_step.onnx` for `PATH.onnx`.
///
/// What any function updates is an input of all that read it, so that the outputs `next/NAME` of one go where the inputs
/// `NAME` of the next are.
///
/// - Throws: What ONNX cannot express, and what keeps the files from being written.
public func exportONNX(_ model: LatheCore.Model, to path: String) throws(DiagnosticsError) {
  try onnxFiles(of: model, path: path).writeAtomically()
}

/// The files of a model's functions as ONNX models.
package func onnxFiles(of model: LatheCore.Model, path: String) throws(DiagnosticsError) -> [FileContent] {
  let state = Set(model.functions.flatMap { $0.updates.map(\.variable) })
  if model.functions.count == 1 { return try onnxFiles(of: model.functions[0], path: path, state: state) }
  let stem = path.hasSuffix(".onnx") ? String(path.dropLast(5)) : path
  var files: [FileContent] = []
  var faults: [Diagnostic] = []
  for function in model.functions {
    do throws(DiagnosticsError) {
      files += try onnxFiles(of: function, path: "\(stem).\(function.name).onnx", state: state)
    } catch {
      faults += error.diagnostics.map { fault in
        var fault = fault
        fault.message = "function '\(function.name)': \(fault.message)"
        return fault
      }
    }
  }
  guard faults.isEmpty else { throw DiagnosticsError(faults) }
  return files
}

/// The files of a graph as an ONNX model.
///
/// - Parameter largestInline: The most bytes of tensors that are in the model's own file.
package func onnxFiles(
  of graph: Graph, path: String, state: Set<String>, largestInline: Int = ExternalLayout.largestInline
) throws(DiagnosticsError) -> [FileContent] {
  var model = try Onnx_ModelProto(graph, state: state)
  guard model.dataByteCount > largestInline else { return [FileContent(path: path, bytes: try model.bytes(for: path))] }
  var layout = ExternalLayout(location: URL(fileURLWithPath: path).lastPathComponent + ".data")
  for index in model.graph.initializer.indices { layout.move(&model.graph.initializer[index]) }
  return [
    FileContent(path: path, bytes: try model.bytes(for: path)), FileContent(path: path + ".data", bytes: layout.bytes),
  ]
}

/// Where tensors are in a file beside the model.
package struct ExternalLayout {
  /// What protobuf can hold in one message, less what the graph takes.
  package static let largestInline = 1 << 31 - 1 << 26

  /// The name of the file.
  let location: String
  fileprivate(set) var bytes: [UInt8] = []

  init(location: String) { self.location = location }

  /// Moves the numbers of a tensor, unless they are few: shapes have to be seen without the file.
  mutating func move(_ tensor: inout Onnx_TensorProto) {
    let content = tensor.rawData
    guard content.count >= 1 << 10 else { return }
    // Large ones begin a page, so that they can be mapped.
    let alignment = content.count >= 1 << 20 ? 4096 : 64
    bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    tensor.setExternal(location: location, offset: bytes.count, length: content.count)
    bytes += content
  }
}

extension Onnx_TensorProto {
  /// Says that the numbers are in another file.
  mutating func setExternal(location: String, offset: Int, length: Int) {
    clearRawData()
    dataLocation = .external
    externalData = [("location", location), ("offset", "\(offset)"), ("length", "\(length)")].map { key, value in
      Onnx_StringStringEntryProto.with {
        $0.key = key
        $0.value = value
      }
    }
  }
}

extension Onnx_ModelProto {
  fileprivate var dataByteCount: Int { graph.initializer.reduce(0) { $0 + $1.rawData.count } }

  fileprivate func bytes(for path: String?) throws(DiagnosticsError) -> [UInt8] {
    do {
      return try serializedBytes()
    } catch {
      throw DiagnosticsError("cannot be written as ONNX: \(error)", location: Location(file: path))
    }
  }

  /// The model of a graph, for the oldest operator set that has what it needs.
  fileprivate init(_ graph: Graph, state: Set<String>) throws(DiagnosticsError) {
    let graph = try Pipeline([.dropDetach, .simplify]).run(graph).graph
    let state = state.union(graph.updates.map(\.variable))
    var opset = OperatorTypes.oldest
    while true {
      let export = ModelExport(opset: opset)
      let proto = try Onnx_GraphProto(graph, state: state, export)
      guard export.faults.isEmpty else { throw DiagnosticsError(export.faults) }
      // A newer operator set may have another form of an operator that is written already.
      if export.needed > opset {
        opset = export.needed
        continue
      }
      self.init()
      irVersion = Int64(export.irVersion)
      producerName = "lathe"
      opsetImport = [.with { $0.version = Int64(opset) }]
      for domain in export.otherDomains {
        opsetImport.append(
          .with {
            $0.domain = domain
            $0.version = 1
          })
      }
      self.graph = proto
      return
    }
  }
}

extension Onnx_GraphProto {
  fileprivate init(_ graph: Graph, state: Set<String>, _ model: ModelExport) throws(DiagnosticsError) {
    self.init()
    name = graph.name.isEmpty ? "main" : graph.name
    try model.reserve(graph, state)

    // Arguments, and variables that may be given.
    var arguments: [ONNXValue] = []
    for value in graph.inputs {
      let argument = ONNXValue(name: graph.inputName(value), type: graph.type(of: value))
      arguments.append(argument)
      model.declare(argument)
    }
    var variables: [String: ONNXValue] = [:]
    for variable in graph.variables { variables[variable.name] = model.keep(variable.initial, as: variable.name) }
    let states = graph.variables.filter { state.contains($0.name) }
    input =
      arguments.map { Onnx_ValueInfoProto($0.name, $0.type) } + states.map { Onnx_ValueInfoProto($0.name, $0.type) }

    let block = Block()
    let export = GraphExport(graph, in: block, of: model, arguments: arguments, variables: variables)
    export.run()

    // Results: what a node gives gets the result's name, what has a name already is handed on.
    var renamed: [String: String] = [:]
    let results =
      graph.outputs.map { (name: $0.name, value: $0.value) }
      + graph.updates.map { (name: "next/" + $0.variable, value: $0.value) }
    for result in results where !export.isPoisoned(result.value) {
      do throws(TypeFault) {
        let value = try export.value(result.value)
        // An argument, or a variable, that is a result under its own name.
        if value.name != result.name {
          let isFree = block.produced[value.name] != nil && renamed[value.name] == nil
          renamed[isFree ? value.name : export.emit("Identity", [value], value.type).name] = result.name
        }
        output.append(Onnx_ValueInfoProto(result.name, value.type))
      } catch {
        model.report(Diagnostic("output '\(result.name)': \(error.message)", help: error.help))
      }
    }
    block.prune(keeping: renamed.keys)
    model.prologue.prune(keeping: block.nodes.flatMap { NodeOrder.names(readBy: $0) } + renamed.keys)
    node = (model.prologue.nodes + block.nodes).map { $0.renaming(renamed) }
    let read = Set(node.flatMap { NodeOrder.names(readBy: $0) } + states.map(\.name) + output.map(\.name))
    initializer = model.initializers.filter { read.contains($0.name) }.map { name, array in
      Onnx_TensorProto(array, name: name)
    }
    valueInfo = (model.prologue.nodes + block.nodes).flatMap(\.output).compactMap { name in
      guard let type = block.produced[name] ?? model.prologue.produced[name], renamed[name] == nil else { return nil }
      return Onnx_ValueInfoProto(name, type)
    }
  }
}

extension Graph {
  /// The name that an input or a variable has outside.
  fileprivate func ownName(_ value: Value) -> String? {
    switch self[value].operation {
    case .input(let input): input.argument
    case .variable(let read): read.variable
    default: nil
    }
  }
}

extension ModelExport {
  /// Takes the names that have to stay as they are.
  fileprivate func reserve(_ graph: Graph, _ state: Set<String>) throws(DiagnosticsError) {
    var faults: [Diagnostic] = []
    func take(_ name: String, _ what: String) {
      if name.isEmpty { faults.append(Diagnostic("\(what) has no name, which ONNX asks for")) }
      guard !reserve(name) else { return }
      faults.append(
        Diagnostic("\(what) '\(name)' has the name of another value, of which ONNX has one for each name"))
    }
    for input in graph.inputs { take(graph.inputName(input), "input") }
    for variable in graph.variables { take(variable.name, "variable") }
    for output in graph.outputs where graph.ownName(output.value) != output.name { take(output.name, "output") }
    for update in graph.updates { take("next/" + update.variable, "the next content") }
    guard faults.isEmpty else { throw DiagnosticsError(faults) }
  }
}

extension Onnx_NodeProto {
  /// The node with other names for values, also in the graphs that it holds.
  fileprivate func renaming(_ names: [String: String]) -> Onnx_NodeProto {
    var node = self
    node.input = input.map { names[$0] ?? $0 }
    node.output = output.map { names[$0] ?? $0 }
    for index in node.attribute.indices where node.attribute[index].hasG {
      node.attribute[index].g.node = node.attribute[index].g.node.map { $0.renaming(names) }
    }
    return node
  }
}

extension Onnx_TensorProto {
  init(_ array: NDArray, name: String) {
    self.init()
    dims = array.shape.map { Int64($0) }
    dataType = Int32(array.dtype.onnx.rawValue)
    self.name = name
    rawData = Data(array.packedBytes)
  }
}
