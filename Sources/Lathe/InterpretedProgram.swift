internal import LatheCore
internal import LatheRun
internal import Synchronization

/// The program that the interpreter runs, prepared when it is first asked for, and kept.
///
/// Copies of a model share it. Whoever asks while another prepares it waits, so that it is prepared once; after a
/// failure the next one tries again.
final class InterpretedProgram: Sendable {
  private let kept = Mutex<Executable?>(nil)

  /// The program, by `prepare` where there is none yet.
  func executable(
    _ prepare: () throws(DiagnosticsError) -> PlannedProgram
  ) throws(DiagnosticsError) -> Executable {
    try kept.withLock { kept throws(DiagnosticsError) in
      if let kept { return kept }
      let executable = try Executable(prepare())
      kept = executable
      return executable
    }
  }
}
