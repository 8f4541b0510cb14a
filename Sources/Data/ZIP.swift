import CZip
package import LatheCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An open zip archive.
package struct ZIPReader: ~Copyable {
  private let archive: OpaquePointer
  /// The names of the members, in the order of the archive.
  package let names: [String]

  /// Reads an archive in memory; it is open while `body` runs.
  ///
  /// - Parameters:
  ///   - file: The file's name for diagnostics.
  ///   - kind: What the archive is meant to be, `.npz`.
  /// - Throws: One diagnostic where the bytes are no sound archive, and what `body` throws.
  package static func reading<R>(
    _ bytes: [UInt8], from file: String, as kind: String,
    _ body: (borrowing ZIPReader) throws(DiagnosticsError) -> R
  ) throws(DiagnosticsError) -> R {
    let result = bytes.withUnsafeBytes { buffer in
      Result<R, DiagnosticsError> { () throws(DiagnosticsError) in
        try body(ZIPReader(buffer, from: file, as: kind))
      }
    }
    return try result.get()
  }

  private init(_ buffer: UnsafeRawBufferPointer, from file: String, as kind: String) throws(DiagnosticsError) {
    // libzip takes an empty file for an empty archive.
    guard buffer.starts(with: "PK".utf8) else {
      throw DiagnosticsError("is not a \(kind) file: it is no zip archive", location: Location(file: file))
    }
    var failure = zip_error_t()
    zip_error_init(&failure)
    defer { zip_error_fini(&failure) }
    guard let source = zip_source_buffer_create(buffer.baseAddress, zip_uint64_t(buffer.count), 0, &failure) else {
      throw zipError(&failure, file, kind)
    }
    guard let archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &failure) else {
      zip_source_free(source)
      guard zip_error_code_zip(&failure) != ZIP_ER_EXISTS else {
        throw DiagnosticsError("two members have one name", location: Location(file: file))
      }
      throw zipError(&failure, file, kind)
    }
    self.archive = archive
    names = (0..<zip_uint64_t(max(zip_get_num_entries(archive, 0), 0))).map { index in
      zip_get_name(archive, index, 0).map { String(cString: $0) } ?? ""
    }
  }

  deinit { zip_discard(archive) }

  /// The unpacked content of a member; libzip checks its checksum at the end.
  package func content(at index: Int) throws(FileFault) -> [UInt8] {
    func fault(_ error: UnsafeMutablePointer<zip_error_t>?) -> FileFault {
      FileFault("cannot be unpacked: \(zipMessage(error))")
    }
    guard let member = zip_fopen_index(archive, zip_uint64_t(index), 0) else { throw fault(zip_get_error(archive)) }
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
      if count < 0 { throw fault(zip_file_get_error(member)) }
      if count == 0 { return content }
    }
  }
}

/// How members of an archive are stored.
public enum ZIPCompression: Hashable, Sendable {
  /// As they are (`numpy.savez`).
  case stored
  /// By deflate (`numpy.savez_compressed`).
  case deflated
}

extension [FileContent] {
  /// The files as a zip archive; the same files give the same bytes, because every member has the same date.
  ///
  /// - Parameters:
  ///   - file: The archive's name for diagnostics.
  ///   - kind: What the archive is, `.npz`.
  /// - Throws: A diagnostic where memory runs out.
  package func zipped(
    _ compression: ZIPCompression, for file: String, as kind: String
  ) throws(DiagnosticsError) -> [UInt8] {
    var failure = zip_error_t()
    zip_error_init(&failure)
    defer { zip_error_fini(&failure) }
    guard let sink = zip_source_buffer_create(nil, 0, 0, &failure) else { throw zipError(&failure, file, kind) }
    defer { zip_source_free(sink) }
    guard let archive = zip_open_from_source(sink, ZIP_CREATE | ZIP_TRUNCATE, &failure) else {
      throw zipError(&failure, file, kind)
    }
    // The archive gives its reference back when it is closed or discarded; ours outlives it.
    zip_source_keep(sink)
    do throws(DiagnosticsError) {
      for member in self {
        guard member.add(to: archive, compression) else { throw zipError(zip_get_error(archive), file, kind) }
      }
    } catch {
      zip_discard(archive)
      throw error
    }
    guard zip_close(archive) == 0 else {
      let error = zipError(zip_get_error(archive), file, kind)
      zip_discard(archive)
      throw error
    }
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
      initialized = Int(Swift.max(count, 0))
    }
    guard Int(count) == size else { throw zipError(zip_source_error(sink), file, kind) }
    return bytes
  }
}

extension FileContent {
  /// Whether the file could be added.
  fileprivate func add(to archive: OpaquePointer, _ compression: ZIPCompression) -> Bool {
    // libzip reads its sources when the archive is closed, and frees this copy then.
    guard let copy = malloc(max(bytes.count, 1)) else { return false }
    bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: copy, count: $0.count).copyMemory(from: $0) }
    guard let source = zip_source_buffer(archive, copy, zip_uint64_t(bytes.count), 1) else {
      free(copy)
      return false
    }
    let index = zip_file_add(archive, path, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
    guard index >= 0 else {
      zip_source_free(source)
      return false
    }
    let position = zip_uint64_t(index)
    // 1 January 1980, the first day that zip archives know.
    return zip_set_file_compression(archive, position, compression == .stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0) == 0
      && zip_file_set_dostime(archive, position, 0, 1 << 5 | 1, 0) == 0
      && zip_file_set_external_attributes(
        archive, position, 0, zip_uint8_t(ZIP_OPSYS_UNIX), 0o100644 << 16) == 0
  }
}

private func zipMessage(_ error: UnsafeMutablePointer<zip_error_t>?) -> String {
  zip_error_strerror(error).map { String(cString: $0) } ?? "unknown fault"
}

private func zipError(_ error: UnsafeMutablePointer<zip_error_t>?, _ file: String, _ kind: String) -> DiagnosticsError {
  DiagnosticsError("is not a sound \(kind) archive: \(zipMessage(error))", location: Location(file: file))
}
