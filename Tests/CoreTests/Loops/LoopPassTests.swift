import LatheCore
import TestSupport
import Testing

/// Passes over loop programs: text in, text out.
@Suite struct LoopPassTests {
  private static let head = "program p for \"generic\" {vector_bytes: 0, registers: 16, l1_bytes: 1, l2_bytes: 1} {\n"

  /// Expects that a pass makes of one program another; both are verified.
  private func expect(
    _ before: String, _ pass: LoopPass, _ after: String, limit: Int? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let given = try Program(parsing: Self.head + before + "}")
    try given.verify()
    var budget = RewriteBudget(limit: limit)
    let result = pass.run(given, &budget)
    try result.verify()
    #expect(result.text == (try Program(parsing: Self.head + after + "}").text), sourceLocation: sourceLocation)
  }

  private func unary(_ name: String, _ result: String, _ operand: String, inPlace: String = "") -> String {
    """
    kernel \(name) "\(name)"\(inPlace.isEmpty ? "" : " {in_place: [\(inPlace)]}") {
      for i0 < 4 vector { \(result)[i0] = negate(\(operand)[i0]) }
    }

    """
  }

  @Test func constantsThatNobodyReadsAreDropped() throws {
    let kernels = unary("a", "y", "w")
    let steps = "steps { run a }\n"
    let kept = "output y: f32[4]\nconstant w: f32[4] = 1.0\n"
    try expect(
      "output y: f32[4]\nconstant v: f32[4] = 2.0\nconstant w: f32[4] = 1.0\n" + kernels + steps, .dropUnusedConstants,
      kept + kernels + steps)
    try expect(kept + kernels + steps, .dropUnusedConstants, kept + kernels + steps)
    let both = "output y: f32[4]\nconstant v: f32[4] = 2.0\nconstant w: f32[4] = 1.0\n" + kernels + steps
    try expect(both, .dropUnusedConstants, both, limit: 0)
  }

  @Test func resultsTakeTheStorageOfOperandsThatDie() throws {
    let buffers = "input x: f32[4]\noutput y: f32[4]\ntemporary s: f32[4]\ntemporary t: f32[4]\n"
    let steps = "steps {\n run a\n run b\n run c\n}\n"
    try expect(
      buffers + unary("a", "s", "x", inPlace: "x") + unary("b", "t", "s", inPlace: "s")
        + unary("c", "y", "t", inPlace: "t") + steps,
      .shareStorage,
      buffers + unary("a", "s", "x", inPlace: "x") + unary("b", "s", "s", inPlace: "s")
        + unary("c", "y", "s", inPlace: "s") + steps)
  }

  @Test func operandsThatAreReadLaterKeepTheirStorage() throws {
    let text =
      "input x: f32[4]\noutput y: f32[4]\noutput z: f32[4]\ntemporary s: f32[4]\ntemporary t: f32[4]\n"
      + unary("a", "s", "x") + unary("b", "t", "s", inPlace: "s") + unary("c", "y", "t", inPlace: "t")
      + unary("d", "z", "s", inPlace: "s") + "steps {\n run a\n run b\n run c\n run d\n}\n"
    try expect(text, .shareStorage, text)
  }

  @Test func operandsOfAnotherTypeKeepTheirStorage() throws {
    let text =
      "input x: f32[4]\noutput y: f64[4]\ntemporary s: f32[4]\ntemporary t: f64[4]\n" + unary("a", "s", "x")
      + "kernel b \"b\" {in_place: [s]} {\n for i0 < 4 vector { t[i0] = f64(s[i0]) }\n}\n"
      + unary("c", "y", "t", inPlace: "t") + "steps {\n run a\n run b\n run c\n}\n"
    try expect(text, .shareStorage, text)
  }

  @Test func storageIsSharedInsideOfOneIterationOnly() throws {
    // `s` is made before the loop and read in every iteration.
    let text =
      "input x: f32[4]\noutput y: f32[4]\ntemporary s: f32[4]\ntemporary t: f32[4]\n" + unary("a", "s", "x")
      + unary("b", "t", "s", inPlace: "s") + unary("c", "y", "t", inPlace: "t")
      + "steps {\n run a\n for t2 < 3 {\n run b\n run c\n }\n}\n"
    try expect(text, .shareStorage, text)
  }

  @Test("live ranges decide which temporaries may overlap in the arena")
  func liveness() throws {
    let program = try Program(
      parsing: Self.head + "input x: f32[4]\noutput y: f32[4]\ntemporary s: f32[4]\ntemporary t: f32[4]\n"
        + "temporary u: f32[4]\n" + unary("a", "s", "x") + unary("b", "t", "s") + unary("c", "u", "t")
        + unary("d", "y", "u") + "steps {\n run a\n run b\n run c\n run d\n}\n}")
    let planned = try PlannedProgram(planning: program)
    #expect(planned.arenaBytes == 128)
    #expect(planned.offsets[2] == planned.offsets[4])
    #expect(planned.offsets[2] != planned.offsets[3])
  }

  @Test func whatIsMadeInALoopAndReadBehindItLivesThroughTheLoop() throws {
    let program = try Program(
      parsing: Self.head + "input x: f32[4]\noutput y: f32[4]\ntemporary s: f32[4]\ntemporary t: f32[4]\n"
        + "temporary u: f32[4]\n" + unary("a", "s", "x") + unary("b", "t", "s") + unary("c", "u", "t")
        + unary("d", "y", "u") + "steps {\n for t2 < 3 {\n run a\n run b\n run c\n }\n run d\n}\n}")
    let planned = try PlannedProgram(planning: program)
    // `u` of one iteration is read behind the loop, in which `s` and `t` are written again.
    #expect(Set([2, 3, 4].compactMap { planned.offsets[$0] }).count == 3)
  }
}
