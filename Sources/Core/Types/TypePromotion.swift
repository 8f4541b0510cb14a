/// Which types meet in which: PyTorch's rules, in one place for all operators, functions and literals.
///
/// Source: https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
extension ScalarType {
  /// The kinds of numbers; the higher one decides what operands meet in.
  enum Category: Int, Comparable {
    case bool, integer, float

    static func < (a: Category, b: Category) -> Bool { a.rawValue < b.rawValue }
  }

  var category: Category { isFloat ? .float : self == .bool ? .bool : .integer }

  /// The type of Swift's `Double` beside tensors of integers, of quotients of integers, and of tensors that are made
  /// without one; see ``withDefaultDtype(_:_:)``.
  @TaskLocal public static var defaultFloat: ScalarType = .f32

  /// The type of the result when two operands of different types meet, as PyTorch promotes tensors of equal category:
  /// `promote_types`.
  public func promoted(with other: ScalarType) -> ScalarType {
    if self == other { return self }
    guard category == other.category else { return category > other.category ? self : other }
    if isFloat {
      if byteCount == other.byteCount { return .f32 }  // f16 with bf16, or two formats of eight bits
      return byteCount > other.byteCount ? self : other
    }
    if isSigned == other.isSigned { return bitCount > other.bitCount ? self : other }
    let (signed, unsigned) = isSigned ? (self, other) : (other, self)
    if signed.bitCount > unsigned.bitCount { return signed }
    switch unsigned.byteCount {
    case 1: return unsigned.narrow == nil ? .i16 : .i8
    case 2: return .i32
    default: return .i64
    }
  }

  /// The type that operands meet in: `result_type`.
  ///
  /// Tensors with axes decide over those without, unless the latter are of a higher category.
  public static func resultType(of operands: [TensorType]) -> ScalarType {
    func joined(_ types: [TensorType]) -> ScalarType? {
      types.first.map { first in types.dropFirst().reduce(first.dtype) { $0.promoted(with: $1.dtype) } }
    }
    let fromShaped = joined(operands.filter { $0.rank > 0 })
    let fromScalars = joined(operands.filter { $0.rank == 0 })
    guard let fromShaped, let fromScalars else { return fromShaped ?? fromScalars ?? defaultFloat }
    return fromScalars.category > fromShaped.category ? fromShaped.promoted(with: fromScalars) : fromShaped
  }

  /// The type in which this one meets a number: its own, unless the number is of a higher category.
  func promoted(withNumber number: some Number) -> ScalarType {
    let other = type(of: number).dtype
    return other.category > category ? other : self
  }

  /// The number in this type, where PyTorch wraps and rounds.
  func literal(_ number: some Number) -> ScalarValue {
    switch number.scalarValue {
    case .integer(let value) where isFloat: rounded(.integer(value))
    case let value: value
    }
  }
}

/// Runs `body` with another type for what is made of Swift's `Double` and without a type: PyTorch's
/// `set_default_dtype` (once `set_default_tensor_type`), for what is traced inside.
public func withDefaultDtype<R>(_ dtype: ScalarType, _ body: () throws -> R) rethrows -> R {
  try ScalarType.$defaultFloat.withValue(dtype.isFloat ? dtype : .f32, operation: body)
}

/// What stands beside a tensor in a function of several: another tensor, or a Swift number.
public protocol TensorOperand: Sendable {
  /// This as a tensor; a number takes the type of the other operand, or the default of its own kind where that is
  /// higher: an integer tensor times 0.5 is of floats.
  func tensor(beside other: Tensor) -> Tensor
}

/// A Swift number beside tensors: what PyTorch calls a Python scalar.
///
/// Integers are exact up to 64 bits; `Double` stands for Python's `float`, which no tensor's precision grows by.
public protocol Number: TensorOperand {
  /// The type of a tensor that is made of such numbers alone.
  static var dtype: ScalarType { get }

  /// The number; integers as 64-bit patterns.
  var scalarValue: ScalarValue { get }
}

extension Number {
  public func tensor(beside other: Tensor) -> Tensor { other.lift(self) }
}

extension TensorOperand where Self == Double {
  /// `Double.infinity`, where an operand is wanted.
  public static var infinity: Double { Double.infinity }
  /// `Double.nan`, where an operand is wanted.
  public static var nan: Double { Double.nan }
  /// `Double.pi`, where an operand is wanted.
  public static var pi: Double { Double.pi }
}

extension Tensor: TensorOperand {
  public func tensor(beside other: Tensor) -> Tensor { self }
}

extension Double: Number {
  public static var dtype: ScalarType { .defaultFloat }
  public var scalarValue: ScalarValue { .float(self) }
}

extension Float: Number {
  public static var dtype: ScalarType { .f32 }
  public var scalarValue: ScalarValue { .float(Double(self)) }
}

extension Bool: Number {
  public static var dtype: ScalarType { .bool }
  public var scalarValue: ScalarValue { .integer(self ? 1 : 0) }
}

extension Int: Number {
  public static var dtype: ScalarType { .i64 }
}

extension Number where Self: BinaryInteger {
  public var scalarValue: ScalarValue { .integer(Int(truncatingIfNeeded: self)) }
}

extension Number where Self: NativeScalar & BinaryInteger {
  public static var dtype: ScalarType { scalarType }
}

extension Int8: Number {}
extension Int16: Number {}
extension Int32: Number {}
extension Int64: Number {}
extension UInt8: Number {}
extension UInt16: Number {}
extension UInt32: Number {}
extension UInt64: Number {}

/// Numbers in nested arrays, all of one shape: `[[1, 2], [3, 4]]`.
public protocol NestedNumbers: Sendable {
  /// The type of a tensor of them.
  static var dtype: ScalarType { get }

  /// The sizes of the axes; nil where arrays side by side differ.
  var nestedShape: [Int]? { get }

  /// The numbers in row-major order.
  var nestedValues: [ScalarValue] { get }
}

extension NestedNumbers where Self: Number {
  public var nestedShape: [Int]? { [] }
  public var nestedValues: [ScalarValue] { [scalarValue] }
}

extension Double: NestedNumbers {}
extension Float: NestedNumbers {}
extension Bool: NestedNumbers {}
extension Int: NestedNumbers {}
extension Int8: NestedNumbers {}
extension Int16: NestedNumbers {}
extension Int32: NestedNumbers {}
extension Int64: NestedNumbers {}
extension UInt8: NestedNumbers {}
extension UInt16: NestedNumbers {}
extension UInt32: NestedNumbers {}
extension UInt64: NestedNumbers {}

extension Array: NestedNumbers where Element: NestedNumbers {
  public static var dtype: ScalarType { Element.dtype }

  public var nestedShape: [Int]? {
    guard let first else { return [0] }
    guard let inner = first.nestedShape, allSatisfy({ $0.nestedShape == inner }) else { return nil }
    return [count] + inner
  }

  public var nestedValues: [ScalarValue] { flatMap(\.nestedValues) }
}
