import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// Models that are trained: `initialize`, `train_step`, `evaluate` and `predict` over one state, in all back-ends.
struct TrainableTests {
  /// A small network with dropout and batch norm, whose parameters are drawn.
  private struct Small: Module {
    let first = Linear(6, 16), norm = BatchNorm1d(16), dropout = Dropout(0.25), last = Linear(16, 3)

    func callAsFunction(_ x: Tensor) -> Tensor { last(dropout(relu(norm(first(x))))) }
  }

  private static func small(_ options: TrainingOptions = TrainingOptions(name: "small")) throws -> LatheCore.Model {
    try trainable(
      Small(), loss: crossEntropy, optimizer: .adam(lr: 0.01), metric: .accuracy, .f32(10, 6), .i64(10),
      options: options)
  }

  /// Classes that two of the six numbers tell.
  private static func samples(_ k: Int) throws -> [NDArray] {
    let numbers = (0..<60).map { Float(($0 * 31 + k * 17) % 23) / 11.5 - 1 }
    let classes = (0..<10).map { row -> Int64 in
      numbers[row * 6] > 0 ? (numbers[row * 6 + 1] > 0 ? 0 : 1) : 2
    }
    return [try NDArray(numbers, shape: [10, 6]), NDArray(classes)]
  }

  private static let rate = NDArray(scalar: .float(0.02), dtype: .f64)
  private static func seed(_ value: Int) -> NDArray { NDArray(scalar: .integer(value), dtype: .u64) }

  /// What a model does through its life, the same for every back-end.
  private static func live(
    _ run: (String, [NDArray]) throws -> [NDArray], state: () -> [UInt8], load: ([UInt8]) throws -> Void,
    outputs: [String]
  ) throws {
    let loss = try #require(outputs.firstIndex(of: "loss"))
    _ = try run("initialize", [seed(1)])
    let drawn = state()
    _ = try run("initialize", [seed(2)])
    #expect(state() != drawn)
    _ = try run("initialize", [seed(1)])
    #expect(state() == drawn)
    let before = try run("evaluate", samples(0))[loss].doubles[0]
    let predicted = try run("predict", [samples(0)[0]])[0]
    #expect(state() == drawn, "evaluate and predict change nothing")
    for k in 0..<50 { _ = try run("train_step", samples(k) + [rate]) }
    let middle = state()
    for k in 50..<100 { _ = try run("train_step", samples(k) + [rate]) }
    let end = state()
    let after = try run("evaluate", samples(0))[loss].doubles[0]
    #expect(after < before / 2, "\(before) before, \(after) after")
    #expect(try run("predict", [samples(0)[0]])[0] != predicted)
    // Half of the way again in new memory from what was saved: the same bits, dropout's and Adam's among them.
    try load(middle)
    for k in 50..<100 { _ = try run("train_step", samples(k) + [rate]) }
    #expect(state() == end)
  }

  @Test func interpreterAndNative() throws {
    let compiled = try compile(Self.small())
    #expect(compiled.functions.map(\.name) == ["initialize", "train_step", "evaluate", "predict"])
    let outputs = compiled.functions[1].planned.program.outputs.map(\.name)
    let interpreted = Box(session: try compiled.session())
    try Self.live(
      { try interpreted.session.run($0, $1) }, state: { interpreted.session.encodedState() },
      load: {
        interpreted.session = try compiled.session()
        try interpreted.session.decodeState($0)
      }, outputs: outputs)
    let native = NativeBox(model: try compiled.native())
    try Self.live(
      { try native.model.run($0, $1) }, state: { native.model.encodedState() },
      load: {
        native.model = try compiled.native()
        try native.model.decodeState($0)
      }, outputs: outputs)
  }

