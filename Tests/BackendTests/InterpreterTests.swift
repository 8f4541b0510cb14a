import LatheCore
import LatheRun
import Testing

@Suite("Interpreter, on programs written by hand")
struct InterpreterTests {
  @Test("element-wise loops of any length give every element", arguments: [0, 1, 2, 15, 16, 511, 512, 513, 1030])
  func elementWise(count: Int) throws {
    let i = LoopVariable(id: 0, extent: count)
    let planned = HandBuilt.program(
      inputs: [(.f32, [count]), (.f32, [count])], output: (.f32, [count]),
      [
        .loop(
          Loop(
            i, kind: .vector,
            body: [
              store(
                2, Index(i),
                .pointwise(.maximum, [.pointwise(.subtract, [load(0, Index(i)), load(1, Index(i))]), number(0)]))
            ]))
      ])
    let a = (0..<count).map { Float($0 % 7) }
    let b = (0..<count).map { Float($0 % 5) }
    let y = try HandBuilt.run(planned, NDArray(a), NDArray(b))
    #expect(y == NDArray(zip(a, b).map { max($0 - $1, 0) }))
  }

  @Test(
    "lanes of an accumulation are joined in the documented order", arguments: [1, 2, 8, 16], [0, 1, 15, 100, 1111])
  func lanes(lanes: Int, count: Int) throws {
    let i = LoopVariable(id: 0, extent: count)
    let sum = Register(id: 1, type: .f32)
    let planned = HandBuilt.program(
      inputs: [(.f32, [count])], output: (.f32, []),
      [
        .declare(sum, number(0.5)),
        .accumulate(
          Accumulation(
            i, lower: Bound(0), upper: Bound(count), combiner: .sum, accumulator: sum, lanes: lanes, prologue: [],
            value: load(0, Index(i)))),
        store(1, Index(0), .register(sum)),
      ])
    let x = (0..<count).map { 1 / Float($0 * $0 % 97 + 1) }
    #expect(try HandBuilt.run(planned, NDArray(x))[0] == .float(Double(Self.sum(x, from: 0.5, lanes: lanes))))
  }

  /// What `Accumulation` documents.
  static func sum(_ x: [Float], from start: Float, lanes: Int) -> Float {
    if lanes == 1 { return x.reduce(start, +) }
    var partial = [Float](repeating: 0, count: lanes)
    for (i, value) in x.enumerated() { partial[i % lanes] += value }
    var width = lanes / 2
    while width > 0 {
      for lane in 0..<width { partial[lane] += partial[lane + width] }
      width /= 2
    }
    return start + partial[0]
  }

  @Test("sums of neighbours in all rows at once: of products, of what lies apart, going on from row to row")
  func rows() throws {
    let text = """
      program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
        input x: f64[70,40]
        input w: f64[40,3]
        output y: f64[70,3]
        output z: f64[3]
        kernel k "k" {
          for i0 < 70 parallel {
            for i1 < 3 {
              let r0: f64 = 0.5:f64
              r0 = sum over i2 < 40 in 16 lanes of multiply(x[40*i0 + i2], w[i1 + 3*i2])
              y[3*i0 + i1] = multiply(r0, w[i1])
            }
          }
          for i1 < 3 {
            let r1: f64 = 0.0:f64
            for i0 < 2 {
              r1 = sum over i2 < 40 in 16 lanes of x[40*i0 + 80*i1 + i2]
            }
            z[i1] = r1
          }
        }
        steps {
          run k
        }
      }
      """
    let program = try Program(parsing: text)
    try program.verify()
    let x = (0..<2800).map { Double($0 % 11) }
    let w = (0..<120).map { Double($0 % 5) }
    var session = Session(try Executable(HandBuilt.planned(program)))
    let found = try session.run([NDArray(x, shape: [70, 40]), NDArray(w, shape: [40, 3])])
    let products = (0..<210).map { place in
      let (row, column) = (place / 3, place % 3)
      return (0..<40).reduce(0.5) { $0 + x[40 * row + $1] * w[3 * $1 + column] } * w[column]
    }
    #expect(found[0].doubles == products)
    #expect(found[1].doubles == (0..<3).map { x[80 * $0..<80 * $0 + 80].reduce(0, +) })
  }

