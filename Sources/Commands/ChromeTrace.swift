/// A run's kernels on a line of time, as `chrome://tracing` and Perfetto show them: `torch.profiler`'s
/// `export_chrome_trace`.
struct ChromeTrace: Encodable {
  /// One kernel's calls, one behind the other.
  struct Event: Encodable {
    /// What is to be read beside it.
    struct Facts: Encodable {
      var layer: String
      var summary: String
      var calls: Int
      var flops: Int
      var bytes: Int
      var peakShare: Double
      var bandwidthShare: Double

      enum CodingKeys: String, CodingKey {
        case layer, summary, calls, flops, bytes
        case peakShare = "peak_share"
        case bandwidthShare = "bandwidth_share"
      }
    }

    var name: String
    var category: String
    var phase = "X"
    /// Microseconds from the beginning of the run.
    var start: Double
    var duration: Double
    var process = 0
    var thread = 0
    var facts: Facts

    enum CodingKeys: String, CodingKey {
      case name
      case category = "cat"
      case phase = "ph"
      case start = "ts"
      case duration = "dur"
      case process = "pid"
      case thread = "tid"
      case facts = "args"
    }
  }

  var traceEvents: [Event]
  var displayTimeUnit = "ms"

  /// The kernels in the order of the program, each as long as its least time.
  init(_ profile: Profile) {
    var now = 0.0
    traceEvents = profile.kernels.map { row in
      defer { now += row.microseconds }
      return Event(
        name: row.name, category: row.layer.isEmpty ? "kernel" : row.layer, start: now, duration: row.microseconds,
        facts: Event.Facts(
          layer: row.layer, summary: row.summary, calls: row.calls, flops: row.flops, bytes: row.bytes,
          peakShare: row.peakShare, bandwidthShare: row.bandwidthShare))
    }
  }
}
