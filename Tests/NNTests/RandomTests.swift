import Lathe
import TestSupport
import Testing

@Suite("Random tensors and dropout")
struct RandomTests {
  /// The outputs of a function without inputs, run once.
  private func draw(seed: UInt64 = 0, _ body: (Builder) -> [Tensor]) throws -> [[Double]] {
    let graph = try trace(inputs: [], options: TraceOptions(seed: seed)) { builder, _ in body(builder) }
    return try compile(graph).run([]).map(\.doubles)
  }

  private func moments(_ numbers: [Double]) -> (mean: Double, variance: Double) {
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    return (mean, numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count))
  }

  // With n numbers, a mean deviates from its expectation by more than 5 deviations / sqrt(n) hardly ever.
  @Test("rand is even in 0 ..< 1", arguments: [ScalarType.f64, .f32, .f16, .bf16]) func rand(dtype: ScalarType) throws {
    let numbers = try draw { [$0.rand([4096], dtype: dtype)] }[0]
    #expect(numbers.allSatisfy { (0..<1).contains($0) })
    let (mean, variance) = moments(numbers)
    #expect(abs(mean - 0.5) < 5 * 0.289 / 64 && abs(variance - 1 / 12.0) < 5 * 0.0745 / 64)
  }

  @Test("of no elements there are none, in every type", arguments: [ScalarType.f64, .f32, .f16, .bf16])
  func empty(dtype: ScalarType) throws {
    let graph = try trace(inputs: []) { builder, _ in
      [builder.rand([0], dtype: dtype), builder.randn([2, 0, 3], dtype: dtype)]
    }
    let results = try ReferenceEvaluator.run(graph, inputs: [:]).outputs
    #expect(graph.outputs.map { results[$0.name]?.type } == [TensorType(dtype, [0]), TensorType(dtype, [2, 0, 3])])
  }

  @Test("randn is normal") func randn() throws {
    let numbers = try draw { [$0.randn([4096])] }[0]
    let (mean, variance) = moments(numbers)
    #expect(abs(mean) < 5.0 / 64 && abs(variance - 1) < 5 * 2.0.squareRoot() / 64)
    let inner = Double(numbers.count { abs($0) < 1 }) / 4096
    #expect(abs(inner - 0.6827) < 5 * 0.466 / 64)
  }

  @Test("bernoulli is true as often as asked", arguments: [0, 0.25, 0.9, 1]) func bernoulli(p: Double) throws {
    let numbers = try draw { [$0.bernoulli([4096], p: p)] }[0]
    #expect(abs(moments(numbers).mean - p) <= 5 * (p * (1 - p)).squareRoot() / 64)
  }

  @Test("normal has the mean and deviation that it is given") func normal() throws {
    let numbers = try draw { builder in
      let means = builder.tensor([10.0, -10.0]).expand(2048, 2)
      return [
        builder.normal(mean: 3, std: 0.5, [4096]), LatheNN.normal(mean: means, std: 2),
        LatheNN.normal(mean: 1, std: means.abs()),
      ]
    }
    let (mean, variance) = moments(numbers[0])
    #expect(abs(mean - 3) < 5 * 0.5 / 64 && abs(variance - 0.25) < 5 * 0.25 * 2.0.squareRoot() / 64)
    let columns = stride(from: 0, to: 4096, by: 2).map { numbers[1][$0] }
    #expect(abs(moments(columns).mean - 10) < 5 * 2 / 2048.0.squareRoot())
    #expect(abs(moments(numbers[2]).mean - 1) < 5 * 10.0 / 64)
  }

  @Test("randint has every integer of its range, evenly") func randint() throws {
    let numbers = try draw { [$0.randint(-2, 3, [5000]), $0.randint(1, [4])] }
    for value in -2..<3 { #expect(abs(numbers[0].count { $0 == Double(value) } - 1000) < 5 * 29) }
    #expect(numbers[0].allSatisfy { (-2..<3).contains($0) } && numbers[1] == [0, 0, 0, 0])
  }

  @Test("exponential, geometric, Cauchy and log-normal numbers have their quantiles") func distributions() throws {
    let numbers = try draw { builder in
      let like = builder.zeros(.f64(4096))
      return [
        like.exponentialLike(rate: 2), like.geometricLike(p: 0.25), like.cauchyLike(median: 3, sigma: 2),
        like.logNormalLike(mean: 1, std: 0.5),
      ]
    }
    // A share of n numbers deviates by more than 5 sqrt(p (1 - p) / n) hardly ever.
    func share(_ row: Int, below limit: Double) -> Double { Double(numbers[row].count { $0 < limit }) / 4096 }
    #expect(abs(share(0, below: 0.5) - 0.6321) < 0.038 && numbers[0].allSatisfy { $0 >= 0 })
    #expect(abs(share(1, below: 1.5) - 0.25) < 0.034 && abs(share(1, below: 3.5) - 0.5781) < 0.039)
    #expect(numbers[1].allSatisfy { $0 >= 1 && $0 == $0.rounded() })
    #expect(abs(share(2, below: 3) - 0.5) < 0.039 && abs(share(2, below: 5) - 0.75) < 0.034)
    #expect(abs(share(3, below: 2.718) - 0.5) < 0.039 && abs(share(3, below: 4.4817) - 0.8413) < 0.029)
  }

  @Test("multinomial draws as weights say, each once or as often as it likes", arguments: [false, true])
  func multinomial(replacement: Bool) throws {
    let drawn = try draw { builder in
      [builder.tensor([0, 1, 3, 0.0]).expand(2048, 4).multinomial(2, replacement: replacement)]
    }[0]
    let first = stride(from: 0, to: 4096, by: 2).map { drawn[$0] }
    #expect(drawn.allSatisfy { $0 == 1 || $0 == 2 })
    #expect(abs(Double(first.count { $0 == 2 }) / 2048 - 0.75) < 5 * 0.433 / 2048.0.squareRoot())
    let equal = stride(from: 0, to: 4096, by: 2).count { drawn[$0] == drawn[$0 + 1] }
    if replacement {
      #expect(abs(Double(equal) / 2048 - 0.625) < 5 * 0.484 / 2048.0.squareRoot())
    } else {
      #expect(equal == 0)
    }
  }

  @Test("dropout of channels takes or leaves whole ones", arguments: [1, 2, 3]) func channels(spatial: Int) throws {
    let shape = [8, 16] + [3, 2, 2].prefix(spatial)
    let size = shape.dropFirst(2).reduce(1, *)
    let x = unfailing { try NDArray(repeating: .float(1), dtype: .f32, shape: shape) }
    let graph = try trace(x.type) { x in
      let y = spatial == 1 ? dropout1d(x, p: 0.5) : spatial == 2 ? dropout2d(x, p: 0.5) : dropout3d(x, p: 0.5)
      return [y, gradients(of: y.sum(), withRespectTo: [x])[0]]
    }
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x]).outputs
    let (y, gradient) = (results["output"]?.doubles ?? [], results["output1"]?.doubles ?? [])
    #expect(y == gradient)
    let channels = stride(from: 0, to: y.count, by: size).map { Set(y[$0..<$0 + size]) }
    #expect(channels.allSatisfy { $0 == [0] || $0 == [2] })
    #expect(abs(channels.count { $0 == [0] } - 64) < 5 * 6)
  }

  @Test("calls differ, and so do seeds; the same trace is the same") func streams() throws {
    let numbers = try draw { [$0.rand([8]), $0.rand([8])] }
    #expect(Set(numbers.joined()).count == 16)
    #expect(try draw { [$0.rand([8]), $0.rand([8])] } == numbers)
    #expect(try draw(seed: 1) { [$0.rand([8])] }[0] != numbers[0])
  }

  @Test("dropout acts in training only; what is left is scaled, and so is its gradient") func dropped() throws {
    #expect(try trace(Dropout(), .f32(3)).nodes.count == 1)
    #expect(try trace(Dropout(0), .f32(3), isTraining: true).nodes.count == 1)
    let x = NDArray((0..<4096).map { Double($0 + 1) })
    let graph = try trace(x.type) { x in
      let y = dropout(x, p: 0.2)
      return [y, gradients(of: y.sum(), withRespectTo: [x])[0]]
    }
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x]).outputs
    let (y, gradient) = (results["output"]?.doubles ?? [], results["output1"]?.doubles ?? [])
    #expect(zip(zip(y, gradient), x.doubles).allSatisfy { $0.0 == $0.1 * $1 && ($0.1 == 0 || $0.1 == 1.25) })
    #expect(abs(Double(gradient.count { $0 == 0 }) / 4096 - 0.2) < 5 * 0.4 / 64)
  }

  private struct Model: Module {
    let first = Linear(8, 16)
    let drop = Dropout(0.5)
    let second = Linear(16, 4)
    func callAsFunction(_ x: Tensor) -> Tensor { second(drop(relu(first(x)))) }
  }

  @Test("training steps with dropout differ, and every back-end takes the same ones") func training() throws {
    let x = try NDArray((0..<40).map { Float($0 % 7) / 7 }, shape: [5, 8])
    let target = try NDArray((0..<20).map { Float($0 % 3) }, shape: [5, 4])
    // The parameters stand still, so that losses differ by dropout only.
    let graph = try trainingStep(
      Model(), loss: { mseLoss($0, $1) }, optimizer: .sgd(lr: 0), x.type, target.type, seed: 3)
    let planned = try PlannedProgram(planning: Program(lowering: graph))
    var interpreter = Session(try Executable(planned))
    var native = try NativeModel(planned)
    var losses: [Double] = []
    for _ in 0..<3 {
      let loss = try interpreter.run([x, target])[0].doubles[0]
      #expect(abs(try native.run([x, target])[0].doubles[0] - loss) < 1e-5 * abs(loss))
      losses.append(loss)
    }
    #expect(Set(losses).count == 3)
    #expect(try interpreter.variable(named: "random.seed") == native.variable(named: "random.seed"))
    var again = Session(try Executable(planned))
    #expect(try again.run([x, target])[0].doubles[0] == losses[0])
  }

  @Test("recurrent layers, attention and transformers train with dropout") func layers() throws {
    let lstm = LSTM(3, 4, numLayers: 2, dropout: 0.5)
    let encoder = TransformerEncoderLayer(8, 2, dimFeedforward: 16)
    let graphs = [
      try trace(lstm, .f32(5, 2, 3), isTraining: true), try trace(encoder, .f32(5, 2, 8), isTraining: true),
    ]
    for graph in graphs { #expect(graph.updates.map(\.variable) == ["random.seed"]) }
  }
}
