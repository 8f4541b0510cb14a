import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// Training steps that hand their gradients out: in the interpreter and in C, summed over two halves of a batch.
struct GradientHookTests {
  /// LeNet for images of 32x32 pixels.
  private struct LeNet: Module {
    let conv1 = Conv2d(1, 6, kernelSize: 5), conv2 = Conv2d(6, 16, kernelSize: 5)
    let fc1 = Linear(400, 120), fc2 = Linear(120, 84), fc3 = Linear(84, 10)

    func callAsFunction(_ x: Tensor) -> Tensor {
      var x = maxPool2d(relu(conv1(x)), kernelSize: 2)
      x = maxPool2d(relu(conv2(x)), kernelSize: 2)
      return fc3(relu(fc2(relu(fc1(x.flatten(startDim: 1))))))
    }
  }

  private static let bucketBytes = 1 << 14

  private static func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    var options = TrainingOptions(name: "lenet", bucketBytes: bucketBytes)
    change(&options)
    return options
  }

  private static func model(
    batch: Int, _ options: TrainingOptions = options(), _ optimizer: Optimizer = .sgd(lr: 0.05, momentum: 0.9)
  ) throws -> LatheCore.Model {
    try trainable(
      LeNet(), loss: crossEntropy, optimizer: optimizer, metric: .accuracy, .f32(Dim(batch), 1, 32, 32),
      .i64(Dim(batch)), options: options)
  }

  /// Images and classes of a step's whole batch.
  private static func batch(_ number: Int, _ count: Int) throws -> (images: [Float], classes: [Int64]) {
    let generator = Generator(seed: UInt64(number))
    let images = try rand([count, 1, 32, 32], generator: generator).elements(as: Float.self) ?? []
    return (images, try randint(10, [count], generator: generator).integers.map(Int64.init))
  }

  /// Inputs of a step for one of several equal parts of a batch.
  private static func inputs(_ number: Int, part: Int = 0, of parts: Int = 1, whole: Int = 8) throws -> [NDArray] {
    let (images, classes) = try batch(number, whole)
    let (count, pixels) = (whole / parts, whole / parts * 1024)
    return [
      try NDArray(Array(images[part * pixels..<(part + 1) * pixels]), shape: [count, 1, 32, 32]),
      NDArray(Array(classes[part * count..<(part + 1) * count])), NDArray(scalar: .float(0.05), dtype: .f64),
    ]
  }

  private static let seed = [NDArray(scalar: .integer(3), dtype: .u64)]

  /// Takes the gradients down, and in which order functions are called.
  private struct Recorder: GradientExchange {
    var events: [String] = []
    var buckets: [[Float]] = []

    mutating func ready(_ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>) {
      events.append("ready \(bucket)")
      buckets.append(Array(gradients))
    }

    mutating func wait(_ bucket: Int) { events.append("wait \(bucket)") }
  }

  /// The mean of the own gradients and another's, taken as late as possible.
  private struct Mean: GradientExchange {
    let other: [[Float]]
    var own: [UnsafeMutableBufferPointer<Float>] = []

    init(with other: [[Float]]) { self.other = other }

    mutating func ready(_ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>) { own.append(gradients) }

    mutating func wait(_ bucket: Int) {
      for position in own[bucket].indices {
        own[bucket][position] = (own[bucket][position] + other[bucket][position]) / 2
      }
    }
  }

  // MARK: The interpreter

  @Test("buckets are ready once each, in order, before they are waited for, and hold the gradients")
  func order() throws {
    let whole = try compile(Self.model(batch: 8))
    var session = try whole.session()
    _ = try session.run("initialize", Self.seed)
    var recorder = Recorder()
    _ = try session.run("train_step", Self.inputs(0), exchange: &recorder)
    let known = try session.exchangedGradients(of: "train_step")
    let count = recorder.buckets.count
    #expect(count == 3 && known.last?.bucket == count - 1)
    #expect(recorder.events == (0..<count).flatMap { ["ready \($0)"] } + (0..<count).flatMap { ["wait \($0)"] })
    #expect(recorder.buckets.reduce(0) { $0 + $1.count } == 61_706)
    for bucket in recorder.buckets.dropLast() { #expect(bucket.count * 4 >= Self.bucketBytes) }
    // The last layer's come first.
    #expect(known.first?.name.hasPrefix("fc3") ?? false && known.last?.name.hasPrefix("conv1") ?? false)
    #expect(known.count == 10 && Set(known.map(\.name)).count == 10)
    // The same gradients as outputs of a graph of their own.
    let net = LeNet()
    let stepped = session.savedState()
    let graph = try trace(
      net, inputs: [.f32(8, 1, 32, 32), .i64(8)], options: TraceOptions(isTraining: true)
    ) { builder, inputs in
      let loss = crossEntropy(net(inputs[0]), inputs[1])
      let parameters = builder.parameters
      let all = gradients(of: loss, withRespectTo: parameters.map(\.tensor))
      return Dictionary(uniqueKeysWithValues: zip(parameters.map(\.name), all))
    }
    var unfrozen = CompileOptions()
    unfrozen.pipeline = .training
    var other = try compile(graph, options: unfrozen).session()
    // From the state that the recorded step began with.
    var first = try whole.session()
    _ = try first.run("initialize", Self.seed)
    let names = Set(other.variableNames)
    try other.restoreState(first.savedState().filter { names.contains($0.key) })
    let expected = try other.run(Array(try Self.inputs(0).dropLast()))
    for (output, array) in zip(graph.outputs, expected) {
      let place = try #require(known.first { $0.name == output.name })
      let actual = recorder.buckets[place.bucket][place.offset..<place.offset + place.count]
      #expect(place.count == array.count)
      let peak = array.doubles.reduce(1e-6) { max($0, abs($1)) }
      for (a, b) in zip(actual, array.doubles) { #expect(abs(Double(a) - b) <= 1e-5 * peak, "\(output.name)") }
    }
    #expect(stepped != first.savedState())
  }

  @Test("without an exchange, a step gives what it gives without buckets")
  func identity() throws {
    var with = try compile(Self.model(batch: 8)).session()
    var without = try compile(Self.model(batch: 8, Self.options { $0.bucketBytes = nil })).session()
    #expect(try without.exchangedGradients(of: "train_step").isEmpty)
    _ = try with.run("initialize", Self.seed)
    _ = try without.run("initialize", Self.seed)
    for number in 0..<5 {
      let (a, b) = (try with.run("train_step", Self.inputs(number)), try without.run("train_step", Self.inputs(number)))
      #expect(abs(a[0].doubles[0] - b[0].doubles[0]) <= 1e-6)
    }
  }

  private static let ways: [(name: String, change: @Sendable (inout TrainingOptions) -> Void)] = [
    ("plain", { _ in }), ("clipped", { $0.clipping = .norm(0.5) }), ("gathered", { $0.accumulation = 2 }),
    (
      "gathered and clipped",
      {
        $0.accumulation = 2
        $0.clipping = .norm(0.5)
      }
    ),
    ("scaled", { $0.scaler = GradScaler(initScale: 1024, growthInterval: 3) }),
    ("one bucket", { $0.bucketBytes = 1 << 20 }), ("a bucket for each", { $0.bucketBytes = 1 }),
  ]

  @Test("two halves of a batch, whose gradients' mean is taken, are one whole batch", arguments: ways.indices)
  func halves(way: Int) throws {
    let options = Self.options(Self.ways[way].change)
    var whole = try compile(Self.model(batch: 8, options)).session()
    let half = try compile(Self.model(batch: 4, options))
    var first = try half.session()
    var second = try half.session()
    _ = try whole.run("initialize", Self.seed)
    _ = try first.run("initialize", Self.seed)
    _ = try second.run("initialize", Self.seed)
    for number in 0..<8 {
      let loss = try whole.run("train_step", Self.inputs(number))[0].doubles[0]
      let own = [try Self.inputs(number, part: 0, of: 2), try Self.inputs(number, part: 1, of: 2)]
      var recorders = [Recorder(), Recorder()]
      let states = [first.encodedState(), second.encodedState()]
      _ = try first.run("train_step", own[0], exchange: &recorders[0])
      _ = try second.run("train_step", own[1], exchange: &recorders[1])
      try first.decodeState(states[0])
      try second.decodeState(states[1])
      var means = [Mean(with: recorders[1].buckets), Mean(with: recorders[0].buckets)]
      let one = try first.run("train_step", own[0], exchange: &means[0])[0].doubles[0]
      let two = try second.run("train_step", own[1], exchange: &means[1])[0].doubles[0]
      #expect(abs((one + two) / 2 - loss) <= 1e-6 * loss, "\(Self.ways[way].name), step \(number)")
    }
    #expect(first.encodedState() == second.encodedState())
  }

  @Test func whatAnExchangeThrowsEndsTheRun() throws {
    struct Broken: GradientExchange {
      mutating func ready(
        _ bucket: Int, _ gradients: UnsafeMutableBufferPointer<Float>
      ) throws(DiagnosticsError) {
        if bucket == 1 { throw DiagnosticsError("the line is cut") }
      }
      mutating func wait(_ bucket: Int) {}
    }
    var session = try compile(Self.model(batch: 8)).session()
    var broken = Broken()
    let error = #expect(throws: DiagnosticsError.self) {
      try session.run("train_step", Self.inputs(0), exchange: &broken)
    }
    #expect("\(try #require(error))".contains("the line is cut"))
  }

  @Test func whatCannotBeHandedOutIsTold() throws {
    func fault(_ options: TrainingOptions, _ optimizer: Optimizer = .sgd(lr: 0.1)) throws -> String {
      let error = #expect(throws: DiagnosticsError.self) { try Self.model(batch: 8, options, optimizer) }
      return "\(try #require(error))"
    }
    #expect(try fault(Self.options(), .lbfgs()).contains("LBFGS knows no gradients that are handed out"))
    #expect(try fault(Self.options { $0.bucketBytes = 0 }).contains("a bucket of 0 bytes holds nothing"))
  }

  // MARK: C

  private static let forms: [(name: String, options: COptions, targets: [Target])] = [
    ("generic", COptions(name: "lenet"), [.generic]),
    ("static, C99", COptions(name: "lenet", standard: .c99, arena: .static), [.generic]),
    ("all processors", COptions(name: "lenet", threads: .pthreads), Target.auto),
    ("weights in a file", COptions(name: "lenet", weights: .file, uniformEntry: true), [.generic]),
  ]

  /// Calls the step with functions that check the order and copy what they are given.
  private static func main(_ options: COptions, weights: Bool) -> String {
    let memory =
      (options.threads == .pthreads ? ["NULL"] : []) + (options.arena == .caller ? ["arena"] : []) + ["state"]
      + (weights ? ["weights"] : [])
    let given = memory.joined(separator: ", ")
    return """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include "lenet.h"
      #define CHECK(test) do { if (!(test)) { printf("line %d: %s\\n", __LINE__, #test); exit(1); } } while (0)

      struct seen { size_t ready, waited, total; float *start; FILE *file; int broken; };

      static int begin(void *context, size_t bucket, float *gradients, size_t count)
      {
        struct seen *const seen = context;
        if (seen->broken == 1) return 7;
        CHECK(bucket == seen->ready && seen->waited == 0);
        CHECK(bucket == 0 || gradients == seen->start + seen->total);
        if (bucket == 0) seen->start = gradients;
        size_t expected = 0;
        for (size_t i = 0; i < LENET_TRAIN_STEP_GRADIENT_COUNT; i++) {
          const struct lenet_gradient *const own = &lenet_train_step_gradients[i];
          if (own->bucket == bucket) {
            CHECK(own->offset == expected && strlen(own->name) > 0);
            expected += own->count;
          }
        }
        CHECK(expected == count);
        CHECK(fwrite(gradients, sizeof *gradients, count, seen->file) == count);
        seen->ready++;
        seen->total += count;
        return 0;
      }

      static int end(void *context, size_t bucket)
      {
        struct seen *const seen = context;
        CHECK(bucket == seen->waited && seen->ready == LENET_TRAIN_STEP_BUCKET_COUNT);
        seen->waited++;
        return seen->broken == 2;
      }

      static void *place(size_t size)
      {
        unsigned char *const block = malloc(size + 64);
        if (!block) exit(9);
        memset(block, 0xa5, size + 64);
        return block + (64 - (uintptr_t)block % 64) % 64;
      }

      int main(int argc, char **argv)
      {
        (void)place;
        if (argc != 4) return 64;
        \(options.arena == .caller ? "void *const arena = place(LENET_ARENA_BYTES);" : "")
        void *const state = place(LENET_STATE_BYTES);
        \(weights ? "void *const weights = place(LENET_WEIGHTS_BYTES);" : "")
        \(weights ? "CHECK(lenet_load_weights(argv[3], weights, LENET_WEIGHTS_BYTES) == LENET_OK);" : "")
        const uint64_t seed = 3;
        CHECK(lenet_initialize(\(given), &seed) == LENET_OK);
        static float images[8 * 1024];
        static int64_t classes[8];
        const double lr = 0.05;
        float loss = 0, accuracy = 0;
        FILE *const inputs = fopen(argv[1], "rb");
        CHECK(inputs && fread(images, 1, sizeof images, inputs) == sizeof images);
        CHECK(fread(classes, 1, sizeof classes, inputs) == sizeof classes);
        fclose(inputs);
        struct seen seen = {0};
        seen.file = fopen(argv[2], "wb");
        CHECK(seen.file);
        struct lenet_hooks hooks = {&seen, begin, end};
        CHECK(lenet_train_step(\(given), &hooks, images, classes, &lr, &loss, &accuracy) == LENET_OK);
        CHECK(seen.ready == LENET_TRAIN_STEP_BUCKET_COUNT && seen.waited == seen.ready);
        CHECK(fclose(seen.file) == 0);
        printf("%.9g\\n", (double)loss);
        CHECK(lenet_train_step(\(given), NULL, images, classes, &lr, &loss, &accuracy) == LENET_OK);
        printf("%.9g\\n", (double)loss);
        for (int broken = 1; broken <= 2; broken++) {
          seen = (struct seen){0};
          seen.broken = broken;
          seen.file = fopen("/dev/null", "ab");
          CHECK(lenet_train_step(\(given), &hooks, images, classes, &lr, &loss, &accuracy) == LENET_ERROR_HOOK);
          CHECK(seen.file && fclose(seen.file) == 0);
        }
        return 0;
      }
      """
  }

  @Test("C calls the hooks in order, with the gradients, and a step without them is the same", arguments: forms.indices)
  func emitted(form: Int) throws {
    let (name, options, targets) = Self.forms[form]
    var compileOptions = CompileOptions()
    compileOptions.targets = targets
    let compiled = try compile(Self.model(batch: 8), options: compileOptions)
    let files = emitC(compiled.functions.map { CFunction($0.planned, variants: $0.variants) }, options: options)
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    var data = Data()
    for array in try Self.inputs(0).dropLast() { data.append(contentsOf: array.bytes) }
    try data.write(to: URL(fileURLWithPath: path("inputs")))
    try Data(Self.main(options, weights: files.weights != nil).utf8).write(to: URL(fileURLWithPath: path("main.c")))

    var session = try compiled.session()
    _ = try session.run("initialize", Self.seed)
    var recorder = Recorder()
    let first = try session.run("train_step", Self.inputs(0), exchange: &recorder)[0].doubles[0]
    let second = try session.run("train_step", Self.inputs(0))[0].doubles[0]
    let expected = Array(recorder.buckets.joined())
    let peak = expected.reduce(0) { max($0, abs($1)) }

    let flags = [
      "-std=\(options.standard.rawValue)", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
    ]
    let isPOSIX = options.threads == .pthreads
    for compiler in CBench.compilers {
      try CBench.run(
        [compiler] + flags + CBench.warnings + (isPOSIX ? ["-pthread", "-D_POSIX_C_SOURCE=200809L"] : [])
          + [path("main.c"), path("lenet.c"), "-o", path("main"), "-lm"])
      let losses = try CBench.run(
        [
          "env", "ASAN_OPTIONS=detect_leaks=0", "timeout", "120", path("main"), path("inputs"), path("outputs"),
          path("lenet.weights"),
        ])
        .split(separator: "\n").map { try #require(Double($0)) }
      #expect(losses.count == 2 && abs(losses[0] - first) <= 1e-5 && abs(losses[1] - second) <= 1e-5, "\(name)")
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path("outputs"))))
      let actual = try NDArray(dtype: .f32, shape: [bytes.count / 4], bytes: bytes).elements(as: Float.self) ?? []
      #expect(actual.count == expected.count)
      for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 1e-5 * peak, "\(name), \(compiler)") }
    }
  }

  @Test func theHeaderSaysWhatThereIs() throws {
    let compiled = try compile(Self.model(batch: 8))
    let files = emitC(compiled.functions.map { CFunction($0.planned) }, options: COptions(name: "lenet"))
    for text in [
      "struct lenet_hooks {", "int (*ready)(void *context, size_t bucket, float *gradients, size_t count);",
      "int (*wait)(void *context, size_t bucket);", "#define LENET_TRAIN_STEP_BUCKET_COUNT 3",
      "#define LENET_TRAIN_STEP_GRADIENT_COUNT 10", "LENET_ERROR_HOOK = ", "const struct lenet_hooks *hooks",
    ] { #expect(files.header.contains(text), "\(text)") }
    let plain = emitC(
      try compile(Self.model(batch: 8, Self.options { $0.bucketBytes = nil })).functions.map { CFunction($0.planned) },
      options: COptions(name: "lenet"))
    #expect(!plain.header.contains("hooks") && !plain.source.contains("hooks"))
  }

  @Test func nativeCodeKeepsItsGradients() throws {
    let compiled = try compile(Self.model(batch: 8))
    var native = try compiled.native()
    var session = try compiled.session()
    _ = try native.run("initialize", Self.seed)
    _ = try session.run("initialize", Self.seed)
    for number in 0..<3 {
      let (a, b) = (
        try native.run("train_step", Self.inputs(number)), try session.run("train_step", Self.inputs(number))
      )
      #expect(abs(a[0].doubles[0] - b[0].doubles[0]) <= 1e-5)
    }
  }
}
