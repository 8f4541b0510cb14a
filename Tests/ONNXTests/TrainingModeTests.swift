import Lathe
import SwiftProtobuf
import Testing

@testable import LatheONNX

private func trained(_ model: TestModel) throws -> CompiledModel {
  let loss = try #require(NamedLoss.all.first { $0.name == "mse" })
  return try compile(
    model.graph(trainable: true).trainable(
      loss: loss, optimizer: .sgd(lr: 0), evaluation: model.graph(trainable: true, evaluating: true)))
}

private let rate = NDArray(scalar: .float(0), dtype: .f64)

@Suite("Models in training mode that are trained further")
struct TrainingModeTests {
  @Test("batch normalization trains by the batch, updates its statistics, and is evaluated by them")
  func batchNormalization() throws {
    let model = TestModel(
      [
        node(
          "BatchNormalization", ["x", "s", "b", "mean", "variance"], ["y", "m", "v"], .int("training_mode", 1),
          .float("epsilon", 0), .float("momentum", 0.75))
      ], inputs: [("x", .f32(4, 1))]
    ).initializer("s", NDArray([2] as [Float])).initializer("b", NDArray([1] as [Float]))
      .initializer("mean", NDArray([4] as [Float])).initializer("variance", NDArray([1] as [Float]))
    let x = try NDArray([1, 1, 3, 3] as [Float], shape: [4, 1])
    var session = try trained(model).session()
    // Normalized to -1 and 1, which becomes -1 and 3.
    let target = try NDArray([-1, -1, 3, 3] as [Float], shape: [4, 1])
    #expect(try session.run("train_step", [x, target, rate])[0].doubles == [0])
    #expect(session.savedState()["mean"]?.doubles == [3.5] && session.savedState()["variance"]?.doubles == [1])
    #expect(try session.run("predict", [x])[0].doubles == [-4, -4, 0, 0])
  }

  @Test("dropout draws a new mask in every step, and is the identity in evaluation")
  func dropout() throws {
    let model = TestModel(
      [node("Mul", ["x", "w"], ["scaled"]), node("Dropout", ["scaled", "ratio", "training"])],
      inputs: [("x", .f32(64))]
    ).initializer("w", NDArray([Float](repeating: 1, count: 64))).initializer(
      "ratio", NDArray(scalar: .float(0.5), dtype: .f32)
    )
    .initializer("training", NDArray(scalar: .integer(1), dtype: .bool))
    let x = NDArray([Float](repeating: 1, count: 64))
    var session = try trained(model).session()
    let target = NDArray([Float](repeating: 0, count: 64))
    // Kept elements are 2: the mean of squares tells how many of the 64 there are.
    let kept = try (0..<4).map { _ in try session.run("train_step", [x, target, rate])[0].doubles[0] * 16 }
    #expect(kept.allSatisfy { (10...54).contains($0) && $0 == $0.rounded() })
    #expect(Set(kept).count > 1)
    #expect(try session.run("predict", [x])[0] == x)
    #expect(try session.run("evaluate", [x, target])[0].doubles == [1])
  }
}
