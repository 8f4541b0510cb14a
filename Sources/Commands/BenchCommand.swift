import ArgumentParser
import Foundation
import LatheCore
import LatheRun

/// `bench`: how long a run takes.
struct BenchCommand<Provider: ModelProvider>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "bench", abstract: "Measure the latency of a run, and compare it with the machine's peak.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var inputs: InputOptions
  @OptionGroup var dimensions: DimensionOptions
  @OptionGroup var execution: ExecutionOptions

  @Flag(help: "Print the result as JSON.")
  var json = false

  func run() throws {
    let ready = try inputs.ready(model, dimensions)
    let prepared = try execution.prepared(ready.graph)
    Console.progress("measuring")
    let latency = try Latency(of: prepared, on: ready.arrays)
    let peak = try BenchReport.peak(execution)
    Console.endProgress()
    let report = BenchReport(ready.graph, prepared, latency, execution, peak: peak)
    if json { try Console.output(json: report) } else { try Console.output(report.text) }
  }
}

/// The times of several runs.
struct Latency {
  let medianMilliseconds: Double
  let leastMilliseconds: Double
  let runs: Int

  /// Runs once to warm up, then until a second is over, at least three times.
  init(of model: PreparedModel, on inputs: [NDArray]) throws(DiagnosticsError) {
    var session = try model.session()
    _ = try session.run(inputs)
    let clock = ContinuousClock()
    let start = clock.now
    var times: [Duration] = []
    while times.count < 3 || (clock.now - start < .seconds(1) && times.count < 10_000) {
      let before = clock.now
      _ = try session.run(inputs)
      times.append(clock.now - before)
    }
    times.sort()
    medianMilliseconds = times[times.count / 2] / .milliseconds(1)
    leastMilliseconds = times[0] / .milliseconds(1)
    runs = times.count
  }
}

/// What `bench` prints.
struct BenchReport: Encodable {
  var name: String
  var backend: String
  var threads: Int
  var medianMilliseconds: Double
  var leastMilliseconds: Double
  var runs: Int
  var macs: Int
  var gigaflops: Double
  var peakGigaflops: Double
  var peakShare: Double
  var arenaBytes: Int
  var arenaLowerBound: Int

  enum CodingKeys: String, CodingKey {
    case name, backend, threads, runs, macs
    case medianMilliseconds = "median_ms"
    case leastMilliseconds = "least_ms"
    case gigaflops = "gflops"
    case peakGigaflops = "peak_gflops"
    case peakShare = "peak_share"
    case arenaBytes = "arena_bytes"
    case arenaLowerBound = "arena_lower_bound"
  }

  init(_ graph: Graph, _ model: PreparedModel, _ latency: Latency, _ options: ExecutionOptions, peak: Double) {
    name = graph.name
    backend = options.backend.rawValue
    threads = options.threadCount
    medianMilliseconds = latency.medianMilliseconds
    leastMilliseconds = latency.leastMilliseconds
    runs = latency.runs
    macs = graph.macs.known ?? 0
    gigaflops = Self.gigaflops(macs: macs, milliseconds: latency.medianMilliseconds)
    peakGigaflops = peak
    peakShare = peak > 0 ? gigaflops / peak : 0
    arenaBytes = model.arenaBytes
    arenaLowerBound = model.lowerBound
  }

  var text: String {
    func number(_ value: Double) -> String { String(format: value < 10 ? "%.3f" : "%.1f", value) }
    return """
      \(name): median \(number(medianMilliseconds)) ms, least \(number(leastMilliseconds)) ms of \(runs) runs \
      (\(backend), \(threads) thread\(threads == 1 ? "" : "s"))
        \(macs.grouped) MACs, \(number(gigaflops)) GFLOP/s, \(number(100 * peakShare)) % of the \
      \(number(peakGigaflops)) of a large matrix product
        arena \(arenaBytes.grouped) bytes, lower bound \(arenaLowerBound.grouped)

      """
  }

  private static func gigaflops(macs: Int, milliseconds: Double) -> Double {
    milliseconds > 0 ? 2e-6 * Double(macs) / milliseconds : 0
  }

  /// The speed of a product of large matrices by OpenBLAS, in 10^9 operations a second: what a model can hope for.
  static func peak(_ options: ExecutionOptions) throws(DiagnosticsError) -> Double {
    let size = 768
    let builder = Builder()
    let matrix = TensorType(.f32, [size, size])
    let product = builder.input("a", matrix).dot(
      builder.input("b", matrix), DotGeneral(leftContracting: [1], rightContracting: [0]))
    let graph = try builder.finish(name: "peak", outputs: [("c", product)])
    var interpreter = options
    interpreter.backend = .interpreter
    var generator = SplitMix64(seed: 0)
    let inputs = [0, 1].map { _ in NDArray.random(.f32, [size, size], using: &generator) }
    var session = try interpreter.prepared(graph).session()
    var best = Double.infinity
    for _ in 0..<5 {
      let start = ContinuousClock().now
      _ = try session.run(inputs)
      best = min(best, (ContinuousClock().now - start) / .milliseconds(1))
    }
    return gigaflops(macs: size * size * size, milliseconds: best)
  }
}
