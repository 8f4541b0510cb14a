internal import Foundation
public import LatheCore
internal import LatheData

/// A model with the outputs expected of it, as ONNX lays its backend tests out: `model.onnx`, and folders
/// `test_data_set_*` with `input_*.pb` and `output_*.pb`.
public struct BackendTest: Sendable {
  /// Inputs, and the outputs that they should give.
  public struct DataSet: Sendable {
    /// The folder's name.
    public let name: String
    /// By the names of the model's inputs.
    public let inputs: [String: NDArray]
    /// In the model's order.
    public let outputs: [(name: String, array: NDArray)]
  }

  /// The path of the model.
  public let model: String
  /// In the order of their numbers.
  public let dataSets: [DataSet]

  /// Reads a test's folder; the model itself is read for the names of its inputs and outputs only.
  ///
  /// - Throws: What is missing or damaged, with the file.
  public init(folder: String) throws(DiagnosticsError) {
    let url = URL(fileURLWithPath: folder)
    model = url.appendingPathComponent("model.onnx").path
    let signature = try ONNXSignature(path: model)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var sets: [DataSet] = []
    for name in names.filter({ $0.hasPrefix("test_data_set_") }).sorted(by: Self.precedes) {
      let path = url.appendingPathComponent(name).path
      let given = try Self.arrays(path, "input", signature.inputs)
      let expected = try Self.arrays(path, "output", signature.outputs)
      guard !expected.isEmpty else { throw DiagnosticsError("has no output_0.pb", location: Location(file: path)) }
      sets.append(
        DataSet(name: name, inputs: Dictionary(given) { first, _ in first }, outputs: expected.map { ($0.0, $0.1) }))
    }
    guard !sets.isEmpty else {
      throw DiagnosticsError("has no test_data_set_0", location: Location(file: folder))
    }
    dataSets = sets
  }

  /// The arrays in the files of a prefix, with the names of their positions.
  ///
  /// Positions may be left out.
  private static func arrays(
    _ folder: String, _ prefix: String, _ names: [String]
  ) throws(DiagnosticsError) -> [(String, NDArray)] {
    var arrays: [(String, NDArray)] = []
    for file in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted(by: precedes)
    where file.hasPrefix(prefix + "_") && file.hasSuffix(".pb") {
      let path = folder + "/" + file
      guard let position = Int(file.dropFirst(prefix.count + 1).dropLast(3)), names.indices.contains(position) else {
        throw DiagnosticsError("the model has no \(prefix) of this number", location: Location(file: path))
      }
      arrays.append((names[position], try NDArray(onnxTensor: try FileContent(reading: path).bytes, file: path)))
    }
    return arrays
  }

  private static func precedes(_ a: String, _ b: String) -> Bool { (a.count, a) < (b.count, b) }
}
