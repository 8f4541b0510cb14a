import Lathe
import TestSupport
import Testing

@Suite("Mixed precision")
struct MixedPrecisionTests {
  private struct Network: Module {
    let conv = Conv2d(1, 4, kernelSize: 3)
    let norm = LayerNorm([4, 4, 4])
    let fc = Linear(64, 5)

    // Smooth: at the kink of relu, small differences become large ones, in PyTorch too.
    func callAsFunction(_ x: Tensor) -> Tensor { fc(norm(gelu(conv(x))).flatten(startDim: 1)) }
  }

  @Test("products are narrow, losses are not, and PyTorch's lists say which", arguments: AutocastType.allCases)
  func types(type: AutocastType) throws {
    let narrow: ScalarType = type == .bf16 ? .bf16 : .f16
    var seen: [ScalarType] = []
    let network = Network()
    let graph = try trace(network, inputs: [.f32(2, 1, 6, 6)]) { _, inputs in
      autocast(type) {
        let y = network.conv(inputs[0])
        let z = relu(y)
        let w = matmul(inputs[0], inputs[0].transpose(-1, -2))
        let loss = mseLoss(z, z * 0)
        let sum = cat([w.flatten(), inputs[0].flatten()])
        seen = [y.dtype, z.dtype, w.dtype, loss.dtype, sum.dtype, softmax(z, dim: 1).dtype, (inputs[0] * 2).dtype]
        return autocast(type, enabled: false) { matmul(inputs[0], inputs[0].transpose(-1, -2)) }
      }
    }
    #expect(seen == [narrow, narrow, narrow, .f32, .f32, narrow, .f32])
    #expect(graph.type(of: graph.outputs[0].value).dtype == .f32)
  }

  @Test("a network trains in mixed precision nearly as in single", arguments: AutocastType.allCases)
  func training(type: AutocastType) throws {
    func losses(_ autocast: AutocastType?, _ scaler: GradScaler?) throws -> [Double] {
      let network = Network()
      let model = try trainable(
        network, loss: crossEntropy, optimizer: .sgd(lr: 0.02, momentum: 0.9), .f32(8, 1, 6, 6), .i64(8),
        options: TrainingOptions(autocast: autocast, scaler: scaler))
      var session = try compile(model).session()
      let generator = Generator(seed: 5)
      let (x, y) = (try rand([8, 1, 6, 6], generator: generator), try randint(5, [8], generator: generator))
      _ = try session.run("initialize", [NDArray([UInt64(1)]).reshaped([])])
      return try (0..<10).map { _ in try session.run("train_step", [x, y, NDArray([0.02]).reshaped([])])[0].item() }
    }
    let (single, mixed) = (try losses(nil, nil), try losses(type, GradScaler(initScale: 128)))
    #expect(single != mixed)
    // As many steps of the type's precision in either type.
    let tolerance = try 32 * finfo(type == .bf16 ? .bf16 : .f16).eps
    #expect(zip(single, mixed).allSatisfy { abs($0 - $1) < tolerance }, "\(zip(single, mixed).map { $0 - $1 })")
    #expect(mixed[9] < 0.9 * mixed[0])
  }

  @Test("recurrent layers keep the types of their states")
  func recurrent() throws {
    let lstm = LSTM(3, 4)
    let graph = try trace(lstm, inputs: [.f32(5, 2, 3)]) { _, inputs in
      let y = autocast { lstm(inputs[0]) }
      return [y.output.convert(to: .f32), lstm(inputs[0]).output]
    }
    let results = try compile(graph).run([rand([5, 2, 3], generator: Generator(seed: 1))])
    #expect(results[0] != results[1])
    try assertClose(results[0], results[1], rtol: 0.02, atol: 0.01)
  }

  @Test("graphs of files keep their types at the ends")
  func graphs() throws {
    let graph = try trace(Network(), .f32(2, 1, 6, 6))
    let mixed = try graph.autocast(.bf16)
    #expect(mixed.outputs.map { mixed.type(of: $0.value) } == graph.outputs.map { graph.type(of: $0.value) })
    for node in mixed.nodes {
      switch node.operation {
      case .dot, .convolution: #expect(node.types[0].dtype == .bf16 || node.types[0].dtype == .f32)
      default: break
      }
    }
    #expect(mixed.nodes.contains { if case .convolution = $0.operation { $0.types[0].dtype == .bf16 } else { false } })
    let x = try rand([2, 1, 6, 6], generator: Generator(seed: 2))
    let (a, b) = (try compile(graph)(x), try compile(mixed)(x))
    #expect(a != b)
    try assertClose(b, a, rtol: 0.03, atol: 0.03)
    #expect(throws: DiagnosticsError.self) { try graph.autocast(.i8) }
  }

  @Test("a step with gradients that are not finite is left out, and the scale moves as PyTorch's")
  func scaler() throws {
    struct Factor: Module {
      let weight = Parameter([1], initializer: .ones)
      func callAsFunction(_ x: Tensor) -> Tensor { weight(for: x) * x }
    }
    for clipping in [nil, GradientClipping.value(1)] {
      let model = try trainable(
        Factor(), loss: { ($0 * $1).sum() }, optimizer: .sgd(lr: 1), .f32(1), .f32(1),
        options: TrainingOptions(
          clipping: clipping, runtime: [], scaler: GradScaler(initScale: 1024, growthInterval: 2)))
      var session = try compile(model).session()
      _ = try session.run("initialize", [NDArray([UInt64(1)]).reshaped([])])
      // The gradient is the input's product with the target.
      let steps: [(x: Float, weight: Double, scale: Double, count: Int)] = [
        (0.5, 0.5, 1024, 1), (.infinity, 0.5, 512, 0), (0.25, 0.25, 512, 1), (.nan, 0.25, 256, 0), (0.25, 0, 256, 1),
        (0.5, -0.5, 512, 0), (3e38, -0.5, 256, 0),
      ]
      for step in steps {
        _ = try session.run("train_step", [NDArray([step.x]), NDArray([Float(1)])])
        #expect(try session.variable(named: "weight").doubles == [step.weight])
        #expect(try session.variable(named: "grad_scaler.scale").item() == step.scale)
        #expect(try session.variable(named: "grad_scaler.growth_tracker").integers == [step.count])
      }
    }
    #expect(throws: DiagnosticsError.self) {
      try trainable(
        Factor(), loss: { ($0 * $1).sum() }, optimizer: .lbfgs(), .f32(1), .f32(1),
        options: TrainingOptions(scaler: GradScaler()))
    }
  }
}
