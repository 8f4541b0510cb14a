internal import Foundation
public import LatheCore

extension ScalarType {
  /// How far numbers of a type may be apart by default: PyTorch's table.
  ///
  /// Source: https://pytorch.org/docs/stable/testing.html
  fileprivate var tolerances: (rtol: Double, atol: Double) {
    switch self {
    case .f16: (1e-3, 1e-5)
    case .bf16: (1.6e-2, 1e-5)
    case .f32: (1.3e-6, 1e-5)
    case .f64: (1e-7, 1e-7)
    default: (0, 0)
    }
  }
}

/// Throws unless two arrays have one shape, one type and close numbers, `|a - b| <= atol + rtol * |b|`:
/// `torch.testing.assert_close`.
///
/// - Parameters:
///   - rtol: By default that of the type, of two types the larger; given with `atol`.
///   - atol: As `rtol`. Where both are 0 numbers must be equal.
///   - equalNaN: Whether NaN agrees with NaN.
///   - checkDtype: Whether the types must agree; without, numbers are compared in the type in which both meet.
/// - Throws: What differs, in PyTorch's words.
public func assertClose(
  _ actual: NDArray, _ expected: NDArray, rtol: Double? = nil, atol: Double? = nil, equalNaN: Bool = false,
  checkDtype: Bool = true
) throws(DiagnosticsError) {
  guard (rtol == nil) == (atol == nil) else {
    throw DiagnosticsError("rtol and atol must both be specified or both be unspecified")
  }
  func attribute(_ name: String, _ a: String, _ b: String) -> DiagnosticsError {
    DiagnosticsError("the values for attribute '\(name)' do not match: \(a) != \(b)")
  }
  guard actual.shape == expected.shape else { throw attribute("shape", "\(actual.shape)", "\(expected.shape)") }
  guard !checkDtype || actual.dtype == expected.dtype else {
    throw attribute("dtype", "\(actual.dtype)", "\(expected.dtype)")
  }
  let (first, second) = (actual.dtype.tolerances, expected.dtype.tolerances)
  let rtol = rtol ?? max(first.rtol, second.rtol)
  let atol = atol ?? max(first.atol, second.atol)
  let comparison = Comparison(actual, expected, rtol, atol, equalNaN)
  if let message = comparison.message { throw DiagnosticsError(message) }
}

/// Two arrays of one shape, number by number.
private struct Comparison {
  private let shape: [Int]
  private let rtol: Double
  private let atol: Double
  private var mismatches = 0
  private var count: Int
  /// Where numbers that do not match are farthest apart, and by how much.
  private var absolute = Greatest()
  private var relative = Greatest()
  /// The pair of arrays without axes.
  private var scalars = ("", "")

  private struct Greatest {
    var text = ""
    var position = 0
    private var value = -Double.infinity

    mutating func meet(_ number: Double, _ text: String, at position: Int) {
      guard !value.isNaN, number.isNaN || number > value else { return }
      self = Greatest(text: text, position: position, value: number)
    }

    init(text: String = "", position: Int = 0, value: Double = -.infinity) {
      self.text = text
      self.position = position
      self.value = value
    }
  }

  init(_ actual: NDArray, _ expected: NDArray, _ rtol: Double, _ atol: Double, _ equalNaN: Bool) {
    shape = actual.shape
    count = actual.count
    self.rtol = rtol
    self.atol = atol
    let dtype = actual.dtype.promoted(with: expected.dtype)
    func rounded(_ number: Double) -> Double { dtype.isFloat ? dtype.rounded(.float(number)).double : number }
    let pairs = zip(actual.converted(to: dtype).values, expected.converted(to: dtype).values)
    for (position, (x, y)) in pairs.enumerated() {
      let (a, b) = (x.double, y.double)
      if dtype.isFloat ? a == b || equalNaN && a.isNaN && b.isNaN : x == y { continue }
      // Each step is rounded, as PyTorch's tensors are.
      let apart = rounded(Swift.abs(rounded(a - b)))
      if apart.isFinite, apart <= rounded(atol + Swift.abs(rounded(rtol * b))), rtol != 0 || atol != 0 { continue }
      mismatches += 1
      let ratio = dtype.isFloat ? rounded(apart / Swift.abs(b)) : Double(Float(apart / Swift.abs(b)))
      absolute.meet(apart, dtype.isFloat ? "\(apart)" : String(format: "%.0f", apart), at: position)
      relative.meet(ratio, "\(ratio)", at: position)
      if shape.isEmpty { scalars = (Self.text(x), Self.text(y)) }
    }
  }

