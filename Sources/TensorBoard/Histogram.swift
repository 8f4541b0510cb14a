import Foundation
import LatheCore

/// How the numbers of a histogram are divided into bins.
public enum HistogramBins: Hashable, Sendable {
  /// TensorBoard's own 1549 limits, ``SummaryWriter/defaultBins``.
  case tensorflow
  /// So many of equal width.
  case count(Int)
  /// Between these limits, in ascending order; the last belongs to the last bin.
  case limits([Double])
  /// Of equal width, which a rule of NumPy's finds.
  case auto, fd, doane, scott, stone, rice, sturges, sqrt
}

/// Numbers divided into bins, as `numpy.histogram` does.
struct Histogram {
  /// How many numbers lie in each bin.
  private(set) var counts: [Int]
  /// The limits of the bins, one more than bins.
  private(set) var limits: [Double]

  /// - Throws: Bins that are none, or that do not suit the numbers.
  init(_ numbers: [Double], _ bins: HistogramBins) throws(DiagnosticsError) {
    switch bins {
    case .tensorflow: limits = SummaryWriter.defaultBins
    case .limits(let given):
      guard given.count > 1, zip(given, given.dropFirst()).allSatisfy({ $0 <= $1 }) else {
        throw DiagnosticsError("histogram: limits of bins are at least two, in ascending order")
      }
      limits = given
    case .count(let count): limits = try Self.equalLimits(numbers, count)
    case .auto, .fd, .doane, .scott, .stone, .rice, .sturges, .sqrt:
      let (low, high) = try Self.range(numbers)
      let width = BinWidth(numbers).width(bins)
      limits = try Self.equalLimits(numbers, width > 0 ? Self.count((high - low) / width) : 1)
    }
    counts = Self.counts(of: numbers, between: limits)
  }

  private static func count(_ quotient: Double) -> Int { quotient < 1e9 ? Int(quotient.rounded(.up)) : .max }

  /// From the least number to the greatest, or around the only one.
  private static func range(_ numbers: [Double]) throws(DiagnosticsError) -> (low: Double, high: Double) {
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 1)
    guard low.isFinite, high.isFinite, numbers.allSatisfy({ !$0.isNaN }) else {
      throw DiagnosticsError("histogram: bins of equal width need finite numbers")
    }
    return low == high ? (low - 0.5, high + 0.5) : (low, high)
  }

  fileprivate static func equalLimits(_ numbers: [Double], _ count: Int) throws(DiagnosticsError) -> [Double] {
    guard (1...1_000_000).contains(count) else {
      throw DiagnosticsError("histogram: \(count) bins are not between 1 and 1000000")
    }
    let (low, high) = try range(numbers)
    let step = (high - low) / Double(count)
    let limits = (0..<count).map { Double($0) * step + low } + [high]
    guard zip(limits, limits.dropFirst()).allSatisfy(<) else {
      throw DiagnosticsError("histogram: between \(low) and \(high) there are no \(count) bins")
    }
    return limits
  }

  fileprivate static func counts(of numbers: [Double], between limits: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: limits.count - 1)
    let last = limits[limits.count - 1]
    for number in numbers where number >= limits[0] && number <= last {
      // The first limit that is greater; the last bin is closed.
      var (low, high) = (1, limits.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if number < limits[middle] { high = middle } else { low = middle + 1 }
      }
      counts[low - 1] += 1
    }
    return counts
  }

  /// At most about so many bins: neighbours are joined.
  mutating func join(atMost count: Int) {
    guard counts.count > count else { return }
    let group = counts.count / count
    let starts = stride(from: 0, to: counts.count, by: group)
    limits = starts.map { limits[$0] } + [limits[limits.count - 1]]
    counts = starts.map { counts[$0..<min($0 + group, counts.count)].reduce(0, +) }
  }

  /// The upper limits and counts from before the first bin that holds something to the last one; nil where none does.
  var support: (limits: [Double], counts: [Int])? {
    guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 }) else {
      return nil
    }
    // TensorBoard keeps upper limits only: an empty bin before the first tells where that begins.
    return (Array(limits[first...last + 1]), [first > 0 ? counts[first - 1] : 0] + counts[first...last])
  }
}

/// The rules by which NumPy finds the width of bins; 0 where a rule finds none.
///
/// Source: numpy.histogram_bin_edges, https://numpy.org/doc/stable/reference/generated/numpy.histogram_bin_edges.html
private struct BinWidth {
  let numbers: [Double]
  private let count: Double
  private let extent: Double

  init(_ numbers: [Double]) {
    self.numbers = numbers
    count = Double(numbers.count)
    extent = (numbers.max() ?? 0) - (numbers.min() ?? 0)
  }

  func width(_ rule: HistogramBins) -> Double {
    switch rule {
    case .sqrt: extent / count.squareRoot()
    case .sturges: extent / (log2(count) + 1)
    case .rice: extent / (2 * pow(count, 1.0 / 3))
    case .scott: pow(24 * Double.pi.squareRoot() / count, 1.0 / 3) * deviation
    case .doane: doane
    case .fd: 2 * (percentile(0.75) - percentile(0.25)) * pow(count, -1.0 / 3)
    case .auto: min(max(width(.fd), width(.sqrt) / 2), width(.sturges))
    case .stone: stone
    case .tensorflow, .count, .limits: internalError("\(rule) is no rule for a width")
    }
  }

  private var mean: Double { numbers.reduce(0, +) / count }

  private var deviation: Double {
    let mean = mean
    return (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
  }

  private func percentile(_ share: Double) -> Double {
    let sorted = numbers.sorted()
    let place = share * (count - 1)
    let (low, rest) = (Int(place), place - place.rounded(.down))
    return sorted[low] + (sorted[min(low + 1, sorted.count - 1)] - sorted[low]) * rest
  }

  /// Sturges' rule with a correction for skewed numbers.
  private var doane: Double {
    let (mean, deviation) = (mean, deviation)
    guard count > 2, deviation > 0 else { return 0 }
    let skewness = numbers.reduce(0) { $0 + pow(($1 - mean) / deviation, 3) } / count
    let scale = (6 * (count - 2) / ((count + 1) * (count + 3))).squareRoot()
    return extent / (1 + log2(count) + log2(1 + abs(skewness) / scale))
  }

  /// The count of bins with the least estimate of the loss by cross-validation.
  private var stone: Double {
    guard count > 1, extent > 0 else { return 0 }
    func loss(_ bins: Int) -> Double {
      guard let limits = try? Histogram.equalLimits(numbers, bins) else { return .infinity }
      let shares = Histogram.counts(of: numbers, between: limits).map { Double($0) / count }
      return (2 - (count + 1) * shares.reduce(0) { $0 + $1 * $1 }) / (extent / Double(bins))
    }
    let losses = (1...max(100, Int(count.squareRoot()))).map { (bins: $0, loss: loss($0)) }
    return extent / Double(losses.min { $0.loss < $1.loss }?.bins ?? 1)
  }
}
