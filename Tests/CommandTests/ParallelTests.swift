import Foundation
import Testing

/// Training in several processes in C: `samples/Parallel`, and steps of files that hand gradients out.
@Suite struct ParallelTests {
  private static let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../samples").standardized

  private static let hasMPI = ["mpicc", "mpirun"].allSatisfy { command in
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(command)") }
  }

  /// Twenty losses of `processes`, which train with batches of `whole` together.
  private func losses(_ processes: Int, whole: Int, _ more: String = "") throws -> [Double] {
    let bench = try Workbench()
    for name in ["Makefile", "parallel.c"] {
      try FileManager.default.copyItem(
        at: Self.samples.appendingPathComponent("Parallel/\(name)"), to: bench.path(name))
    }
    let made = try bench.shell(
      """
      make DIGITS="$(dirname "$lathe")/digits" BATCH=\(whole / processes) \
      CFLAGS='-std=c11 -O2 -march=native -Wall -Wextra -Wpedantic -Wconversion -Werror'
      """)
    #expect(made.status == 0, "\(made.output)\(made.errors)")
    let run = try bench.shell(
      "mpirun --allow-run-as-root --oversubscribe -n \(processes) ./parallel "
        + "'\(Self.samples.appendingPathComponent("Digits/digits.bin").path)' 20 \(more)")
    #expect(run.status == 0, "\(run.errors)")
    return run.output.split(separator: "\n").compactMap { Double($0) }
  }

  @Test(
    "two processes with halves of a batch have the losses of one",
    .enabled(if: hasMPI, "needs libopenmpi-dev: tools/setup tests"))
  func twoProcesses() throws {
    let one = try losses(1, whole: 32)
    #expect(one.count == 20 && one[19] < one[0])
    // Whether sums begin early or late, and how long they take, changes nothing.
    for more in ["", "late", "early 100"] {
      let two = try losses(2, whole: 32, more)
      #expect(two.count == 20)
      for (a, b) in zip(one, two) { #expect(abs(a - b) <= 1e-6 * max(1, a), "\(more)") }
    }
  }

  @Test func filesAreTrainedWithHooks() throws {
    let bench = try Workbench()
    let lenet = Self.samples.appendingPathComponent("lenet.onnx").path
    let outcome = try bench.run(
      "lathe", "compile", lenet, "--train", "--gradient-hooks", "16384", "--clip-norm", "1", "-o", "lenet.c")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let header = try bench.text("lenet.h")
    #expect(header.contains("struct lenet_hooks {") && header.contains("#define LENET_TRAIN_STEP_BUCKET_COUNT 3"))
    let strict = try bench.shell(
      "gcc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only lenet.c")
    #expect(strict.status == 0, "\(strict.errors)")
    let broken = try bench.run(
      "lathe", "compile", lenet, "--train", "--optimizer", "lbfgs", "--gradient-hooks", "1", "-o", "l.c")
    #expect(broken.status == 1 && broken.errors.contains("LBFGS knows no gradients that are handed out"))
  }
}
