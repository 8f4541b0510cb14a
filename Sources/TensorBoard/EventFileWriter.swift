import Foundation
public import LatheCore
import LatheData
import SwiftProtobuf
import Synchronization

/// Writes an event file, which TensorBoard reads: PyTorch's `EventFileWriter`.
///
/// The file's name has the time, the machine, the process and a number, so that every writer has a file of its own. A record
/// is an event with its length and two checksums. Records are appended several at once: when as many as the queue holds
/// are waiting, when so many seconds have passed, by ``flush()`` and by ``close()``. What has been appended stays readable
/// whatever happens to the process; a record that is cut off ends what readers see, and nothing else.
public final class EventFileWriter: Sendable {
  private struct State: ~Copyable {
    /// Nil once the writer is closed.
    var file: AppendedFile?
    var pending: [UInt8] = []
    var count = 0
    /// What went wrong when nobody was there to be told.
    var failure: DiagnosticsError?

    mutating func append() throws(DiagnosticsError) {
      if let failure {
        self.failure = nil
        throw failure
      }
      guard !pending.isEmpty else { return }
      try file?.append(pending)
      pending = []
      count = 0
    }
  }

  private static let number = Atomic(0)

  /// The folder that the file is in.
  public let logDir: String
  /// The file.
  public let path: String
  private let maxQueueSize: Int
  private let state: Mutex<State>
  private let clock: Mutex<Task<Void, Never>?> = Mutex(nil)

  /// Creates the folder and the file, which begins with the version of its format.
  ///
  /// - Parameters:
  ///   - logDir: The folder; it is made where it is not there.
  ///   - maxQueueSize: How many events may wait until they are written.
  ///   - flushSecs: After how many seconds waiting events are written.
  ///   - filenameSuffix: What the file's name ends with.
  /// - Throws: That the folder or the file cannot be made.
  public init(
    logDir: String, maxQueueSize: Int = 10, flushSecs: Double = 120, filenameSuffix: String = ""
  ) throws(DiagnosticsError) {
    self.logDir = logDir
    self.maxQueueSize = maxQueueSize
    let now = Date().timeIntervalSince1970
    let time = String(Int(now))
    let number = Self.number.wrappingAdd(1, ordering: .relaxed).oldValue
    let process = ProcessInfo.processInfo
    path =
      logDir + "/events.out.tfevents." + String(repeating: "0", count: max(0, 10 - time.count)) + time
      + ".\(process.hostName).\(process.processIdentifier).\(number)\(filenameSuffix)"
    try createFolder(logDir)
    state = Mutex(State(file: try AppendedFile(creating: path)))
    try add(
      Tensorboard_Event.with {
        $0.wallTime = now
        $0.fileVersion = "brain.Event:2"
        $0.sourceMetadata.writer = "lathe"
      })
    try flush()
    guard flushSecs > 0, flushSecs.isFinite else { return }
    let task = Task.detached(priority: .utility) { [weak self] in
      while true {
        do { try await Task.sleep(for: .seconds(flushSecs)) } catch { return }
        guard let self else { return }
        self.flushUnattended()
      }
    }
    clock.withLock { $0 = task }
  }

  deinit {
    clock.withLock { $0?.cancel() }
    flushUnattended()
  }

  /// Adds an event, encoded as the protocol buffer `tensorboard.Event`.
  ///
  /// - Throws: That the writer is closed, or that events cannot be written; those wait further.
  public func addEvent(_ event: [UInt8]) throws(DiagnosticsError) {
    let record = Self.record(event)
    try state.withLock { state throws(DiagnosticsError) in
      guard state.file != nil else {
        throw DiagnosticsError("the event file is closed", location: Location(file: path))
      }
      state.pending += record
      state.count += 1
      if state.count >= maxQueueSize { try state.append() }
    }
  }

  /// Writes the events that wait.
  ///
  /// - Throws: That they cannot be written: a full disk, for one. They wait further.
  public func flush() throws(DiagnosticsError) {
    try state.withLock { state throws(DiagnosticsError) in try state.append() }
  }

  /// Writes the events that wait, and closes the file; later events are refused.
  ///
  /// - Throws: That events cannot be written; they are lost.
  public func close() throws(DiagnosticsError) {
    clock.withLock { $0?.cancel() }
    try state.withLock { state throws(DiagnosticsError) in
      defer { state.file = nil }
      try state.append()
    }
  }

  func add(_ event: Tensorboard_Event) throws(DiagnosticsError) { try addEvent(event.encoded) }

  private func flushUnattended() {
    state.withLock { state in
      do throws(DiagnosticsError) { try state.append() } catch { state.failure = error }
    }
  }

  /// The framing of TFRecord: the length and its checksum, the bytes and theirs.
  private static func record(_ bytes: [UInt8]) -> [UInt8] {
    func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) }
    }
    let length = littleEndian(UInt64(bytes.count))
    return length + littleEndian(Checksum.masked(length)) + bytes + littleEndian(Checksum.masked(bytes))
  }
}

extension Message {
  /// The message as bytes, the same ones every time.
  var encoded: [UInt8] {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return unfailing { try serializedBytes(options: options) }
  }
}
