import LatheCore
import TestSupport
import Testing

@Suite struct ScalarTypeTests {
  /// `torch.promote_types`, row by row.
  private static let promotion: [(ScalarType, [ScalarType])] = [
    (.u8, [.u8, .i16, .i16, .i32, .i64, .f16, .bf16, .f32, .f64, .u8]),
    (.i8, [.i16, .i8, .i16, .i32, .i64, .f16, .bf16, .f32, .f64, .i8]),
    (.i16, [.i16, .i16, .i16, .i32, .i64, .f16, .bf16, .f32, .f64, .i16]),
    (.i32, [.i32, .i32, .i32, .i32, .i64, .f16, .bf16, .f32, .f64, .i32]),
    (.i64, [.i64, .i64, .i64, .i64, .i64, .f16, .bf16, .f32, .f64, .i64]),
    (.f16, [.f16, .f16, .f16, .f16, .f16, .f16, .f32, .f32, .f64, .f16]),
    (.bf16, [.bf16, .bf16, .bf16, .bf16, .bf16, .f32, .bf16, .f32, .f64, .bf16]),
    (.f32, [.f32, .f32, .f32, .f32, .f32, .f32, .f32, .f32, .f64, .f32]),
    (.f64, [.f64, .f64, .f64, .f64, .f64, .f64, .f64, .f64, .f64, .f64]),
    (.bool, [.u8, .i8, .i16, .i32, .i64, .f16, .bf16, .f32, .f64, .bool]),
  ]

  @Test("types promote as PyTorch's do", arguments: promotion)
  func promotes(_ type: ScalarType, _ expected: [ScalarType]) {
    #expect(Self.promotion.map { type.promoted(with: $0.0) } == expected)
  }

