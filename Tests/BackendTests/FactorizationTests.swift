import Foundation
import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// LAPACK in the interpreter and the routines' texts in C, on matrices that are larger than those of `PrimitiveCase`.
@Suite("Factorizations in both back-ends")
struct FactorizationTests {
  /// Something small that factors make of a matrix, beside its size: residuals and departures from orthonormality.
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var shape: [Int]
    var body: @Sendable (Tensor) -> [Tensor]
    var testDescription: String { "\(name) of \(shape)" }
  }

  static let cases: [Case] =
    [[1, 1], [2, 7, 7], [40, 40]].flatMap { shape in
      [
        Case(name: "cholesky", shape: shape) { a in
          let s = product(a, transposed(a)) + identity(a)
          let l = s.cholesky()
          return [product(l, transposed(l)) - s]
        },
        Case(name: "solve", shape: shape) { a in [product(a, a.solved(identity(a))) - identity(a)] },
        Case(name: "eigh", shape: shape) { a in
          let s = a + transposed(a)
          let (w, v) = s.eigh()
          return [product(s, v) - v * rows(w, v), product(transposed(v), v) - identity(a)]
        },
        Case(name: "eig", shape: shape) { a in
          let (w, v) = a.eig()
          let (re, im) = (rows(w.real, a), rows(w.imaginary, a))
          return [
            product(a, v.real) - v.real * re + v.imaginary * im,
            product(a, v.imaginary) - v.real * im - v.imaginary * re,
            (v.real * v.real + v.imaginary * v.imaginary).reduce(.sum, axes: [a.rank - 2]) - 1,
          ]
        },
      ] + rectangular(shape)
    } + [[9, 4], [4, 9], [2, 33, 20], [20, 33]].flatMap { rectangular($0) }

  private static func rectangular(_ shape: [Int]) -> [Case] {
    [
      Case(name: "qr", shape: shape) { a in
        let (q, r) = a.qr()
        return [product(q, r) - a, product(transposed(q), q) - identity(product(transposed(q), q))]
      },
      Case(name: "svd", shape: shape) { a in
        let (u, s, vh) = a.svd()
        return [
          // Functions of numbers and of matrices have names of their own in C.
          a.sign() * a - a.abs(),
          product(u * rows(s, u), vh) - a, product(transposed(u), u) - identity(product(transposed(u), u)),
          product(vh, transposed(vh)) - identity(product(vh, transposed(vh))),
        ]
      },
    ]
  }

  private static func transposed(_ a: Tensor) -> Tensor {
    a.permute(Array(0..<a.rank - 2) + [a.rank - 1, a.rank - 2])
  }

  private static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    let batch = Array(0..<a.rank - 2)
    return a.dot(
      b, DotGeneral(leftBatch: batch, rightBatch: batch, leftContracting: [a.rank - 1], rightContracting: [a.rank - 2]))
  }

  private static func rows(_ w: Tensor, _ a: Tensor) -> Tensor {
    w.broadcast(to: a.shape, axes: Array(0..<a.rank - 2) + [a.rank - 1])
  }

  private static func identity(_ a: Tensor) -> Tensor {
    let index = a.type.with(dtype: .i64)
    return (a.builder.iota(index, axis: a.rank - 2) .== a.builder.iota(index, axis: a.rank - 1)).convert(to: a.dtype)
  }

  private static func matrix(_ shape: [Int], _ dtype: ScalarType) throws -> NDArray {
    var state: UInt64 = 7
    let values = (0..<shape.reduce(1, *)).map { _ -> ScalarValue in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return .float(Double(state >> 40) / Double(1 << 24) * 2 - 1)
    }
    return try NDArray(dtype: dtype, shape: shape, values: values)
  }

  private static func planned(_ row: Case, _ dtype: ScalarType) throws -> PlannedProgram {
    let builder = Builder()
    let a = builder.input("a", TensorType(dtype, row.shape))
    let results = row.body(a)
    let graph = try builder.finish(name: "f", outputs: results.enumerated().map { ("r\($0)", $1) })
    return try PlannedProgram(planning: Program(lowering: graph))
  }

  private static func check(_ row: Case, _ dtype: ScalarType, _ results: [String: NDArray], _ how: String) {
    let limit =
      (dtype == .f64 ? 0x1p-52 : 0x1p-23) * 40 * Double(row.shape[row.shape.count - 1] + row.shape[row.shape.count - 2])
    for (name, array) in results {
      let worst = array.doubles.reduce(0) { $1.isNaN ? .infinity : max($0, abs($1)) }
      // An inverse multiplies by the condition of the matrix.
      if worst > limit * (row.name == "solve" ? 100 : 1) {
        Issue.record("\(row.testDescription) in \(dtype) by \(how): \(name) is off by \(worst)")
      }
    }
  }

  @Test("residuals are as small as the type's precision, with LAPACK", arguments: cases)
  func interpreter(row: Case) throws {
    for dtype in [ScalarType.f32, .f64] {
      let planned = try Self.planned(row, dtype)
      var session = Session(try Executable(planned))
      let results = try session.run([Self.matrix(row.shape, dtype)])
      Self.check(
        row, dtype, Dictionary(uniqueKeysWithValues: zip(planned.program.outputs.map(\.name), results)), "LAPACK")
    }
  }

  @Test("residuals are as small as the type's precision, in C")
  func emitted() throws {
    var (rows, models) = ([(Case, ScalarType)](), [CBench.Model]())
    for row in Self.cases {
      for dtype in [ScalarType.f32, .f64] {
        let planned = try Self.planned(row, dtype)
        let options = COptions(name: "f\(models.count)", uniformEntry: true)
        models.append(
          CBench.Model(
            files: emitC(planned, options: options), planned: planned, inputs: ["a": try Self.matrix(row.shape, dtype)])
        )
        rows.append((row, dtype))
      }
    }
    for ((row, dtype), results) in zip(rows, try CBench.outputs(models)) { Self.check(row, dtype, results, "C") }
  }

  /// Matrices that have none, and what the interpreter says.
  static let failures: [(name: String, numbers: [Double], message: String, body: @Sendable (Tensor) -> Tensor)] = [
    ("cholesky", [1, 2, 2, 1], "not positive-definite (its leading minor of order 2)", { $0.cholesky() }),
    ("cholesky of NaN", [.nan, 0, 0, 1], "not positive-definite", { $0.cholesky() }),
    ("solve", [1, 2, 2, 4], "the matrix is singular", { $0.solved($0) }),
    ("eigh", [.nan, 0, 0, 1], "does not converge", { $0.eigh().values }),
    ("svd", [.infinity, 0, 0, 1], "does not converge", { $0.svd().s }),
    ("eig", [1, .nan, 0, 1], "does not converge", { $0.eig().values.real }),
  ]

  @Test("a matrix without a factorization fails the run, and C returns its status", arguments: failures.indices)
  func fails(_ position: Int) throws {
    let row = Self.failures[position]
    for dtype in [ScalarType.f32, .f64] {
      let builder = Builder()
      let a = builder.input("a", TensorType(dtype, [2, 2, 2]))
      let graph = try builder.finish(name: "failing", outputs: [("y", row.body(a))])
      let planned = try PlannedProgram(planning: Program(lowering: graph))
      // The first matrix is fine, the second is not.
      let input = try NDArray(dtype: dtype, shape: [2, 2, 2], values: ([2, 0, 0, 3] + row.numbers).map { .float($0) })
      var session = Session(try Executable(planned))
      let error = #expect(throws: DiagnosticsError.self) { try session.run([input]) }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains(row.message), "\(text)")
      #expect(throws: DiagnosticsError.self) { try ReferenceEvaluator.run(graph, inputs: ["a": input]) }

      let files = emitC(planned)
      #expect(files.header.contains("FAILING_ERROR_SINGULAR = 8"))
      #expect(files.source.contains("if (failure) return FAILING_ERROR_SINGULAR;"))
      var native = try NativeModel(planned)
      let failure = #expect(throws: DiagnosticsError.self) { try native.run([input]) }
      let message = "\(failure.map { "\($0)" } ?? "")"
      #expect(message.contains("a matrix has no such factorization or inverse"), "\(message)")
    }
  }
}
