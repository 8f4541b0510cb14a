import Testing

@Suite struct UsageTests {
  @Test(arguments: [
    [], ["--help"], ["help", "run"], ["check", "--help"], ["plan", "--help"],
  ])
  func helpIsNoMistake(_ arguments: [String]) throws {
    let bench = try Workbench()
    let outcome = try bench.shell("$lathe " + arguments.joined(separator: " "))
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("USAGE: lathe"))
  }

  @Test(arguments: [
    ("chek", "there is no subcommand 'chek'; did you mean 'check'?"),
    ("frobnicate", "there is no subcommand 'frobnicate'\n"),
  ])
  func mistypedSubcommandsAreNamed(_ name: String, _ message: String) throws {
    let outcome = try Workbench().run("lathe", name, "a.lathe")
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }

  @Test(arguments: ["check", "run", "compile", "convert", "grad"])
  func helpOffersOnlyFormsThatThereAre(_ command: String) throws {
    let outcome = try Workbench().run("lathe", command, "--help")
    #expect(outcome.output.contains(".pt2"))
    #expect(outcome.output.contains("FILE.onnx") == ["convert", "grad"].contains(command))
  }

  @Test(arguments: [
    "frobnicate", "check", "check a.lathe b.lathe", "check a.lathe --dim N", "check a.lathe --dim N=",
    "check a.lathe --dim N=x", "check a.lathe --dim N=0", "check a.lathe --dim N=1 --dim N=2", "check a.lathe --dim =3",
    "run a.lathe --input x", "run a.lathe --input =f.npy", "run a.lathe --input x=", "run a.lathe --backend gpu",
    "run a.lathe --threads 0", "run a.lathe --threads x", "run a.lathe --seed x", "run a.lathe --outputs",
    "compile a.lathe", "compile a.lathe -o", "compile a.lathe -o a.cc", "compile a.lathe -o .c",
    "compile a.lathe -o a.c --arena heap", "compile a.lathe -o a.c --conv fast",
    "compile a.lathe -o a.c --bind x", "compile a.lathe -o a.c --std c89", "dot a.lathe -o a.gif",
    "dot a.lathe --stage all", "grad a.lathe --of y", "grad a.lathe -o g.lathe", "grad a.lathe --of y -o g.txt",
    "convert a.lathe", "convert a.lathe -o a.pt2", "grad a.lathe --of y -o g.pt2",
    "check a.lathe --bind x", "run a.lathe --bind =f.npy", "verify", "verify x --rtol y", "verify x --rtol -1",
    "verify x --atol nan", "run a.lathe --dim N=-3", "bench", "plan", "plan a.csv --fast",
  ])
  func wrongUsageIs64(_ arguments: String) throws {
    let bench = try Workbench(["a.lathe": perceptron])
    let outcome = try bench.shell("$lathe " + arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("Error: "))
    #expect(try bench.files() == ["a.lathe"])
  }
}
