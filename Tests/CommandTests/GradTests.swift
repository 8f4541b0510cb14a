import Testing

@Suite struct GradTests {
  @Test func addsGradientsOfInputsAndParameters() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.run("lathe", "grad", "mlp.lathe", "--of", "y", "-o", "g.lathe")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let summary = try bench.run("lathe", "check", "g.lathe").output
    #expect(
      summary.hasPrefix(
        """
        ok: mlp
          input   x: f32[N,4]
          input   cotangent/y: f32[N,3]
          output  y: f32[N,3]
          output  grad/x: f32[N,4]
          output  grad/fc.weight: f32[3,4]
          output  grad/fc.bias: f32[3]
          15 parameters
        """))
  }

  @Test func aScalarNeedsNoCotangent() throws {
    let bench = try Workbench(["s.lathe": statistics])
    #expect(try bench.run("lathe", "grad", "s.lathe", "--of", "sum", "--wrt", "weights", "-o", "g.lathe").status == 0)
    let summary = try bench.run("lathe", "check", "g.lathe").output
    #expect(summary.contains("  output  grad/weights: f32[2,3]\n"))
    #expect(!summary.contains("cotangent"))
  }

  @Test(arguments: [
    ("--of z", "error: the model has no output 'z' to differentiate\n  help: its outputs are total, most/count, sum\n"),
    ("--of total", "error: output 'total' is i64[]: only floats have gradients\n"),
    (
      "--of sum --wrt a --wrt counts",
      """
      error: the model has no input or parameter 'a'
        help: it has counts, weights
      error: 'counts' is i64[6]: only floats have gradients

      """
    ),
  ])
  func whatHasNoGradientIsAMistake(_ options: String, _ message: String) throws {
    let bench = try Workbench(["s.lathe": statistics])
    let outcome = try bench.shell("$lathe grad s.lathe \(options) -o g.lathe")
    #expect(outcome.status == 1)
    #expect(outcome.errors == message)
    #expect(try bench.files() == ["s.lathe"])
  }

  @Test func writingONNXIsToCome() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    for command in ["grad mlp.lathe --of y", "convert mlp.lathe"] {
      let outcome = try bench.shell("$lathe \(command) -o g.onnx")
      #expect(outcome.status == 1)
      #expect(outcome.errors == "g.onnx: error: exporting ONNX is not there yet\n  help: write a .lathe file\n")
    }
    #expect(try bench.files() == ["mlp.lathe"])
  }
}
