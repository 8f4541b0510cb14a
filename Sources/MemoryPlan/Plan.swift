/// An offset for every buffer of a problem, and what is known about how good they are.
public struct Plan: Sendable {
  /// The offset in bytes of each buffer, by the buffer's index.
  public var offsets: [Int]

  /// The bytes that the arena needs: the highest end of any buffer.
  public var height: Int

  /// A number of bytes that no plan can go below.
  ///
  /// It is the most that is live at once, with the padding that alignment forces, or more where a search has proved it.
  public var lowerBound: Int

  /// Whether no plan can be lower, because the lower bound is reached or an exhaustive search says so.
  ///
  /// Where sizes are not multiples of the smallest alignment, heights are compared rounded up to it, as arenas are.
  public var isOptimal: Bool

  /// What found the offsets of the tallest part of the arena.
  public var strategy: Strategy

  /// The deterministic measure of the work done, in the unit of ``PlannerOptions/steps``.
  public var steps: Int

  /// The wall time taken.
  public var elapsed: Duration

  /// Creates a plan from its parts, for example to have offsets from elsewhere judged by ``validate(_:_:)``.
  public init(
    offsets: [Int], height: Int, lowerBound: Int = 0, isOptimal: Bool = false, strategy: Strategy = .given,
    steps: Int = 0, elapsed: Duration = .zero
  ) {
    self.offsets = offsets
    self.height = height
    self.lowerBound = lowerBound
    self.isOptimal = isOptimal
    self.strategy = strategy
    self.steps = steps
    self.elapsed = elapsed
  }

  /// Whether the plan keeps to the capacity of the problem; true where there is none.
  public func fits(_ problem: Problem) -> Bool { problem.capacity.map { height <= $0 } ?? true }
}

/// The way in which offsets were found.
public enum Strategy: Sendable, Hashable, CustomStringConvertible {
  /// Nothing had to be decided, or the offsets come from elsewhere.
  case given
  /// One pass over the buffers in a fixed order.
  case greedy(Order, Fit)
  /// Hill climbing over orders.
  case climb
  /// The exact search.
  case search

  /// The rule by which a greedy pass orders the buffers; all but `start` put the largest first.
  public enum Order: String, Sendable, Hashable, CaseIterable {
    /// By bytes.
    case size
    /// By bytes times sections of time.
    case area
    /// By sections of time.
    case duration
    /// By the most bytes live at once during the lifetime.
    case breadth
    /// By the first step, earliest first.
    case start
    /// By the number of buffers live at the same time.
    case conflicts
    /// By duration, then area, then breadth.
    case shape
  }

  /// The rule by which a greedy pass chooses among the gaps that are large enough.
  public enum Fit: String, Sendable, Hashable, CaseIterable {
    /// The lowest.
    case first
    /// The one that leaves the fewest bytes over.
    case best
  }

  /// The strategy in a few words.
  public var description: String {
    switch self {
    case .given: "given"
    case .greedy(let order, let fit): "greedy by \(order.rawValue), \(fit.rawValue) fit"
    case .climb: "hill climb"
    case .search: "search"
    }
  }
}

/// How much work the planner may do, and towards what.
public struct PlannerOptions: Sendable, Hashable {
  /// What ends the work before the limits do.
  public enum Goal: Sendable, Hashable {
    /// Only the proof that no plan is lower.
    case minimize
    /// A plan within the capacity of the problem; without a capacity the same as `minimize`.
    case fit
  }

  /// What the planner is to reach.
  public var goal: Goal

  /// The limit of the work in steps, about two nanoseconds each in a release build and a hundred in a debug build.
  ///
  /// Steps are counted, not timed, so that the same problem gets the same plan on every machine. A problem that a greedy
  /// pass solves at its lower bound needs none of them.
  public var steps: Int

  /// The limit of wall time, if there is one; with it, plans may differ from run to run.
  public var timeLimit: Duration?

  /// Creates options; the defaults are deterministic.
  public init(goal: Goal = .minimize, steps: Int = 200_000_000, timeLimit: Duration? = nil) {
    self.goal = goal
    self.steps = steps
    self.timeLimit = timeLimit
  }

  /// Greedy passes alone.
  public static let greedy = PlannerOptions(steps: 0)

  /// The work of some ten seconds in a release build, for when the arena is what matters.
  public static let thorough = PlannerOptions(steps: 5_000_000_000)
}
