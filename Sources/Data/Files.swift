public import LatheCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file's content with the place that it is to have.
public struct FileContent: Sendable {
  /// Where the file is to be.
  public var path: String
  private var content: Content

  /// Where the content comes from.
  private enum Content: Sendable {
    case bytes([UInt8])
    case parts(Parts)
  }

  /// Hands out content piece by piece, from its start to its end, each time anew.
  package typealias Parts =
    @Sendable (
      _ body: (UnsafeRawBufferPointer) throws(DiagnosticsError) -> Void
    ) throws(DiagnosticsError) -> Void

  /// Names content that is not written yet.
  public init(path: String, bytes: [UInt8]) {
    self.path = path
    content = .bytes(bytes)
  }

  /// Names content that is made while it is written.
  package init(path: String, parts: @escaping Parts) {
    self.path = path
    content = .parts(parts)
  }

  /// What it is to hold.
  public var bytes: [UInt8] {
    get {
      switch content {
      case .bytes(let bytes): return bytes
      case .parts(let parts):
        var bytes: [UInt8] = []
        do throws(DiagnosticsError) {
          try parts { bytes += $0 }
        } catch {
          internalError("\(error)")
        }
        return bytes
      }
    }
    set { content = .bytes(newValue) }
  }

  /// Hands out the content piece by piece.
  fileprivate func withParts(_ body: (UnsafeRawBufferPointer) throws(DiagnosticsError) -> Void) throws(DiagnosticsError)
  {
    switch content {
    case .bytes(let bytes):
      try bytes.withUnsafeBufferPointer { (bytes) throws(DiagnosticsError) in try body(UnsafeRawBufferPointer(bytes)) }
    case .parts(let parts): try parts(body)
    }
  }

  /// Names text that is not written yet; files hold UTF-8.
  public init(path: String, text: String) {
    self.init(path: path, bytes: [UInt8](text.utf8))
  }
}

/// What is wrong with a file or a part of it, without its name.
package struct FileFault: Error {
  package var message: String

  package init(_ message: String) { self.message = message }
}

/// What a body gives, its fault being one of a file.
package func located<R>(_ file: String, _ body: () throws(FileFault) -> R) throws(DiagnosticsError) -> R {
  do throws(FileFault) {
    return try body()
  } catch {
    throw DiagnosticsError(error.message, location: Location(file: file))
  }
}

extension FileContent {
  /// The content as text.
  ///
  /// - Throws: That it is none.
  package func text() throws(DiagnosticsError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DiagnosticsError("is not text in UTF-8", location: Location(file: path))
    }
    return text
  }

  /// The whole file at a path.
  ///
  /// - Throws: One diagnostic with the path as its place, where the file cannot be opened or read.
  public init(reading path: String) throws(DiagnosticsError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("cannot be opened", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("cannot be read", path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw DiagnosticsError("is a folder, not a file", location: Location(file: path))
    }
    // A pipe or a device has no size; a file may grow or shrink while it is read. So the size is a first guess only.
    var content = [UInt8]()
    var expected = max(Int(status.st_size) + 1, 1 << 16)
    while true {
      let start = content.count
      var problem: Int32 = 0
      let wanted = expected
      let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
        var count = 0
        while count < wanted {
          let got = read(descriptor, buffer.baseAddress! + count, wanted - count)
          if got < 0 && errno == EINTR { continue }
          if got < 0 { problem = errno }
          if got <= 0 { break }
          count += got
        }
        initialized = count
      }
      guard problem == 0 else { throw systemError("cannot be read", path, code: problem) }
      if start == 0 { content = chunk } else { content += chunk }
      if chunk.count < wanted { break }
      expected = max(content.count, 1 << 16)
    }
    self.init(path: path, bytes: content)
  }
}

extension [FileContent] {
  /// Writes all files or none: each to a temporary file in its own folder; when all are complete, they are renamed.
  ///
  /// Every file that Lathe writes is written here. What was at a path before stays there until the new content is
  /// complete. Devices and pipes, `/dev/stdout` for one, are written to directly.
  ///
  /// - Throws: One diagnostic with the path as its place: an unwritable folder, a full disk.
  public func writeAtomically() throws(DiagnosticsError) {
    var pending: [(temporary: String, target: String, path: String)] = []
    var direct: [FileContent] = []
    let signals = holdInterrupts()
    defer { restore(signals) }
    do throws(DiagnosticsError) {
      for file in self {
        var status = stat()
        let exists = stat(file.path, &status) == 0
        if exists && status.st_mode & S_IFMT == S_IFDIR {
          throw DiagnosticsError("cannot be written: it is a folder", location: Location(file: file.path))
        }
        if exists && status.st_mode & S_IFMT != S_IFREG {
          direct.append(file)
          continue
        }
        // A symbolic link keeps pointing where it points: its target is what is replaced.
        let target = exists ? resolved(file.path) : file.path
        let temporary = try createTemporary(besides: target, mode: exists ? status.st_mode & 0o7777 : nil, for: file)
        pending.append((temporary, target, file.path))
      }
      // Whoever reads a pipe may never do so.
      if !direct.isEmpty { restore(signals) }
      for file in direct {
        let descriptor = open(file.path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("cannot be written", file.path) }
        try write(file, to: descriptor)
      }
      for (index, file) in pending.enumerated() {
        guard rename(file.temporary, file.target) == 0 else {
          let error = systemError("cannot be written", file.path)
          for renamed in pending[..<index] { unlink(renamed.target) }
          throw error
        }
      }
    } catch {
      for file in pending { unlink(file.temporary) }
      throw error
    }
  }
}

