import LatheCore
import LatheRun
import TestSupport
import Testing

@Suite("Interpreter, contractions")
struct InterpreterContractionTests {
  /// A convolution that one of the forms of tiles is for.
  struct Row: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var x: [Int]
    var weight: [Int]
    var payload: Convolution

    init(
      _ name: String, _ x: [Int], _ weight: [Int], stride: Int = 1, pad: Int = 0, inputDilation: Int = 1,
      dilation: Int = 1, groups: Int = 1
    ) {
      testDescription = name
      self.x = x
      self.weight = weight
      let axes = x.count - 2
      func all(_ number: Int) -> [Int] { [Int](repeating: number, count: axes) }
      payload = Convolution(
        stride: all(stride), low: all(pad), high: all(pad), inputDilation: all(inputDilation), dilation: all(dilation),
        groups: groups)
    }
  }

  static let rows = [
    Row("1x1, a plain product", [2, 16, 9, 7], [24, 16, 1, 1]),
    Row("1x1, strided", [1, 16, 9, 9], [8, 16, 1, 1], stride: 2),
    Row("3x3, padded", [2, 8, 11, 13], [12, 8, 3, 3], pad: 1),
    Row("3x3, padded and strided, even size", [1, 8, 12, 12], [8, 8, 3, 3], stride: 2, pad: 1),
    Row("several blocks of columns", [1, 24, 61, 61], [4, 24, 3, 3], pad: 1),
    Row("several blocks of one axis", [1, 64, 3001], [4, 64, 9], pad: 4),
    Row("negative padding", [1, 8, 12, 12], [8, 8, 3, 3], pad: -1),
    Row("dilated kernel", [1, 6, 15, 15], [6, 6, 3, 3], pad: 2, dilation: 2),
    Row("dilated input, as in transposed convolution", [1, 8, 7, 7], [8, 8, 4, 4], pad: 2, inputDilation: 2),
    Row("groups", [2, 12, 9, 9], [8, 6, 3, 3], pad: 1, groups: 2),
    Row("depthwise", [2, 10, 9, 9], [10, 1, 3, 3], pad: 1, groups: 10),
    Row("depthwise, strided", [1, 10, 10, 9], [10, 1, 5, 5], stride: 2, pad: 2, groups: 10),
    Row("volumes", [1, 4, 5, 6, 7], [6, 4, 3, 3, 3], pad: 1),
  ]

  @Test(
    "in register tiles agree with the loops, with the same bits on any number of threads", arguments: rows,
    [ScalarType.f32, .f64, .f16, .bf16])
  func tiles(_ row: Row, _ dtype: ScalarType) throws {
    let builder = Builder()
    let x = builder.input("x", TensorType(dtype, row.x))
    let weight = try builder.constant(Self.noise(dtype, row.weight))
    let y = x.convolution(weight, row.payload)
    let graph = try builder.finish(name: "main", outputs: [("y", .pointwise(.maximum, [y, y.zerosLike()]) - y * 0.5)])
    let inputs = try [Self.noise(dtype, row.x)]
    let slow = try Self.run(Program(lowering: graph, target: .generic), inputs)
    let tolerance = Self.tolerance(dtype)
    for target in [Target.interpreter, .x86V2, .x86V3, .x86V4] {
      let program = try Program(lowering: graph, target: target)
      let fast = try Self.run(program, inputs)
      let largest = zip(fast.doubles, slow.doubles).map { abs($0 - $1) }.max() ?? 0
      #expect(largest <= tolerance * (slow.doubles.map(abs).max() ?? 1), "\(target.name)")
      for threads in 2...3 { #expect(try Self.run(program, inputs, threads: threads) == fast, "\(target.name)") }
    }
  }

  /// One sum for every channel, whose images lie in blocks of channels behind the convolution, which copies them.
  @Test("long sums of few results are partial sums, off by few roundings")
  func longSums() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(1, 16, 80, 80))
    let identity = try NDArray((0..<256).map { Float($0 % 17 == 0 ? 1 : 0) }, shape: [16, 16, 1, 1])
    let row = Row("", [1, 16, 80, 80], [16, 16, 1, 1])
    let sums = x.convolution(builder.constant(identity), row.payload).reduce(.sum, axes: [2, 3])
    let graph = try builder.finish(name: "main", outputs: [("sums", sums)])
    var generator = SeededGenerator(seed: 1)
    let numbers = (0..<16 * 6400).map { _ in Float.random(in: 0..<1, using: &generator) }
    let exact = (0..<16).map { numbers[$0 * 6400..<($0 + 1) * 6400].reduce(0) { $0 + Double($1) } }
    for target in [Target.interpreter, .x86V2, .x86V3, .x86V4] {
      let program = try Program(lowering: graph, target: target)
      let found = try Self.run(program, [NDArray(numbers, shape: row.x)]).doubles
      let largest = zip(found, exact).map { abs($0 / $1 - 1) }.max() ?? 1
      #expect(largest <= 6e-7, "\(target.name)")
    }
  }

  /// Of the largest result: what other orders of sums leave; of 16-bit types, the last place of a number.
  private static func tolerance(_ dtype: ScalarType) -> Double {
    switch dtype {
    case .f64: 1e-13
    case .f16: 0x1p-10
    case .bf16: 0x1p-7
    default: 2e-5
    }
  }

  private static func run(_ program: Program, _ inputs: [NDArray], threads: Int = 1) throws -> NDArray {
    var session = Session(try Executable(PlannedProgram(planning: program)), threads: threads)
    return try session.run(inputs)[0]
  }

  private static func noise(_ dtype: ScalarType, _ shape: [Int]) throws -> NDArray {
    var generator = SeededGenerator(seed: UInt64(shape.reduce(1, *)))
    let values = (0..<shape.reduce(1, *)).map { _ in ScalarValue.float(Double.random(in: -1...1, using: &generator)) }
    return try NDArray(dtype: dtype, shape: shape, values: values)
  }
}

