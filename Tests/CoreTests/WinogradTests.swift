import LatheCore
import LatheMemory
import TestSupport
import Testing

@Suite struct WinogradTests {
  private func products(_ program: Program) -> [Kernel] {
    program.kernels.filter { $0.name.contains("winograd_products") }
  }

  @Test("every target computes the sum that defines a convolution", arguments: try ImageGraph.smallWindows())
  func values(row: ImageGraph) throws {
    let expected = try #require(row.outputs["y"]).doubles
    let peak = expected.reduce(0) { max($0, abs($1)) }
    for target in Target.all + Target.auto where target.lanes(.f32) > 1 {
      let program = try Program(lowering: row.graph, target: target, convolutions: .winograd)
      let count = products(program).count
      #expect(count > 0, "\(target.name)")
      var evaluator = ProgramEvaluator(try PlannedProgram(planning: program, searchSteps: 1000))
      let actual = try #require(evaluator.run(row.inputs)["y"]).doubles
      for (a, b) in zip(actual, expected) {
        #expect(abs(a - b) <= 2e-6 * Double(count) * peak, "\(target.name): \(a) for \(b), of at most \(peak)")
      }
    }
  }

  @Test func theMethodDecides() throws {
    let rows = try ImageGraph.smallWindows()
    for row in rows {
      #expect(try products(Program(lowering: row.graph, target: .x86V4, convolutions: .direct)).isEmpty)
      #expect(try products(Program(lowering: row.graph, target: .generic, convolutions: .winograd)).isEmpty)
    }
    // A square of four by four results takes 36 products for each pair of channels, one of two by two takes 16.
    func macs(_ name: String) throws -> [Int] {
      let row = try #require(rows.first { $0.name == name })
      return products(try Program(lowering: row.graph, target: .x86V4, convolutions: .winograd)).map(\.macs)
    }
    #expect(try macs("whole squares") == [4 * 36 * 16 * 16])
    #expect(try macs("squares that reach over the edge") == [6 * 36 * 16 * 48])
    #expect(try macs("one small square") == [16 * 32 * 16])
  }
}
