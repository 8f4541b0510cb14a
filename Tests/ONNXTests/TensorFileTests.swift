import Foundation
import LatheCore
import SwiftProtobuf
import Testing

@testable import LatheONNX

@Test("a tensor of every type survives writing and reading", arguments: ScalarType.allCases)
func tensorRoundTrip(_ dtype: ScalarType) throws {
  let array = try NDArray(dtype: dtype, shape: [2, 1, 3], values: [0, 1, 0, 1, 1, 0].map { .integer($0) })
  #expect(try NDArray(onnxTensor: array.onnxTensor(name: "x")) == array)
}

@Test("numbers in typed fields are read as raw bytes are")
func typedFields() throws {
  var tensor = Onnx_TensorProto()
  tensor.dims = [2]
  tensor.dataType = 10  // float16, as bit patterns
  tensor.int32Data = [0x3c00, 0xc000]
  #expect(try NDArray(onnxTensor: tensor.serializedBytes()).doubles == [1, -2])
  tensor.dataType = 3
  tensor.int32Data = [-5, 7]
  #expect(try NDArray(onnxTensor: tensor.serializedBytes()).integers == [-5, 7])
  tensor.dataType = 12
  tensor.uint64Data = [5, 4_000_000_000]
  #expect(try NDArray(onnxTensor: tensor.serializedBytes()).integers == [5, 4_000_000_000])
  tensor.dataType = 9
  tensor.int32Data = [0, 2]
  #expect(try NDArray(onnxTensor: tensor.serializedBytes()).elements(as: Bool.self) == [false, true])
}

@Test("the damaged forms of a tensor give diagnostics or arrays, never a trap")
func damagedTensors() {
  let bytes = f32([2, 3], [1, 2, 3, 4, 5, 6]).onnxTensor(name: "x")
  for length in bytes.indices { _ = try? NDArray(onnxTensor: Array(bytes[..<length])) }
  for position in bytes.indices {
    for value in UInt8.min...UInt8.max {
      var damaged = bytes
      damaged[position] = value
      _ = try? NDArray(onnxTensor: damaged)
    }
  }
}

/// A model's folder, removed at the end.
private struct Folder: ~Copyable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-onnx-\(UUID().uuidString)/model")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url.deletingLastPathComponent()) }

  /// Imports a model whose initializer's data is elsewhere.
  func imported(location: String, offset: String? = nil, length: String? = nil) throws -> Graph {
    let model = TestModel([node("Identity", ["w"])]).changed {
      var tensor = Onnx_TensorProto.tensor("w", f32([2], [0, 0]))
      tensor.clearRawData()
      tensor.dataLocation = .external
      for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
        guard let value else { continue }
        tensor.externalData.append(
          .with {
            $0.key = key
            $0.value = value
          })
      }
      $0.graph.initializer = [tensor]
    }
    let path = url.appendingPathComponent("model.onnx")
    try Data(model.bytes).write(to: path)
    return try importONNX(path: path.path)
  }
}

@Test("external data is read from the model's folder")
func externalData() throws {
  let folder = try Folder()
  try Data([0, 0, 0, 0] + f32([2], [3, 4]).bytes).write(to: folder.url.appendingPathComponent("w.bin"))
  let graph = try folder.imported(location: "w.bin", offset: "4", length: "8")
  #expect(graph.literal(graph.outputs[0].value)?.doubles == [3, 4])
}

@Test(
  "external data is refused outside of the model's folder and of its file",
  arguments: [
    ("../w.bin", nil, nil, "not inside"), ("/etc/passwd", nil, nil, "not inside"),
    ("a/../../w.bin", nil, nil, "not inside"),
    ("link.bin", nil, nil, "leads out"), ("folder/w.bin", nil, nil, "leads out"),
    ("missing.bin", nil, nil, "does not exist"),
    (".", nil, nil, "does not exist"), ("", nil, nil, "no location"), ("w.bin", "8", nil, "outside"),
    ("w.bin", "-1", nil, "not a natural number"), ("w.bin", "9223372036854775807", nil, "outside"),
    ("w.bin", "0", "4", "needs 8 bytes"), ("w.bin", "99999999999999999999", nil, "not a natural number"),
  ] as [(String, String?, String?, String)])
func confinedData(_ location: String, _ offset: String?, _ length: String?, _ message: String) throws {
  let folder = try Folder()
  let outside = folder.url.deletingLastPathComponent()
  for url in [outside, folder.url] { try Data(count: 8).write(to: url.appendingPathComponent("w.bin")) }
  let manager = FileManager.default
  try manager.createSymbolicLink(
    at: folder.url.appendingPathComponent("link.bin"), withDestinationURL: outside.appendingPathComponent("w.bin"))
  try manager.createSymbolicLink(at: folder.url.appendingPathComponent("folder"), withDestinationURL: outside)
  let error = #expect(throws: DiagnosticsError.self) {
    try folder.imported(location: location, offset: offset, length: length)
  }
  #expect(error?.diagnostics.first?.message.contains(message) == true, "\(String(describing: error))")
}
