/// Where the elements of a tensor lie in a buffer.
///
/// An axis is written as one digit or, when it is blocked, as several; each digit has a stride of its own. `nChw16c` is
/// `[n][c / 16][h][w][c % 16]`. An axis may have a border of zeros around it, so that a window reads zeros outside
/// without asking.
struct Layout: Hashable, Sendable {
  /// `index[axis] / divisor`, modulo `extent` unless it is the axis' leading digit.
  struct Digit: Hashable, Sendable {
    var axis: Int
    var divisor: Int
    var extent: Int
    /// In elements.
    var stride: Int
  }

  /// Elements of zero on both sides of an axis.
  struct Border: Hashable, Sendable {
    var low = 0
    var high = 0

    static let empty = Border()
  }

  /// Outermost first.
  private(set) var digits: [Digit]
  private(set) var shape: [Int]
  /// One per axis.
  let borders: [Border]
  /// Elements without meaning behind the innermost digit, which may be written and read: they fill up a vector.
  let padding: Int
  /// Elements behind the innermost digit that nobody touches, so that rows do not compete for places in a cache.
  let gap: Int

  /// A dense layout of axes in an order, one of which may be cut into blocks that lie innermost.
  init(
    shape: [Int], borders: [Border]? = nil, order: [Int]? = nil, blockedAxis: Int? = nil, block: Int = 1,
    padding: Int = 0, gap: Int = 0
  ) {
    self.shape = shape
    self.padding = padding
    self.gap = gap
    self.borders = borders ?? shape.map { _ in .empty }
    digits = []
    for axis in order ?? Array(shape.indices) {
      let extent = shape[axis] + self.borders[axis].low + self.borders[axis].high
      if axis == blockedAxis {
        digits.append(Digit(axis: axis, divisor: block, extent: extent / block, stride: 0))
      } else {
        digits.append(Digit(axis: axis, divisor: 1, extent: extent, stride: 0))
      }
    }
    if let blockedAxis { digits.append(Digit(axis: blockedAxis, divisor: 1, extent: block, stride: 0)) }
    setStrides()
  }

  private mutating func setStrides() {
    var stride = 1
    for position in digits.indices.reversed() {
      digits[position].stride = stride
      stride *= digits[position].extent + (position == digits.count - 1 ? padding + gap : 0)
    }
  }

  /// The sizes of the digits, outermost first: the shape of a dense buffer.
  var sizes: [Int] {
    digits.enumerated().map { $1.extent + ($0 == digits.count - 1 ? padding + gap : 0) }
  }

  /// Whether it is the plain order of a tensor of the shape.
  var isRowMajor: Bool { self == Layout(shape: shape) }

  var hasBorder: Bool { borders.contains { $0 != .empty } }

  /// The indices of an axis at which memory holds the element, or zero.
  func readable(_ axis: Int) -> Range<Int> { -borders[axis].low..<shape[axis] + borders[axis].high }

  /// How many elements that are neighbours in the plain order the loops walk together, innermost: rows of a multiple of
  /// it are walked one after the other.
  var rowUnit: Int {
    var unit = shape.reduce(1, *)
    var (axis, rest) = (0, shape.first ?? 1)
    for digit in digits {
      let isBlocked = digits.contains { $0.axis == digit.axis && $0.divisor != digit.divisor }
      let extent = isBlocked ? digit.extent : shape[digit.axis]
      if extent == 1 { continue }
      while rest == 1, axis + 1 < shape.count {
        axis += 1
        rest = shape[axis]
      }
      guard digit.axis == axis, digit.divisor * extent == rest else { break }
      rest = digit.divisor
      unit /= extent
    }
    return unit
  }

  /// The position of an element, relative to the buffer's first.
  func position(_ indices: [Index]) -> Index {
    var result = Index(0)
    for digit in digits {
      var index = (indices[digit.axis] + borders[digit.axis].low).floorDivided(by: digit.divisor)
      if !isLeading(digit) { index = index.modulo(digit.extent) }
      result = result + index * digit.stride
    }
    return result
  }

  private func isLeading(_ digit: Digit) -> Bool {
    !digits.contains { $0.axis == digit.axis && $0.divisor > digit.divisor }
  }

  /// Loop variables in the order of memory, and the tensor's indices made of them.
  ///
  /// - Parameters:
  ///   - ranges: The indices to run over, one range per axis; blocked axes are taken whole. By default all.
  ///   - includingPadding: Whether to run over the elements without meaning too.
  func domain(
    _ scalars: ScalarBuilder, over ranges: [Range<Int>]? = nil, includingPadding: Bool = false
  ) -> (variables: [LoopVariable], indices: [Index]) {
    let ranges = ranges ?? shape.map { 0..<$0 }
    let isBlocked = shape.indices.map { axis in digits.count { $0.axis == axis } > 1 }
    var indices = shape.indices.map { Index(isBlocked[$0] ? 0 : ranges[$0].lowerBound) }
    var variables: [LoopVariable] = []
    for (position, digit) in digits.enumerated() {
      let extra = includingPadding && position == digits.count - 1 ? padding : 0
      let variable = scalars.variable((isBlocked[digit.axis] ? digit.extent : ranges[digit.axis].count) + extra)
      variables.append(variable)
      indices[digit.axis] = indices[digit.axis] + Index(variable) * digit.divisor
    }
    return (variables, indices)
  }

  /// The distance between neighbours along an axis that is not blocked.
  func stride(of axis: Int) -> Int { digits.first { $0.axis == axis }?.stride ?? 0 }

  /// The layout of the first elements along axes that are not blocked, inside the whole: the same strides.
  func part(_ counts: [Int]) -> Layout {
    var result = self
    for position in digits.indices where counts[digits[position].axis] != shape[digits[position].axis] {
      result.digits[position].extent = counts[digits[position].axis]
    }
    result.shape = counts
    return result
  }

  /// The same order for fewer elements along axes that are not blocked, dense again.
  func resized(to counts: [Int]) -> Layout {
    var result = part(counts)
    result.setStrides()
    return result
  }

  /// The layout of a part along an axis, inside the whole: the same strides, fewer elements; nil if blocks would be
  /// cut.
  func part(of axis: Int, from start: Int, count: Int) -> (layout: Layout, start: Int)? {
    let block = digits.filter { $0.axis == axis }.map(\.divisor).max() ?? 1
    guard borders[axis] == .empty, padding == 0, start % block == 0, count % block == 0 else { return nil }
    var result = self
    result.shape[axis] = count
    var offset = 0
    for position in digits.indices where digits[position].axis == axis && isLeading(digits[position]) {
      result.digits[position].extent = count / block
      offset = start / block * digits[position].stride
    }
    return (result, offset)
  }
}
