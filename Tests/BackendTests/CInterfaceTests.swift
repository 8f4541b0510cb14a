import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// The functions that a caller sees, called from C that is written for each test.
@Suite struct CInterfaceTests {
  /// Compiles a C program that includes the model, with all compilers, and runs it in the model's folder.
  private func run(
    _ files: CFiles, standard: String = "c11", defining macros: [String] = [], prelude: String = "", _ main: String
  ) throws {
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = """
      #include <stdio.h>
      #include <stdlib.h>
      #include "\(files.name).c"
      #define CHECK(test) do { if (!(test)) { printf("line %d: %s\\n", __LINE__, #test); return 1; } } while (0)
      static void *place(size_t size)
      {
        unsigned char *const block = malloc(size + 64);
        if (!block) exit(9);
        return block + (64 - (uintptr_t)block % 64) % 64;
      }
      \(prelude)
      int main(int argc, char **argv)
      {
        (void)argc;
        (void)argv;
        (void)place;
      \(main)
        return 0;
      }
      """
    let source = folder.appendingPathComponent("main.c")
    try Data(text.utf8).write(to: source)
    for compiler in CBench.compilers {
      let program = folder.appendingPathComponent("main-\(compiler)").path
      let flags =
        ["-std=\(standard)", "-O2", "-fsanitize=undefined", "-fno-sanitize-recover=all"] + macros.map { "-D\($0)" }
      try CBench.run([compiler] + flags + CBench.warnings + [source.path, "-o", program, "-lm"])
      try CBench.run(["timeout", "60", program, folder.path])
    }
  }

