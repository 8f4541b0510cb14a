import Foundation
import Testing

@Suite struct CheckTests {
  @Test func saysWhatASoundModelIs() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "check", "mlp.lathe")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    try expectSnapshot(outcome.output, "check-perceptron")
  }

  @Test func reportsEveryMistakeWithItsPlace() throws {
    let bench = try Workbench(["faulty.lathe": faulty])
    let outcome = try bench.run("lathe", "check", "faulty.lathe")
    #expect(outcome.status == 1)
    #expect(outcome.output == "")
    try expectSnapshot(outcome.errors, "check-faulty")
  }

  private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  @Test func threeMistakesOfAnONNXModelAreThreeDiagnosticsWithTheirNodes() throws {
    let bench = try Workbench()
    let model = Self.fixtures.appendingPathComponent("three-mistakes.onnx").path
    let outcome = try bench.run("lathe", "check", model)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.replacingOccurrences(of: model, with: "m.onnx") == """
        m.onnx: error: Add: [2,3] and [7] do not broadcast: sizes 3 and 7 meet on axis 1 of the result
          note: node 'shifted'
          note: 'x': f32[2,3]
          note: 'bias': f32[7]
          help: sizes must be equal or 1, aligned at the last axis
        m.onnx: error: MatMul: the inner sizes differ, 3 (axis 1 of f32[2,3]) and 2 (axis 0 of f32[2,3])
          note: node 'squared'
          note: 'x': f32[2,3]
          note: 'x': f32[2,3]
        m.onnx: error: Transpose: [0, 5] is not a permutation of the axes of f32[2,3]
          note: node 'turned'
          note: 'x': f32[2,3]

        """)
    #expect(
      try mistakes(bench.run("lathe", "check", model, "--json")).map { $0["node"] as? String } == [
        "shifted", "squared", "turned",
      ])
  }

  @Test func unsupportedOperatorsAreListedBesidesOtherMistakes() throws {
    let bench = try Workbench()
    let model = Self.fixtures.appendingPathComponent("unsupported.onnx").path
    let found = try mistakes(bench.run("lathe", "check", model, "--json"))
    #expect(found.map { $0["node"] as? String } == ["first", "second", "turned"])
    #expect(found.first?["operands"] as? [String] == ["node 'third'"])
    let unsupported = try #require(found.first?["unsupported"] as? [String: Any])
    #expect(unsupported["operator"] as? String == "Foo" && unsupported["domain"] as? String == "ai.onnx")
    #expect(unsupported["opset"] as? Int != nil && unsupported["nodes"] as? [String] == ["first", "third"])
    #expect(found.last?["unsupported"] == nil)
  }

  @Test func threeMistakesOfASampleAreThreeDiagnosticsWithTheirLines() throws {
    let bench = try Workbench()
    let outcome = try bench.run("FaultySample", "check", "--json")
    #expect(outcome.errors == "")
    let found = try mistakes(outcome)
    #expect(found.map { $0["operation"] as? String } == ["linear", "permute", "softmax"])
    #expect(found.allSatisfy { ($0["file"] as? String)?.hasSuffix("Tests/FaultySample/FaultyTool.swift") == true })
    #expect(found.map { $0["line"] as? Int } == [10, 11, 12])
    #expect(try bench.run("FaultySample", "check").errors.contains("FaultyTool.swift:10:"))
  }

  private func mistakes(_ outcome: Outcome) throws -> [[String: Any]] {
    #expect(outcome.status == 1)
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["ok"] as? Bool == false)
    return try #require(json?["diagnostics"] as? [[String: Any]])
  }

  @Test func speaksJSONToTools() throws {
    let bench = try Workbench(["mlp.lathe": perceptron, "faulty.lathe": faulty])
    let sound = try bench.run("lathe", "check", "mlp.lathe", "--json", "--dim", "N=7")
    #expect(sound.status == 0)
    try expectSnapshot(sound.output, "check-perceptron-json")
    let wrong = try bench.run("lathe", "check", "faulty.lathe", "--json")
    #expect(wrong.status == 1)
    #expect(wrong.errors == "")
    try expectSnapshot(wrong.output, "check-faulty-json")
  }

  @Test func doesNotColourWhatIsNoTerminal() throws {
    let bench = try Workbench(["faulty.lathe": faulty])
    #expect(try !bench.run("lathe", "check", "faulty.lathe").errors.contains("\u{1B}"))
  }

  @Test func sizesOfUnknownSymbolsAreMistakes() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "check", "mlp.lathe", "--dim", "N=2", "--dim", "M=3")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "mlp.lathe: error: the model has no symbol 'M'\n  help: its symbols are N\n")
  }

  @Test(arguments: [
    ("none.lathe", "none.lathe: error: cannot be opened: No such file or directory\n"),
    (".", ".: error: is no model: its suffix must be .onnx, .pt2 or .lathe\n"),
    ("folder.onnx", "folder.onnx: error: is a folder, not a file\n"),
    ("none.onnx", "none.onnx: error: cannot be opened: No such file or directory\n"),
    ("circle.onnx", "circle.onnx: error: cannot be opened: Too many levels of symbolic links\n"),
    ("empty.onnx", "empty.onnx: error: not an ONNX model: it has no graph\n"),
    ("latin.lathe", "latin.lathe: error: is not text in UTF-8\n"),
    (
      "a.pt2", "a.pt2: error: is not a .pt2 file: it is no zip archive\n"
    ),
  ])
  func filesThatAreNoModelsAreMistakes(_ file: String, _ message: String) throws {
    let bench = try Workbench(["a.pt2": ""])
    _ = try bench.shell(
      "printf '\\377\\376' > latin.lathe; mkdir folder.onnx; : > empty.onnx; ln -s circle.onnx circle.onnx")
    let outcome = try bench.run("lathe", "check", file)
    #expect(outcome.status == 1)
    #expect(outcome.errors == message)
    #expect(outcome.output == "")
  }

  @Test(arguments: ["", "func", "func main(", "func main() -> (", String(perceptron.prefix(200)), "\u{0}"])
  func textThatEndsEarlyIsAMistake(_ text: String) throws {
    let bench = try Workbench(["a.lathe": text])
    let outcome = try bench.run("lathe", "check", "a.lathe")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("a.lathe:"))
  }
}
