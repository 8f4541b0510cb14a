import Lathe
import LatheCore
import LatheVision
import TestSupport
import Testing

/// Small models of every family, as the golden script makes them.
private let small: [String: @Sendable () -> any Module<Tensor, Tensor>] = [
  "alexnet": {
    var model = alexnet(numClasses: 10)
    model.classifier = Sequential(Linear(256 * 36, 10))
    return model
  },
  "vgg11": {
    var model = vgg11(numClasses: 10)
    model.classifier = Sequential(Linear(512 * 49, 10))
    return model
  },
  "vgg13_bn": {
    var model = vgg13BN(numClasses: 10)
    model.classifier = Sequential(Linear(512 * 49, 10))
    return model
  },
  "resnet_basic": { ResNet(.basic, (1, 2, 1, 1), numClasses: 10) },
  "resnet_bottleneck": { ResNet(.bottleneck, (1, 2, 1, 1), numClasses: 10, groups: 4, widthPerGroup: 8) },
  "resnet_dilated": {
    ResNet(
      .bottleneck, (1, 2, 1, 1), numClasses: 10, widthPerGroup: 16, replaceStrideWithDilation: (false, true, true))
  },
  "squeezenet1_0": { squeezenet1_0(numClasses: 10) },
  "squeezenet1_1": { squeezenet1_1(numClasses: 10) },
  "densenet": { DenseNet(growthRate: 8, blockConfig: [2, 3], numInitFeatures: 16, numClasses: 10) },
  "inception_v3": { inceptionV3(numClasses: 10, transformInput: true) },
  "googlenet": { googlenet(numClasses: 10, auxLogits: false) },
  "mobilenet_v2": { mobilenetV2(numClasses: 10, widthMult: 0.25) },
  "mobilenet_v3_small": { mobilenetV3Small(numClasses: 10, widthMult: 0.25, reducedTail: true) },
  "mobilenet_v3_large": { mobilenetV3Large(numClasses: 10, widthMult: 0.25, dilated: true) },
  "shufflenet": { smallShuffleNet() },
  "efficientnet": { smallEfficientNet() },
  "efficientnet_b0": { efficientnetB0(numClasses: 10) },
  "vit": { smallTransformer() },
  "vit_represented": { smallTransformer(representationSize: 24) },
]

private func smallShuffleNet() -> ShuffleNetV2 {
  ShuffleNetV2(repeats: (1, 2, 1), channels: (8, 16, 32, 64, 64), numClasses: 10)
}

private func smallEfficientNet(stochasticDepthProb: Double = 0.2) -> EfficientNet {
  EfficientNet(
    [
      EfficientNet.Stage(expandRatio: 1, kernel: 3, stride: 1, channels: 8, out: 8, count: 1, isFused: true),
      EfficientNet.Stage(expandRatio: 4, kernel: 3, stride: 2, channels: 8, out: 16, count: 2, isFused: true),
      EfficientNet.Stage(expandRatio: 6, kernel: 5, stride: 2, channels: 16, out: 24, count: 2),
    ], dropout: 0, stochasticDepthProb: stochasticDepthProb, lastChannel: 64, numClasses: 10)
}

private func smallTransformer(representationSize: Int? = nil) -> VisionTransformer {
  VisionTransformer(
    imageSize: 32, patchSize: 8, numLayers: 2, numHeads: 4, hiddenDim: 32, mlpDim: 48, numClasses: 10,
    representationSize: representationSize)
}

/// A model of any kind traced for two images.
private func traced(
  _ model: any Module<Tensor, Tensor>, size: Int, channels: Int = 3, isTraining: Bool = false
) throws -> Graph {
  try trace(
    model, inputs: [TensorType(.f32, [2, channels, size, size])], options: TraceOptions(isTraining: isTraining)
  ) { model($1[0]) }
}

