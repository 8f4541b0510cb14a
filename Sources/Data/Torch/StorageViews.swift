package import LatheCore

/// Makes tensors out of the storages of a file, and no more of them than a file of its size is meant to hold.
package struct StorageViews {
  private var storedBytes = 0
  private var viewedBytes = 0

  package init() {}

  /// Notes a storage, which may be seen several times.
  package mutating func add(_ content: [UInt8]) { storedBytes += content.count }

  /// The elements of a view of a storage in row-major order.
  ///
  /// - Parameters:
  ///   - offset: The first element's position.
  ///   - strides: How many elements lie between neighbours of each axis.
  /// - Throws: That the view is none, reaches out of its storage, or with all others is much larger than the file.
  package mutating func array(
    of content: [UInt8], _ dtype: ScalarType, _ sizes: [Int], offset: Int, strides: [Int]
  ) throws(FileFault) -> NDArray {
    let array = try NDArray(
      viewing: content, dtype, sizes, offset: offset, strides: strides, limit: 1 << 26 + storedBytes * 4 - viewedBytes)
    viewedBytes += array.bytes.count
    return array
  }
}

extension NDArray {
  /// The elements of a view of a storage in row-major order.
  ///
  /// - Parameters:
  ///   - offset: The first element's position.
  ///   - strides: How many elements lie between neighbours of each axis.
  ///   - limit: The most bytes that the view may have.
  /// - Throws: That the view is none, or reaches out of its storage.
  fileprivate init(
    viewing content: [UInt8], _ dtype: ScalarType, _ sizes: [Int], offset: Int, strides: [Int], limit: Int
  ) throws(FileFault) {
    let type = "\(dtype)\(sizes)"
    guard sizes.count <= 64, sizes.count == strides.count, sizes.allSatisfy({ $0 >= 0 }),
      strides.allSatisfy({ $0 >= 0 }), offset >= 0, let byteCount = TensorType(dtype, sizes).byteCount
    else { throw FileFault("has the absurd type \(type)") }
    guard byteCount > 0 else {
      self = unfailing { try NDArray(dtype: dtype, shape: sizes, bytes: []) }
      return
    }
    var last = offset
    for (size, stride) in zip(sizes, strides) {
      let (reach, isTooFar) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = last.addingReportingOverflow(reach)
      guard !isTooFar, !overflow else { throw FileFault("reaches out of its storage") }
      last = sum
    }
    let stored = content.count / dtype.byteCount
    guard last < stored else {
      throw FileFault(
        "is \(type) from element \(offset) on, with strides \(strides), of a storage of \(stored) elements")
    }
    guard byteCount <= limit else {
      throw FileFault("is \(type), of a storage of \(stored) elements: too much of an expansion")
    }
    self.init(dtype, sizes, gatheredFrom: content, offset: offset, strides: strides)
  }

  /// The elements of a view that has been checked, and has some.
  private init(_ dtype: ScalarType, _ sizes: [Int], gatheredFrom content: [UInt8], offset: Int, strides: [Int]) {
    let width = dtype.byteCount
    let count = sizes.reduce(1, *)
    var contiguous = 1
    var isContiguous = true
    for (size, stride) in zip(sizes, strides).reversed() where size != 1 {
      if stride != contiguous { isContiguous = false }
      contiguous *= size
    }
    var bytes: [UInt8]
    if isContiguous {
      bytes =
        count * width == content.count ? content : Array(content[offset * width..<(offset + count) * width])
    } else {
      bytes = [UInt8](unsafeUninitializedCapacity: count * width) { target, initialized in
        content.withUnsafeBytes { source in
          var index = [Int](repeating: 0, count: sizes.count)
          var position = offset
          for element in 0..<count {
            UnsafeMutableRawBufferPointer(
              rebasing: UnsafeMutableRawBufferPointer(target)[element * width..<(element + 1) * width]
            )
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position * width..<(position + 1) * width]))
            for axis in sizes.indices.reversed() {
              index[axis] += 1
              position += strides[axis]
              if index[axis] < sizes[axis] { break }
              position -= strides[axis] * sizes[axis]
              index[axis] = 0
            }
          }
        }
        initialized = count * width
      }
    }
    if dtype == .bool, bytes.contains(where: { $0 > 1 }) { bytes = bytes.map { $0 == 0 ? 0 : 1 } }
    self = unfailing { try NDArray(dtype: dtype, shape: sizes, bytes: bytes) }
  }
}
