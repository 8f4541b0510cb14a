import Foundation
import LatheCore
import TestSupport
import Testing

/// Loop programs that lowering must never make, and what the verifier says of them.
@Suite struct ProgramVerifierTests {
  /// A program of one kernel from `x` and indices `n` to `y`, with a temporary `t` of eight elements.
  private static func program(_ statements: String, kernel: String = "k \"k\"") -> String {
    """
    program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
      input x: f32[4,8]
      input n: i64[8]
      output y: f32[4,8]
      temporary t: f32[8]
      kernel write "write" {
        for i0 < 32 vector {
          y[i0] = 0.0:f32
        }
      }
      kernel \(kernel) {
    \(statements)
      }
      steps {
        run write
        run k
      }
    }
    """
  }

  private static func faults(_ text: String) throws -> String {
    do {
      try Program(parsing: text).verify()
      return ""
    } catch { return "\(error)" }
  }

  @Test(
    "what is wrong is told with the kernel and the statement",
    arguments: [
      ("for i0 < 4 { y[i0] = x[i0] }\ny[0] = x[i0]", "loop variable i0 is not in scope"),
      ("for i0 < 4 { let r0: f32 = x[i0] }\ny[0] = r0", "register r0 is not in scope"),
      ("for i0 < 4 { local %a0: f32[4] }\n%a0[0] = 0.0:f32", "local array a0 is not in scope"),
      ("let r0: f32 = x[0]\nlet r0: f32 = x[1]\ny[0] = r0", "register r0 is declared twice"),
      ("for i0 < 4 { for i0 < 4 { y[i0] = 0.0:f32 } }", "i0 is bound by a loop around already"),
      ("y[0] = add(x[0], 1:i64)", "add has operands of types f32, i64"),
      ("y[0] = exp(f32(n[0]))\ny[1] = f32(exp(n[0]))", "exp is not defined on i64, only on floats"),
      ("y[0] = n[0]", "a value of type i64 is stored where elements are f32"),
      ("if x[0] { y[0] = 0.0:f32 }", "a value is f32 where bool belongs"),
      ("let r0: f32 = x[0]\ny[0] = x[r0]", "register r0, which is f32, stands in an index"),
      ("x[0] = 0.0:f32", "it writes the input 'x'"),
      (
        "for i0 < 4 { for i1 < min(4, i0) unrolled { y[i1] = 0.0:f32 } }",
        "the ends of an unrolled loop are not constant"
      ),
      ("for 1 <= i0 < 4 lanes { y[i0] = 0.0:f32 }", "a loop over lanes does not run from 0 to a constant"),
      (
        "for i0 < 4 lanes { for i1 < 4 { y[4*i0 + i1] = 0.0:f32 } }",
        "a loop over lanes has a body that is not straight"
      ),
      (
        "local %a0: f32[8] in vectors of 4\nfor i0 < 8 { %a0[i0] = 0.0:f32 }",
        "a loop that is not unrolled decides a place in registers"
      ),
      // accesses
      ("for i0 < 33 { y[i0] = 0.0:f32 }", "y[i0] is not known to be one of 32 elements: it may lie in 0 ... 32"),
      ("for i0 < 4 { y[8*i0 - 1] = 0.0:f32 }", "it may lie in -1 ... 23"),
      ("let r0: i64 = n[0]\ny[0] = x[r0]", "it may lie in -inf ... inf"),
      ("for i0 < 4 { when 0 <= i0 + 1 < 4 { y[8*i0 + 16] = 0.0:f32 } }", "it may lie in 16 ... 32"),
      // definedness
      ("y[0] = t[0]", "elements of t are read that may not have been written"),
      ("for i0 < 7 { t[i0] = 0.0:f32 }\nfor i1 < 8 { y[i1] = t[i1] }", "elements of t are read that may not"),
      ("let r0: i64 = n[0]\nwhen 0 <= r0 < 8 { t[r0] = 0.0:f32 }\ny[0] = t[0]", "elements of t are read that may not"),
      ("local %a0: f32[4]\ny[0] = %a0[0]", "elements of a0 are read that may not have been written"),
      // races
      ("for i0 < 4 parallel { y[0] = x[i0] }", "the parallel loop over i0 may write what others of it have written"),
      ("for i0 < 4 parallel { for i1 < 9 { y[7*i0 + i1] = 0.0:f32 } }", "may write what others of it have written"),
      ("for i0 < 7 vector { y[i0] = y[i0 + 1] }", "the vector loop over i0 may write what others of it have read"),
      ("for i0 < 7 unrolled { y[i0 + 1] = y[i0] }", "the unrolled loop over i0 may write what others of it have read"),
      (
        "local %a0: f32[4]\n%a0[0] = 0.0:f32\nfor i0 < 4 unrolled { %a0[0] = add(%a0[0], x[i0]) }\ny[0] = %a0[0]",
        "the unrolled loop over i0 may write what others of it have"
      ),
      (
        "let r0: f32 = 0.0:f32\nfor i0 < 4 parallel { r0 = add(r0, x[i0]) }",
        "register r0 is written by iterations that may run at once"
      ),
      (
        "part { for i0 < 4 { y[i0] = 0.0:f32 } }\npart { for i1 < 4 { y[i1 + 3] = 0.0:f32 } }",
        "parts 0 and 1 write the same elements of y"
      ),
      (
        "part { for i0 < 4 { y[i0] = 0.0:f32 } }\npart { for i1 < 4 { y[i1 + 4] = y[i1 + 3] } }",
        "part 1 reads elements of y that part 0 writes"
      ),
    ])
  func tells(_ statements: String, _ fault: String) throws {
    let faults = try Self.faults(Self.program(statements))
    #expect(faults.contains("error: kernel 'k': "), "\(faults)")
    #expect(faults.contains(fault), "\(faults)")
    #expect(faults.contains("this is a mistake in Lathe, please report it, with the kernel's text:"))
  }

