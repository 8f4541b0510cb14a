import Foundation

/// A learning rate that changes from step to step, computed where the training is driven, and given to it as the input
/// `lr`.
///
/// The names, defaults and values are those of `torch.optim.lr_scheduler`; what a schedule is after n calls of PyTorch's
/// `step()` is `lr(at: n)`.
///
/// Source: https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
public protocol LRScheduler: Sendable {
  /// The learning rate of the step or epoch with this number, from 0 on.
  func lr(at epoch: Int) -> Double
}

/// The learning rate times a function of the epoch.
public struct LambdaLR: LRScheduler {
  private let base: Double
  private let factor: @Sendable (Int) -> Double

  /// The learning rate at first, and what it is multiplied by in each epoch.
  public init(_ lr: Double, _ factor: @escaping @Sendable (Int) -> Double) {
    base = lr
    self.factor = factor
  }

  public func lr(at epoch: Int) -> Double { base * factor(epoch) }
}

/// The learning rate multiplied in every epoch after the first by a function of the epoch.
public struct MultiplicativeLR: LRScheduler {
  private let base: Double
  private let factor: @Sendable (Int) -> Double

  /// The learning rate at first, and what that of the epoch before is multiplied by.
  public init(_ lr: Double, _ factor: @escaping @Sendable (Int) -> Double) {
    base = lr
    self.factor = factor
  }

  public func lr(at epoch: Int) -> Double { (1..<max(epoch, 0) + 1).reduce(base) { $0 * factor($1) } }
}

/// Decays by `gamma` every `stepSize` epochs.
public struct StepLR: LRScheduler {
  private let base: Double
  private let stepSize: Int
  private let gamma: Double

  /// The learning rate at first, and how it decays; a `stepSize` below 1 counts as 1.
  public init(_ lr: Double, stepSize: Int, gamma: Double = 0.1) {
    base = lr
    self.stepSize = max(stepSize, 1)
    self.gamma = gamma
  }

  public func lr(at epoch: Int) -> Double { base * pow(gamma, Double(epoch / stepSize)) }
}

/// Decays by `gamma` at each of some epochs; an epoch that is given twice counts twice.
public struct MultiStepLR: LRScheduler {
  private let base: Double
  private let milestones: [Int]
  private let gamma: Double

  /// The learning rate at first, and when it decays.
  public init(_ lr: Double, milestones: [Int], gamma: Double = 0.1) {
    base = lr
    self.milestones = milestones
    self.gamma = gamma
  }

  public func lr(at epoch: Int) -> Double { base * pow(gamma, Double(milestones.count { $0 <= epoch })) }
}

/// A part of the learning rate until an epoch, then all of it.
public struct ConstantLR: LRScheduler {
  private let base: Double
  private let factor: Double
  private let totalIters: Int

  /// The learning rate in the end, the part of it at first, and for how many epochs.
  public init(_ lr: Double, factor: Double = 1.0 / 3, totalIters: Int = 5) {
    base = lr
    self.factor = factor
    self.totalIters = totalIters
  }

  public func lr(at epoch: Int) -> Double { epoch < totalIters ? base * factor : base }
}

/// From one part of the learning rate to another in equal steps.
public struct LinearLR: LRScheduler {
  private let base: Double
  private let factors: (start: Double, end: Double)
  private let totalIters: Int

  /// The learning rate, its parts at the start and in the end, and in how many epochs.
  public init(_ lr: Double, startFactor: Double = 1.0 / 3, endFactor: Double = 1, totalIters: Int = 5) {
    base = lr
    factors = (startFactor, endFactor)
    self.totalIters = totalIters
  }

  public func lr(at epoch: Int) -> Double {
    guard totalIters > 0 else { return base * factors.end }
    let share = Double(min(totalIters, epoch)) / Double(totalIters)
    return base * (factors.start + (factors.end - factors.start) * share)
  }
}

/// Decays by `gamma` in every epoch.
public struct ExponentialLR: LRScheduler {
  private let base: Double
  private let gamma: Double

  /// The learning rate at first, and its decay.
  public init(_ lr: Double, gamma: Double) {
    base = lr
    self.gamma = gamma
  }

  public func lr(at epoch: Int) -> Double { base * pow(gamma, Double(epoch)) }
}

/// Falls to 0 along a power of the epochs that are left.
public struct PolynomialLR: LRScheduler {
  private let base: Double
  private let totalIters: Int
  private let power: Double

  /// The learning rate at first, in how many epochs it is 0, and the power.
  public init(_ lr: Double, totalIters: Int = 5, power: Double = 1) {
    base = lr
    self.totalIters = totalIters
    self.power = power
  }

