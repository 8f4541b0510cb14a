public import LatheCore

/// What PyTorch's programs ask of CUDA, answered by a compiler for processors: there is no device.
///
/// A compiled model has one target for all of it, chosen when it is compiled (``CompileOptions/target``), so that nothing
/// is moved between devices while it runs.
public enum CUDA {
  /// Whether there is a CUDA device: never.
  public static func isAvailable() -> Bool { false }

  /// How many CUDA devices there are: none.
  public static func deviceCount() -> Int { 0 }

  /// The number of the device that runs.
  ///
  /// - Throws: That there is none.
  public static func currentDevice() throws(DiagnosticsError) -> Int { throw noDevice("currentDevice") }

  /// Chooses a device; a negative number chooses none, which is what there is.
  ///
  /// - Throws: That there is no such device.
  public static func setDevice(_ index: Int) throws(DiagnosticsError) {
    if index >= 0 { throw noDevice("setDevice(\(index))") }
  }

  /// Runs a function with a device chosen; a negative number chooses none, which is what there is.
  ///
  /// - Throws: That there is no such device, and what the function throws.
  public static func withDevice<Result>(_ index: Int, _ body: () throws -> Result) throws -> Result {
    try setDevice(index)
    return try body()
  }

  /// Waits for what a device does.
  ///
  /// - Throws: That there is none: a run has ended when it returns; ``RunQueue/synchronize()`` waits for queued ones.
  public static func synchronize() throws(DiagnosticsError) { throw noDevice("synchronize") }

  private static func noDevice(_ function: String) -> DiagnosticsError {
    DiagnosticsError(
      "CUDA.\(function): there is no CUDA device, Lathe compiles for processors",
      help: "CompileOptions.target says which, setNumThreads how many threads run")
  }
}