  @Test(
    "what can be shown is no fault",
    arguments: [
      // a restricted loop, a condition, a sum of two variables between bounds
      "for i0 < 4 { for max(0, -i0 + 1) <= i1 < min(3, -i0 + 5) { y[i0 + i1 - 1] = 0.0:f32 } }",
      "for i0 < 4 { for i1 < 3 { when 0 <= i0 + i1 - 1 < 4 { y[8*i0 + 8*i1 - 8] = 0.0:f32 } } }",
      "for i0 < 3 { for i1 < min(16, -16*i0 + 32) vector { y[16*i0 + i1] = 0.0:f32 } }",
      // divisions
      "for i0 < 6 { when mod(i0, 2) = 0 { y[8*floor((i0) / 2)] = 0.0:f32 } }",
      "for i0 < 12 { y[8*floor((i0) / 3) + mod(i0, 3)] = 0.0:f32 }",
      // data
      "let r0: i64 = checked(n[0], 4)\ny[0] = x[8*r0 + 7]",
      "let r0: i64 = maximum(minimum(n[0], 3:i64), 0:i64)\ny[0] = x[8*r0 + 7]",
      "let r0: i64 = n[0]\ny[0] = (0 <= r0 < 4 ? x[8*r0] : 0.0:f32)",
      // what is written in pieces
      "for i0 < 4 { t[2*i0] = 0.0:f32 }\nfor i0 < 4 { t[2*i0 + 1] = 0.0:f32 }\nfor i1 < 8 { y[i1] = t[i1] }",
      "for i0 < 3 { for i1 < min(3, -3*i0 + 8) { t[3*i0 + i1] = 0.0:f32 } }\nfor i2 < 8 { y[i2] = t[i2] }",
      // iterations that do not meet
      "for i0 < 4 parallel { for i1 < 8 { y[8*i0 + i1] = 0.0:f32 } }",
      "for i0 < 8 parallel { for i1 < 4 { y[i0 + 8*i1] = add(y[i0 + 8*i1], x[i0]) } }",
      "part { for i0 < 4 { y[2*i0] = 0.0:f32 } }\npart { for i1 < 4 { y[2*i1 + 1] = 0.0:f32 } }",
    ])
  func accepts(_ statements: String) throws { #expect(try Self.faults(Self.program(statements)) == "") }

  @Test func outputsAreWrittenAsAWhole() throws {
    let text = Self.program("y[0] = 0.0:f32").replacingOccurrences(of: "i0 < 32", with: "i0 < 31")
    #expect(try Self.faults(text).contains("error: program 'p': output 'y' is not written as a whole"))
  }

  @Test func aConditionDoesNotCountAsWritten() throws {
    let steps = """
          if c {
            run fill
          } else {
          }
          run k
      """
    let text = Self.program("y[0] = t[0]")
      .replacingOccurrences(of: "  input n", with: "  input c: bool[]\n  input n")
      .replacingOccurrences(
        of: "  kernel k", with: "  kernel fill \"fill\" {\n    for i0 < 8 { t[i0] = 0.0:f32 }\n  }\n  kernel k")
    let branched = text.replacingOccurrences(of: "    run k\n", with: steps + "\n")
    #expect(try Self.faults(branched).contains("elements of t are read that may not have been written"))
    let both = branched.replacingOccurrences(of: "} else {", with: "} else {\n        run fill")
    #expect(try Self.faults(both) == "")
  }

  @Test func slabsAreWrittenBeforeTheyAreReadInEachIteration() throws {
    func faults(_ place: String) throws -> String {
      try Self.faults(
        """
        program p for "generic" {vector_bytes: 0, registers: 16, l1_bytes: 32768, l2_bytes: 262144} {
          input x: f32[4,8]
          output y: f32[4,8]
          output z: f32[4,8]
          kernel a(t2 < 4) "a" {
            for i0 < 8 { y[i0 + 8*t2] = x[i0 + 8*t2] }
          }
          kernel b(t2 < 4) "b" {
            for i0 < 8 { z[i0 + 8*t2] = y[\(place)] }
          }
          steps {
            for t2 < 4 {
              run a
              run b
            }
          }
        }
        """)
    }
    #expect(try faults("i0 + 8*t2") == "")
    #expect(try faults("i0") == "")
    #expect(try faults("i0 - 8*t2 + 24").contains("elements of y are read that may not have been written"))
  }
}
