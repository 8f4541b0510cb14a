import LatheCore

/// Sebastiano Vigna's SplitMix64: small, and the same on every platform.
///
/// Source: https://prng.di.unimi.it/splitmix64.c
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }
}

extension NDArray {
  /// A tensor for trying a model out.
  ///
  /// Floats are uniform from -1 to 1; integers from 0 on and below `limit`, since most of them are indices of something.
  static func random(
    _ dtype: ScalarType, _ shape: [Int], below limit: Int, using generator: inout SplitMix64
  ) -> NDArray {
    NDArray(dtype: dtype, shape: shape) { buffer in
      for index in 0..<buffer.count / dtype.byteCount {
        let bits = generator.next()
        let value: ScalarValue =
          if dtype.isFloat {
            .float(Double(bits >> 40) * 0x1p-23 - 1)
          } else {
            .integer(Int(bits >> 32) % (dtype == .bool ? 2 : max(1, limit)))
          }
        dtype.store(value, to: buffer, at: index)
      }
    }
  }
}

extension Graph {
  /// The smallest size of the axes that an input's elements address, where they are indices.
  var addressedSizes: [Value: Int] {
    var sizes: [Value: Int] = [:]
    for node in nodes {
      let indexed: IndexedAxes
      switch node.operation {
      case .gather(let gather): indexed = gather.indexed
      case .scatter(let scatter): indexed = scatter.indexed
      default: continue
      }
      let shape = type(of: node.operands[0]).shape
      guard let size = indexed.axes.compactMap({ shape[$0].known }).min() else { continue }
      for input in sources(of: node.operands[1]) { sizes[input] = min(sizes[input] ?? .max, size) }
    }
    return sizes
  }

  /// The inputs whose elements reach a value one by one: moved, or through scalar functions.
  private func sources(of value: Value) -> Set<Value> {
    var found: Set<Value> = []
    var seen: Set<Value> = [value]
    var work = [value]
    while let next = work.popLast() {
      switch self[next].operation {
      case .input: found.insert(next)
      case .reshape, .permute, .broadcast, .slice, .reverse, .concatenate, .pad, .convert, .detach, .pointwise:
        work += self[next].operands.filter { seen.insert($0).inserted }
      default: break
      }
    }
    return found
  }
}
