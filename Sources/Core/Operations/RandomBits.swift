/// Random bits: every element is a function of the seed, the stream and its own index, and of nothing else.
///
/// So all back-ends, schedules and thread counts give the same bits, and another seed gives others. The operand is the
/// seed, a `u64` without axes; the elements are `u32`. Element `i` in row-major order is the first word of
/// Philox4x32-10 with the seed's low and high half as key and `(low(i), high(i), stream, 0)` as counter.
/// Source: Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC '11,
/// https://doi.org/10.1145/2063384.2063405
package struct RandomBits: OperationDefinition {
  package var shape: [Dim]
  /// What keeps the node's numbers apart from those of the graph's other random nodes.
  package var stream: Int

  package init(_ shape: [Dim], stream: Int) {
    self.shape = shape
    self.stream = stream
  }

  package var name: String { "random_bits" }

  package var attributes: [(name: String, value: Attribute)] {
    [("shape", .dimensions(shape)), ("stream", .integer(stream))]
  }

  init(_ attributes: Attributes) throws(TypeFault) {
    shape = try attributes.dimensions("shape")
    stream = try attributes.integer("stream")
  }

  package func infer(_ operands: [TensorType]) throws(TypeFault) -> [TensorType] {
    try TypeFault.requireCount(operands, 1)
    guard operands[0] == .scalar(.u64) else { throw TypeFault("the seed is \(operands[0]), not u64[]") }
    guard stream >= 0 else { throw TypeFault("the stream is \(stream), not a number from 0 on") }
    return [TensorType(.u32, shape)]
  }

  package func pullback(_ context: PullbackContext) -> [Tensor?] { [nil] }

  package func lower(_ context: LoweringContext) -> Definition {
    let scalars = context.scalars
    return .element { index in
      let position = scalars.convert(scalars.index(Index.flattened(index, shape: context.shape())), .u64)
      let words = Self.halves(position, scalars)
      let counter = [words.low, words.high] + [stream, 0].map { scalars.constant(.integer($0), .u32) }
      return Self.philox(counter, Self.halves(context.operands[0][[]], scalars), scalars)[0]
    }
  }

  package func substituting(_ bindings: [String: Int]) -> RandomBits {
    RandomBits(shape.map { $0.substituting(bindings) }, stream: stream)
  }

  /// The block of four words that Philox4x32-10 makes of a counter of four words and a key.
  package static func philox(
    _ counter: [Scalar], _ key: (low: Scalar, high: Scalar), _ scalars: ScalarBuilder
  ) -> [Scalar] {
    func word(_ value: Int) -> Scalar { scalars.constant(.integer(value), .u32) }
    func xor(_ a: Scalar, _ b: Scalar, _ c: Scalar) -> Scalar {
      scalars.pointwise(.xor, scalars.pointwise(.xor, a, b), c)
    }
    func product(_ a: Scalar, _ factor: Int) -> (low: Scalar, high: Scalar) {
      let wide = scalars.pointwise(.multiply, scalars.convert(a, .u64), scalars.constant(.integer(factor), .u64))
      return halves(wide, scalars)
    }
    var block = counter
    for round in 0..<10 {
      // The key moves on by Weyl sequences of the golden ratio and of sqrt(3) - 1.
      let low = scalars.pointwise(.add, key.low, word(round * 0x9e37_79b9))
      let high = scalars.pointwise(.add, key.high, word(round * 0xbb67_ae85))
      let first = product(block[0], 0xd251_1f53)
      let second = product(block[2], 0xcd9e_8d57)
      block = [xor(second.high, block[1], low), second.low, xor(first.high, block[3], high), first.low]
    }
    return block
  }

  /// The two words of 64 bits.
  private static func halves(_ bits: Scalar, _ scalars: ScalarBuilder) -> (low: Scalar, high: Scalar) {
    let shifted = scalars.pointwise(.shiftRight, bits, scalars.constant(.integer(32), .u64))
    return (scalars.convert(bits, .u32), scalars.convert(shifted, .u32))
  }
}
