import FoundationEssentials
import LatheCore
import LatheData
import Testing

/// `--target`: what C is written for.
@Suite struct TargetOptionTests {
  private static let window =
    "{stride: [1,1], low: [0,0], high: [0,0], input_dilation: [1,1], dilation: [1,1], groups: 1}"

  private static let network = """
    func net(%x: f32[1,8,6,6]) -> (%y: f32[1,32,6,6]) {
      var @first: f32[32,8,1,1] parameter = 0.5
      var @second: f32[32,32,1,1] parameter = 0.25
      %0 = convolution %x, @first \(window) : f32[1,32,6,6]
      %1 = abs %0 : f32[1,32,6,6]
      %2 = convolution %1, @second \(window) : f32[1,32,6,6]
      return %2
    }

    """

  @Test func autoHasVariantsThatComputeTheSame() throws {
    let bench = try Workbench(["net.lathe": Self.network])
    let input = try NDArray((0..<288).map { Float($0 % 17) - 8 }, shape: [1, 8, 6, 6])
    try input.npy().writeAtomically(to: bench.path("x.npy").path)
    let flags = "-std=c11 -O1 -Wall -Wextra -Wpedantic -Wconversion -Werror"
    let outcome = try bench.shell(
      """
      $lathe compile net.lathe -o net.c --target auto --test-bench &&
      $lathe run net.lathe --input x=x.npy --outputs out &&
      cc \(flags) net.c -o any -lm && ./any x.npy any.npy &&
      cc \(flags) -DNET_FORCED_TARGET=NET_GENERIC net.c -o generic -lm && ./generic x.npy generic.npy
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let expected = try NDArray(readingNPY: bench.path("out/output_0.npy").path).doubles
    let peak = expected.reduce(0) { max($0, abs($1)) }
    for name in ["any", "generic"] {
      let actual = try NDArray(readingNPY: bench.path("\(name).npy").path).doubles
      #expect(zip(expected, actual).allSatisfy { abs($0 - $1) <= 1e-5 * peak } && actual.count == 1152)
    }
    let source = try bench.text("net.c")
    for name in ["x86_64_v4", "x86_64_v3", "x86_64_v2", "armv8_a", "generic"] {
      #expect(source.contains("static int net_\(name)_run("))
    }
    #expect(try bench.text("net.h").contains("const char *net_target(void);"))
  }
}
