import LatheCore
import TestSupport
import Testing

/// Numbers that are handed out and taken back: `exchange` in graphs, buckets in programs.
@Suite struct ExchangeTests {
  /// Two layers' gradients, the last layer's first, each handed out behind both, and what is made of them.
  private static let text = """
    func g(%x: f32[4,3], %y: f32[4,5]) -> (%p: f32[3,3], %q: f32[5,5], %r: f32[]) {
      %0 = dot %y, %y {left_batch: [], right_batch: [], left_contracting: [0], right_contracting: [0]} : f32[5,5]
      %1 = dot %x, %x {left_batch: [], right_batch: [], left_contracting: [0], right_contracting: [0]} : f32[3,3]
      %2 = reduce_sum %x {axes: [0,1]} : f32[]
      %3 = exchange %1 {label: first.weight, bucket_bytes: 64} : f32[3,3]
      %4 = exchange %0 {label: "last weight", bucket_bytes: 64} : f32[5,5]
      %5 = exchange %2 {label: first.bias, bucket_bytes: 64} : f32[]
      %6 = add %3, %3 : f32[3,3]
      %7 = exp %4 : f32[5,5]
      return %6, %7, %5
    }
    """

  private static func program(_ text: String, target: Target = .generic) throws -> Program {
    let graph = try Graph(parsing: text)
    return try Program(lowering: Pipeline.training.run(graph).graph, target: target)
  }

  @Test func graphsReadWhatTheyWrite() throws {
    let graph = try Graph(parsing: Self.text)
    #expect(try Graph(parsing: graph.text) == graph)
    #expect(graph.text.contains("{label: \"last weight\", bucket_bytes: 64}"))
  }

  @Test(
    "what is wrong is told",
    arguments: [
      ("f64[3]", "label: a, bucket_bytes: 4", "'a' is f64[3], numbers are handed out as f32"),
      ("f32[3]", "label: a, bucket_bytes: 0", "a bucket of 0 bytes holds nothing"),
      ("f32[3]", "label: a", "attribute 'bucket_bytes' is missing"),
    ])
  func faults(type: String, attributes: String, message: String) throws {
    let text = "func g(%x: \(type)) -> (%y: \(type)) {\n  %0 = exchange %x {\(attributes)} : \(type)\n  return %0\n}"
    let error = #expect(throws: DiagnosticsError.self) { try Graph(parsing: text) }
    #expect("\(try #require(error))".contains(message))
  }

