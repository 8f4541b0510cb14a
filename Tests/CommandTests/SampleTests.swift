import Foundation
import LatheCore
import LatheData
import Testing

/// The same network as a file and as Swift code.
@Suite struct SampleTests {
  private let lenet = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../samples/lenet.onnx").standardized.path

  @Test func theFileIsSound() throws {
    let bench = try Workbench()
    let check = try bench.run("lathe", "check", lenet)
    #expect(check.errors == "")
    try expectSnapshot(check.output, "check-lenet-onnx")
    try expectSnapshot(try bench.run("lathe", "info", lenet).output, "info-lenet-onnx")
  }

  @Test func theSampleIsAToolOfItsOwn() throws {
    let bench = try Workbench()
    let check = try bench.run("lenet", "check")
    #expect(check.errors == "")
    try expectSnapshot(check.output, "check-lenet")
    try expectSnapshot(try bench.run("lenet", "info", "--dim", "N=1").output, "info-lenet")
    #expect(try bench.run("lenet", "check", "--dim", "M=1").status == 1)
    #expect(try bench.run("lenet", "frobnicate").status == 64)
  }

  @Test func theSampleRunsForEveryBatch() throws {
    let bench = try Workbench()
    #expect(try bench.run("lenet", "run", "--dim", "N=2", "--outputs", "out").status == 0)
    #expect(try NDArray(readingNPY: bench.path("out/output_0.npy").path).shape == [2, 10])
  }

  @Test func theFileCompilesToTheSameCTwice() throws {
    let bench = try Workbench()
    for folder in ["a", "b"] {
      _ = try bench.shell("mkdir \(folder)")
      let outcome = try bench.run("lathe", "compile", lenet, "-o", "\(folder)/lenet.c")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try bench.shell("ls \(folder)").output == "lenet.c\nlenet.h\n")
    }
    #expect(try bench.shell("cmp a/lenet.c b/lenet.c && cmp a/lenet.h b/lenet.h").status == 0)
    let flags = "-std=c11 -O0 -Wall -Wextra -Wpedantic -Wconversion -Werror"
    let compiled = try bench.shell("cc \(flags) -c a/lenet.c -o lenet.o")
    #expect(compiled.status == 0, "\(compiled.errors.prefix(2000))")
  }

  @Test func weightsMayBeAFileOfTheirOwn() throws {
    let bench = try Workbench()
    #expect(try bench.run("lathe", "compile", lenet, "-o", "lenet.c", "--weights", "file").status == 0)
    #expect(try bench.files() == ["lenet.c", "lenet.h", "lenet.weights"])
  }

  @Test func gradientsOfAFileAreTakenByTheNamesOfItsInitializers() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "lathe", "grad", lenet, "--of", "logits", "--wrt", "fc3.bias", "--wrt", "input", "-o", "g.lathe")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try bench.run("lathe", "check", "g.lathe").output
    #expect(summary.contains("  output  grad/fc3.bias: f32[10]\n  output  grad/input: f32[1,1,32,32]\n"))
  }

  @Test func benchMeasures() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "bench", "mlp.lathe", "--dim", "N=2", "--json", "--threads", "1")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(json?["macs"] as? Int == 24)
    #expect(try #require(json?["median_ms"] as? Double) > 0)
  }
}
