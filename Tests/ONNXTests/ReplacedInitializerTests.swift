import Foundation
import Lathe
import LatheData
import SwiftProtobuf
import Testing

@testable import LatheONNX

@Suite struct ReplacedInitializerTests {
  private func tensor(_ name: String, _ values: [Float]) -> Onnx_TensorProto {
    Onnx_TensorProto.with {
      $0.name = name
      $0.dataType = 1
      $0.dims = [Int64(values.count)]
      $0.floatData = values
    }
  }

  /// A model `y = x * inline + external` with the second initializer in a file beside it.
  private func write(to folder: URL) throws -> String {
    let external = Onnx_TensorProto.with {
      $0.name = "external"
      $0.dataType = 1
      $0.dims = [2]
      $0.dataLocation = .external
      $0.externalData = [("location", "weights"), ("offset", "4"), ("length", "8")].map { key, value in
        Onnx_StringStringEntryProto.with {
          $0.key = key
          $0.value = value
        }
      }
    }
    try FileContent(path: folder.appendingPathComponent("weights").path, bytes: NDArray([Float(9), 3, 4]).bytes)
      .writeAtomically()
    let vector = Onnx_TypeProto.with {
      $0.tensorType.elemType = 1
      $0.tensorType.shape.dim = [Onnx_TensorShapeProto.Dimension.with { $0.dimValue = 2 }]
    }
    func value(_ name: String) -> Onnx_ValueInfoProto {
      Onnx_ValueInfoProto.with {
        $0.name = name
        $0.type = vector
      }
    }
    func node(_ type: String, _ inputs: [String], _ output: String) -> Onnx_NodeProto {
      Onnx_NodeProto.with {
        $0.opType = type
        $0.input = inputs
        $0.output = [output]
      }
    }
    let model = Onnx_ModelProto.with {
      $0.irVersion = 8
      $0.opsetImport = [Onnx_OperatorSetIdProto.with { $0.version = 17 }]
      $0.graph.name = "line"
      $0.graph.input = [value("x")]
      $0.graph.output = [value("y")]
      $0.graph.initializer = [tensor("inline", [1, 2]), external]
      $0.graph.node = [node("Mul", ["x", "inline"], "z"), node("Add", ["z", "external"], "y")]
    }
    let path = folder.appendingPathComponent("line.onnx").path
    try FileContent(path: path, bytes: model.serializedBytes()).writeAtomically()
    return path
  }

  private func withModel(_ body: (String, URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("out"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(write(to: folder), folder)
  }

  @Test("inline and external tensors get new contents, the latter in a file beside the new model")
  func replaces() throws {
    try withModel { path, folder in
      let output = folder.appendingPathComponent("out/new.onnx").path
      for (contents, expected) in [
        ([:], [Float(13), 44]), (["inline": NDArray([Float(5), 6])], [53, 124]),
        (["external": NDArray([Float(7), 8])], [17, 48]),
      ] {
        let files = try replacingInitializers(ofONNX: path, with: contents, writtenTo: output)
        #expect(files.map(\.path) == [output, output + ".data"])
        try files.writeAtomically()
        let y = try compile(importONNX(path: output))(NDArray([Float(10), 20]))
        #expect(y == NDArray(expected))
      }
    }
  }

  @Test("names and types have to be the file's") func mistakes() throws {
    try withModel { path, _ in
      let error = #expect(throws: DiagnosticsError.self) {
        try replacingInitializers(
          ofONNX: path, with: ["inline": NDArray([Float(1)]), "other": NDArray([Float(1)])], writtenTo: "x.onnx")
      }
      #expect(
        error?.diagnostics.map(\.message) == [
          "initializer 'inline': it is f32[2], its new content is f32[1]", "the model has no initializer 'other'",
        ])
    }
  }
}