  /// The C file alone, strictly compiled and under sanitizers: a hundred steps in one process, and fifty in each of two with
  /// the state saved in between, leave the same bits.
  @Test func resumptionInC() throws {
    let compiled = try compile(Self.small())
    let files = emitC(compiled.functions.map { CFunction($0.planned) }, options: COptions(name: "small"))
    let main = """
      #include <stdio.h>
      #include <stdlib.h>
      #include "small.h"
      static _Alignas(64) unsigned char state[SMALL_STATE_BYTES], arena[SMALL_ARENA_BYTES];
      static size_t to_file(void *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file); }
      static size_t from_file(void *file, void *bytes, size_t size) { return fread(bytes, 1, size, file); }
      int main(int argc, char **argv)
      {
        if (argc < 4) return 64;
        const uint64_t seed = 1;
        int status = small_initialize(arena, state, &seed);
        FILE *file = argc > 4 ? fopen(argv[4], "rb") : NULL;
        if (file) status = small_load(state, from_file, file);
        if (file) fclose(file);
        for (int k = atoi(argv[1]); k < atoi(argv[2]) && status == SMALL_OK; k++) {
          float x[60], loss, accuracy;
          int64_t classes[10];
          for (int i = 0; i < 60; i++) x[i] = (float)((i * 31 + k * 17) % 23) / 11.5f - 1;
          for (int i = 0; i < 10; i++) classes[i] = x[i * 6] > 0 ? (x[i * 6 + 1] > 0 ? 0 : 1) : 2;
          const double lr = 0.02;
          status = small_train_step(arena, state, x, classes, &lr, &loss, &accuracy);
        }
        file = fopen(argv[3], "wb");
        if (!file || status != SMALL_OK || small_save(state, to_file, file) != SMALL_OK) return 1;
        return fclose(file) == 0 ? 0 : 1;
      }
      """
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }
    try Data(main.utf8).write(to: URL(fileURLWithPath: path("main.c")))
    for compiler in CBench.compilers {
      let flags = ["-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
      try CBench.run(
        [compiler] + flags + CBench.warnings + [path("main.c"), path("small.c"), "-o", path("main"), "-lm"])
      try CBench.run(["timeout", "60", path("main"), "0", "100", path("whole")])
      try CBench.run(["timeout", "60", path("main"), "0", "50", path("half")])
      try CBench.run(["timeout", "60", path("main"), "50", "100", path("rest"), path("half")])
      #expect(try content("whole") == content("rest"))
      #expect(try content("whole") != content("half"))
    }
    // What C has learned, the interpreter knows.
    var session = try compiled.session()
    try session.decodeState(Array(content("whole")))
    #expect(try session.variable(named: "optimizer.step").first == .integer(100))
    let evaluated = try session.run("evaluate", Self.samples(0))[0].doubles[0]
    #expect(evaluated < 0.6, "\(evaluated)")
  }

