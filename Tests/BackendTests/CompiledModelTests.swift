import Foundation
import Lathe
import Testing

/// The way of a user's program: trace, compile, run, write.
@Suite struct CompiledModelTests {
  /// The model of the README.
  private struct Perceptron: Module {
    let hidden = Linear(4, 8)
    let output = Linear(8, 3)

    func callAsFunction(_ x: Tensor) -> Tensor { output(relu(hidden(x))) }
  }

  private let input = NDArray([Float(1), 2, 3, 4], shape: [1, 4])

  @Test func runsInBothBackEndsAsItsGraphMeans() throws {
    let graph = try trace(Perceptron(), .f32(1, 4))
    let model = try compile(graph)
    let expected = try #require(ReferenceEvaluator.run(graph, inputs: ["input": input]).outputs["output"])
    var native = try model.native()
    for actual in [try model(input), try native.run([input])[0]] {
      #expect(actual.type == expected.type)
      for (a, b) in zip(actual.doubles, expected.doubles) { #expect(abs(a - b) <= 1e-6) }
    }
    #expect(model.arenaBytes == model.lowerBound)
  }

  @Test func writesSourceAndHeaderTogether() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = try compile(trace(Perceptron(), .f32(1, 4)))
    try model.writeC(to: folder.appending(path: "perceptron.c").path)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["perceptron.c", "perceptron.h"])
    let header = try String(contentsOf: folder.appending(path: "perceptron.h"), encoding: .utf8)
    #expect(header.contains("perceptron_run("))
    #expect(throws: DiagnosticsError.self) { try model.writeC(to: folder.appending(path: "perceptron.txt").path) }
  }

  @Test func symbolsAreBoundByTheOptions() throws {
    let graph = try trace(Perceptron(), .f32("N", 4))
    #expect(throws: DiagnosticsError.self) { try compile(graph) }
    var options = CompileOptions()
    options.dimensions = ["N": 2]
    let result = try compile(graph, options: options)(NDArray(repeating: .float(1), dtype: .f32, shape: [2, 4]))
    #expect(result.shape == [2, 3])
  }

  @Test func severalOutputsAreNotOneResult() throws {
    let model = try compile(trace(.f32(2)) { x in [x + 1, x * 2] })
    let x = NDArray([Float(1), 2])
    #expect(throws: DiagnosticsError.self) { try model(x) }
    #expect(try model.run([x]).map(\.doubles) == [[2, 3], [2, 4]])
  }
}
