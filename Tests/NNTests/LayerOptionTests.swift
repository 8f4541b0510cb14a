import Lathe
import TestSupport
import Testing

/// Options of layers that change state, types or text, beside the numbers that `GoldenLayerTests` compares.
@Suite("Options of layers")
struct LayerOptionTests {
  private func agree(_ actual: NDArray?, _ expected: [Double]) -> Bool {
    guard let numbers = actual?.doubles, numbers.count == expected.count else { return false }
    return zip(numbers, expected).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test("an embedding with maxNorm shortens the rows it takes, in its table too, before the optimizer moves them")
  func maxNorm() throws {
    let table = try NDArray([3, 4, 0.3, 0.4, 0, 2] as [Float], shape: [3, 2])
    let layer = Embedding.fromPretrained(table, freeze: false, maxNorm: 1)
    let rows = NDArray([0, 1, 0] as [Int64])
    let graph = try trace(layer, rows.type)
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": rows])
    #expect(agree(results.outputs["output"], [0.6, 0.8, 0.3, 0.4, 0.6, 0.8]))
    #expect(agree(results.updates["weight"], [0.6, 0.8, 0.3, 0.4, 0, 2]))
    // As torch.optim.SGD(lr=0.1) after a loss of sums: row 0 is taken twice.
    let step = try trainingStep(
      layer, loss: { rows, target in (rows * target).sum() }, optimizer: .sgd(lr: 0.1), rows.type, .f32(3, 2))
    let ones = try NDArray([1, 1, 1, 1, 1, 1] as [Float], shape: [3, 2])
    let after = try ReferenceEvaluator.run(step, inputs: ["input": rows, "target": ones]).updates
    #expect(agree(after["weight"], [0.4, 0.6, 0.2, 0.3, 0, 2]))
    // What is gathered over two runs keeps the shortened rows until the optimizer's turn.
    let gathering = try trainingStep(
      layer, loss: { rows, target in (rows * target).sum() }, optimizer: .sgd(lr: 0.1), rows.type, .f32(3, 2),
      accumulation: 2)
    let first = try ReferenceEvaluator.run(gathering, inputs: ["input": rows, "target": ones]).updates
    #expect(agree(first["weight"], [0.6, 0.8, 0.3, 0.4, 0, 2]))
    let second = try ReferenceEvaluator.run(gathering, inputs: ["input": rows, "target": ones], variables: first)
    #expect(agree(second.updates["weight"], [0.4, 0.6, 0.2, 0.3, 0, 2]))
  }

  @Test("instance normalization keeps running averages where they are wanted, and goes by them in evaluation")
  func runningStatistics() throws {
    let arrays = goldenArrays("functions.npz")
    func array(_ name: String) throws -> NDArray { try #require(arrays["instance_norm_3/\(name)"]) }
    let layer = InstanceNorm1d(3, eps: 1e-3, momentum: 0.3, affine: true, trackRunningStats: true)
    try layer.loadStateDict([
      "weight": array("input/3"), "bias": array("input/4"), "running_mean": array("input/1"),
      "running_var": array("input/2"), "num_batches_tracked": NDArray(scalar: .integer(0), dtype: .i64),
    ])
    let x = try array("input/0")
    let training = try trace(layer, x.type, isTraining: true)
    let results = try ReferenceEvaluator.run(training, inputs: ["input": x])
    #expect(deviation(results.outputs["output"], try array("output/0"), rtol: 1e-5, atol: 1e-6) == nil)
    #expect(deviation(results.updates["running_mean"], try array("after/1"), rtol: 1e-5, atol: 1e-6) == nil)
    #expect(deviation(results.updates["running_var"], try array("after/2"), rtol: 1e-5, atol: 1e-6) == nil)
    let evaluation = try trace(layer, x.type)
    #expect(evaluation.updates.isEmpty)
    let (mean, variance) = (try array("input/1").doubles, try array("input/2").doubles)
    let (weight, bias) = (try array("input/3").doubles, try array("input/4").doubles)
    let wanted = x.doubles.enumerated().map { position, number in
      let channel = position / 4 % 3
      return (number - mean[channel]) / (variance[channel] + 1e-3).squareRoot() * weight[channel] + bias[channel]
    }
    let output = try ReferenceEvaluator.run(evaluation, inputs: ["input": x]).outputs["output"]
    #expect(zip(output?.doubles ?? [], wanted).allSatisfy { abs($0 - $1) < 1e-5 } && output?.shape == [2, 3, 4])
    // One sample, without a batch.
    #expect(try trace(InstanceNorm2d(3), .f32(3, 4, 4)).outputs.count == 1)
    #expect(throws: DiagnosticsError.self) { try trace(InstanceNorm2d(3), .f32(3, 4)) }
    #expect(throws: DiagnosticsError.self) {
      try trace(InstanceNorm1d(3, trackRunningStats: true), .f32(2, 3, 1), isTraining: true)
    }
  }

  @Test("layers have parameters of the type that is asked for")
  func dtypes() throws {
    let layers: [any Parameterized] = [
      Conv1d(2, 3, kernelSize: 2, dtype: .f64), ConvTranspose2d(2, 3, kernelSize: 2, dtype: .f64),
      BatchNorm2d(3, dtype: .f64), InstanceNorm1d(3, affine: true, trackRunningStats: true, dtype: .f64),
      LayerNorm([3], dtype: .f64), RMSNorm([3], dtype: .f64), GroupNorm(1, 3, dtype: .f64),
      Bilinear(2, 3, 4, dtype: .f64), PReLU(3, dtype: .f64), Embedding(3, 2, dtype: .f64), Linear(2, 3, dtype: .f64),
      LSTM(2, 3, dtype: .f64), GRU(2, 3, dtype: .f64), RNN(2, 3, dtype: .f64), LSTMCell(2, 3, dtype: .f64),
      GRUCell(2, 3, dtype: .f64), RNNCell(2, 3, dtype: .f64),
      AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs: [4, 8], dtype: .f64), MultiheadAttention(4, 2, dtype: .f64),
      EmbeddingBag(4, 2, dtype: .f64),
      TransformerEncoderLayer(4, 2, dimFeedforward: 8, dtype: .f64),
    ]
    for layer in layers {
      let types = Set((layer.parameters() + layer.buffers()).map(\.type.dtype).filter(\.isFloat))
      #expect(types == [.f64], "\(layer)")
    }
  }

