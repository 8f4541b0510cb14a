/// The type of a value in the graph: element type and shape.
public struct TensorType: Hashable, Sendable, CustomStringConvertible {
  /// The element type.
  public var dtype: ScalarType
  /// The sizes of the axes, outermost first; empty for a scalar.
  public var shape: [Dim]

  /// A type of sizes of which some may be symbols.
  public init(_ dtype: ScalarType, _ shape: [Dim]) {
    self.dtype = dtype
    self.shape = shape
  }

  /// A type of known sizes.
  public init(_ dtype: ScalarType, _ shape: [Int]) {
    self.init(dtype, shape.map { Dim($0) })
  }

  /// A tensor without axes.
  public static func scalar(_ dtype: ScalarType) -> TensorType { TensorType(dtype, [Dim]()) }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// The number of elements, or nil while symbols are unbound.
  public var elementCount: Int? { shape.elementCount.known }

  /// The product of the known sizes, empty axes counted as 1: nil where it is beyond 2^40, more than any memory holds.
  var boundedElementCount: Int? {
    var bound = 1
    for size in shape {
      guard let known = size.known else { continue }
      let (product, overflow) = bound.multipliedReportingOverflow(by: max(1, known))
      guard !overflow, product <= 1 << 40 else { return nil }
      bound = product
    }
    return shape.contains(0) ? 0 : bound
  }

  /// The bytes of a dense tensor of this type, or nil while symbols are unbound, or where they cannot be counted.
  public var byteCount: Int? {
    guard let count = elementCount else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype.byteCount)
    return overflow ? nil : bytes
  }

  /// The type as messages show it, `f32[1,64]`.
  public var description: String { dtype.rawValue + shape.text }

  /// The text form, in which no size is cut short.
  var text: String { "\(dtype.rawValue)[\(shape.map(\.text).joined(separator: ","))]" }

  /// The type with symbols replaced by the sizes bound to them.
  public func substituting(_ bindings: [String: Int]) -> TensorType {
    bindings.isEmpty ? self : TensorType(dtype, shape.map { $0.substituting(bindings) })
  }

  /// The same sizes with another element type.
  public func with(dtype: ScalarType) -> TensorType { TensorType(dtype, shape) }

  /// The same element type with other sizes.
  public func with(shape: [Dim]) -> TensorType { TensorType(dtype, shape) }
}

extension TensorType {
  /// The sizes of the axes of a type in a program, where no symbol is left.
  var sizes: [Int] { shape.known ?? internalError("\(self) is lowered with an open symbol") }
}

extension TensorType {
  /// A tensor of `f64`: `.f64(2, 3)`.
  public static func f64(_ shape: Dim...) -> TensorType { TensorType(.f64, shape) }
  /// A tensor of `f32`: `.f32("N", 3)`.
  public static func f32(_ shape: Dim...) -> TensorType { TensorType(.f32, shape) }
  /// A tensor of `f16`.
  public static func f16(_ shape: Dim...) -> TensorType { TensorType(.f16, shape) }
  /// A tensor of `bf16`.
  public static func bf16(_ shape: Dim...) -> TensorType { TensorType(.bf16, shape) }
  /// A tensor of `i8`.
  public static func i8(_ shape: Dim...) -> TensorType { TensorType(.i8, shape) }
  /// A tensor of `i32`.
  public static func i32(_ shape: Dim...) -> TensorType { TensorType(.i32, shape) }
  /// A tensor of `i64`.
  public static func i64(_ shape: Dim...) -> TensorType { TensorType(.i64, shape) }
  /// A tensor of `u8`.
  public static func u8(_ shape: Dim...) -> TensorType { TensorType(.u8, shape) }
  /// A tensor of `bool`.
  public static func bool(_ shape: Dim...) -> TensorType { TensorType(.bool, shape) }
}
