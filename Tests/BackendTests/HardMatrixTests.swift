import Foundation
import LatheC
import LatheCore
import LatheNN
import LatheRun
import TestSupport
import Testing

/// LAPACK in the interpreter, and emitted C under the sanitizers.
///
/// Hard matrices are singular, ill-conditioned, have equal or defective eigenvalues, are graded, near the ends of the
/// type's range, or not finite.
@Suite("Factorizations of hard matrices")
struct HardMatrixTests {
  static let shapes = [
    [0, 0], [0, 3], [3, 0], [1, 1], [1, 3], [3, 1], [2, 2], [3, 3], [17, 17], [2, 17], [17, 2], [24, 24], [64, 10],
  ]

  static let types: [ScalarType] = [.f32, .f64]

  /// A dense matrix of doubles, row by row.
  struct Matrix {
    var rows: Int
    var columns: Int
    var elements: [Double]

    init(_ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double) {
      (self.rows, self.columns) = (rows, columns)
      elements = (0..<rows * columns).map { element($0 / columns, $0 % columns) }
    }

    /// One matrix of an array of them.
    init(_ array: NDArray, _ position: Int) {
      (rows, columns) = (array.shape[1], array.shape[2])
      elements = Array(array.doubles.dropFirst(position * rows * columns).prefix(rows * columns))
    }

    subscript(row: Int, column: Int) -> Double { elements[row * columns + column] }

    var transposed: Matrix { Matrix(columns, rows) { self[$1, $0] } }

    func map(_ body: (Double) -> Double) -> Matrix { Matrix(rows, columns) { body(self[$0, $1]) } }

