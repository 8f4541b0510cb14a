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
    _ = try model.run(inputs)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var times: [Duration] = []
    var now = clock.now
    while times.isEmpty || (now < end && times.count < 1_000_000) {
      let start = clock.now
      _ = try model.run(inputs)
      now = clock.now
      times.append(now - start)
    }
    times.sort()
    medianMilliseconds = times[times.count / 2] / .milliseconds(1)
    leastMilliseconds = times[0] / .milliseconds(1)
    runs = times.count
  }
}