  /// `y = x + table[0..<3] + large[70_000..<70_003]` and `z = table * x`, with a table of 12 bytes and one of 400,000.
  private func weighted(_ options: COptions, for targets: [Target] = [.generic]) throws -> CFiles {
    let builder = Builder()
    let x = builder.input("x", .f32(3))
    let large = builder.constant(
      try NDArray(dtype: .f32, shape: [100_000], values: (0..<100_000).map { .float(Double($0) / 16 - 2000) }))
    let small = builder.constant(NDArray([1, 1e-7, .infinity] as [Float]))
    let twin = builder.constant(try NDArray([1, 1e-7, .infinity] as [Float], shape: [1, 3]))
    let y = x + small + large.slice(start: [70_000], limit: [70_003], stride: [1])
    let graph = try builder.finish(name: "weighted", outputs: [("y", y), ("z", twin * x)])
    let programs = try targets.map { try PlannedProgram(planning: Program(lowering: graph, target: $0)) }
    return emitC(try #require(programs.last), variants: programs.dropLast(), options: options)
  }

  private let expectation =
    "CHECK(y[0] == 2377.0f && y[1] == 2377.0625f && isinf(y[2]) && z[0] == 1.0f && z[1] == 2e-7f);"

  @Test("weights in the source are tables and strings", arguments: [COptions.Standard.c11, .c99])
  func inlineWeights(standard: COptions.Standard) throws {
    let files = try weighted(COptions(standard: standard, weights: .inline))
    #expect(files.weights == nil)
    try run(
      files, standard: standard.rawValue,
      """
        const float x[3] = {1, 2, 3};
        float y[3], z[3];
        CHECK(weighted_run(x, y, z) == WEIGHTED_OK);
        \(expectation)
        CHECK(weighted_run(NULL, y, z) == WEIGHTED_ERROR_NULL);
      """)
  }

  @Test("functions come first, tables last") func tablesComeLast() throws {
    let source = try weighted(COptions(weights: .inline)).source
    let definitions = source.split(separator: "\n").map(String.init)
    let run = try #require(definitions.lastIndex { $0.hasPrefix("int weighted_") })
    let tables = definitions.indices.filter {
      definitions[$0].hasPrefix("static const ") && definitions[$0].contains(" = {")
    }
    #expect(tables.count == 2 && tables.allSatisfy { $0 > run })
  }

  @Test("the weights file is the same in pieces and as a whole") func weightsInPieces() throws {
    let weights = try #require(try weighted(COptions(weights: .file)).weights)
    var bytes: [UInt8] = []
    weights.withParts { bytes += $0 }
    #expect(bytes == weights.bytes && bytes.count == weights.count)
    #expect(bytes.prefix(8).elementsEqual(Array("LATHEWTS".utf8)))
  }

  @Test func weightsInAFileAreCheckedBeforeUse() throws {
    let files = try weighted(COptions(weights: .file))
    let weights = try #require(files.weights)
    #expect(weights.count == 64 + 400_000 + 64, "equal constants are kept once")
    try run(
      files,
      """
        const float x[3] = {1, 2, 3};
        float y[3], z[3];
        char path[4096];
        unsigned char *const weights = place(WEIGHTED_WEIGHTS_BYTES);
        memset(weights, 0, WEIGHTED_WEIGHTS_BYTES);
        CHECK(weighted_run(weights, x, y, z) == WEIGHTED_ERROR_WEIGHTS);
        snprintf(path, sizeof path, "%s/weighted.weights", argv[1]);
        CHECK(weighted_load_weights("/nowhere", weights, WEIGHTED_WEIGHTS_BYTES) == WEIGHTED_ERROR_FILE);
        CHECK(weighted_load_weights(path, weights, 1000) == WEIGHTED_ERROR_SIZE);
        CHECK(weighted_load_weights(path, weights, WEIGHTED_WEIGHTS_BYTES) == WEIGHTED_OK);
        CHECK(weighted_run(weights, x, y, z) == WEIGHTED_OK);
        \(expectation)
        CHECK(weighted_run(weights + 4, x, y, z) == WEIGHTED_ERROR_ALIGNMENT);
        weights[100000] ^= 1;
        CHECK(weighted_check_weights(weights, WEIGHTED_WEIGHTS_BYTES) == WEIGHTED_ERROR_WEIGHTS);
      """)
  }

  @Test func externalWeightsNeedNoInputOrOutput() throws {
    let files = try weighted(COptions(weights: .external))
    #expect(!files.source.contains("stdio"))
    #expect(!files.source.contains("load_weights"))
    #expect(files.source.contains("weighted_check_weights"))
  }

  @Test func measuredKernelsCountTheirCalls() throws {
    let files = try weighted(COptions(measuresKernels: true))
    let kernels = files.source.components(separatedBy: "[1]++;").count - 1
    #expect(kernels > 0)
    try run(
      files, standard: "gnu11",
      """
        const float x[3] = {1, 2, 3};
        float y[3], z[3];
        CHECK(weighted_run(x, y, z) == WEIGHTED_OK && weighted_run(x, y, z) == WEIGHTED_OK);
        \(expectation)
        uint64_t calls = 0;
        for (size_t i = 0; i < sizeof weighted_profile / sizeof *weighted_profile; i++) calls += weighted_profile[i][1];
        CHECK(calls == 2 * \(kernels));
      """)
    #expect(try !weighted(COptions()).source.contains("profile"))
  }

  #if arch(arm64)
    private static let foreign = "WEIGHTED_X86_64_V3"
  #else
    private static let foreign = "WEIGHTED_ARMV8_A"
  #endif

  @Test("the target that is reported and measured is the one that runs", arguments: ["WEIGHTED_GENERIC", foreign])
  func reportedTarget(forced: String) throws {
    let files = try weighted(COptions(measuresKernels: true), for: Target.auto)
    try run(
      files, standard: "gnu11", defining: ["WEIGHTED_FORCED_TARGET=\(forced)"],
      """
        const float x[3] = {1, 2, 3};
        float y[3], z[3];
        CHECK(strcmp(weighted_target(), "generic") == 0);
        CHECK(weighted_run(x, y, z) == WEIGHTED_OK);
        \(expectation)
        CHECK(weighted_profile[0][1] == 1);
      """)
  }

  @Test func automaticWeightsGoToAFileAboveTheLimit() throws {
    #expect(try weighted(COptions()).weights == nil)
    #expect(try weighted(COptions(inlineLimit: 1000)).weights != nil)
  }

  /// What is saved, in memory.
  private let memoryFile = """
    struct saved { unsigned char bytes[100]; size_t size, at; };
    static inline size_t write_saved(void *context, const void *bytes, size_t size)
    {
      struct saved *const saved = context;
      if (saved->size + size > sizeof saved->bytes) return 0;
      memcpy(saved->bytes + saved->size, bytes, size);
      saved->size += size;
      return size;
    }
    static inline size_t read_saved(void *context, void *bytes, size_t size)
    {
      struct saved *const saved = context;
      if (saved->size - saved->at < size) return 0;
      memcpy(bytes, saved->bytes + saved->at, size);
      saved->at += size;
      return size;
    }
    """

  @Test("state is initialised, updated, saved and restored", arguments: [COptions.Arena.caller, .static])
  func state(arena: COptions.Arena) throws {
    let (files, planned) = try CGoldenTests.emit("counter", COptions(arena: arena))
    let given = planned.arenaBytes > 0 && arena == .caller ? "place(COUNTER_ARENA_BYTES), " : ""
    try run(
      files, prelude: memoryFile,
      """
        const float x[4] = {1, 2, 3, 14};
        float y[4];
        void *const state = place(COUNTER_STATE_BYTES);
        struct saved saved = {{0}, 0, 0};
        int64_t count;
        CHECK(COUNTER_VARIABLE_COUNT == 2);
        CHECK(strcmp(counter_variables[0].name, "count") == 0 && strcmp(counter_variables[0].dtype, "i64") == 0);
        CHECK(strcmp(counter_variables[1].name, "running.mean") == 0 && counter_variables[1].shape[0] == 4);
        CHECK(counter_initialize(NULL) == COUNTER_ERROR_NULL);
        CHECK(counter_initialize(state) == COUNTER_OK);
        CHECK(counter_run(\(given)state, x, y) == COUNTER_OK);
        CHECK(y[0] == 0 && y[3] == 10);
        CHECK(counter_save(NULL, write_saved, &saved) == COUNTER_ERROR_NULL);
        CHECK(counter_save(state, write_saved, &saved) == COUNTER_OK);
        CHECK(saved.size == 40 + 8 + 16);
        CHECK(counter_run(\(given)state, x, y) == COUNTER_OK);
        CHECK(fabsf(y[3] - 9) < 1e-5f);
        CHECK(counter_load(state, read_saved, &saved) == COUNTER_OK);
        CHECK(counter_run(\(given)state, x, y) == COUNTER_OK);
        CHECK(fabsf(y[3] - 9) < 1e-5f);
        memcpy(&count, (const char *)state + counter_variables[0].offset, counter_variables[0].bytes);
        CHECK(count == 2);
        /* Too short, damaged at the end, another model's: the last is refused before anything is read into the state. */
        saved.at = 0;
        saved.size--;
        CHECK(counter_load(state, read_saved, &saved) == COUNTER_ERROR_FILE);
        saved.at = 0;
        saved.size++;
        saved.bytes[saved.size - 1] ^= 1;
        CHECK(counter_load(state, read_saved, &saved) == COUNTER_ERROR_STATE);
        saved.at = 0;
        saved.bytes[20] ^= 1;
        CHECK(counter_load(state, read_saved, &saved) == COUNTER_ERROR_STATE);
        CHECK(saved.at == 32);
        saved.size = 96;
        CHECK(counter_save(state, write_saved, &saved) == COUNTER_ERROR_FILE);
      """)
  }

  @Test("the test bench reads and writes .npy files", arguments: [COptions.Weights.inline, .file, .external])
  func testBench(weights: COptions.Weights) throws {
    let files = try weighted(COptions(weights: weights, main: true))
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func npy(_ header: String, _ numbers: [Float]) -> Data {
      let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
      return Data([0x93] + "NUMPY".utf8 + [1, 0, 118, 0] + padded.utf8) + numbers.withUnsafeBytes { Data($0) }
    }
    try npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", [1, 2, 3]).write(
      to: URL(fileURLWithPath: path("x.npy")))
    try npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", [1, 2, 3, 4]).write(
      to: URL(fileURLWithPath: path("long.npy")))
    try npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", [1, 2]).write(
      to: URL(fileURLWithPath: path("short.npy")))
    for compiler in CBench.compilers {
      try CBench.run(
        [compiler, "-std=c11", "-O2"] + CBench.warnings + [path("weighted.c"), "-o", path("bench"), "-lm"])
      let extra = weights == .inline ? [] : [path("weighted.weights")]
      try CBench.run([path("bench")] + extra + [path("x.npy"), path("y.npy"), path("z.npy")])
      let data = try Data(contentsOf: URL(fileURLWithPath: path("y.npy")))
      #expect(data.count == 128 + 12)
      #expect(data.prefix(128).contains("(3,)".utf8))
      let numbers = Array(data.suffix(12)).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      #expect(numbers == [2377, 2377.0625, .infinity])
      for wrong in ["long.npy", "short.npy", "none.npy", "weighted.c"] {
        #expect(throws: CBench.Failure.self) {
          try CBench.run([path("bench")] + extra + [path(wrong), path("y.npy"), path("z.npy")])
        }
      }
    }
  }

  @Test func headersAreGoodCPlusPlus() throws {
    let files = try weighted(COptions(weights: .file))
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = folder.appendingPathComponent("user.cpp")
    try Data("#include \"weighted.h\"\nint main() { return weighted_check_weights(nullptr, 0) == 1 ? 0 : 1; }\n".utf8)
      .write(to: source)
    try CBench.run(["g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", source.path])
  }

  @Test("what runs by the inputs' leave depends on them, also inside of loops")
  func dependence() throws {
    let program = try Program(
      parsing: """
        program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
          input c: bool[]
          output chosen: f32[4]
          output copied: f32[4]
          output given: f32[4]
          kernel a "a" {
            for i0 < 4 vector {
              chosen[i0] = 1.0:f32
            }
          }
          kernel b "b" {
            for i0 < 4 vector {
              given[i0] = 1.0:f32
            }
          }
          kernel copy "copy" {
            for i0 < 4 vector {
              copied[i0] = chosen[i0]
            }
          }
          steps {
            run copy
            run b
            if c {
              for t0 < 2 {
                run a
              }
            } else {
            }
          }
        }
        """)
    let names = program.buffersDependingOnInputs.map { program[$0].name }.sorted()
    #expect(names == ["c", "chosen", "copied"])
  }
}