    static func * (a: Matrix, b: Matrix) -> Matrix {
      Matrix(a.rows, b.columns) { i, j in (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
    }

    static func - (a: Matrix, b: Matrix) -> Matrix { Matrix(a.rows, a.columns) { a[$0, $1] - b[$0, $1] } }

    /// The columns multiplied by numbers.
    func scaled(_ factors: [Double]) -> Matrix { Matrix(rows, columns) { self[$0, $1] * factors[$1] } }

    static func identity(_ count: Int) -> Matrix { Matrix(count, count) { $0 == $1 ? 1 : 0 } }

    /// The largest magnitude; infinite where a number is not finite.
    var largest: Double { elements.reduce(0) { $1.isFinite ? max($0, abs($1)) : .infinity } }

    /// How far the columns are from orthonormal.
    var departure: Double { (transposed * self - .identity(columns)).largest }
  }

  /// Finite matrices of a size, by name; their numbers are in a type's range.
  static func matrices(_ m: Int, _ n: Int, _ dtype: ScalarType) -> [(name: String, matrix: Matrix)] {
    var generator = SeededGenerator(seed: 5)
    let g = Matrix(m, n) { _, _ in Double.random(in: -1...1, using: &generator) }
    guard m * n > 0 else { return [("empty", g)] }
    let epsilon = dtype == .f64 ? 0x1p-52 : 0x1p-23
    let (least, most) = dtype == .f64 ? (0x1p-1022, 0x1p1020) : (0x1p-126, 0x1p124)
    func graded(_ place: Int, _ count: Int) -> Double { pow(epsilon, 2 * Double(place) / Double(max(count - 1, 1))) }
    let half = Matrix(m, max(1, min(m, n) / 2)) { g[$0, $1] } * Matrix(max(1, min(m, n) / 2), n) { g[$0, $1] }
    var found: [(String, Matrix)] = [
      ("of any numbers", g), ("of half the rank", half), ("zero", g.map { _ in 0 }), ("ones", g.map { _ in 1 }),
      ("one column, again and again", Matrix(m, n) { i, _ in g[i, 0] }),
      ("columns graded", Matrix(m, n) { g[$0, $1] * graded($1, n) }),
      ("rows graded", Matrix(m, n) { g[$0, $1] * graded($0, m) }),
      ("Hilbert", Matrix(m, n) { 1 / Double($0 + $1 + 1) }), ("integers", g.map { ($0 * 4).rounded() }),
      ("small", g.map { $0 * least * 64 }), ("squares vanish", g.map { $0 * least.squareRoot() / 8 }),
      ("squares overflow", g.map { $0 * most.squareRoot() * 8 }), ("large", g.map { $0 * most }),
    ]
    if m == n {
      found += [
        ("identity", .identity(n)), ("a Jordan block", Matrix(n, n) { $0 == $1 || $0 + 1 == $1 ? 1 : 0 }),
        ("nilpotent", Matrix(n, n) { $0 == $1 + 1 ? 1 : 0 }), ("a cycle", Matrix(n, n) { ($0 + 1) % n == $1 ? 1 : 0 }),
        ("skew", g - g.transposed),
        ("pairs", Matrix(n, n) { $0 / 2 == $1 / 2 ? Double($1 - $0) : 0 }),
        ("triangular", Matrix(n, n) { $0 <= $1 ? g[$0, $1] : 0 }),
      ]
    }
    return found
  }

  /// The numbers of a type in an array of matrices.
  private static func array(_ matrices: [Matrix], _ dtype: ScalarType) throws -> NDArray {
    try NDArray(
      dtype: dtype, shape: [matrices.count, matrices[0].rows, matrices[0].columns],
      values: matrices.flatMap { $0.elements.map { .float($0) } })
  }

  /// All factorizations of matrices `a`, as one model; Cholesky's are of `s`.
  private static func planned(_ dtype: ScalarType, _ shape: [Int]) throws -> PlannedProgram {
    let builder = Builder()
    let a = builder.input("a", TensorType(dtype, shape))
    let (lu, pivots, permutation) = a.lu()
    let (q, r) = a.qr()
    let (completeQ, completeR) = a.qr(complete: true)
    let (u, s, vh) = a.svd()
    var outputs = [
      ("lu", lu), ("pivots", pivots), ("permutation", permutation), ("q", q), ("r", r), ("complete q", completeQ),
      ("complete r", completeR), ("u", u), ("s", s), ("vh", vh),
    ]
    if shape[1] == shape[2] {
      let (w, v) = a.eigh()
      let (values, vectors) = a.eig()
      outputs += [
        ("w", w), ("v", v), ("re", values.real), ("im", values.imaginary), ("vr", vectors.real),
        ("vi", vectors.imaginary), ("l", builder.input("s", TensorType(dtype, shape)).cholesky()),
      ]
    }
    return try PlannedProgram(planning: Program(lowering: try builder.finish(name: "f", outputs: outputs)))
  }

  /// One model, what it is given, and the matrices by name.
  private struct Row {
    var dtype: ScalarType
    var shape: [Int]
    var names: [String]
    var planned: PlannedProgram
    var inputs: [String: NDArray]

    init(_ dtype: ScalarType, _ shape: [Int]) throws {
      let named = HardMatrixTests.matrices(shape[0], shape[1], dtype)
      self.dtype = dtype
      self.shape = shape
      names = named.map(\.name)
      planned = try HardMatrixTests.planned(dtype, [names.count] + shape)
      let a = try HardMatrixTests.array(named.map(\.matrix), dtype)
      inputs = ["a": a]
      if shape[0] == shape[1] {
        let products = named.indices.map { position in
          let matrix = Matrix(a, position)
          let unit = matrix.largest > 0 ? matrix.map { $0 / matrix.largest } : matrix
          let gram = unit * unit.transposed
          return Matrix(gram.rows, gram.columns) { gram[$0, $1] + ($0 == $1 ? 1 : 0) }
        }
        inputs["s"] = try HardMatrixTests.array(products, dtype)
      }
    }

    /// Checks reconstructions and orthonormality, beside the size of the matrix.
    func check(_ results: [String: NDArray], _ how: String) throws {
      let (m, n) = (shape[0], shape[1])
      let limit = (dtype == .f64 ? 0x1p-52 : 0x1p-23) * 40 * Double(m + n + 1)
      for (position, name) in names.enumerated() {
        func matrix(_ name: String) throws -> Matrix { Matrix(try #require(results[name]), position) }
        func vector(_ name: String) throws -> [Double] {
          let array = try #require(results[name])
          return Array(array.doubles.dropFirst(position * array.shape[1]).prefix(array.shape[1]))
        }
        func expect(_ what: String, _ size: Double, times factor: Double = 1) {
          guard !(size <= limit * factor) else { return }
          Issue.record("\(what) of \(dtype)\(shape), \(name), by \(how): off by \(size / limit * 40) of the precision")
        }
        let given = Matrix(try #require(inputs["a"]), position)
        let size = given.largest == 0 ? 1 : given.largest
        func unit(_ x: Matrix) -> Matrix { x.map { $0 / size } }
        let a = unit(given)
        let rank = min(m, n)
        let packed = try matrix("lu")
        let order = try vector("permutation").map { Int($0) }
        let lower = Matrix(m, rank) { $0 == $1 ? 1 : $0 > $1 ? packed[$0, $1] : 0 }
        let upper = Matrix(rank, n) { $0 <= $1 ? packed[$0, $1] / size : 0 }
        expect("lu", (lower * upper - Matrix(m, n) { a[order[$0], $1] }).largest)
        #expect(lower.largest <= 1, "pivots are the largest numbers")
        for kind in ["", "complete "] {
          try expect("\(kind)qr", (matrix(kind + "q") * unit(matrix(kind + "r")) - a).largest)
          try expect("\(kind)q", matrix(kind + "q").departure)
        }
        let s = try vector("s").map { $0 / size }
        try expect("svd", (matrix("u").scaled(s) * matrix("vh") - a).largest)
        try expect("u", matrix("u").departure)
        try expect("vh", matrix("vh").transposed.departure)
        #expect(zip(s, s.dropFirst()).allSatisfy { $0 >= $1 } && s.allSatisfy { $0 >= 0 }, "\(name): \(s)")
        guard m == n else { continue }
        let symmetric = Matrix(n, n) { $0 >= $1 ? a[$0, $1] : a[$1, $0] }
        let (w, v) = (try vector("w").map { $0 / size }, try matrix("v"))
        expect("eigh", (v.scaled(w) * v.transposed - symmetric).largest)
        expect("v", v.departure)
        #expect(zip(w, w.dropFirst()).allSatisfy { $0 <= $1 }, "\(name): \(w)")
        let (re, im) = (try vector("re").map { $0 / size }, try vector("im").map { $0 / size })
        let (vr, vi) = (try matrix("vr"), try matrix("vi"))
        expect("eig", (a * vr - (vr.scaled(re) - vi.scaled(im))).largest, times: 4)
        expect("eig", (a * vi - (vi.scaled(re) - vr.scaled(im.map { -$0 }))).largest, times: 4)
        for column in 0..<n {
          expect("eig's vectors", (0..<n).reduce(-1) { $0 + pow(vr[$1, column], 2) + pow(vi[$1, column], 2) })
        }
        let (l, product) = (try matrix("l"), Matrix(try #require(inputs["s"]), position))
        expect("cholesky", (l * l.transposed - product).largest, times: 4)
      }
    }
  }

  private static func rows() throws -> [Row] {
    try shapes.flatMap { shape in try types.map { try Row($0, shape) } }
  }

  @Test("LAPACK's factors make the matrix again", arguments: shapes, types)
  func interpreter(shape: [Int], dtype: ScalarType) throws {
    let row = try Row(dtype, shape)
    var session = Session(try Executable(row.planned))
    let given = row.planned.program.inputs.compactMap { row.inputs[$0.name] }
    let results = try session.run(given)
    try row.check(Dictionary(uniqueKeysWithValues: zip(row.planned.program.outputs.map(\.name), results)), "LAPACK")
  }

  static let sanitizers = ["-std=c11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

  @Test("the factors that emitted C finds make the matrix again, under sanitizers", arguments: CBench.compilers)
  func emitted(compiler: String) throws {
    let rows = try Self.rows()
    let models = rows.enumerated().map { number, row in
      CBench.Model(
        files: emitC(row.planned, options: COptions(name: "f\(number)", uniformEntry: true)), planned: row.planned,
        inputs: row.inputs)
    }
    let results = try CBench.outputs(models, compiler: compiler, flags: Self.sanitizers)
    for (row, results) in zip(rows, results) { try row.check(results, "C of \(compiler)") }
  }

  @Test("eigenvalues and singular values beyond the type's range are infinite; their vectors are what they are")
  func overflow() throws {
    var (models, interpreted) = ([CBench.Model](), [[String: NDArray]]())
    for dtype in Self.types {
      // (J - I) s has the eigenvalues 2 s, -s and -s.
      let size = dtype == .f64 ? 0x1.8p1023 : 0x1.8p127
      let matrix = Matrix(3, 3) { $0 == $1 ? 0 : size }
      let builder = Builder()
      let a = builder.input("a", TensorType(dtype, [3, 3]))
      let (w, v) = a.eigh()
      let (values, vectors) = a.eig()
      let (_, s, vh) = a.svd()
      let outputs = [
        ("w", w.abs().max()), ("v", v.slice(axis: 1, from: 2, to: 3).abs()), ("re", values.real.abs().max()),
        ("vr", (vectors.real.abs() * vectors.real.abs()).sum()), ("s", s.max()),
        ("vh", vh.slice(axis: 0, from: 0, to: 1).abs()),
      ]
      let planned = try PlannedProgram(planning: Program(lowering: try builder.finish(name: "f", outputs: outputs)))
      let input = try Self.array([matrix], dtype).reshaped([3, 3])
      var session = Session(try Executable(planned))
      interpreted.append(
        Dictionary(uniqueKeysWithValues: zip(outputs.map(\.0), try session.run([input]))))
      models.append(
        CBench.Model(
          files: emitC(planned, options: COptions(name: "f\(models.count)", uniformEntry: true)), planned: planned,
          inputs: ["a": input]))
    }
    let emitted = try CBench.outputs(models, compiler: CBench.compilers[0], flags: Self.sanitizers)
    for results in interpreted + emitted {
      for name in ["w", "re", "s"] { #expect(results[name]?.doubles == [.infinity], "\(name)") }
      for name in ["v", "vh"] {
        let vector = try #require(results[name]).doubles
        #expect(vector.allSatisfy { abs($0 - 1 / 3.0.squareRoot()) < 1e-6 }, "\(name): \(vector)")
      }
      #expect(try abs(#require(results["vr"]).doubles[0] - 3) < 1e-5)
    }
  }

  /// What is done with matrices that are not finite, and whether that fails.
  static let refusals: [(name: String, fails: Bool, body: @Sendable (Tensor) -> Tensor)] = [
    ("lu", false, { $0.lu().lu }), ("qr", false, { $0.qr(complete: true).q }), ("svd", true, { $0.svd().u }),
    ("cholesky", true, { $0.cholesky() }), ("eigh", true, { $0.eigh().vectors }),
    ("eig", true, { $0.eig().vectors.real }),
  ]

  @Test("matrices that are not finite end, with an error where there is no factorization")
  func notFinite() throws {
    var (models, labels, expected) = ([CBench.Model](), [String](), [Int]())
    for dtype in Self.types {
      for count in [1, 2, 3, 17] {
        for bad in [Double.nan, .infinity, -.infinity] {
          for place in Set([0, count * (count - 1), count * count - 1]).sorted() {
            for row in Self.refusals {
              let builder = Builder()
              let a = builder.input("a", TensorType(dtype, [count, count]))
              let graph = try builder.finish(name: "f", outputs: [("y", row.body(a))])
              let planned = try PlannedProgram(planning: Program(lowering: graph))
              var matrix = Matrix.identity(count)
              matrix.elements[place] = bad
              let input = try NDArray(
                dtype: dtype, shape: [count, count], values: matrix.elements.map { .float($0) })
              let label = "\(row.name) of \(count) numbers, \(bad) at \(place)"
              var session = Session(try Executable(planned))
              let hasFailed: Bool
              do {
                _ = try session.run([input])
                hasFailed = false
              } catch { hasFailed = true }
              #expect(hasFailed == row.fails, "LAPACK: \(label)")
              let options = COptions(name: "f\(models.count)", uniformEntry: true)
              models.append(
                CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: ["a": input]))
              labels.append(label)
              expected.append(row.fails ? 8 : 0)
            }
          }
        }
      }
    }
    let statuses = try CBench.statuses(models, flags: Self.sanitizers)
    #expect(statuses.count == models.count)
    for (label, (status, expected)) in zip(labels, zip(statuses, expected)) {
      // Above the status is the kernel that it is of.
      #expect(status % 256 == expected, "C: \(label)")
    }
  }
}
