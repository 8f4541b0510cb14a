/// The work that may still be done.
struct Budget {
  private(set) var remaining: Int
  private let deadline: ContinuousClock.Instant?
  /// The steps until the clock is next read, since reading it costs more than a step.
  private var untilClock = 0
  private var isLate = false

  init(steps: Int, deadline: ContinuousClock.Instant?) {
    remaining = max(0, steps)
    self.deadline = deadline
  }

  var isSpent: Bool { remaining <= 0 || isLate }

  mutating func spend(_ steps: Int) {
    remaining -= steps
    guard let deadline else { return }
    untilClock -= steps
    if untilClock <= 0 {
      untilClock = 200_000
      isLate = ContinuousClock.now >= deadline
    }
  }

  /// A part of the budget, at most `steps`; what is used of it is taken with ``settle(_:of:)``.
  func part(_ steps: Int) -> Budget { Budget(steps: isLate ? 0 : min(steps, remaining), deadline: deadline) }

  /// Takes what was used of a part.
  mutating func settle(_ part: Budget, of steps: Int) { spend(min(steps, remaining) - part.remaining) }
}

/// A small generator with a fixed sequence for each seed (Steele, Lea and Flood, OOPSLA 2014).
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in `0..<bound`, nearly uniform.
  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}
