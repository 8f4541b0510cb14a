import LatheCore
import Testing

/// Lathe's own mathematical functions against the C library's in double; `tools/ulp` does the same for all patterns.
@Suite struct MathematicsTests {
  static let functions = Pointwise.allCases.filter(\.hasExpansion)

  private func results(_ function: Pointwise, _ arguments: [Float]) throws -> [Float] {
    var results = [Float](repeating: 0, count: arguments.count)
    let isDefined = arguments.withUnsafeBufferPointer { source in
      results.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return false }
        return function.expanded(source, into: target, count: arguments.count)
      }
    }
    try #require(isDefined)
    return results
  }

  /// The error in units of the last place of the true value; infinite where the sign or the kind is wrong.
  private func error(_ result: Float, _ truth: Double) -> Double {
    if result.isNaN || truth.isNaN { return result.isNaN && truth.isNaN ? 0 : .infinity }
    if result.sign != truth.sign { return .infinity }
    let limit = 0x1p128
    let (a, b) = (min(Double(result.magnitude), limit), min(truth.magnitude, limit))
    return (a - b).magnitude / (max(b, 0x1p-126).binade * 0x1p-23)
  }

  private func worst(_ function: Pointwise, _ arguments: [Float]) throws -> (error: Double, argument: Float) {
    let results = try results(function, arguments)
    var worst = (error: 0.0, argument: Float(0))
    for (argument, result) in zip(arguments, results) {
      guard case .float(let truth) = function.evaluate([.float(Double(argument))], .f64) else { continue }
      let error = error(result, truth)
      if error > worst.error { worst = (error, argument) }
    }
    return worst
  }

  @Test("errors are at most 2 ulp", arguments: functions)
  func errors(function: Pointwise) throws {
    // patterns of all exponents, and numbers where functions do most of what they do
    var arguments = stride(from: UInt32(77), to: .max - 500_009, by: 500_009).map { Float(bitPattern: $0) }
    arguments += stride(from: Float(-20), to: 20, by: 0.009_173)
    let worst = try worst(function, arguments)
    #expect(worst.error <= 2, "\(function) of \(worst.argument)")
  }

  @Test("infinities, NaN, zeros with signs and subnormal numbers are as in double", arguments: functions)
  func specialValues(function: Pointwise) throws {
    let positive: [Float] = [
      0, .leastNonzeroMagnitude, 0x1p-127, .leastNormalMagnitude, 0x1p-25, 0.5, 1, 2, 25, 88.722_84, 88.722_85, 103.97,
      104, 127.999_99, 128, 149, 150, .greatestFiniteMagnitude, .infinity,
    ]
    let worst = try worst(function, positive + positive.map { -$0 } + [.nan])
    #expect(worst.error <= 2, "\(function) of \(worst.argument)")
  }

  /// Floats that are nearest to multiples of pi/2, small and huge.
  @Test("angles are reduced exactly", arguments: [Pointwise.sin, .cos, .tan])
  func angles(function: Pointwise) throws {
    let multiples: [Float] = [
      1.570_796_4, 3.141_592_7, 6.283_185_5, 0x1.c463acp+1, 0x1.4bb1c8p+3, 0x1.1814c2p+26, 0x1.c80ab6p+55,
      0x1.0088bcp+33, 0x1.f81fc2p+127,
    ]
    let worst = try worst(function, multiples + multiples.map { -$0 })
    #expect(worst.error <= 2, "\(function) of \(worst.argument)")
  }

  @Test("powers of two are exact")
  func powers() throws {
    let exponents = (-149...127).map(Float.init)
    let powers = try results(.exp2, exponents)
    #expect(powers == exponents.map { Float(sign: .plus, exponent: Int($0), significand: 1) })
    #expect(try results(.log2, powers) == exponents)
  }
}
