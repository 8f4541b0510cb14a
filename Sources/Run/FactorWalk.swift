internal import LatheCore

/// The places of a factor's elements as tables over two lists of variables: packing and direct products walk along them
/// without evaluating an index.
///
/// Only for factors whose index and constraints are affine in the variables. The last inner variable is not in the
/// tables: along it elements lie a fixed stride apart, and those that satisfy the constraints are an interval.
struct FactorWalk: Sendable {
  let buffer: BufferID
  /// Elements in the buffer.
  let count: Int
  /// The index and the constraints where all variables of the walk are 0.
  private let starts: [Index]
  private let ranges: [Range<Int>]
  /// For every combination of the outer variables, what it adds to the index and to each constraint.
  private let outer: [Int]
  /// The same for the inner variables but the last.
  private let inner: [Int]
  /// What one step of the last inner variable adds.
  private let steps: [Int]
  let outerCount: Int
  let innerCount: Int
  /// Values of the last inner variable.
  let length: Int

  /// Tables larger than this are not made.
  private static let mostEntries = 1 << 20

  init?(_ factor: Contraction.Factor, outer: [LoopVariable], inner: [LoopVariable], count: Int) {
    var indices = [factor.index]
    var ranges: [Range<Int>] = []
    for constraint in factor.constraints {
      guard case .inRange(let index, let range) = constraint else { return nil }
      indices.append(index)
      ranges.append(range)
    }
    let walked = Set(outer + inner)
    for index in indices {
      for term in index.terms {
        switch term.atom {
        case .variable: break
        case .floorDivide(let part, _), .modulo(let part, _):
          if part.isDynamic || !part.variables.isDisjoint(with: walked) { return nil }
        case .value: return nil
        }
      }
    }
    let last = inner.last { $0.extent > 1 } ?? inner.last
    let others = inner.filter { $0 != last }
    guard (outer.extent + others.extent) * indices.count <= Self.mostEntries else { return nil }
    buffer = factor.buffer
    self.count = count
    self.ranges = ranges
    starts = indices.map { index in index.substituting { walked.contains($0) ? Index(0) : Index($0) } }
    self.outer = Self.table(indices, outer)
    self.inner = Self.table(indices, others)
    steps = indices.map { index in last.map { index.coefficient(of: $0) } ?? 0 }
    outerCount = outer.extent
    innerCount = others.extent
    length = last?.extent ?? 1
  }

  /// Row-major over the variables: the contribution of each combination to each index.
  private static func table(_ indices: [Index], _ variables: [LoopVariable]) -> [Int] {
    var rows = [indices.map { _ in 0 }]
    for variable in variables {
      let factors = indices.map { $0.coefficient(of: variable) }
      rows = rows.flatMap { row in
        (0..<variable.extent).map { value in zip(row, factors).map { $0 + $1 * value } }
      }
    }
    return rows.flatMap { $0 }
  }

  /// Calls `body` for every run of elements along the last inner variable: outer and inner combination, the position of
  /// the element at 0, and the interval of values that satisfy the constraints.
  ///
  /// Outer combinations are the outer loop, unless `innerFirst`.
  ///
  /// - Returns: The position of an element outside of the buffer, where there is one; the walk stops there.
  @inline(__always)
  func forEachRun(
    inner innerRange: Range<Int>, along values: Range<Int>, parameters: [LoopVariable: Int], innerFirst: Bool = false,
    _ body: (_ outer: Int, _ inner: Int, _ position: Int, _ low: Int, _ high: Int) -> Void
  ) -> Int? {
    let starts = starts.map { $0.value(parameters) }
    let width = starts.count
    let stride = steps[0]
    return starts.withUnsafeBufferPointer { starts -> Int? in
      outer.withUnsafeBufferPointer { outer -> Int? in
        inner.withUnsafeBufferPointer { inner -> Int? in
          steps.withUnsafeBufferPointer { steps -> Int? in
            ranges.withUnsafeBufferPointer { ranges -> Int? in
              for first in innerFirst ? innerRange : 0..<outerCount {
                for second in innerFirst ? 0..<outerCount : innerRange {
                  let (row, column) = innerFirst ? (second, first) : (first, second)
                  let position = starts[0] + outer[row * width] + inner[column * width]
                  var low = values.lowerBound
                  var high = values.upperBound
                  for constraint in 1..<width {
                    let base = starts[constraint] + outer[row * width + constraint] + inner[column * width + constraint]
                    let range = ranges[constraint - 1]
                    switch steps[constraint] {
                    case 0: if base < range.lowerBound || base >= range.upperBound { high = low }
                    case 1:
                      low = max(low, range.lowerBound - base)
                      high = min(high, range.upperBound - base)
                    case let step where step > 0:
                      low = max(low, (range.lowerBound - base).dividedRoundingUp(by: step))
                      high = min(high, (range.upperBound - base).dividedRoundingUp(by: step))
                    case let step:
                      low = max(low, (base - range.upperBound).dividedRoundingDown(by: -step) + 1)
                      high = min(high, (base - range.lowerBound).dividedRoundingDown(by: -step) + 1)
                    }
                  }
                  if low >= high {
                    low = values.lowerBound
                    high = low
                  } else {
                    let first = position + low * stride
                    let last = position + (high - 1) * stride
                    guard first >= 0, first < count else { return first }
                    guard last >= 0, last < count else { return last }
                  }
                  body(row, column, position, low, high)
                }
              }
              return nil
            }
          }
        }
      }
    }
  }

  /// Writes the elements as a dense matrix, `outer` rows of all inner combinations in the given ranges; zero where the
  /// constraints do not hold.
  func pack<Element: ExpressibleByIntegerLiteral & BitwiseCopyable>(
    _ source: UnsafePointer<Element>, to target: UnsafeMutablePointer<Element>, inner innerRange: Range<Int>,
    along values: Range<Int>, parameters: [LoopVariable: Int]
  ) -> Int? {
    let stride = steps[0]
    let length = values.count
    var place = target
    return forEachRun(inner: innerRange, along: values, parameters: parameters) {
      _, _, position, low, high in
      let row = place - values.lowerBound
      place += length
      for value in values.lowerBound..<low { row[value] = 0 }
      let from = source + position
      if stride == 1 {
        if high - low >= 32 {
          (row + low).update(from: from + low, count: high - low)
        } else {
          for value in low..<high { row[value] = from[value] }
        }
      } else if stride == 2 {
        for value in low..<high { row[value] = from[2 * value] }
      } else {
        for value in low..<high { row[value] = from[value * stride] }
      }
      for value in high..<values.upperBound { row[value] = 0 }
    }
  }

  /// Adds `factors[outer] * element` to `sums` for every outer combination and element: a product with one row.
  func addProducts<Element: BinaryFloatingPoint>(
    _ source: UnsafePointer<Element>, factors: UnsafePointer<Element>, to sums: UnsafeMutablePointer<Element>,
    parameters: [LoopVariable: Int]
  ) -> Int? {
    let stride = steps[0]
    return forEachRun(inner: 0..<innerCount, along: 0..<length, parameters: parameters, innerFirst: true) {
      outer, inner, position, low, high in
      let row = sums + inner * length
      let factor = factors[outer]
      let from = source + position
      if stride == 1 {
        for value in low..<high { row[value] += factor * from[value] }
      } else {
        for value in low..<high { row[value] += factor * from[value * stride] }
      }
    }
  }
}
