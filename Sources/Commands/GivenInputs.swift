import Foundation
import LatheCore
import LatheData
import LatheONNX

/// The arrays that a person gave for the inputs of a model, by name or by position.
struct GivenInputs {
  enum Key: Hashable {
    case name(String)
    case position(Int)
  }

  /// An array and the file or folder that it comes from.
  struct Entry {
    var array: NDArray
    var file: String
  }

  private var entries: [(key: Key, value: Entry)] = []

  var isEmpty: Bool { entries.isEmpty }

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
        let entry = Entry(array: try readArray(binding.file), file: binding.file)
        entries.removeAll { $0.key == .name(binding.name) }
        entries.append((.name(binding.name), entry))
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
        entries.append((.name(member.name), Entry(array: member.array, file: path)))
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
        entries.append((key, Entry(array: try readArray(file), file: file)))
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
  private static func key(ofFile name: String) -> Key? {
    let url = URL(fileURLWithPath: name)
    let (stem, suffix) = (url.deletingPathExtension().lastPathComponent, url.pathExtension)
    guard suffix == "pb" || suffix == "npy" else { return nil }
    if stem.hasPrefix("input_"), let position = Int(stem.dropFirst(6)), position >= 0 { return .position(position) }
    return suffix == "npy" ? .name(stem) : nil
  }
}

/// Reads one array, an .npy file or an ONNX `TensorProto`.
func readArray(_ path: String) throws(DiagnosticsError) -> NDArray {
  if path.hasSuffix(".pb") { return try NDArray(onnxTensor: FileContent(reading: path).bytes, file: path) }
  return try NDArray(readingNPY: path)
}

extension GivenInputs {
  /// The sequence that `NAME.2` is an element of.
  private static func sequence(ofElement name: String) -> String? {
    guard let point = name.lastIndex(of: "."), Int(name[name.index(after: point)...]) != nil else { return nil }
    return String(name[..<point])
  }

  /// The arrays by the names of inputs.
  ///
  /// - Parameter names: The model's inputs in order.
  /// - Throws: Every name and position that no input has.
  func named(among names: [String]) throws(DiagnosticsError) -> [String: Entry] {
    var result: [String: Entry] = [:]
    var diagnostics: [Diagnostic] = []
    for (key, entry) in entries {
      switch key {
      case .name(let name) where names.contains(name) || names.contains(Self.sequence(ofElement: name) ?? name):
        result[name] = entry
      case .position(let position) where position < names.count:
        // A name says more than a position.
        if result[names[position]] == nil { result[names[position]] = entry }
      case .name(let name): report("the model has no input '\(name)'", entry)
      case .position(let position): report("the model has no input number \(position)", entry)
      }
    }
    func report(_ message: String, _ entry: Entry) {
      let known = names.isEmpty ? "it has none" : "its inputs are \(names.joined(separator: ", "))"
      diagnostics.append(Diagnostic(message, location: Location(file: entry.file), help: known))
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return result
  }
}

extension Graph {
  /// The arrays for the inputs in order, and the sizes of symbols that their shapes tell.
  ///
  /// - Parameter known: The sizes that options gave.
  /// - Throws: Every input that is missing or of another type than declared.
  func matched(
    _ given: [String: GivenInputs.Entry], known: [String: Int]
  ) throws(DiagnosticsError) -> (arrays: [NDArray], dimensions: [String: Int]) {
    var diagnostics: [Diagnostic] = []
    var entries: [GivenInputs.Entry] = []
    var types: [(name: String, type: TensorType, given: TensorType)] = []
    for input in inputs {
      let (name, type) = (inputName(input), type(of: input))
      guard let entry = given[name] else {
        diagnostics.append(
          Diagnostic("input '\(name)', \(type), is not given", help: "add --input \(name)=FILE.npy"))
        continue
      }
      entries.append(entry)
      types.append((name, type, entry.array.type))
    }
    var symbols = SymbolSizes(known)
    for (position, reason) in symbols.learn(types).sorted(by: { $0.key < $1.key }) {
      let (name, type, given) = types[position]
      diagnostics.append(
        Diagnostic(
          "input '\(name)' is \(type), the file holds \(given)\(reason)",
          location: Location(file: entries[position].file)))
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    let open = Set(self.symbols)
    return (entries.map(\.array), symbols.sizes.filter { open.contains($0.key) })
  }
}
