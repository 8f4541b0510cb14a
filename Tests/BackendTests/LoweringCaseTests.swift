import LatheC
import LatheCore
import LatheRun
import TestSupport
import Testing

/// What lowering once got wrong, by both back-ends.
@Suite struct LoweringCaseTests {
  @Test("the interpreter computes what the graphs mean, on any number of threads", arguments: try LoweringCase.all())
  func interpreter(_ row: LoweringCase) throws {
    for target in [Target.generic, .interpreter, .x86V2, .x86V3] {
      let planned = try PlannedProgram(planning: Program(lowering: row.graph, target: target))
      for threads in 1...3 {
        var session = Session(try Executable(planned), threads: threads)
        let actual = try session.run(planned.program, row.inputs)
        #expect(RandomGraph.differences(actual, row.outputs) == [], "\(target.name)")
      }
    }
  }

  @Test("C computes what the graphs mean, and touches nothing outside")
  func c() throws {
    let flags = ["-std=c11", "-O1", "-march=native", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    let cases = try LoweringCase.all().map {
      try CEmissionTests.Case(label: $0.name, graph: $0.graph, inputs: $0.inputs)
    }
    for target in [Target.generic, try Backends.host(), .cortexM4F] {
      try CEmissionTests.check(cases, compilers: CBench.compilers, flags: flags, target: target)
    }
  }
}
