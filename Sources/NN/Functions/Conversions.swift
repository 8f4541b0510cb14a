public import LatheCore

/// Other element types: PyTorch's `to` and its short forms. Gradients come back in the type that they left.
extension Tensor {
  /// The elements in another type: floats become integers by dropping their fractions, anything but 0 is true.
  public func to(_ dtype: ScalarType) -> Tensor { convert(to: dtype) }

  /// The elements in the type of another tensor: `type_as`.
  public func to(_ other: Tensor) -> Tensor { other.isPoisoned ? other : convert(to: other.dtype) }

  /// As `f32`.
  public func float() -> Tensor { convert(to: .f32) }
  /// As `f64`.
  public func double() -> Tensor { convert(to: .f64) }
  /// As `f16`.
  public func half() -> Tensor { convert(to: .f16) }
  /// As `bf16`.
  public func bfloat16() -> Tensor { convert(to: .bf16) }
  /// As `i64`.
  public func long() -> Tensor { convert(to: .i64) }
  /// As `i32`.
  public func int() -> Tensor { convert(to: .i32) }
  /// As `i16`.
  public func short() -> Tensor { convert(to: .i16) }
  /// As `i8`.
  public func char() -> Tensor { convert(to: .i8) }
  /// As `u8`.
  public func byte() -> Tensor { convert(to: .u8) }
  /// As `bool`.
  public func bool() -> Tensor { convert(to: .bool) }
}
