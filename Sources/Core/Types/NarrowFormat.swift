/// A format of at most eight bits that numbers are stored in, but not computed with: what a row of
/// ``ScalarType/narrow`` says, and all that follows from it.
///
/// In memory every element has a byte of its own, with its code in the lowest bits (integers as numbers); files hold them
/// packed.
@usableFromInline
package struct NarrowFormat: Hashable, Sendable {
  /// What the codes with the largest exponent mean, and what becomes of values that are out of range.
  package enum Specials: Sendable {
    /// Numbers as all others: out of range is the largest number.
    case none
    /// Infinity and NaN, as in IEEE 754.
    case infinity
    /// All bits set is NaN, the others are numbers ("fn"); out of range is NaN.
    case nan
    /// There is no negative zero: its code is NaN ("fnuz"), which is what is out of range.
    case negativeZero
  }

  /// The bits of a code.
  package let bits: Int
  /// The bits of the exponent; none in integers.
  package let exponentBits: Int
  /// What is taken off the exponent's code.
  package let bias: Int
  /// What the codes with the largest exponent mean.
  package let specials: Specials
  /// Whether the highest bit is a sign.
  package let isSigned: Bool

  static func float(_ exponentBits: Int, _ fractionBits: Int, bias: Int, _ specials: Specials) -> NarrowFormat {
    NarrowFormat(
      bits: 1 + exponentBits + fractionBits, exponentBits: exponentBits, bias: bias, specials: specials, isSigned: true)
  }

  static func integer(_ bits: Int, isSigned: Bool) -> NarrowFormat {
    NarrowFormat(bits: bits, exponentBits: 0, bias: 0, specials: .none, isSigned: isSigned)
  }

  /// Whether numbers have exponents.
  package var isFloat: Bool { exponentBits > 0 }

  /// The bits behind the point.
  package var fractionBits: Int { bits - exponentBits - (isSigned ? 1 : 0) }

  /// The code of the largest number; the code of infinity or NaN is the next one, where there is one.
  package var largestCode: UInt8 {
    let all = (1 << (bits - (isSigned ? 1 : 0))) - 1
    return switch specials {
    case .none, .negativeZero: UInt8(all)
    case .nan: UInt8(all - 1)
    case .infinity: UInt8(all - (1 << fractionBits))
    }
  }

  /// The code of NaN, or of the negative zero where there is none.
  package var nanCode: UInt8 {
    switch specials {
    case .none, .negativeZero: signBit
    case .nan: largestCode + 1
    case .infinity: largestCode + 1 + UInt8(1 << (fractionBits - 1))
    }
  }

  /// What a magnitude that is out of range becomes.
  package var overflowCode: UInt8 {
    switch specials {
    case .none: largestCode
    case .infinity: largestCode + 1
    case .nan, .negativeZero: nanCode
    }
  }

  /// The code of the sign alone; 0 where there is none.
  package var signBit: UInt8 { isSigned ? 1 << UInt8(bits - 1) : 0 }

  /// The smallest exponent of a number with all its digits; below, digits are lost, unless the format has no fraction.
  package var smallestExponent: Int { fractionBits > 0 ? 1 - bias : -bias }

  /// The largest number.
  package var largest: Float { float(largestCode) }

  /// The number that a code stands for.
  package func float(_ code: UInt8) -> Float {
    let magnitude = code & (isSigned ? signBit &- 1 : .max)
    let number: Float
    if code == nanCode && specials != .none || specials == .nan && magnitude > largestCode {
      return .nan
    } else if specials == .infinity && magnitude > largestCode {
      number = magnitude == largestCode + 1 ? .infinity : .nan
    } else {
      let exponent = Int(magnitude) >> fractionBits
      let fraction = Int(magnitude) & ((1 << fractionBits) - 1)
      let isWhole = exponent > 0 || fractionBits == 0
      number = Float(
        sign: .plus, exponent: (isWhole ? exponent - bias : 1 - bias) - fractionBits,
        significand: Float(isWhole ? fraction | 1 << fractionBits : fraction))
    }
    return code & signBit != 0 ? -number : number
  }

  /// The code of the nearest number, of two equally near the one with the even code.
  package func code(_ value: Float) -> UInt8 {
    if value.isNaN || (!isSigned && value < 0) { return nanCode }
    let magnitude = value.magnitude
    guard magnitude.isFinite else { return (value < 0 ? signBit : 0) | overflowCode }
    let exponent = magnitude == 0 ? smallestExponent : Swift.max(Int(magnitude.exponent), smallestExponent)
    // The exact number of steps between numbers of this exponent.
    let steps = Float(sign: .plus, exponent: fractionBits - exponent, significand: magnitude).rounded(.toNearestOrEven)
    // The steps reach into the exponent's bits, also where rounding has made the next power of two.
    let place = fractionBits > 0 ? (exponent + bias - 1) << fractionBits + Int(steps) : exponent + bias - 1 + Int(steps)
    let code = Swift.max(0, place) > Int(largestCode) ? overflowCode : UInt8(Swift.max(0, place))
    if value.sign == .plus || code == nanCode && specials == .negativeZero { return code }
    return code == 0 && specials == .negativeZero ? 0 : code | signBit
  }

  /// The integer that the lowest bits of one mean.
  package func wrapped(_ value: Int) -> Int {
    let code = value & ((1 << bits) - 1)
    return isSigned && code >> (bits - 1) == 1 ? code - 1 << bits : code
  }

  /// The range of an integer format.
  var range: ClosedRange<Int> { isSigned ? -(1 << (bits - 1))...((1 << (bits - 1)) - 1) : 0...((1 << bits) - 1) }
}

