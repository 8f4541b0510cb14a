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

  @Test(arguments: ["interpreter", "native"])
  func profilesKernels(_ backend: String) throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let line = "LATHE_CACHE=cache $lathe bench mlp.lathe --dim N=2 --backend \(backend) --seconds 0 --profile"
    let outcome = try bench.shell("\(line) --json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let profile = try #require(fields(outcome.output)["profile"] as? [String: Any])
    let kernels = try #require(profile["kernels"] as? [[String: Any]])
    #expect(kernels.reduce(0) { $0 + ($1["flops"] as? Int ?? 0) } == 48)
    #expect(kernels.contains { $0["layer"] as? String == "fc" })
    #expect(kernels.allSatisfy { $0["calls"] as? Int == 1 && ($0["us"] as? Double ?? 0) > 0 })
    let table = try bench.shell(line)
    #expect(table.output.contains("% bandwidth"))
    #expect(table.output.split(separator: "\n").contains { $0.hasSuffix("fc") })
  }

  @Test func tracesKernels() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell(
      "$lathe bench mlp.lathe --dim N=2 --seconds 0 --trace t.json >/dev/null && cat t.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let events = try #require(fields(outcome.output)["traceEvents"] as? [[String: Any]])
    var end = 0.0
    for event in events {
      let (start, duration) = (event["ts"] as? Double ?? -1, event["dur"] as? Double ?? -1)
      #expect(event["ph"] as? String == "X" && abs(start - end) < 1e-6 && duration > 0)
      #expect(event["pid"] as? Int == 0 && event["tid"] as? Int == 0 && !(event["name"] as? String ?? "").isEmpty)
      end = start + duration
    }
    let facts = events.compactMap { $0["args"] as? [String: Any] }
    #expect(facts.reduce(0) { $0 + ($1["flops"] as? Int ?? 0) } == 48)
    #expect(facts.contains { $0["layer"] as? String == "fc" })
    #expect(try bench.run("lathe", "bench", "mlp.lathe", "--dim", "N=2", "--trace", "t.txt").status == 64)
  }

  /// A convolution that Winograd's algorithm computes in three kernels.
  @Test func drawsWhatRanOnTheMachine() throws {
    let window = "stride: [1,1], input_dilation: [1,1], dilation: [1,1], groups: 1"
    let bench = try Workbench([
      "net.lathe": """
      func net(%x: f32[1,4,8,8]) -> (%y: f32[1,16,8,8]) {
        var @first: f32[16,4,1,1] parameter = 0.5
        var @second: f32[16,16,3,3] parameter = 0.25
        var @third: f32[16,16,1,1] parameter = 0.5
        %0 = convolution %x, @first {\(window), low: [0,0], high: [0,0]} : f32[1,16,8,8]
        %1 = convolution %0, @second {\(window), low: [1,1], high: [1,1]} : f32[1,16,8,8]
        %2 = convolution %1, @third {\(window), low: [0,0], high: [0,0]} : f32[1,16,8,8]
        return %2
      }

      """
    ])
    let outcome = try bench.shell(
      "LATHE_CACHE=cache $lathe bench net.lathe --backend native --conv winograd --seconds 0 --profile --json > p.json"
        + " && $lathe dot net.lathe --stage lowered --profile p.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.matches(of: try Regex("kernel [0-9]+: [0-9.]+ us")).count == 3)
  }

  @Test func drawsWhatWasMeasured() throws {
    let bench = try Workbench(["mlp.lathe": perceptron, "s.lathe": statistics])
    let outcome = try bench.shell(
      "$lathe bench mlp.lathe --dim N=2 --seconds 0 --profile --json > p.json"
        + " && $lathe dot mlp.lathe --dim N=2 --stage lowered --profile p.json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try outcome.output.contains(Regex(#"kernel 0: [0-9.]+ us, [0-9.]+ %, [0-9]+ % of (peak|bandwidth)"#)))
    let other = try bench.run("lathe", "dot", "s.lathe", "--stage", "lowered", "--profile", "p.json")
    #expect(other.status == 1)
    #expect(other.errors.hasPrefix("s.lathe: error: the profile is of another model"))
    let wrong = try bench.run("lathe", "dot", "s.lathe", "--stage", "lowered", "--profile", "s.lathe")
    #expect(wrong.errors == "s.lathe: error: is not what lathe bench --profile --json prints\n")
    #expect(try bench.run("lathe", "dot", "s.lathe", "--profile", "p.json").status == 64)
  }

  @Test func aWordIsNoTime() throws {
    let bench = try Workbench(["mlp.lathe": perceptron])
    let outcome = try bench.shell("echo soon | $lathe bench mlp.lathe --dim N=2 --serve")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasSuffix("mlp.lathe: error: 'soon' is no number of seconds\n"))
    #expect(try bench.run("lathe", "bench", "mlp.lathe", "--seconds", "-1").status == 64)
  }
}
