import Foundation
import Lathe
import LatheC
import TestSupport
import Testing

/// A hundred steps of five networks with a cosine schedule and clipping, from PyTorch's weights and batches: every loss is
/// PyTorch's within 1e-4.
///
/// Both sides compute in `f64`, where a hundred steps of a network with ReLU stay together, far within the 1e-4. In `f32`
/// they do not always, PyTorch's own neither: there the losses are compared where PyTorch's in `f32` stay near to its `f64`.
/// LeNet at twice the rate, for instance, leaves it by 1e-3 with RMSprop and by 2e-4 with SGD.
struct HundredStepsTests {
  private static let steps = 100
  /// By how much the losses of a training may drift that is compared in `f32`: rounding elsewhere may cost some times that.
  private static let steady = 5e-6

  /// The optimizers with which ResNet-18 is trained at its full width: LATHE_FULL_WIDTH=sgd,adamw,rmsprop.
  private static let wanted =
    ProcessInfo.processInfo.environment["LATHE_FULL_WIDTH"]?.split(separator: ",").map(String.init) ?? []

  struct Golden: Decodable, CustomTestStringConvertible {
    let network: String
    let optimizer: String
    /// By how much PyTorch's losses in `f32` leave those in `f64`, relatively.
    let drift: Double
    let losses: [Double]
    /// In how many steps PyTorch's own losses stay within 1e-5 where weights start a unit in their last place away; in all,
    /// where nothing is said.
    let determined: Int?

    var testDescription: String { "\(network) \(optimizer)" }

    static let all = read("hundred_steps")
    /// ResNet-18 at its full width.
    static let wide = read("hundred_steps_wide")

    private static func read(_ name: String) -> [Golden] {
      guard let data = FileManager.default.contents(atPath: goldenFolder + "\(name).json") else { return [] }
      return (try? JSONDecoder().decode([Golden].self, from: data)) ?? []
    }
  }

  /// The losses of all steps, of each function in turn.
  private static func losses(
    _ network: TrainedNetwork, _ optimizer: String, _ dtype: ScalarType, _ compiled: CompiledModel,
    run: (String, [NDArray]) throws -> [NDArray]
  ) throws -> [Double] {
    _ = try run("initialize", [NDArray(scalar: .integer(0), dtype: .u64)])
    let batches = try network.batches(dtype: dtype)
    let scale = try #require(TrainedNetwork.optimizers[optimizer]).scale
    let schedules = network.steps.map { CosineAnnealingLR(scale * $0.rate, tMax: steps) }
    let positions = try network.steps.map { step in
      let outputs = try compiled.function(named: step.function).planned.program.outputs
      return try #require(outputs.firstIndex { $0.name == "loss" })
    }
    return try (0..<steps).flatMap { k in
      try network.steps.indices.map { index in
        let rate = NDArray(scalar: .float(schedules[index].lr(at: k)), dtype: .f64)
        let outputs = try run(network.steps[index].function, batches[k % batches.count][index] + [rate])
        return outputs[positions[index]].doubles[0]
      }
    }
  }

  private static func check(_ losses: [Double], _ golden: Golden, within tolerance: Double, _ way: String) {
    let compared = zip(losses, golden.losses).prefix(golden.determined ?? golden.losses.count)
    let worst = compared.map { abs($0 - $1) / $1 }.max() ?? .infinity
    let isNear = losses.count == golden.losses.count && worst <= tolerance
    #expect(isNear, "\(golden.testDescription), \(way): off by \(worst)")
    if ProcessInfo.processInfo.environment["LATHE_SHOW_DRIFT"] != nil {
      print("\(golden.testDescription), \(way): off by \(worst), PyTorch's f32 by \(golden.drift)")
    }
  }

  @Test("losses are PyTorch's at every step, for each network and optimizer", arguments: Golden.all)
  func losses(golden: Golden) throws {
    try Self.compare(golden, try #require(TrainedNetwork(named: golden.network)), within: 1e-6)
  }

  @Test(
    "losses of ResNet-18 at its full width are PyTorch's within 1e-4: half an hour in a debug build",
    .enabled(if: !wanted.isEmpty), arguments: Golden.wide.filter { wanted.contains($0.optimizer) })
  func wide(golden: Golden) throws {
    try Self.compare(golden, try #require(TrainedNetwork(named: golden.network, width: 64)), within: 1e-4)
  }

  /// - Parameter exact: By how much losses in `f64` may be off; those in `f32` may be by 1e-4.
  private static func compare(_ golden: Golden, _ network: TrainedNetwork, within exact: Double) throws {
    for dtype in [ScalarType.f64, .f32] where dtype == .f64 || golden.drift < steady {
      let tolerance = dtype == .f64 ? exact : 1e-4
      let compiled = try compile(network.model(golden.optimizer, dtype: dtype))
      let native = NativeBox(model: try compiled.native())
      check(
        try losses(network, golden.optimizer, dtype, compiled) { try native.model.run($0, $1) }, golden,
        within: tolerance, "native \(dtype)")
      let interpreted = Box(session: try compiled.session())
      check(
        try losses(network, golden.optimizer, dtype, compiled) { try interpreted.session.run($0, $1) }, golden,
        within: tolerance, "interpreted \(dtype)")
    }
  }

  @Test("there are cases") func cases() {
    #expect(Golden.all.count == TrainedNetwork.all.count * TrainedNetwork.optimizers.count)
    #expect(Golden.wide.count == TrainedNetwork.optimizers.count)
  }
}

/// A session that closures share.
final class Box {
  var session: Session
  init(session: consuming Session) { self.session = session }
}

/// A native model that closures share.
final class NativeBox {
  var model: NativeModel
  init(model: consuming NativeModel) { self.model = model }
}
