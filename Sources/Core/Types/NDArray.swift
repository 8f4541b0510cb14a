import Foundation

/// A dense, row-major tensor of known shape on the host: literals of the graph, inputs and outputs of a run.
///
/// A value type: copies share their bytes until one is written.
public struct NDArray: Sendable {
  /// The element type.
  public let dtype: ScalarType
  /// The sizes of the axes, outermost first.
  public let shape: [Int]
  /// The elements, little-endian, without gaps.
  public private(set) var bytes: [UInt8]

  /// Wraps the bytes of a dense tensor, little-endian and without gaps.
  ///
  /// - Throws: When the shape is none, or the bytes are not as many as it needs.
  public init(dtype: ScalarType, shape: [Int], bytes: [UInt8]) throws(DiagnosticsError) {
    let count = try Self.byteCount(dtype, shape)
    guard bytes.count == count else {
      throw Self.fault("\(dtype)\(shape) takes \(count) bytes, \(bytes.count) are given")
    }
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// Makes a tensor by filling uninitialised memory; the shape is one that the caller has checked or computed.
  package init(
    dtype: ScalarType, shape: [Int], initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let count = unfailing { try Self.byteCount(dtype, shape) }
    self.dtype = dtype
    self.shape = shape
    self.bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try body(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      initialized = count
    }
  }

  /// Makes a tensor of one axis.
  public init<Element: NativeScalar>(_ elements: [Element]) {
    dtype = Element.scalarType
    shape = [elements.count]
    bytes = elements.withUnsafeBytes { [UInt8]($0) }
  }

  /// Makes a tensor from elements in row-major order.
  ///
  /// - Throws: When the elements do not fill the shape.
  public init<Element: NativeScalar>(_ elements: [Element], shape: [Int]) throws(DiagnosticsError) {
    try Self.requireFilled(shape, elements.count, Element.scalarType)
    dtype = Element.scalarType
    self.shape = shape
    bytes = elements.withUnsafeBytes { [UInt8]($0) }
  }

  /// Makes a tensor of any type from numbers, each rounded to the type.
  ///
  /// - Throws: When the numbers do not fill the shape.
  public init(dtype: ScalarType, shape: [Int], values: [ScalarValue]) throws(DiagnosticsError) {
    try Self.requireFilled(shape, values.count, dtype)
    self.init(dtype: dtype, shape: shape) { buffer in
      for (index, value) in values.enumerated() { dtype.store(value, to: buffer, at: index) }
    }
  }

  /// Makes a tensor of one axis of any type from numbers, each rounded to the type.
  public init(dtype: ScalarType, values: [ScalarValue]) {
    self = unfailing { try NDArray(dtype: dtype, shape: [values.count], values: values) }
  }

  /// Makes a tensor without axes.
  public init(scalar value: ScalarValue, dtype: ScalarType) {
    self = unfailing { try NDArray(dtype: dtype, shape: [], values: [value]) }
  }

  /// Makes a tensor with one number, rounded to the type, in every element.
  ///
  /// - Throws: When the shape is none, or larger than the memory.
  public init(repeating value: ScalarValue, dtype: ScalarType, shape: [Int]) throws(DiagnosticsError) {
    try Self.requireMemory(dtype, shape)
    self.init(dtype: dtype, shape: shape) { buffer in
      guard let start = buffer.baseAddress, buffer.count > 0 else { return }
      dtype.store(value, to: buffer, at: 0)
      // Each copy doubles what is filled.
      var filled = dtype.byteCount
      while filled < buffer.count {
        let count = min(filled, buffer.count - filled)
        (start + filled).copyMemory(from: start, byteCount: count)
        filled += count
      }
    }
  }

  /// A tensor with every element zero.
  ///
  /// - Throws: When the shape is none, or larger than the memory.
  public static func zeros(_ dtype: ScalarType, _ shape: [Int]) throws(DiagnosticsError) -> NDArray {
    try NDArray(repeating: .integer(0), dtype: dtype, shape: shape)
  }

  /// The bytes of a tensor of known shape.
  ///
  /// - Throws: When a size is negative, or the bytes cannot be counted.
  private static func byteCount(_ dtype: ScalarType, _ shape: [Int]) throws(DiagnosticsError) -> Int {
    if let size = shape.first(where: { $0 < 0 }) { throw fault("the shape \(shape) has the negative size \(size)") }
    guard let count = TensorType(dtype, shape).byteCount else { throw tooLarge(dtype, shape) }
    return count
  }

  /// Throws unless a tensor can be made: the system refuses what it never has, where an array would trap.
  package static func requireMemory(_ dtype: ScalarType, _ shape: [Int]) throws(DiagnosticsError) {
    let count = try byteCount(dtype, shape)
    if count < 1 << 28 { return }
    guard let probe = malloc(count) else { throw tooLarge(dtype, shape) }
    free(probe)
  }

  private static func tooLarge(_ dtype: ScalarType, _ shape: [Int]) -> DiagnosticsError {
    fault("\(dtype)\(shape) is larger than the memory")
  }

  private static func requireFilled(_ shape: [Int], _ count: Int, _ dtype: ScalarType) throws(DiagnosticsError) {
    guard try byteCount(dtype, shape) == count * dtype.byteCount else {
      throw fault(
        "\(count) element\(count == 1 ? " does" : "s do") not fill the shape \(shape)",
        help: "the product of the sizes is the number of elements")
    }
  }

  /// A mistake in the line that calls from outside of Lathe.
  static func fault(_ message: String, help: String? = nil) -> DiagnosticsError {
    DiagnosticsError("NDArray: \(message)", location: CallSite.current(), help: help)
  }

  /// The element type and the sizes.
  public var type: TensorType { TensorType(dtype, shape) }

  /// The number of elements.
  public var count: Int { bytes.count / dtype.byteCount }

  /// The element at a row-major position.
  ///
  /// - Throws: When there are not as many elements.
  public subscript(position: Int) -> ScalarValue {
    get throws(DiagnosticsError) {
      guard position >= 0, position < count else {
        throw Self.fault("there is no element \(position) in \(type)", help: "positions are 0 ..< \(count)")
      }
      return element(at: position)
    }
  }

  /// The first element; nil where there is none.
  public var first: ScalarValue? { count > 0 ? element(at: 0) : nil }

  /// The element at a position that the caller has checked.
  package func element(at position: Int) -> ScalarValue {
    bytes.withUnsafeBytes { raw in
      guard position >= 0, position < raw.count / dtype.byteCount else {
        internalError("element \(position) of \(type) is read")
      }
      return dtype.load(from: raw, at: position)
    }
  }

  /// All elements as numbers, in row-major order.
  public var values: [ScalarValue] {
    bytes.withUnsafeBytes { raw in (0..<count).map { dtype.load(from: raw, at: $0) } }
  }

  /// All elements as `Double`, in row-major order.
  public var doubles: [Double] { values.map(\.double) }

  /// All elements as `Int`; floats are truncated.
  ///
  /// Meant for shapes, axes and indices.
  public var integers: [Int] {
    values.map {
      switch $0 {
      case .integer(let value): value
      case .float(let value): Int(exactly: value.rounded(.towardZero)) ?? 0
      }
    }
  }

  /// The elements as an array of their native type, or nil when `Element` is another type.
  public func elements<Element: NativeScalar>(as type: Element.Type = Element.self) -> [Element]? {
    guard Element.scalarType == dtype else { return nil }
    return bytes.withUnsafeBytes { raw in
      [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: raw)
        initialized = count
      }
    }
  }

