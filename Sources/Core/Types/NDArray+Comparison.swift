/// Arrays as Swift's numbers, and against each other.
extension NDArray {
  /// The element at an index, one number for each axis, which may count from the end.
  ///
  /// - Throws: When there is no such element.
  public subscript(first: Int, second: Int, rest: Int...) -> ScalarValue {
    get throws(DiagnosticsError) { try element([first, second] + rest) }
  }

  /// The element at an index, one number for each axis, which may count from the end.
  ///
  /// - Throws: When there is no such element.
  public func element(_ index: [Int]) throws(DiagnosticsError) -> ScalarValue {
    var position = 0
    var isInside = index.count == shape.count
    for (place, size) in zip(index, shape) {
      let counted = place < 0 ? place + size : place
      isInside = isInside && (0..<size).contains(counted)
      position = isInside ? position * size + counted : 0
    }
    guard isInside else { throw Self.fault("there is no element \(index) in \(type)") }
    return element(at: position)
  }

  /// The only element, as a number.
  ///
  /// - Throws: When there are several, or none.
  public func item() throws(DiagnosticsError) -> Double {
    guard count == 1 else { throw Self.fault("\(type) is not one number") }
    return element(at: 0).double
  }

  /// The rows of a matrix, in the elements' native type: `tolist`.
  ///
  /// - Throws: When this is no matrix, or of another type.
  public func rows<Element: NativeScalar>(
    as type: Element.Type = Element.self
  ) throws(DiagnosticsError) -> [[Element]] {
    guard shape.count == 2, let elements = elements(as: type) else {
      throw Self.fault("\(self.type) is no matrix of \(Element.scalarType)")
    }
    return (0..<shape[0]).map { Array(elements[$0 * shape[1]..<($0 + 1) * shape[1]]) }
  }

  /// Whether two arrays have one shape and equal numbers, whatever their types; NaN equals nothing.
  public func equal(_ other: NDArray) -> Bool {
    shape == other.shape
      && zip(values, other.values).allSatisfy { a, b in
        if case (.integer(let x), .integer(let y)) = (a, b) { return x == y }
        return a.double == b.double
      }
  }

  /// Whether all numbers of two arrays of one shape agree: `|a - b| <= atol + rtol * |b|`.
  ///
  /// - Parameter equalNaN: Whether NaN agrees with NaN.
  public func allClose(_ other: NDArray, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Bool {
    shape == other.shape
      && zip(doubles, other.doubles).allSatisfy { a, b in
        a == b || (equalNaN && a.isNaN && b.isNaN) || (b.isFinite && abs(a - b) <= atol + rtol * abs(b))
      }
  }
}
