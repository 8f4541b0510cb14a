import LatheCore
import TestSupport
import Testing

/// Properties of random graphs; a failure names the seed, which makes the same graph again.
@Suite("Random graphs") struct RandomGraphTests {
  /// Graphs per test case.
  static let batch: UInt64 = 20
  static let starts = Array(stride(from: UInt64(0), to: 200, by: UInt64.Stride(batch)))

  private func each(
    _ start: UInt64, _ make: (UInt64) throws -> RandomGraph = { try RandomGraph(seed: $0) },
    _ faults: (RandomGraph, [String: NDArray]) throws -> [String]
  ) throws {
    for seed in start..<(start + Self.batch) {
      let random = try make(seed)
      do {
        let found = try faults(random, try random.meaning())
        #expect(found.isEmpty, "seed \(seed)\n\(random.graph.text)")
      } catch {
        Issue.record("seed \(seed): \(error)\n\(random.graph.text)")
      }
    }
  }

  @Test("lowered and planned programs compute what the graphs mean", arguments: starts)
  func programs(_ start: UInt64) throws { try each(start) { try $0.programFaults($1) } }

  @Test("so do programs with tiles, layouts and slabs", arguments: starts)
  func tiledPrograms(_ start: UInt64) throws {
    try each(start) { try $0.programFaults($1, .x86V4) + $0.programFaults($1, .nextToNoCache) }
  }

  @Test("gradients are what differences give, and programs compute them", arguments: starts)
  func gradients(_ start: UInt64) throws {
    try each(start, { try RandomGraph(differentiable: $0) }) { random, expected in
      try random.gradientFaults(expected) + random.programFaults(expected)
        + random.programFaults(expected, .nextToNoCache) + random.interpreterFaults(expected)
    }
  }

  @Test("the interpreter computes what the graphs mean", arguments: starts)
  func interpreter(_ start: UInt64) throws { try each(start) { try $0.interpreterFaults($1) } }

  @Test("passes keep what the graphs mean", arguments: starts)
  func passes(_ start: UInt64) throws {
    try each(start) { try $0.passFaults(.inference, $1) + $0.passFaults(.training, $1) }
  }

  @Test("the text form reads back as the same graph", arguments: starts)
  func text(_ start: UInt64) throws { try each(start) { random, _ in try random.textFaults() } }

  @Test("C computes what the graphs mean, and reads and writes nothing outside")
  func c() throws {
    let sanitized = ["-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    for (seeds, flags) in [(0..<30, sanitized), (30..<100, ["-std=c11", "-O1"])] {
      let randoms = try seeds.map { try RandomGraph(seed: UInt64($0)) }
      let outputs = try CBench.outputs(try randoms.map { try $0.emitted() }, flags: flags)
      for (random, actual) in zip(randoms, outputs) {
        // State stays in the model's memory: the other back-end's tests look at it.
        let expected = try random.meaning().filter { !$0.key.hasPrefix("state ") }
        #expect(RandomGraph.differences(actual, expected).isEmpty, "seed \(random.seed)\n\(random.graph.text)")
      }
    }
  }
}
