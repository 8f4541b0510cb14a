import LatheCore
import TestSupport
import Testing

/// Fusion, layouts and schedules leave a program little more to do than its graph says.
@Suite struct WorkTests {
  private static let targets = [Target.generic, .x86V4, .armV8, .cortexM4F]

  /// How many times more elements programs may read: elements of a result that share an operand read it once each, and
  /// what costs nothing is computed anew.
  private static let factor = 4

  private func check(_ graph: Graph, _ label: String) throws {
    for target in Self.targets {
      let wasteful = try Program(lowering: graph, target: target).wastefulKernels(of: graph, factor: Self.factor)
      #expect(wasteful == [], "\(label) for \(target.name)")
    }
  }

  @Test("images and matrices", arguments: try ImageGraph.all() + ImageGraph.smallWindows())
  func images(_ row: ImageGraph) throws { try check(row.graph, row.name) }

  @Test("what lowering once got wrong", arguments: try LoweringCase.all())
  func cases(_ row: LoweringCase) throws { try check(row.graph, row.name) }

  @Test("primitives and their gradients", arguments: PrimitiveCase.all)
  func primitives(_ row: PrimitiveCase) throws {
    try check(row.graph(row.dtypes[0]), "\(row)")
    if row.smoothness >= .once { try check(row.gradientGraph(.f64, order: 1), "gradient of \(row)") }
  }

  @Test("random graphs", arguments: Array(stride(from: UInt64(0), to: 200, by: 20)))
  func random(_ start: UInt64) throws {
    for seed in start..<(start + 20) { try check(RandomGraph(seed: seed).graph, "seed \(seed)") }
  }
}
