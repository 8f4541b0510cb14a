public import LatheCore
import Synchronization

/// A stream of random numbers on the host: NumPy's `RandomState`, of which `numpy.random.seed` and kin are the global one.
///
/// From the same seed come NumPy's numbers. PyTorch's are those of a ``Generator``; what a graph draws is `Builder.rand`.
public final class RandomState: Sendable {
  private let engine: Mutex<MersenneTwister>

  /// Starts from a seed.
  public init(seed: UInt32) { engine = Mutex(MersenneTwister(UInt64(seed))) }

  /// A number in `0 ..< 1`: `numpy.random.random()`.
  public func random() -> Double { engine.withLock { Self.unit(&$0) } }

  /// Numbers in `0 ..< 1`, `f64` of a shape: `numpy.random.random(size)`.
  ///
  /// - Throws: For a shape that is none, or larger than the memory.
  public func random(_ size: Int...) throws(DiagnosticsError) -> NDArray {
    var array = try NDArray.zeros(.f64, size)
    let count = array.count
    let numbers = engine.withLock { engine in (0..<count).map { _ in Self.unit(&engine) } }
    array.withUnsafeMutableBytes { bytes in
      for (position, number) in numbers.enumerated() { ScalarType.f64.store(.float(number), to: bytes, at: position) }
    }
    return array
  }

  /// Puts elements in another order: `numpy.random.shuffle`.
  public func shuffle<Elements: MutableCollection & RandomAccessCollection>(_ elements: inout Elements) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      let other = below(last)
      elements.swapAt(
        elements.index(elements.startIndex, offsetBy: last), elements.index(elements.startIndex, offsetBy: other))
    }
  }

  /// An integer in `0 ... limit`, of numbers with as many bits, which are drawn until one is not greater.
  private func below(_ limit: Int) -> Int {
    let mask = UInt64.max >> UInt64(limit.leadingZeroBitCount)
    return engine.withLock { engine in
      while true {
        let word = limit <= Int(UInt32.max) ? UInt64(engine.word()) : engine.longWord()
        if word & mask <= UInt64(limit) { return Int(word & mask) }
      }
    }
  }

  private static func unit(_ engine: inout MersenneTwister) -> Double {
    let (high, low) = (engine.word() >> 5, engine.word() >> 6)
    return (Double(high) * 0x1p26 + Double(low)) * 0x1p-53
  }
}
