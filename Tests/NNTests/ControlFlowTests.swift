import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Control flow and training steps")
struct ControlFlowTests {
  /// Runs a function of one tensor and gives its outputs in order.
  private func run(
    _ input: NDArray, _ body: (Tensor) -> [Tensor]
  ) throws -> [[Double]] {
    let graph = try trace(input.type) { body($0) }
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": input]).outputs
    return graph.outputs.map { results[$0.name]?.doubles ?? [] }
  }

  private let vector = NDArray([1, -2, 3, 0.5] as [Double])

  @Test("a scan with captured tensors is the running sum, and so is its gradient")
  func runningSum() throws {
    let results = try run(vector) { x in
      let factor = x.sum() * 2
      let (last, outputs) = scan([x.select(dim: 0, index: 0) * 0], over: [x]) { state, element in
        let next = state[0] + element[0] * factor
        return ([next], [next])
      }
      let loss = outputs[0].sum()
      let scanned = gradients(of: loss, withRespectTo: [x])[0]
      let direct = (x.cumsum(dim: 0) * factor).sum()
      return [last[0], outputs[0], scanned, gradients(of: direct, withRespectTo: [x])[0]]
    }
    #expect(results[0] == [12.5])
    #expect(results[1] == [5, -5, 10, 12.5])
    #expect(zip(results[2], results[3]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test("scans nest and reach tensors two graphs out")
  func nestedScans() throws {
    let results = try run(vector) { x in
      let zero = x.select(dim: 0, index: 0) * 0
      let (last, _) = scan([zero], over: [x]) { outer, row in
        let (inner, _) = scan([outer[0]], over: [x]) { state, element in
          ([state[0] + row[0] * element[0] * x.amax()], [])
        }
        return (inner, [])
      }
      return [last[0]]
    }
    #expect(results[0] == [2.5 * 2.5 * 3])
  }

  @Test("a while loop sees captured tensors in condition and body")
  func whileLoops() throws {
    let results = try run(vector) { x in
      let limit = x.amax() * 10
      let step = x.abs().amin()
      let last = whileLoop([x.sum() * 0, x]) {
        $0[0] .< limit
      } body: {
        [$0[0] + step, $0[1] * 2]
      }
      return [last[0]]
    }
    #expect(results[0] == [30])
  }

  @Test("a branch is chosen when it runs, and the gradient takes the same one", arguments: [true, false])
  func branches(first: Bool) throws {
    let results = try run(vector) { x in
      let predicate = first ? x.sum() .> 0 : x.sum() .< 0
      let chosen = cond(predicate, then: { [x * 2] }, otherwise: { [x * x.amax()] })[0]
      return [chosen, gradients(of: chosen.sum(), withRespectTo: [x])[0]]
    }
    #expect(results[0] == (first ? [2, -4, 6, 1] : [3, -6, 9, 1.5]))
    #expect(results[1] == (first ? [2, 2, 2, 2] : [3, 3, 3 + 2.5, 3]))
  }

  @Test("a layer inside of a scan is one set of weights, with the layer's path")
  func layerInScan() throws {
    struct Repeated: Module {
      let cell = Linear(3, 3)
      func callAsFunction(_ x: Tensor) -> Tensor {
        scan([x], over: [], length: 5) { state, _ in ([relu(cell(state[0]))], []) }.state[0]
      }
    }
    let graph = try trace(Repeated(), .f32(2, 3))
    #expect(graph.variables.map(\.name) == ["cell.weight", "cell.bias"])
    let scans = graph.nodes.filter { if case .scan = $0.operation { true } else { false } }
    #expect(scans.count == 1)
  }

  @Test("training steps lower the loss, and the counter counts")
  func training() throws {
    let step = try trainingStep(
      MLP([2, 8, 2]), loss: crossEntropy, optimizer: .adam(lr: 0.05), .f32(4, 2), .i64(4), seed: 3)
    let inputs = [
      "input": try NDArray([0, 0, 0, 1, 1, 0, 1, 1] as [Float], shape: [4, 2]),
      "target": NDArray([0, 1, 1, 0] as [Int64]),
    ]
    var variables: [String: NDArray] = [:]
    var losses: [Double] = []
    for _ in 0..<60 {
      let (outputs, updates) = try ReferenceEvaluator.run(step, inputs: inputs, variables: variables)
      losses.append(outputs["loss"]?.doubles[0] ?? .nan)
      variables = updates
    }
    #expect(losses[0] > 0.5)
    #expect(losses[59] < 0.1)
    #expect(variables["optimizer.step"]?.integers == [60])
  }

  @Test("batch normalization in training moves its averages, in evaluation it reads them")
  func batchNormUpdates() throws {
    let x = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
    let training = try trace(BatchNorm1d(2), .f32(3, 2), isTraining: true)
    let (_, updates) = try ReferenceEvaluator.run(training, inputs: ["input": x])
    // Means 3 and 4, variances 4 with Bessel's correction, momentum 0.1.
    let mean = updates["running_mean"]?.doubles ?? []
    #expect(zip(mean, [0.3, 0.4]).allSatisfy { abs($0 - $1) < 1e-6 })
    let variance = updates["running_var"]?.doubles ?? []
    #expect(variance.count == 2 && variance.allSatisfy { abs($0 - 1.3) < 1e-6 })
    #expect(updates["num_batches_tracked"]?.integers == [1])
    let evaluation = try trace(BatchNorm1d(2), .f32(3, 2))
    #expect(evaluation.updates.isEmpty)
    let (outputs, _) = try ReferenceEvaluator.run(evaluation, inputs: ["input": x])
    #expect(zip(outputs["output"]?.doubles ?? [], x.doubles).allSatisfy { abs($0 - $1) < 1e-4 })
  }
}
