import CZip
public import LatheCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// NumPy's format of several named arrays: a zip archive of .npy files.
public struct NPZ: Sendable {
  /// One array of the archive.
  public struct Member: Hashable, Sendable {
    /// The name, without the suffix `.npy` that it has in the archive.
    public var name: String
    /// The content.
    public var array: NDArray

    /// Names an array.
    public init(name: String, array: NDArray) {
      self.name = name
      self.array = array
    }
  }

  /// How members are stored.
  public enum Compression: Hashable, Sendable {
    /// As they are (`numpy.savez`).
    case stored
    /// By deflate (`numpy.savez_compressed`).
    case deflated
  }

  /// The arrays in the order of the archive.
  public var members: [Member]

  /// Makes an archive in memory.
  public init(_ members: [Member]) { self.members = members }

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
    let result = bytes.withUnsafeBytes { buffer in
      Result<[Member], DiagnosticsError> { () throws(DiagnosticsError) in try Self.members(of: buffer, from: file) }
    }
    self.init(try result.get())
  }

  /// The archive as a file; the same arrays give the same bytes, because every member has the same date.
  ///
  /// - Throws: A diagnostic, with `file` as its place, when two members have one name or memory runs out.
  public func bytes(_ compression: Compression = .stored, for file: String) throws(DiagnosticsError) -> [UInt8] {
    var names = Set<String>()
    for member in members where !names.insert(member.name).inserted {
      throw DiagnosticsError("two arrays have the name '\(member.name)'", location: Location(file: file))
    }
    let contents = members.map { $0.array.npy() }
    var failure = zip_error_t()
    zip_error_init(&failure)
    defer { zip_error_fini(&failure) }
    guard let sink = zip_source_buffer_create(nil, 0, 0, &failure) else { throw Self.zipError(&failure, file) }
    defer { zip_source_free(sink) }
    guard let archive = zip_open_from_source(sink, ZIP_CREATE | ZIP_TRUNCATE, &failure) else {
      throw Self.zipError(&failure, file)
    }
    // The archive gives its reference back when it is closed or discarded; ours outlives it.
    zip_source_keep(sink)
    do throws(DiagnosticsError) {
      for (member, content) in zip(members, contents) {
        try Self.add(member.name, content, compression, to: archive, file)
      }
    } catch {
      zip_discard(archive)
      throw error
    }
    guard zip_close(archive) == 0 else {
      let error = Self.zipError(zip_get_error(archive), file)
      zip_discard(archive)
      throw error
    }
    return try Self.content(of: sink, file)
  }

  /// Writes an .npz file, all of it or nothing.
  ///
  /// - Throws: A diagnostic with the path as its place.
  public func write(to path: String, _ compression: Compression = .stored) throws(DiagnosticsError) {
    try bytes(compression, for: path).writeAtomically(to: path)
  }
}

// MARK: libzip

