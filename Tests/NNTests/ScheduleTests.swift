import Foundation
import LatheNN
import TestSupport
import Testing

/// Learning-rate schedules against `torch.optim.lr_scheduler` (`tools/golden_schedules.py`).
struct ScheduleTests {
  private struct Golden: Decodable {
    var lr: [Double]
    var momentum: [Double]?
    var metric: [Double]?
  }

  private static func goldens() throws -> [String: Golden] {
    let data = try Data(contentsOf: URL(fileURLWithPath: goldenFolder + "schedules.json"))
    return try JSONDecoder().decode([String: Golden].self, from: data)
  }

  private static let oneCycle = OneCycleLR(maxLR: 0.9, totalSteps: 40)
  private static let oneCycleLinear = OneCycleLR(
    maxLR: 0.9, totalSteps: 40, pctStart: 0.25, annealStrategy: .linear, threePhase: true)
  private static let triangular = CyclicLR(baseLR: 0.1, maxLR: 0.9, stepSizeUp: 5, stepSizeDown: 8)
  private static let triangular2 = CyclicLR(baseLR: 0.1, maxLR: 0.9, stepSizeUp: 4, mode: .triangular2)
  private static let expRange = CyclicLR(baseLR: 0.1, maxLR: 0.9, stepSizeUp: 4, mode: .expRange(gamma: 0.95))

  private static let schedulers: [String: any LRScheduler] = [
    "step": StepLR(0.4, stepSize: 7, gamma: 0.5),
    "multiStep": MultiStepLR(0.4, milestones: [3, 10, 10, 25], gamma: 0.3),
    "constant": ConstantLR(0.4, factor: 0.25, totalIters: 6),
    "linear": LinearLR(0.4, startFactor: 0.1, endFactor: 0.8, totalIters: 9),
    "exponential": ExponentialLR(0.4, gamma: 0.9),
    "polynomial": PolynomialLR(0.4, totalIters: 20, power: 2),
    "cosine": CosineAnnealingLR(0.4, tMax: 15, etaMin: 0.01),
    "warmRestarts": CosineAnnealingWarmRestarts(0.4, t0: 5, tMult: 2, etaMin: 0.02),
    "warmRestartsEven": CosineAnnealingWarmRestarts(0.4, t0: 6),
    "lambda": LambdaLR(0.4) { 1 / Double(1 + $0) },
    "multiplicative": MultiplicativeLR(0.4) { $0 % 3 != 0 ? 0.9 : 1.1 },
    "triangular": triangular, "triangular2": triangular2, "expRange": expRange, "oneCycle": oneCycle,
    "oneCycleLinear": oneCycleLinear,
    "sequential": SequentialLR(
      [
        LinearLR(0.4, startFactor: 0.1, totalIters: 5), CosineAnnealingLR(0.4, tMax: 20),
        ConstantLR(0.4, factor: 0.5, totalIters: 3),
      ], milestones: [5, 25]),
  ]

  private static let momenta: [String: @Sendable (Int) -> Double] = [
    "triangular": triangular.momentum, "triangular2": triangular2.momentum, "expRange": expRange.momentum,
    "oneCycle": oneCycle.momentum, "oneCycleLinear": oneCycleLinear.momentum,
  ]

  @Test func learningRates() throws {
    let goldens = try Self.goldens()
    #expect(Set(goldens.keys) == Set(Self.schedulers.keys).union(["plateau", "plateauMax"]))
    for (name, scheduler) in Self.schedulers {
      let golden = try #require(goldens[name])
      for (epoch, lr) in golden.lr.enumerated() {
        #expect(abs(scheduler.lr(at: epoch) - lr) <= 1e-12, "\(name) at \(epoch): \(scheduler.lr(at: epoch)), \(lr)")
      }
      #expect((golden.momentum == nil) == (Self.momenta[name] == nil), "\(name)")
      for (epoch, momentum) in (golden.momentum ?? []).enumerated() {
        let own = try #require(Self.momenta[name])
        #expect(abs(own(epoch) - momentum) <= 1e-12, "\(name) at \(epoch)")
      }
    }
  }

  @Test func plateaus() throws {
    let goldens = try Self.goldens()
    let schedulers = [
      "plateau": ReduceLROnPlateau(0.4, factor: 0.5, patience: 2),
      "plateauMax": ReduceLROnPlateau(
        0.4, mode: .max, factor: 0.3, patience: 1, threshold: 0.01, thresholdMode: .abs, cooldown: 2, minLR: 0.002),
    ]
    for (name, start) in schedulers {
      let golden = try #require(goldens[name])
      var scheduler = start
      for (metric, lr) in zip(try #require(golden.metric), golden.lr) {
        scheduler.step(metric)
        #expect(abs(scheduler.lr - lr) <= 1e-12, "\(name)")
      }
    }
  }
}
