import Foundation
import LatheCore
import LatheData
import Testing

@Suite struct RunTests {
  private func bench() throws -> Workbench {
    let bench = try Workbench(["mlp.lathe": perceptron, "s.lathe": statistics])
    func write(_ array: NDArray, _ name: String) throws { try array.npy().writeAtomically(to: bench.path(name).path) }
    try write(try NDArray((0..<8).map { Float($0) }, shape: [2, 4]), "x.npy")
    try write(try NDArray([0.0, 1, 2, 3], shape: [1, 4]), "f64.npy")
    try write(NDArray([Float(0), 1, 2, 3]), "flat.npy")
    try write(try NDArray([Float(0), 1, 2], shape: [1, 3]), "narrow.npy")
    try write(NDArray([Int64(3), 1, 4, 1, 5, 9]), "counts.npy")
    try write(try NDArray([Float(1), 2, 3, 4, 5, 6], shape: [2, 3]), "weights.npy")
    return bench
  }

  private func array(_ bench: Workbench, _ name: String) throws -> NDArray {
    try NDArray(readingNPY: bench.path(name).path)
  }

  private let expected = unfailing { try NDArray([Float(4), 5, 6, 12, 13, 14], shape: [2, 3]) }

  @Test func readsAnInputAndWritesTheOutputs() throws {
    let bench = try bench()
    let outcome = try bench.run("lathe", "run", "mlp.lathe", "--input", "x=x.npy", "--outputs", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors == "")
    #expect(try array(bench, "out/output_0.npy") == expected)
  }

  @Test func readsAndWritesArchives() throws {
    let bench = try bench()
    let inputs = NPZ([
      NamedArray(name: "weights", array: try array(bench, "weights.npy")),
      NamedArray(name: "counts", array: try array(bench, "counts.npy")),
    ])
    try inputs.write(to: bench.path("in.npz").path)
    let outcome = try bench.run("lathe", "run", "s.lathe", "--inputs", "in.npz", "--outputs", "out.npz")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let outputs = try NPZ(reading: bench.path("out.npz").path)
    #expect(outputs.members.map(\.name) == ["total", "most/count", "sum"])
    #expect(outputs.members.map(\.array.doubles) == [[23], [9], [21]])
  }

  @Test func readsAFolderByNamesAndByPositions() throws {
    let bench = try bench()
    _ = try bench.shell(
      "mkdir a b; cp counts.npy a; cp weights.npy a; cp counts.npy b/input_0.npy; cp weights.npy b/input_1.npy")
    for folder in ["a", "b"] {
      let outcome = try bench.run("lathe", "run", "s.lathe", "--inputs", folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output == "total: i64[] = [23]\nmost/count: i64[] = [9]\nsum: f32[] = [21]\n")
    }
  }

