import Foundation
import Lathe
import Synchronization
import Testing

/// The way of a user's program: trace, compile, run, write.
@Suite struct CompiledModelTests {
  /// The model of the README.
  private struct Perceptron: Module {
    let hidden = Linear(4, 8)
    let output = Linear(8, 3)

    func callAsFunction(_ x: Tensor) -> Tensor { output(relu(hidden(x))) }
  }

  private let input = unfailing { try NDArray([Float(1), 2, 3, 4], shape: [1, 4]) }

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

  /// Counts how often models are lowered that are compiled with its options.
  private final class Lowerings: Sendable {
    private let number = Mutex(0)

    var count: Int { number.withLock { $0 } }

    var options: CompileOptions {
      var options = CompileOptions()
      options.progress = { message in
        if message.hasPrefix("lowering") { self.number.withLock { $0 += 1 } }
      }
      return options
    }
  }

  @Test func theFirstRunLowersForAllThatFollow() throws {
    let lowerings = Lowerings()
    let model = try compile(trace(Perceptron(), .f32(1, 4)), options: lowerings.options)
    // For C: the interpreter's loops are made when they are needed.
    #expect(lowerings.count == 1)
    let first = try model(input)
    #expect(lowerings.count == 2)
    let copy = model
    #expect(try copy(input) == first)
    var session = try model.session(threads: 2)
    #expect(try session.run([input]) == [first])
    #expect(lowerings.count == 2)
  }

  @Test func runsOnSeveralThreadsLowerOnce() async throws {
    let lowerings = Lowerings()
    let model = try compile(trace(Perceptron(), .f32(1, 4)), options: lowerings.options)
    let results = try await withThrowingTaskGroup(of: NDArray.self) { group in
      for _ in 0..<8 { group.addTask { [input] in try model(input) } }
      return try await group.reduce(into: [NDArray]()) { $0.append($1) }
    }
    #expect(results == [NDArray](repeating: results[0], count: 8))
    #expect(lowerings.count == 2)
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
    let result = try compile(graph, options: options)(try NDArray(repeating: .float(1), dtype: .f32, shape: [2, 4]))
    #expect(result.shape == [2, 3])
  }

  @Test(
    "targets that cannot be variants of one file are refused",
    arguments: [
      ([Target.cortexM4F, .generic], "cannot tell whether it runs on the target 'cortex-m4f'"),
      ([.x86V3, .x86V3, .generic], "'x86-64-v3' is given twice"),
    ])
  func targets(_ targets: [Target], message: String) throws {
    let graph = try trace(Perceptron(), .f32(1, 4))
    var options = CompileOptions()
    options.targets = targets
    let error = #expect(throws: DiagnosticsError.self) { try compile(graph, options: options) }
    #expect(try #require(error).description.contains(message))
  }

  @Test func severalOutputsAreNotOneResult() throws {
    let model = try compile(trace(.f32(2)) { x in [x + 1, x * 2] })
    let x = NDArray([Float(1), 2])
    #expect(throws: DiagnosticsError.self) { try model(x) }
    #expect(try model.run([x]).map(\.doubles) == [[2, 3], [2, 4]])
  }
}
