import ArgumentParser
import Foundation
import Lathe
import LatheCore
import LatheData

/// `bench`: how long a run takes.
struct BenchCommand<Provider: ModelProvider>: ModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "bench", abstract: "Measure the latency of a run, and compare it with the machine's peak.",
      discussion:
        "With --train, a run is a step of training: a batch's loss, its gradients, and the optimizer's update.")
  }

  @OptionGroup var model: Provider
  @OptionGroup var inputs: InputOptions
  @OptionGroup var known: BindingOptions
  @OptionGroup var execution: ExecutionOptions
  @OptionGroup var training: TrainOption

  @Option(help: ArgumentHelp("How long to measure. (default: 1)", valueName: "S"), transform: number(.fromZero))
  var seconds = 1.0

  @Flag(help: "Measure every kernel too, in runs of their own.")
  var profile = false

  @Option(
    help: ArgumentHelp(
      "Write the kernels as a trace, which chrome://tracing and Perfetto show; measures every kernel.",
      valueName: "FILE.json"))
  var trace: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  @Flag(
    help: ArgumentHelp(
      "Stay, and measure when asked to.",
      discussion: """
        Every line of standard input is a number of seconds; the answer is one line of JSON with median_ms, least_ms \
        and runs, of at least one run. A first line, after the model has run, is the whole report. So several programs \
        can be measured in turns.
        """))
  var serve = false

  func validate() throws {
    guard seconds.isFinite else { throw ValidationError("--seconds must be a number") }
    if let trace, !trace.hasSuffix(".json") { throw ValidationError("--trace writes JSON: the suffix must be .json") }
  }

  func perform() throws {
    let ready = try ready()
    let prepared = try execution.prepared(ready.graph)
    var session = try prepared.session()
    Console.progress("measuring")
    let latency = try Latency(of: &session, on: ready.arrays, seconds: serve ? 0 : seconds)
    let peak = MachineSpeed.peak(threads: execution.threadCount)
    var report = BenchReport(ready.graph, prepared, latency, execution, peak: peak)
    if profile || trace != nil {
      var measured = try prepared.session(measuringKernels: true)
      let times = try KernelLatencies(of: &measured, on: ready.arrays, seconds: seconds)
      let bandwidths = MachineSpeed.bandwidths(threads: execution.threadCount)
      let measuredProfile = Profile(prepared.graph, prepared.program, times, peak: peak, bandwidths)
      if profile { report.profile = measuredProfile }
      if let trace {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try encoder.encode(ChromeTrace(measuredProfile))
        try FileContent(path: trace, bytes: [UInt8](text)).writeAtomically()
      }
    }
    Console.endProgress()
    if json || serve {
      try Console.output(json: report, onOneLine: serve)
    } else {
      try Console.output(report.text)
    }
    if serve { try serve(&session, on: ready.arrays) }
  }

  private func ready() throws(DiagnosticsError) -> Ready {
    guard training.train else { return try inputs.ready(model, known) }
    let step = try training.functions(of: model, known).function(named: "train_step")
    var ready = try inputs.ready(step)
    // A random learning rate would soon leave nothing but NaN.
    if let position = step.inputs.firstIndex(where: { step.inputName($0) == "learning_rate" }) {
      ready.arrays[position] = training.settings.learningRate
    }
    return ready
  }

  private func serve(_ session: inout RunningModel, on inputs: [NDArray]) throws {
    while let line = readLine() {
      guard let seconds = Double(line), seconds >= 0, seconds.isFinite else {
        throw DiagnosticsError("'\(line)' is no number of seconds")
      }
      try Console.output(json: Latency(of: &session, on: inputs, seconds: seconds), onOneLine: true)
    }
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
  var profile: Profile?

  enum CodingKeys: String, CodingKey {
    case name, backend, threads, runs, macs, profile
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
    gigaflops = medianMilliseconds > 0 ? 2e-6 * Double(macs) / medianMilliseconds : 0
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
      \(number(peakGigaflops)) that multiply-adds reach here
        arena \(arenaBytes.grouped) bytes, lower bound \(arenaLowerBound.grouped)

      """ + (profile.map { "\n" + $0.text } ?? "")
  }
}
