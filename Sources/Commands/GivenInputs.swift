import Foundation
import LatheCore
import LatheData

/// The arrays that a person gave for the inputs of a model, by name or by position.
struct GivenInputs {
  struct Entry {
    enum Key: Hashable {
      case name(String)
      case position(Int)
    }

    var key: Key
    var array: NDArray
    var file: String
  }

  private(set) var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  /// What importers want to know; positions are known by name only when the model is.
  var named: [String: NDArray] {
    var result: [String: NDArray] = [:]
    for entry in entries { if case .name(let name) = entry.key { result[name] = entry.array } }
    return result
  }

  init() {}

  /// Reads the files of `--input` and `--inputs`; those named singly win.
  init(_ bindings: [InputBinding], collection: String?) throws(DiagnosticsError) {
    var diagnostics: [Diagnostic] = []
    if let collection {
      do throws(DiagnosticsError) {
        try read(collection)
      } catch {
        diagnostics += error.diagnostics
      }
    }
    for binding in bindings {
      do throws(DiagnosticsError) {
        let entry = Entry(key: .name(binding.name), array: try readArray(binding.file), file: binding.file)
        entries.removeAll { $0.key == entry.key }
        entries.append(entry)
      } catch {
        diagnostics += error.diagnostics
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
  }

  private mutating func read(_ path: String) throws(DiagnosticsError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      for member in try NPZ(reading: path).members {
        entries.append(Entry(key: .name(member.name), array: member.array, file: path))
      }
      return
    }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw DiagnosticsError("the folder cannot be read", location: Location(file: path))
    }
    var diagnostics: [Diagnostic] = []
    for name in names.sorted() {
      guard let key = Self.key(ofFile: name) else { continue }
      let file = path + "/" + name
      do throws(DiagnosticsError) {
        entries.append(Entry(key: key, array: try readArray(file), file: file))
      } catch {
        diagnostics += error.diagnostics
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    guard !entries.isEmpty else {
      throw DiagnosticsError(
        "the folder holds no inputs", location: Location(file: path), help: "they are named input_0.pb or NAME.npy")
    }
  }

  /// `input_0.pb` and `input_0.npy` name a position, `NAME.npy` a name; other files are not inputs.
  private static func key(ofFile name: String) -> Entry.Key? {
    let url = URL(fileURLWithPath: name)
    let (stem, suffix) = (url.deletingPathExtension().lastPathComponent, url.pathExtension)
    guard suffix == "pb" || suffix == "npy" else { return nil }
    if stem.hasPrefix("input_"), let position = Int(stem.dropFirst(6)), position >= 0 { return .position(position) }
    return suffix == "npy" ? .name(stem) : nil
  }
}

/// Reads one array, an .npy file or an ONNX `TensorProto`.
func readArray(_ path: String) throws(DiagnosticsError) -> NDArray {
  if path.hasSuffix(".pb") {
    throw DiagnosticsError("reading ONNX is not there yet", location: Location(file: path))
  }
  return try NDArray(readingNPY: path)
}

extension GivenInputs {
  /// An input as the model declares it.
  struct Declared {
    var name: String
    var type: TensorType
  }

  /// The arrays in the order of the inputs, and the sizes of symbols that their shapes tell.
  ///
  /// - Throws: Every input that is missing, unknown, or of another type than declared.
  func matched(
    to inputs: [Declared], dimensions: [String: Int]
  ) throws(DiagnosticsError) -> (arrays: [NDArray], dimensions: [String: Int]) {
    var diagnostics: [Diagnostic] = []
    var found = [Entry?](repeating: nil, count: inputs.count)
    let declared = inputs.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    for entry in entries {
      let index: Int?
      switch entry.key {
      case .name(let name): index = inputs.firstIndex { $0.name == name }
      case .position(let position): index = position < inputs.count ? position : nil
      }
      guard let index else {
        let what =
          switch entry.key {
          case .name(let name): "the model has no input '\(name)'"
          case .position(let position): "the model has no input number \(position)"
          }
        diagnostics.append(
          Diagnostic(what, location: Location(file: entry.file), help: "its inputs are \(declared)"))
        continue
      }
      // A name says more than a position.
      if case .position = entry.key, found[index] != nil { continue }
      found[index] = entry
    }
    var sizes = dimensions
    var arrays: [NDArray] = []
    for (input, entry) in zip(inputs, found) {
      guard let entry else {
        diagnostics.append(
          Diagnostic(
            "input '\(input.name)', \(input.type), is not given", help: "add --input \(input.name)=FILE.npy"))
        continue
      }
      if let message = Self.mismatch(entry.array, input, &sizes) {
        diagnostics.append(Diagnostic(message, location: Location(file: entry.file)))
      }
      arrays.append(entry.array)
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return (arrays, sizes)
  }

  /// What keeps an array from being an input; learns the sizes of symbols that are axes of their own.
  private static func mismatch(_ array: NDArray, _ input: Declared, _ sizes: inout [String: Int]) -> String? {
    let expected = input.type
    func refusal(_ reason: String) -> String {
      "input '\(input.name)' is \(expected), the file holds \(array.type)\(reason)"
    }
    guard array.dtype == expected.dtype, array.shape.count == expected.rank else { return refusal("") }
    for (axis, dimension) in expected.shape.enumerated() {
      let size = array.shape[axis]
      let bound = dimension.substituting(sizes)
      if let known = bound.known {
        guard known == size else {
          return refusal(dimension.known == nil ? ": \(dimension) is \(known), axis \(axis) is \(size)" : "")
        }
      } else if let symbol = dimension.symbols.first, dimension == Dimension(symbol: symbol) {
        sizes[symbol] = size
      }
    }
    return nil
  }
}
