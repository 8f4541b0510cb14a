import LatheCore
import TestSupport
import Testing

@Suite struct TextRoundTripTests {
  /// The text parses to an equal graph, whose text is the same to the byte.
  private func check(_ graph: Graph) throws {
    try graph.verify()
    let text = graph.text
    let parsed = try Graph(parsing: text)
    #expect(parsed == graph)
    #expect(parsed.text == text)
    try parsed.verify()
  }

  @Test("a primitive's graph comes back from its text", arguments: PrimitiveCase.all)
  func primitives(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes { try check(try row.graph(dtype)) }
  }

  @Test("a gradient's graph comes back from its text", arguments: PrimitiveCase.all.filter { $0.smoothness >= .once })
  func gradients(_ row: PrimitiveCase) throws {
    try check(try row.gradientGraph(.f32, order: 1))
    if row.smoothness >= .twice { try check(try row.gradientGraph(.f64, order: 2)) }
  }

  @Test("every operation of the text has a case") func coverage() throws {
    var names = Set<String>()
    func collect(_ graph: Graph) {
      for node in graph.nodes {
        names.insert(node.operation.name)
        for case (_, .graph(let inner)) in node.operation.definition.attributes { collect(inner) }
      }
    }
    for row in PrimitiveCase.all { for dtype in row.dtypes { collect(try row.graph(dtype)) } }
    let structural = [
      "input", "constant", "iota", "random_bits", "convert", "bitcast", "detach", "reshape", "permute", "broadcast",
      "slice",
      "reverse",
      "pad", "concatenate", "gather", "scatter", "scatter_sum", "scatter_product", "scatter_min", "scatter_max",
      "reduce_sum", "reduce_product", "reduce_min", "reduce_max", "arg_min", "arg_max", "arg_sort", "cumulative_sum",
      "cumulative_product", "cumulative_min", "cumulative_max", "dot", "convolution", "window_sum", "window_product",
      "window_min", "window_max", "window_arg_min", "window_arg_max", "cond", "while", "scan", "cholesky",
      "lu", "triangular_solve", "qr", "eigh", "svd", "eig", "call",
    ]
    #expect(Set(structural + Pointwise.allCases.map(\.rawValue)).subtracting(names) == [])
    #expect(names.subtracting(structural + Pointwise.allCases.map(\.rawValue)) == [])
  }