  @Test("products of halves in floats are wider than halves")
  func outDtype() throws {
    let graph = try trace(.f16(1, 2), .f16(2, 1)) { a, b in
      [mm(a, b, outDtype: .f32), mm(a, b), addmm(mm(a, b, outDtype: .f32), a, b, outDtype: .f32)]
    }
    #expect(graph.outputs.map { graph.type(of: $0.value).dtype } == [.f32, .f16, .f32])
    let a = try NDArray([256, 1] as [Float], shape: [1, 2]).converted(to: .f16)
    let b = try NDArray([256, 1] as [Float], shape: [2, 1]).converted(to: .f16)
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": a, "input1": b]).outputs
    #expect(results["output"]?.doubles == [65537] && results["output1"]?.doubles == [.infinity])
    #expect(results["output2"]?.doubles == [131_074])
  }

  @Test("options are printed as PyTorch prints them, of every number of axes under its own name")
  func text() {
    let texts: [(any Parameterized, String)] = [
      (Upsample(scaleFactor: 2), "Upsample(scale_factor=2.0, mode='nearest')"),
      (Upsample(size: [3, 4]), "Upsample(size=(3, 4), mode='nearest')"),
      (Upsample(scaleFactor: [1.5, 2]), "Upsample(scale_factor=(1.5, 2.0), mode='nearest')"),
      (UpsamplingNearest2d(scaleFactor: 2), "UpsamplingNearest2d(scale_factor=2.0, mode='nearest')"),
      (
        Embedding(3, 4, paddingIdx: 1, maxNorm: 1, normType: 1, scaleGradByFreq: true),
        "Embedding(3, 4, padding_idx=1, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)"
      ),
      (
        InstanceNorm2d(3, momentum: 0.2, trackRunningStats: true),
        "InstanceNorm2d(3, eps=1e-05, momentum=0.2, affine=False, bias=False, track_running_stats=True)"
      ),
      (AvgPool1d(kernelSize: 2), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))"),
      (AvgPool3d(kernelSize: 2), "AvgPool3d(kernel_size=2, stride=2, padding=0)"),
      (LPPool1d(2, kernelSize: 3), "LPPool1d(norm_type=2.0, kernel_size=3, stride=None, ceil_mode=False)"),
      (MaxUnpool2d(kernelSize: 2), "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
      (AdaptiveMaxPool3d([1, 2, 3]), "AdaptiveMaxPool3d(output_size=(1, 2, 3))"),
      (ConstantPad2d(2, 3.5), "ConstantPad2d(padding=(2, 2, 2, 2), value=3.5)"),
      (ReflectionPad3d([1, 1, 0, 0, 1, 2]), "ReflectionPad3d((1, 1, 0, 0, 1, 2))"), (ZeroPad1d(1), "ZeroPad1d((1, 1))"),
      (Dropout3d(0.25), "Dropout3d(p=0.25, inplace=False)"),
      (LocalResponseNorm(3), "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)"),
      (GELU(approximate: .tanh), "GELU(approximate='tanh')"), (CrossEntropyLoss(), "CrossEntropyLoss()"),
      (
        Sequential(MaxPool1d(kernelSize: 2)).children()[0],
        "MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
      ),
    ]
    for (layer, text) in texts { #expect("\(layer)" == text) }
  }

  private struct Paths: Module {
    let act = ReLU()
    let pool = AvgPool2d(kernelSize: 9)
    func callAsFunction(_ x: Tensor) -> Tensor { pool(act(x)) }
  }

  @Test("a fault in a layer that applies a function names the layer's path")
  func paths() throws {
    let error = #expect(throws: DiagnosticsError.self) { try trace(Paths(), .f32(1, 1, 3, 3)) }
    #expect(error?.diagnostics.first?.location.modulePath == "pool")
    #expect(Paths().namedModules().map(\.name) == ["", "act", "pool"])
  }

  @Test("Adam with decoupled weight decay is AdamW")
  func decoupled() throws {
    func step(_ optimizer: Optimizer) throws -> Graph {
      try trainingStep(Linear(2, 1), loss: mseLoss, optimizer: optimizer, .f32(1, 2), .f32(1, 1))
    }
    let (one, other) = (Optimizer.adam(weightDecay: 0.1, decoupledWeightDecay: true), Optimizer.adamW(weightDecay: 0.1))
    #expect(try "\(step(one))" == "\(step(other))")
  }
}
