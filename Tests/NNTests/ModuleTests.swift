import Lathe
import Synchronization
import TestSupport
import Testing

@Suite("Modules")
struct ModuleTests {
  /// A model with most of what a model can store.
  private struct Model: Module {
    let conv1 = Conv2d(1, 6, kernelSize: [5, 5])
    let conv2 = Conv2d(
      6, 8, kernelSize: 3, stride: 2, padding: 1, groups: 2, bias: false, paddingMode: .reflect)
    let bn = BatchNorm2d(8, momentum: nil, affine: false)
    let blocks: [any Module<Tensor, Tensor>] = [
      Sequential(Linear(4, 4), Dropout(0.2)), Sequential(Linear(4, 4), Dropout(0.2)), Identity(),
    ]
    let rnn = LSTM(3, 4, numLayers: 2, batchFirst: true, projSize: 2)
    let pool = MaxPool2d(kernelSize: 2)
    let up = ConvTranspose1d(2, 4, kernelSize: 3, stride: 2, outputPadding: 1)
    let norm = LayerNorm(8)
    let attn = MultiheadAttention(8, 2)
    let cell = RNNCell(2, 3, nonlinearity: .relu)
    let scales = [Parameter([2, 3], initializer: .ones)]
    let act = Softplus()

    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }

  @Test("print reads as PyTorch's repr")
  func description() {
    let expected = """
      Model(
        (conv1): Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))
        (conv2): Conv2d(6, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=2, bias=False, \
      padding_mode=reflect)
        (bn): BatchNorm2d(8, eps=1e-05, momentum=None, affine=False, bias=False, track_running_stats=True)
        (blocks): ModuleList(
          (0-1): 2 x Sequential(
            (0): Linear(in_features=4, out_features=4, bias=True)
            (1): Dropout(p=0.2, inplace=False)
          )
          (2): Identity()
        )
        (rnn): LSTM(3, 4, proj_size=2, num_layers=2, batch_first=True)
        (pool): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
        (up): ConvTranspose1d(2, 4, kernel_size=(3,), stride=(2,), output_padding=(1,))
        (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)
        (attn): MultiheadAttention(
          (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)
        )
        (cell): RNNCell(2, 3, nonlinearity=relu)
        (scales): ParameterList(  (0): Parameter containing: [torch.float32 of size 2x3])
        (act): Softplus(beta=1.0, threshold=20.0)
      )
      """
    #expect("\(Model())" == expected)
  }

  private struct Small: Module {
    let fc = Linear(2, 3)
    let bn = BatchNorm1d(3)
    let tail = Sequential(ReLU(), Linear(3, 2, bias: false))

    func callAsFunction(_ x: Tensor) -> Tensor { tail(bn(fc(x))) }
  }