  public func lr(at epoch: Int) -> Double {
    guard totalIters > 0 else { return base }
    return base * pow(1 - Double(min(totalIters, epoch)) / Double(totalIters), power)
  }
}

/// Along half a period of a cosine to `etaMin`, and back where it goes on.
public struct CosineAnnealingLR: LRScheduler {
  private let base: Double
  private let tMax: Int
  private let etaMin: Double

  /// The learning rate at first, after how many epochs it is least, and what it is then.
  public init(_ lr: Double, tMax: Int, etaMin: Double = 0) {
    base = lr
    self.tMax = max(tMax, 1)
    self.etaMin = etaMin
  }

  public func lr(at epoch: Int) -> Double {
    etaMin + (base - etaMin) * (1 + cos(.pi * Double(epoch) / Double(tMax))) / 2
  }
}

/// Along half a period of a cosine to `etaMin`, again and again from the top, each time `tMult` times as long.
public struct CosineAnnealingWarmRestarts: LRScheduler {
  private let base: Double
  private let t0: Int
  private let tMult: Int
  private let etaMin: Double

  /// The learning rate at first, the epochs of the first period, how they grow, and the least learning rate.
  public init(_ lr: Double, t0: Int, tMult: Int = 1, etaMin: Double = 0) {
    base = lr
    self.t0 = max(t0, 1)
    self.tMult = max(tMult, 1)
    self.etaMin = etaMin
  }

  public func lr(at epoch: Int) -> Double {
    var (position, period) = (epoch, t0)
    if tMult == 1 {
      position %= period
    } else {
      while position >= period {
        position -= period
        period *= tMult
      }
    }
    return etaMin + (base - etaMin) * (1 + cos(.pi * Double(position) / Double(period))) / 2
  }
}

/// Up and down between two learning rates.
public struct CyclicLR: LRScheduler {
  /// How the height changes from cycle to cycle.
  public enum Mode: Hashable, Sendable {
    /// Always the same.
    case triangular
    /// Half as high in each cycle.
    case triangular2
    /// By a factor `gamma` in each step.
    case expRange(gamma: Double)
  }

  private let lrs: (base: Double, max: Double)
  private let sizes: (up: Double, down: Double)
  private let mode: Mode
  private let momenta: (base: Double, max: Double)

  /// The two learning rates, how many steps a way up and a way down has, how the height changes, and the momenta, which
  /// go the other way.
  public init(
    baseLR: Double, maxLR: Double, stepSizeUp: Int = 2000, stepSizeDown: Int? = nil, mode: Mode = .triangular,
    baseMomentum: Double = 0.8, maxMomentum: Double = 0.9
  ) {
    lrs = (baseLR, maxLR)
    sizes = (Double(max(stepSizeUp, 1)), Double(max(stepSizeDown ?? stepSizeUp, 1)))
    self.mode = mode
    momenta = (baseMomentum, maxMomentum)
  }

  public func lr(at epoch: Int) -> Double { lrs.base + (lrs.max - lrs.base) * height(epoch) }

  /// The momentum of a step.
  public func momentum(at epoch: Int) -> Double { momenta.max - (momenta.max - momenta.base) * height(epoch) }

  private func height(_ epoch: Int) -> Double {
    let total = sizes.up + sizes.down
    let ratio = sizes.up / total
    let cycle = (1 + Double(epoch) / total).rounded(.down)
    let x = 1 + Double(epoch) / total - cycle
    let scale = x <= ratio ? x / ratio : (x - 1) / (ratio - 1)
    switch mode {
    case .triangular: return scale
    case .triangular2: return scale / pow(2, cycle - 1)
    case .expRange(let gamma): return scale * pow(gamma, Double(epoch))
    }
  }
}

/// Once up and down, to far below where it began.
public struct OneCycleLR: LRScheduler {
  /// The way from one number to another.
  public enum AnnealStrategy: Hashable, Sendable {
    /// Along a cosine, or a line.
    case cos, linear
  }

  private let phases: [(end: Double, lrs: (Double, Double), momenta: (Double, Double))]
  private let strategy: AnnealStrategy

