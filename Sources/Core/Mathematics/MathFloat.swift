/// What the definition of a mathematical function computes with: a number of 32 bits, or a record of what is done to it.
///
/// A definition is a generic function over this protocol. It has no branches, so that it can be recorded as one
/// straight line of expressions, and so that compilers turn loops over it into vector code. It must not rely on how
/// products and sums are rounded together: C compilers may contract them or not.
protocol MathFloat {
  associatedtype Bits: MathBits where Bits.Number == Self
  associatedtype Condition

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static func + (a: Self, b: Float) -> Self
  static func - (a: Self, b: Float) -> Self
  static func - (a: Float, b: Self) -> Self
  static func * (a: Self, b: Float) -> Self
  static func / (a: Float, b: Self) -> Self
  static prefix func - (a: Self) -> Self

  static func < (a: Self, b: Float) -> Condition
  static func > (a: Self, b: Float) -> Condition
  static func == (a: Self, b: Float) -> Condition

  /// The number without its sign.
  var absolute: Self { get }
  var squareRoot: Self { get }
  /// The representation.
  var bits: Bits { get }

  /// A number that is known.
  func constant(_ value: Float) -> Self

  /// `a` where the condition holds, else `b`; both are computed.
  static func choose(_ condition: Condition, _ a: Self, _ b: Self) -> Self

  /// Keeps the number under a name in the text that is made of a record.
  func named(_ name: String) -> Self
}

/// The representation of a `MathFloat`: arithmetic wraps.
protocol MathBits {
  associatedtype Number: MathFloat where Number.Bits == Self

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func + (a: Self, b: UInt32) -> Self
  static func - (a: Self, b: UInt32) -> Self
  static func - (a: UInt32, b: Self) -> Self
  static func & (a: Self, b: UInt32) -> Self
  static func | (a: Self, b: Self) -> Self
  static func | (a: Self, b: UInt32) -> Self
  static func ^ (a: Self, b: Self) -> Self
  /// Shifts by less than 32.
  static func << (a: Self, b: UInt32) -> Self
  static func >> (a: Self, b: UInt32) -> Self
  static func << (a: Self, b: Self) -> Self
  static func >> (a: Self, b: Self) -> Self
  static func < (a: Self, b: UInt32) -> Number.Condition
  static func < (a: Self, b: Self) -> Number.Condition
  static func == (a: Self, b: UInt32) -> Number.Condition

  /// The number that this represents.
  var number: Number { get }
  /// The signed integer of this pattern, shifted right by less than 32 with its sign.
  func signedShiftRight(_ count: UInt32) -> Self
  /// The signed integer of this pattern, as the nearest number.
  var signedValue: Number { get }
  /// `a` where the condition holds, else `b`; both are computed.
  static func choose(_ condition: Number.Condition, _ a: Self, _ b: Self) -> Self
  func constant(_ value: UInt32) -> Self
  func named(_ name: String) -> Self
}

extension MathFloat {
  /// A step of Horner's rule.
  @inline(__always)
  func times(_ x: Self, plus c: Float) -> Self { self * x + c }

  @inline(__always)
  func times(_ x: Self, plus c: Self) -> Self { self * x + c }

  /// The nearest number in a range; NaN stays.
  @inline(__always)
  func clamped(_ low: Float, _ high: Float) -> Self { atMost(high).atLeast(low) }

  @inline(__always)
  func atMost(_ high: Float) -> Self { .choose(self > high, constant(high), self) }

  @inline(__always)
  func atLeast(_ low: Float) -> Self { .choose(self < low, constant(low), self) }

  /// The number with the sign of `other`; its own is none or the same.
  @inline(__always)
  func withSign(of other: Self) -> Self { (bits | other.bits & 0x8000_0000).number }
}

extension MathBits {
  /// The upper half of a product with 64 bits.
  @inline(__always)
  func timesHigh(_ other: Self) -> Self {
    let (a, b) = ((self >> 16).named("upper"), (self & 0xffff).named("lower"))
    let (c, d) = ((other >> 16).named("upper"), (other & 0xffff).named("lower"))
    let middle = (a * d + ((b * d) >> 16)).named("cross")
    return a * c + (middle >> 16) + ((b * c + (middle & 0xffff)) >> 16)
  }
}
