import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// Several functions over one state, in the interpreter, natively and in C.
struct FunctionsTests {
  /// A perceptron whose step moves the weights by the error, and whose prediction reads them.
  static let text = """
    model perceptron {
      var @w: f32[3] parameter = [1.0, 2.0, 3.0]
      var @steps: i64[] buffer = 0

      func step(%x: f32[3], %target: f32[], %rate: f32[]) -> (%error: f32[]) {
        %0 = multiply %x, @w : f32[3]
        %1 = reduce_sum %0 {axes: [0]} : f32[]
        %2 = subtract %target, %1 : f32[]
        %3 = multiply %2, %rate : f32[]
        %4 = broadcast %3 {shape: [3], axes: []} : f32[3]
        %5 = multiply %4, %x : f32[3]
        %6 = add @w, %5 : f32[3]
        %7 = constant 1 : i64[]
        %8 = add @steps, %7 : i64[]
        update @w = %6
        update @steps = %8
        return %2
      }

      func predict(%x: f32[3]) -> (%y: f32[]) {
        %0 = multiply %x, @w : f32[3]
        %1 = reduce_sum %0 {axes: [0]} : f32[]
        return %1
      }

      func table(%i: i64[]) -> (%steps: i64[]) {
        %0 = add @steps, %i : i64[]
        return %0
      }
    }
    """

  static func model() throws -> Model { try Model(parsing: text) }

  private static let x = NDArray([1, 2, -1] as [Float])
  private static func number(_ value: Float) throws -> NDArray { try NDArray([value], shape: []) }

  /// What every back-end must give: predictions before and after two steps, and the errors of the steps.
  private static func check(
    _ run: (String?, [NDArray]) throws -> [NDArray]
  ) throws {
    func step() throws -> Float { try run("step", [x, number(4), number(0.25)])[0].floats[0] }
    func predict() throws -> Float { try run("predict", [x])[0].floats[0] }
    #expect(try predict() == 2)
    #expect(try step() == 2)
    #expect(try predict() == 5)
    #expect(try step() == -1)
    #expect(try predict() == 3.5)
    #expect(try run("table", [NDArray([40 as Int64], shape: [])])[0].first == .integer(42))
    for name in ["train", nil] {
      let error = #expect(throws: DiagnosticsError.self) { try run(name, [x]) }
      #expect(error?.description.contains("its functions are step, predict, table") == true)
    }
  }

  @Test func interpreter() throws {
    let compiled = try compile(Self.model())
    #expect(compiled.functions.map(\.name) == ["step", "predict", "table"])
    var session = try compiled.session()
    try Self.check { try session.run($0, $1) }
    #expect(try session.variable(named: "steps").first == .integer(2))
    // Saved and restored, also as a file.
    let file = session.encodedState()
    var other = try compiled.session()
    try other.decodeState(file)
    #expect(try other.run("predict", [Self.x])[0].floats == [3.5])
    #expect(other.encodedState() == file)
    session.reset()
    #expect(try session.run("predict", [Self.x])[0].floats == [2])
    for damage in [[UInt8](), Array(file.dropLast()), file + [0], [1] + file.dropFirst()] {
      #expect(throws: DiagnosticsError.self) { try other.decodeState(damage) }
    }
    var flipped = file
    flipped[45] ^= 1
    #expect(throws: DiagnosticsError.self) { try other.decodeState(flipped) }
    #expect(try other.run("predict", [Self.x])[0].floats == [3.5])
  }

  @Test(arguments: [1, 2]) func native(threads: Int) throws {
    var model = try compile(Self.model()).native(threads: threads)
    try Self.check { try model.run($0, $1) }
    var session = try compile(Self.model()).session()
    try session.decodeState(model.encodedState())
    #expect(try session.run("predict", [Self.x])[0].floats == [3.5])
  }