  @Test("promotion is symmetric and idempotent") func symmetric() {
    for a in ScalarType.allCases {
      #expect(a.promoted(with: a) == a)
      for b in ScalarType.allCases { #expect(a.promoted(with: b) == b.promoted(with: a)) }
    }
  }

  @Test("every f16 comes back from f32, as the hardware's does") func halfRoundTrip() {
    for bits in UInt16.min...UInt16.max {
      let value = Half.float(fromHalf: bits)
      if value.isNaN {
        #expect(Float16(bitPattern: bits).isNaN && Half.float(fromHalf: Half.half(value)).isNaN)
      } else {
        #expect(value == Float(Float16(bitPattern: bits)) && Half.half(value) == bits)
      }
    }
  }

  @Test("f32 rounds to f16 as the hardware does") func halfRounding() {
    var generator = SeededGenerator(seed: 3)
    var patterns = (0..<20_000).map { _ in UInt32.random(in: 0...UInt32.max, using: &generator) }
    // Around every f16: halfway to the next, and just beside it.
    for bits in stride(from: UInt16(0), to: 0x7c00, by: 7) {
      let middle = (Half.float(fromHalf: bits) + Half.float(fromHalf: bits + 1)) / 2
      patterns += [middle.bitPattern, middle.nextUp.bitPattern, middle.nextDown.bitPattern]
    }
    for pattern in patterns {
      let value = Float(bitPattern: pattern)
      if value.isNaN {
        #expect(Half.float(fromHalf: Half.half(value)).isNaN)
      } else {
        #expect(Half.half(value) == Float16(value).bitPattern, "\(value)")
      }
    }
  }

  @Test("every bf16 comes back from f32, and f32 rounds to the nearest, ties to even") func brain() {
    for bits in UInt16.min...UInt16.max {
      let value = Half.float(fromBrain: bits)
      if value.isNaN {
        #expect(Half.float(fromBrain: Half.brain(value)).isNaN)
        continue
      }
      #expect(Half.brain(value) == bits)
      guard bits & 0x7fff < 0x7f7f else { continue }
      let next = Half.float(fromBrain: bits + 1)
      let middle = value + (next - value) / 2
      #expect(Half.brain(middle) == (bits & 1 == 0 ? bits : bits + 1))
      #expect(Half.brain(Float(bitPattern: middle.bitPattern - 1)) == bits)
      #expect(Half.brain(Float(bitPattern: middle.bitPattern + 1)) == bits + 1)
    }
    #expect(Half.brain(.greatestFiniteMagnitude) == 0x7f80)
  }

  @Test(
    "numbers are rounded to a type",
    arguments: [
      (.i8, .float(300), .integer(127)), (.i8, .float(-1e9), .integer(-128)), (.i8, .float(.nan), .integer(0)),
      (.i8, .float(-1.9), .integer(-1)), (.i8, .integer(200), .integer(-56)), (.u8, .float(-3), .integer(0)),
      (.u8, .integer(-1), .integer(255)), (.u64, .float(1e30), .integer(-1)), (.u64, .integer(-1), .integer(-1)),
      (.i64, .float(9.3e18), .integer(Int.max)), (.bool, .float(0.5), .integer(1)), (.bool, .integer(-4), .integer(1)),
      (.f32, .float(0.1), .float(Double(Float(0.1)))), (.f16, .float(65520), .float(.infinity)),
      (.f16, .float(65519), .float(65504)), (.f64, .integer(3), .float(3)),
    ] as [(ScalarType, ScalarValue, ScalarValue)])
  func rounds(_ type: ScalarType, _ value: ScalarValue, _ expected: ScalarValue) {
    #expect(type.rounded(value) == expected)
  }

  @Test("the ends of a type are fixed points of rounding", arguments: ScalarType.allCases)
  func ends(_ type: ScalarType) throws {
    for value in [type.lowest, type.highest] {
      #expect(type.rounded(value) == value)
      #expect(try NDArray(scalar: value, dtype: type)[0] == value)
    }
  }

  @Test(
    "every code of a narrow type comes back from its number", arguments: ScalarType.allCases.filter { $0.narrow != nil }
  )
  func codes(_ type: ScalarType) throws {
    let format = try #require(type.narrow)
    var last = -Float.infinity
    for code in 0..<(1 << format.bits) {
      let byte = [UInt8(code)]
      let array = try NDArray(dtype: type, shape: [1], bytes: byte.packed(type).unpacked(type, count: 1))
      let number = try array[0]
      #expect(type.rounded(number) == number || number.double.isNaN)
      guard format.isFloat, code <= Int(format.largestCode) else { continue }
      #expect(format.code(Float(number.double)) == UInt8(code) && Float(number.double) > last)
      last = Float(number.double)
    }
  }

  @Test(
    "narrow floats are rounded to the nearest, to even in the middle, out of range as the format has it",
    arguments: [
      (.f8e4m3fn, 464, 448), (.f8e4m3fn, 465, .nan), (.f8e4m3fn, -.infinity, .nan), (.f8e4m3fn, 0x1p-10, 0),
      (.f8e4m3fn, 0x1.8p-10, 0x1p-9), (.f8e4m3fn, 17, 16), (.f8e4m3fn, 19, 20), (.f8e4m3fnuz, 240, 240),
      (.f8e4m3fnuz, 248, .nan), (.f8e5m2, 61439, 57344), (.f8e5m2, 61440, .infinity), (.f8e5m2fnuz, 0x1p-18, 0),
      (.f8e8m0, 3, 4), (.f8e8m0, 1.4, 1), (.f8e8m0, -1, .nan), (.f8e8m0, 0, 0x1p-127), (.f6e2m3, 100, 7.5),
      (.f6e3m2, -0.1, -0.125), (.f4e2m1, 2.5, 2), (.f4e2m1, 5.1, 6), (.f4e2m1, .infinity, 6), (.f4e2m1, .nan, 0),
    ] as [(ScalarType, Double, Double)])
  func rounds(_ type: ScalarType, _ value: Double, _ expected: Double) {
    let rounded = type.rounded(.float(value)).double
    #expect(rounded == expected || rounded.isNaN && expected.isNaN)
  }

  @Test("narrow elements are packed from the lowest bits on")
  func packing() {
    #expect(([1, 0xff, 3] as [UInt8]).packed(.i4) == [0xf1, 0x03])
    #expect(([0xf1, 0x03] as [UInt8]).unpacked(.i4, count: 3) == [1, 0xff, 3])
    #expect(([1, 2, 3, 0, 3] as [UInt8]).packed(.u2) == [0b0011_1001, 3])
    #expect(([0b10_0001, 0b11_1111, 0b00_0001, 0b10_1010, 5] as [UInt8]).packed(.f6e2m3) == [0xe1, 0x1f, 0xa8, 0x05])
    #expect(([0xe1, 0x1f, 0xa8, 0x05] as [UInt8]).unpacked(.f6e2m3, count: 5) == [33, 63, 1, 42, 5])
  }

  @Test("numbers are only stored in narrow types")
  func narrowArithmetic() {
    let builder = Builder()
    let x = builder.input("x", TensorType(.f8e4m3fn, [2]))
    _ = x + x
    #expect(builder.diagnostics.map(\.message) == ["add: numbers of type f8e4m3fn are stored, but not computed with"])
    #expect(!x.convert(to: .f32).isPoisoned && !x.slice(axis: 0, from: 0, to: 1).isPoisoned)
  }
}
