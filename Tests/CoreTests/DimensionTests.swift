import LatheCore
import TestSupport
import Testing

@Suite struct DimensionTests {
  private static let bindings = [["N": 1, "M": 1], ["N": 2, "M": 7], ["N": 5, "M": 3], ["N": 64, "M": 17]]

  /// A random dimension, and what it means under a binding.
  private func random(
    _ depth: Int, _ generator: inout SeededGenerator
  ) -> (dimension: Dim, value: ([String: Int]) -> Int) {
    switch depth == 0 ? Int.random(in: 0...2, using: &generator) : Int.random(in: 0...6, using: &generator) {
    case 0:
      let number = Int.random(in: -4...9, using: &generator)
      return (Dim(number), { _ in number })
    case 1: return ("N", { $0["N"] ?? 0 })
    case 2: return ("M", { $0["M"] ?? 0 })
    case 3:
      let (a, b) = (random(depth - 1, &generator), random(depth - 1, &generator))
      return (a.dimension + b.dimension, { a.value($0) + b.value($0) })
    case 4:
      let (a, b) = (random(depth - 1, &generator), random(depth - 1, &generator))
      return (a.dimension - b.dimension, { a.value($0) - b.value($0) })
    case 5:
      let (a, b) = (random(depth - 1, &generator), random(depth - 1, &generator))
      return (a.dimension * b.dimension, { a.value($0) * b.value($0) })
    default:
      let a = random(depth - 1, &generator)
      let divisor = Int.random(in: 1...4, using: &generator)
      return (
        a.dimension.floorDivided(by: divisor),
        { bindings in
          let value = a.value(bindings)
          return (value - ((value % divisor) + divisor) % divisor) / divisor
        }
      )
    }
  }

  @Test("binding symbols commutes with the algebra") func algebra() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let (dimension, value) = random(3, &generator)
      for bindings in Self.bindings {
        #expect(dimension.substituting(bindings) == Dim(value(bindings)), "\(dimension)")
      }
    }
  }

  @Test("the text of a dimension parses back to it") func text() throws {
    var generator = SeededGenerator(seed: 2)
    for _ in 0..<300 {
      // Inputs want sizes that are not negative where they are known.
      let dimension = random(3, &generator).dimension
      if let known = dimension.known, known < 0 { continue }
      let graph = try Graph(parsing: "func f(%x: f32[\(dimension)]) -> () {\nreturn\n}")
      #expect(graph.type(of: graph.inputs[0]).shape == [dimension], "\(dimension)")
    }
  }

  @Test("equal polynomials are equal dimensions, however they were built") func canonical() {
    let (n, m) = (Dim("N"), Dim("M"))
    #expect((n + m) * (n - m) == n * n - m * m)
    #expect((n + 1) * 2 - n - 2 == n)
    #expect(n - n == 0)
    #expect((n * 4 + 6).floorDivided(by: 2) == n * 2 + 3)
    #expect((n + 1).floorDivided(by: 2) != n.floorDivided(by: 2))
    #expect((n * m * 6).divided(exactlyBy: m * 2) == n * 3)
    #expect((n * m * 6 + n).divided(exactlyBy: m) == nil)
    #expect((n * 6 + 3).divided(exactlyBy: 3) == n * 2 + 1)
    #expect((n * 6 + 2).divided(exactlyBy: 3) == nil)
    #expect(Dim(12).divided(exactlyBy: 0) == nil)
    #expect(n.divided(exactlyBy: n) == 1)
  }

  @Test(
    "dimensions read like polynomials",
    arguments: [
      (Dim("N") * 2 + 1, "2*N + 1"), (Dim("N") * -1 + 3, "-N + 3"),
      (Dim("M") - Dim("N"), "M - N"),
      ((Dim("N") + 1).floorDivided(by: 2) * 3 - 4, "3*floor((N + 1) / 2) - 4"),
      (Dim("N") * Dim("M"), "M*N"),
      (Dim("batch size"), "\"batch size\""), (Dim("floor"), "\"floor\""), (Dim(-7), "-7"),
    ] as [(Dim, String)])
  func description(_ dimension: Dim, _ text: String) { #expect(dimension.description == text) }

  @Test("sizes beyond the integers saturate rather than trap") func overflow() {
    let huge = Dim(Int.max)
    #expect((huge * huge).known != nil)
    #expect((huge + huge).known != nil)
    #expect(!(Dim("N") * huge * huge + huge).description.isEmpty)
    #expect(!(Dim("N") * Dim(Int.min) + Dim(Int.min)).description.isEmpty)
    #expect([Dim](repeating: huge, count: 9).elementCount.known != nil)
  }

  @Test("symbols are found in quotients too") func symbols() {
    #expect((Dim("b") * Dim("a") + (Dim("c") + 1).floorDivided(by: 2)).symbols == ["a", "b", "c"])
    #expect([Dim("a"), 2].known == nil)
    #expect(([3, 2] as [Dim]).known == [3, 2])
  }
}

@Test("the smaller of two sizes is found where it can be told, and is text that reads back")
func smallerDimensions() throws {
  let n: Dim = "n"
  #expect(Dim.minimum(n, 1) == 1)
  #expect(Dim.minimum(n + 3, n) == n)
  #expect(Dim.minimum(1000, n) == Dim.minimum(n, 1000))
  #expect(Dim.minimum(n, 1000).substituting(["n": 7]) == 7)
  #expect(Dim.maximum(n, 1000).substituting(["n": 7]) == 1000)
  let text = "func f(%x: f32[min(n, 1000)]) -> (%y: f32[min(n, 1000)]) {\n  return %x\n}\n"
  #expect(try Graph(parsing: text).text == text)
}

@Test("messages cut polynomials short that nobody would read, the text form does not")
func elidedDimensions() throws {
  let long = (0..<40).reduce(Dim(0)) { $0 + Dim(symbol: "symbol\($1)") }
  #expect(long.description.count < 80)
  #expect(long.description.hasSuffix("... (40 terms)"))
  let builder = Builder()
  let graph = try builder.finish(name: "f", outputs: [("y", builder.input("x", TensorType(.f32, [long])))])
  #expect(try Graph(parsing: graph.text) == graph)
}
