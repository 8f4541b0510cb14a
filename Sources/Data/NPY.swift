public import LatheCore

/// NumPy's format of one array.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
extension NDArray {
  /// Reads the array that an .npy file holds: any byte order, row-major or column-major, versions 1 to 3.
  ///
  /// The type `V2` is read as bf16, and `bool` is normalized to 0 and 1.
  ///
  /// - Parameters:
  ///   - bytes: The whole content of the file.
  ///   - file: The file's name for diagnostics.
  /// - Throws: One diagnostic that says what is wrong with the file.
  public init(npy bytes: [UInt8], from file: String) throws(DiagnosticsError) {
    self = try located(file) { () throws(FileFault) in try NDArray(npy: bytes) }
  }

  /// Reads an .npy file.
  ///
  /// - Throws: One diagnostic, with the path as its place, when the file cannot be read or is not what it claims to be.
  public init(readingNPY path: String) throws(DiagnosticsError) {
    try self.init(npy: FileContent(reading: path).bytes, from: path)
  }

  /// The array as an .npy file, byte for byte as `numpy.save` writes it.
  ///
  /// NumPy lacks bf16 and narrower floats: such arrays are written as float32, which holds them exactly, integers of fewer
  /// than eight bits with eight.
  public func npy() -> [UInt8] {
    if dtype == .bf16 { return converted(to: .f32).npy() }
    if dtype.narrow != nil { return widened { _ in false }.npy() }
    var result = NPYHeader.encoded(NPYElement.descriptor(for: dtype), shape: shape)
    result.reserveCapacity(result.count + bytes.count)
    result += bytes
    return result
  }

  init(npy bytes: [UInt8]) throws(FileFault) {
    let (header, start) = try NPYHeader.decode(bytes[...])
    let available = bytes.count - start
    let type = "\(header.element.dtype)\(header.shape)"
    guard let expected = header.byteCount else { throw FileFault("has the absurd type \(type)") }
    guard available >= expected else {
      throw FileFault("is truncated: \(type) takes \(expected) bytes, \(available) are there")
    }
    guard available == expected else {
      throw FileFault("has \(available - expected) bytes more than \(type) takes")
    }
    var elements = Array(bytes[start...])
    let width = header.element.byteCount
    if header.element.isBigEndian && width > 1 {
      for first in stride(from: 0, to: elements.count, by: width) { elements[first..<first + width].reverse() }
    }
    if header.element.dtype == .bool { elements = elements.map { $0 == 0 ? 0 : 1 } }
    if header.fortranOrder && header.shape.count > 1 {
      elements = rowMajor(columnMajor: elements, shape: header.shape, width: width)
    }
    self = unfailing { try NDArray(dtype: header.element.dtype, shape: header.shape, bytes: elements) }
  }
}

/// Puts elements whose first axis is innermost into row-major order.
private func rowMajor(columnMajor bytes: [UInt8], shape: [Int], width: Int) -> [UInt8] {
  guard !bytes.isEmpty else { return bytes }
  var strides: [Int] = []
  var stride = width
  for size in shape {
    strides.append(stride)
    stride *= size
  }
  var index = [Int](repeating: 0, count: shape.count)
  var source = 0
  return [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, initialized in
    for target in Swift.stride(from: 0, to: bytes.count, by: width) {
      for byte in 0..<width { buffer.initializeElement(at: target + byte, to: bytes[source + byte]) }
      for axis in shape.indices.reversed() {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= strides[axis] * shape[axis]
        index[axis] = 0
      }
    }
    initialized = bytes.count
  }
}
