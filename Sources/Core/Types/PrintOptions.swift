import Foundation
import Synchronization

/// How arrays are written for people: PyTorch's `set_printoptions`, and its format.
public struct PrintOptions: Hashable, Sendable {
  /// Digits behind the point.
  public var precision = 4
  /// An array with more elements is shown by its edges.
  public var threshold = 1000
  /// How many elements are shown at each end of an axis then.
  public var edgeItems = 3
  /// The most characters of a line.
  public var lineWidth = 80
  /// Whether floats have exponents; nil where their magnitudes decide.
  public var sciMode: Bool?

  /// NumPy's options.
  public init() {}

  /// Sets of options by PyTorch's names.
  public enum Profile: Sendable {
    /// Four digits, edges of more than 1000 elements.
    case standard
    /// Two digits, edges of two.
    case short
    /// Every element.
    case full
  }

  /// The options of a profile.
  public init(_ profile: Profile) {
    switch profile {
    case .standard: break
    case .short:
      precision = 2
      edgeItems = 2
    case .full: threshold = .max
    }
  }

  private static let shared = Mutex(PrintOptions())

  /// What `print` uses, in the whole process.
  public static var current: PrintOptions {
    get { shared.withLock { $0 } }
    set { shared.withLock { $0 = newValue } }
  }
}

/// Changes how arrays are printed, in the whole process; what is not given stays, unless a profile is.
public func setPrintOptions(
  precision: Int? = nil, threshold: Int? = nil, edgeItems: Int? = nil, lineWidth: Int? = nil,
  profile: PrintOptions.Profile? = nil, sciMode: Bool? = nil
) {
  var options = profile.map { PrintOptions($0) } ?? .current
  options.precision = max(precision ?? options.precision, 0)
  options.threshold = max(threshold ?? options.threshold, 0)
  options.edgeItems = max(edgeItems ?? options.edgeItems, 0)
  options.lineWidth = max(lineWidth ?? options.lineWidth, 1)
  options.sciMode = sciMode ?? options.sciMode
  PrintOptions.current = options
}

extension NDArray: CustomStringConvertible {
  /// The elements as PyTorch prints them.
  public var description: String { text(.current) }

  /// The elements as PyTorch prints them, under the given options.
  public func text(_ options: PrintOptions) -> String {
    let prefix = "tensor("
    var suffixes: [String] = []
    if count == 0, shape.count != 1 { suffixes.append("size=(\(shape.map(String.init).joined(separator: ", ")))") }
    if ![.f32, .i64, .bool].contains(dtype) || (count == 0 && dtype == .i64) { suffixes.append("dtype=.\(dtype)") }
    var text = prefix + (count == 0 ? "[]" : ArrayText(self, options).text(prefix.count))
    var width = text.count - (text.lastIndex(of: "\n").map { text.distance(from: text.startIndex, to: $0) } ?? -1) + 1
    for suffix in suffixes {
      if width + suffix.count + 2 > options.lineWidth {
        text += ",\n" + String(repeating: " ", count: prefix.count) + suffix
        width = prefix.count + suffix.count
      } else {
        text += ", " + suffix
        width += suffix.count + 2
      }
    }
    return text + ")"
  }
}

/// The text of an array with elements: one form for all of them, by what they are.
///
/// Source: `torch/_tensor_str.py`
private struct ArrayText {
  let array: NDArray
  let options: PrintOptions
  /// Whether axes are shown by their edges.
  let isSummary: Bool
  private var isWhole = true
  private var hasExponents = false
  private var width = 1

  init(_ array: NDArray, _ options: PrintOptions) {
    self.array = array
    self.options = options
    isSummary = array.count > options.threshold
    let shown = isSummary ? Self.shown(array.shape[...], options.edgeItems, from: 0) : Array(0..<array.count)
    guard array.dtype.isFloat else {
      width = shown.reduce(1) { max($0, text(at: $1).count) }
      return
    }
    let numbers = shown.map { array.element(at: $0).double }.filter { $0.isFinite && $0 != 0 }
    guard let least = numbers.map(abs).min(), let greatest = numbers.map(abs).max() else { return }
    isWhole = numbers.allSatisfy { $0 == $0.rounded(.up) }
    hasExponents = options.sciMode ?? (greatest / least > 1000 || greatest > 1e8 || least < 1e-4)
    width = numbers.reduce(1) { max($0, text($1).count) }
  }

  /// The positions that are shown.
  private static func shown(_ shape: ArraySlice<Int>, _ edge: Int, from start: Int) -> [Int] {
    guard let size = shape.first else { return [start] }
    let inner = shape.dropFirst()
    let stride = inner.reduce(1, *)
    let places = size > 2 * edge ? Array(0..<edge) + Array(size - edge..<size) : Array(0..<size)
    return places.flatMap { shown(inner, edge, from: start + $0 * stride) }
  }

  private func text(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    if hasExponents { return String(format: "%.\(options.precision)e", number) }
    return isWhole ? String(format: "%.0f.", number) : String(format: "%.\(options.precision)f", number)
  }

  private func text(at position: Int) -> String {
    switch array.element(at: position) {
    case .float(let number): text(number)
    case .integer(let bits):
      switch array.dtype {
      case .bool: bits == 0 ? "False" : "True"
      case .u64: "\(UInt(bitPattern: bits))"
      default: "\(bits)"
      }
    }
  }

  private func padded(_ position: Int) -> String {
    let text = text(at: position)
    return String(repeating: " ", count: max(width - text.count, 0)) + text
  }

  func text(_ indent: Int) -> String { text(array.shape[...], from: 0, indent) }

  private func text(_ shape: ArraySlice<Int>, from start: Int, _ indent: Int) -> String {
    guard let size = shape.first else { return padded(start) }
    let inner = shape.dropFirst()
    let stride = inner.reduce(1, *)
    let edge = options.edgeItems
    func places(_ range: Range<Int>) -> [String] {
      range.map { inner.isEmpty ? padded(start + $0) : text(inner, from: start + $0 * stride, indent + 1) }
    }
    let parts: [String]
    if isSummary, size > 2 * edge {
      parts = places(0..<edge) + [inner.isEmpty && edge > 0 ? " ..." : "..."] + places(size - edge..<size)
    } else {
      parts = places(0..<size)
    }
    let margin = String(repeating: " ", count: indent + 1)
    guard inner.isEmpty else {
      return "[" + parts.joined(separator: "," + String(repeating: "\n", count: shape.count - 1) + margin) + "]"
    }
    let perLine = max(1, (options.lineWidth - indent) / (width + 2))
    let lines = Swift.stride(from: 0, to: parts.count, by: perLine).map {
      parts[$0..<min($0 + perLine, parts.count)].joined(separator: ", ")
    }
    return "[" + lines.joined(separator: ",\n" + margin) + "]"
  }
}
