import Foundation
import LatheC
import LatheCore
import TestSupport
import Testing

/// Winograd's convolutions as C.
@Suite struct WinogradEmissionTests {
  private static func outputs(
    _ target: Target, compiler: String, flags: [String], threads: CBench.Threads = CBench.Threads(.none, count: 1)
  ) throws -> [[String: NDArray]] {
    let models = try ImageGraph.smallWindows().enumerated().map { position, row in
      let program = try Program(lowering: row.graph, target: target, convolutions: .winograd)
      let planned = try PlannedProgram(planning: program)
      let options = COptions(name: "c\(position)", threads: threads.form, uniformEntry: true)
      return CBench.Model(files: emitC(planned, options: options), planned: planned, inputs: row.inputs)
    }
    return try CBench.outputs(models, compiler: compiler, flags: flags, threads: threads)
  }

  @Test("the C computes what the convolution means, without warnings", arguments: CBench.compilers)
  func values(compiler: String) throws {
    let target = try Backends.host()
    guard target.isTiled else { return }
    let outputs = try Self.outputs(target, compiler: compiler, flags: ["-std=c11", "-O2"])
    for (row, actual) in zip(try ImageGraph.smallWindows(), outputs) {
      let expected = try #require(row.outputs["y"]).doubles
      let peak = expected.reduce(0) { max($0, abs($1)) }
      let result = try #require(actual["y"]).doubles
      // Two convolutions at most are transformed, one after the other.
      #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= 4e-6 * peak }, "\(row.name)")
    }
  }

  @Test func threadsDoNotChangeBits() throws {
    let target = try Backends.host()
    guard target.isTiled else { return }
    let flags = ["-std=c11", "-O2"]
    let expected = try Self.outputs(target, compiler: "gcc", flags: flags)
    for count in 2...3 {
      let threads = CBench.Threads(.pthreads, count: count)
      #expect(try Self.outputs(target, compiler: "gcc", flags: flags, threads: threads) == expected)
    }
  }

  @Test func sanitizersFindNothing() throws {
    let target = try Backends.host()
    guard target.isTiled else { return }
    _ = try Self.outputs(
      target, compiler: "gcc",
      flags: ["-std=c11", "-O1", "-g0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
  }
}
