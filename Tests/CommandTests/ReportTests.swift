import Testing

@Suite struct ReportTests {
  /// A product large enough for vectors to matter.
  private static let product = """
    func main(%x: f32[64,64]) -> (%y: f32[64,64]) {
      %0 = dot %x, %x {left_batch: [], right_batch: [], left_contracting: [1], right_contracting: [0]} : f32[64,64]
      return %0
    }

    """

  @Test func factsAreInTheHeaderAndTheReport() throws {
    let bench = try Workbench(["p.lathe": Self.product])
    let outcome = try bench.run("lathe", "compile", "p.lathe", "-o", "p.c", "--report")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let header = try bench.text("p.h")
    #expect(header.contains("#define P_RUN_MULTIPLY_ADDS 262144\n"))
    let stack = try #require(header.firstMatch(of: #/#define P_STACK_BYTES (\d+)\n/#)?.output.1)
    #expect(header.contains("at most P_STACK_BYTES of stack"))
    let report = outcome.output
    #expect(report.contains("multiply-adds  262,144\n"), "\(report)")
    #expect(report.contains("weights        0 bytes"), "\(report)")
    let bound = try #require(report.firstMatch(of: #/stack +at most ([\d,]+) bytes; ([\d,]+) as gcc -O2/#)?.output)
    #expect(bound.1.filter { $0 != "," } == stack)
    #expect(report.contains(#/code +[\d,]+ bytes, as gcc -O2 compiles it\n/#), "\(report)")
  }

  @Test func whatATargetWouldGainIsSaidOnce() throws {
    let bench = try Workbench(["p.lathe": Self.product, "mlp.lathe": perceptron])
    let large = try bench.run("lathe", "compile", "p.lathe", "-o", "p.c")
    #expect(large.errors.contains("note: this is plain C for any processor: "), "\(large.errors)")
    #expect(large.errors.contains("--target auto has variants for 4 processors"), "\(large.errors)")
    let chosen = try bench.run("lathe", "compile", "p.lathe", "-o", "p.c", "--target", "generic")
    #expect(!chosen.errors.contains("plain C"))
    let small = try bench.run("lathe", "compile", "mlp.lathe", "--dim", "N=1", "-o", "m.c")
    #expect(!small.errors.contains("plain C"))
  }
}
