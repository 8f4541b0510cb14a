import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// Indices from data that are out of range: every back-end fails, and says so.
@Suite struct IndexCheckTests {
  /// An operation with indices into an axis of 5 elements.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var inputs: [String: NDArray]
    /// How many indices there are, and their type.
    var count: Int
    var type: ScalarType
    /// Of the operation that checks.
    var operation = "gather"
    var testDescription: String { name }

    func graph() throws -> Graph { try Graph(parsing: text) }

    /// Inputs with one index in a place among others that fit.
    func inputs(with index: Int, at place: Int) throws -> [String: NDArray] {
      var inputs = inputs
      let values = (0..<count).map { ScalarValue.integer($0 == place ? index : $0 % 5) }
      inputs["i"] = try NDArray(dtype: type, shape: [count, 1], values: values)
      return inputs
    }
  }

  private static func numbers(_ shape: Int...) -> NDArray {
    unfailing { try NDArray((0..<shape.reduce(1, *)).map { Float($0) / 4 }, shape: shape) }
  }

  static let cases: [Case] = [
    Case(
      name: "rows",
      text: """
        func rows(%x: f32[5,40], %i: i64[33,1]) -> (%y: f32[33,40]) {
          %0 = gather %x, %i {batch: 0, axes: [0]} : f32[33,40]
          %1 = negate %0 : f32[33,40]
          return %1
        }
        """, inputs: ["x": numbers(5, 40)], count: 33, type: .i64),
    Case(
      name: "elements by 32 bits",
      text: """
        func elements(%x: f32[5], %i: i32[37,1]) -> (%y: f32[37]) {
          %0 = gather %x, %i {batch: 0, axes: [0]} : f32[37]
          return %0
        }
        """, inputs: ["x": numbers(5)], count: 37, type: .i32),
    Case(
      name: "a sum of elements",
      text: """
        func total(%x: f32[5], %i: i64[64,1]) -> (%y: f32[]) {
          %0 = gather %x, %i {batch: 0, axes: [0]} : f32[64]
          %1 = reduce_sum %0 {axes: [0]} : f32[]
          return %1
        }
        """, inputs: ["x": numbers(5)], count: 64, type: .i64),
    Case(
      name: "rows of a product",
      text: """
        func product(%x: f32[5,16], %i: i64[24,1], %w: f32[16,32]) -> (%y: f32[24,32]) {
          %0 = gather %x, %i {batch: 0, axes: [0]} : f32[24,16]
          %1 = dot %0, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[24,32]
          return %1
        }
        """, inputs: ["x": numbers(5, 16), "w": numbers(16, 32)], count: 24, type: .i64),
    Case(
      name: "what is added to a product",
      text: """
        func bias(%x: f32[5], %i: i64[32,1], %a: f32[8,16], %w: f32[16,32]) -> (%y: f32[8,32]) {
          %0 = gather %x, %i {batch: 0, axes: [0]} : f32[32]
          %1 = dot %a, %w {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[8,32]
          %2 = broadcast %0 {shape: [8,32], axes: [1]} : f32[8,32]
          %3 = add %1, %2 : f32[8,32]
          return %3
        }
        """, inputs: ["x": numbers(5), "a": numbers(8, 16), "w": numbers(16, 32)], count: 32, type: .i64),
    Case(
      name: "numbers of a list",
      text: """
        func classes(%i: i64[9,1]) -> (%y: bool[9,5]) {
          %0 = iota {dtype: i64, shape: [5], axis: 0} : i64[5]
          %1 = gather %0, %i {batch: 0, axes: [0]} : i64[9]
          %2 = broadcast %1 {shape: [9,5], axes: [0]} : i64[9,5]
          %3 = iota {dtype: i64, shape: [9,5], axis: 1} : i64[9,5]
          %4 = equal %2, %3 : bool[9,5]
          return %4
        }
        """, inputs: [:], count: 9, type: .i64),
    Case(
      name: "scatter",
      text: """
        func put(%x: f32[5,8], %i: i64[7,1], %u: f32[7,8]) -> (%y: f32[5,8]) {
          %0 = scatter %x, %i, %u {batch: 0, axes: [0]} : f32[5,8]
          return %0
        }
        """, inputs: ["x": numbers(5, 8), "u": numbers(7, 8)], count: 7, type: .i64, operation: "scatter"),
    Case(
      name: "scatter of sums",
      text: """
        func join(%x: f32[5,8], %i: i32[7,1], %u: f32[7,8]) -> (%y: f32[5,8]) {
          %0 = scatter_sum %x, %i, %u {batch: 0, axes: [0]} : f32[5,8]
          return %0
        }
        """, inputs: ["x": numbers(5, 8), "u": numbers(7, 8)], count: 7, type: .i32, operation: "scatter_sum"),
  ]

  private static func wrong(_ type: ScalarType) -> [Int] {
    type == .i64 ? [5, -1, .max, .min] : [5, -1, Int(Int32.max), Int(Int32.min)]
  }

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  @Test("the definition and loops of every kind find it", arguments: cases)
  func loops(row: Case) throws {
    let graph = try row.graph()
    let good = try row.inputs(with: 4, at: 0)
    let expected = try ReferenceEvaluator.run(graph, inputs: good).outputs["y"]
    for target in [Target.generic, .x86V4, .x86V3, .cortexM4F, .interpreter] {
      let planned = try PlannedProgram(planning: Program(lowering: graph, target: target))
      var evaluator = ProgramEvaluator(planned)
      let actual = try evaluator.run(good)["y"]
      for (a, b) in zip(try #require(actual).values, try #require(expected).values) {
        #expect(abs(a.double - b.double) <= 1e-4 * max(1, abs(b.double)))
      }
      for index in Self.wrong(row.type) {
        for place in [0, row.count - 1] {
          let bad = try row.inputs(with: index, at: place)
          let text = message { _ = try ReferenceEvaluator.run(graph, inputs: bad) }
          #expect(text.contains("\(row.operation): index \(index) is out of range for an axis of size 5"))
          var evaluator = ProgramEvaluator(planned)
          #expect(throws: ProgramEvaluator.IndexOutOfRange.self) { try evaluator.run(bad) }
        }
      }
    }
  }

  @Test("the interpreter names the index and the place", arguments: cases, [1, 2])
  func interpreter(row: Case, threads: Int) throws {
    let program = try Program(lowering: row.graph(), target: .interpreter)
    var session = Session(try Executable(PlannedProgram(planning: program)), threads: threads)
    func run(_ inputs: [String: NDArray]) throws {
      _ = try session.run(program.inputs.map { try #require(inputs[$0.name]) })
    }
    try run(row.inputs(with: 4, at: 0))
    for index in Self.wrong(row.type) {
      for place in [0, row.count - 1] {
        let text = message { try run(row.inputs(with: index, at: place)) }
        #expect(text.contains("index \(index) is out of range for an axis of size 5"), "\(text)")
      }
    }
    try run(row.inputs(with: 4, at: 0))
  }

  @Test("C returns a status, whatever the target and the threads", arguments: CBench.compilers)
  func statuses(compiler: String) throws {
    for form in COptions.Threads.allCases where form != .openmp || compiler == "gcc" {
      for (target, standard) in [(Target.generic, COptions.Standard.c99), (.x86V3, .c11)] {
        let models = try Self.cases.flatMap { row in
          try [4, 5, -1].map { index -> (CBench.Model, Int) in
            let planned = try PlannedProgram(planning: Program(lowering: row.graph(), target: target))
            let name = "\(planned.program.name)\(index + 1)"
            let options = COptions(name: name, standard: standard, threads: form, uniformEntry: true)
            let inputs = try row.inputs(with: index, at: row.count - 1)
            return (CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: inputs), index)
          }
        }
        let flags = ["-std=c11", "-O1", "-mavx2", "-mfma", "-fsanitize=address,undefined"]
        let statuses = try CBench.statuses(
          models.map(\.0), compiler: compiler, flags: flags, threads: CBench.Threads(form, count: 3))
        // The libraries that Lathe loads itself tell which kernel failed, too.
        #expect(statuses.map { $0 % 256 } == models.map { $0.1 == 4 ? 0 : 6 })
      }
    }
  }

  @Test("native code fails, and runs again", arguments: [1, 2])
  func native(threads: Int) throws {
    let cache = Backends.cacheFolder()
    defer { try? FileManager.default.removeItem(at: cache) }
    for row in Self.cases {
      let planned = try PlannedProgram(planning: Program(lowering: row.graph(), target: Backends.host()))
      var model = try NativeModel(planned, cache: CompilationCache(folder: cache), threads: threads)
      let good = try model.run(planned.program, row.inputs(with: 4, at: 0))
      #expect(
        message { _ = try model.run(planned.program, row.inputs(with: 5, at: 1)) }.contains("an index is out of range"))
      #expect(try model.run(planned.program, row.inputs(with: 4, at: 0)) == good)
    }
  }

  @Test func withoutChecksNothingIsTested() throws {
    for row in Self.cases {
      let program = try Program(lowering: row.graph(), checksIndices: false)
      #expect(program.kernels.allSatisfy { !$0.checksIndices })
      #expect(!emitC(try PlannedProgram(planning: program)).source.contains("checked_index"))
    }
  }

  @Test func kernelsThatAddressNothingByDataTakeNoFlag() throws {
    let text = """
      func plain(%x: f32[5,40]) -> (%y: f32[5,40]) {
        %0 = negate %x : f32[5,40]
        return %0
      }
      """
    let planned = try PlannedProgram(planning: Program(lowering: Graph(parsing: text)))
    #expect(!emitC(planned).source.contains("failure"))
  }
}
