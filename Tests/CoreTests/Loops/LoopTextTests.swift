import LatheCore
import TestSupport
import Testing

/// The text form of loop programs.
@Suite struct LoopTextTests {
  private func check(_ program: Program) throws {
    let text = program.text
    let read = try Program(parsing: text)
    #expect(read.text == text)
    #expect(read == program, "\(program)")
  }

  @Test("programs of random graphs come back from their text", arguments: 0..<40)
  func random(_ seed: Int) throws {
    let graph = try RandomGraph(seed: UInt64(seed)).graph
    for target in [Target.generic, .x86V4, .cortexM4F, .nextToNoCache] {
      try check(Program(lowering: graph, target: target))
    }
  }

  @Test("programs of primitives come back from their text", arguments: PrimitiveCase.all)
  func primitives(_ row: PrimitiveCase) throws {
    for dtype in row.dtypes { try check(Program(lowering: row.graph(dtype))) }
  }

  @Test("layouts, borders and packed and transformed constants come back", arguments: try ImageGraph.all())
  func images(_ row: ImageGraph) throws {
    for target in [Target.x86V4, .x86V2.sharing(with: .x86V4)] {
      try check(Program(lowering: row.graph, target: target, convolutions: .winograd))
    }
  }

  @Test("what a program's target is comes back with it")
  func targets() throws {
    let graph = try Graph(
      parsing: "func f(%x: f32[64,4]) -> (%y: f32[64]) { %0 = reduce_sum %x {axes: [1]} : f32[64] return %0 }")
    for isInterpreted in [false, true] {
      let target = Target(name: "t", vectorBytes: 16, registers: 16, longSum: 40, isInterpreted: isInterpreted)
      let program = try Program(lowering: graph, target: target)
      #expect(try Program(parsing: program.text).target == target)
    }
  }

  @Test func showsKernelsAsLoops() throws {
    let graph = try Graph(
      parsing: """
        func mlp(%x: f32[2,4]) -> (%"the sum": f32[2,4]) {
          %0 = constant [1.0, 2.0, 3.0, 4.0] : f32[4]
          %1 = broadcast %0 {shape: [2, 4], axes: [1]} : f32[2,4]
          %2 = add %x, %1 : f32[2,4]
          return %2
        }
        """)
    #expect(
      try Program(lowering: graph).text == """
        program mlp for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
          input x: f32[2,4]
          output the_sum "the sum": f32[2,4]
          constant weight: f32[4] = [1.0, 2.0, 3.0, 4.0]
          kernel add "add" {in_place: [x], nodes: [2, 3]} {
            for i0 < 2 {
              for i1 < 4 vector {
                the_sum[4*i0 + i1] = add(x[4*i0 + i1], weight[i1])
              }
            }
          }
          steps {
            run add
          }
        }

        """)
  }

  @Test(
    "a mistake is told with its place",
    arguments: [
      ("program p {", "1:11: error: expected 'for', found '{'"),
      ("run b", "8:9: error: there is no kernel 'b'"),
      ("y[0] = x[i7]", "6:14: error: expected a loop variable or a register that is declared, found 'i7'"),
      ("y[0] = frob(x[0])", "6:12: error: there is no scalar function 'frob'"),
      ("y[0] = 1.5:i32", "6:12: error: '1.5' is no i32"),
      ("z[0] = x[0]", "6:5: error: there is no buffer 'z'"),
      ("when 3 <= 0 < 1 { }", "6:10: error: the range ends before it begins"),
      ("y[0] = add(x[0])", "6:12: error: add has 2 operands, 1 are given"),
      ("constant", "4:18: error: expected a literal, found '}'"),
    ])
  func mistakes(_ text: String, _ fault: String) throws {
    let isStatement = text.contains("[") || text.hasPrefix("when")
    let whole =
      text.hasPrefix("program")
      ? text
      : """
      program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 1, l2_bytes: 1} {
        input x: f32[4]
        output y: f32[4]
      \(text == "constant" ? "  constant c: f32[] = }" : "")
        kernel a "a" {
          \(isStatement ? text : "")
        }
        steps { \(isStatement || text == "constant" ? "run a" : text) }
      }
      """
    #expect {
      try Program(parsing: whole, file: "a")
    } throws: {
      let told = "\($0)"
      return told == "a:" + fault || "\(told)".hasPrefix("a:") && told.contains(fault.drop { $0 != "e" })
    }
  }
}
