internal import Foundation
internal import LatheC
internal import LatheCore
internal import LatheRun

/// What can run a graph: `torch.backends`.
public struct BackendInfo: Sendable {
  /// Its name.
  public let name: String
  /// Whether it is there on this machine.
  public let isAvailable: Bool
  /// What it is here, or why it is not.
  public let detail: String
}

/// What Lathe can run graphs with on this machine.
public enum BackendReport {
  /// The interpreter, which is part of Lathe.
  public static var interpreter: BackendInfo {
    BackendInfo(
      name: "interpreter", isAvailable: true, detail: "kernels for vectors of \(Target.interpreter.vectorBytes) bytes")
  }

  /// Machine code, for which a C compiler is needed.
  public static var native: BackendInfo {
    do throws(DiagnosticsError) {
      let compiler = try CCompiler.system()
      return BackendInfo(
        name: "native", isAvailable: true,
        detail: "\(compiler.command.joined(separator: " ")) for \(compiler.hostTarget().name)")
    } catch {
      return BackendInfo(name: "native", isAvailable: false, detail: error.diagnostics.map(\.message).joined())
    }
  }

  /// C for other machines.
  public static var c: BackendInfo {
    BackendInfo(name: "c", isAvailable: true, detail: Target.all.map(\.name).joined(separator: ", "))
  }

  /// Graphics processors by NVIDIA.
  public static var cuda: BackendInfo {
    BackendInfo(name: "cuda", isAvailable: CUDA.isAvailable(), detail: "Lathe compiles for processors")
  }

  /// All of them.
  public static var all: [BackendInfo] { [interpreter, native, c, cuda] }
}

/// How Lathe was built and what it runs on: `torch.__config__`.
public enum BuildConfiguration {
  /// What there is, in words: backends, threads, how Lathe was compiled.
  public static func show() -> String {
    #if DEBUG
      let mode = "debug"
    #else
      let mode = "release"
    #endif
    let backends = BackendReport.all.map { "  \($0.name): \($0.isAvailable ? $0.detail : "not there, \($0.detail)")" }
    return (["Lathe, built in \(mode) mode"] + backends).joined(separator: "\n") + "\n" + parallelInfo()
  }

  /// How many threads there are and may be, in words.
  public static func parallelInfo() -> String {
    "  threads: \(getNumThreads()), processors: \(ProcessInfo.processInfo.activeProcessorCount)\n"
  }
}
