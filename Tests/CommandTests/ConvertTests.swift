import Testing

@Suite struct ConvertTests {
  @Test func theTextFormConvertsToItself() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    #expect(try bench.run("lathe", "convert", "mlp.lathe", "-o", "a.lathe").status == 0)
    #expect(try bench.run("lathe", "convert", "a.lathe", "-o", "b.lathe").status == 0)
    #expect(try bench.text("a.lathe") == bench.text("b.lathe"))
  }

  @Test func sizesAreBound() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    #expect(try bench.run("lathe", "convert", "mlp.lathe", "--dim", "N=2", "-o", "a.lathe").status == 0)
    #expect(try bench.text("a.lathe").hasPrefix("func mlp(%x: f32[2,4]) -> (%y: f32[2,3])"))
  }

  /// One fault, one message; what was there before stays.
  @Test(arguments: [
    ("none/a.lathe", "No such file or directory"), ("old.lathe/a.lathe", "Not a directory"),
    ("folder.lathe", "it is a folder"),
  ])
  func anOutputThatCannotBeWrittenIsAMistake(_ output: String, _ reason: String) throws {
    let bench = try Workbench(["mlp.lathe": perceptron, "old.lathe": "old"])
    _ = try bench.shell("mkdir folder.lathe")
    let outcome = try bench.run("lathe", "convert", "mlp.lathe", "-o", output)
    #expect(outcome.status == 1)
    #expect(outcome.errors == "\(output): error: cannot be written: \(reason)\n")
    #expect(try bench.files() == ["folder.lathe", "mlp.lathe", "old.lathe"])
  }

  @Test func aLimitOfFileSizeLeavesTheOldFile() throws {
    let bench = try Workbench(["mlp.lathe": perceptron, "a.lathe": "old"])
    let outcome = try bench.shell("(ulimit -f 0; $lathe convert mlp.lathe -o a.lathe) 2>&1 | cat")
    #expect(outcome.output == "a.lathe: error: cannot be written: File too large\n")
    #expect(try bench.text("a.lathe") == "old")
    #expect(try bench.files() == ["a.lathe", "mlp.lathe"])
  }

  @Test func aFullStandardOutputIsAMistake() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell("$lathe info mlp.lathe > /dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "standard output: error: cannot be written: No space left on device\n")
  }
}
