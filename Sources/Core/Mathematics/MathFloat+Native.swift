/// Definitions on numbers themselves: loops over these are vector code.
extension Float: MathFloat {
  typealias Bits = MathWord

  @inline(__always) var absolute: Float { magnitude }
  @inline(__always) var squareRoot: Float { squareRoot() }
  @inline(__always) var bits: MathWord { MathWord(word: bitPattern) }
  @inline(__always) func constant(_ value: Float) -> Float { value }
  @inline(__always) static func choose(_ condition: Bool, _ a: Float, _ b: Float) -> Float { condition ? a : b }
  @inline(__always) func named(_ name: String) -> Float { self }
}

/// 32 bits whose arithmetic wraps.
struct MathWord: MathBits {
  var word: UInt32

  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(word: a.word &+ b.word) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(word: a.word &- b.word) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(word: a.word &* b.word) }
  @inline(__always) static func + (a: Self, b: UInt32) -> Self { Self(word: a.word &+ b) }
  @inline(__always) static func - (a: Self, b: UInt32) -> Self { Self(word: a.word &- b) }
  @inline(__always) static func - (a: UInt32, b: Self) -> Self { Self(word: a &- b.word) }
  @inline(__always) static func & (a: Self, b: UInt32) -> Self { Self(word: a.word & b) }
  @inline(__always) static func | (a: Self, b: Self) -> Self { Self(word: a.word | b.word) }
  @inline(__always) static func | (a: Self, b: UInt32) -> Self { Self(word: a.word | b) }
  @inline(__always) static func ^ (a: Self, b: Self) -> Self { Self(word: a.word ^ b.word) }
  @inline(__always) static func << (a: Self, b: UInt32) -> Self { Self(word: a.word &<< b) }
  @inline(__always) static func >> (a: Self, b: UInt32) -> Self { Self(word: a.word &>> b) }
  @inline(__always) static func << (a: Self, b: Self) -> Self { Self(word: a.word &<< b.word) }
  @inline(__always) static func >> (a: Self, b: Self) -> Self { Self(word: a.word &>> b.word) }
  @inline(__always) static func < (a: Self, b: UInt32) -> Bool { a.word < b }
  @inline(__always) static func < (a: Self, b: Self) -> Bool { a.word < b.word }
  @inline(__always) static func == (a: Self, b: UInt32) -> Bool { a.word == b }

  @inline(__always) var number: Float { Float(bitPattern: word) }
  @inline(__always) func signedShiftRight(_ count: UInt32) -> Self {
    Self(word: UInt32(bitPattern: Int32(bitPattern: word) &>> Int32(bitPattern: count)))
  }
  @inline(__always) var signedValue: Float { Float(Int32(bitPattern: word)) }
  @inline(__always) static func choose(_ condition: Bool, _ a: Self, _ b: Self) -> Self { condition ? a : b }
  @inline(__always) func constant(_ value: UInt32) -> Self { Self(word: value) }
  @inline(__always) func named(_ name: String) -> Self { self }
}