  /// The C file, by itself, strictly compiled: what one function changes, the next sees; saved, loaded, refused.
  @Test(
    arguments: [
      COptions(name: "perceptron"), COptions(name: "perceptron", arena: .static, weights: .inline),
      COptions(name: "perceptron", standard: .c99, uniformEntry: true),
    ], [[Target.generic], Target.auto])
  func emitted(options: COptions, targets: [Target]) throws {
    var compileOptions = CompileOptions()
    compileOptions.targets = targets
    let compiled = try compile(Self.model(), options: compileOptions)
    let files = emitC(compiled.functions.map { CFunction($0.planned, variants: $0.variants) }, options: options)
    #expect(files.source.components(separatedBy: "int perceptron_save(").count == 2)
    let arena = compiled.arenaBytes > 0 && options.arena == .caller ? "arena, " : ""
    let main = """
      #include <stdio.h>
      #include <stdlib.h>
      #include "perceptron.c"
      #define CHECK(test) do { if (!(test)) { printf("line %d: %s\\n", __LINE__, #test); return 1; } } while (0)
      static size_t to_file(void *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file); }
      static size_t from_file(void *file, void *bytes, size_t size) { return fread(bytes, 1, size, file); }
      static union { double number; unsigned char bytes[PERCEPTRON_STATE_BYTES + 64]; } memory;
      static union { double number; unsigned char bytes[PERCEPTRON_ARENA_BYTES + 64]; } room;
      int main(int argc, char **argv)
      {
        const float x[PERCEPTRON_STEP_INPUT_X_COUNT] = {1, 2, -1}, target[1] = {4}, rate[1] = {0.25f};
        float y[1];
        void *const state = memory.bytes + (64 - (uintptr_t)memory.bytes % 64) % 64;
        void *const arena = room.bytes + (64 - (uintptr_t)room.bytes % 64) % 64;
        (void)arena;
        CHECK(argc == 2);
        CHECK(perceptron_initialize(state) == PERCEPTRON_OK);
        CHECK(perceptron_predict(\(arena)state, x, y) == PERCEPTRON_OK && y[0] == 2);
        CHECK(perceptron_step(\(arena)state, x, target, rate, y) == PERCEPTRON_OK && y[0] == 2);
        CHECK(perceptron_predict(\(arena)state, x, y) == PERCEPTRON_OK && y[0] == 5);
        CHECK(perceptron_predict(\(arena)NULL, x, y) == PERCEPTRON_ERROR_NULL);
        FILE *file = fopen(argv[1], "wb");
        CHECK(file && perceptron_save(state, to_file, file) == PERCEPTRON_OK && fclose(file) == 0);
        CHECK(perceptron_initialize(state) == PERCEPTRON_OK);
        file = fopen(argv[1], "rb");
        CHECK(file && perceptron_load(state, from_file, file) == PERCEPTRON_OK && fclose(file) == 0);
        CHECK(perceptron_step(\(arena)state, x, target, rate, y) == PERCEPTRON_OK && y[0] == -1);
        CHECK(perceptron_predict(\(arena)state, x, y) == PERCEPTRON_OK && y[0] == 3.5f);
        return 0;
      }
      """
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    try Data(main.utf8).write(to: URL(fileURLWithPath: path("main.c")))
    for compiler in CBench.compilers {
      let flags = [
        "-std=\(options.standard.rawValue)", "-O2", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
      ]
      try CBench.run([compiler] + flags + CBench.warnings + [path("main.c"), "-o", path("main"), "-lm"])
      try CBench.run(["timeout", "60", path("main"), path("state")])
    }
    // What C has saved, Swift reads.
    var session = try compiled.session()
    try session.decodeState(Array(Data(contentsOf: URL(fileURLWithPath: path("state")))))
    #expect(try session.run("predict", [Self.x])[0].floats == [5])
  }

  /// Weights and kernels that functions have in common are in the file once; the arena is the largest need.
  @Test func sharing() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(64, 64))
    let table = builder.constant(
      try NDArray(dtype: .f32, shape: [64, 64], values: (0..<4096).map { .float(Double($0 % 97)) }))
    let product = matmul(x, table).relu()
    let first = try builder.finish(name: "first", outputs: [("y", product)])
    let second = try builder.finish(name: "second", outputs: [("y", product), ("total", matmul(product, table).sum())])
    let compiled = try compile(Model(name: "both", functions: [first, second]))
    let files = emitC(
      compiled.functions.map { CFunction($0.planned) }, options: COptions(name: "both", weights: .file))
    #expect(files.weights?.count == 64 + 4 * 4096)
    let alone = try compile(first)
    func kernels(_ text: String) -> Int { text.components(separatedBy: "BOTH_KERNEL static void").count - 1 }
    let one = kernels(emitC(alone.planned, options: COptions(name: "both")).source)
    #expect(one > 0)
    #expect(kernels(files.source) == compiled.functions[1].planned.program.kernels.count)
    #expect(compiled.arenaBytes == compiled.functions.map(\.arenaBytes).max())
  }

  /// Functions and tensors with names that the file uses for something else.
  @Test func names() throws {
    let words = [
      "run", "save", "load", "variables", "call", "State", "state", "initialize_call", "x", "x_call", "kernel", "1",
      "a b", "threads",
    ]
    var functions: [Graph] = []
    for (position, word) in words.enumerated() {
      let builder = Builder()
      let x = builder.input("x", .f32(5))
      let state = builder.variable(
        Variable(name: "v", role: .buffer, initial: NDArray([1, 2, 3, 4, 5] as [Float])))
      builder.update("v", to: state + x)
      functions.append(
        try builder.finish(name: word, outputs: [("run", x.exp() * Double(position + 2)), ("save", state)]))
    }
    let compiled = try compile(Model(name: "m", functions: functions))
    let files = emitC(compiled.functions.map { CFunction($0.planned) }, options: COptions(uniformEntry: true))
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    for compiler in CBench.compilers {
      try CBench.run(
        [compiler, "-std=c11", "-fsyntax-only"] + CBench.warnings
          + [folder.appendingPathComponent("\(files.name).c").path])
    }
    #expect(Set(files.entries).count == words.count)
    var native = try compiled.native()
    for word in words { _ = try native.run(word, [NDArray([1, 1, 1, 1, 1] as [Float])]) }
    #expect(try native.variable(named: "v").floats == [15, 16, 17, 18, 19])
  }
}

extension NDArray {
  fileprivate var floats: [Float] { doubles.map { Float($0) } }
}