  @Test("what an unrolled loop hands on in registers is handed on, also outside of tiles")
  func unrolled() throws {
    let text = """
      program p for "generic" {vector_bytes: 16, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
        input x: f32[8,4]
        output y: f32[2,4]
        kernel k "k" {
          local %a0: f32[4] in vectors of 4
          local %a1: f32[4] in vectors of 4
          for i0 < 4 lanes {
            %a0[i0] = 0.0:f32
            %a1[i0] = 1.0:f32
          }
          for i1 < 8 unrolled {
            for i0 < 4 lanes {
              %a0[i0] = add(%a0[i0], x[4*i1 + i0])
              %a1[i0] = maximum(%a1[i0], x[4*i1 + i0])
            }
          }
          for i0 < 4 lanes {
            y[i0] = %a0[i0]
            y[i0 + 4] = %a1[i0]
          }
        }
        steps {
          run k
        }
      }
      """
    let program = try Program(parsing: text)
    try program.verify()
    let x = (0..<32).map { Float($0 % 7) }
    let columns = (0..<4).map { column in (0..<8).map { x[4 * $0 + column] } }
    let y = try HandBuilt.run(HandBuilt.planned(program), try NDArray(x, shape: [8, 4]))
    #expect(try y == NDArray(columns.map { $0.reduce(0, +) } + columns.map { $0.reduce(1, max) }).reshaped([2, 4]))
  }

  @Test("sums along columns run over rows for all lanes at once", arguments: [1, 4], [3, 600])
  func columnSums(lanes: Int, columns: Int) throws {
    let rows = 37
    let (i, j) = (LoopVariable(id: 0, extent: rows), LoopVariable(id: 1, extent: columns))
    let sum = Register(id: 1, type: .f32)
    let planned = HandBuilt.program(
      inputs: [(.f32, [rows, columns])], output: (.f32, [columns]),
      [
        .loop(
          Loop(
            j, kind: .vector,
            body: [
              .declare(sum, number(0)),
              .accumulate(
                Accumulation(
                  i, lower: Bound(0), upper: Bound(rows), combiner: .sum, accumulator: sum, lanes: lanes,
                  prologue: [], value: load(0, Index(i) * columns + Index(j)))),
              store(1, Index(j), .register(sum)),
            ]))
      ])
    let x = (0..<(rows * columns)).map { 1 / Float($0 % 89 + 1) }
    let expected = (0..<columns).map { j in Self.sum((0..<rows).map { x[$0 * columns + j] }, from: 0, lanes: lanes) }
    #expect(try HandBuilt.run(planned, NDArray(x, shape: [rows, columns])) == NDArray(expected))
  }

  @Test("loops whose ends depend on the lane leave out what lies outside")
  func raggedWindows() throws {
    // A pooling window over the inside of the image: q in max(0, 1 - 2 w) ..< min(3, 10 - 2 w + 1)
    let (w, q) = (LoopVariable(id: 0, extent: 5), LoopVariable(id: 1, extent: 3))
    let most = Register(id: 1, type: .f32)
    let start = Index(w) * 2 - 1
    let planned = HandBuilt.program(
      inputs: [(.f32, [9])], output: (.f32, [5]),
      [
        .loop(
          Loop(
            w, kind: .vector,
            body: [
              .declare(most, number(-.infinity)),
              .accumulate(
                Accumulation(
                  q, lower: Bound(0, [.init(dividend: start * -1, divisor: 1)]),
                  upper: Bound(3, [.init(dividend: start * -1 + 9, divisor: 1)]), combiner: .max, accumulator: most,
                  lanes: 1, prologue: [], value: load(0, start + Index(q)))),
              store(1, Index(w), .register(most)),
            ]))
      ])
    let x: [Float] = [3, -1, 4, -1, 5, -9, 2, -6, 5]
    #expect(try HandBuilt.run(planned, NDArray(x)) == NDArray([3, 4, 5, 2, 5] as [Float]))
  }

