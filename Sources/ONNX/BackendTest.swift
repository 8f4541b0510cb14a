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
    let lists = signature.sequences
    outputs = signature.outputs
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var sets: [DataSet] = []
    for name in names.filter({ $0.hasPrefix("test_data_set_") }).sorted(by: Self.precedes) {
      let path = url.appendingPathComponent(name).path
      let given = try Self.arrays(path, "input", signature.inputs, lists)
      let expected = try Self.arrays(path, "output", signature.outputs, lists)
      guard !expected.isEmpty || !lists.isDisjoint(with: signature.outputs) else {
        throw DiagnosticsError("has no output_0.pb", location: Location(file: path))
      }
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
  /// Positions may be left out. The elements of a sequence `s` are `s.0`, `s.1` and so on.
  private static func arrays(
    _ folder: String, _ prefix: String, _ names: [String], _ lists: Set<String>
  ) throws(DiagnosticsError) -> [(String, NDArray)] {
    var arrays: [(String, NDArray)] = []
    for file in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted(by: precedes)
    where file.hasPrefix(prefix + "_") && file.hasSuffix(".pb") {
      let path = folder + "/" + file
      guard let position = Int(file.dropFirst(prefix.count + 1).dropLast(3)), names.indices.contains(position) else {
        throw DiagnosticsError("the model has no \(prefix) of this number", location: Location(file: path))
      }
      let (name, bytes) = (names[position], try FileContent(reading: path).bytes)
      guard lists.contains(name) else {
        arrays.append((name, try NDArray(onnxTensor: bytes, file: path)))
        continue
      }
      for (place, tensor) in try SequenceFile.tensors(bytes, file: path).enumerated() {
        arrays.append(("\(name).\(place)", try NDArray(onnxTensor: tensor, file: path)))
      }
    }
    return arrays
  }

  private static func precedes(_ a: String, _ b: String) -> Bool { (a.count, a) < (b.count, b) }
}

/// A serialized `SequenceProto`, whose tensors are its fields of number 3.
private enum SequenceFile {
  /// The serialized tensors.
  static func tensors(_ bytes: [UInt8], file: String) throws(DiagnosticsError) -> [[UInt8]] {
    var rest = bytes[...]
    func number() -> Int? {
      var (value, shift) = (0, 0)
      while let byte = rest.popFirst(), shift < 63 {
        value |= Int(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    var tensors: [[UInt8]] = []
    while !rest.isEmpty {
      guard let tag = number(), let size = number() else { throw damaged(file) }
      switch tag & 7 {
      case 0: continue  // the number itself
      case 2:
        guard size >= 0, size <= rest.count else { throw damaged(file) }
        if tag >> 3 == 3 { tensors.append(Array(rest.prefix(size))) }
        rest = rest.dropFirst(size)
      default: throw damaged(file)
      }
    }
    return tensors
  }

  private static func damaged(_ file: String) -> DiagnosticsError {
    DiagnosticsError("not a sequence of tensors: it is truncated or damaged", location: Location(file: file))
  }
}
