internal import Foundation
public import LatheCore
public import LatheData
internal import SwiftProtobuf

/// The files of an ONNX model with new contents of initializers, under their own names; all else stays as it is.
///
/// Tensors that the model has in files beside it come into one, `OUTPUT.data`.
///
/// - Parameters:
///   - path: The `.onnx` file.
///   - contents: The new contents by the initializers' names; types and shapes stay.
///   - output: Where the model is to be written.
/// - Throws: What keeps the file from being read; names that no initializer has; contents of another type.
public func replacingInitializers(
  ofONNX path: String, with contents: [String: NDArray], writtenTo output: String
) throws(DiagnosticsError) -> [FileContent] {
  var proto = try Onnx_ModelProto(reading: path)
  var moved = MovedData(
    location: URL(fileURLWithPath: output).lastPathComponent + ".data",
    source: ExternalData(folder: URL(fileURLWithPath: path).deletingLastPathComponent()))
  var faults: [Diagnostic] = []
  var unknown = Set(contents.keys)
  for index in proto.graph.initializer.indices {
    let name = proto.graph.initializer[index].name
    guard let array = contents[name] else { continue }
    unknown.remove(name)
    do throws(TypeFault) {
      try proto.graph.initializer[index].replaceContent(with: array)
    } catch {
      faults.append(Diagnostic("initializer '\(name)': \(error.message)", location: Location(file: path, node: name)))
    }
  }
  faults += unknown.sorted().map { Diagnostic("the model has no initializer '\($0)'", location: Location(file: path)) }
  guard faults.isEmpty else { throw DiagnosticsError(faults) }
  do throws(TypeFault) {
    try moved.move(&proto.graph)
    for index in proto.functions.indices { try moved.move(&proto.functions[index].node) }
  } catch {
    throw DiagnosticsError(error.message, location: Location(file: path), help: error.help)
  }
  let bytes: [UInt8]
  do {
    bytes = try proto.serializedBytes()
  } catch {
    throw DiagnosticsError("cannot be written as ONNX: \(error)", location: Location(file: output))
  }
  let model = FileContent(path: output, bytes: bytes)
  return moved.bytes.isEmpty ? [model] : [model, FileContent(path: output + ".data", bytes: moved.bytes)]
}

/// Tensors from files beside a model on their way into one file.
private struct MovedData {
  let location: String
  let source: ExternalData
  var bytes: [UInt8] = []

  mutating func move(_ graph: inout Onnx_GraphProto) throws(TypeFault) {
    for index in graph.initializer.indices { try move(&graph.initializer[index]) }
    for index in graph.sparseInitializer.indices {
      try move(&graph.sparseInitializer[index].values)
      try move(&graph.sparseInitializer[index].indices)
    }
    try move(&graph.node)
  }

  mutating func move(_ nodes: inout [Onnx_NodeProto]) throws(TypeFault) {
    for node in nodes.indices {
      for index in nodes[node].attribute.indices {
        if nodes[node].attribute[index].hasT { try move(&nodes[node].attribute[index].t) }
        for tensor in nodes[node].attribute[index].tensors.indices {
          try move(&nodes[node].attribute[index].tensors[tensor])
        }
        if nodes[node].attribute[index].hasG { try move(&nodes[node].attribute[index].g) }
        for graph in nodes[node].attribute[index].graphs.indices {
          try move(&nodes[node].attribute[index].graphs[graph])
        }
      }
    }
  }

  private mutating func move(_ tensor: inout Onnx_TensorProto) throws(TypeFault) {
    guard tensor.dataLocation == .external else { return }
    let content: [UInt8]
    do throws(TypeFault) {
      // A tensor with new content has it already.
      content = tensor.rawData.isEmpty ? try tensor.array(source).packedBytes : [UInt8](tensor.rawData)
    } catch {
      throw TypeFault("tensor '\(tensor.name)': \(error.message)", help: error.help)
    }
    tensor.setExternal(location: location, offset: bytes.count, length: content.count)
    bytes += content
    bytes += [UInt8](repeating: 0, count: (64 - bytes.count % 64) % 64)
  }
}

extension Onnx_TensorProto {
  /// Puts other numbers in place of those of the tensor.
  fileprivate mutating func replaceContent(with array: NDArray) throws(TypeFault) {
    let type = TensorType(try ScalarType(onnx: Int(dataType)), try shape())
    guard array.type == type else { throw TypeFault("it is \(type), its new content is \(array.type)") }
    floatData = []
    doubleData = []
    int32Data = []
    int64Data = []
    uint64Data = []
    rawData = Data(array.packedBytes)
  }
}