  @Test("parameters, buffers and modules are found by PyTorch's names")
  func names() throws {
    let model = Small()
    #expect(
      model.namedParameters().map(\.name) == ["fc.weight", "fc.bias", "bn.weight", "bn.bias", "tail.1.weight"])
    #expect(model.namedParameters(recurse: false).isEmpty)
    #expect(model.fc.namedParameters(prefix: "x", recurse: false).map(\.name) == ["x.weight", "x.bias"])
    #expect(
      model.namedBuffers().map(\.name) == ["bn.running_mean", "bn.running_var", "bn.num_batches_tracked"])
    #expect(model.namedModules().map(\.name) == ["", "fc", "bn", "tail", "tail.0", "tail.1"])
    #expect(model.namedChildren().map(\.name) == ["fc", "bn", "tail"])
    #expect(model.parameters().count == 5 && model.modules().count == 6 && model.children().count == 3)
    #expect(try model.getParameter("tail.1.weight") === model.parameters()[4])
    #expect(try model.getBuffer("bn.running_var") === model.bn.runningVar)
    #expect(try model.getSubmodule("tail.1") is Linear)
    #expect(throws: DiagnosticsError.self) { try model.getParameter("bn.running_var") }
    var visited: [String] = []
    model.apply { visited.append(String($0.description.prefix { $0 != "(" })) }
    #expect(visited == ["Linear", "BatchNorm1d", "ReLU", "Linear", "Sequential", "Small"])
    #expect(
      Sequential(ReLU()).append(Linear(1, 2)).add(Identity(), named: "end").namedChildren().map(\.name) == [
        "0", "1", "end",
      ])
  }

  @Test("a state dictionary is loaded by name, or every mistake is told and nothing loaded")
  func state() throws {
    let (source, target) = (Small(), Small())
    let state = try source.stateDict(seed: 3)
    #expect(try state.keys.sorted() == target.stateDict().keys.sorted())
    #expect(try state != target.stateDict())
    try target.loadStateDict(state)
    #expect(try target.stateDict() == state)
    let graph = try trace(target, .f32(4, 2), seed: 9)
    for variable in graph.variables { #expect(state[variable.name] == variable.initial, "\(variable.name)") }

    let wrong = ["fc.weight": NDArray([1, 2] as [Float]), "gc": NDArray([1] as [Float])]
    let error = #expect(throws: DiagnosticsError.self) { try target.loadStateDict(wrong) }
    let messages = error?.diagnostics.map(\.message) ?? []
    #expect(messages.contains("the state has no 'fc.bias'") && messages.contains("the model has no 'gc'"))
    #expect(messages.contains("'fc.weight' is f32[3,2], its value in the state is f32[2]"))
    #expect(throws: DiagnosticsError.self) { try target.loadStateDict(wrong, strict: false) }
    let keys = try target.loadStateDict(["gc": NDArray([1] as [Float])], strict: false)
    #expect(keys.missingKeys.count == 8 && keys.unexpectedKeys == ["gc"])
    #expect(try target.stateDict() == state)
  }

  private struct Tied: Module {
    let encoder: Parameter
    let decoder: Parameter

    init() {
      encoder = Parameter([2, 2], initializer: .uniform())
      decoder = encoder
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x.matmul(encoder(for: x)).matmul(decoder(for: x)) }
  }

  @Test("a tied weight is one parameter with two names in the state, and is loaded by either")
  func tied() throws {
    let model = Tied()
    #expect(model.namedParameters().map(\.name) == ["encoder"])
    #expect(model.namedParameters(removeDuplicate: false).map(\.name) == ["encoder", "decoder"])
    let state = try model.stateDict()
    #expect(state.count == 2 && state["encoder"] == state["decoder"])
    let ones = try NDArray([1, 1, 1, 1] as [Float], shape: [2, 2])
    try model.loadStateDict(["decoder": ones])
    #expect(model.encoder.data == ones)
    #expect(try trace(model, .f32(1, 2), parameters: state).variables.map(\.name) == ["encoder"])
    #expect(try trace(model, .f32(1, 2), parameters: ["decoder": ones]).variables[0].initial == ones)
  }

  @Test("a frozen layer takes no part in training: neither parameters nor running averages change")
  func frozen() throws {
    let model = Small()
    model.fc.requiresGrad(false)
    model.bn.eval()
    let graph = try trainingStep(
      model, loss: { output, target in mseLoss(output, target) }, optimizer: .adam(), .f32(4, 2), .f32(4, 2))
    let updated = Set(graph.updates.map(\.variable))
    #expect(updated.contains("tail.1.weight") && updated.contains("bn.weight"))
    #expect(!updated.contains { $0.contains("fc.") || $0.contains("running") || $0.contains("tracked") })
    #expect(!graph.variables.contains { $0.name.hasPrefix("optimizer.") && $0.name.contains("fc.") })
    model.requiresGrad().train()
    let whole = try trainingStep(
      model, loss: { output, target in mseLoss(output, target) }, optimizer: .adam(), .f32(4, 2), .f32(4, 2))
    #expect(Set(whole.updates.map(\.variable)).isSuperset(of: ["fc.weight", "bn.running_mean"]))
    #expect(try trace(Sequential(Dropout().eval()), .f32(3), isTraining: true).nodes.count == 1)
  }

  /// A running sum that belongs to a user's layer.
  private struct Summing: Module {
    let total = Parameter.buffer(NDArray([0, 0] as [Float]))
    let scratch = Parameter.buffer(NDArray([0] as [Float]), persistent: false)

    func callAsFunction(_ x: Tensor) -> Tensor {
      total.update(to: total(for: x) + x)
      return total(for: x)
    }
  }

  @Test("a layer's own buffer is read and written, in the order of calls")
  func buffers() throws {
    let layer = Summing()
    #expect(try layer.stateDict().keys.sorted() == ["total"])
    let graph = try trace(Sequential(layer, layer), .f32(2))
    let x = NDArray([1, 2] as [Float])
    let results = try ReferenceEvaluator.run(graph, inputs: ["input": x])
    #expect(results.outputs["output"]?.doubles == [2, 4])
    #expect(results.updates.values.map(\.doubles) == [[2, 4]])
  }

  private struct Scorer: Module {
    let table = Linear(3, 4, bias: false)

    func callAsFunction(_ inputs: (Tensor, Tensor)) -> (score: Tensor, gate: Tensor) {
      let score = table(inputs.0) * inputs.1
      return (score, score.sigmoid())
    }
  }

  @Test("a module of several tensors is called and traced with them one by one")
  func severalInputs() throws {
    let graph = try trace(Scorer(), .f32(2, 3), .f32(2, 4), inputNames: ["key", "value"])
    #expect(graph.inputs.map { graph.inputName($0) } == ["key", "value"])
    #expect(graph.outputs.map(\.name) == ["score", "gate"])
    #expect(graph.variables.map(\.name) == ["table.weight"])
    #expect(try trace(Bilinear(3, 4, 5), .f32(2, 3), .f32(2, 4)).outputs.count == 1)
    let error = #expect(throws: DiagnosticsError.self) { try trace(Scorer(), .f32(2, 3)) }
    #expect(error?.diagnostics.first?.message == "1 input types are given for a module of 2 tensors")
  }

  private struct Renamed: Module {
    let mixed5b = Linear(2, 2, bias: false)
    let tail = Sequential(Small(), Identity())
    let firstNorm = LayerNorm(2)
    let stateNames = ["mixed5b": "Mixed_5b", "firstNorm": "ln_1"]

    func callAsFunction(_ x: Tensor) -> Tensor { firstNorm(relu(tail(mixed5b(x)))) }
  }

  @Test("a property may have another name in states, in paths and in print")
  func stateNames() throws {
    let model = Renamed()
    #expect(
      model.namedParameters().map(\.name).filter { !$0.hasPrefix("tail") } == [
        "Mixed_5b.weight", "ln_1.weight", "ln_1.bias",
      ])
    #expect(model.namedChildren().map(\.name) == ["Mixed_5b", "tail", "ln_1"])
    #expect(model.description.contains("(Mixed_5b): Linear("))
    let error = #expect(throws: DiagnosticsError.self) { try trace(model, .f32(4, 3)) }
    #expect(error?.diagnostics.first?.location.modulePath == "Mixed_5b")
  }

  @Test("forward hooks are told of every layer's results, inner ones first, once for each call")
  func forwardHook() throws {
    let calls = Mutex<[String]>([])
    var options = TraceOptions()
    options.forwardHook = { call in
      calls.withLock { $0.append("\(call.path) \(call.types.map(\.description).joined(separator: " "))") }
    }
    let model = Renamed()
    _ = try trace(model, inputs: [.f32(4, 2)], options: options) { model($1[0]) }
    #expect(
      calls.withLock { $0 } == [
        "Mixed_5b f32[4,2]", "tail.0.fc f32[4,3]", "tail.0.bn f32[4,3]", "tail.0.tail.0 f32[4,3]",
        "tail.0.tail.1 f32[4,2]", "tail.0.tail f32[4,2]", "tail.0 f32[4,2]", "tail.1 f32[4,2]", "tail f32[4,2]",
        "ln_1 f32[4,2]",
      ])
    let lstm = Sequential(named: [("lstm", LSTMOutput())])
    calls.withLock { $0 = [] }
    _ = try trace(lstm, inputs: [.f32(5, 1, 3)], options: options) { lstm($1[0]) }
    #expect(
      calls.withLock { $0 } == ["lstm.lstm f32[5,1,4] f32[1,1,4] f32[1,1,4]", "lstm f32[5,1,4]"])
  }

  private struct LSTMOutput: Module {
    let lstm = LSTM(3, 4)
    func callAsFunction(_ x: Tensor) -> Tensor { lstm(x).output }
  }

  @Test("the mistakes of many parameters are found in one place, all of them")
  func manyFaults() {
    let model = Sequential((0..<300).map { _ in Linear(-1, 2, bias: false) })
    let error = #expect(throws: DiagnosticsError.self) { try trace(model, .f32(4, 2)) }
    #expect(error?.diagnostics.count == 300)
    #expect(Set(error?.diagnostics.map(\.location.line) ?? []).count == 1)
  }
}
