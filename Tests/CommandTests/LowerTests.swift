import LatheCore
import Testing

@Suite struct LowerTests {
  private func stages(_ output: String) -> [String] {
    output.split(separator: "\n").filter { $0.hasPrefix("// after ") }.map { String($0.dropFirst(9)) }
  }

  @Test func printsThePlannedProgram() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "lower", "mlp.lathe", "--dim", "N=2", "--verify-each")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("// arena "))
    let program = try Program(parsing: outcome.output)
    #expect(program.name == "mlp")
    #expect(program.inputs.map(\.type) == [.f32(2, 4)])
  }

  @Test func printsEveryStage() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "lower", "mlp.lathe", "--dim", "N=2", "--print-after", "all")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      stages(outcome.output).map { String($0.prefix { $0 != " " }) } == [
        "freeze-variables", "drop-detach", "simplify", "fold-constants", "fold-batch-norm", "simplify",
        "fold-constants",
        "lower", "drop-unused-constants", "share-storage", "plan",
      ])
  }

  @Test func printsOneStage() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run(
      "lathe", "lower", "mlp.lathe", "--dim", "N=2", "--print-after", "lower", "--target", "x86-64-v3")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(stages(outcome.output) == ["lower"])
    #expect(try Program(parsing: outcome.output).target.name == "x86-64-v3")
  }

  /// Bisection: without a rewrite, nothing changes behind `lower`.
  @Test func stopsAfterSoManyRewrites() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run(
      "lathe", "lower", "mlp.lathe", "--dim", "N=2", "--print-after", "all", "--stop-after", "0")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      stages(outcome.output).filter { $0.hasPrefix("s") || $0.hasPrefix("drop") }.allSatisfy {
        $0.hasSuffix("(unchanged)")
      })
  }

  @Test func sizesMustBeKnown() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "lower", "mlp.lathe")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("error: the size N is not known"))
  }
}
