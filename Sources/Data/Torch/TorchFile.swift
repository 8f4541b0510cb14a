public import LatheCore

/// PyTorch's format of tensors by name: what `torch.save` writes of a state or a checkpoint.
///
/// The pickle inside is read, never run. Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
public struct TorchFile: Sendable {
  /// The tensors and numbers, in the order of the file.
  ///
  /// The names of dictionaries inside of dictionaries are joined by dots, and elements of lists have their positions as
  /// names: `model.fc.weight`, `optimizer.param_groups.0.lr`.
  public var members: [NamedArray]

  /// Makes a file in memory.
  public init(_ members: [NamedArray]) { self.members = members }

  /// The array of a name, or nil.
  public subscript(name: String) -> NDArray? { members.first { $0.name == name }?.array }
}

extension TorchFile {
  /// Reads a .pt or .pth file.
  ///
  /// - Throws: Diagnostics, with the path as their place, when the file cannot be read or is not what it claims to be.
  public init(reading path: String) throws(DiagnosticsError) {
    try self.init(bytes: FileContent(reading: path).bytes, from: path)
  }

  /// Reads the content of a .pt or .pth file: a zip archive, or what PyTorch wrote before 1.6.
  ///
  /// Tensors are read with any strides. Python's integers, floats and booleans become arrays without axes; texts and
  /// other things without numbers are left out. A file that holds a tensor alone has one member without a name.
  ///
  /// - Parameters:
  ///   - bytes: The whole content of the file.
  ///   - file: The file's name for diagnostics.
  /// - Throws: Every function or class that the file names and that no state of tensors needs, or one diagnostic for
  ///   what else is wrong.
  public init(bytes: [UInt8], from file: String) throws(DiagnosticsError) {
    if bytes.starts(with: "PK".utf8) {
      members = try ZIPReader.reading(bytes, from: file, as: "PyTorch") { archive throws(DiagnosticsError) in
        try located(file) { () throws(FileFault) in try Self.members(of: archive) }
      }
    } else if bytes.starts(with: Self.legacyMagic) {
      members = try located(file) { () throws(FileFault) in try Self.legacyMembers(bytes) }
    } else {
      throw DiagnosticsError(
        "is no PyTorch file: it is neither a zip archive nor has it the first bytes of older files",
        location: Location(file: file))
    }
    try members.requireDistinctNames(for: file)
  }

  private static func members(of archive: borrowing ZIPReader) throws(FileFault) -> [NamedArray] {
    let folder = try TorchArchive(archive)
    if folder["constants.pkl"] != nil {
      throw FileFault("is a TorchScript program: load it in Python, and save its state_dict()")
    }
    if folder["archive_format"] != nil { throw FileFault("is an exported program, not a state of tensors") }
    guard let main = folder["data.pkl"] else {
      throw FileFault("is no PyTorch file: it has no member '\(folder.root)/data.pkl'")
    }
    var reader = try TorchReader(archive.content(at: main)[...])
    for storage in try reader.storages() {
      let content = try folder.content(of: "data/\(storage.key)", in: archive)
      do throws(FileFault) {
        try reader.give(content, to: storage)
      } catch {
        throw FileFault("member '\(folder.root)/data/\(storage.key)' \(error.message)")
      }
    }
    return try reader.members()
  }

  /// The pickle of PyTorch's magic number.
  private static let legacyMagic: [UInt8] =
    [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]

  /// Pickles of a version, of the machine, of the object and of the storages' names, and the storages.
  private static func legacyMembers(_ bytes: [UInt8]) throws(FileFault) -> [NamedArray] {
    let version = try Pickle(bytes[legacyMagic.count...])
    guard version.root == .integer(1001) else { throw FileFault("has an unknown version of PyTorch's older format") }
    let machine = try Pickle(bytes[version.end...])
    if case .dictionary(let fields) = machine.root,
      let isLittle = machine.value(of: "little_endian", in: fields), isLittle != .bool(true)
    {
      throw FileFault("has the bytes of a big-endian machine")
    }
    var reader = try TorchReader(bytes[machine.end...])
    let storages = try Dictionary(reader.storages().map { ($0.key, $0) }) { first, _ in first }
    let keys = try Pickle(bytes[reader.end...])
    guard case .list(let list) = keys.root else { throw FileFault("has no list of storages") }
    var position = keys.end
    for value in keys[list] {
      guard case .string(let key) = value, let storage = storages[key] else {
        throw FileFault("has a storage that no tensor needs")
      }
      // The number of elements stands in front of them.
      position += 8
      guard position <= bytes.count, let count = storage.byteCount, count <= bytes.count - position else {
        throw FileFault("is truncated: it ends within storage '\(key)'")
      }
      try reader.give(Array(bytes[position..<position + count]), to: storage)
      position += count
    }
    return try reader.members()
  }
}