  /// Drawn parameters are within their bounds, zeros are zeros, and the host's numbers do not matter.
  @Test func initialization() throws {
    var session = try compile(Self.small()).session()
    _ = try session.run("initialize", [Self.seed(5)])
    let weight = try session.variable(named: "first.weight").doubles
    let bound = 1 / 6.0.squareRoot()
    #expect(
      weight.allSatisfy { abs($0) <= bound } && (weight.max() ?? 0) > bound / 2 && (weight.min() ?? 0) < -bound / 2)
    #expect(Set(weight).count > 90)
    #expect(try session.variable(named: "norm.weight").doubles.allSatisfy { $0 == 1 })
    #expect(try session.variable(named: "optimizer.exp_avg.first.weight").doubles.allSatisfy { $0 == 0 })
  }

  /// A layer with a parameter of each kind.
  private struct Initialized: Module {
    let tall = Parameter([12, 3, 2], initializer: .orthogonal(gain: 2))
    let wide = Parameter([4, 30], initializer: .orthogonal())
    let cut = Parameter([40, 50], initializer: .truncNormal(mean: 1, std: 2, a: -1, b: 2))
    let tail = Parameter([40, 50], initializer: .truncNormal(a: 3, b: 5))
    let sparse = Parameter([10, 6], initializer: .sparse(sparsity: 0.25, std: 1))
    let dirac = Parameter([4, 2, 3], initializer: .dirac())
    let given = Parameter(NDArray([3, 1, 4, 1, 5] as [Float]))
    let nothing = Parameter([0, 3], initializer: .orthogonal())

    func callAsFunction(_ x: Tensor) -> Tensor {
      [tall, wide, cut, tail, sparse, dirac, given, nothing].reduce(x) { $0 + $1(for: x).sum() }
    }
  }

  /// Every initializer is drawn from the seed, natively as in the interpreter; what is given stays.
  @Test func initializers() throws {
    let model = try trainable(
      Initialized(), loss: { ($0 - $1).sum() }, optimizer: .sgd(lr: 0.1), .f32(1), .f32(1))
    let compiled = try compile(model)
    var session = try compiled.session()
    let native = NativeBox(model: try compiled.native())
    func numbers(_ name: String, seed: Int) throws -> [Double] {
      _ = try session.run("initialize", [Self.seed(seed)])
      _ = try native.model.run("initialize", [Self.seed(seed)])
      let found = try session.variable(named: name).doubles
      let other = try native.model.variable(named: name).doubles
      #expect(zip(found, other).allSatisfy { abs($0 - $1) <= 1e-5 }, "\(name)")
      return found
    }
    for name in ["tall", "wide", "cut", "tail", "sparse"] {
      let first = try numbers(name, seed: 1)
      #expect(try numbers(name, seed: 2) != first, "\(name) depends on the seed")
      #expect(try numbers(name, seed: 1) == first, "\(name) does on nothing else")
    }
    // What does not depend on the seed is told in the header, in the order of the variables.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try compiled.writeC(to: folder.appendingPathComponent("model.c").path)
    let header = try String(contentsOf: folder.appendingPathComponent("model.h"), encoding: .utf8)
    #expect(header.contains("this file was made with:\n *   dirac, given, nothing"), "\(header)")
    for name in ["dirac", "given"] { #expect(try numbers(name, seed: 1) == numbers(name, seed: 2), "\(name)") }
    #expect(try numbers("given", seed: 1) == [3, 1, 4, 1, 5])
    // Columns of 12 x 6 have the length 2 and are orthogonal, and so are rows of 4 x 30.
    let (tall, wide) = (try numbers("tall", seed: 3), try numbers("wide", seed: 3))
    for i in 0..<4 {
      for j in 0..<4 {
        let columns = (0..<12).reduce(0) { $0 + tall[$1 * 6 + i] * tall[$1 * 6 + j] }
        let rows = (0..<30).reduce(0) { $0 + wide[i * 30 + $1] * wide[j * 30 + $1] }
        #expect(abs(columns - (i == j ? 4 : 0)) < 1e-5 && abs(rows - (i == j ? 1 : 0)) < 1e-5)
      }
    }
    // The mean of a normal distribution that is cut at -1 and 1/2 deviations is -0.2066; between 3 and 5 it is 3.283.
    let (cut, tail) = (try numbers("cut", seed: 4), try numbers("tail", seed: 4))
    #expect(cut.allSatisfy { (-1...2).contains($0) } && tail.allSatisfy { (3...5).contains($0) })
    let (cutMean, tailMean) = (cut.reduce(0, +) / 2000, tail.reduce(0, +) / 2000)
    #expect(abs(cutMean - (1 - 2 * 0.2066)) < 0.1, "\(cutMean)")
    #expect(abs(tailMean - 3.283) < 0.04, "\(tailMean)")
    let sparse = try numbers("sparse", seed: 5)
    for column in 0..<6 { #expect((0..<10).count { sparse[$0 * 6 + column] == 0 } == 3) }
  }

  @Test("what a graph cannot draw is refused") func initializerThatCannotBeDrawn() {
    struct Far: Module {
      let weight = Parameter([3], initializer: .truncNormal(a: 8, b: 9))
      func callAsFunction(_ x: Tensor) -> Tensor { x * weight(for: x) }
    }
    let error = #expect(throws: DiagnosticsError.self) {
      try trainable(Far(), loss: { ($0 - $1).sum() }, optimizer: .sgd(lr: 0.1), .f32(3), .f32(3))
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("parameter 'weight' is f32[3]"))
  }

  /// Hyper-parameters as inputs, groups, clipping by value, accumulation: against the same done by hand.
  @Test func optimizerOptions() throws {
    struct Line: Module {
      let fc = Linear(2, 1)
      func callAsFunction(_ x: Tensor) -> Tensor { fc(x) }
    }
    let parameters = [
      "fc.weight": try NDArray([1, -2] as [Float], shape: [1, 2]), "fc.bias": NDArray([0.5] as [Float]),
    ]
    let optimizer = Optimizer(["lr": 0.5, "decay": 0]) { step in
      step.parameter * (1 - step["decay"]) - step.gradient * step["lr"]
    }.group("*.bias", ["lr": 0.25])
    let model = try trainable(
      Line(), loss: { ($0 - $1).sum() }, optimizer: optimizer, .f32(1, 2), .f32(1, 1),
      options: TrainingOptions(clipping: .value(3), runtime: ["lr", "decay"], accumulation: 2, parameters: parameters))
    #expect(
      model.functions[1].inputs.map { model.functions[1].inputName($0) } == ["input", "target", "lr", "decay", "lr.1"])
    var session = try compile(model).session()
    func step(_ x: [Float]) throws {
      let rates = [0.5, 0.125, 0.25].map { NDArray(scalar: .float($0), dtype: .f64) }
      _ = try session.run("train_step", [NDArray(x, shape: [1, 2]), NDArray([0] as [Float], shape: [1, 1])] + rates)
    }
    try step([2, 10])
    #expect(try session.variable(named: "fc.weight").doubles == [1, -2], "nothing moves before the second run")
    try step([4, 0])
    // Clipped before they are gathered: (2 + 3) / 2 and (3 + 0) / 2.
    #expect(try session.variable(named: "fc.weight").doubles == [0.875 - 1.25, -1.75 - 0.75])
    #expect(try session.variable(named: "fc.bias").doubles == [0.4375 - 0.25])
    #expect(try session.variable(named: "optimizer.step").first == .integer(1))
  }

  @Test func mistakes() throws {
    let options = TrainingOptions(runtime: ["lr", "momentun"], accumulation: 0)
    let error = #expect(throws: DiagnosticsError.self) {
      try trainable(
        Small(), loss: crossEntropy, optimizer: .sgd().group("*", ["beta1": 1]), .f32(10, 6), .i64(10),
        options: options)
    }
    let text = error?.description ?? ""
    #expect(text.contains("no hyper-parameter 'momentun'") && text.contains("no hyper-parameter 'beta1'"))
    #expect(text.contains("accumulated over 0 runs") && text.contains("dampening, lr, momentum, weight_decay"))
  }

  @Test func groupsAndParametersThatAreNone() throws {
    let error = #expect(throws: DiagnosticsError.self) {
      try trainable(
        Small(), loss: crossEntropy, optimizer: .sgd().group("*.bais", ["lr": 1]), .f32(10, 6), .i64(10))
    }
    #expect(error?.description.contains("no parameter's name matches the group '*.bais'") == true)
    let frozen = Small()
    frozen.requiresGrad(false)
    let other = #expect(throws: DiagnosticsError.self) {
      try trainable(frozen, loss: crossEntropy, optimizer: .sgd(), .f32(10, 6), .i64(10))
    }
    #expect(other?.description.contains("there are no parameters to train") == true)
  }

  /// The module of two tensors of the article Training.
  private struct Scorer: Module {
    let image = Conv2d(3, 8, kernelSize: 3)
    let output = Linear(8 + 4, 3)

    func callAsFunction(_ inputs: (Tensor, Tensor)) -> Tensor {
      let (picture, numbers) = inputs
      return output(cat([relu(image(picture)).mean(dim: [2, 3]), numbers], dim: 1))
    }
  }

  @Test func severalTensors() throws {
    let scorer = Scorer()
    let model = try trainable(
      scorer, optimizer: .adam(lr: 1e-3), inputs: [.f32(8, 3, 16, 16), .f32(8, 4)], targets: [.i64(8)],
      predict: { _, inputs in scorer(inputs[0], inputs[1]) },
      loss: { output, targets in crossEntropy(output, targets[0]) },
      metrics: { output, targets in ["accuracy": Metric.accuracy.compute(output, targets[0])] })
    var session = try compile(model).session()
    _ = try session.run("initialize", [NDArray(scalar: .integer(1), dtype: .u64)])
    let images = try NDArray((0..<8 * 768).map { Float($0 % 61) / 61 }, shape: [8, 3, 16, 16])
    let numbers = try NDArray((0..<32).map { Float($0 % 7) / 7 }, shape: [8, 4])
    let classes = NDArray((0..<8).map { Int64($0 % 3) })
    let rate = NDArray(scalar: .float(0.01), dtype: .f64)
    var losses: [Double] = []
    for _ in 0..<40 { losses.append(try session.run("train_step", [images, numbers, classes, rate])[0].doubles[0]) }
    #expect(losses[39] < losses[0])
    #expect(try session.run("evaluate", [images, numbers, classes]).count == 2)
  }

  /// A model with two optimizers in one step: inputs and variables of each have its name.
  @Test func severalOptimizers() throws {
    let model = Small()
    let step = try trace(
      model, inputs: [.f32(10, 6), .i64(10)], options: TraceOptions(name: "train_step", isTraining: true)
    ) { builder, inputs in
      let loss = crossEntropy(model(inputs[0]), inputs[1])
      let last = builder.parameters.filter { $0.name.hasPrefix("last.") }
      let rest = builder.parameters.filter { !$0.name.hasPrefix("last.") }
      Optimizer.adam().named("slow").minimize(loss, rest, runtime: ["lr"])
      Optimizer.sgd(momentum: 0.9).named("fast").minimize(loss, last, runtime: ["lr"])
      return ["loss": loss]
    }
    #expect(step.inputs.map(step.inputName) == ["input", "input1", "slow.lr", "fast.lr"])
    let all = try trainable(model, functions: [step])
    #expect(all.functions.map(\.name) == ["initialize", "train_step"])
    let names = all.variables.map(\.name)
    #expect(names.contains("slow.exp_avg.first.weight") && names.contains("fast.momentum_buffer.last.bias"))
    #expect(!names.contains("slow.exp_avg.last.bias") && names.contains("slow.step") && names.contains("fast.step"))
    var session = try compile(all).session()
    _ = try session.run("initialize", [Self.seed(3)])
    let before = try session.variable(named: "last.bias")
    _ = try session.run("train_step", Self.samples(0) + [Self.rate, NDArray(scalar: .float(0), dtype: .f64)])
    #expect(try session.variable(named: "last.bias") == before, "its rate is 0")
    #expect(try session.variable(named: "fast.step").first == .integer(1))
  }

  @Test func patterns() {
    for (text, pattern, matches) in [
      ("fc.bias", "*.bias", true), ("fc.bias", "*", true), ("fc.bias", "fc.?ias", true), ("fc.bias", "fc", false),
      ("a.b.c", "a.*.c", true), ("a.b.c", "*b*", true), ("", "*", true), ("", "?", false), ("abab", "*ab", true),
    ] { #expect(text.matches(pattern: pattern) == matches, "\(text) \(pattern)") }
  }
}
