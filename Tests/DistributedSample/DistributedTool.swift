import Foundation
import Lathe
import LatheDistributed

/// LeNet with batches of random images: what the tests start in one process and in two.
private struct LeNet: Module {
  let conv1 = Conv2d(1, 6, kernelSize: 5)
  let conv2 = Conv2d(6, 16, kernelSize: 5)
  let fc1 = Linear(400, 120)
  let fc2 = Linear(120, 84)
  let fc3 = Linear(84, 10)

  func callAsFunction(_ x: Tensor) -> Tensor {
    var x = maxPool2d(relu(conv1(x)), kernelSize: 2)
    x = maxPool2d(relu(conv2(x)), kernelSize: 2)
    x = x.flatten(startDim: 1)
    return fc3(relu(fc2(relu(fc1(x)))))
  }
}

/// Prints what a part of the tests wants to know, in the first process only.
@main
struct DistributedTool {
  static func main() throws {
    let group = try ProcessGroup()
    do {
      switch CommandLine.arguments.dropFirst().first {
      case "collectives": try collectives(group)
      case "join": try join(group)
      case let hook: try train(group, hook: hook ?? "all-reduce")
      }
    } catch {
      FileHandle.standardError.write(Data("\(error)\n".utf8))
      group.abort()
    }
    try group.finalize()
  }

  private static func say(_ group: ProcessGroup, _ text: String) {
    if group.rank == 0 { print(text) }
  }

  private static func model(batch: Int) throws -> CompiledModel {
    let lenet = LeNet()
    return try compile(
      trainable(
        lenet, optimizer: .sgd(lr: 0.05, momentum: 0.9), inputs: [.f32(Dim(batch), 1, 32, 32)],
        targets: [.i64(Dim(batch))], options: TrainingOptions(name: "lenet", clipping: .norm(5), bucketBytes: 1 << 16),
        predict: { _, inputs in lenet(inputs[0]) }, loss: { crossEntropy($0, $1[0]) },
        metrics: { ["accuracy": Metric.accuracy.compute($0, $1[0])] }))
  }

  /// Step `number`'s images and classes of a process.
  private static func batch(_ number: Int, whole: Int, _ group: ProcessGroup) throws -> [NDArray] {
    let generator = Generator(seed: UInt64(number))
    let images = try rand([whole, 1, 32, 32], generator: generator)
    let classes = try randint(10, [whole], generator: generator)
    return [try group.scatter(images), try group.scatter(classes)]
  }

  private static func train(_ group: ProcessGroup, hook: String) throws {
    let (whole, rate) = (16, NDArray([0.05]))
    let hooks: [String: CommunicationHook] = [
      "bf16": .compressed(.bf16), "f16": .compressed(.f16),
      "custom": .custom { (bucket, group) throws(DiagnosticsError) in try group.allReduce(bucket) },
    ]
    var trained = try DistributedDataParallel(
      model(batch: whole / group.size), group, hook: hooks[hook] ?? .allReduce)
    try trained.initialize(seed: UInt64(7 + group.rank))
    for number in 0..<12 {
      let results = try trained.step(batch(number, whole: whole, group), [rate.reshaped([])])
      say(group, "\(try results["loss"]?.item() ?? .nan)")
    }
    // All processes have come to the same parameters.
    let bytes = trained.savedState().sorted { $0.key < $1.key }.map { $0.value.doubles.reduce(0, +) }
    let sums = try group.allGather(NDArray(bytes))
    say(group, sums.allSatisfy { $0 == sums[0] } ? "same" : "different")
  }

  /// The second process has fewer batches.
  private static func join(_ group: ProcessGroup) throws {
    var trained = try DistributedDataParallel(model(batch: 4), group)
    try trained.initialize(seed: 3)
    var steps = 0
    while true {
      let own = group.rank == 0 ? 5 : 2
      let inputs = steps < own ? try ownBatch(steps, 4, group) : nil
      guard let results = try trained.joinedStep(inputs, [NDArray([0.05]).reshaped([])]) else { break }
      steps += 1
      say(group, "\(try results["loss"]?.item() ?? .nan)")
    }
    let counts = try group.allGather(NDArray([Int64(steps)])).map(\.integers)
    say(group, "\(counts)")
  }

  /// A batch of this process's own.
  private static func ownBatch(_ number: Int, _ count: Int, _ group: ProcessGroup) throws -> [NDArray] {
    let generator = Generator(seed: UInt64(100 * group.rank + number))
    return [try rand([count, 1, 32, 32], generator: generator), try randint(10, [count], generator: generator)]
  }

  private static func collectives(_ group: ProcessGroup) throws {
    let own = NDArray([Float(group.rank + 1), 10])
    say(group, "\(try group.allReduce(own).doubles) \(try group.allReduce(own, .max).doubles)")
    say(group, "\(try group.broadcast(own, from: group.size - 1).doubles)")
    say(group, "\(try group.allGather(own).map(\.doubles)) \(try group.gather(own).map(\.doubles))")
    let whole = NDArray([1, 2, 3, 4] as [Int64])
    say(group, "\(try group.scatter(whole).integers) \(try group.reduceScatter(whole).integers)")
    if group.size == 2 {
      if group.rank == 1 { try group.send(own, to: 0, tag: 3) }
      say(group, group.rank == 0 ? "\(try group.receive(.f32, [2], from: 1, tag: 3).doubles)" : "")
    }
    say(group, String(decoding: try group.broadcast(group.rank == 0 ? Array("bytes".utf8) : []), as: UTF8.self))
    var refused = 0
    for wrong in 0..<3 {
      do throws(DiagnosticsError) {
        switch wrong {
        case 0: _ = try group.allReduce(try NDArray.zeros(.f16, [2]))
        case 1: _ = try group.broadcast(own, from: group.size)
        default: _ = try group.scatter(try NDArray.zeros(.f32, [3 * group.size + 1]))
        }
      } catch { refused += 1 }
    }
    try group.barrier()
    say(group, "\(refused) refused")
  }
}
