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
    #expect(outcome.errors == "error: --dim M: the model has no such symbol\n  help: its symbols are N\n")
  }

  @Test(arguments: [
    ("none.lathe", "none.lathe: error: cannot be opened: No such file or directory\n"),
    (".", ".: error: is no model: its suffix must be .onnx, .pt2 or .lathe\n"),
    ("latin.lathe", "latin.lathe: error: is not text in UTF-8\n"),
    (
      "a.pt2", "a.pt2: error: importing .pt2 is not there yet\n  help: export the model with torch.onnx.export\n"
    ),
  ])
  func filesThatAreNoModelsAreMistakes(_ file: String, _ message: String) throws {
    let bench = try Workbench(["a.pt2": ""])
    _ = try bench.shell("printf '\\377\\376' > latin.lathe")
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
