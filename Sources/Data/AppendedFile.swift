package import LatheCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A new file that grows by records: each is there whole, or, where the process or its disk ends, cut off at the end.
///
/// A record that cannot be written whole is taken back, so that what is appended later stands behind the last whole one.
package struct AppendedFile: ~Copyable, Sendable {
  package let path: String
  private let descriptor: Int32
  private var size = 0

  /// Creates the file, which must not be there yet.
  package init(creating path: String) throws(DiagnosticsError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw systemError("cannot be written", path) }
    self.path = path
  }

  deinit { close(descriptor) }

  /// Appends whole records; they are the operating system's when this returns.
  package mutating func append(_ records: [UInt8]) throws(DiagnosticsError) {
    do throws(DiagnosticsError) {
      try writeAll(records, to: descriptor, name: path)
      size += records.count
    } catch {
      ftruncate(descriptor, off_t(size))
      throw error
    }
  }
}

/// Makes a folder, and those that it lies in, where they are not there.
///
/// - Throws: One diagnostic with the path as its place.
package func createFolder(_ path: String) throws(DiagnosticsError) {
  if mkdir(path, 0o777) == 0 { return }
  var code = errno
  if code == ENOENT, let end = path.dropLast().lastIndex(of: "/"), end > path.startIndex {
    try createFolder(String(path[..<end]))
    if mkdir(path, 0o777) == 0 { return }
    code = errno
  }
  var status = stat()
  if code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
  throw systemError("the folder cannot be made", path, code: code)
}
