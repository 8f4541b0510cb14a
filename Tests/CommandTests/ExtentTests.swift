import Foundation
import LatheCore
import LatheData
import Testing

/// Sizes that data decides, on the command line.
@Suite struct ExtentTests {
  private func bench(_ count: Int64) throws -> Workbench {
    let bench = try Workbench(["s.lathe": selection])
    func write(_ array: NDArray, _ name: String) throws { try array.npy().writeAtomically(to: bench.path(name).path) }
    try write(NDArray([Float(1), 2, 3, 4]), "x.npy")
    try write(try NDArray([count], shape: []), "n.npy")
    return bench
  }

  private let run = "$lathe run s.lathe --input x=x.npy --input n=n.npy"

  @Test func checkNamesThemWithTheirCapacities() throws {
    let outcome = try bench(2).run("lathe", "check", "s.lathe")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("output  twice: f32[2*?n0]\n"))
    #expect(outcome.output.contains("decided by data: ?n0 <= 4\n"))
  }

  @Test("results have as many elements as there are", arguments: ["interpreter", "native"])
  func results(backend: String) throws {
    let bench = try bench(2)
    let outcome = try bench.shell("\(run) --backend \(backend) --outputs out.npz")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let outputs = try NPZ(reading: bench.path("out.npz").path)
    #expect(outputs.members.map(\.name) == ["y", "twice"])
    #expect(outputs.members.map(\.array) == [NDArray([Float(1), 2]), NDArray([Float(1), 2, 1, 2])])
  }

  @Test func isMeasuredWithRoomForAll() throws {
    let outcome = try bench(2).shell("$lathe bench s.lathe --input x=x.npy --input n=n.npy --json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("median_ms"))
  }

  @Test func moreThanTheCapacityFails() throws {
    for (count, most) in [(5 as Int64, "4"), (3, "2")] {
      let outcome = try bench(count).shell("\(run) --max n0=\(most)")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("out of range"))
    }
    let unknown = try bench(2).shell("\(run) --max n1=2")
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("no size 'n1' is decided by data"))
  }

  @Test func theTestBenchInCWritesWhatThereIs() throws {
    let bench = try bench(3)
    let compiled = try bench.run("lathe", "compile", "s.lathe", "-o", "s.c", "--test-bench")
    #expect(compiled.status == 0, "\(compiled.errors)")
    let outcome = try bench.shell(
      "gcc -std=c11 -Wall -Wextra -Werror s.c -o s -lm && ./s x.npy n.npy y.npy twice.npy && grep size_t s.h")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("size_t *n0"))
    #expect(try NDArray(readingNPY: bench.path("y.npy").path) == NDArray([Float(1), 2, 3]))
    #expect(try NDArray(readingNPY: bench.path("twice.npy").path) == NDArray([Float(1), 2, 3, 1, 2, 3]))
  }
}
