import Foundation
import LatheCore

/// The threads of a compiled model.
final class NativePool {
  private typealias Size = @convention(c) () -> Int
  private typealias Start = @convention(c) (UnsafeMutableRawPointer?, Int32) -> Int32
  private typealias Stop = @convention(c) (UnsafeMutableRawPointer?) -> Void

  private let memory: AlignedMemory
  private let stopping: Stop

  /// Starts the threads by the functions of a library.
  ///
  /// - Throws: when they cannot be started.
  init(_ library: UnsafeMutableRawPointer, _ name: String, _ count: Int) throws(DiagnosticsError) {
    guard let size = dlsym(library, "\(name)_threads_bytes"), let start = dlsym(library, "\(name)_start_threads"),
      let stop = dlsym(library, "\(name)_stop_threads")
    else { throw DiagnosticsError("the compiled model has no functions for threads") }
    memory = AlignedMemory(byteCount: unsafeBitCast(size, to: Size.self)())
    stopping = unsafeBitCast(stop, to: Stop.self)
    let status = unsafeBitCast(start, to: Start.self)(memory.start, Int32(clamping: count))
    guard status == 0 else {
      throw DiagnosticsError(
        "\(count) threads cannot be started (error \(status))", help: "give a smaller number of threads, at most 64")
    }
  }

  /// What the compiled code knows the threads by.
  var start: UnsafeMutableRawPointer { memory.start }

  /// Ends the threads; before the library goes.
  func stop() { stopping(memory.start) }
}
