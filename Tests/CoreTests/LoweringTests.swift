import LatheCore
import TestSupport
import Testing

/// Lowered and planned programs against the element-wise meaning of their graphs.
@Suite struct LoweringTests {
  @Test("programs of primitives compute what the primitives mean", arguments: PrimitiveCase.all)
  func values(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes { try check(row.graph(dtype), row.inputs(dtype)) }
  }

  @Test(
    "programs of gradients compute what the gradients mean",
    arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func gradients(_ row: PrimitiveCase) throws {
    try check(row.gradientGraph(.f64, order: 1), row.inputs(.f64))
  }

  @Test("register tiles, layouts and borders compute what primitives mean", arguments: PrimitiveCase.all)
  func tiledValues(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes where dtype == .f32 {
      try check(row.graph(dtype), row.inputs(dtype), .x86V4, .nextToNoCache)
    }
    if row.smoothness >= .once {
      try check(row.gradientGraph(.f64, order: 1), row.inputs(.f64), .x86V2, .nextToNoCache)
    }
  }

  @Test("images and matrices compute what they mean in register tiles", arguments: try ImageGraph.all())
  func images(_ row: ImageGraph) throws {
    try check(row.graph, row.inputs, meaning: row.outputs, .x86V4, .armV8)
  }

  @Test("targets that share their constants compute what they mean", arguments: try ImageGraph.all())
  func sharing(_ row: ImageGraph) throws {
    for target in Target.auto + [.cortexM4F] { try check(row.graph, row.inputs, meaning: row.outputs, target) }
  }

  @Test("scopes, layouts, phases and empty tensors are what they mean", arguments: try LoweringCase.all())
  func cases(_ row: LoweringCase) throws {
    try check(
      row.graph, row.inputs, meaning: row.outputs, .generic, .x86V2, .x86V3, .x86V4, .armV8, .cortexM4F, .nextToNoCache)
  }

  @Test("buffers whose names share a long beginning have names of their own") func longNames() throws {
    let builder = Builder()
    let path = String(repeating: "StatefulPartitionedCall/model/", count: 3)
    let inputs = (0..<12).map { builder.input(path + "\($0)", .f32(2)) }
    let sum = inputs.dropFirst().reduce(inputs[0]) { $0 + $1 }
    let graph = try builder.finish(name: "main", outputs: [("y", sum), ("y_1", sum), ("y\n", sum.exp())])
    let names = try Program(lowering: graph).buffers.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.count <= 60 })
  }

  @Test(
    "what tiles and blocks leave over are parts of their kernels",
    arguments: [
      // 83 rows fill no blocks; 83 columns and 53 rows fill none of 16
      ("dot %x, %w {left_batch: [], right_batch: [], left_contracting: [0], right_contracting: [0]}", 2),
      ("permute %x {axes: [1, 0]}", 3),
    ])
  func parts(_ operation: String, _ count: Int) throws {
    let shape = operation.hasPrefix("dot") ? "f32[83,16]" : "f32[83,53]"
    let text = """
      func parts(%x: f32[53,83], %w: f32[53,16]) -> (%y: \(shape)) {
        %y = \(operation) : \(shape)
        return %y
      }
      """
    let kernels = try Program(lowering: Graph(parsing: text), target: .x86V4).kernels
    #expect(kernels.last?.parts.count == count)
  }

  @Test(
    "rows are summed once, whatever reads them",
    arguments: [
      ("permute %d {axes: [1, 0]}", "f32[9,8]"),
      ("pad %d, %s {low: [0, 1], high: [0, 2], interior: [0, 0]}", "f32[8,12]"),
      ("concatenate %d, %d {axis: 1}", "f32[8,18]"),
      ("reduce_sum %d {axes: [0]}", "f32[9]"),
    ])
  func rowsAreSummedOnce(_ reader: String, _ type: String) throws {
    let text = """
      func rows(%x: f32[8,9], %s: f32[]) -> (%y: \(type)) {
        %e = exp %x : f32[8,9]
        %t = reduce_sum %e {axes: [1]} : f32[8]
        %b = broadcast %t {shape: [8, 9], axes: [0]} : f32[8,9]
        %d = divide %e, %b : f32[8,9]
        %y = \(reader) : \(type)
        return %y
      }
      """
    let graph = try Graph(parsing: text)
    for target in [Target.generic, .x86V4] {
      let program = try Program(lowering: graph, target: target)
      // The sums have a buffer, or the quotients.
      #expect(program.kernels.count > 1, "\(target.name)")
    }
    let x = try NDArray(dtype: .f32, shape: [8, 9], values: (0..<72).map { .float(Double($0 % 7) / 4) })
    try check(graph, ["x": x, "s": NDArray(scalar: .float(0), dtype: .f32)], .generic, .x86V4)
  }

  @Test("whole vectors of a part do not reach into parts that are written later") func growingConcatenations() throws {
    let window = "{stride: [1, 1], low: [1, 1], high: [1, 1], input_dilation: [1, 1], dilation: [1, 1], groups: 1}"
    let graph = try Graph(
      parsing: """
        func parts(%x: f32[1,30,16,16]) -> (%y: f32[1,30,16,16]) {
          %w = constant 0.5 : f32[10,10,3,3]
          %v = constant 0.25 : f32[10,10,3,3]
          %0 = slice %x {start: [0, 0, 0, 0], limit: [1, 10, 16, 16], stride: [1, 1, 1, 1]} : f32[1,10,16,16]
          %1 = slice %x {start: [0, 10, 0, 0], limit: [1, 20, 16, 16], stride: [1, 1, 1, 1]} : f32[1,10,16,16]
          %2 = convolution %0, %w \(window) : f32[1,10,16,16]
          %3 = add %2, %1 : f32[1,10,16,16]
          %4 = convolution %3, %v \(window) : f32[1,10,16,16]
          %6 = slice %x {start: [0, 20, 0, 0], limit: [1, 30, 16, 16], stride: [1, 1, 1, 1]} : f32[1,10,16,16]
          %5 = concatenate %2, %4, %6 {axis: 1} : f32[1,30,16,16]
          return %5
        }
        """)
    for target in [Target.generic, .x86V3, .x86V4] { try Program(lowering: graph, target: target).verify() }
    let x = try NDArray(
      dtype: .f32, shape: [1, 30, 16, 16], values: (0..<7680).map { .float(Double($0 % 11) / 8) })
    try check(graph, ["x": x], .generic, .x86V4)
  }

  @Test func aKernelTouchesTheElementsThatItsIndicesReach() throws {
    func touched(_ text: String) throws -> Int {
      let program = try Program(lowering: Graph(parsing: text))
      return program.kernels.reduce(0) { $0 + program.bytesTouched(by: $1) }
    }
    let product = try touched(
      """
      func product(%a: f32[4,8], %b: f32[8,16]) -> (%y: f32[4,16]) {
        %0 = dot %a, %b {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[4,16]
        return %0
      }
      """)
    #expect(product == 4 * (4 * 8 + 8 * 16 + 4 * 16))
    let slice = try touched(
      """
      func slice(%a: f32[100,8]) -> (%y: f32[2,8]) {
        %0 = slice %a {start: [10,0], limit: [12,8], stride: [1,1]} : f32[2,8]
        %1 = negate %0 : f32[2,8]
        return %1
      }
      """)
    #expect(slice == 4 * (2 * 8 + 2 * 8))
  }

  private func check(
    _ graph: Graph, _ inputs: [String: NDArray], meaning: [String: NDArray]? = nil, _ targets: Target...
  ) throws {
    let expected = try meaning ?? ReferenceEvaluator.run(graph, inputs: inputs).outputs
    for target in targets.isEmpty ? [.generic] : targets {
      var evaluator = ProgramEvaluator(try PlannedProgram(planning: Program(lowering: graph, target: target)))
      let actual = try evaluator.run(inputs)
      for (name, array) in expected {
        let result = try #require(actual[name])
        #expect(result.type == array.type)
        let peak = array.doubles.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
        for (a, b) in zip(result.values, array.values) {
          #expect(
            close(a, b, array.dtype, peak), "\(target.name): \(name): \(result.doubles) for \(array.doubles)")
        }
      }
    }
  }

  /// Equal but for the order in which sums are taken; `peak` is the greatest element of the tensor, at least 1.
  private func close(_ a: ScalarValue, _ b: ScalarValue, _ type: ScalarType, _ peak: Double) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    let precisions: [ScalarType: Double] = [.f64: 1e-12, .f32: 1e-6, .f16: 2e-3, .bf16: 2e-2]
    let precision = precisions[type] ?? 0
    return x == y || x.isNaN && y.isNaN || abs(x - y) <= precision * max(peak, abs(y))
  }
}
