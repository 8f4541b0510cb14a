import Foundation
import Testing

@Suite struct DotTests {
  @Test func printsDOTText() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "dot", "mlp.lathe")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(outcome.output.hasPrefix("digraph \"mlp\" {\n"))
    #expect(outcome.output.contains("f32[N,3]"))
  }

  @Test(arguments: [("svg", "<?xml"), ("png", "PNG"), ("pdf", "%PDF"), ("dot", "digraph")])
  func writesPictures(_ suffix: String, _ mark: String) throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "dot", "mlp.lathe", "-o", "a.\(suffix)")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "")
    let head = String(decoding: try Data(contentsOf: bench.path("a.\(suffix)")).prefix(16), as: UTF8.self)
    #expect(head.contains(mark))
  }

  @Test func showsTheKernelsOfTheLoweredStage() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "dot", "mlp.lathe", "--dim", "N=2", "--stage", "lowered")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("kernel 0"))
    let open = try bench.run("lathe", "dot", "mlp.lathe", "--stage", "lowered")
    #expect(open.status == 1)
    #expect(open.errors == "mlp.lathe: error: the size N is not known\n  help: add --dim N=SIZE\n")
  }

  @Test(arguments: ["svg", "png", "json"])
  func showsTheArena(_ suffix: String) throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "dot", "mlp.lathe", "--dim", "N=2", "--stage", "memory", "-o", "a.\(suffix)")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let data = try Data(contentsOf: bench.path("a.\(suffix)"))
    if suffix == "json" {
      let report = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(report["arena_bytes"] as? Int == report["lower_bound"] as? Int)
      #expect(report["tensors"] is [Any])
    } else {
      #expect(data.count > 500)
    }
    let wrong = try bench.run("lathe", "dot", "mlp.lathe", "-o", "a.json")
    #expect(wrong.status == 64)
  }

  @Test func aPictureThatCannotBeWrittenIsAMistake() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "dot", "mlp.lathe", "-o", "none/a.svg")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "none/a.svg: error: cannot be written: No such file or directory\n")
  }
}