extension ScalarType {
  /// How the type is made of its bits, for those that numbers are only stored in; nil for those that are computed with.
  ///
  /// Names are PyTorch's: exponent and fraction bits, `fn` for finite numbers and NaN, `uz` for an unsigned zero.
  @usableFromInline
  package var narrow: NarrowFormat? {
    switch self {
    case .f8e4m3fn: .float(4, 3, bias: 7, .nan)
    case .f8e4m3fnuz: .float(4, 3, bias: 8, .negativeZero)
    case .f8e5m2: .float(5, 2, bias: 15, .infinity)
    case .f8e5m2fnuz: .float(5, 2, bias: 16, .negativeZero)
    case .f8e8m0: NarrowFormat(bits: 8, exponentBits: 8, bias: 127, specials: .nan, isSigned: false)
    case .f6e2m3: .float(2, 3, bias: 1, .none)
    case .f6e3m2: .float(3, 2, bias: 3, .none)
    case .f4e2m1: .float(2, 1, bias: 1, .none)
    case .i4: .integer(4, isSigned: true)
    case .u4: .integer(4, isSigned: false)
    case .i2: .integer(2, isSigned: true)
    case .u2: .integer(2, isSigned: false)
    case .f64, .f32, .f16, .bf16, .i8, .i16, .i32, .i64, .u8, .u16, .u32, .u64, .bool: nil
    }
  }

  /// The types that are computed with.
  package static let computed: [ScalarType] = allCases.filter { $0.narrow == nil }

  /// The bits of an element where elements are packed.
  package var bitCount: Int { narrow?.bits ?? byteCount * 8 }

  /// The type of native integers or floats that elements are in memory: codes of 16-bit and narrower floats as unsigned
  /// integers, narrow integers as 8-bit ones.
  package var storage: ScalarType {
    switch self {
    case .f16, .bf16: .u16
    default: narrow.map { $0.isFloat || !$0.isSigned ? .u8 : .i8 } ?? self
    }
  }
}

extension NDArray {
  /// The array in the narrowest type of those given that a format has and that holds every element: its own where it is
  /// one of them, else `f32` for floats and the 8-bit type for integers.
  package func widened(unless isKnown: (ScalarType) -> Bool) -> NDArray {
    guard dtype.narrow != nil, !isKnown(dtype) else { return self }
    return converted(to: dtype.isFloat ? .f32 : dtype.storage)
  }
}

extension [UInt8] {
  /// Elements of less than eight bits, one in a byte, as a stream of bits, the first element lowest.
  package func packed(_ type: ScalarType) -> [UInt8] {
    let bits = type.bitCount
    guard bits < 8 else { return self }
    var stream = [UInt8](repeating: 0, count: (count * bits + 7) / 8)
    for (index, byte) in enumerated() {
      let code = UInt16(byte) & ((1 << UInt16(bits)) - 1)
      let (place, shift) = ((index * bits) / 8, UInt16(index * bits % 8))
      stream[place] |= UInt8(truncatingIfNeeded: code << shift)
      if Int(shift) + bits > 8 { stream[place + 1] |= UInt8(truncatingIfNeeded: (code << shift) >> 8) }
    }
    return stream
  }

  /// The opposite of ``packed(_:)``; the stream must be long enough.
  package func unpacked(_ type: ScalarType, count: Int) -> [UInt8] {
    guard let format = type.narrow, format.bits < 8 else { return self }
    let bits = format.bits
    return (0..<count).map { index in
      let (place, shift) = ((index * bits) / 8, UInt16(index * bits % 8))
      let next = Int(shift) + bits > 8 ? UInt16(self[place + 1]) << 8 : 0
      let code = (UInt16(self[place]) | next) >> shift & ((1 << UInt16(bits)) - 1)
      return format.isFloat ? UInt8(code) : UInt8(truncatingIfNeeded: format.wrapped(Int(code)))
    }
  }
}