  private static func text(_ value: ScalarValue) -> String {
    switch value {
    case .float(let number): "\(number)"
    case .integer(let number): "\(number)"
    }
  }

  /// What does not match; nil where everything does.
  var message: String? {
    guard mismatches > 0 else { return nil }
    let isEquality = rtol == 0 && atol == 0
    func allowed(_ tolerance: Double) -> String { isEquality ? "" : " (up to \(tolerance) allowed)" }
    let verdict = "are not \(isEquality ? "equal" : "close")!\n\n"
    if shape.isEmpty {
      return "Scalars \(verdict)Expected \(scalars.1) but got \(scalars.0).\n"
        + "Absolute difference: \(absolute.text)\(allowed(atol))\n"
        + "Relative difference: \(relative.text)\(allowed(rtol))"
    }
    let share = String(format: "%.1f", 100 * Double(mismatches) / Double(count))
    return "Tensor-likes \(verdict)Mismatched elements: \(mismatches) / \(count) (\(share)%)\n"
      + "Greatest absolute difference: \(absolute.text) at index \(index(absolute.position))\(allowed(atol))\n"
      + "Greatest relative difference: \(relative.text) at index \(index(relative.position))\(allowed(rtol))"
  }

  /// A row-major position as Python writes an index.
  private func index(_ position: Int) -> String {
    var rest = position
    let places = shape.reversed().map { size in
      defer { rest /= size }
      return "\(rest % size)"
    }
    return "(" + places.reversed().joined(separator: ", ") + (shape.count == 1 ? ",)" : ")")
  }
}

/// An array of random numbers to test with: `torch.testing.make_tensor`, whose numbers these are after the same seed.
///
/// - Parameters:
///   - low: The least number; by default -9, of truths and unsigned integers 0.
///   - high: Above all numbers; by default 9 of floats, 10 of integers, 2 of truths.
///   - excludeZero: Whether zeros become ones, or of floats the smallest normal number.
/// - Throws: For a range that is empty, and sizes that are negative or larger than the memory.
public func makeTensor(
  _ shape: [Int], dtype: ScalarType, low: Double? = nil, high: Double? = nil, excludeZero: Bool = false,
  generator: Generator = .default
) throws(DiagnosticsError) -> NDArray {
  // What the type holds; the end of integers is not among them.
  let limits: (low: Double, high: Double)
  if dtype.isFloat {
    let info = try finfo(dtype)
    limits = (info.min, info.max)
  } else if dtype == .bool {
    limits = (0, 2)
  } else {
    let info = try iinfo(dtype)
    limits = (Double(info.min), Double(info.max) + (dtype.bitCount < 64 ? 1 : 0))
  }
  let defaults: (Double, Double) = dtype.isFloat ? (-9, 9) : dtype == .bool ? (0, 2) : (-9, 10)
  let (first, end) = (low ?? defaults.0, high ?? defaults.1)
  guard first < end, end >= limits.low, first < limits.high else {
    throw DiagnosticsError("makeTensor: there is no number of \(dtype) in \(first) ..< \(end)")
  }
  let bounds = (min(max(first, limits.low), limits.high), min(max(end, limits.low), limits.high))
  var array: NDArray
  if dtype.isFloat {
    try NDArray.requireMemory(dtype, shape)
    let count = shape.reduce(1, *)
    let drawn: ScalarType = dtype.narrow == nil ? dtype : .f32
    // A range beyond the largest number is drawn by halves.
    let isWide = bounds.1 - bounds.0 >= limits.high
    let numbers = generator.uniform(count, isWide ? bounds.0 / 2 : bounds.0, isWide ? bounds.1 / 2 : bounds.1, drawn)
    array = try NDArray(dtype: dtype, shape: shape, values: numbers.map { .float(isWide ? $0 * 2 : $0) })
  } else {
    // 2^63 is no Int: the last number there is stands for it.
    let end = Int(exactly: bounds.1.rounded(.up)) ?? Int.max
    array = try randint(Int(bounds.0.rounded(.up)), end, shape, dtype: dtype, generator: generator)
  }
  guard excludeZero else { return array }
  let replacement: ScalarValue = dtype.isFloat ? .float(try finfo(dtype).tiny) : .integer(1)
  array = try NDArray(dtype: dtype, shape: shape, values: array.values.map { $0.double == 0 ? replacement : $0 })
  return array
}
