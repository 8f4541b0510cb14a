import LatheCore
import LatheMemory
import TestSupport
import Testing

/// Kernels that run slab by slab: the same numbers, without the tensors between them as a whole.
@Suite struct SlabTests {
  /// Softmax of a product, times a matrix, by heads: `[1, length, heads * depth]`.
  private static func attention(length: Int, heads: Int, depth: Int) throws -> Graph {
    let (image, scores) = ("1,\(heads),\(length),\(depth)", "1,\(heads),\(length),\(length)")
    let rows = "1,\(heads),\(length)"
    return try Graph(
      parsing: """
        func attention(%q: f32[\(image)], %k: f32[\(image)], %v: f32[\(image)]) -> (%y: f32[1,\(length),\(heads * depth)]) {
          %0 = permute %k {axes: [0,1,3,2]} : f32[1,\(heads),\(depth),\(length)]
          %1 = dot %q, %0 {left_batch: [0,1], right_batch: [0,1], left_contracting: [3], right_contracting: [2]} : f32[\(scores)]
          %2 = reduce_max %1 {axes: [3]} : f32[\(rows)]
          %3 = broadcast %2 {shape: [\(scores)], axes: [0,1,2]} : f32[\(scores)]
          %4 = subtract %1, %3 : f32[\(scores)]
          %5 = exp %4 : f32[\(scores)]
          %6 = reduce_sum %5 {axes: [3]} : f32[\(rows)]
          %7 = broadcast %6 {shape: [\(scores)], axes: [0,1,2]} : f32[\(scores)]
          %8 = divide %5, %7 : f32[\(scores)]
          %9 = dot %8, %v {left_batch: [0,1], right_batch: [0,1], left_contracting: [3], right_contracting: [2]} : f32[\(image)]
          %10 = permute %9 {axes: [0,2,1,3]} : f32[1,\(length),\(heads),\(depth)]
          %11 = reshape %10 {shape: [1,\(length),\(heads * depth)]} : f32[1,\(length),\(heads * depth)]
          return %11
        }
        """)
  }

  /// Machines with so little cache that small tensors are worth cutting.
  static let targets = Target.all.map { target in
    var target = target
    target.level2Bytes = 1 << 10
    return target
  }

  private static func loops(_ steps: [Step]) -> Int {
    steps.reduce(0) { if case .loop(_, let inner) = $1 { $0 + 1 + loops(inner) } else { $0 } }
  }

  /// The program's outputs are the graph's; gives the program.
  @discardableResult
  private func check(
    _ graph: Graph, _ inputs: [String: NDArray], meaning: [String: NDArray]? = nil, _ target: Target
  ) throws -> Program {
    let expected = try meaning ?? ReferenceEvaluator.run(graph, inputs: inputs).outputs
    let program = try Program(lowering: graph, target: target)
    var evaluator = ProgramEvaluator(try PlannedProgram(planning: program, searchSteps: 1000))
    let actual = try evaluator.run(inputs)
    for (name, array) in expected {
      let peak = array.doubles.reduce(1) { max($0, abs($1)) }
      for (a, b) in zip(try #require(actual[name]).doubles, array.doubles) {
        #expect(abs(a - b) <= 2e-6 * peak, "\(target.name): \(a) for \(b)")
      }
    }
    return program
  }

  @Test("attention never holds all scores", arguments: [40, 37], targets)
  func attention(length: Int, target: Target) throws {
    let heads = 3
    let graph = try Self.attention(length: length, heads: heads, depth: 8)
    var generator = SeededGenerator(seed: 5)
    var inputs: [String: NDArray] = [:]
    for name in ["q", "k", "v"] {
      inputs[name] = try NDArray(
        (0..<heads * length * 8).map { _ in Float.random(in: -1...1, using: &generator) }, shape: [1, heads, length, 8])
    }
    let program = try check(graph, inputs, target)
    #expect(Self.loops(program.steps) > 0)
    for buffer in program.buffers where buffer.kind == .temporary {
      #expect(buffer.count < length * length, "\(target.name): \(buffer.name) has \(buffer.shape)")
    }
    var wide = target
    wide.level2Bytes = 1 << 20
    #expect(Self.loops(try Program(lowering: graph, target: wide).steps) == 0)
  }

  @Test("images in slabs compute what they mean", arguments: try ImageGraph.all())
  func images(row: ImageGraph) throws {
    for target in Self.targets { try check(row.graph, row.inputs, meaning: row.outputs, target) }
  }

  @Test func theRowsOfASlabMayBePartsOfBlocks() throws {
    let left = "left_batch: [], right_batch: [], left_contracting: [3], right_contracting: [0]"
    let graph = try Graph(
      parsing: """
        func rows(%x: f32[1,96,32,32], %k: f32[96,1,7,7], %c: f32[96], %a: f32[96,384], %b: f32[384,96])
          -> (%y: f32[1,96,32,32]) {
          %0 = convolution %x, %k {stride: [1,1], low: [3,3], high: [3,3], input_dilation: [1,1], dilation: [1,1], groups: 96} : f32[1,96,32,32]
          %1 = exp %0 : f32[1,96,32,32]
          %2 = permute %1 {axes: [0,2,3,1]} : f32[1,32,32,96]
          %3 = broadcast %c {shape: [1,32,32,96], axes: [3]} : f32[1,32,32,96]
          %4 = add %2, %3 : f32[1,32,32,96]
          %5 = dot %4, %a {\(left)} : f32[1,32,32,384]
          %6 = dot %5, %b {\(left)} : f32[1,32,32,96]
          %7 = permute %6 {axes: [0,3,1,2]} : f32[1,96,32,32]
          return %7
        }
        """)
    // The products' left factor is in blocks of 16 rows; a slab is 4, and its loop is outside of the kernel.
    let program = try Program(lowering: graph, target: .x86V4)
    #expect(Self.loops(program.steps) > 0)
    try program.verify()
  }

  @Test func aDepthwiseConvolutionGoesAlongWithThePointwiseOneAfterIt() throws {
    let row = try #require(ImageGraph.all().first { $0.name == "a depthwise convolution before a pointwise one" })
    for target in Self.targets where target.isTiled {
      let program = try Program(lowering: row.graph, target: target)
      #expect(Self.loops(program.steps) > 0, "\(target.name)")
    }
  }
}