  @Test func itHasNoGradientAndNoPlaceInSubGraphs() throws {
    let builder = Builder()
    let x = builder.input("x", .f32(3))
    let sum = x.exchanged(label: "x", bucketBytes: 4).reduce(.sum, axes: [0])
    let gradients = builder.gradients(of: [(sum, builder.scalar(.float(1), .f32))], withRespectTo: [x])
    let error = #expect(throws: DiagnosticsError.self) {
      try builder.finish(name: "g", outputs: [("x", gradients[0])])
    }
    #expect("\(try #require(error))".contains("has no gradient"))
    let inner = """
      func g(%x: f32[2]) -> (%y: f32[2]) {
        %0 = call %x {kept: false, body: func body(%a: f32[2]) -> (%b: f32[2]) {
          %0 = exchange %a {label: a, bucket_bytes: 4} : f32[2]
          return %0
        }} : f32[2]
        return %0
      }
      """
    let fault = #expect(throws: DiagnosticsError.self) { try Graph(parsing: inner) }
    #expect("\(try #require(fault))".contains("numbers are handed out in a sub-graph"))
  }

  @Test func literalsAreHandedOutToo() throws {
    let builder = Builder()
    let zeros = builder.full(.f32(3), .float(0))
    let graph = try builder.finish(name: "g", outputs: [("y", zeros.exchanged(label: "z", bucketBytes: 4))])
    let program = try Program(lowering: Pipeline.training.run(graph).graph)
    #expect(program.exchangedGradients.map(\.name) == ["z"])
  }

  @Test("each follows what it hands out, and buckets are ready as soon as they are complete")
  func order() throws {
    let program = try Self.program(Self.text)
    // 100 bytes fill the first bucket; the second has what is left.
    let known = program.exchangedGradients
    #expect(known.map(\.name) == ["last weight", "first.weight", "first.bias"])
    #expect(known.map(\.bucket) == [0, 1, 1] && known.map(\.offset) == [0, 0, 9] && known.map(\.count) == [25, 9, 1])
    let words = program.steps.map { step in
      switch step {
      case .kernel: "run"
      case .ready(let bucket): "ready \(bucket)"
      case .wait(let bucket): "wait \(bucket)"
      default: "?"
      }
    }
    #expect(words.prefix(5) == ["run", "ready 0", "run", "run", "ready 1"])
    #expect(words.count { $0.hasPrefix("wait") } == 2)
    #expect(try Program(parsing: program.text) == program)
  }

  @Test("they lie behind each other, and results are those of the graph", arguments: Target.all)
  func memory(target: Target) throws {
    let program = try Self.program(Self.text, target: target)
    let planned = try PlannedProgram(planning: program)
    try planned.verify()
    let offsets = try program.exchanged.map { try #require(planned.offsets[$0.position]) }
    #expect(offsets[0] % 64 == 0 && offsets.map { $0 - offsets[0] } == [0, 100, 136])
    var moved = planned
    moved.offsets[program.exchanged[1].position]? += 4
    #expect(throws: DiagnosticsError.self) { try moved.verify() }
    let inputs = [
      "x": try NDArray((0..<12).map { Float($0) / 8 }, shape: [4, 3]),
      "y": try NDArray((0..<20).map { Float($0) / 32 }, shape: [4, 5]),
    ]
    let expected = try ReferenceEvaluator.run(Graph(parsing: Self.text), inputs: inputs).outputs
    var evaluator = ProgramEvaluator(planned)
    for (name, array) in try evaluator.run(inputs) {
      for (a, b) in zip(array.doubles, try #require(expected[name]).doubles) {
        #expect(abs(a - b) <= 1e-5 * max(1, abs(b)))
      }
    }
  }

  /// The second gradient needs the first one as it comes back: one bucket for both would wait for itself.
  @Test func aBucketEndsBeforeWhatNeedsIt() throws {
    let program = try Self.program(
      """
      func g(%x: f32[4]) -> (%y: f32[4]) {
        %0 = exp %x : f32[4]
        %1 = exchange %0 {label: a, bucket_bytes: 1000} : f32[4]
        %2 = add %1, %x : f32[4]
        %3 = exchange %2 {label: b, bucket_bytes: 1000} : f32[4]
        return %3
      }
      """)
    #expect(program.exchangedGradients.map(\.bucket) == [0, 1])
    try program.verify()
  }

  @Test("inputs, other exchanges and what is read elsewhere as well are copied where they are handed out")
  func copies() throws {
    let text = """
      func g(%x: f32[4]) -> (%a: f32[4], %b: f32[4], %c: f32[4]) {
        %0 = exp %x : f32[4]
        %1 = exchange %0 {label: a, bucket_bytes: 16} : f32[4]
        %2 = exchange %1 {label: b, bucket_bytes: 16} : f32[4]
        %3 = exchange %x {label: c, bucket_bytes: 16} : f32[4]
        %4 = add %0, %1 : f32[4]
        return %4, %2, %3
      }
      """
    let program = try Self.program(text)
    #expect(program.exchangedGradients.count == 3)
    var evaluator = ProgramEvaluator(try PlannedProgram(planning: program))
    let outputs = try evaluator.run(["x": NDArray([0, 0, 0, 0] as [Float])])
    #expect(outputs["a"]?.doubles == [2, 2, 2, 2] && outputs["b"]?.doubles == [1, 1, 1, 1])
  }

  @Test(
    "the verifier knows what may not be",
    arguments: [
      ("run a\nready 0\nwait 0\nrun b", ""),
      ("run a\nrun b", "bucket 0 is ready in steps [] and waited for in steps []"),
      ("run a\nwait 0\nready 0\nrun b", "bucket 0 is ready in steps [2] and waited for in steps [1]"),
      ("run a\nready 0\nready 0\nwait 0\nrun b", "bucket 0 is ready in steps [1, 2]"),
      ("run a\nready 0\nrun b\nwait 0", "step 2 touches 't' of bucket 0, which is handed out"),
      ("run a\nready 0\nwait 0\nrun a\nrun b", "step 3 writes 't' of bucket 0, which is handed out"),
      ("ready 0\nwait 0\nrun a\nrun b", "step 2 writes 't' of bucket 0, which is handed out"),
      ("run a\nready 0\nfor t1 < 2 { wait 0 }\nrun b", "a bucket is handed out inside of a loop or branch"),
    ])
  func verifier(steps: String, message: String) throws {
    let faults = try Self.faults(steps, written: 4)
    #expect(message.isEmpty ? faults.isEmpty : faults.contains { $0.contains(message) }, "\(faults)")
  }

  @Test func whatIsHandedOutIsWritten() throws {
    let faults = try Self.faults("run a\nready 0\nwait 0\nrun b", written: 3)
    #expect(faults.contains { $0.contains("'t' is handed out before it is written as a whole") }, "\(faults)")
  }

  /// What the verifier says of a program whose kernel `a` writes some elements of a bucket, which `b` reads.
  private static func faults(_ steps: String, written: Int) throws -> [String] {
    let program = try Program(
      parsing: """
        program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
          input x: f32[4]
          output y: f32[4]
          temporary t: f32[4]
          bucket [w in t]
          kernel a "a" {
            for i0 < \(written) vector { t[i0] = x[i0] }
          }
          kernel b "b" {
            for i0 < 4 vector { y[i0] = t[i0] }
          }
          steps {
            \(steps)
          }
        }
        """)
    do {
      try program.verify()
      return []
    } catch {
      return error.diagnostics.map(\.message)
    }
  }
}