  @Test func makesSeededInputsAndSaysSo() throws {
    let bench = try bench()
    let first = try bench.run("lathe", "run", "s.lathe", "--seed", "7")
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.errors == "note: no inputs given: random ones from seed 7\n")
    #expect(try bench.run("lathe", "run", "s.lathe", "--seed", "7").output == first.output)
    #expect(try bench.run("lathe", "run", "s.lathe", "--seed", "8").output != first.output)
  }

  @Test(arguments: [
    ("mlp.lathe --input x=f64.npy", "f64.npy: error: input 'x' is f32[N,4], the file holds f64[1,4]\n"),
    ("mlp.lathe --input x=flat.npy", "flat.npy: error: input 'x' is f32[N,4], the file holds f32[4]\n"),
    ("mlp.lathe --input x=narrow.npy", "narrow.npy: error: input 'x' is f32[N,4], the file holds f32[1,3]\n"),
    (
      "mlp.lathe --dim N=3 --input x=x.npy",
      "x.npy: error: input 'x' is f32[3,4], the file holds f32[2,4]\n"
    ),
    (
      "mlp.lathe --input y=x.npy", "x.npy: error: the model has no input 'y'\n  help: its inputs are x\n"
    ),
    (
      "s.lathe --input counts=counts.npy",
      "s.lathe: error: input 'weights', f32[2,3], is not given\n  help: add --input weights=FILE.npy\n"
    ),
    ("mlp.lathe", "mlp.lathe: error: the size N is not known\n  help: add --dim N=SIZE\n"),
    ("mlp.lathe --input x=none.npy", "none.npy: error: cannot be opened: No such file or directory\n"),
    (
      "mlp.lathe --input x=mlp.lathe", "mlp.lathe: error: is not an .npy file: the magic bytes \\x93NUMPY are missing\n"
    ),
    ("mlp.lathe --inputs none", "none: error: cannot be opened: No such file or directory\n"),
    ("mlp.lathe --inputs x.npy", "x.npy: error: is not a .npz file: it is no zip archive\n"),
    (
      "mlp.lathe --input x=x.npy --outputs none/out.npz",
      "none/out.npz: error: cannot be written: No such file or directory\n"
    ),
  ])
  func inputsThatDoNotFitAreMistakes(_ arguments: String, _ message: String) throws {
    let bench = try bench()
    let before = try bench.files()
    let outcome = try bench.shell("$lathe run \(arguments)")
    #expect(outcome.status == 1)
    #expect(outcome.errors == message)
    #expect(outcome.output == "")
    #expect(try bench.files() == before)
  }

  @Test func aModelTooLargeForTheMachineIsAMistake() throws {
    let bench = try Workbench([
      "huge.lathe": """
      func main(%x: f32[1000000,1000000]) -> (%y: f32[1000000,1000000]) {
        %0 = negate %x : f32[1000000,1000000]
        return %0
      }

      """
    ])
    let outcome = try bench.run("lathe", "run", "huge.lathe")
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasPrefix("huge.lathe: error: running the model needs 3725.3 GiB of memory, this machine has "))
  }

  @Test func aFullDiskLeavesNothingBehind() throws {
    let bench = try bench()
    let outcome = try bench.shell("(ulimit -f 0; $lathe run mlp.lathe --input x=x.npy --outputs out) 2>&1 | cat")
    #expect(outcome.output == "out/output_0.npy: error: cannot be written: File too large\n")
    #expect(try !bench.files().contains("out"))
  }

  /// Two tables, of 3 rows and of 2.
  private let tables = """
    func tables(%t: f32[3,2], %s: f32[2,2], %i: i64[12], %j: i32[12,1]) -> (%y: f32[12,2]) {
      %0 = reshape %i {shape: [12, 1]} : i64[12,1]
      %1 = gather %t, %0 {batch: 0, axes: [0]} : f32[12,2]
      %2 = gather %s, %j {batch: 0, axes: [0]} : f32[12,2]
      %3 = add %1, %2 : f32[12,2]
      return %3
    }
    """

  @Test("an index out of range is an error", arguments: ["interpreter", "native"])
  func checksIndices(backend: String) throws {
    let bench = try Workbench(["tables.lathe": tables])
    func write(_ array: NDArray, _ name: String) throws { try array.npy().writeAtomically(to: bench.path(name).path) }
    try write(NDArray.zeros(.f32, [3, 2]), "t.npy")
    try write(NDArray.zeros(.f32, [2, 2]), "s.npy")
    try write(NDArray.zeros(.i32, [12, 1]), "j.npy")
    func run(_ index: Int64, _ options: String) throws -> Outcome {
      try write(NDArray([Int64](repeating: 2, count: 11) + [index]), "i.npy")
      let inputs = ["t", "s", "i", "j"].map { "--input \($0)=\($0).npy" }.joined(separator: " ")
      return try bench.shell("$lathe run tables.lathe \(inputs) --backend \(backend) \(options)")
    }
    #expect(try run(2, "").status == 0)
    for index in [3, -1] as [Int64] {
      let outcome = try run(index, "--outputs out")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("out of range"), "\(outcome.errors)")
      if backend == "interpreter" { #expect(outcome.errors.contains("index \(index) is out of range")) }
    }
    #expect(try run(2, "--index-checks off").status == 0)
    #expect(try run(2, "--index-checks maybe").status == 64)
  }

  @Test func randomIndicesFitWhatTheyAddress() throws {
    let bench = try Workbench(["tables.lathe": tables])
    for seed in 0..<4 {
      let outcome = try bench.run("lathe", "run", "tables.lathe", "--seed", "\(seed)")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
  }

  @Test func codeIsCompiledWithoutChecksOnRequest() throws {
    let bench = try Workbench(["tables.lathe": tables])
    for (options, checks) in [("", true), ("--index-checks off", false)] {
      let outcome = try bench.shell("$lathe compile tables.lathe -o tables.c \(options)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try bench.text("tables.c").contains("return TABLES_ERROR_INDEX;") == checks)
    }
  }
}