  /// State, symbols, odd names, literals of every kind, locations.
  private func everything() throws -> Graph {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f32, ["N", 4, "sequence length"]))
    let odd = builder.input("/conv1/Conv \"0\"\n\u{1}", TensorType(.f32, [Dim("N") * 2 + 1]))
    let digits = builder.input("0", .f32())
    let weight = builder.variable(
      Variable(
        name: "layers.0.weight", role: .parameter, initial: try NDArray((0..<40).map { Float($0) / 7 }, shape: [4, 10]))
    )
    let counter = builder.variable(
      Variable(name: "step count", role: .buffer, initial: try NDArray([3 as Int64], shape: [])))
    let y = builder.scope("encoder") {
      builder.scope("layers.0") {
        x.dot(weight, DotGeneral(leftContracting: [1], rightContracting: [0]))
      }
    }
    let call = Location.Call("my \"Gemm\"", number: 3)
    let z = builder.at(Location(file: "my models/net.onnx", modulePath: "a b", node: "Gemm \"3\"", call: call)) {
      y.tanh()
    }
    let w = builder.at(Location(file: "net.swift", line: 12, column: 5)) { z.exp() }
    let half = builder.at(Location(file: "net.swift", line: 13)) {
      odd.slice(start: [1], limit: [Dim("N") * 2 + 1], stride: [2])
    }
    builder.update("step count", to: counter + 1)
    builder.update("layers.0.weight", to: weight * 2)
    let literals: [NDArray] = [
      NDArray([0.1, -0.0, .infinity, -.infinity, .nan, 0x1p-149, 3.4e38] as [Float]),
      NDArray([0.1, 0x1p-1074, 1e300] as [Double]), NDArray([Float(bitPattern: 0x7fc0_1234), 1] as [Float]),
      try NDArray([Float(bitPattern: 0xffc0_0000)], shape: []),
      NDArray([UInt64.max, 0]), NDArray([Int64.min, Int64.max]), NDArray([Int8.min, 5]),
      NDArray([true, false]), try NDArray(dtype: .bool, shape: [2], bytes: [2, 1]),
      try NDArray(dtype: .f16, shape: [3], values: [.float(0.1), .float(65504), .float(6e-8)]),
      try NDArray(dtype: .bf16, shape: [2], values: [.float(0.1), .float(3e38)]),
      try NDArray.zeros(.f32, [0, 3]), try NDArray.zeros(.f64, [100, 3]), NDArray((0..<17).map { Int32($0) }),
      try NDArray(dtype: .f32, shape: [300], values: Array(repeating: .float(0.3), count: 300)),
    ]
    return try builder.finish(
      name: "odd name",
      outputs: [("logits", w), ("half", half), ("0", digits), ("same as input", x)]
        + literals.enumerated().map { ("literal\($0)", builder.constant($1)) })
  }

  @Test("state, symbols, odd names and literals come back") func state() throws { try check(try everything()) }

  @Test("locations come back from comments") func locations() throws {
    let graph = try everything()
    #expect(try Graph(parsing: graph.text).locations.dropFirst(5) == graph.locations.dropFirst(5))
    let named = try Graph(parsing: graph.text, file: "net.lathe")
    let dot = try #require(named.nodes.firstIndex { $0.operation.name == "dot" })
    #expect(named.locations[dot] == Location(file: "net.lathe", line: 4, column: 8, modulePath: "encoder.layers.0"))
  }

  @Test("the text reads like this") func form() throws {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f32, ["N", 3]))
    let weight = builder.variable(
      Variable(
        name: "fc.weight", role: .parameter, initial: try NDArray([1, 2, 0.5, -1, 0, 1e-7] as [Float], shape: [2, 3])))
    let steps = builder.variable(Variable(name: "steps", role: .buffer, initial: try NDArray([0 as Int64], shape: [])))
    let y = builder.scope("fc") { x.dot(weight, DotGeneral(leftContracting: [1], rightContracting: [1])) }
    let mean = try builder.capturing(y)
    builder.update("steps", to: steps + 1)
    let graph = try builder.finish(name: "main", outputs: [("y", y), ("sum", mean)])
    #expect(
      graph.text == """
        func main(%x: f32[N,3]) -> (%y: f32[N,2], %sum: f32[2]) {
          var @fc.weight: f32[2,3] parameter = [1.0, 2.0, 0.5, -1.0, 0.0, 1e-07]
          var @steps: i64[] buffer = 0
          %0 = dot %x, @fc.weight {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [1]} : f32[N,2]  // in fc
          %1 = constant 0.0 : f32[2]
          %2 = scan %1, %0 {
            length: [N],
            carry: 1,
            sequences: 1,
            reverse: false,
            body: func region(%arg0: f32[2], %arg1: f32[2]) -> (%result0: f32[2]) {
              %0 = add %arg0, %arg1 : f32[2]
              return %0
            }
          } : f32[2]
          %3 = constant 1 : i64[]
          %4 = add @steps, %3 : i64[]
          update @steps = %4
          return %0, %2
        }

        """)
    try check(graph)
  }

  @Test("large literals can be left out for people") func elided() throws {
    let builder = Builder()
    let literal = builder.constant(NDArray((0..<100).map { Float($0) }))
    let graph = try builder.finish(name: "main", outputs: [("y", literal)])
    #expect(graph.description.contains("%0 = constant <100 elements> : f32[100]"))
    #expect(throws: DiagnosticsError.self) { try Graph(parsing: graph.description) }
  }

  // MARK: Mistakes

  private func faults(_ text: String) -> String {
    do {
      _ = try Graph(parsing: text, file: "a.lathe")
      return ""
    } catch {
      return error.description
    }
  }

  @Test("all independent mistakes are reported at once, those that follow from them are not") func mistakes() {
    let text = """
      func main(%x: f32[2,3], %n: i32[2]) -> (%y: f32[2], %z: f32[2,3]) {
        %a = exp %n : i32[2]
        %b = sin %a : i32[2]
        %c = reduce_sum %x {axes: [2]} : f32[2]
        %d = foo %x : f32[2,3]
        %e = add %x, %nowhere : f32[2,3]
        %f = reshape %x {shape: [3,2], also: 1} : f32[3,2]
        %g = negate %x : f32[3,2]
        %h = negate %x
        %i = constant 300 : i8[]
        return %b, %x
      }
      """
    #expect(
      faults(text) == """
        a.lathe:2:8: error: exp: is not defined on i32, only on floats
          note: %n: i32[2]
          help: convert the operand
        a.lathe:4:8: error: reduce_sum: axes: axis 2 is outside a tensor of rank 2
          note: %x: f32[2,3]
        a.lathe:5:8: error: foo: no operation has this name
          note: %x: f32[2,3]
        a.lathe:6:16: error: %nowhere is not defined
        a.lathe:7:8: error: reshape: has no attribute 'also'
          note: %x: f32[2,3]
          help: its attributes are shape
        a.lathe:8:8: error: negate gives f32[2,3], written is f32[3,2]
        a.lathe:10:3: error: expected ':', found '%i'
        a.lathe:10:17: error: '300' is no i8
        """)
  }

  @Test(
    "a mistake is named with its place",
    arguments: [
      ("", "a.lathe:1:1: error: expected 'func', found the end of the text"),
      ("func main() -> () {", "a.lathe:1:20: error: expected '}', found the end of the text"),
      ("func main() -> () {\n}", "a.lathe:2:1: error: the function has no 'return'"),
      (
        "func main() -> () {\n  return\n} x",
        "a.lathe:3:3: error: expected the end of the text after the function, found 'x'"
      ),
      ("func main(%x: f31[]) -> () {}", "a.lathe:1:15: error: expected a type such as f32[2,3], found 'f31'"),
      (
        "func main(%x: f32[-1]) -> () {\n  return\n}",
        "a.lathe:1:11: error: input: the size -1 is negative"
      ),
      (
        "func main(%x: f32[], %x: f32[]) -> () {\n  return\n}", "a.lathe:1:22: error: input 'x' is declared twice"
      ),
      (
        "func main(%x: f32[]) -> (%y: f64[]) {\n  return %x\n}",
        "a.lathe:2:10: error: output 'y' is declared as f64[], the value returned is f32[]"
      ),
      (
        "func main(%x: f32[]) -> () {\n  return %x\n}",
        "a.lathe:2:3: error: the function returns 1 values, its head names 0"
      ),
      (
        "func main(%x: f32[9999999999999]) -> () {\n  return\n}",
        "a.lathe:1:11: error: input: the result f32[9999999999999] has more than 2^40 elements"
      ),
      (
        "func main() -> () {\n  var @v: f32[2] parameter = [1]\n  return\n}",
        "a.lathe:2:30: error: 1 numbers are given for f32[2]"
      ),
      (
        "func main() -> () {\n  var @v: f32[2] weight = 1\n  return\n}",
        "a.lathe:2:18: error: expected 'parameter' or 'buffer', found 'weight'"
      ),
      (
        "func main(%x: f32[]) -> () {\n  update @v = %x\n  return\n}",
        "a.lathe:2:10: error: variable 'v' is updated, but not declared"
      ),
      (
        "func main() -> () {\n  var @v: f32[2] parameter = base64\"AAAA\"\n  return\n}",
        "a.lathe:2:36: error: 3 bytes are given for f32[2], which has 8"
      ),
      (
        "func main(%x: f32[]) -> () {\n  %a = exp %x : f32[]\n  %a = exp %x : f32[]\n  return\n}",
        "a.lathe:3:3: error: %a is defined twice"
      ),
    ])
  func mistake(_ text: String, _ rendering: String) { #expect(faults(text) == rendering) }

  @Test("nesting without end is a mistake, not an overflow") func nesting() {
    let functions = String(repeating: "func f() -> () {\n %0 = cond {then: ", count: 10_000)
    #expect(faults(functions).contains("functions nest more than"))
    #expect(
      faults("func f(%x: f32[" + String(repeating: "floor((", count: 100_000)).contains("dimensions nest more than"))
  }

  // MARK: Garbage

  @Test("truncated and corrupted text gives diagnostics or a valid graph") func garbage() throws {
    var texts = [try everything().text]
    for row in PrimitiveCase.all where ["scan", "convolution in groups", "while", "pad"].contains(row.name) {
      texts.append(try row.gradientGraph(.f32, order: row.smoothness == .none ? 0 : 1).text)
    }
    var generator = SeededGenerator(seed: 5)
    for text in texts {
      let bytes = Array(text.utf8)
      for _ in 0..<150 {
        attempt(Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))))
        var flipped = bytes
        flipped[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        attempt(flipped)
        // Swapping two stretches keeps most tokens whole, so that it gets further than flips do.
        let cuts = (0..<3).map { _ in Int.random(in: 0..<bytes.count, using: &generator) }.sorted()
        attempt(Array(bytes[..<cuts[0]] + bytes[cuts[1]..<cuts[2]] + bytes[cuts[0]..<cuts[1]] + bytes[cuts[2]...]))
        var digits = bytes
        let numbers = bytes.indices.filter { (48...57).contains(bytes[$0]) }
        if let place = numbers.randomElement(using: &generator) {
          digits.replaceSubrange(
            place...place,
            with: Array(["-1", "9223372036854775807", "0", "4294967296"].randomElement(using: &generator)!.utf8))
        }
        attempt(digits)
      }
    }
  }

  private func attempt(_ bytes: [UInt8]) {
    do throws(DiagnosticsError) {
      let graph = try Graph(parsing: String(decoding: bytes, as: UTF8.self))
      try graph.verify()
    } catch {
      #expect(!error.diagnostics.isEmpty)
      #expect(error.diagnostics.allSatisfy { $0.location.line != nil })
    }
  }
}

extension Builder {
  /// The sum of the rows, as a scan.
  fileprivate func capturing(_ rows: Tensor) throws -> Tensor {
    let row = rows.type.with(shape: Array(rows.shape.dropFirst()))
    guard let body = try? region([row, row], { _, values in [values[0] + values[1]] }) else { return poison }
    let start = constant(try NDArray(dtype: row.dtype, shape: row.shape.known ?? [], values: [.float(0), .float(0)]))
    return apply(.scan(Scan(body: body, length: rows.shape[0], carryCount: 1, sequenceCount: 1)), [start, rows])[0]
  }
}