  /// The same elements in another shape of equal element count.
  ///
  /// - Throws: When the elements do not fill the shape.
  public func reshaped(_ shape: [Int]) throws(DiagnosticsError) -> NDArray {
    try Self.requireFilled(shape, count, dtype)
    return unfailing { try NDArray(dtype: dtype, shape: shape, bytes: bytes) }
  }

  /// The elements rounded to another type, as `convert` does in the graph.
  public func converted(to target: ScalarType) -> NDArray {
    if target == dtype { return self }
    let numbers = values.map { target.converted($0, from: dtype) }
    return unfailing { try NDArray(dtype: target, shape: shape, values: numbers) }
  }

  /// Lends the elements' bytes, row-major.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withUnsafeBytes(body)
  }

  /// Lends the elements' bytes, row-major, to be changed.
  public mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withUnsafeMutableBytes(body)
  }
}

extension NDArray: Hashable {
  /// Same type, shape and bit patterns.
  public static func == (a: NDArray, b: NDArray) -> Bool {
    guard a.dtype == b.dtype, a.shape == b.shape else { return false }
    let shared = a.bytes.withUnsafeBytes { x in b.bytes.withUnsafeBytes { y in x.baseAddress == y.baseAddress } }
    return shared || a.bytes == b.bytes
  }

  /// Hashes the type and a sample of the bytes: weights are large, and equal hashes are settled by `==`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(dtype)
    hasher.combine(shape)
    bytes.withUnsafeBytes { raw in
      let stride = Swift.max(1, raw.count / 256)
      for position in Swift.stride(from: 0, to: raw.count, by: stride) { hasher.combine(raw[position]) }
    }
  }
}

/// A Swift type with the memory layout of a scalar type.
public protocol NativeScalar: BitwiseCopyable, Sendable {
  /// The element type that such numbers are.
  static var scalarType: ScalarType { get }
}

extension Double: NativeScalar { public static var scalarType: ScalarType { .f64 } }
extension Float: NativeScalar { public static var scalarType: ScalarType { .f32 } }
#if !(os(macOS) && arch(x86_64))
  extension Float16: NativeScalar { public static var scalarType: ScalarType { .f16 } }
#endif
extension Int8: NativeScalar { public static var scalarType: ScalarType { .i8 } }
extension Int16: NativeScalar { public static var scalarType: ScalarType { .i16 } }
extension Int32: NativeScalar { public static var scalarType: ScalarType { .i32 } }
extension Int64: NativeScalar { public static var scalarType: ScalarType { .i64 } }
extension UInt8: NativeScalar { public static var scalarType: ScalarType { .u8 } }
extension UInt16: NativeScalar { public static var scalarType: ScalarType { .u16 } }
extension UInt32: NativeScalar { public static var scalarType: ScalarType { .u32 } }
extension UInt64: NativeScalar { public static var scalarType: ScalarType { .u64 } }
extension Bool: NativeScalar { public static var scalarType: ScalarType { .bool } }
