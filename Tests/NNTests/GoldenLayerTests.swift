import Lathe
import TestSupport
import Testing

@Suite("Layers against PyTorch")
struct GoldenLayerTests {
  @Test("outputs and gradients agree with PyTorch in f64", arguments: LayerCase.all)
  func agrees(layer: LayerCase) throws {
    let results = try ReferenceEvaluator.run(layer.graph(.f64), inputs: layer.contents(.f64))
    let (expected, updates) = (layer.expected(), layer.expectedUpdates())
    #expect(expected["output/0"] != nil && Set(results.outputs.keys) == Set(expected.keys))
    #expect(Set(results.updates.keys) == Set(updates.keys))
    let wanted = expected.merging(updates) { $1 }
    let actual = results.outputs.merging(results.updates) { $1 }
    for (name, array) in wanted.sorted(by: { $0.key < $1.key }) {
      if let text = deviation(actual[name], array, rtol: 1e-6, atol: 1e-7) { Issue.record("\(name) \(text)") }
    }
  }

  @Test("a softmax in clusters") func adaptiveLogSoftmax() throws {
    let arrays = goldenArrays("adaptive_log_softmax.npz").mapValues { $0.dtype.isFloat ? $0.converted(to: .f64) : $0 }
    let layer = AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs: [4, 8], divValue: 2)
    let (x, target) = (try #require(arrays["input/input"]), try #require(arrays["input/target"]))
    let weights = arrays.filter { $0.key.hasPrefix("param/") }.map { (String($0.key.dropFirst(6)), $0.value) }
    let graph = try trace(
      layer, inputs: [x.type, target.type, .f64(6)],
      options: TraceOptions(
        inputNames: ["x", "target", "seed"], parameters: Dictionary(uniqueKeysWithValues: weights), floatType: .f64)
    ) { builder, inputs -> [String: Tensor] in
      let (output, loss) = layer(inputs[0], inputs[1])
      let cotangent = builder.tensor(arrays["cotangent/loss"] ?? NDArray([0.0]))
      let targets = builder.parameters + [(name: "input", tensor: inputs[0])]
      let slopes = gradients(
        of: [(tensor: output, cotangent: inputs[2]), (tensor: loss, cotangent: cotangent)],
        withRespectTo: targets.map(\.tensor))
      var named = ["output/output": output, "output/loss": loss, "classes": layer.predict(inputs[0])]
      named["sums"] = layer.logProb(inputs[0]).exp().sum(dim: -1)
      for (target, slope) in zip(targets, slopes) { named["grad/\(target.name)"] = slope }
      return named
    }
    let seed = try #require(arrays["cotangent/output"])
    let results = try ReferenceEvaluator.run(graph, inputs: ["x": x, "target": target, "seed": seed]).outputs
    for (name, array) in arrays where name.hasPrefix("output/") || name.hasPrefix("grad/") {
      if let text = deviation(results[name], array, rtol: 1e-6, atol: 1e-7) { Issue.record("\(name) \(text)") }
    }
    #expect(results["sums"]?.doubles.allSatisfy { abs($0 - 1) < 1e-12 } == true)
    #expect(results["classes"]?.shape == [6])
    #expect(throws: DiagnosticsError.self) {
      try trace(AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs: [8, 4]), .f32(2, 8), .i64(2))
    }
  }

  @Test("sequences of different lengths end where each of them ends") func lengths() throws {
    let layer = LSTM(3, 4, bidirectional: true, projSize: 2)
    let x = try randn(5, 2, 3, dtype: .f64, generator: Generator(seed: 1))
    let options = TraceOptions(inputNames: ["x", "lengths"], floatType: .f64)
    let padded = try trace(layer, inputs: [x.type, .i64(2)], options: options) { layer($1[0], lengths: $1[1]) }
    let results = try ReferenceEvaluator.run(
      padded, inputs: ["x": x, "lengths": NDArray([5, 3] as [Int64])]
    ).outputs
    // The second sequence by itself.
    let short = try trace(layer, inputs: [x.type], options: TraceOptions(floatType: .f64)) {
      layer($1[0].narrow(dim: 0, start: 0, length: 3).narrow(dim: 1, start: 1, length: 1))
    }
    let alone = try ReferenceEvaluator.run(short, inputs: ["input": x]).outputs
    for state in ["h", "c"] {
      let (all, own) = (results[state]?.doubles ?? [], alone[state]?.doubles ?? [])
      let width = own.count / 2
      // Rows are directions by sequences.
      let second: [Double] = Array(all[width..<2 * width]) + Array(all[3 * width..<4 * width])
      #expect(zip(second, own).allSatisfy { abs($0 - $1) < 1e-12 } && second.count == own.count)
    }
    let (all, own) = (results["output"]?.doubles ?? [], alone["output"]?.doubles ?? [])
    let rows = (0..<5).map { (step: Int) -> [Double] in
      let start = (step * 2 + 1) * 4
      return Array(all[start..<start + 4])
    }
    #expect(zip(Array(rows[..<3].joined()), own).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(rows[3...].joined().allSatisfy { $0 == 0 })
  }

  @Test("pooling with places, and back; a table that is given and frozen; weights of a loss outside of the model")
  func others() throws {
    let pool = MaxPool2d(kernelSize: 2)
    let graph = try trace(.f32(1, 1, 4, 4)) { x in
      let (output, indices) = pool.withIndices(x)
      return MaxUnpool2d(kernelSize: 2)(output, indices, outputSize: [4, 4])
    }
    let numbers = (0..<16).map { Float($0) }
    let x = try NDArray(numbers, shape: [1, 1, 4, 4])
    let back = try ReferenceEvaluator.run(graph, inputs: ["input": x]).outputs["output"]
    #expect(back?.doubles == [0, 0, 0, 0, 0, 5, 0, 7, 0, 0, 0, 0, 0, 13, 0, 15])
    let table = Embedding.fromPretrained(try NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]))
    #expect(table.parameters().map(\.requiresGrad) == [false] && "\(table)" == "Embedding(2, 2)")
    let loss = CrossEntropyLoss(weight: NDArray([1, 2] as [Float]))
    #expect(try loss.stateDict().keys.sorted() == ["weight"])
    #expect(try trace(.f32(3, 2), .i64(3)) { loss($0, $1) }.variables.isEmpty)
    for channels: any Module<Tensor, Tensor> in [Dropout1d(0.4), Dropout2d(0.4), Dropout3d(0.4)] {
      #expect("\(channels)".hasSuffix("(p=0.4, inplace=False)"))
    }
    #expect(try trace(Dropout2d(0.4), .f32(1, 2, 3, 3)).nodes.count == 1)
    #expect(try trace(Dropout2d(0.4), .f32(1, 2, 3, 3), isTraining: true).nodes.count > 1)
  }

  @Test("a transposed convolution gives the sizes that are wanted, or says which it can") func outputSize() throws {
    let layer = ConvTranspose2d(1, 1, kernelSize: 3, stride: 2, padding: 1)
    func sizes(_ wanted: [Int]) throws -> TensorType {
      let graph = try trace(layer, inputs: [.f32(1, 1, 4, 4)]) { layer($1[0], outputSize: wanted) }
      return graph.type(of: graph.outputs[0].value)
    }
    #expect(try sizes([7, 8]) == .f32(1, 1, 7, 8))
    #expect(try sizes([1, 1, 8, 7]) == .f32(1, 1, 8, 7))
    for wrong in [[6, 7], [7, 9], [7], [Int.max, 7]] {
      #expect(throws: DiagnosticsError.self, "\(wrong)") { try sizes(wrong) }
    }
    let line = ConvTranspose1d(1, 1, kernelSize: 2, stride: 3)
    #expect(try trace(line, inputs: [.f32(1, 1, 4)]) { line($1[0], outputSize: [13]) }.outputs.count == 1)
    let room = ConvTranspose3d(1, 1, kernelSize: 2, stride: 2)
    #expect(try trace(room, inputs: [.f32(1, 1, 2, 2, 2)]) { room($1[0], outputSize: [5, 4, 5]) }.outputs.count == 1)
  }

  // torch.nn.functional.mse_loss and l1_loss with weight; threshold of NaN.
  @Test("weights of errors, and a threshold leaves NaN alone") func weightedErrors() throws {
    let (x, y, w) = (NDArray([1.0, 2, 4]), NDArray([0.0, 4, 1]), NDArray([1.0, 2, 3]))
    let graph = try trace(inputs: [x.type, y.type, w.type]) { builder, inputs in
      let (x, y, w) = (inputs[0], inputs[1], inputs[2])
      return [
        mseLoss(x, y, weight: w), l1Loss(x, y, weight: w), mseLoss(x, y, reduction: .sum, weight: w),
        threshold(builder.tensor([Double.nan]), 0, 1).sum(),
        gradients(of: l1Loss(x, y, weight: w), withRespectTo: [x])[0].sum(),
      ]
    }
    let names = graph.outputs.map(\.name)
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x, "input1": y, "input2": w]).outputs
    let numbers = names.compactMap { results[$0]?.doubles.first }
    let expected: [Double] = [6, 14.0 / 6, 36, .nan, 2.0 / 6]
    #expect(numbers.count == expected.count)
    for (number, wanted) in zip(numbers, expected) {
      #expect(abs(number - wanted) < 1e-12 || (number.isNaN && wanted.isNaN))
    }
    #expect(throws: DiagnosticsError.self) {
      try trace(.f32(3), .f32(2)) { mseLoss($0, $0, weight: $1) }
    }
  }

  @Test(
    "fractional pooling as a layer is the function",
    arguments: [
      FractionalMaxPool2d(kernelSize: 2, outputRatio: [0.5, 0.7]),
      FractionalMaxPool2d(kernelSize: 2, outputSize: [3, 4]),
    ])
  func fractional(layer: FractionalMaxPool2d) throws {
    let x = try randn(1, 2, 6, 6, generator: Generator(seed: 2))
    let samples = try rand(1, 2, 2, generator: Generator(seed: 3))
    let graph = try trace(x.type, samples.type) { x, samples in
      let own = layer.withIndices(x, randomSamples: samples)
      let other = fractionalMaxPool2dWithIndices(
        x, kernelSize: 2, outputRatio: [0.5, 0.7], randomSamples: samples)
      return [own.output, other.output, own.indices, other.indices]
    }
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x, "input1": samples]).outputs
    #expect(results["output"]?.shape == [1, 2, 3, 4])
    #expect(results["output"] == results["output1"] && results["output2"] == results["output3"])
    #expect(try trace(layer, .f32(1, 2, 6, 6)).outputs.count == 1)
  }
}
