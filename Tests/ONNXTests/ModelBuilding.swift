import Foundation
import Lathe
import LatheCore
import SwiftProtobuf

@testable import LatheONNX

/// A small ONNX model, made from the protobuf types.
struct TestModel {
  var proto = Onnx_ModelProto()

  init(opset: Int = 17, _ nodes: [Onnx_NodeProto] = [], inputs: [(String, TensorType)] = [], outputs: [String] = ["y"])
  {
    proto.irVersion = 8
    proto.opsetImport = [.with { $0.version = Int64(opset) }]
    proto.graph.name = "test"
    proto.graph.node = nodes
    proto.graph.input = inputs.map { .tensor($0.0, $0.1) }
    proto.graph.output = outputs.map { name in .with { $0.name = name } }
  }

  /// The model with an initializer more.
  func initializer(_ name: String, _ array: NDArray) -> TestModel {
    var model = self
    model.proto.graph.initializer.append(.tensor(name, array))
    return model
  }

  /// The model after a change of its protobuf.
  func changed(_ change: (inout Onnx_ModelProto) -> Void) -> TestModel {
    var model = self
    change(&model.proto)
    return model
  }

  var bytes: [UInt8] { (try? proto.serializedBytes()) ?? [] }

  func graph(
    dims: [String: Int] = [:], bindings: [String: NDArray] = [:], trainable: Bool = false, evaluating: Bool = false
  )
    throws -> Graph
  {
    try importONNX(
      bytes: bytes, file: "test.onnx", dims: dims, bindings: bindings, trainable: trainable, evaluating: evaluating)
  }

  /// The outputs for inputs, by the oracle.
  func run(_ inputs: [String: NDArray] = [:]) throws -> [String: NDArray] {
    let graph = try graph(bindings: inputs)
    // Results whose size data decides are cut by what runs a graph.
    if !graph.capacities.isEmpty {
      var session = try compile(graph).session()
      let results = try session.run(graph.inputs.compactMap { inputs[graph.inputName($0)] })
      return Dictionary(uniqueKeysWithValues: zip(graph.outputs.map(\.name), results))
    }
    let names = Set(graph.inputs.map { graph.inputName($0) })
    return try ReferenceEvaluator.run(graph, inputs: inputs.filter { names.contains($0.key) }).outputs
  }

  /// The diagnostics of a model that cannot be imported; none when it can.
  func mistakes(dims: [String: Int] = [:]) -> [Diagnostic] {
    do {
      _ = try importONNX(bytes: bytes, file: "test.onnx", dims: dims)
      return []
    } catch {
      return error.diagnostics
    }
  }
}

/// A node with the result `y`; `""` leaves an operand out.
func node(
  _ operation: String, _ inputs: [String], name: String = "", domain: String = "", _ attributes: Onnx_AttributeProto...
) -> Onnx_NodeProto {
  makeNode(operation, inputs, ["y"], name, domain, attributes)
}

/// A node with several results, or with a result of another name.
func node(
  _ operation: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
  _ attributes: Onnx_AttributeProto...
) -> Onnx_NodeProto {
  makeNode(operation, inputs, outputs, name, domain, attributes)
}

private func makeNode(
  _ operation: String, _ inputs: [String], _ outputs: [String], _ name: String, _ domain: String,
  _ attributes: [Onnx_AttributeProto]
) -> Onnx_NodeProto {
  .with {
    $0.opType = operation
    $0.input = inputs
    $0.output = outputs
    $0.name = name
    $0.domain = domain
    $0.attribute = attributes
  }
}

extension Onnx_AttributeProto {
  static func floats(_ name: String, _ values: [Float]) -> Self {
    .with {
      $0.name = name
      $0.type = .floats
      $0.floats = values
    }
  }

  static func graph(
    _ name: String, _ nodes: [Onnx_NodeProto], inputs: [(String, TensorType)] = [], outputs: [String]
  ) -> Self {
    .with {
      $0.name = name
      $0.type = .graph
      $0.g = TestModel(nodes, inputs: inputs, outputs: outputs).proto.graph
    }
  }
}

extension Onnx_TensorProto {
  static func tensor(_ name: String, _ array: NDArray) -> Self {
    .with {
      $0.name = name
      $0.dims = array.shape.map { Int64($0) }
      $0.dataType = Int32(array.dtype.onnx.rawValue)
      $0.rawData = Data(array.bytes.packed(array.dtype))
    }
  }
}

extension Onnx_ValueInfoProto {
  static func tensor(_ name: String, _ type: TensorType) -> Self {
    .with {
      $0.name = name
      $0.type.tensorType.elemType = Int32(type.dtype.onnx.rawValue)
      $0.type.tensorType.shape.dim = type.shape.map { size in
        .with { dimension in
          if let known = size.known {
            dimension.dimValue = Int64(known)
          } else {
            dimension.dimParam = size.symbols.joined(separator: " ")
          }
        }
      }
    }
  }
}

/// An `f32` array.
func f32(_ shape: [Int], _ values: [Double]) -> NDArray {
  unfailing { try NDArray(dtype: .f32, shape: shape, values: values.map { .float($0) }) }
}

/// An `i64` vector, or an array of a shape.
func i64(_ values: [Int], shape: [Int]? = nil) -> NDArray {
  unfailing { try NDArray(values.map { Int64($0) }, shape: shape ?? [values.count]) }
}
