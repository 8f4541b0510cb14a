import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// The text of a few models, as a person reads it.
///
/// `LATHE_BLESS=1 tools/test --filter CGoldenTests` writes it anew.
@Suite struct CGoldenTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Goldens")

  private static func convolution(_ builder: Builder) throws -> [(String, Tensor)] {
    let x = builder.input("image", .f32(1, 3, 9, 9))
    let weight = try builder.module("conv1") {
      builder.constant(
        try NDArray(dtype: .f32, shape: [4, 3, 3, 3], values: (0..<108).map { .float(Double($0 % 7) / 8) }))
    }
    let bias = builder.constant(try NDArray([0.5, -0.25, 0, 1] as [Float], shape: [1, 4, 1, 1]))
    let payload = Convolution(
      stride: [2, 2], low: [1, 1], high: [1, 1], inputDilation: [1, 1], dilation: [1, 1], groups: 1)
    let y = builder.module("conv1") { x.convolution(weight, payload) }
    return [("features", (y + bias).maximum(builder.scalar(.float(0), .f32)))]
  }

  private static func softmax(_ builder: Builder) -> [(String, Tensor)] {
    let x = builder.input("scores", .f32(8, 40))
    let shifted = (x - x.reduce(.max, axes: [1]).reshape([8, 1])).exp()
    return [("probabilities", shifted / shifted.reduce(.sum, axes: [1]).reshape([8, 1]))]
  }

  private static func linear(_ builder: Builder) -> [(String, Tensor)] {
    let x = builder.input("x", .f32(4, 32))
    let weight = builder.input("weight", .f32(10, 32))
    let bias = builder.input("bias", .f32(10))
    return [("y", (x.dot(weight, DotGeneral(leftContracting: [1], rightContracting: [1])) + bias).sigmoid())]
  }

  private static func embedding(_ builder: Builder) -> [(String, Tensor)] {
    let table = builder.input("table", .bf16(100, 16))
    let tokens = builder.input("tokens", .i64(6, 1))
    return [("vectors", table.gather(tokens, IndexedAxes(axes: [0])))]
  }

  private static func counter(_ builder: Builder) -> [(String, Tensor)] {
    let x = builder.input("x", .f32(4))
    let count = builder.variable(
      Variable(name: "count", role: .buffer, initial: NDArray(scalar: .integer(0), dtype: .i64)))
    let mean = builder.variable(
      Variable(name: "running.mean", role: .buffer, initial: NDArray([1, 2, 3, 4] as [Float])))
    builder.update("count", to: count + 1)
    builder.update("running.mean", to: mean * 0.9 + x * 0.1)
    return [("centred", x - mean)]
  }

  private static let models: [(name: String, body: @Sendable (Builder) throws -> [(String, Tensor)])] = [
    ("convolution", convolution), ("softmax", softmax), ("linear", linear), ("embedding", embedding),
    ("counter", counter),
  ]

  static func emit(_ name: String, _ options: COptions = COptions()) throws -> (CFiles, PlannedProgram) {
    let model = try #require(models.first { $0.name == name })
    let builder = Builder()
    let outputs = try model.body(builder)
    let planned = try PlannedProgram(planning: Program(lowering: builder.finish(name: name, outputs: outputs)))
    return (emitC(planned, options: options), planned)
  }

  @Test("the text of a model is the one that was read and approved", arguments: models.map(\.name))
  func text(name: String) throws {
    let (files, _) = try Self.emit(name)
    for (file, text) in [("\(name).c", files.source), ("\(name).h", files.header)] {
      let path = Self.folder.appendingPathComponent(file)
      if ProcessInfo.processInfo.environment["LATHE_BLESS"] == "1" { try Data(text.utf8).write(to: path) }
      let golden = try String(contentsOf: path, encoding: .utf8)
      #expect(text == golden, "\(file) differs; LATHE_BLESS=1 writes it anew")
    }
  }
}
