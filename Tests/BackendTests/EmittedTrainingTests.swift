import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// The training of five networks as C alone: strictly compiled, under sanitizers, without an allocation, with PyTorch's
/// losses, and resumed in another process to the bit.
struct EmittedTrainingTests {
  private static let steps = 10

  @Test("the C file trains, allocates nothing, and goes on from what it saved", arguments: TrainedNetwork.all)
  func training(network: TrainedNetwork) throws {
    let compiled = try compile(network.model("adamw", dtype: .f64))
    let files = emitC(
      compiled.functions.map { CFunction($0.planned) },
      options: COptions(name: network.name, weights: .inline, uniformEntry: true))
    #expect(!files.source.contains("alloc("))
    let folder = try CBench.write([files])
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func content(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }
    try Data(main(network, compiled, files).utf8).write(to: URL(fileURLWithPath: path("main.c")))
    try inputs(network).write(to: URL(fileURLWithPath: path("inputs")))
    let golden = try #require(
      HundredStepsTests.Golden.all.first { $0.network == network.name && $0.optimizer == "adamw" })
    // Sanitizers have an allocator of their own; the other way, allocating ends the program.
    let sanitizers = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    let ways = CBench.compilers.map { ($0, sanitizers) } + [("gcc", ["-O1", "-DNO_ALLOCATION"])]
    for (compiler, flags) in ways {
      try CBench.run(
        [compiler, "-std=c11"] + flags + CBench.warnings
          + [path("main.c"), path("\(network.name).c"), "-o", path("main"), "-lm"])
      func run(_ first: Int, _ last: Int, _ saved: String, _ more: [String] = []) throws -> [Double] {
        let command = ["timeout", "120", path("main"), path("inputs"), "\(first)", "\(last)", path(saved)]
        return try CBench.run(command + more.map(path)).split(separator: "\n").map { try #require(Double($0)) }
      }
      let losses = try run(0, Self.steps, "whole")
      #expect(losses.count == Self.steps * network.steps.count)
      for (loss, expected) in zip(losses, golden.losses) {
        #expect(abs(loss - expected) <= 1e-4 * expected, "\(compiler): \(loss), PyTorch's is \(expected)")
      }
      _ = try run(0, Self.steps / 2, "half")
      let rest = try run(Self.steps / 2, Self.steps, "rest", ["half"])
      #expect(rest == Array(losses.suffix(rest.count)))
      #expect(try content("whole") == content("rest"))
      #expect(try content("whole") != content("half"))
    }
  }

  /// The inputs of all functions of all steps, one after the other.
  private func inputs(_ network: TrainedNetwork) throws -> Data {
    let batches = try network.batches(dtype: .f64)
    var data = Data()
    for k in 0..<Self.steps {
      for (step, inputs) in zip(network.steps, batches[k % batches.count]) {
        let rate = CosineAnnealingLR(step.rate, tMax: 100).lr(at: k)
        for array in inputs + [NDArray(scalar: .float(rate), dtype: .f64)] { data.append(contentsOf: array.bytes) }
      }
    }
    return data
  }

  private func main(_ network: TrainedNetwork, _ compiled: CompiledModel, _ files: CFiles) throws -> String {
    var calls = ""
    for step in network.steps {
      let position = try #require(compiled.functions.firstIndex { $0.name == step.function })
      let program = compiled.functions[position].planned.program
      let loss = try #require(program.outputs.firstIndex { $0.name == "loss" })
      let sizes = program.inputs.map { ($0.type.elementCount ?? 0) * $0.type.dtype.byteCount }
      let reads = sizes.indices.map { "fread(in\($0), 1, sizeof in\($0), file) != sizeof in\($0)" }
      calls += """
            {
              \(sizes.indices.map { "static _Alignas(64) unsigned char in\($0)[\(sizes[$0])];" }.joined(separator: " "))
              if (\(reads.joined(separator: " || "))) return 1;
              const void *inputs[] = {\(sizes.indices.map { "in\($0)" }.joined(separator: ", "))};
              double results[\(program.outputs.count)];
              void *outputs[] = {\(program.outputs.indices.map { "&results[\($0)]" }.joined(separator: ", "))};
              if (k >= first) {
                armed = 1;
                const int status = \(files.entries[position])(arena, state, NULL, inputs, outputs);
                armed = 0;
                if (status != 0) return 1;
                printf("%.17g\\n", results[\(loss)]);
              }
            }

        """
    }
    let (name, macro) = (files.name, files.name.uppercased())
    return """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include "\(files.headerName)"
      static _Alignas(64) unsigned char state[\(macro)_STATE_BYTES], arena[\(macro)_ARENA_BYTES];
      static int armed = 0;
      #ifdef NO_ALLOCATION
      static _Alignas(64) unsigned char heap[1 << 20];
      static size_t used = 0;
      void *malloc(size_t size)
      {
        if (armed || used + size > sizeof heap - 64) abort();
        void *const start = heap + used;
        used += (size + 63) / 64 * 64;
        return start;
      }
      void *calloc(size_t count, size_t size) { return malloc(count * size); }
      void *realloc(void *old, size_t size) { (void)old; return malloc(size); }
      void free(void *start) { (void)start; }
      #endif
      static size_t to_file(void *file, const void *bytes, size_t size) { return fwrite(bytes, 1, size, file); }
      static size_t from_file(void *file, void *bytes, size_t size) { return fread(bytes, 1, size, file); }
      int main(int argc, char **argv)
      {
        if (argc < 5) return 64;
        const int first = atoi(argv[2]), last = atoi(argv[3]);
        const uint64_t seed = 0;
        const void *const seeds[] = {&seed};
        void *const nothing[] = {NULL};
        armed = 1;
        if (\(files.entries[0])(arena, state, NULL, seeds, nothing) != 0) return 1;
        armed = 0;
        FILE *const file = fopen(argv[1], "rb");
        if (!file) return 1;
        for (int k = 0; k < last; k++) {
          if (k == first && argc > 5) {
            FILE *const saved = fopen(argv[5], "rb");
            if (!saved || \(name)_load(state, from_file, saved) != 0) return 1;
            fclose(saved);
          }
      \(calls)  }
        fclose(file);
        FILE *const saved = fopen(argv[4], "wb");
        if (!saved || \(name)_save(state, to_file, saved) != 0) return 1;
        return fclose(saved) == 0 ? 0 : 1;
      }
      """
  }
}
