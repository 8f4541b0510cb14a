public import ArgumentParser

/// The `lathe` command line: the subcommands for models in files, and those that bring their own.
public struct LatheTool: ModelTool {
  /// The version of Lathe.
  public static let version = "0.12.0"

  /// The names and help of the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "lathe", abstract: "A compiler for computation graphs.",
    discussion: """
      Shells complete commands, options and files: lathe --generate-completion-script bash (zsh, fish).

      ENVIRONMENT:
        CC              The C compiler of native code; else cc, gcc or clang.
        LATHE_CACHE     The folder that native code is kept in.
        XDG_CACHE_HOME  The folder of that one without LATHE_CACHE; else ~/.cache.
        NO_COLOR        Not empty: no colours on terminals.

      EXIT CODES:
        0   done
        1   the model or the data is wrong; nothing is written
        2   results differ from those expected (verify)
        64  wrong usage
      """,
    version: version,
    subcommands: modelCommands(for: ModelFile.self) + [VerifyCommand.self, PlanCommand.self])

  /// Made by the parser of arguments.
  public init() {}
}
