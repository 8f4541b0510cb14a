/// Elements of an array in the order in which loops reach them.
///
/// Loops that reach the same elements in the same order are equal, however they were split.
struct Rearrangement: Hashable {
  /// The element that comes first.
  private let origin: Int
  /// The loops, outermost first: how often each runs, and its stride in the array.
  private var loops: [Axis] = []
  /// How many of the innermost loop's iterations copy an element; the others leave zeros.
  private let filled: Int

  private struct Axis: Hashable {
    var extent: Int
    var stride: Int
  }

  init(origin: Int, extents: [Int], strides: [Int], filled: Int) {
    self.origin = origin
    let isFilled = filled == extents.last ?? 1
    for (position, (extent, stride)) in zip(extents, strides).enumerated() {
      let isPartial = !isFilled && position == extents.count - 1
      if extent == 1, !isPartial { continue }
      if let outer = loops.last, outer.stride == extent * stride, !isPartial {
        loops[loops.count - 1] = Axis(extent: outer.extent * extent, stride: stride)
      } else {
        loops.append(Axis(extent: extent, stride: stride))
      }
    }
    self.filled = isFilled ? loops.last?.extent ?? 1 : filled
  }

  var count: Int { loops.reduce(1) { $0 * $1.extent } }

  /// The text form: what makes the same rearrangement.
  var text: String {
    let lists = [loops.map(\.extent), loops.map(\.stride)].map { $0.map(String.init).joined(separator: ", ") }
    return "{origin: \(origin), extents: [\(lists[0])], strides: [\(lists[1])], filled: \(filled)}"
  }

  /// Whether an array of so many elements stays as it is.
  func keeps(_ count: Int) -> Bool {
    guard origin == 0, self.count == count, filled == loops.last?.extent ?? 1 else { return false }
    return loops.isEmpty || loops.count == 1 && loops[0].stride == 1
  }

  /// How many elements a row of the result has.
  private var rowCount: Int { loops.last?.extent ?? 1 }

  /// The elements in their new order, along one axis; zeros for what lies outside of the array.
  func applied(to array: NDArray) -> NDArray {
    NDArray(dtype: array.dtype, shape: [count]) { copy(array, to: $0, fromRow: 0) }
  }

  /// Hands out the bytes of `applied(to:)` piece by piece; all but the last are whole words of 64 bits.
  ///
  /// - Parameter pieceBytes: About how large a piece is; eight rows at least.
  func withParts<Failure>(
    of array: NDArray, pieceBytes: Int = 4 << 20, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    guard count > 0 else { return }
    let rowBytes = rowCount * array.dtype.byteCount
    let rows = count / rowCount
    let rowsOfPart = max(8, pieceBytes / rowBytes / 8 * 8)
    var part = [UInt8](repeating: 0, count: min(rows, rowsOfPart) * rowBytes)
    for row in stride(from: 0, to: rows, by: rowsOfPart) {
      let byteCount = min(rows - row, rowsOfPart) * rowBytes
      part.withUnsafeMutableBytes { copy(array, to: .init(rebasing: $0[..<byteCount]), fromRow: row) }
      try part.withUnsafeBufferPointer { (bytes) throws(Failure) in
        try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<byteCount])))
      }
    }
  }

  /// Fills the target with rows, beginning with one.
  private func copy(_ array: NDArray, to target: UnsafeMutableRawBufferPointer, fromRow row: Int) {
    array.withUnsafeBytes { source in
      switch array.dtype.byteCount {
      case 1: copy(source, target, of: UInt8.self, fromRow: row)
      case 2: copy(source, target, of: UInt16.self, fromRow: row)
      case 4: copy(source, target, of: UInt32.self, fromRow: row)
      default: copy(source, target, of: UInt64.self, fromRow: row)
      }
    }
  }

  private func copy<Element: FixedWidthInteger>(
    _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, of type: Element.Type,
    fromRow firstRow: Int
  ) {
    let (source, target) = (source.bindMemory(to: Element.self), target.bindMemory(to: Element.self))
    let row = loops.last ?? Axis(extent: 1, stride: 1)
    var digits = [Int](repeating: 0, count: max(0, loops.count - 1))
    var first = origin
    var remainder = firstRow
    for digit in digits.indices.reversed() {
      (remainder, digits[digit]) = remainder.quotientAndRemainder(dividingBy: loops[digit].extent)
      first += digits[digit] * loops[digit].stride
    }
    for start in stride(from: 0, to: target.count, by: max(1, row.extent)) {
      let last = first + (filled - 1) * row.stride
      if min(first, last) >= 0, max(first, last) < source.count {
        for step in 0..<filled { target[start + step] = source[first + step * row.stride] }
      } else {
        for step in 0..<filled {
          let position = first + step * row.stride
          target[start + step] = source.indices.contains(position) ? source[position] : 0
        }
      }
      for step in filled..<row.extent { target[start + step] = 0 }
      // The next row: digits count up from the innermost.
      for digit in digits.indices.reversed() {
        digits[digit] += 1
        first += loops[digit].stride
        if digits[digit] < loops[digit].extent { break }
        first -= digits[digit] * loops[digit].stride
        digits[digit] = 0
      }
    }
  }
}
