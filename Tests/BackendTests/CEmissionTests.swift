import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Every primitive's C, compiled many to a file, against the element-wise meaning of its graph.
@Suite struct CEmissionTests {
  /// One graph with inputs.
  struct Case {
    var label: String
    var graph: Graph
    var inputs: [String: NDArray]
  }

  static func check(_ cases: [Case], _ flags: [String] = ["-O1"], options: COptions = COptions()) throws {
    var models: [(files: CFiles, program: PlannedProgram, row: Case)] = []
    for (position, row) in cases.enumerated() {
      let program = try PlannedProgram(planning: Program(lowering: row.graph))
      var options = options
      options.name = "c\(position)"
      options.uniformEntry = true
      models.append((emitC(program, options: options), program, row))
    }
    let library = try CLibrary(models.map(\.files), flags: flags)
    for (files, program, row) in models {
      let expected = try ReferenceEvaluator.run(row.graph, inputs: row.inputs).outputs
      let actual = try library.run(files, program, row.inputs)
      for (name, array) in expected {
        let result = try #require(actual[name])
        for (a, b) in zip(result.values, array.values) {
          #expect(close(a, b, array.dtype), "\(row.label) \(name): \(result.doubles) for \(array.doubles)")
        }
      }
    }
  }

  /// Equal but for the order in which sums are taken and for the last bits of `<math.h>`.
  static func close(_ a: ScalarValue, _ b: ScalarValue, _ type: ScalarType) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    let precision: Double = [.f64: 1e-12, .f32: 1e-5, .f16: 2e-3, .bf16: 2e-2][type] ?? 0
    return x == y || x.isNaN && y.isNaN || abs(x - y) <= precision * max(1, abs(y))
  }

  @Test func primitivesComputeWhatTheyMean() throws {
    var cases: [Case] = []
    for row in PrimitiveCase.all {
      for dtype in row.dtypes {
        cases.append(Case(label: "\(row.name) \(dtype)", graph: try row.graph(dtype), inputs: row.inputs(dtype)))
      }
    }
    try Self.check(cases)
  }
}
