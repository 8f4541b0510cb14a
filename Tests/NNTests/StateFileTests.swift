import Lathe
import TestSupport
import Testing

/// A weight for each channel, from the means of all.
private struct SqueezeExcitation: Module {
  let fc1: Conv2d
  let fc2: Conv2d

  init(_ channels: Int, _ squeezed: Int) {
    fc1 = Conv2d(channels, squeezed, kernelSize: 1)
    fc2 = Conv2d(squeezed, channels, kernelSize: 1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x * hardsigmoid(fc2(relu(fc1(adaptiveAvgPool2d(x, 1))))) }
}

/// A depthwise convolution between two of single pixels.
private struct InvertedResidual: Module {
  let block: Sequential
  let isResidual: Bool

  init(
    _ channels: Int, _ kernel: Int, _ expanded: Int, _ out: Int, squeezed: Int?,
    _ activation: any Module<Tensor, Tensor>, stride: Int
  ) {
    var parts: [any Module<Tensor, Tensor>] = []
    if expanded != channels { parts.append(convolution(channels, expanded, 1, activation)) }
    parts.append(convolution(expanded, expanded, kernel, activation, stride: stride, groups: expanded))
    if let squeezed { parts.append(SqueezeExcitation(expanded, squeezed)) }
    parts.append(convolution(expanded, out, 1, nil))
    block = Sequential(parts)
    isResidual = stride == 1 && channels == out
  }

  func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? x + block(x) : block(x) }
}

private func convolution(
  _ channels: Int, _ out: Int, _ kernel: Int, _ activation: (any Module<Tensor, Tensor>)?, stride: Int = 1,
  groups: Int = 1
) -> Sequential {
  let parts: [any Module<Tensor, Tensor>] = [
    Conv2d(
      channels, out, kernelSize: kernel, stride: stride, padding: [(kernel - 1) / 2], groups: groups, bias: false),
    BatchNorm2d(out, eps: 0.001, momentum: 0.01),
  ]
  return Sequential(parts + [activation].compactMap { $0 })
}

/// torchvision's MobileNetV3, cut small.
private struct MobileNetV3: Module {
  let features = Sequential(
    convolution(3, 8, 3, Hardswish(), stride: 2),
    InvertedResidual(8, 3, 8, 8, squeezed: 8, ReLU(), stride: 2),
    InvertedResidual(8, 5, 24, 16, squeezed: nil, Hardswish(), stride: 2),
    InvertedResidual(16, 5, 32, 16, squeezed: 8, Hardswish(), stride: 1),
    convolution(16, 96, 1, Hardswish()))
  let classifier = Sequential(Linear(96, 32), Hardswish(), Dropout(0.2), Linear(32, 10))

  func callAsFunction(_ x: Tensor) -> Tensor { classifier(adaptiveAvgPool2d(features(x), 1).flatten(startDim: 1)) }
}

@Suite("States from files")
struct StateFileTests {
  @Test("a module with a state that torch.save or safetensors wrote gives PyTorch's output")
  func loadedStates() throws {
    let file = goldenFolder + "mobilenet.pth"
    let checkpoint = try load(file)
    #expect(checkpoint["epoch"] == NDArray(scalar: .integer(3), dtype: .i64))
    let input = try #require(checkpoint["input"])
    let output = try #require(checkpoint["output"])
    for state in [try load(file, prefix: "model."), try load(goldenFolder + "mobilenet.safetensors")] {
      let model = MobileNetV3()
      try model.loadStateDict(state)
      let result = try compile(trace(model, .f32(2, 3, 32, 32)))(input)
      if let text = deviation(result, output, rtol: 1e-5, atol: 1e-6) { Issue.record("the output \(text)") }
      #expect(try model.stateDict() == state)
    }
  }

  @Test("what the file has beside the model is a mistake unless it is not to be strict")
  func strictness() throws {
    let checkpoint = try load(goldenFolder + "mobilenet.pth")
    let error = #expect(throws: DiagnosticsError.self) { try MobileNetV3().loadStateDict(checkpoint) }
    #expect(error?.diagnostics.first?.message == "the state has no 'features.0.0.weight'")
    let names = try MobileNetV3().loadStateDict(["input": NDArray([Float(1)])], strict: false)
    #expect(names.unexpectedKeys == ["input"])
  }
}
