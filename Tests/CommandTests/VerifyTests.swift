import Foundation
import LatheCore
import LatheData
import LatheONNX
import Testing

@Suite struct VerifyTests {
  private let lenet = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../samples/lenet.onnx").standardized.path

  /// A folder as ONNX lays it out, with the outputs that Lathe itself gives.
  private func bench() throws -> Workbench {
    let bench = try Workbench()
    _ = try bench.shell("mkdir -p t/test_data_set_0; cp '\(lenet)' t/model.onnx")
    let input = try NDArray((0..<1024).map { Float($0 % 7) / 7 }, shape: [1, 1, 32, 32])
    try input.npy().writeAtomically(to: bench.path("x.npy").path)
    try input.onnxTensor(name: "input").writeAtomically(to: bench.path("t/test_data_set_0/input_0.pb").path)
    #expect(try bench.run("lathe", "run", "t/model.onnx", "--input", "input=x.npy", "--outputs", "out").status == 0)
    let output = try NDArray(readingNPY: bench.path("out/output_0.npy").path)
    try output.onnxTensor(name: "logits").writeAtomically(to: bench.path("t/test_data_set_0/output_0.pb").path)
    return bench
  }

  @Test func agreementIsSuccess() throws {
    let outcome = try bench().run("lathe", "verify", "t")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "t/test_data_set_0: logits: ok, largest difference 0\n")
  }

  @Test func aMismatchHasAnExitCodeOfItsOwn() throws {
    let bench = try bench()
    let wrong = try NDArray([Float](repeating: 0.5, count: 10), shape: [1, 10])
    try wrong.onnxTensor(name: "logits").writeAtomically(to: bench.path("t/test_data_set_0/output_0.pb").path)
    let outcome = try bench.run("lathe", "verify", "t")
    #expect(outcome.status == 2)
    #expect(outcome.output.hasPrefix("t/test_data_set_0: logits: MISMATCH: 10 of 10 elements, largest difference "))
    let narrow = NDArray([Float(0)])
    try narrow.onnxTensor(name: "logits").writeAtomically(to: bench.path("t/test_data_set_0/output_0.pb").path)
    #expect(try bench.run("lathe", "verify", "t").output.contains("MISMATCH: f32[1,10] instead of f32[1]"))
  }

  @Test func tolerancesAreThoseOfTheTestUnlessGiven() throws {
    let bench = try bench()
    let set = "t/test_data_set_0"
    let output = try NDArray(readingNPY: bench.path("out/output_0.npy").path)
    let near = try NDArray(output.doubles.map { Float($0 * 1.01) }, shape: output.shape)
    try near.onnxTensor(name: "logits").writeAtomically(to: bench.path("\(set)/output_0.pb").path)
    #expect(try bench.run("lathe", "verify", "t").status == 2)
    #expect(try bench.run("lathe", "verify", "t", "--rtol", "0.02").status == 0)
    try #"{"model_name": "t", "rtol": 0.02}"#.writeAtomically(to: bench.path("t/data.json").path)
    #expect(try bench.run("lathe", "verify", "t").status == 0)
    #expect(try bench.run("lathe", "verify", "t", "--rtol", "0.001").status == 2)
    try #"{"rtol": "much"}"#.writeAtomically(to: bench.path("t/data.json").path)
    let damaged = try bench.run("lathe", "verify", "t")
    #expect(damaged.status == 1)
    #expect(damaged.errors.hasPrefix("t/data.json: error: "))
  }

  @Test func damagedDataIsAMistakeNotAMismatch() throws {
    let bench = try bench()
    try "nonsense".writeAtomically(to: bench.path("t/test_data_set_0/output_0.pb").path)
    let outcome = try bench.run("lathe", "verify", "t", "none")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("t/test_data_set_0/output_0.pb: error: "))
    #expect(outcome.errors.contains("none/model.onnx: error: "))
  }

  @Test func inputsMayBeGivenByPositionInAFolder() throws {
    let bench = try bench()
    let outcome = try bench.run("lathe", "run", "t/model.onnx", "--inputs", "t/test_data_set_0")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("logits: f32[1,10] = ["))
  }

  /// Every length of a small prefix, then steps: truncated files are mistakes.
  @Test(arguments: [0, 1, 7, 64, 1000, 40_000, 200_000])
  func aTruncatedModelIsAMistake(_ length: Int) throws {
    let bench = try Workbench()
    let bytes = try FileContent(reading: lenet).bytes
    try Array(bytes[..<length]).writeAtomically(to: bench.path("m.onnx").path)
    let outcome = try bench.run("lathe", "check", "m.onnx")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("m.onnx: error: "))
  }
}