  /// The highest learning rate, all steps, the share of those that go up, and how the learning rates at the start and in
  /// the end follow from the highest; the momentum goes the other way.
  ///
  /// With `threePhase`, the way down to the start takes as long as the way up, and one to the end follows.
  public init(
    maxLR: Double, totalSteps: Int, pctStart: Double = 0.3, annealStrategy: AnnealStrategy = .cos,
    baseMomentum: Double = 0.85, maxMomentum: Double = 0.95, divFactor: Double = 25, finalDivFactor: Double = 1e4,
    threePhase: Bool = false
  ) {
    strategy = annealStrategy
    let first = maxLR / divFactor
    let last = first / finalDivFactor
    let up = pctStart * Double(totalSteps)
    let end = Double(totalSteps - 1)
    phases =
      threePhase
      ? [
        (up - 1, (first, maxLR), (maxMomentum, baseMomentum)),
        (2 * up - 2, (maxLR, first), (baseMomentum, maxMomentum)),
        (end, (first, last), (maxMomentum, maxMomentum)),
      ]
      : [
        (up - 1, (first, maxLR), (maxMomentum, baseMomentum)), (end, (maxLR, last), (baseMomentum, maxMomentum)),
      ]
  }

  public func lr(at epoch: Int) -> Double { value(epoch) { $0.lrs } }

  /// The momentum of a step.
  public func momentum(at epoch: Int) -> Double { value(epoch) { $0.momenta } }

  private func value(
    _ epoch: Int, _ ends: ((end: Double, lrs: (Double, Double), momenta: (Double, Double))) -> (Double, Double)
  ) -> Double {
    var start = 0.0
    for (position, phase) in phases.enumerated() {
      if Double(epoch) <= phase.end || position == phases.count - 1 {
        let share = (Double(epoch) - start) / (phase.end - start)
        let (from, to) = ends(phase)
        return strategy == .linear ? from + (to - from) * share : to + (from - to) / 2 * (1 + cos(.pi * share))
      }
      start = phase.end
    }
    return 0
  }
}

/// One schedule after the other, each from its own beginning.
public struct SequentialLR: LRScheduler {
  private let schedulers: [any LRScheduler]
  private let milestones: [Int]

  /// The schedules, at least one, and the epochs at which the second and each further one begin.
  public init(_ schedulers: [any LRScheduler], milestones: [Int]) {
    self.schedulers = schedulers
    self.milestones = milestones
  }

  public func lr(at epoch: Int) -> Double {
    let position = min(milestones.count { $0 <= epoch }, schedulers.count - 1)
    guard position >= 0 else { return 0 }
    return schedulers[position].lr(at: position == 0 ? epoch : epoch - milestones[position - 1])
  }
}

/// Decays when a number that should get better no longer does.
public struct ReduceLROnPlateau: Sendable {
  /// Which numbers are better.
  public enum Mode: Hashable, Sendable {
    /// The less or the more, the better.
    case min, max
  }

  /// How much better a number must be.
  public enum ThresholdMode: Hashable, Sendable {
    /// By a share of the best one.
    case rel
    /// By itself.
    case abs
  }

  /// The present learning rate.
  public private(set) var lr: Double
  private let mode: Mode
  private let factor: Double
  private let patience: Int
  private let threshold: Double
  private let thresholdMode: ThresholdMode
  private let cooldown: Int
  private let minLR: Double
  private let eps: Double
  private var best: Double
  private var badEpochs = 0
  private var cooldownLeft = 0

  /// The learning rate at first, and when it is multiplied by `factor`: after more than `patience` epochs that were not
  /// better by the threshold, not within `cooldown` epochs of the last time, not below `minLR`, not by less than `eps`.
  public init(
    _ lr: Double, mode: Mode = .min, factor: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4,
    thresholdMode: ThresholdMode = .rel, cooldown: Int = 0, minLR: Double = 0, eps: Double = 1e-8
  ) {
    self.lr = lr
    self.mode = mode
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.thresholdMode = thresholdMode
    self.cooldown = cooldown
    self.minLR = minLR
    self.eps = eps
    best = mode == .min ? .infinity : -.infinity
  }

  /// Takes an epoch's number, a loss or an accuracy, into account.
  public mutating func step(_ metric: Double) {
    if isBetter(metric) {
      best = metric
      badEpochs = 0
    } else {
      badEpochs += 1
    }
    if cooldownLeft > 0 {
      cooldownLeft -= 1
      badEpochs = 0
    }
    if badEpochs > patience {
      let next = Swift.max(lr * factor, minLR)
      if lr - next > eps { lr = next }
      cooldownLeft = cooldown
      badEpochs = 0
    }
  }

  private func isBetter(_ metric: Double) -> Bool {
    switch (mode, thresholdMode) {
    case (.min, .rel): metric < best * (1 - threshold)
    case (.min, .abs): metric < best - threshold
    case (.max, .rel): metric > best * (threshold + 1)
    case (.max, .abs): metric > best + threshold
    }
  }
}
