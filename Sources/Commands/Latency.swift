import LatheCore

/// The times of several runs.
struct Latency: Encodable {
  let medianMilliseconds: Double
  let leastMilliseconds: Double
  let runs: Int

  enum CodingKeys: String, CodingKey {
    case runs
    case medianMilliseconds = "median_ms"
    case leastMilliseconds = "least_ms"
  }

  /// Runs once to warm up, then until the time is over, at least once.
  init(of model: inout RunningModel, on inputs: [NDArray], seconds: Double) throws(DiagnosticsError) {
    var outputs = model.makeOutputs()
    try model.run(inputs, into: &outputs)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var times: [Duration] = []
    var now = clock.now
    while times.isEmpty || (now < end && times.count < 1_000_000) {
      let start = clock.now
      try model.run(inputs, into: &outputs)
      now = clock.now
      times.append(now - start)
    }
    times.sort()
    medianMilliseconds = times[times.count / 2] / .milliseconds(1)
    leastMilliseconds = times[0] / .milliseconds(1)
    runs = times.count
  }
}

/// How long each kernel took in a run: the least times of several runs, which other work on the machine disturbs least.
struct KernelLatencies {
  /// By position in the program; the sum of all calls of a run.
  let microseconds: [Double]
  let calls: [Int]
  let runs: Int

  /// Runs once to warm up, then until the time is over, at least once, a model that measures its kernels.
  init(of model: inout RunningModel, on inputs: [NDArray], seconds: Double) throws(DiagnosticsError) {
    var outputs = model.makeOutputs()
    try model.run(inputs, into: &outputs)
    let end = ContinuousClock.now + .seconds(seconds)
    var previous = model.kernelTimes
    let kernels = previous.calls.indices
    var least = kernels.map { _ in UInt64.max }
    var runs = 0
    var last: [Int] = []
    repeat {
      try model.run(inputs, into: &outputs)
      let now = model.kernelTimes
      for kernel in kernels {
        least[kernel] = min(least[kernel], now.nanoseconds[kernel] - previous.nanoseconds[kernel])
      }
      last = kernels.map { Int(now.calls[$0] - previous.calls[$0]) }
      previous = now
      runs += 1
    } while ContinuousClock.now < end && runs < 100_000
    calls = last
    microseconds = least.map { Double($0) / 1000 }
    self.runs = runs
  }
}
