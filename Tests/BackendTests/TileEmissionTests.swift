import LatheC
import LatheCore
import TestSupport
import Testing

/// Register tiles in C: unrolled loops, vectors, arrays in registers, against the programs' meaning.
@Suite struct TileEmissionTests {
  static let convolutions: [(name: String, tile: TilePrograms.Convolution)] = [
    ("f32x16", TilePrograms.Convolution(blocks: 2, groups: 2, columns: 2, rows: 3, height: 2, width: 6)),
    ("f64x8", TilePrograms.Convolution(type: .f64, lanes: 8, columns: 3, rows: 2, height: 3, width: 4)),
    ("f32x4", TilePrograms.Convolution(lanes: 4, columns: 2, rows: 5, height: 3, width: 5)),
    ("f32x10", TilePrograms.Convolution(lanes: 10, columns: 2, rows: 2, height: 2, width: 4)),
    ("f32x3", TilePrograms.Convolution(lanes: 3, blocks: 3, columns: 1, rows: 2, height: 2, width: 4)),
    ("f32x1", TilePrograms.Convolution(lanes: 1, blocks: 3, columns: 2, rows: 4, height: 2, width: 4)),
    ("i32x8", TilePrograms.Convolution(type: .i32, lanes: 8, columns: 2, rows: 2, height: 2, width: 4)),
    ("i64x4", TilePrograms.Convolution(type: .i64, lanes: 4, columns: 2, rows: 2, height: 2, width: 4)),
    ("i16x4", TilePrograms.Convolution(type: .i16, lanes: 4, columns: 2, rows: 2, height: 2, width: 4)),
  ]

  /// A program with inputs and what comes of them by the loops' meaning.
  struct Case: Sendable {
    var name: String
    var program: PlannedProgram
    var inputs: [String: NDArray]
    var outputs: [String: NDArray]

    init(_ name: String, _ program: PlannedProgram) throws {
      self.name = name
      self.program = program
      inputs = try TileEmissionTests.inputs(program)
      var evaluator = ProgramEvaluator(program)
      outputs = try evaluator.run(inputs)
    }
  }

  /// Every kind of statement and expression in lanes, in lanes of usual and of odd numbers.
  static func programs() throws -> [Case] { try usual.get() }

  /// The same, by the number of lanes.
  static func programs(lanes: [Int]) throws -> [Case] { try tiles.get() + made(lanes) }

  // Made once, as tests of several compilers and targets use them.
  private static let usual = Result { try tiles.get() + made([16, 10, 6]) }
  private static let tiles = Result { try convolutions.map { try Case("convolution_" + $0.name, $0.tile.program()) } }

  private static func made(_ lanes: [Int]) throws -> [Case] {
    try lanes.flatMap { lanes in
      try TilePrograms.expressions.map { try Case("\($0.name)_\(lanes)", $0.program(lanes: lanes)) } + [
        Case("inPlace_\(lanes)", TilePrograms.inPlace(lanes: lanes)),
        Case("pooling_\(lanes)", TilePrograms.pooling(lanes: lanes)),
        Case("integerPooling_\(lanes)", TilePrograms.pooling(lanes: lanes, type: .i32)),
      ]
    }
  }

  /// Numbers in eighths, with -0 and NaN among them.
  static func inputs(_ program: PlannedProgram) throws -> [String: NDArray] {
    var generator = SeededGenerator(seed: 3)
    var inputs: [String: NDArray] = [:]
    for port in program.program.inputs {
      let type = port.type.dtype
      inputs[port.name] = try NDArray(
        dtype: type, shape: port.type.shape.known ?? [],
        values: (0..<program.program[port.buffer].count).map { _ in
          let number = Int.random(in: -64...64, using: &generator)
          guard type.isFloat else { return .integer(number) }
          return .float(number == 64 ? .nan : number == 0 ? -0.0 : Double(number) / 8)
        })
    }
    return inputs
  }

  static func check(
    _ cases: [Case], compilers: [String] = ["gcc"], flags: [String], target: Target = .generic,
    options: COptions = COptions(), runner: [String] = []
  ) throws {
    let models = cases.map { row in
      var program = row.program
      program.program.target = target
      var options = options
      (options.name, options.uniformEntry) = (row.name, true)
      return CBench.Model(files: emitC(program, options: options), planned: program, inputs: row.inputs)
    }
    for compiler in compilers {
      let outputs = try CBench.outputs(models, compiler: compiler, flags: flags, runner: runner)
      for (row, actual) in zip(cases, outputs) {
        for (name, array) in row.outputs {
          let result = try #require(actual[name])
          for (a, b) in zip(result.values, array.values) where !CEmissionTests.close(a, b, array.dtype) {
            Issue.record("\(row.name) \(name) by \(compiler): \(a) for \(b)")
          }
        }
      }
    }
  }

  @Test("lanes compute what loops mean", arguments: CBench.compilers, [["-O1"], ["-O3", "-march=native"]])
  func lanes(compiler: String, flags: [String]) throws {
    try Self.check(Self.programs(), compilers: [compiler], flags: ["-std=c11"] + flags)
  }

  @Test("mathematical functions have the same bits on vectors and on numbers")
  func mathematics() throws {
    let programs = Pointwise.allCases.filter(\.hasExpansion).flatMap { function in
      [16, 6].map { lanes in
        let expression = TilePrograms.LaneExpression(function.rawValue) { a, _, _, _ in .pointwise(function, [a]) }
        return ("\(function.rawValue)_\(lanes)", expression.program(lanes: lanes))
      }
    }
    // C99 has no vectors; products that are fused with sums may be other ones in both
    let results = try [COptions.Standard.c11, .c99].map { standard in
      let models = try programs.map { name, program in
        var options = COptions(standard: standard)
        options.name = name
        options.uniformEntry = true
        return CBench.Model(
          files: emitC(program, options: options), planned: program, inputs: try Self.inputs(program))
      }
      #expect(models.allSatisfy { $0.files.source.contains("__attribute__") == (standard == .c11) })
      let flags = ["-std=c11", "-O2", "-ffp-contract=off"]
      return try CBench.outputs(models, flags: flags).map { $0.mapValues(\.bytes) }
    }
    for ((name, _), (vectors, numbers)) in zip(programs, zip(results[0], results[1])) {
      #expect(vectors == numbers, "\(name)")
    }
  }

  @Test func sanitizersFindNothing() throws {
    let flags = ["-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    try Self.check(Self.programs(), flags: flags)
  }

  @Test func c99HasLoopsOverArrays() throws {
    let options = COptions(standard: .c99)
    try Self.check(
      Self.programs(), flags: ["-std=c99", "-D_ISOC11_SOURCE", "-O1"], options: options)
    for row in try Self.programs() {
      let text = emitC(row.program, options: options).source
      #expect(!text.contains("__attribute__") && !text.contains("__asm__"))
    }
  }
}
