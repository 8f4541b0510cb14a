import Foundation
import Testing

@Suite struct BenchTests {
  private func fields(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  @Test(arguments: ["interpreter", "native"])
  func tellsTheLatency(_ backend: String) throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell(
      "LATHE_CACHE=cache $lathe bench mlp.lathe --dim N=2 --backend \(backend) --threads 1 --seconds 0 --json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try fields(outcome.output)
    #expect(report["name"] as? String == "mlp")
    #expect(report["backend"] as? String == backend)
    #expect(report["threads"] as? Int == 1)
    #expect(report["runs"] as? Int == 1)
    #expect(report["macs"] as? Int == 24)
    let (least, median) = try (#require(report["least_ms"] as? Double), #require(report["median_ms"] as? Double))
    #expect(least > 0 && least <= median)
    #expect(try #require(report["peak_gflops"] as? Double) > 0)
  }

  @Test func measuresForTheTimeGiven() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let start = Date()
    let outcome = try bench.run("lathe", "bench", "mlp.lathe", "--dim", "N=2", "--seconds", "0.5", "--json")
    #expect(try #require(fields(outcome.output)["runs"] as? Int) > 1)
    #expect(Date().timeIntervalSince(start) > 0.5)
  }

  @Test func measuresWhenAskedTo() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell("printf '0\\n0.1\\n' | $lathe bench mlp.lathe --dim N=2 --serve")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map { try fields($0) }
    #expect(lines.count == 3)
    #expect(lines.allSatisfy { $0["median_ms"] is Double && $0["least_ms"] is Double })
    #expect(lines[0]["name"] as? String == "mlp")
    #expect(lines[1]["runs"] as? Int == 1)
    #expect(try #require(lines[2]["runs"] as? Int) > 1)
  }

  @Test func aWordIsNoTime() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell("echo soon | $lathe bench mlp.lathe --dim N=2 --serve")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasSuffix("error: 'soon' is no number of seconds\n"))
    #expect(try bench.run("lathe", "bench", "mlp.lathe", "--seconds", "-1").status == 64)
  }
}
