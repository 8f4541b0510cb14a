import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Kernels whose parallel loops are shared between threads.
@Suite struct ThreadsTests {
  private static let programs: [(name: String, program: PlannedProgram)] = [
    ("wide", TilePrograms.Convolution(blocks: 2, groups: 3, columns: 2, rows: 3, height: 5, width: 6).program()),
    ("single", TilePrograms.Convolution(blocks: 2, groups: 1, columns: 2, rows: 3, height: 7, width: 3).program()),
    ("pooling", TilePrograms.pooling(lanes: 8)),
    ("chain", TilePrograms.chain()),
    ("serial", TilePrograms.inPlace(lanes: 8)),
    (
      "scalar_NAME_MACRO",
      TilePrograms.Convolution(lanes: 1, blocks: 3, columns: 2, rows: 4, height: 3, width: 4).program()
    ),
  ]

  private static func outputs(
    _ threads: CBench.Threads, compiler: String = "gcc", flags: [String] = ["-std=c11", "-O2"],
    standard: COptions.Standard = .c11
  ) throws -> [[String: NDArray]] {
    let models = try programs.map { name, program in
      let options = COptions(name: name, standard: standard, threads: threads.form, uniformEntry: true)
      return CBench.Model(
        files: emitC(program, options: options), planned: program, inputs: try TileEmissionTests.inputs(program))
    }
    return try CBench.outputs(models, compiler: compiler, flags: flags, threads: threads)
  }

  @Test("results have the same bits for any number of threads", arguments: COptions.Threads.allCases, CBench.compilers)
  func bits(form: COptions.Threads, compiler: String) throws {
    // Clang comes without OpenMP here
    if form == .openmp && compiler == "clang" { return }
    let expected = try Self.outputs(CBench.Threads(.none, count: 1), compiler: compiler)
    for count in 1...3 {
      #expect(try Self.outputs(CBench.Threads(form, count: count), compiler: compiler) == expected)
    }
  }

  @Test func nestsOfAKernelAreSharedOneAfterTheOther() {
    let options = COptions(name: "chain", threads: .pthreads)
    let text = emitC(TilePrograms.chain(), options: options).source
    #expect(text.components(separatedBy: "chain_share(threads, 5, ").count == 3)
  }

  @Test func openMPIsOptional() throws {
    // without -fopenmp, the pragmas are not there to be warned about
    let files = emitC(Self.programs[0].program, options: COptions(name: "wide", threads: .openmp))
    let folder = try CBench.write([files])
    for compiler in CBench.compilers {
      try CBench.run(
        [compiler, "-std=c11", "-c", "-o", "/dev/null"] + CBench.warnings + [folder.appending(path: "wide.c").path])
    }
  }

  @Test func c99HasThreadsToo() throws {
    let expected = try Self.outputs(CBench.Threads(.none, count: 1))
    let flags = ["-std=c99", "-D_GNU_SOURCE", "-O1"]
    for form in [COptions.Threads.pthreads, .callback] {
      let actual = try Self.outputs(CBench.Threads(form, count: 2), flags: flags, standard: .c99)
      #expect(actual == expected)
    }
  }

  @Test func sanitizersFindNoRaces() throws {
    for sanitizer in ["thread", "address,undefined"] {
      _ = try Self.outputs(
        CBench.Threads(.pthreads, count: 3),
        flags: ["-std=c11", "-O1", "-g0", "-fsanitize=\(sanitizer)", "-fno-sanitize-recover=all"])
    }
  }

  @Test("a native model shares its work", arguments: [1, 2, 3])
  func native(threads: Int) throws {
    let program = Self.programs[0].program
    let inputs = try TileEmissionTests.inputs(program)
    let given = try program.program.inputs.map { try #require(inputs[$0.name]) }
    var one = try NativeModel(program)
    var several = try NativeModel(program, threads: threads)
    let expected = try one.run(given)
    for _ in 0..<5 { #expect(try several.run(given) == expected) }
  }

  @Test(.timeLimit(.minutes(1))) func manyShortRunsInARowAreDoneCompletely() throws {
    let program = TilePrograms.squares()
    let options = COptions(name: "squares", threads: .pthreads)
    let folder = try CBench.write([emitC(program, options: options)])
    defer { try? FileManager.default.removeItem(at: folder) }
    let driver = """
      #include "squares.c"
      #include <stdio.h>

      int main(void)
      {
        static struct squares_threads threads;
        static float x[\(program.program.buffers[0].count)], y[\(program.program.buffers[0].count)];
        const int count = sizeof x / sizeof *x;
        if (squares_start_threads(&threads, 3)) return 2;
        for (int run = 0; run < 20000; run++) {
          for (int i = 0; i < count; i++) x[i] = (float)(run % 1000 + i);
          squares_run(&threads, x, y);
          for (int i = 0; i < count; i++) {
            if (y[i] != x[i] * x[i]) return printf("run %d, element %d\\n", run, i), 1;
          }
        }
        squares_stop_threads(&threads);
        for (int run = 0; run < 2000; run++) {
          if (squares_start_threads(&threads, 3)) return 3;
          squares_run(&threads, x, y);
          squares_stop_threads(&threads);
        }
        return 0;
      }
      """
    let source = folder.appendingPathComponent("driver.c")
    try Data(driver.utf8).write(to: source)
    let executable = folder.appendingPathComponent("driver").path
    try CBench.run(["gcc", "-O2", "-pthread", source.path, "-o", executable, "-lm"])
    try CBench.run(["timeout", "-k", "1", "50", executable])
  }

  @Test func tooManyThreadsAreAnError() throws {
    #expect(throws: DiagnosticsError.self) { _ = try NativeModel(Self.programs[0].program, threads: 65) }
  }
}