extension NPZ {
  private static func members(
    of buffer: UnsafeRawBufferPointer, from file: String
  ) throws(DiagnosticsError) -> [Member] {
    // libzip takes an empty file for an empty archive.
    guard buffer.starts(with: "PK".utf8) else {
      throw DiagnosticsError("is not an .npz file: it is no zip archive", location: Location(file: file))
    }
    var failure = zip_error_t()
    zip_error_init(&failure)
    defer { zip_error_fini(&failure) }
    guard let source = zip_source_buffer_create(buffer.baseAddress, zip_uint64_t(buffer.count), 0, &failure) else {
      throw Self.zipError(&failure, file)
    }
    guard let archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &failure) else {
      zip_source_free(source)
      guard zip_error_code_zip(&failure) != ZIP_ER_EXISTS else {
        throw DiagnosticsError("two arrays have one name", location: Location(file: file))
      }
      throw Self.zipError(&failure, file)
    }
    defer { zip_discard(archive) }
    var members: [Member] = []
    var diagnostics: [Diagnostic] = []
    for index in 0..<zip_uint64_t(max(zip_get_num_entries(archive, 0), 0)) {
      let entry = zip_get_name(archive, index, 0).map { String(cString: $0) } ?? ""
      func report(_ message: String) {
        diagnostics.append(Diagnostic("member '\(entry)' \(message)", location: Location(file: file)))
      }
      guard entry.hasSuffix(".npy") else {
        report("is not an .npy file")
        continue
      }
      let name = String(entry.dropLast(4))
      switch content(of: index, in: archive) {
      case .failure(let fault): report(fault.message)
      case .success(let bytes):
        do throws(NPYFault) {
          members.append(Member(name: name, array: try NDArray(npy: bytes)))
        } catch {
          report(error.message)
        }
      }
    }
    guard diagnostics.isEmpty else { throw DiagnosticsError(diagnostics) }
    return members
  }

  /// The unpacked content of one member; libzip checks its checksum at the end.
  private static func content(of index: zip_uint64_t, in archive: OpaquePointer) -> Result<[UInt8], NPYFault> {
    func failed(_ error: UnsafeMutablePointer<zip_error_t>?) -> Result<[UInt8], NPYFault> {
      .failure(NPYFault("cannot be unpacked: \(message(error))"))
    }
    guard let member = zip_fopen_index(archive, index, 0) else { return failed(zip_get_error(archive)) }
    defer { zip_fclose(member) }
    // The size that the archive claims is not believed: the array grows with what is really unpacked.
    var content: [UInt8] = []
    while true {
      let capacity = min(max(content.count, 1 << 16), 1 << 26)
      var count: zip_int64_t = 0
      content += [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
        count = zip_fread(member, buffer.baseAddress, zip_uint64_t(capacity))
        initialized = Int(max(count, 0))
      }
      if count < 0 { return failed(zip_file_get_error(member)) }
      if count == 0 { return .success(content) }
    }
  }

  private static func add(
    _ name: String, _ content: [UInt8], _ compression: Compression, to archive: OpaquePointer, _ file: String
  ) throws(DiagnosticsError) {
    func check(_ succeeded: Bool) throws(DiagnosticsError) {
      guard succeeded else { throw Self.zipError(zip_get_error(archive), file) }
    }
    // libzip reads its sources when the archive is closed, and frees this copy then.
    guard let copy = malloc(max(content.count, 1)) else {
      throw DiagnosticsError("cannot be written: out of memory", location: Location(file: file))
    }
    content.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: copy, count: $0.count).copyMemory(from: $0) }
    guard let source = zip_source_buffer(archive, copy, zip_uint64_t(content.count), 1) else {
      free(copy)
      throw Self.zipError(zip_get_error(archive), file)
    }
    let index = zip_file_add(archive, name + ".npy", source, zip_flags_t(ZIP_FL_ENC_UTF_8))
    if index < 0 { zip_source_free(source) }
    try check(index >= 0)
    let position = zip_uint64_t(index)
    try check(
      zip_set_file_compression(archive, position, compression == .stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) == 0)
    // 1 January 1980, the first day that zip archives know.
    try check(zip_file_set_dostime(archive, position, 0, 1 << 5 | 1, 0) == 0)
    let unix = zip_uint8_t(ZIP_OPSYS_UNIX)
    try check(zip_file_set_external_attributes(archive, position, 0, unix, 0o100644 << 16) == 0)
  }

  private static func content(of sink: OpaquePointer, _ file: String) throws(DiagnosticsError) -> [UInt8] {
    var status = zip_stat_t()
    guard zip_source_stat(sink, &status) == 0, zip_source_open(sink) == 0 else {
      // An archive without members is removed by libzip; as a file it is the end record alone.
      return [0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18)
    }
    defer { zip_source_close(sink) }
    let size = Int(status.size)
    var count: zip_int64_t = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      count = zip_source_read(sink, buffer.baseAddress, zip_uint64_t(size))
      initialized = Int(max(count, 0))
    }
    guard Int(count) == size else { throw Self.zipError(zip_source_error(sink), file) }
    return bytes
  }

  private static func message(_ error: UnsafeMutablePointer<zip_error_t>?) -> String {
    zip_error_strerror(error).map { String(cString: $0) } ?? "unknown fault"
  }

  private static func zipError(_ error: UnsafeMutablePointer<zip_error_t>?, _ file: String) -> DiagnosticsError {
    DiagnosticsError("is not a sound .npz archive: \(message(error))", location: Location(file: file))
  }
}
