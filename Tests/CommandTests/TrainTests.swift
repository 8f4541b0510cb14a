import Foundation
import LatheCore
import LatheData
import Testing

/// Models of several functions, and training, on the command line.
@Suite struct TrainTests {
  /// `y = x * weight`, row by row, and a counter beside it.
  private static let line = """
    model line {
      var @weight: f32[2] parameter = [0.0, 0.0]
      var @calls: i64[] buffer = 0

      func predict(%x: f32[N,2]) -> (%y: f32[N]) {
        %0 = broadcast @weight {shape: [N, 2], axes: [1]} : f32[N,2]
        %1 = multiply %x, %0 : f32[N,2]
        %2 = reduce_sum %1 {axes: [1]} : f32[N]
        return %2
      }

      func count() -> (%calls: i64[]) {
        %0 = constant 1 : i64[]
        %1 = add @calls, %0 : i64[]
        update @calls = %1
        return %1
      }
    }

    """

  private static func bench(_ more: [String: String] = [:]) throws -> Workbench {
    try Workbench(["line.lathe": line].merging(more) { $1 })
  }

  @Test func severalFunctions() throws {
    let bench = try Self.bench()
    let check = try bench.run("lathe", "check", "line.lathe")
    #expect(check.status == 0)
    #expect(
      check.output == """
        ok: line
          function predict
            input   x: f32[N,2]
            output  y: f32[N]
          function count
            output  calls: i64[]
          2 parameters, 8 nodes
          symbols N

        """)
    #expect(try bench.run("lathe", "run", "line.lathe", "--function", "count").output == "calls: i64[] = [1]\n")
    for command in ["run", "info", "dot", "lower"] {
      let outcome = try bench.run("lathe", command, "line.lathe")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("its functions are predict, count"), "\(command): \(outcome.errors)")
      #expect(try bench.run("lathe", command, "line.lathe", "--function", "predict", "--dim", "N=3").status == 0)
    }
    #expect(try bench.run("lathe", "run", "line.lathe", "--function", "other").errors.contains("no function 'other'"))
    #expect(try bench.run("lathe", "convert", "line.lathe", "-o", "again.lathe").status == 0)
    #expect(try Model(parsing: bench.text("again.lathe")) == Model(parsing: Self.line))
    #expect(try bench.run("lathe", "compile", "line.lathe", "--dim", "N=4", "-o", "line.c").status == 0)
    #expect(try bench.text("line.h").contains("int line_predict(const void *state, const float *x, float *y);"))
    #expect(try bench.text("line.h").contains("int line_count(void *state, int64_t *calls);"))
  }

  private static func writeSamples(_ bench: Workbench) throws {
    let numbers: [Float] = (0..<200).map { Float(($0 * 37) % 41) / 20 - 1 }
    let targets: [Float] = (0..<100).map { (row: Int) -> Float in
      3 * numbers[2 * row] - 2 * numbers[2 * row + 1]
    }
    let samples = try NDArray(numbers, shape: [100, 2])
    try FileContent(path: bench.path("x.npy").path, bytes: samples.npy()).writeAtomically()
    try FileContent(path: bench.path("y.npy").path, bytes: NDArray(targets).npy()).writeAtomically()
  }

  private static let options = [
    "line.lathe", "--function", "predict", "--inputs", "x.npy", "--targets", "y.npy", "--loss", "mse", "--optimizer",
    "adam", "--lr", "0.1", "--batch-size", "10", "--seed", "7", "--threads", "1",
  ]

  /// A line for each epoch, what is learned, and the same bits where the training is cut in two.
  @Test func training() throws {
    let bench = try Self.bench()
    try Self.writeSamples(bench)
    func train(_ more: String...) throws -> Outcome {
      try bench.shell((["$lathe", "train"] + Self.options + more).joined(separator: " "))
    }
    let whole = try train("--epochs", "12", "-o", "whole.npz")
    #expect(whole.status == 0, "\(whole.errors)")
    let lines = whole.output.split(separator: "\n")
    #expect(lines.count == 12)
    #expect(lines[0].hasPrefix("epoch 1/12: loss ") && lines[0].hasSuffix(" samples/s"))
    #expect(lines[0].contains("mean_absolute_error"))
    let weight = try #require(try NPZ(reading: bench.path("whole.npz").path).members.first { $0.name == "weight" })
    #expect(abs(weight.array.doubles[0] - 3) < 0.05 && abs(weight.array.doubles[1] + 2) < 0.05)
    #expect(try train("--epochs", "5", "-o", "half.npz").status == 0)
    let rest = try train("--epochs", "12", "--resume", "half.npz", "-o", "resumed.npz")
    #expect(rest.output.hasPrefix("epoch 6/12: "))
    let (first, second) = (
      try NPZ(reading: bench.path("whole.npz").path), try NPZ(reading: bench.path("resumed.npz").path)
    )
    #expect(first.members.map(\.name) == second.members.map(\.name))
    #expect(first.members.map(\.array) == second.members.map(\.array))
    for suffix in ["safetensors", "pt"] {
      #expect(try train("--epochs", "5", "-o", "half.\(suffix)").status == 0)
      #expect(try train("--epochs", "12", "--resume", "half.\(suffix)", "-o", "resumed.\(suffix)").status == 0)
      let state = try load(bench.path("resumed.\(suffix)").path)
      #expect(try state == load(bench.path("whole.npz").path))
    }
    // As a model that runs.
    for file in ["learned.lathe", "learned.onnx"] {
      #expect(try train("--epochs", "12", "-o", file).status == 0)
      let run = try bench.run("lathe", "check", file)
      #expect(run.status == 0 && run.output.contains("symbols N"), "\(run.output)\(run.errors)")
    }
  }

  @Test("sizes of the model that the samples have are taken from them") func sizesOfSamples() throws {
    let wide = """
      model wide {
        var @scale: f32[] parameter = 0.0

        func predict(%x: f32[N,K]) -> (%y: f32[N]) {
          %0 = broadcast @scale {shape: [N, K], axes: []} : f32[N,K]
          %1 = multiply %x, %0 : f32[N,K]
          %2 = reduce_sum %1 {axes: [1]} : f32[N]
          return %2
        }
      }

      """
    let bench = try Self.bench(["wide.lathe": wide])
    try Self.writeSamples(bench)
    let options = "--inputs x.npy --targets y.npy --loss mse --batch-size 10 --epochs 1 --lr 0.01"
    let train = try bench.shell("$lathe train wide.lathe \(options) -o learned.lathe")
    #expect(train.status == 0, "\(train.errors)")
    #expect(try bench.run("lathe", "check", "learned.lathe").output.contains("symbols K, N"))
  }

  @Test("samples of another shape or type: what to do about it") func remedies() throws {
    let bench = try Self.bench()
    try Self.writeSamples(bench)
    func save(_ samples: NDArray) throws {
      try FileContent(path: bench.path("x.npy").path, bytes: samples.npy()).writeAtomically()
    }
    let numbers = (0..<200).map { Double($0) }
    for (shape, help) in [
      ([100, 2], "in NumPy: x.astype('float32')"), ([100, 1, 2], "in NumPy: x.reshape(-1, 2).astype('float32')"),
    ] {
      try save(NDArray(numbers, shape: shape))
      let outcome = try bench.shell((["$lathe", "train"] + Self.options + ["-o", "a.npz"]).joined(separator: " "))
      #expect(outcome.status == 1 && outcome.errors.contains(help), "\(outcome.errors)")
    }
    try save(NDArray(Array(numbers[..<100]), shape: [100, 1]))
    let outcome = try bench.shell((["$lathe", "train"] + Self.options + ["-o", "a.npz"]).joined(separator: " "))
    #expect(outcome.errors.contains("x.npy: error: the inputs are f64[100,1]") && !outcome.errors.contains("NumPy"))
  }

  @Test(arguments: [
    (["--loss", "cross-entropy"], 1, "the targets are f32[100], of which the model takes i64[]"),
    (["--trainable", "bias*"], 1, "no parameter's name matches"), (["--batch-size", "101"], 1, "fewer than one batch"),
    (["--lr", "1e30", "--optimizer", "sgd", "--epochs", "3"], 1, "the loss is"),
    (["-o", "none/out.npz"], 1, "none/out.npz: error: cannot be written: No such file or directory"),
    (["--optimizer", "lbfgs", "--clip-norm", "1"], 64, "lbfgs knows no clipping"),
    (["--momentum", "0.5"], 64, "--momentum is for sgd and rmsprop"),
    (["--clip-norm", "0"], 64, "it must be positive"), (["--lr=-1"], 64, "it must be positive"),
    (["--clip-norm", "1", "--clip-value", "1"], 64, "exclude each other"),
    (["--loss-output", "z"], 1, "its outputs are y"),
    (["-o", "a.txt"], 64, "its suffix must be .lathe, .onnx, .pt, .pth"),
  ])
  func mistakes(_ row: (options: [String], status: Int32, message: String)) throws {
    let bench = try Self.bench()
    try Self.writeSamples(bench)
    let output = row.options.contains("-o") ? [] : ["-o", "out.npz"]
    let outcome = try bench.shell(
      (["$lathe", "train"] + Self.options + row.options + output).joined(separator: " "))
    #expect(outcome.status == row.status, "\(outcome.errors)")
    #expect(outcome.errors.contains(row.message), "\(outcome.errors)")
    #expect(try bench.files() == ["line.lathe", "x.npy", "y.npy"])
  }

  /// What a training cannot go on from is said before anything is compiled.
  @Test func resumingFromWhatItIsNot() throws {
    let bench = try Self.bench()
    try Self.writeSamples(bench)
    func train(_ more: String...) throws -> Outcome {
      try bench.shell((["$lathe", "train"] + Self.options + more).joined(separator: " "))
    }
    let first = try train("--epochs", "2", "-o", "two.npz")
    #expect(first.errors.contains("note: trains 2 numbers: weight"), "\(first.errors)")
    let done = try train("--epochs", "2", "--resume", "two.npz", "-o", "out.npz")
    #expect(done.status == 1)
    #expect(done.errors.contains("two.npz: error: has 20 steps done, and 2 epochs are of 10 each"), "\(done.errors)")
    var state = try load(bench.path("two.npz").path)
    state["optimizer.step"] = NDArray(scalar: .integer(-5), dtype: .i64)
    try save(state, bench.path("negative.npz").path)
    let negative = try train("--epochs", "\(Int.max)", "--resume", "negative.npz", "-o", "out.npz")
    #expect(negative.status == 1)
    #expect(negative.errors.contains("negative.npz: error: has -5 steps done"), "\(negative.errors)")
    let other = try train("--epochs", "3", "--optimizer", "sgd", "--resume", "two.npz", "-o", "out.npz")
    #expect(other.status == 1)
    #expect(other.errors.contains("two.npz: error: is the state of another training: "), "\(other.errors)")
    #expect(try !bench.files().contains("out.npz"))
    let weights = try load(bench.path("two.npz").path).filter { $0.key == "weight" }
    try save(weights, bench.path("weights.npz").path)
    let fresh = try train("--epochs", "1", "--resume", "weights.npz", "-o", "out.npz")
    #expect(fresh.status == 0 && fresh.output.hasPrefix("epoch 1/1: "))
    #expect(fresh.errors.contains("weights.npz: warning: has no state of an optimizer"), "\(fresh.errors)")
  }

  @Test func classesOutOfRangeAreNamed() throws {
    let bench = try Self.bench([
      "scores.lathe": """
      func scores(%x: f32[N,2]) -> (%y: f32[N,3]) {
        var @weight: f32[2,3] parameter = 0.5
        %0 = dot %x, @weight {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[N,3]
        return %0
      }
      """
    ])
    try Self.writeSamples(bench)
    var classes = (0..<100).map { Int64($0 % 3) }
    classes[7] = -100
    classes[41] = 3
    let labels = NDArray(classes)
    try FileContent(path: bench.path("y.npy").path, bytes: labels.npy()).writeAtomically()
    let outcome = try bench.run(
      "lathe", "train", "scores.lathe", "--inputs", "x.npy", "--targets", "y.npy", "--batch-size", "10", "-o", "out.npz"
    )
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("y.npy: error: sample 41 has the class 3, and the model's are 0 to 2"),
      "\(outcome.errors)")
  }

  /// Classes in 32 bits, as many libraries have them, are as good as in 64.
  @Test func classesOfAnyWidth() throws {
    let bench = try Self.bench([
      "scores.lathe": """
      func scores(%x: f32[N,2]) -> (%y: f32[N,3]) {
        var @weight: f32[2,3] parameter = 0.5
        %0 = dot %x, @weight {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[N,3]
        return %0
      }
      """
    ])
    try Self.writeSamples(bench)
    for (labels, status) in [
      (NDArray((0..<100).map { Int32($0 % 3) }), 0), (NDArray((0..<100).map { UInt8($0 % 3) }), 0),
      (NDArray((0..<100).map { Float($0 % 3) }), 1),
    ] {
      try FileContent(path: bench.path("y.npy").path, bytes: labels.npy()).writeAtomically()
      let outcome = try bench.run(
        "lathe", "train", "scores.lathe", "--inputs", "x.npy", "--targets", "y.npy", "--batch-size", "10", "-o",
        "out.npz")
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(status == 0 || outcome.errors.hasPrefix("y.npy: error: the targets are f32[100]"), "\(outcome.errors)")
    }
  }

  /// An ONNX file comes back with its initializers replaced under their own names, and runs with them.
  @Test func trainedFilesAreFilesAgain() throws {
    let lenet = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../samples/lenet.onnx").standardized.path
    let bench = try Workbench()
    let pixels: [Float] = (0..<8 * 32 * 32).map { Float(($0 * 37) % 41) / 41 }
    let images = try NDArray(pixels, shape: [8, 1, 32, 32])
    try FileContent(path: bench.path("x.npy").path, bytes: images.npy()).writeAtomically()
    try FileContent(path: bench.path("y.npy").path, bytes: NDArray((0..<8).map { Int64($0) }).npy()).writeAtomically()
    func train(_ output: String) throws -> Outcome {
      try bench.run(
        "lathe", "train", lenet, "--inputs", "x.npy", "--targets", "y.npy", "--loss", "cross-entropy", "--optimizer",
        "sgd", "--lr", "0.1", "--epochs", "2", "--batch-size", "4", "--trainable", "fc*", "-o", output)
    }
    for output in ["trained.onnx", "trained.safetensors"] {
      let outcome = try train(output)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    for (file, weights) in [(lenet, "before.npz"), (bench.path("trained.onnx").path, "after.npz")] {
      let outcome = try bench.run("lathe", "convert", file, "-o", weights)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    let (before, after) = (try load(bench.path("before.npz").path), try load(bench.path("after.npz").path))
    let trained = try load(bench.path("trained.safetensors").path)
    #expect(before.count == 10 && Set(before.keys) == Set(after.keys))
    for (name, array) in after {
      #expect(array == trained[name], "\(name)")
      #expect((array != before[name]) == name.hasPrefix("fc"), "\(name)")
    }
    #expect(try bench.run("lathe", "check", "trained.onnx").status == 0)
  }

  /// The training of a file as C, which compiles without a warning.
  @Test func compiledTraining() throws {
    let lenet = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../samples/lenet.onnx").standardized.path
    let bench = try Workbench()
    let outcome = try bench.run(
      "lathe", "compile", lenet, "--train", "--loss", "cross-entropy", "--optimizer", "adamw", "--clip-norm", "1",
      "--trainable", "fc*", "-o", "lenet.c")
    #expect(outcome.status == 0, "\(outcome.errors)")
    for function in ["initialize", "train_step", "evaluate", "predict", "save", "load"] {
      #expect(try bench.text("lenet.h").contains("int lenet_\(function)("), "\(function)")
    }
    let source = try bench.text("lenet.c")
    #expect(source.contains("optimizer.exp_avg.fc1.weight") && !source.contains("optimizer.exp_avg.conv1.weight"))
    #expect(!source.contains("alloc("))
    let strict = try bench.shell(
      "gcc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only lenet.c")
    #expect(strict.status == 0, "\(strict.errors)")
  }

  /// The sample in C alone, with gcc: more than 97 of 100 digits are known that were not trained with.
  @Test func digits() throws {
    let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../samples/Digits")
    let bench = try Workbench()
    for name in ["main.c", "digits.bin"] {
      try FileManager.default.copyItem(at: sample.appendingPathComponent(name), to: bench.path(name))
    }
    let compiled = try bench.run("digits", "compile", "-o", "digits.c")
    #expect(compiled.status == 0, "\(compiled.errors)")
    let made = try bench.shell(
      """
      gcc -std=c11 -O3 -march=native -ffp-contract=fast -fno-math-errno -fno-trapping-math \
      -Wall -Wextra -Wpedantic -Wconversion -Werror main.c digits.c -lm -o train
      """)
    #expect(made.status == 0, "\(made.errors)")
    let trained = try bench.shell("./train digits.bin 10 digits.state")
    #expect(trained.status == 0, "\(trained.errors)")
    let last = try #require(trained.output.split(separator: "\n").last)
    let share = try #require(Double(last.split(separator: " ").dropLast().last ?? ""))
    #expect(share > 97, "\(trained.output)")
    let more = try bench.shell("./train digits.bin 1 more.state digits.state")
    #expect(more.status == 0 && more.output.hasPrefix("epoch 1: loss 0.0"), "\(more.output)\(more.errors)")
    #expect(try bench.shell("./train digits.bin 1 more.state main.c").errors == "cannot begin: error 9\n")
  }
}
