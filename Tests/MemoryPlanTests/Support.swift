import Foundation
import LatheMemory
import Testing

/// A generator that repeats its sequence for each seed (xorshift64*).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

/// Buffers with random sizes and lifetimes, some of them with alignments.
func randomBuffers(_ count: Int, seed: UInt64, longest: Int, alignments: [Int] = [1]) -> [Buffer] {
  var random = SeededRandom(seed: seed)
  return (0..<count).map { index in
    let lower = Int.random(in: 0..<count, using: &random)
    return Buffer(
      id: "b\(index)", lifetime: lower..<lower + Int.random(in: 1...longest, using: &random),
      size: Int.random(in: 0...500, using: &random), alignment: alignments.randomElement(using: &random) ?? 1)
  }
}

/// The most bytes live at once, found the slow way.
func mostLive(_ buffers: [Buffer]) -> Int {
  buffers.map { start in
    buffers.filter { $0.lifetime.contains(start.lifetime.lowerBound) }.map(\.size).reduce(0, +)
  }
  .max() ?? 0
}

/// One of the instances of the MiniMalloc benchmark.
func instance(_ name: String, capacity: Int? = nil) throws -> Problem {
  let url = try #require(Bundle.module.url(forResource: name, withExtension: "csv", subdirectory: "Instances"))
  return try Problem(csv: String(contentsOf: url, encoding: .utf8), capacity: capacity)
}
