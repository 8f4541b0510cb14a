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
}
