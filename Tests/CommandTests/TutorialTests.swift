import Foundation
import Testing

@Suite struct TutorialTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardized.path

  /// All of the article's blocks, with the command line and the modules that are built beside the tests.
  @Test func theTutorialIsFollowed() throws {
    let bench = try Workbench()
    let outcome = try bench.shell("'\(Self.root)/tools/tutorial' --built \"$(dirname \"$lathe\")\"")
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.output.contains("swift run --package-path reader reader"))
    #expect(outcome.output.contains(/\d+ blocks of commands/))
  }
}