  @Test("an index that an accumulation reads keeps its register until the value is computed", arguments: [1, 4])
  func prologue(lanes: Int) throws {
    let i = LoopVariable(id: 0, extent: 6)
    let column = Register(id: 1, type: .i64)
    let sum = Register(id: 2, type: .f32)
    let place = Index(Scalar(id: column.id))
    let planned = HandBuilt.program(
      inputs: [(.i64, [6]), (.f32, [6, 5])], output: (.f32, []),
      [
        .declare(sum, number(0)),
        .accumulate(
          Accumulation(
            i, lower: Bound(0), upper: Bound(6), combiner: .sum, accumulator: sum, lanes: lanes,
            prologue: [.declare(column, load(0, Index(i), .i64))],
            value: .select([.inRange(place, 0..<5)], then: load(1, Index(i) * 5 + place), otherwise: number(0)))),
        store(2, Index(0), .register(sum)),
      ])
    let columns = [0, 4, 7, 2, 1, 3].map { ScalarValue.integer($0) }
    let table = try NDArray((0..<30).map { Float($0) }, shape: [6, 5])
    let result = try HandBuilt.run(planned, NDArray(dtype: .i64, shape: [6], values: columns), table)
    #expect(result.doubles == [0 + 9 + 17 + 21 + 28])
  }

  @Test("guarded loads are not made where their constraints fail")
  func guards() throws {
    let i = LoopVariable(id: 0, extent: 12)
    let spread = Index(i) - 1
    let planned = HandBuilt.program(
      inputs: [(.f32, [5])], output: (.f32, [12]),
      [
        .loop(
          Loop(
            i, kind: .vector,
            body: [
              store(
                1, Index(i),
                .select(
                  [.multiple(spread, of: 2), .inRange(spread.floorDivided(by: 2), 0..<5)],
                  then: load(0, spread.floorDivided(by: 2)), otherwise: number(-1)))
            ]))
      ])
    let y = try HandBuilt.run(planned, NDArray([1, 2, 3, 4, 5] as [Float]))
    #expect(y == NDArray([-1, 1, -1, 2, -1, 3, -1, 4, -1, 5, -1, -1] as [Float]))
  }

  @Test("an access outside its tensor is reported, not made")
  func outOfBounds() throws {
    let i = LoopVariable(id: 0, extent: 8)
    let planned = HandBuilt.program(
      inputs: [(.f32, [8])], output: (.f32, [8]),
      [.loop(Loop(i, kind: .vector, body: [store(1, Index(i), load(0, Index(i) + 1))]))])
    let error = #expect(throws: DiagnosticsError.self) {
      try HandBuilt.run(planned, NDArray([Float](repeating: 0, count: 8)))
    }
    #expect(error?.description.contains("kernel kernel accesses element 8 of a, which has 8") == true)
  }

  @Test("a program that writes what is not its own is refused")
  func writtenInput() throws {
    let i = LoopVariable(id: 0, extent: 4)
    let planned = HandBuilt.program(
      inputs: [(.f32, [4])], output: (.f32, [4]),
      [.loop(Loop(i, kind: .vector, body: [store(0, Index(i), load(0, Index(i)))]))])
    let error = #expect(throws: DiagnosticsError.self) { try Executable(planned) }
    #expect(error?.diagnostics.map(\.message) == ["kernel kernel writes a"])
  }

  @Test("inputs of another number, type or shape are refused by name")
  func wrongInputs() throws {
    let i = LoopVariable(id: 0, extent: 4)
    let planned = HandBuilt.program(
      inputs: [(.f32, [4])], output: (.f32, [4]),
      [.loop(Loop(i, kind: .vector, body: [store(1, Index(i), load(0, Index(i)))]))])
    var session = Session(try Executable(planned))
    func message(_ inputs: [NDArray]) -> String {
      do throws(DiagnosticsError) {
        _ = try session.run(inputs)
        return ""
      } catch {
        return error.diagnostics[0].message
      }
    }
    #expect(message([]) == "test takes 1 input, given 0")
    #expect(message([NDArray([1, 2, 3] as [Float])]) == "input 'a' is f32[4], given f32[3]")
    #expect(message([NDArray([1, 2, 3, 4] as [Double])]) == "input 'a' is f32[4], given f64[4]")
  }
}
