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

  /// Two convolutions with the same number of multiply-adds, of 16 and of 32 channels.
  private func twoSizes() throws -> (graph: Graph, weightBytes: Int) {
    let builder = Builder()
    func weight(_ outputs: Int, _ inputs: Int, _ size: Int) throws -> Tensor {
      let count = outputs * inputs * size * size
      return builder.constant(try NDArray((0..<count).map { Float($0 % 5) }, shape: [outputs, inputs, size, size]))
    }
    func window(_ stride: Int, _ padding: Int) -> Convolution {
      Convolution(
        stride: [stride, stride], low: [padding, padding], high: [padding, padding], inputDilation: [1, 1],
        dilation: [1, 1], groups: 1)
    }
    let x = try builder.input("x", .f32(1, 2, 16, 16)).convolution(weight(16, 2, 1), window(1, 0))
    let large = try x.convolution(weight(16, 16, 3), window(1, 1)).convolution(weight(32, 16, 1), window(2, 0))
    let small = try large.convolution(weight(32, 32, 3), window(1, 1)).convolution(weight(4, 32, 1), window(1, 0))
    let graph = try builder.finish(name: "sizes", outputs: [("y", small)])
    return (graph, 4 * (16 * 2 + 16 * 16 * 9 + 32 * 16 + 32 * 32 * 9 + 4 * 32))
  }

  @Test(
    "weights grow as far as they may, where that saves most",
    arguments: [
      (0, []), (0.2, [64 * 16 * 16 * 16]), (0.6, [16 * 36 * 16 * 16]),
      (1.2, [16 * 36 * 16 * 16, 16 * 16 * 32 * 32]), (10, [16 * 36 * 16 * 16, 4 * 36 * 32 * 32]),
    ] as [(Double, [Int])])
  func growth(limit: Double, macs: [Int]) throws {
    let (graph, weightBytes) = try twoSizes()
    let method = ConvolutionMethod(.winograd, weightGrowth: limit)
    let program = try Program(lowering: graph, target: .x86V4, convolutions: method)
    let constants = program.buffers.reduce(0) { sum, buffer in
      if case .constant = buffer.kind { sum + buffer.byteCount } else { sum }
    }
    #expect(products(program).map(\.macs) == macs)
    #expect(Double(constants) <= (1 + limit) * Double(weightBytes))
  }

  @Test("of themselves, weights grow by a quarter at most, or, where all are asked for, without limit")
  func usualGrowth() throws {
    #expect(ConvolutionMethod.auto.weightGrowth == 0.25 && ConvolutionMethod.winograd.weightGrowth == .infinity)
    #expect(ConvolutionMethod(.auto, weightGrowth: 2).weightGrowth == 2)
  }
}
