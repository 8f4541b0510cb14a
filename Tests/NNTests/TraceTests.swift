import LatheCore
import LatheNN
import TestSupport
import Testing

@Suite("Tracing")
struct TraceTests {
  @Test("parameters have PyTorch's paths, in the order of the model")
  func parameterNames() throws {
    let graph = try trace(LeNet(), .f32(1, 1, 32, 32))
    #expect(
      graph.variables.map(\.name) == [
        "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias",
        "fc3.weight", "fc3.bias",
      ])
    #expect(graph.inputs.map { graph.type(of: $0) } == [.f32(1, 1, 32, 32)])
    #expect(graph.outputs.map(\.name) == ["output"])
    #expect(graph.type(of: graph.outputs[0].value) == .f32(1, 10))
  }

  @Test("containers, arrays, optionals and recurrent layers name their parameters as PyTorch does")
  func nestedNames() throws {
    let resnet = try trace(ResNet18(width: 2, classes: 3), .f32(2, 3, 32, 32), isTraining: true)
    let names = Set(resnet.variables.map(\.name))
    for name in [
      "layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var", "layer4.1.bn2.num_batches_tracked",
      "bn1.running_mean", "fc.bias",
    ] { #expect(names.contains(name), "\(name)") }
    #expect(!names.contains("layer1.0.downsample.0.weight"))
    #expect(Set(resnet.updates.map(\.variable)).contains("layer1.0.bn1.running_mean"))
    #expect(resnet.variables.first { $0.name == "bn1.running_mean" }?.role == .buffer)

    let encoder = try trace(
      TransformerEncoder(numLayers: 2) { encoderLayer(8, heads: 2, feedForward: 16) }, .f32(2, 3, 8))
    #expect(encoder.variables.map(\.name).contains("layers.1.self_attn.in_proj_weight"))
    #expect(encoder.variables.map(\.name).contains("layers.0.self_attn.out_proj.bias"))

    let lstm = try trace(LSTM(3, 4, numLayers: 2, bidirectional: true), .f32(5, 2, 3))
    #expect(
      lstm.variables.map(\.name).prefix(5) == [
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse",
      ])
    #expect(lstm.outputs.map(\.name) == ["output", "h", "c"])
  }

  @Test("one scan for each layer and direction, whatever the length", arguments: [1, 5, 50])
  func scanCount(length: Int) throws {
    let graph = try trace(
      LSTM(3, 4, numLayers: 2, bidirectional: true), .f32(Dim(length), 2, 3))
    let scans = graph.nodes.filter { if case .scan = $0.operation { true } else { false } }
    #expect(scans.count == 4)
  }

  @Test("nodes carry the path of the layer that built them")
  func modulePaths() throws {
    let graph = try trace(ResNet18(width: 2, classes: 3), .f32(1, 3, 32, 32))
    var paths: [String: Set<String>] = [:]
    for (node, location) in zip(graph.nodes, graph.locations) {
      paths[node.operation.name, default: []].insert(location.modulePath ?? "")
    }
    #expect(paths["convolution"]?.contains("layer2.0.downsample.0") == true)
    #expect(paths["convolution"]?.contains("layer4.1.conv2") == true)
    #expect(paths["add"]?.contains("layer3.1") == true)
    #expect(paths["dot"] == ["fc"])
  }

  @Test("the results' labels name the outputs, unlabelled ones are numbered")
  func outputNames() throws {
    func names<R>(_ body: (Tensor) -> R) throws -> [String] { try trace(.f32(2), body).outputs.map(\.name) }
    #expect(try names { $0 } == ["output"])
    #expect(try names { ($0, $0 * 2) } == ["output", "output1"])
    #expect(try names { (first: $0, second: $0 * 2) } == ["first", "second"])
    #expect(try names { ["b": $0, "a": $0 * 2] } == ["a", "b"])
    #expect(try names { [$0, $0 * 2, $0 * 3] } == ["output", "output1", "output2"])
    let graph = try trace(
      .f32(2), .i64(3), options: TraceOptions(inputNames: ["x", "places"])
    ) { x, places in x.indexSelect(dim: 0, places) }
    #expect(graph.inputs.map { graph.inputName($0) }.count == 2)
    #expect(throws: DiagnosticsError.self) { try trace(.f32(2)) { _ in 3 } }
  }

  @Test("drawn parameters depend on seed and name only")
  func seeds() throws {
    func weights(_ seed: UInt64) throws -> [NDArray] {
      try trace(MLP([3, 4, 2]), .f32(1, 3), seed: seed).variables.map(\.initial)
    }
    #expect(try weights(1) == weights(1))
    #expect(try weights(1) != weights(2))
    // Known numbers: another platform or version must draw the same.
    let first = try weights(0)[0].doubles
    #expect(first.allSatisfy { abs($0) <= 1 / 3.0.squareRoot() })
    #expect(Set(first).count == 12)
    let known = [-0.3088420629501343, 0.18630099296569824, -0.5149618983268738]
    #expect(zip(first, known).allSatisfy { abs($0 - $1) < 1e-7 })
  }

  @Test("given contents are checked against the model")
  func givenParameters() throws {
    let weight = try NDArray([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let bias = NDArray([0.5, -0.5] as [Float])
    let graph = try trace(Linear(3, 2), .f32(1, 3), parameters: ["weight": weight, "bias": bias])
    #expect(graph.variable(named: "weight")?.initial == weight)
    let error = #expect(throws: DiagnosticsError.self) {
      try trace(Linear(3, 2), .f32(1, 3), parameters: ["weight": bias, "biases": bias])
    }
    let messages = error?.diagnostics.map(\.message) ?? []
    #expect(
      messages == [
        "parameter 'weight' is f32[2,3], its value is f32[2]", "parameter 'bias' has no value",
        "the model has no parameter 'biases'",
      ])
  }
}
