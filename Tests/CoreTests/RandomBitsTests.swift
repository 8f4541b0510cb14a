import LatheCore
import Testing

/// The counter-based generator against its published numbers.
@Suite struct RandomBitsTests {
  /// Counter, key and block of `philox4x32 10`.
  /// Source: https://github.com/DEShawResearch/random123/blob/main/tests/kat_vectors
  static let known: [(counter: [Int], key: [Int], block: [Int])] = [
    ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
    (
      Array(repeating: 0xffff_ffff, count: 4), Array(repeating: 0xffff_ffff, count: 2),
      [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
    ),
    (
      [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    ),
  ]

  @Test("a block is the published one", arguments: known.indices)
  func block(row: Int) {
    let (counter, key, block) = Self.known[row]
    let scalars = ScalarBuilder()
    func word(_ value: Int) -> Scalar { scalars.constant(.integer(value), .u32) }
    let words = RandomBits.philox(counter.map(word), (word(key[0]), word(key[1])), scalars)
    #expect(words.map { scalars.node($0) } == block.map { .constant(.integer($0)) })
  }

  /// The bits of a graph with the given seed.
  private func bits(_ seed: UInt64, _ shape: [Int], streams: [Int]) throws -> [[Double]] {
    let builder = Builder()
    let x = builder.input("seed", .scalar(.u64))
    let outputs = streams.map { builder.randomBits(shape.map { Dim($0) }, seed: x, stream: $0) }
    let graph = try builder.finish(name: "main", outputs: outputs.enumerated().map { ("y\($0)", $1) })
    let seed = NDArray(scalar: .integer(Int(truncatingIfNeeded: seed)), dtype: .u64)
    let results = try ReferenceEvaluator.run(graph, inputs: ["seed": seed]).outputs
    return graph.outputs.map { results[$0.name]?.doubles ?? [] }
  }

  @Test("an element depends on seed, stream and position, not on the shape") func dependence() throws {
    #expect(try bits(0, [1], streams: [0]) == [[Double(0x6627_e8d5)]])
    let rows = try bits(1, [2, 8], streams: [0, 1])
    #expect(try bits(1, [16], streams: [1, 0]) == [rows[1], rows[0]])
    let other = try bits(1 << 32, [16], streams: [0])[0]
    #expect(Set(rows[0] + rows[1] + other).count == 48)
  }
}