@Suite("torchvision's models")
struct ModelTests {
  @Test("all models have torchvision's names, numbers of parameters, and states' names and shapes")
  func described() throws {
    let goldens = try #require(VisionGoldens.shared).models
    #expect(listModels() == goldens.keys.sorted())
    for name in listModels() {
      let (model, golden) = (try getModel(name), try #require(goldens[name]))
      let numbers = model.parameters().reduce(0) { $0 + ($1.type.elementCount ?? 0) }
      #expect(numbers == golden.numbers, "\(name)")
      let buffers = model.namedBuffers().map { (name: $0.name, parameter: $0.buffer) }
      let state = model.namedParameters() + buffers
      let lines = state.map { "\($0) \($1.type.shape.known ?? [])" }.sorted()
      #expect(fnv(lines.joined(separator: "\n")) == golden.checksum, "\(name)")
    }
    let error = #expect(throws: DiagnosticsError.self) { try getModel("resnet19") }
    #expect(error?.diagnostics.first?.message == "there is no model 'resnet19'")
  }

  @Test("outputs are torchvision's with the same weights", arguments: small.keys.sorted())
  func outputs(name: String) throws {
    let golden = try #require(VisionGoldens.shared?.outputs[name])
    let make = try #require(small[name])
    let model = make()
    try model.fill()
    let image = try filled("image", [2, 3, golden.size, golden.size])
    let result = try compile(traced(model, size: golden.size))(image)
    let expected = try NDArray(golden.scores, shape: [2, 10])
    let largest = golden.scores.reduce(0) { max($0, Double(abs($1))) }
    if let text = deviation(result, expected, rtol: 0, atol: 1e-5 * largest) { Issue.record("\(text)") }
  }

  @Test(
    "models made after manualSeed have torchvision's first weights",
    arguments: [
      "squeezenet1_1", "densenet", "vit", "vit_represented", "mobilenet_v2", "mobilenet_v3_small", "shufflenet",
      "efficientnet",
    ])
  func firstWeights(name: String) throws {
    let golden = try #require(VisionGoldens.shared?.firstWeights[name])
    let make = try #require(small[name])
    let model = Generator.$scoped.withValue(Generator()) {
      manualSeed(3)
      return make()
    }
    #expect(model.namedParameters().map(\.name).sorted() == golden.keys.sorted())
    for (name, parameter) in model.namedParameters() {
      let (numbers, expected) = (try #require(parameter.data).doubles, try #require(golden[name]))
      let actual = Array(numbers.prefix(2)) + [numbers.reduce(0) { $0 + abs($1) }]
      for (x, y) in zip(actual.suffix(expected.count), expected) where abs(x - y) > 1e-6 * abs(y) {
        Issue.record("\(name) \(actual), expected \(expected)")
      }
    }
  }

  @Test("the other families draw their weights by torchvision's rules")
  func rules() throws {
    func rule(_ model: some Parameterized, _ name: String) throws -> Initializer {
      try model.getParameter(name).initializer
    }
    let relu = Initializer.kaimingNormal(mode: .fanOut, nonlinearity: .relu)
    #expect(try rule(vgg11BN(), "features.0.weight") == relu)
    #expect(try rule(vgg11BN(), "features.0.bias") == .zeros)
    #expect(try rule(vgg11BN(), "classifier.3.weight") == .normal(std: 0.01))
    #expect(try rule(resnet50(), "layer2.0.downsample.0.weight") == relu)
    let zero = ResNet(.bottleneck, (1, 1, 1, 1), zeroInitResidual: true)
    #expect(try rule(zero, "layer3.0.bn3.weight") == .zeros && rule(zero, "layer3.0.bn2.weight") == .ones)
    #expect(
      try rule(ResNet(.basic, (1, 1, 1, 1), zeroInitResidual: true), "layer1.0.bn2.weight") == .zeros)
    #expect(try rule(googlenet(), "inception4a.branch2.1.conv.weight") == .truncNormal(std: 0.01))
    #expect(try rule(inceptionV3(), "Mixed_6b.branch7x7_2.conv.weight") == .truncNormal(std: 0.1))
    #expect(try rule(inceptionV3(), "AuxLogits.fc.weight") == .truncNormal(std: 0.001))
    #expect(try rule(alexnet(), "features.0.bias") == .uniform(-1 / 363.0.squareRoot(), 1 / 363.0.squareRoot()))
  }

  @Test(
    "three training steps are PyTorch's in f64: losses, parameters and statistics",
    arguments: [
      "shufflenet", "efficientnet",
    ])
  func training(name: String) throws {
    let golden = try #require(VisionGoldens.shared?.training[name])
    func model(_ module: some Module<Tensor, Tensor>) throws -> LatheCore.Model {
      try module.fill()
      return try trainable(
        module, loss: { crossEntropy($0, $1) }, optimizer: .sgd(lr: 0.05, momentum: 0.9),
        TensorType(.f64, [4, 3, 32, 32]), .i64(4), options: TrainingOptions(floatType: .f64))
    }
    let compiled = try compile(
      name == "shufflenet" ? model(smallShuffleNet()) : model(smallEfficientNet(stochasticDepthProb: 0)))
    var session = try compiled.session()
    let image = try filled("image", [4, 3, 32, 32]).converted(to: .f64)
    let target = NDArray([1, 7, 3, 0] as [Int64])
    let rate = NDArray(scalar: .float(0.05), dtype: .f64)
    for expected in golden.losses {
      let loss = try session.run("train_step", [image, target, rate])[0].doubles[0]
      #expect(abs(loss - expected) <= 1e-8 * expected, "\(loss), expected \(expected)")
    }
    let state = session.savedState()
    for (name, expected) in golden.state {
      let sum = try #require(state[name]).doubles.reduce(0) { $0 + abs($1) }
      #expect(abs(sum - expected) <= 1e-7 * max(expected, 1), "\(name): \(sum), expected \(expected)")
    }
  }

  @Test("the other classifiers of Inception networks are there when they are asked for")
  func auxiliary() throws {
    let (inception, plain) = (inceptionV3(numClasses: 7), inceptionV3(numClasses: 7, auxLogits: false))
    let google = googlenet(numClasses: 7)
    for model in [inception, plain, google] as [any Parameterized] { model.fillWithZeros() }
    let image = TensorType(.f32, [1, 3, 299, 299])
    let outputs = try trace(inception, inputs: [image]) { inception.withAuxLogits($1[0]) }.outputs
    #expect(outputs.map(\.name) == ["logits", "auxLogits"])
    #expect(try trace(plain, inputs: [image]) { plain.withAuxLogits($1[0]) }.outputs.map(\.name) == ["logits"])
    let graph = try trace(google, inputs: [TensorType(.f32, [1, 3, 224, 224])]) { google.withAuxLogits($1[0]) }
    #expect(graph.outputs.map(\.name) == ["logits", "auxLogits2", "auxLogits1"])
    for output in graph.outputs { #expect(graph.type(of: output.value) == TensorType(.f32, [1, 7])) }
  }

  @Test("a layer is replaced by assignment: resnet50 for grey images")
  func replaced() throws {
    var model = resnet50()
    model.conv1 = Conv2d(1, 64, kernelSize: 7, stride: 2, padding: 3, bias: false)
    model.fillWithZeros()
    let graph = try traced(model, size: 28, channels: 1)
    #expect(graph.type(of: graph.outputs[0].value) == TensorType(.f32, [2, 1000]))
  }

  @Test("what models leave out at random, they leave out in training only")
  func random() throws {
    for name in ["efficientnet", "mobilenet_v2", "alexnet"] {
      let make = try #require(small[name])
      let model = make()
      model.fillWithZeros()
      #expect(try !traced(model, size: 64).hasRandomNumbers, "\(name)")
    }
    #expect(try traced(smallEfficientNet(), size: 64, isTraining: true).hasRandomNumbers)
    #expect(try !traced(smallEfficientNet(stochasticDepthProb: 0), size: 64, isTraining: true).hasRandomNumbers)
    #expect(try traced(mobilenetV2(widthMult: 0.25), size: 64, isTraining: true).hasRandomNumbers)
  }

  @Test(
    "stochastic depth leaves out whole samples, or all of them, and keeps the mean",
    arguments: [
      StochasticDepthMode.row, .batch,
    ])
  func stochasticDepth(mode: StochasticDepthMode) throws {
    let graph = try trace(
      StochasticDepth(0.25, mode: mode), .f32(400, 2, 3), isTraining: true)
    let ones = try NDArray(repeating: .float(1), dtype: .f32, shape: [400, 2, 3])
    var session = try compile(graph).session()
    let rows = try (0..<4).flatMap { _ in
      let numbers = try session.run([ones])[0].doubles
      return (0..<400).map { Array(numbers[$0 * 6..<$0 * 6 + 6]) }
    }
    for row in rows { #expect(row.allSatisfy { $0 == row[0] && ($0 == 0 || abs($0 - 4 / 3) < 1e-6) }) }
    let kept = rows.count { $0[0] > 0 }
    #expect(mode == .row ? (1100...1300).contains(kept) : kept % 400 == 0)
  }

  @Test("hostile options are diagnostics", arguments: hostile.keys.sorted())
  func refused(name: String) throws {
    let make = try #require(hostile[name])
    let model = make()
    model.fillWithZeros()
    let error = #expect(throws: DiagnosticsError.self) { _ = try traced(model, size: 64, isTraining: true).text }
    #expect(error?.diagnostics.isEmpty == false)
  }
}

/// Models that nobody can have.
private let hostile: [String: @Sendable () -> any Module<Tensor, Tensor>] = [
  "classes": { resnet18(numClasses: -1) },
  "width": { mobilenetV2(widthMult: .nan) },
  "wide": { mobilenetV3Small(widthMult: 1e300) },
  "groups": { ResNet(.bottleneck, (1, 1, 1, 1), groups: .max) },
  "blocks": { MobileNetV3([], lastChannel: 8) },
  "stages": { EfficientNet([], dropout: 0) },
  "patches": { VisionTransformer(patchSize: 0, numLayers: 1, numHeads: 1, hiddenDim: 4, mlpDim: 4) },
  "heads": { VisionTransformer(patchSize: 16, numLayers: 1, numHeads: 0, hiddenDim: 4, mlpDim: 4) },
  "image": { vitB32(imageSize: 160) },
  "growth": { DenseNet(growthRate: -64) },
  "expansion": {
    EfficientNet(
      [EfficientNet.Stage(expandRatio: .infinity, kernel: 3, stride: 1, channels: 8, out: 8, count: 1)], dropout: 0)
  },
]

extension Graph {
  /// Whether a run draws numbers.
  fileprivate var hasRandomNumbers: Bool { variables.contains { $0.name == "random.seed" } }
}
