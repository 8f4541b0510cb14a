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

  @Test func infoShowsTheirCapacities() throws {
    let outcome = try bench(2).shell("$lathe info s.lathe --max n0=3")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasSuffix("decided by data: ?n0 <= 3\n"))
  }

  @Test("a size without a bound is told, and given room", arguments: ["interpreter", "native"])
  func unbounded(backend: String) throws {
    let bench = try bench(2)
    let text = try bench.text("s.lathe").replacing("capacity: [4]", with: "capacity: []")
    try text.write(to: bench.path("open.lathe"), atomically: true, encoding: .utf8)
    let checked = try bench.run("lathe", "check", "open.lathe")
    #expect(checked.status == 1)
    #expect(checked.errors.contains("nothing says how large ?n0 may be, a size that data decides"))
    #expect(checked.errors.contains("--max n0=SIZE gives it room"))
    #expect(try bench.run("lathe", "info", "open.lathe").output.contains("?n0 without a bound (--max n0=SIZE)"))
    let run = "$lathe run open.lathe --input x=x.npy --input n=n.npy --backend \(backend)"
    #expect(try bench.shell("\(run) --max '?n0=4'").status == 0)
    let outcome = try bench.shell("\(run) --max n0=1")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("the size ?n0 is ") && outcome.errors.contains("its capacity, 1"))
    #expect(outcome.errors.contains("--max n0=SIZE"))
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
      #expect(outcome.errors.contains("the size ?n0 is \(count), more than its capacity, \(most)"))
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
