import FoundationEssentials
import LatheCore
import LatheData
import Testing

/// `--conv`: how convolutions are computed.
@Suite struct ConvolutionTests {
  private static func window(_ padding: Int) -> String {
    let border = "[\(padding),\(padding)]"
    return
      "{stride: [1,1], low: \(border), high: \(border), input_dilation: [1,1], dilation: [1,1], groups: 1}"
  }

  /// A 3x3 convolution between pointwise ones.
  private static var network: String {
    """
    func net(%x: f32[1,4,8,8]) -> (%y: f32[1,16,8,8]) {
      var @first: f32[16,4,1,1] parameter = 0.5
      var @second: f32[16,16,3,3] parameter = 0.25
      var @third: f32[16,16,1,1] parameter = 0.5
      %0 = convolution %x, @first \(window(0)) : f32[1,16,8,8]
      %1 = convolution %0, @second \(window(1)) : f32[1,16,8,8]
      %2 = abs %1 : f32[1,16,8,8]
      %3 = convolution %2, @third \(window(0)) : f32[1,16,8,8]
      return %3
    }

    """
  }

  @Test("C is written by the method that is asked for", arguments: [("direct", false), ("winograd", true)])
  func compiles(method: String, isTransformed: Bool) throws {
    let bench = try Workbench(["net.lathe": Self.network])
    let outcome = try bench.run(
      "lathe", "compile", "net.lathe", "-o", "net.c", "--target", "x86-64-v3", "--conv", method)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try bench.text("net.c").contains("winograd_products") == isTransformed)
  }

  @Test func weightsGrowWithinALimit() throws {
    let bench = try Workbench(["net.lathe": Self.network])
    func compiled(_ limit: String) throws -> Int32 {
      try bench.shell(
        "$lathe compile net.lathe -o net.c --target x86-64-v3 --conv winograd --weight-growth=\(limit)"
      ).status
    }
    #expect(try compiled("0.1") == 0)
    #expect(try !bench.text("net.c").contains("winograd_products"))
    #expect(try compiled("3") == 0)
    #expect(try bench.text("net.c").contains("winograd_products"))
    for wrong in ["nan", "-1", "much"] { #expect(try compiled(wrong) == 64, "\(wrong)") }
  }

  @Test("results agree with the interpreter's", arguments: ["direct", "winograd", "auto"])
  func runs(method: String) throws {
    let bench = try Workbench(["net.lathe": Self.network])
    let outcome = try bench.shell(
      """
      $lathe run net.lathe --seed 1 --outputs a &&
      LATHE_CACHE=cache $lathe run net.lathe --seed 1 --backend native --conv \(method) --outputs b
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let expected = try NDArray(readingNPY: bench.path("a/output_0.npy").path).doubles
    let actual = try NDArray(readingNPY: bench.path("b/output_0.npy").path).doubles
    #expect(expected.count == 1024 && actual.count == 1024)
    let peak = expected.reduce(0) { max($0, abs($1)) }
    #expect(zip(expected, actual).allSatisfy { abs($0 - $1) <= 1e-5 * peak })
  }
}
