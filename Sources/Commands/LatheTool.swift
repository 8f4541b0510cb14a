public import ArgumentParser

/// The `lathe` command line: the subcommands for models in files, and those that bring their own.
public struct LatheTool: ModelTool {
  /// The names and help of the subcommands.
  public static let configuration = CommandConfiguration(
    commandName: "lathe", abstract: "A compiler for computation graphs.",
    subcommands: modelCommands(for: ModelFile.self) + [VerifyCommand.self, PlanCommand.self])

  /// Made by the parser of arguments.
  public init() {}
}
