import Lathe
import TestSupport
import Testing

/// Numbers are those of PyTorch 2.13.
@Suite("Quantization")
struct QuantizationTests {
  private let numbers = NDArray([-3, -0.26, -0.04, 0, 0.049, 0.05, 0.151, 0.77, 12.6, 14] as [Float])

  @Test("fake quantization, its ends and its gradient")
  func fake() throws {
    let graph = try trace(.f32(10)) { x in
      let y = fakeQuantizePerTensorAffine(x, scale: 0.1, zeroPoint: 2, quantMin: 0, quantMax: 127)
      let channels = x.reshape([2, 5])
      let z = fakeQuantizePerChannelAffine(
        channels, scale: x.builder.tensor([0.1, 0.5] as [Double], dtype: .f32),
        zeroPoint: x.builder.tensor([0, 1] as [Int], dtype: .i32), axis: 0, quantMin: -8, quantMax: 7)
      return [y, grad((y * 3).sum(), x), z.flatten(), grad(z.sum(), x)]
    }
    let results = try compile(graph).run([numbers]).map(\.doubles)
    func near(_ a: [Double], _ b: [Double]) {
      #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }, "\(a)")
    }
    near(results[0], [-0.2, -0.2, 0, 0, 0, 0, 0.2, 0.8, 12.5, 12.5])
    near(results[1], [0, 0, 3, 3, 3, 3, 3, 3, 0, 0])
    near(results[2], [-0.8, -0.3, 0, 0, 0, 0, 0, 1, 3, 3])
    near(results[3], [0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
  }

  @Test("integers and back")
  func integers() throws {
    let graph = try trace(.f32(10)) { x in
      let y = quantizePerTensor(x, scale: 0.1, zeroPoint: 2, dtype: .u8)
      return [y, dequantize(y, scale: 0.1, zeroPoint: 2).convert(to: .f32)]
    }
    let results = try compile(graph).run([numbers])
    #expect(results[0].dtype == .u8 && results[0].integers == [0, 0, 2, 2, 2, 2, 4, 10, 128, 142])
    #expect(zip(results[1].doubles, [-0.2, -0.2, 0, 0, 0, 0, 0.2, 0.8, 12.6, 14]).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(throws: DiagnosticsError.self) {
      try trace(.f32(3)) { quantizePerTensor($0, scale: 0.1, zeroPoint: 0, dtype: .f16) }
    }
    #expect(throws: DiagnosticsError.self) {
      try trace(.f32(3)) { fakeQuantizePerTensorAffine($0, scale: 0.1, zeroPoint: 0, quantMin: 1, quantMax: 0) }
    }
  }

  @Test("a range becomes a scale and a zero point")
  func observers() {
    func expect(_ observer: Observer, _ low: Double, _ high: Double, _ scale: Double, _ zero: Int) {
      let (actual, zeroPoint) = observer.parameters(min: low, max: high)
      #expect(abs(actual - scale) <= 1e-6 * scale && zeroPoint == zero)
    }
    expect(Observer(), -1, 3, 0.015686275437474251, 64)
    expect(Observer(), 0.5, 3, 0.0117647061124444, 0)
    expect(.weights, -1, 3, 0.0235294122248888, 0)
    expect(Observer(isSymmetric: true), -1, 3, 0.0235294122248888, 128)
    expect(Observer(), 0, 0, 1.1920928955078125e-07, 0)
  }

  private struct Network: Module {
    let conv = Conv2d(1, 4, kernelSize: 3)
    let fc = Linear(64, 5)

    func callAsFunction(_ x: Tensor) -> Tensor { fc(relu(conv(x)).flatten(startDim: 1)) }
  }

  @Test("observers see what products are given; converted, a graph rounds to eight bits")
  func graphs() throws {
    let graph = try trace(Network(), .f32(2, 1, 6, 6))
    let batches = try (0..<4).map { seed in try rand([2, 1, 6, 6], generator: Generator(seed: UInt64(seed))) }
    #expect(throws: DiagnosticsError.self) { try graph.convertQuantization([:]) }
    let prepared = try compile(graph.prepareQuantization())
    var session = try prepared.session()
    for batch in batches { #expect(try session.run([batch]).count == 1) }
    let state = session.savedState()
    let ranges = state.filter { $0.key.hasPrefix("observer.") }
    #expect(ranges.count == 4)
    let largest = batches.flatMap(\.doubles).max()
    #expect(try ranges.filter { $0.key.hasSuffix("max_val") }.contains { try $0.value.item() == largest })
    let converted = try graph.convertQuantization(state)
    let (exact, rounded) = (try compile(graph), try compile(converted))
    var error = 0.0
    for batch in batches {
      let (a, b) = (try exact(batch).doubles, try rounded(batch).doubles)
      error = max(error, zip(a, b).map { abs($0 - $1) }.max() ?? 1)
      #expect(a != b)
    }
    #expect(error < 0.02)
    #expect(
      converted.nodes.contains { $0.types[0].dtype == .u8 } && converted.nodes.contains { $0.types[0].dtype == .i8 })
  }
}
