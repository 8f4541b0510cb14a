import Foundation
import LatheCore
import LatheData
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

  /// In f64, where central differences have about ten digits.
  @Test func gradientsAreThoseOfCentralDifferences() throws {
    let bench = try Workbench([
      "s.lathe": """
      func main(%x: f64[3], %w: f64[3]) -> (%y: f64[]) {
        %0 = multiply %x, %w : f64[3]
        %1 = tanh %0 : f64[3]
        %2 = reduce_sum %1 {axes: [0]} : f64[]
        return %2
      }

      """
    ])
    func inputs(_ w: [Double]) throws {
      let members = try [("x", [0.5, -1, 2]), ("w", w)].map { NamedArray(name: $0, array: try NDArray($1, shape: [3])) }
      try NPZ(members).write(to: bench.path("in.npz").path)
    }
    func result(_ model: String, _ name: String) throws -> [Double] {
      let outcome = try bench.run("lathe", "run", model, "--inputs", "in.npz", "--outputs", "out.npz")
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try #require(NPZ(reading: bench.path("out.npz").path).members.first { $0.name == name }).array.doubles
    }
    #expect(try bench.run("lathe", "grad", "s.lathe", "--of", "y", "--wrt", "w", "-o", "g.lathe").status == 0)
    let (w, step) = ([0.3, 0.7, -0.2], 1e-5)
    try inputs(w)
    let gradient = try result("g.lathe", "grad/w")
    for axis in w.indices {
      var values: [Double] = []
      for sign in [1.0, -1] {
        var moved = w
        moved[axis] += sign * step
        try inputs(moved)
        values.append(try result("s.lathe", "y")[0])
      }
      #expect(abs(gradient[axis] - (values[0] - values[1]) / (2 * step)) < 1e-9)
    }
  }

  @Test func aScalarNeedsNoCotangent() throws {
    let bench = try Workbench(["s.lathe": statistics])
    #expect(try bench.run("lathe", "grad", "s.lathe", "--of", "sum", "--wrt", "weights", "-o", "g.lathe").status == 0)
    let summary = try bench.run("lathe", "check", "g.lathe").output
    #expect(summary.contains("  output  grad/weights: f32[2,3]\n"))
    #expect(!summary.contains("cotangent"))
  }

  @Test(arguments: [
    (
      "--of z",
      "s.lathe: error: the model has no output 'z' to differentiate\n  help: its outputs are total, most/count, sum\n"
    ),
    ("--of total", "s.lathe: error: output 'total' is i64[]: only floats have gradients\n"),
    (
      "--of sum --wrt a --wrt counts",
      """
      s.lathe: error: the model has no input or parameter 'a'
        help: it has counts, weights
      s.lathe: error: 'counts' is i64[6]: only floats have gradients

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
}