@Suite("Interpreter, state")
struct InterpreterStateTests {
  @Test("variables are updated by runs, read, written, saved and restored")
  func counter() throws {
    let builder = Builder()
    let count = builder.variable(Variable(name: "count", role: .buffer, initial: NDArray([10, 20] as [Float])))
    let step = builder.input("step", .f32(2))
    builder.update("count", to: count + step)
    let graph = try builder.finish(name: "counter", outputs: [("before", count * 2)])
    var session = Session(try Executable(PlannedProgram(planning: Program(lowering: graph))))
    let one = NDArray([1, 2] as [Float])
    #expect(try session.run([one]) == [NDArray([20, 40] as [Float])])
    #expect(try session.run([one]) == [NDArray([22, 44] as [Float])])
    #expect(try session.variable(named: "count") == NDArray([12, 24] as [Float]))
    let saved = session.savedState()
    try session.setVariable(named: "count", to: NDArray([0, 0] as [Float]))
    #expect(try session.run([one]) == [NDArray([0, 0] as [Float])])
    try session.restoreState(saved)
    #expect(try session.variable(named: "count") == NDArray([12, 24] as [Float]))
    session.reset()
    #expect(try session.variable(named: "count") == NDArray([10, 20] as [Float]))
  }

  @Test("variables of another name or type are refused, and nothing is written")
  func wrongState() throws {
    let builder = Builder()
    let weight = builder.variable(Variable(name: "weight", role: .parameter, initial: NDArray([1, 2] as [Float])))
    let graph = try builder.finish(name: "main", outputs: [("y", weight * 2)])
    var session = Session(try Executable(PlannedProgram(planning: Program(lowering: graph))))
    var messages: [String] = []
    do throws(DiagnosticsError) {
      try session.restoreState(["weight": NDArray([1] as [Float]), "bias": NDArray([1] as [Float])])
    } catch {
      messages = error.diagnostics.map(\.message)
    }
    #expect(messages == ["there is no variable bias", "variable weight is f32[2], given f32[1]"])
    #expect(throws: DiagnosticsError.self) { try session.variable(named: "bias") }
    #expect(try session.variable(named: "weight") == NDArray([1, 2] as [Float]))
  }
}
