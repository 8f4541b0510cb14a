import Foundation
public import LatheCore

/// The forms of files that hold arrays by name, by their suffixes.
package enum StateFormat: String, CaseIterable {
  case pt, pth, safetensors, npz

  package init?(path: String) { self.init(rawValue: URL(fileURLWithPath: path).pathExtension) }

  /// The suffixes as a person reads them.
  package static var suffixes: String {
    allCases.dropLast().map { "." + $0.rawValue }.joined(separator: ", ") + " or .npz"
  }

  /// The arrays in the content of a file, in its order.
  fileprivate func members(_ bytes: [UInt8], from file: String) throws(DiagnosticsError) -> [NamedArray] {
    switch self {
    case .pt, .pth: try TorchFile(bytes: bytes, from: file).members
    case .safetensors: try Safetensors(bytes: bytes, from: file).members
    case .npz: try NPZ(bytes: bytes, from: file).members
    }
  }

  /// The content of a file with the arrays.
  fileprivate func bytes(_ members: [NamedArray], for file: String) throws(DiagnosticsError) -> [UInt8] {
    switch self {
    case .pt, .pth: try TorchFile(members).bytes(for: file)
    case .safetensors: try Safetensors(members).bytes(for: file)
    case .npz: try NPZ(members).bytes(for: file)
    }
  }
}

/// Writes arrays by name: `torch.save` of a state.
///
/// The suffix says in which form: `.pt` or `.pth` for PyTorch, `.safetensors`, or `.npz` for NumPy, which has no bf16 and
/// gets f32 for it.
///
/// ```swift
/// try save(model.stateDict(), "lenet.pt")
/// ```
///
/// - Throws: A diagnostic with the path as its place; nothing is written then.
public func save(_ state: [String: NDArray], _ path: String) throws(DiagnosticsError) {
  try save(state.sorted { $0.key < $1.key }.map { NamedArray(name: $0.key, array: $0.value) }, path)
}

/// Writes arrays in the order that is given, in the form that the suffix says.
///
/// - Throws: A diagnostic with the path as its place; nothing is written then.
public func save(_ members: [NamedArray], _ path: String) throws(DiagnosticsError) {
  guard let format = StateFormat(path: path) else {
    throw DiagnosticsError(
      "names no form of a state: its suffix must be \(StateFormat.suffixes)", location: Location(file: path))
  }
  try format.bytes(members, for: path).writeAtomically(to: path)
}

/// Reads arrays by name: `torch.load` of a state or checkpoint.
///
/// The suffix says in which form, as with `save`.
///
/// ```swift
/// try model.loadStateDict(load("lenet.pth"))
/// try model.loadStateDict(load("checkpoint.pt", prefix: "model."))
/// ```
///
/// Of PyTorch's files nothing is run, as with `weights_only`; dictionaries in dictionaries and elements of lists are named
/// with dots, and Python's numbers are arrays without axes (``TorchFile``).
///
/// - Parameters:
///   - path: The file.
///   - prefix: What the names begin with that are wanted; it is left out of them.
/// - Throws: Diagnostics, with the path as their place, when the file cannot be read or is not what it claims to be.
public func load(_ path: String, prefix: String = "") throws(DiagnosticsError) -> [String: NDArray] {
  guard let format = StateFormat(path: path) else {
    throw DiagnosticsError(
      "is no state: its suffix must be \(StateFormat.suffixes)", location: Location(file: path))
  }
  let members = try format.members(FileContent(reading: path).bytes, from: path)
  let wanted = members.filter { $0.name.hasPrefix(prefix) }
  guard !wanted.isEmpty || members.isEmpty else {
    let first = Set(members.map { $0.name.prefix { $0 != "." } }).sorted().joined(separator: ", ")
    throw DiagnosticsError(
      "has nothing that begins with '\(prefix)'", location: Location(file: path), help: "its names begin with \(first)")
  }
  return Dictionary(uniqueKeysWithValues: wanted.map { (String($0.name.dropFirst(prefix.count)), $0.array) })
}

/// Reads arrays by name from where a URL's file is: `torch.hub.load_state_dict_from_url`, once `model_zoo.load_url`.
///
/// Lathe downloads nothing. A path or a `file:` URL is read there; of any other URL the file has to be in the folder where
/// PyTorch keeps what it has downloaded.
///
/// - Parameters:
///   - url: The address; its last part is the file's name, and its suffix says in which form the file is.
///   - modelDir: The folder; by default `hub/checkpoints` in `$TORCH_HOME` or in `~/.cache/torch`.
///   - fileName: The file's name in the folder; by default the URL's.
/// - Throws: Where the file would be looked for, when it is not there; and what `load` throws.
public func loadURL(
  _ url: String, modelDir: String? = nil, fileName: String? = nil
) throws(DiagnosticsError) -> [String: NDArray] {
  guard let address = URL(string: url), address.scheme != nil else { return try load(url) }
  if address.isFileURL { return try load(address.path) }
  let environment = ProcessInfo.processInfo.environment
  let cache = environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
  let folder = modelDir ?? (environment["TORCH_HOME"] ?? cache + "/torch") + "/hub/checkpoints"
  let path = folder + "/" + (fileName ?? address.lastPathComponent)
  guard FileManager.default.fileExists(atPath: path) else {
    throw DiagnosticsError(
      "is not there, and Lathe downloads nothing", location: Location(file: path), help: "put \(url) there")
  }
  return try load(path)
}
