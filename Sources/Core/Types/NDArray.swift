/// A dense, row-major tensor of known shape on the host: literals of the graph, inputs and outputs of a run.
///
/// A value type: copies share their bytes until one is written.
public struct NDArray: Sendable {
  public let dtype: ScalarType
  /// The sizes of the axes, outermost first.
  public let shape: [Int]
  /// The elements, little-endian, without gaps.
  public private(set) var bytes: [UInt8]

  /// Wraps the bytes of a dense tensor.
  ///
  /// - Precondition: `bytes.count` is the element count of `shape` times the size of an element. Readers of files check
  ///   their sizes first and throw.
  public init(dtype: ScalarType, shape: [Int], bytes: [UInt8]) {
    precondition(
      bytes.count == shape.reduce(1, *) * dtype.byteCount, "NDArray: \(bytes.count) bytes for \(dtype)\(shape)")
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// Makes a tensor by filling uninitialised memory.
  public init(
    dtype: ScalarType, shape: [Int], initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let count = shape.reduce(1, *) * dtype.byteCount
    self.dtype = dtype
    self.shape = shape
    self.bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try body(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      initialized = count
    }
  }

  /// Makes a tensor from elements in row-major order; the shape defaults to one axis.
  public init<Element: NativeScalar>(_ elements: [Element], shape: [Int]? = nil) {
    let bytes = elements.withUnsafeBytes { [UInt8]($0) }
    self.init(dtype: Element.scalarType, shape: shape ?? [elements.count], bytes: bytes)
  }

  /// Makes a tensor of any type from numbers, each rounded to the type.
  public init(dtype: ScalarType, shape: [Int], values: [ScalarValue]) {
    precondition(values.count == shape.reduce(1, *), "NDArray: \(values.count) values for shape \(shape)")
    self.init(dtype: dtype, shape: shape) { buffer in
      for (index, value) in values.enumerated() { dtype.store(value, to: buffer, at: index) }
    }
  }

  /// Makes a tensor without axes.
  public init(scalar value: ScalarValue, dtype: ScalarType) {
    self.init(dtype: dtype, shape: [], values: [value])
  }

  /// Makes a tensor with one number, rounded to the type, in every element.
  public init(repeating value: ScalarValue, dtype: ScalarType, shape: [Int]) {
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
  public static func zeros(_ dtype: ScalarType, _ shape: [Int]) -> NDArray {
    NDArray(dtype: dtype, shape: shape, bytes: [UInt8](repeating: 0, count: shape.reduce(1, *) * dtype.byteCount))
  }

  public var type: TensorType { TensorType(dtype, shape) }

  /// The number of elements.
  public var count: Int { bytes.count / dtype.byteCount }

  /// The element at a row-major position.
  public subscript(position: Int) -> ScalarValue {
    bytes.withUnsafeBytes { dtype.load(from: $0, at: position) }
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
  public func reshaped(_ shape: [Int]) -> NDArray { NDArray(dtype: dtype, shape: shape, bytes: bytes) }

  /// The elements rounded to another type, as `convert` does in the graph.
  public func converted(to target: ScalarType) -> NDArray {
    target == dtype
      ? self : NDArray(dtype: target, shape: shape, values: values.map { target.converted($0, from: dtype) })
  }

  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withUnsafeBytes(body)
  }

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
