public import LatheCore

/// NumPy's format of several named arrays: a zip archive of .npy files.
public struct NPZ: Sendable {
  /// How members are stored.
  public typealias Compression = ZIPCompression

  /// The arrays in the order of the archive.
  public var members: [NamedArray]

  /// Makes an archive in memory.
  public init(_ members: [NamedArray]) { self.members = members }

  /// The array of a name, or nil.
  public subscript(name: String) -> NDArray? { members.first { $0.name == name }?.array }
}

extension NPZ {
  /// Reads an .npz file.
  ///
  /// - Throws: Diagnostics, with the path as their place, when the file cannot be read or is not what it claims to be.
  public init(reading path: String) throws(DiagnosticsError) {
    try self.init(bytes: FileContent(reading: path).bytes, from: path)
  }

  /// Reads the content of an .npz file, members stored or deflated.
  ///
  /// - Parameters:
  ///   - bytes: The whole content of the file.
  ///   - file: The file's name for diagnostics.
  /// - Throws: One diagnostic for each faulty member, or one for the archive.
  public init(bytes: [UInt8], from file: String) throws(DiagnosticsError) {
    let members = try ZIPReader.reading(bytes, from: file, as: ".npz") { archive throws(DiagnosticsError) in
      try Self.members(of: archive, from: file)
    }
    self.init(members)
  }

  private static func members(
    of archive: borrowing ZIPReader, from file: String
  ) throws(DiagnosticsError) -> [NamedArray] {
    var members: [NamedArray] = []
    var diagnostics: [Diagnostic] = []
    for (index, entry) in archive.names.enumerated() {
      func report(_ message: String) {
        diagnostics.append(Diagnostic("member '\(entry)' \(message)", location: Location(file: file)))
      }
      guard entry.hasSuffix(".npy") else {
        report("is not an .npy file")
        continue
      }
      do throws(FileFault) {
        members.append(
          NamedArray(name: String(entry.dropLast(4)), array: try NDArray(npy: try archive.content(at: index))))
      } catch {
        report(error.message)
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return members
  }

  /// The archive as a file; the same arrays give the same bytes.
  ///
  /// - Throws: A diagnostic, with `file` as its place, when two members have one name or memory runs out.
  public func bytes(_ compression: Compression = .stored, for file: String) throws(DiagnosticsError) -> [UInt8] {
    try members.requireDistinctNames(for: file)
    return try members.map { FileContent(path: $0.name + ".npy", bytes: $0.array.npy()) }
      .zipped(compression, for: file, as: ".npz")
  }

  /// Writes an .npz file, all of it or nothing.
  ///
  /// - Throws: A diagnostic with the path as its place.
  public func write(to path: String, _ compression: Compression = .stored) throws(DiagnosticsError) {
    try bytes(compression, for: path).writeAtomically(to: path)
  }
}
