import LatheC
import LatheCore
import LatheNN
import LatheRun
import TestSupport
import Testing

/// Quotients and remainders of integers: by 0 they are 0, and the least number by -1 is itself, in every back-end.
@Suite("Division of integers")
struct IntegerDivisionTests {
  static let types: [ScalarType] = [.i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64]

  /// The ends of a type's range and small numbers, as patterns of its bits.
  private static func numbers(_ type: ScalarType) -> [Int] {
    let bits = type.byteCount * 8
    guard type.isSigned else { return [0, 1, 2, 7, bits == 64 ? -1 : 1 << bits - 1, bits == 64 ? -2 : 1 << bits - 2] }
    let (least, most) = bits == 64 ? (Int.min, Int.max) : (-(1 << (bits - 1)), 1 << (bits - 1) - 1)
    return [least, least + 1, -7, -2, -1, 0, 1, 2, 7, most]
  }

  /// What each function gives, in the order of the graph's outputs.
  private static func expected(_ a: Int, _ b: Int, _ type: ScalarType) -> [Int] {
    guard b != 0 else { return [0, 0, 0, 0] }
    guard type.isSigned else {
      let (x, y) = (UInt(bitPattern: a), UInt(bitPattern: b))
      let (quotient, rest) = (Int(bitPattern: x / y), Int(bitPattern: x % y))
      return [quotient, rest, quotient, rest]
    }
    let (quotient, rest) = (
      a.dividedReportingOverflow(by: b).partialValue, a.remainderReportingOverflow(dividingBy: b).partialValue
    )
    // The least number wraps to itself.
    let bits = 64 - type.byteCount * 8
    let wrapped = (quotient << bits) >> bits
    let rounds = rest != 0 && (rest < 0) != (b < 0)
    return [wrapped, rest, rounds ? wrapped - 1 : wrapped, rounds ? rest + b : rest]
  }

  private struct Row {
    var type: ScalarType
    var pairs: [(Int, Int)]
    var graph: Graph
    var inputs: [String: NDArray]

    init(_ type: ScalarType) throws {
      self.type = type
      pairs = numbers(type).flatMap { a in numbers(type).map { (a, $0) } }
      let builder = Builder()
      let count = pairs.count
      let (a, b) = (builder.input("a", TensorType(type, [count])), builder.input("b", TensorType(type, [count])))
      graph = try builder.finish(
        name: "f",
        outputs: [
          ("quotient", .pointwise(.divide, a, b)), ("rest", .pointwise(.fmod, a, b)), ("floor", a.floorDivide(b)),
          ("remainder", a % b),
        ])
      inputs = [
        "a": try NDArray(dtype: type, shape: [count], values: pairs.map { .integer($0.0) }),
        "b": try NDArray(dtype: type, shape: [count], values: pairs.map { .integer($0.1) }),
      ]
    }

    func check(_ results: [String: NDArray], _ how: String) throws {
      for (position, name) in ["quotient", "rest", "floor", "remainder"].enumerated() {
        let found = try #require(results[name]).values
        for ((a, b), value) in zip(pairs, found) {
          let wanted = IntegerDivisionTests.expected(a, b, type)[position]
          #expect(value == .integer(wanted), "\(name) of \(a) and \(b) in \(type) by \(how)")
        }
      }
    }
  }

  @Test("the interpreter and the reference", arguments: types)
  func interpreter(type: ScalarType) throws {
    let row = try Row(type)
    try row.check(ReferenceEvaluator.run(row.graph, inputs: row.inputs).outputs, "the reference")
    let planned = try Backends.planned(row.graph, .inference)
    var session = Session(try Executable(planned))
    try row.check(session.run(planned.program, row.inputs), "the interpreter")
  }

  @Test("emitted C, under sanitizers", arguments: CBench.compilers)
  func emitted(compiler: String) throws {
    let rows = try Self.types.map { try Row($0) }
    for target in [Target.generic, try Backends.host()] {
      let models = try rows.enumerated().map { number, row in
        let planned = try Backends.planned(row.graph, .inference, target)
        return CBench.Model(
          files: emitC(planned, options: COptions(name: "f\(number)", uniformEntry: true)), planned: planned,
          inputs: row.inputs)
      }
      let flags = ["-std=c11", "-O2", "-march=native", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
      for (row, results) in zip(rows, try CBench.outputs(models, compiler: compiler, flags: flags)) {
        try row.check(results, "\(compiler) for \(target.name)")
      }
    }
  }

  @Test("a literal divisor of 0 is a mistake of the function that was called, also in a branch")
  func literal() {
    let rows: [(name: String, body: @Sendable (Tensor, Tensor) -> Tensor)] = [
      ("floorDivide", { $0.floorDivide($1) }), ("div", { $0.div($1, roundingMode: .trunc) }),
      ("remainder", { $0.remainder($1) }), ("fmod", { $0.fmod($1) }),
    ]
    for (name, body) in rows {
      for isInner in [false, true] {
        let builder = Builder()
        let x = builder.input("x", TensorType(.i32, [3]))
        if isInner {
          _ = try? builder.capturingRegion([]) { inner, _ in [body(x, inner.tensor(0))] }
        } else {
          _ = body(x, builder.tensor(0))
        }
        #expect(builder.diagnostics.map(\.message) == ["\(name): integers are divided by 0"])
      }
    }
  }
}