extension FileContent {
  /// Writes the file so that the path holds all of it or what it held before.
  ///
  /// - Throws: One diagnostic with the path as its place.
  public func writeAtomically() throws(DiagnosticsError) { try [self].writeAtomically() }
}

extension [UInt8] {
  /// Writes the bytes so that the path holds all of them or what it held before.
  ///
  /// - Throws: One diagnostic with the path as its place.
  public func writeAtomically(to path: String) throws(DiagnosticsError) {
    try FileContent(path: path, bytes: self).writeAtomically()
  }
}

extension String {
  /// Writes the text so that the path holds all of it or what it held before.
  ///
  /// - Throws: One diagnostic with the path as its place.
  public func writeAtomically(to path: String) throws(DiagnosticsError) {
    try FileContent(path: path, text: self).writeAtomically()
  }
}

/// Says before long work what would keep a file from being written when it is done.
///
/// - Throws: One diagnostic with the path as its place.
package func requireWritable(_ path: String) throws(DiagnosticsError) {
  var status = stat()
  let exists = stat(path, &status) == 0
  if exists, status.st_mode & S_IFMT == S_IFDIR {
    throw DiagnosticsError("cannot be written: it is a folder", location: Location(file: path))
  }
  if exists, status.st_mode & S_IFMT != S_IFREG {
    guard access(path, W_OK) == 0 else { throw systemError("cannot be written", path) }
    return
  }
  // What is written is a new file beside the old one.
  let target = exists ? resolved(path) : path
  let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "."
  guard access(folder, W_OK | X_OK) == 0 else { throw systemError("cannot be written", path) }
}

// MARK: POSIX

/// Lets interrupts wait until files are complete, so that they leave no temporary ones; gives the mask before.
private func holdInterrupts() -> sigset_t {
  var held = sigset_t()
  var before = sigset_t()
  sigemptyset(&held)
  for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&held, signal) }
  pthread_sigmask(SIG_BLOCK, &held, &before)
  return before
}

private func restore(_ signals: sigset_t) {
  var signals = signals
  pthread_sigmask(SIG_SETMASK, &signals, nil)
}

/// Creates and fills a file beside `target` under a name that nobody has.
private func createTemporary(
  besides target: String, mode: mode_t?, for file: FileContent
) throws(DiagnosticsError) -> String {
  let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
  for _ in 0..<100 {
    let path = folder + ".lathe-" + String(UInt64.random(in: .min ... .max), radix: 36) + ".tmp"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 && errno == EEXIST { continue }
    guard descriptor >= 0 else { throw systemError("cannot be written", file.path) }
    if let mode { fchmod(descriptor, mode) }
    do throws(DiagnosticsError) {
      try write(file, to: descriptor)
    } catch {
      unlink(path)
      throw error
    }
    return path
  }
  throw DiagnosticsError("cannot be written: no free temporary name", location: Location(file: file.path))
}

/// Writes everything and closes the descriptor: some file systems report a full disk only then.
private func write(_ file: FileContent, to descriptor: Int32) throws(DiagnosticsError) {
  do throws(DiagnosticsError) {
    try file.withParts { (part) throws(DiagnosticsError) in try writeAll(part, to: descriptor, name: file.path) }
  } catch {
    close(descriptor)
    throw error
  }
  guard close(descriptor) == 0 else { throw systemError("cannot be written", file.path) }
}

/// Writes everything to an open file, `name` to a person.
///
/// - Throws: One diagnostic with the name as its place.
package func writeAll(_ bytes: [UInt8], to descriptor: Int32, name: String) throws(DiagnosticsError) {
  try bytes.withUnsafeBufferPointer { (bytes) throws(DiagnosticsError) in
    try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, name: name)
  }
}

private func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, name: String
) throws(DiagnosticsError) {
  guard let start = bytes.baseAddress else { return }
  var position = 0
  while position < bytes.count {
    let count = write(descriptor, start + position, bytes.count - position)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw systemError("cannot be written", name) }
    position += count
  }
}

private func resolved(_ path: String) -> String {
  guard let real = realpath(path, nil) else { return path }
  defer { free(real) }
  return String(cString: real)
}

package func systemError(_ what: String, _ path: String, code: Int32 = errno) -> DiagnosticsError {
  let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
  return DiagnosticsError("\(what): \(reason)", location: Location(file: path))
}
