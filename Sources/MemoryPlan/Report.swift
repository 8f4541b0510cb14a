/// The numbers that a person asks of a plan.
public struct Report: Sendable {
  /// A buffer that is live at the peak.
  public struct Entry: Sendable, Hashable {
    /// The index of the buffer.
    public var buffer: Int
    /// The name of the buffer.
    public var id: String
    /// The size in bytes.
    public var size: Int
    /// The offset in bytes.
    public var offset: Int
    /// The steps during which the buffer is live.
    public var lifetime: Range<Int>
  }

  /// The bytes of the arena.
  public let height: Int

  /// The bytes that no plan can go below.
  public let lowerBound: Int

  /// The most bytes occupied at once; those of several buffers that share them count once.
  public let peakLive: Int

  /// The first step at which that many are occupied, or `nil` where nothing ever is.
  public let peakStep: Int?

  /// The largest buffers live at that step, largest first.
  public let largest: [Entry]

  /// The number of buffers live at that step.
  public let liveAtPeak: Int

  /// What is known about how good the plan is, as a word.
  public let verdict: String

  private let profile: [(start: Int, live: Int)]
  private let end: Int

  /// Measures a plan that is valid for the problem.
  public init(_ problem: Problem, _ plan: Plan, top: Int = 10) {
    let buffers = problem.buffers
    height = plan.height
    lowerBound = plan.lowerBound
    verdict =
      !plan.isOptimal ? "best found" : plan.height == plan.lowerBound ? "optimal" : "optimal to within the alignment"
    profile = Self.profile(buffers, plan.offsets)
    end = buffers.map(\.lifetime.upperBound).max() ?? 0
    let peak = profile.max { ($0.live, $1.start) < ($1.live, $0.start) }
    peakLive = peak?.live ?? 0
    peakStep = peakLive > 0 ? peak?.start : nil
    let step = peakStep
    let live = buffers.indices.filter { index in
      step.map(buffers[index].lifetime.contains) ?? false && index < plan.offsets.count
    }
    liveAtPeak = live.count
    largest = live.sorted { (-buffers[$0].size, $0) < (-buffers[$1].size, $1) }.prefix(max(0, top)).map {
      let buffer = buffers[$0]
      return Entry(
        buffer: $0, id: buffer.id, size: buffer.size, offset: plan.offsets[$0], lifetime: buffer.lifetime)
    }
  }

  /// The part of the arena above the lower bound, as a fraction of the lower bound.
  public var gap: Double { lowerBound > 0 ? Double(height - lowerBound) / Double(lowerBound) : 0 }

  /// The part of the arena that is unused even at the peak.
  public var fragmentation: Double { height > 0 ? Double(height - peakLive) / Double(height) : 0 }

  /// The bytes occupied at the start of every span of time in which that does not change.
  private static func profile(_ buffers: [Buffer], _ offsets: [Int]) -> [(start: Int, live: Int)] {
    let placed = zip(buffers, offsets).filter { $0.0.size > 0 }
    let times = Set(placed.flatMap { [$0.0.lifetime.lowerBound, $0.0.lifetime.upperBound] }).sorted()
    let byStart = placed.sorted { $0.0.lifetime.lowerBound < $1.0.lifetime.lowerBound }
    var next = byStart.startIndex
    var live: [(bytes: Range<Int>, until: Int)] = []
    return times.map { time in
      live.removeAll { $0.until <= time }
      while next < byStart.endIndex, byStart[next].0.lifetime.lowerBound <= time {
        let (buffer, offset) = byStart[next]
        let bytes = offset..<offset + buffer.size
        let place = live.firstIndex { $0.bytes.lowerBound > offset } ?? live.endIndex
        live.insert((bytes, buffer.lifetime.upperBound), at: place)
        next += 1
      }
      var (occupied, top) = (0, 0)
      for (bytes, _) in live where bytes.upperBound > top {
        occupied += bytes.upperBound - max(top, bytes.lowerBound)
        top = bytes.upperBound
      }
      return (time, occupied)
    }
  }
}

extension Report: CustomStringConvertible {
  /// The summary, the largest buffers at the peak, and the timeline, in lines of text.
  public var description: String {
    var lines = [
      "arena \(height) bytes, lower bound \(lowerBound), gap \(Self.percent(gap)), \(verdict)",
      "peak live \(peakLive) bytes" + (peakStep.map { " at step \($0) in \(liveAtPeak) buffers" } ?? "")
        + ", fragmentation \(Self.percent(fragmentation))",
    ]
    let width = largest.map { String($0.size).count }.max() ?? 0
    for entry in largest {
      let size = String(entry.size)
      lines.append(
        "  " + String(repeating: " ", count: width - size.count) + size
          + "  \(entry.id) @\(entry.offset) [\(entry.lifetime.lowerBound), \(entry.lifetime.upperBound))")
    }
    if largest.count < liveAtPeak { lines.append("  and \(liveAtPeak - largest.count) more") }
    return (lines + [timeline()]).joined(separator: "\n")
  }

  /// The bytes occupied over time as a bar chart: time runs to the right, a full column is the arena.
  ///
  /// Each column shows the most of its share of the steps.
  public func timeline(columns: Int = 60, rows: Int = 8) -> String {
    guard let start = profile.first?.start, columns > 0, rows > 0, height > 0 else { return "(nothing is live)" }
    let duration = Double(end) - Double(start)
    var most = Array(repeating: 0, count: columns)
    for (index, span) in profile.enumerated() where span.live > 0 {
      let until = index + 1 < profile.count ? profile[index + 1].start : end
      let from = Int((Double(span.start) - Double(start)) / duration * Double(columns))
      let last = Int((Double(until) - Double(start)) / duration * Double(columns) - 1e-9)
      for column in min(from, columns - 1)...max(min(from, columns - 1), min(last, columns - 1)) {
        most[column] = max(most[column], span.live)
      }
    }
    var lines = (1...rows).reversed().map { row in
      String(most.map { Double($0) / Double(height) * Double(rows) > Double(row) - 0.5 ? "#" : " " })
    }
    lines = lines.map { "|" + $0 + "|" }
    lines.append("+" + String(repeating: "-", count: columns) + "+")
    let (left, right) = (String(start), String(end))
    let blank = max(1, columns + 2 - left.count - right.count)
    return (lines + [left + String(repeating: " ", count: blank) + right]).joined(separator: "\n")
  }

  private static func percent(_ fraction: Double) -> String {
    let tenths = Int(fraction * 1000 + 0.5)
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
