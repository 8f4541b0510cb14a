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
    /// By the names of the model's inputs; the elements of a sequence `s` are `s.0`, `s.1` and so on.
    public let inputs: [String: NDArray]
    /// The numbers of tensors in inputs that are sequences.
    public let lengths: [String: Int]
    /// The optional inputs that hold nothing.
    public let absentInputs: Set<String>
    /// In the model's order.
    public let outputs: [(name: String, array: NDArray)]
    /// The optional outputs that should hold nothing.
    public let absentOutputs: Set<String>
  }

  /// The path of the model.
  public let model: String
  /// The model's outputs.
  public let outputs: [String]
  /// In the order of their numbers.
  public let dataSets: [DataSet]

  /// Reads a test's folder; the model itself is read for the names of its inputs and outputs only.
  ///
  /// - Throws: What is missing or damaged, with the file.
  public init(folder: String) throws(DiagnosticsError) {
    let url = URL(fileURLWithPath: folder)
    model = url.appendingPathComponent("model.onnx").path
    let signature = try ONNXSignature(path: model)
    outputs = signature.outputs
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var sets: [DataSet] = []
    for name in names.filter({ $0.hasPrefix("test_data_set_") }).sorted(by: Self.precedes) {
      let path = url.appendingPathComponent(name).path
      let given = try Self.values(path, "input", signature.inputs, signature.types)
      let expected = try Self.values(path, "output", signature.outputs, signature.types)
      guard expected.hasFiles else { throw DiagnosticsError("has no output_0.pb", location: Location(file: path)) }
      sets.append(
        DataSet(
          name: name, inputs: Dictionary(given.arrays) { first, _ in first }, lengths: given.lengths,
          absentInputs: given.absent, outputs: expected.arrays.map { ($0.0, $0.1) }, absentOutputs: expected.absent))
    }
    guard !sets.isEmpty else {
      throw DiagnosticsError("has no test_data_set_0", location: Location(file: folder))
    }
    dataSets = sets
  }

  /// What files hold.
  private struct Values {
    var hasFiles = false
    var arrays: [(String, NDArray)] = []
    var lengths: [String: Int] = [:]
    var absent: Set<String> = []
  }

  /// The values in the files of a prefix, with the names of their positions, which may be left out.
  private static func values(
    _ folder: String, _ prefix: String, _ names: [String], _ types: [String: Onnx_TypeProto]
  ) throws(DiagnosticsError) -> Values {
    var values = Values()
    for file in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted(by: precedes)
    where file.hasPrefix(prefix + "_") && file.hasSuffix(".pb") {
      let path = folder + "/" + file
      guard let position = Int(file.dropFirst(prefix.count + 1).dropLast(3)), names.indices.contains(position) else {
        throw DiagnosticsError("the model has no \(prefix) of this number", location: Location(file: path))
      }
      let (name, bytes) = (names[position], try FileContent(reading: path).bytes)
      values.hasFiles = true
      switch try StoredValue(bytes, types[name] ?? Onnx_TypeProto(), file: path) {
      case .nothing: values.absent.insert(name)
      case .tensor(let tensor): values.arrays.append((name, try NDArray(onnxTensor: Array(tensor), file: path)))
      case .sequence(let tensors):
        values.lengths[name] = tensors.count
        for (place, tensor) in tensors.enumerated() {
          values.arrays.append(("\(name).\(place)", try NDArray(onnxTensor: Array(tensor), file: path)))
        }
      }
    }
    return values
  }

  private static func precedes(_ a: String, _ b: String) -> Bool { (a.count, a) < (b.count, b) }
}
