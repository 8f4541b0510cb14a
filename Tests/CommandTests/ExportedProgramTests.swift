import Foundation
import LatheCore
import LatheData
import Testing

/// The command line on programs of `torch.export`.
@Suite struct ExportedProgramTests {
  private func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../PT2Tests/Programs/\(name)").standardized.path
  }

  @Test func checkInfoCompileAndGrad() throws {
    let bench = try Workbench()
    let program = path("tiny_resnet.pt2")
    let check = try bench.run("lathe", "check", program)
    #expect(check.status == 0, "\(check.errors)")
    #expect(check.output.contains("f32[1,3,32,32]"))
    let info = try bench.run("lathe", "info", program)
    #expect(info.status == 0 && info.output.contains("conv2d_1"), "\(info.errors)\(info.output)")
    let compiled = try bench.run("lathe", "compile", program, "-o", "resnet.c")
    #expect(compiled.status == 0, "\(compiled.errors)")
    #expect(try bench.shell("gcc -std=c11 -Wall -Wextra -Werror -fsyntax-only resnet.c").status == 0)
    let state = try bench.run("lathe", "convert", program, "-o", "resnet.safetensors")
    #expect(state.status == 0, "\(state.errors)")
    #expect(try load(bench.path("resnet.safetensors").path).keys.contains("layer1.0.conv1.weight"))
  }

  /// The shapes of the inputs bind the open size; the outputs are PyTorch's.
  @Test(arguments: ["interpreter", "native"])
  func run(_ backend: String) throws {
    let bench = try Workbench()
    let expected = try load(path("tiny_mlp_batch.pt"))
    let input = try #require(expected["inputs.0"])
    try FileContent(path: bench.path("x.npy").path, bytes: input.npy()).writeAtomically()
    let outcome = try bench.run(
      "lathe", "run", path("tiny_mlp_batch.pt2"), "--input", "input=x.npy", "--outputs", "out.npz", "--backend", backend
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let output = try #require(try NPZ(reading: bench.path("out.npz").path).members.first).array
    for (built, wanted) in zip(output.doubles, try #require(expected["outputs.0"]).doubles) {
      #expect(abs(built - wanted) < 1e-5)
    }
    let open = try bench.run("lathe", "compile", path("tiny_mlp_batch.pt2"), "-o", "mlp.c")
    #expect(open.status == 1 && open.errors.contains("--dim"), "\(open.errors)")
  }

  @Test func training() throws {
    let bench = try Workbench()
    let images = NDArray([Float](repeating: 0.5, count: 8 * 12))
    let samples = try NDArray(dtype: .f32, shape: [8, 12], bytes: images.bytes)
    try FileContent(path: bench.path("x.npy").path, bytes: samples.npy()).writeAtomically()
    try FileContent(path: bench.path("y.npy").path, bytes: NDArray((0..<8).map { Int64($0 % 5) }).npy())
      .writeAtomically()
    let outcome = try bench.run(
      "lathe", "train", path("tiny_mlp_batch.pt2"), "--inputs", "x.npy", "--targets", "y.npy", "--loss",
      "cross-entropy",
      "--optimizer", "sgd", "--lr", "0.1", "--batch-size", "4", "-o", "trained.pt")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try load(bench.path("trained.pt").path).keys.contains("0.weight"))
  }
}
