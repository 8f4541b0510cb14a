public import ArgumentParser
import LatheCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A command line that keeps Lathe's contract: its exit codes, and diagnostics on standard error.
///
/// ```swift
/// @main
/// struct LeNetTool: ModelTool {
///   static let configuration = CommandConfiguration(
///     commandName: "lenet", abstract: "The classic CNN.", subcommands: modelCommands(for: LeNetModel.self))
/// }
/// ```
public protocol ModelTool: ParsableCommand {}

extension ModelTool {
  /// Parses the arguments, runs the subcommand, and ends the process with the exit code of the contract.
  public static func main() {
    // Past a limit of file size, writing is to fail with an error, which becomes a diagnostic, not to kill the process.
    signal(SIGXFSZ, SIG_IGN)
    do {
      try requireSubcommand(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot()
      try command.run()
    } catch let error as DiagnosticsError {
      Console.endProgress()
      Console.report(error.diagnostics)
      Self.exit(withError: ExitCode(1))
    } catch {
      Console.endProgress()
      Self.exit(withError: error)
    }
  }
}

extension ModelTool {
  /// Checks the name of the subcommand, which the parser would take for an argument too many.
  private static func requireSubcommand(_ name: String?) throws {
    let names = configuration.subcommands.compactMap { $0._commandName } + ["help"]
    guard let name, !name.hasPrefix("-"), !names.contains(name) else { return }
    let hint = names.nearest(to: name).map { "; did you mean '\($0)'?" }
    throw ValidationError("there is no subcommand '\(name)'" + (hint ?? ""))
  }
}

extension ExitCode {
  /// Results that differ from those expected.
  static let mismatch = ExitCode(2)
}

/// The subcommands of a tool for one model.
public func modelCommands<Provider: ModelProvider>(for provider: Provider.Type) -> [any ParsableCommand.Type] {
  [
    CheckCommand<Provider>.self, InfoCommand<Provider>.self, RunCommand<Provider>.self,
    CompileCommand<Provider>.self, LowerCommand<Provider>.self, DotCommand<Provider>.self, GradCommand<Provider>.self,
    BenchCommand<Provider>.self, TrainCommand<Provider>.self,
    ConvertCommand<Provider>.self,
  ]
}
