import LatheCommands
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

  @Test func versionAndEnvironmentAreTold() throws {
    let outcome = try Workbench().run("lathe", "--version")
    #expect(outcome.status == 0)
    #expect(outcome.output == LatheTool.version + "\n")
    let help = try Workbench().run("lathe", "--help").output
    for word in ["CC ", "LATHE_CACHE ", "NO_COLOR ", "--generate-completion-script", "--version"] {
      #expect(help.contains(word), "\(word)")
    }
  }

  @Test(arguments: [
    ("check a.lathe --dim N", "it is not a name and a size, N=4"), ("check a.lathe --dim N=x", "it is no whole number"),
    ("check a.lathe --dim N=0", "it must be at least 1"),
    ("check a.lathe --dim N=99999999999999999999", "it is no whole number from 1 to"),
    ("run a.lathe --input x", "it is not a name and a file, x=x.npy"),
    ("run a.lathe --input x=", "the file is missing"),
    ("run a.lathe --threads 0", "it must be at least 1"), ("run a.lathe --seed -1", "--seed"),
    ("run a.lathe --threds 2", "Did you mean '--threads'?"), ("verify x --rtol=-1", "it must not be negative"),
    ("run a.lathe --backend gpu", "Please provide one of 'interpreter' and 'native'"),
    ("verify x --atol soon", "it is no number"), ("compile a.lathe -o a.cc", "its suffix must be .c"),
    ("run a.lathe --outputs out.csv", "'out.csv' names no form that outputs are written in: a folder, or an .npz file"),
    ("run a.lathe --outputs x.npy", "'x.npy' names no form"), ("bench a.lathe --seconds=-1", "it must not be negative"),
    ("train a.lathe --inputs x --targets y -o o.npz --epochs 0", "it must be at least 1"),
    ("train a.lathe --inputs x --targets y -o o.npz --lr 0", "it must be positive"),
    ("lower a.lathe --stop-after x", "it is no whole number"),
    ("compile a.lathe -o a.c --weight-growth=-1", "it must not be negative"),
    ("compile a.lathe -o a.c --gradient-hooks 4096", "--gradient-hooks is for --train"),
    ("compile a.lathe -o a.c --train --gradient-hooks 0", "it must be at least 1"),
  ])
  func wrongUsageHasAReason(_ arguments: String, _ reason: String) throws {
    let outcome = try Workbench(["a.lathe": perceptron]).shell("$lathe " + arguments)
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.errors.contains(reason), "\(outcome.errors)")
  }

  /// What cannot be written is said before the model is read, which is not there.
  @Test(arguments: [
    "compile none.onnx -o", "convert none.onnx -o", "dot none.onnx -o", "grad none.onnx --of y -o",
    "train none.onnx --inputs x --targets y -o", "run none.onnx --outputs",
  ])
  func outputsAreCheckedBeforeTheWork(_ command: String) throws {
    let bench = try Workbench()
    let suffix = ["compile": "c", "convert": "onnx", "dot": "svg", "grad": "onnx", "train": "npz", "run": "npz"]
    let name = "none/out." + (suffix[String(command.prefix { $0 != " " })] ?? "")
    let outcome = try bench.shell("$lathe \(command) \(name)")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "\(name): error: cannot be written: No such file or directory\n")
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
