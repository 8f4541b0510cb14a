import Foundation
public import LatheCore
import LatheData
import SwiftProtobuf
import Synchronization

/// Writes what a training run shows of itself to event files, for `tensorboard --logdir=runs`: PyTorch's `SummaryWriter`.
///
/// ```swift
/// let writer = try SummaryWriter()
/// for step in 0..<100 { try writer.addScalar("Loss/train", loss, globalStep: step) }
/// try writer.close()
/// ```
///
/// What is added waits in a queue (``EventFileWriter``); close the writer when the run is over. After that, what is added
/// goes to a new file.
public final class SummaryWriter: Sendable {
  private struct State {
    var main: EventFileWriter?
    /// The writers of ``addScalars(_:_:globalStep:walltime:)``, by folder.
    var others: [String: EventFileWriter] = [:]
    var purgeStep: Int?
    var projector = Tensorboard_ProjectorConfig()

    var all: [EventFileWriter] { [main].compactMap { $0 } + others.sorted { $0.key < $1.key }.map(\.value) }
  }

  /// The limits of TensorBoard's own bins: `1e-12`, each a tenth greater than the one before, up to `1e20`, the same below
  /// zero, and zero.
  public static let defaultBins: [Double] = {
    var limits: [Double] = []
    var limit = 1e-12
    while limit < 1e20 {
      limits.append(limit)
      limit *= 1.1
    }
    return limits.reversed().map { -$0 } + [0] + limits
  }()

  /// The folder that the event file is in.
  public let logDir: String
  private let maxQueue: Int
  private let flushSecs: Double
  private let filenameSuffix: String
  private let state: Mutex<State>

  /// Creates the folder and the event file.
  ///
  /// - Parameters:
  ///   - logDir: The folder; by default `runs/` with the time and the machine's name, `runs/May04_22-14-54_name`.
  ///   - comment: What the default folder's name ends with.
  ///   - purgeStep: The step that a run goes on from after it was broken off: events in the folder from that step on are
  ///     hidden.
  ///   - maxQueue: How many events may wait until they are written.
  ///   - flushSecs: After how many seconds waiting events are written.
  ///   - filenameSuffix: What the names of the files end with.
  /// - Throws: That the folder or the file cannot be made.
  public init(
    logDir: String? = nil, comment: String = "", purgeStep: Int? = nil, maxQueue: Int = 10, flushSecs: Double = 120,
    filenameSuffix: String = ""
  ) throws(DiagnosticsError) {
    self.logDir = logDir.flatMap { $0.isEmpty ? nil : $0 } ?? Self.defaultFolder(comment)
    self.maxQueue = maxQueue
    self.flushSecs = flushSecs
    self.filenameSuffix = filenameSuffix
    state = Mutex(State(purgeStep: purgeStep))
    _ = try fileWriter()
  }

