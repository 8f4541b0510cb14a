import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Every type as every other: one meaning in both back-ends.
@Suite struct ConversionTests {
  private static let floats: [Double] =
    [
      0, 0.5, 1, 1.5, 2.5, 126.9, 127, 127.5, 128, 255, 255.5, 256, 32767.5, 65519, 65520, 65535.5, 1e5, 1e10, 1e19,
      1e20,
    ]
    + [0x1p31, 0x1p31 - 0.5, 0x1p32, 0x1p32 - 0.5, 0x1p53 + 2, 0x1p63, 0x1p63 - 1024, 0x1p64, 0x1p64 - 2048, 1e300]
    + [0x1p-24, 0x1p-25, 0x1p-149, 0x1p-1074, 1 + 0x1p-8 + 0x1p-30, 1 + 0x1p-11 + 0x1p-40, .infinity, .nan]
  private static let integers: [Int] =
    [0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 24 + 1, 1 << 31, 1 << 31 - 1, 1 << 32 - 1]
    + [1 << 53 + 1, 1 << 53 - 1, 1 << 62 + 1 << 38 + 1, 1 << 62 + 1 << 38, 1 << 54 + 1 << 30 + 1, .max, .max - 1, .min]

  static let sources: [NDArray] = ScalarType.allCases.map { type in
    let values: [ScalarValue] =
      type.isFloat
      ? floats.flatMap { [.float($0), .float(-$0)] } : integers.flatMap { [.integer($0), .integer(0 &- $0)] }
    return NDArray(dtype: type, values: values)
  }

  private func graph(_ source: NDArray) throws -> Graph {
    let builder = Builder()
    let x = builder.input("x", source.type)
    let outputs = ScalarType.allCases.map { ("\($0)", x.convert(to: $0)) }
    return try builder.finish(name: "from_\(source.dtype)", outputs: outputs)
  }

  /// Equal as bits, but for the patterns of NaN.
  private func differences(_ actual: [String: NDArray], _ expected: [String: NDArray], _ source: NDArray) throws
    -> [String]
  {
    try expected.sorted { $0.key < $1.key }.flatMap { name, array -> [String] in
      guard let result = actual[name], result.type == array.type else { return ["\(name) is missing"] }
      return try array.values.indices.compactMap { position in
        let (a, b) = try (result[position], try array[position])
        let bothNaN = array.dtype.isFloat && a.double.isNaN && b.double.isNaN
        return try a == b || bothNaN ? nil : "\(source.dtype) \(source[position]) to \(name) is \(a), not \(b)"
      }
    }
  }

  @Test("integers become the nearest floats", arguments: [ScalarType.i64, .u64])
  func nearest(_ type: ScalarType) throws {
    let source = try #require(Self.sources.first { $0.dtype == type })
    let result = try ReferenceEvaluator.run(graph(source), inputs: ["x": source]).outputs["f32"]?.elements(
      as: Float.self)
    let expected =
      type == .i64
      ? source.elements(as: Int64.self).map { $0.map { Float($0) } }
      : source.elements(as: UInt64.self).map { $0.map { Float($0) } }
    #expect(result == expected)
    #expect(source.converted(to: .f32).elements(as: Float.self) == expected)
  }

  @Test("the interpreter", arguments: sources)
  func interpreter(source: NDArray) throws {
    let graph = try graph(source)
    let expected = try ReferenceEvaluator.run(graph, inputs: ["x": source]).outputs
    let planned = try PlannedProgram(planning: Program(lowering: graph, target: .interpreter))
    var session = Session(try Executable(planned))
    #expect(try differences(try session.run(planned.program, ["x": source]), expected, source) == [])
    var evaluator = ProgramEvaluator(planned)
    #expect(try differences(try evaluator.run(["x": source]), expected, source) == [])
  }

  @Test("C", arguments: CBench.compilers)
  func c(compiler: String) throws {
    for (target, flags) in [(Target.generic, ["-std=c11", "-O2"]), (.x86V3, ["-std=c11", "-O3", "-mavx2", "-mfma"])] {
      let models = try Self.sources.map { source in
        let planned = try PlannedProgram(planning: Program(lowering: graph(source), target: target))
        let options = COptions(name: planned.program.name, uniformEntry: true)
        return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: ["x": source])
      }
      let outputs = try CBench.outputs(models, compiler: compiler, flags: flags)
      for (source, actual) in zip(Self.sources, outputs) {
        let expected = try ReferenceEvaluator.run(graph(source), inputs: ["x": source]).outputs
        #expect(try differences(actual, expected, source) == [])
      }
    }
  }
}
