public import LatheCore
import Synchronization

/// A stream of random numbers on the host: PyTorch's CPU generator.
///
/// From the same seed come the numbers that PyTorch draws, in the same order: a Mersenne twister (mt19937) whose 32-bit
/// words are transformed as there. What a graph draws while it runs is another matter: see `Builder.rand`.
public final class Generator: Sendable {
  private struct State: Sendable {
    var engine: MersenneTwister
    /// Whether somebody has chosen where the numbers start.
    var isSeeded = false
  }

  private let state: Mutex<State>

  /// Makes a generator; the seed is PyTorch's own by default.
  public init(seed: UInt64 = 67_280_421_310_721) { state = Mutex(State(engine: MersenneTwister(seed))) }

  private static let global = Generator()

  /// Takes the place of the default generator in the tasks of a scope: `Generator.$scoped.withValue(…) { … }`.
  @TaskLocal public static var scoped: Generator?

  /// What `rand` and kin draw from when they are given no generator.
  public static var `default`: Generator { scoped ?? global }

  /// The default generator, once it was given a seed: layers that are made from then on draw their parameters from it.
  static var ofParameters: Generator? {
    let generator = Generator.default
    return generator.state.withLock { $0.isSeeded } ? generator : nil
  }

  /// Starts again from a seed; a negative one counts from 2^64 down, as in PyTorch.
  @discardableResult
  public func manualSeed(_ seed: some BinaryInteger) -> Generator {
    let engine = MersenneTwister(UInt64(truncatingIfNeeded: seed))
    state.withLock { $0 = State(engine: engine, isSeeded: true) }
    return self
  }

  /// Starts again from a seed that the system draws, and returns it.
  @discardableResult
  public func seed() -> UInt64 {
    let seed = UInt64.random(in: 0 ... .max)
    manualSeed(seed)
    return seed
  }

  /// The seed that the numbers started from.
  public var initialSeed: UInt64 { state.withLock { $0.engine.seed } }

  /// Where the numbers have come to, `u8[5056]`: the bytes of PyTorch's `get_state`.
  public func getState() -> NDArray {
    let bytes = state.withLock { $0.engine.state }
    return unfailing { try NDArray(dtype: .u8, shape: [bytes.count], bytes: bytes) }
  }

  /// Goes on from where a generator, of PyTorch's too, had come to.
  ///
  /// - Throws: That this is no such state.
  public func setState(_ state: NDArray) throws(DiagnosticsError) {
    try resume(at: state)
    self.state.withLock { $0.isSeeded = true }
  }

  /// Goes on from a state, which chooses no start: layers that are made from then on draw as they did before.
  ///
  /// - Throws: That this is no such state.
  package func resume(at state: NDArray) throws(DiagnosticsError) {
    guard state.dtype == .u8, state.shape.count == 1, let engine = MersenneTwister(state: Array(state.bytes)) else {
      throw DiagnosticsError("\(state.type) is no state of a generator", help: "give what getState gave")
    }
    self.state.withLock { $0.engine = engine }
  }

  /// A generator that goes on from here by itself: `clone_state`.
  public func clone() -> Generator {
    let copy = Generator()
    let now = state.withLock { $0 }
    copy.state.withLock { $0 = now }
    return copy
  }
}

extension Generator: RandomNumbers {
  package func uniform(_ count: Int, _ low: Double, _ high: Double, _ dtype: ScalarType) -> [Double] {
    let (first, end) = (dtype.rounded(.float(low)).double, dtype.rounded(.float(high)).double)
    return state.withLock { state in
      (0..<count).map { _ in
        let unit = state.engine.unit(dtype)
        // PyTorch's kernel is compiled to fused multiplications: one rounding.
        let exact =
          dtype == .f64
          ? low.addingProduct(unit, high - low)
          : Double(Float(low).addingProduct(Float(unit), Float(high) - Float(low)))
        let number = dtype.rounded(.float(exact)).double
        // The end is not among them: what is rounded to it becomes the first.
        return number < end ? number : first
      }
    }
  }

  func normal(_ count: Int, mean: Double, std: Double, _ dtype: ScalarType) -> [Double] {
    state.withLock { $0.engine.normal(count, mean: mean, std: std, dtype) }
  }

  package func permutation(_ count: Int) -> [Int] {
    state.withLock { state in
      var numbers = Array(0..<count)
      for position in 0..<Swift.max(count - 1, 0) {
        numbers.swapAt(position, position + Int(UInt64(state.engine.word()) % UInt64(count - position)))
      }
      return numbers
    }
  }

  /// An integer of `0 ... Int.max`: what `random_` gives an `i64`.
  package func integer() -> Int { state.withLock { Int($0.engine.longWord() & UInt64(Int.max)) } }

  /// Integers in `low ..< high`.
  package func integers(_ count: Int, _ low: Int, _ high: Int) -> [Int] {
    let range = UInt64(bitPattern: Int64(high &- low))
    return state.withLock { state in
      (0..<count).map { _ in
        let bits = range >= 1 << 28 ? state.engine.longWord() : UInt64(state.engine.word())
        return low &+ Int(truncatingIfNeeded: bits % range)
      }
    }
  }

  /// Exponentially distributed numbers.
  func exponential(_ count: Int) -> [Double] {
    state.withLock { state in (0..<count).map { _ in state.engine.exponential() } }
  }
}
