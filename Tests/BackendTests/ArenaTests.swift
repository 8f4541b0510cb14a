import Foundation
import Lathe
import TestSupport
import Testing

/// What training needs beside its state, and what it would need without the planner's ways of saving.
///
/// With `LATHE_ARENA_TABLE=1` in the environment, which `tools/arenas` sets, the networks have the sizes of *Training*, whose
/// table is printed.
struct ArenaTests {
  private static let printsTable = ProcessInfo.processInfo.environment["LATHE_ARENA_TABLE"] != nil

  private static let networks: [TrainedNetwork] =
    printsTable
    ? [("lenet", 32, 8), ("resnet18", 16, 64), ("lstm", 32, 32), ("transformer", 32, 32), ("gan", 32, 8)].compactMap {
      TrainedNetwork(named: $0.0, batch: $0.1, width: $0.2)
    } : TrainedNetwork.all

  @Test("one arena for all functions is near to its lower bound, and smaller than one for each", arguments: networks)
  func arenas(network: TrainedNetwork) throws {
    let compiled = try compile(network.model("adamw"))
    let separate = compiled.functions.reduce(0) { $0 + $1.arenaBytes }
    let copying = try compiled.functions.map { function in
      try PlannedProgram(
        planning: Program(
          lowering: function.graph, variables: compiled.variables, convolutions: .auto, inPlace: false)
      ).arenaBytes
    }.max()
    let copied = try #require(copying)
    #expect(compiled.lowerBound <= compiled.arenaBytes)
    #expect(Double(compiled.arenaBytes) <= 1.02 * Double(compiled.lowerBound))
    #expect(compiled.arenaBytes < separate)
    if Self.printsTable {
      print(
        "| \(network.name) | \(compiled.stateBytes) | \(compiled.arenaBytes) | \(compiled.lowerBound) | \(copied) | \(separate) |"
      )
    }
  }
}