  private static func defaultFolder(_ comment: String) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "MMMdd_HH-mm-ss"
    return "runs/\(format.string(from: Date()))_\(ProcessInfo.processInfo.hostName)\(comment)"
  }

  // MARK: Files

  /// The writer of the event file, a new one after ``close()``: `_get_file_writer`.
  ///
  /// - Throws: That the file cannot be made.
  public func fileWriter() throws(DiagnosticsError) -> EventFileWriter {
    try state.withLock { state throws(DiagnosticsError) in
      if let main = state.main { return main }
      let main = try makeFileWriter(in: logDir)
      state.main = main
      if let step = state.purgeStep {
        // Readers drop what they have of this step and later ones when a session starts at it.
        for what in [.fileVersion("brain.Event:2"), .sessionLog(.with { $0.status = .start })] as [Event.OneOf_What] {
          try main.add(Self.event(what, step, nil))
        }
        state.purgeStep = nil
      }
      return main
    }
  }

  private func makeFileWriter(in folder: String) throws(DiagnosticsError) -> EventFileWriter {
    try EventFileWriter(
      logDir: folder, maxQueueSize: maxQueue, flushSecs: flushSecs, filenameSuffix: filenameSuffix)
  }

  /// Writes the events that wait.
  ///
  /// - Throws: That they cannot be written.
  public func flush() throws(DiagnosticsError) {
    for writer in state.withLock({ $0.all }) { try writer.flush() }
  }

  /// Writes the events that wait, and closes the files; the next event opens a new one.
  ///
  /// - Throws: That events cannot be written.
  public func close() throws(DiagnosticsError) {
    let writers = state.withLock { state in
      defer { (state.main, state.others) = (nil, [:]) }
      return state.all
    }
    for writer in writers { try writer.close() }
  }

  // MARK: Events

  typealias Event = Tensorboard_Event
  typealias Summary = Tensorboard_Summary

  private static func event(_ what: Event.OneOf_What, _ step: Int?, _ walltime: Double?) -> Event {
    .with {
      $0.wallTime = walltime ?? Date().timeIntervalSince1970
      $0.step = Int64(step ?? 0)
      $0.what = what
    }
  }

  func add(_ what: Event.OneOf_What, _ step: Int? = nil, _ walltime: Double? = nil) throws(DiagnosticsError) {
    try fileWriter().add(Self.event(what, step, walltime))
  }

  func add(_ value: Summary.Value, _ step: Int?, _ walltime: Double?) throws(DiagnosticsError) {
    try add(.summary(.with { $0.value = [value] }), step, walltime)
  }

  /// Changes the projector's configuration; gives the new one.
  func embed(_ embedding: Tensorboard_EmbeddingInfo) -> Tensorboard_ProjectorConfig {
    state.withLock { state in
      state.projector.embeddings.append(embedding)
      return state.projector
    }
  }

  /// A value of a plugin, whose content is a tensor.
  static func value(
    _ tag: String, plugin: String, content: [UInt8] = [], _ tensor: Tensorboard_TensorProto? = nil
  ) -> Summary.Value {
    .with {
      $0.tag = tag
      $0.metadata.pluginData.pluginName = plugin
      $0.metadata.pluginData.content = Data(content)
      if let tensor { $0.tensor = tensor }
    }
  }

  // MARK: Scalars and text

  /// Adds a number to a chart: `add_scalar`.
  ///
  /// - Parameters:
  ///   - tag: The chart; charts of `A/b` and `A/c` are a group.
  ///   - scalarValue: The number.
  ///   - globalStep: Where it is on the axis.
  ///   - walltime: The seconds since 1970 that are recorded; now by default.
  ///   - newStyle: Whether it is stored as a tensor, which TensorBoard reads faster.
  ///   - doublePrecision: Whether that tensor is `f64`.
  /// - Throws: That events cannot be written.
  public func addScalar(
    _ tag: String, _ scalarValue: Double, globalStep: Int? = nil, walltime: Double? = nil, newStyle: Bool = false,
    doublePrecision: Bool = false
  ) throws(DiagnosticsError) {
    guard newStyle else { return try add(Self.scalar(tag, scalarValue), globalStep, walltime) }
    let tensor = Tensorboard_TensorProto.with {
      if doublePrecision {
        $0.dtype = .dtDouble
        $0.doubleVal = [scalarValue]
      } else {
        $0.dtype = .dtFloat
        $0.floatVal = [Float(scalarValue)]
      }
    }
    try add(Self.value(tag, plugin: "scalars", tensor), globalStep, walltime)
  }

  /// Adds the only element of an array to a chart.
  ///
  /// - Throws: For an array of another size; that events cannot be written.
  public func addScalar(
    _ tag: String, _ scalarValue: NDArray, globalStep: Int? = nil, walltime: Double? = nil, newStyle: Bool = false,
    doublePrecision: Bool = false
  ) throws(DiagnosticsError) {
    try addScalar(
      tag, scalarValue.item(), globalStep: globalStep, walltime: walltime, newStyle: newStyle,
      doublePrecision: doublePrecision)
  }

  private static func scalar(_ tag: String, _ number: Double) -> Summary.Value {
    .with {
      $0.tag = tag
      $0.simpleValue = Float(number)
    }
  }

  /// Adds several lines to one chart: `add_scalars`.
  ///
  /// Each line is a run of its own, in a folder `<tag>_<name>`.
  ///
  /// - Throws: That a folder or a file cannot be made, or that events cannot be written.
  public func addScalars(
    _ mainTag: String, _ tagScalarDict: [String: Double], globalStep: Int? = nil, walltime: Double? = nil
  ) throws(DiagnosticsError) {
    let time = walltime ?? Date().timeIntervalSince1970
    let folder = try fileWriter().logDir + "/" + mainTag.replacing("/", with: "_") + "_"
    for (tag, number) in tagScalarDict.sorted(by: { $0.key < $1.key }) {
      let writer = try state.withLock { state throws(DiagnosticsError) in
        if let known = state.others[folder + tag] { return known }
        let new = try makeFileWriter(in: folder + tag)
        state.others[folder + tag] = new
        return new
      }
      let summary = Summary.with { $0.value = [Self.scalar(mainTag, number)] }
      try writer.add(Self.event(.summary(summary), globalStep, time))
    }
  }

  /// Adds a text, in Markdown: `add_text`.
  ///
  /// - Throws: That events cannot be written.
  public func addText(
    _ tag: String, _ textString: String, globalStep: Int? = nil, walltime: Double? = nil
  ) throws(DiagnosticsError) {
    let tensor = Tensorboard_TensorProto.with {
      $0.dtype = .dtString
      $0.stringVal = [Data(textString.utf8)]
      $0.tensorShape = Self.shape([1])
    }
    try add(Self.value(tag + "/text_summary", plugin: "text", tensor), globalStep, walltime)
  }

  static func shape(_ sizes: [Int]) -> Tensorboard_TensorShapeProto {
    .with { $0.dim = sizes.map { size in .with { $0.size = Int64(size) } } }
  }

  // MARK: Histograms and curves

  /// Adds how numbers are distributed: `add_histogram`.
  ///
  /// - Parameters:
  ///   - tag: The chart.
  ///   - values: The numbers, in any shape.
  ///   - globalStep: Where they are on the axis.
  ///   - bins: How they are divided.
  ///   - walltime: The seconds since 1970 that are recorded; now by default.
  ///   - maxBins: The number of bins to which more are joined.
  /// - Throws: Where there are no numbers, or none of them is in a bin; for bins that do not suit the numbers; that
  ///   events cannot be written.
  public func addHistogram(
    _ tag: String, _ values: NDArray, globalStep: Int? = nil, bins: HistogramBins = .tensorflow,
    walltime: Double? = nil, maxBins: Int? = nil
  ) throws(DiagnosticsError) {
    let numbers = values.doubles
    guard !numbers.isEmpty else { throw DiagnosticsError("histogram: '\(tag)' has no numbers") }
    var histogram = try Histogram(numbers, bins)
    if let maxBins {
      guard maxBins > 0 else { throw DiagnosticsError("histogram: maxBins is \(maxBins), not at least 1") }
      histogram.join(atMost: maxBins)
    }
    guard let (limits, counts) = histogram.support else {
      throw DiagnosticsError("histogram: none of the numbers of '\(tag)' is in a bin")
    }
    let isOrdered = !numbers.contains(where: \.isNaN)
    try addHistogramRaw(
      tag, min: isOrdered ? numbers.min() ?? .nan : .nan, max: isOrdered ? numbers.max() ?? .nan : .nan,
      num: numbers.count, sum: numbers.reduce(0, +), sumSquares: numbers.reduce(0) { $0 + $1 * $1 },
      bucketLimits: limits, bucketCounts: counts, globalStep: globalStep, walltime: walltime)
  }

  /// Adds a histogram that is made already: `add_histogram_raw`.
  ///
  /// - Parameters:
  ///   - tag: The chart.
  ///   - min: The least number.
  ///   - max: The greatest number.
  ///   - num: How many there are.
  ///   - sum: Their sum.
  ///   - sumSquares: The sum of their squares.
  ///   - bucketLimits: The upper limit of each bin.
  ///   - bucketCounts: How many numbers are in each bin.
  ///   - globalStep: Where they are on the axis.
  ///   - walltime: The seconds since 1970 that are recorded; now by default.
  /// - Throws: Where there are not as many limits as counts; that events cannot be written.
  public func addHistogramRaw(
    _ tag: String, min: Double, max: Double, num: Int, sum: Double, sumSquares: Double, bucketLimits: [Double],
    bucketCounts: [Int], globalStep: Int? = nil, walltime: Double? = nil
  ) throws(DiagnosticsError) {
    guard bucketLimits.count == bucketCounts.count else {
      throw DiagnosticsError("histogram: \(bucketLimits.count) limits for \(bucketCounts.count) counts")
    }
    let value = Summary.Value.with {
      $0.tag = tag
      $0.histo.min = min
      $0.histo.max = max
      $0.histo.num = Double(num)
      $0.histo.sum = sum
      $0.histo.sumSquares = sumSquares
      $0.histo.bucketLimit = bucketLimits
      $0.histo.bucket = bucketCounts.map { Double($0) }
    }
    try add(value, globalStep, walltime)
  }

  /// Adds the precision and recall of predictions over thresholds: `add_pr_curve`.
  ///
  /// - Parameters:
  ///   - tag: The chart.
  ///   - labels: What is true: 0 or 1 for each prediction.
  ///   - predictions: The probabilities, in `0 ... 1`.
  ///   - globalStep: Where the curve is on the axis.
  ///   - numThresholds: How many thresholds there are, at most 127.
  ///   - weights: How much each prediction counts; 1 by default.
  ///   - walltime: The seconds since 1970 that are recorded; now by default.
  /// - Throws: For arrays of different sizes, for probabilities that are none; that events cannot be written.
  public func addPrCurve(
    _ tag: String, labels: NDArray, predictions: NDArray, globalStep: Int? = nil, numThresholds: Int = 127,
    weights: NDArray? = nil, walltime: Double? = nil
  ) throws(DiagnosticsError) {
    let chances = predictions.doubles
    let truths = labels.doubles
    let shares = weights?.doubles ?? [Double](repeating: 1, count: chances.count)
    guard truths.count == chances.count, shares.count == chances.count else {
      throw DiagnosticsError(
        "prCurve: \(truths.count) labels and \(shares.count) weights for \(chances.count) predictions")
    }
    guard chances.allSatisfy({ (0...1).contains($0) }), numThresholds > 1 else {
      throw DiagnosticsError("prCurve: predictions are in 0 ... 1, and there are at least 2 thresholds")
    }
    let count = min(numThresholds, 127)
    var (positive, negative) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for ((chance, truth), share) in zip(zip(chances, truths), shares) {
      let bucket = Int(chance * Double(count - 1))
      positive[bucket] += truth * share
      negative[bucket] += (1 - truth) * share
    }
    // What is predicted at each threshold, and so what is not.
    for bucket in (0..<count - 1).reversed() {
      positive[bucket] += positive[bucket + 1]
      negative[bucket] += negative[bucket + 1]
    }
    let missed = positive.map { positive[0] - $0 }
    let precision = zip(positive, negative).map { $0 / max(1e-7, $0 + $1) }
    let recall = zip(positive, missed).map { $0 / max(1e-7, $0 + $1) }
    let rows = [positive, negative, negative.map { negative[0] - $0 }, missed, precision, recall]
    let tensor = Tensorboard_TensorProto.with {
      $0.dtype = .dtFloat
      $0.floatVal = rows.joined().map { Float($0) }
      $0.tensorShape = Self.shape([rows.count, count])
    }
    let data = Tensorboard_PrCurvePluginData.with { $0.numThresholds = UInt32(count) }
    try add(Self.value(tag, plugin: "pr_curves", content: data.encoded, tensor), globalStep, walltime)
  }
}
