public import LatheCore
import LatheNN
public import Testing

/// A forward and backward pass of a network as `tools/goldens.py` wrote it: `NAME.npz`.
public struct GoldenNetwork: Sendable, CustomTestStringConvertible {
  /// The golden file's name.
  public let name: String
  /// The names of the outputs in the golden file, in the order of the network's results.
  let outputs: [String]
  private let build: @Sendable (Options) throws(DiagnosticsError) -> Graph

  /// What a network is traced with.
  struct Options: Sendable {
    let types: [TensorType]
    let cotangents: [(name: String, type: TensorType)]
    let trace: TraceOptions
    /// Whether the loss is the cross entropy with the last input.
    let hasTarget: Bool
    /// Whether there is a backward pass.
    let hasGradients: Bool
  }

  /// The network's name.
  public var testDescription: String { name }

  init(
    _ name: String, outputs: [String] = ["output"], _ model: some Parameterized,
    _ call: @escaping @Sendable ([Tensor]) -> [Tensor]
  ) {
    self.name = name
    self.outputs = outputs
    build = { (options) throws(DiagnosticsError) -> Graph in
      try LatheNN.trace(
        model, inputs: options.types + options.cotangents.map(\.type), options: options.trace
      ) { builder, tensors -> [String: Tensor] in
        let inputs = Array(tensors.prefix(options.types.count - (options.hasTarget ? 1 : 0)))
        let results = call(inputs)
        var named = Dictionary(uniqueKeysWithValues: zip(outputs, results).map { ("output/\($0)", $1) })
        guard options.hasGradients else { return named }
        var seeds = zip(results, tensors.dropFirst(options.types.count)).map { (tensor: $0, cotangent: $1) }
        if options.hasTarget {
          let loss = crossEntropy(results[0], tensors[inputs.count])
          named["output/loss"] = loss
          seeds = [(loss, loss.onesLike())]
        }
        let floats = zip(options.trace.inputNames, inputs).filter { $1.dtype.isFloat }.map { (name: $0, tensor: $1) }
        let targets = builder.parameters + floats
        for (target, gradient) in zip(targets, gradients(of: seeds, withRespectTo: targets.map(\.tensor))) {
          named["grad/\(target.name)"] = gradient
        }
        return named
      }
    }
  }

  /// The arrays of the golden file with floats in one type.
  private func arrays(_ prefix: String, _ dtype: ScalarType) -> [(name: String, array: NDArray)] {
    goldenArrays("\(name).npz").filter { $0.key.hasPrefix(prefix + "/") }.sorted { $0.key < $1.key }.map {
      (String($0.key.dropFirst(prefix.count + 1)), $0.value.dtype.isFloat ? $0.value.converted(to: dtype) : $0.value)
    }
  }

  /// The inputs by name; the network's own first, in its order, then the target and the cotangents.
  private func inputs(_ dtype: ScalarType) -> [(name: String, array: NDArray)] {
    let found = arrays("input", dtype)
    // Hidden states come after the sequence, the target last.
    let order = ["x", "input", "src", "query", "key", "value", "h_0", "c_0", "target"]
    return found.sorted { (order.firstIndex(of: $0.name) ?? 99) < (order.firstIndex(of: $1.name) ?? 99) }
  }

  /// The forward and backward pass as a graph; without gradients, the forward pass alone.
  public func graph(
    _ dtype: ScalarType, isTraining: Bool = true, withGradients: Bool = true
  ) throws(DiagnosticsError) -> Graph {
    let inputs = inputs(dtype).filter { withGradients || $0.name != "target" }
    let hasTarget = inputs.last?.name == "target"
    let given = Dictionary((withGradients ? arrays("cotangent", dtype) : []).map { ($0.name, $0.array) }) { first, _ in
      first
    }
    let cotangents = outputs.compactMap { name in given[name].map { (name: "cotangent/\(name)", type: $0.type) } }
    let parameters = arrays("param", dtype) + arrays("buffer", dtype)
    return try build(
      Options(
        types: inputs.map(\.array.type), cotangents: hasTarget ? [] : cotangents,
        trace: TraceOptions(
          name: name, inputNames: inputs.map(\.name) + (hasTarget ? [] : cotangents.map(\.name)),
          isTraining: isTraining,
          parameters: Dictionary(parameters.map { ($0.name, $0.array) }) { first, _ in first }, floatType: dtype),
        hasTarget: hasTarget, hasGradients: withGradients))
  }

  /// The contents of the graph's inputs.
  public func contents(_ dtype: ScalarType) -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for (name, array) in inputs(dtype) { result[name] = array }
    for (name, array) in arrays("cotangent", dtype) { result["cotangent/\(name)"] = array }
    return result
  }

  /// The expected outputs and gradients, `output/NAME` and `grad/NAME`.
  public func expected() -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for prefix in ["output", "grad"] {
      for (name, array) in arrays(prefix, .f32) { result["\(prefix)/\(name)"] = array }
    }
    return result
  }

  /// The expected outputs of evaluation mode, `output/NAME`, where the golden file has them.
  public func expectedInEvaluation() -> [String: NDArray] {
    Dictionary(arrays("eval/output", .f32).map { ("output/\($0.name)", $0.array) }) { first, _ in first }
  }

  /// The expected contents of the buffers after the run.
  public func expectedBuffers() -> [String: NDArray] {
    Dictionary(arrays("buffer_after", .f32).map { ($0.name, $0.array) }) { first, _ in first }
  }

  /// The networks that the element-by-element oracle runs in reasonable time.
  public static let small: [GoldenNetwork] =
    recurrent + attention + [
      network("mlp", Sequential(Linear(12, 16), ReLU(), Linear(16, 8), ReLU(), Linear(8, 5)))
    ]

  /// The networks that are left to the back-ends.
  public static let large: [GoldenNetwork] = [
    network("lenet", LeNet()), network("resnet18", ResNet18(width: 8, classes: 10)),
  ]

  private static func network(_ name: String, _ model: some Module<Tensor, Tensor>) -> GoldenNetwork {
    GoldenNetwork(name, outputs: ["logits"], model) { [model($0[0])] }
  }

  private static let recurrent: [GoldenNetwork] = {
    func lstm(_ name: String, _ layer: LSTM) -> GoldenNetwork {
      GoldenNetwork(name, outputs: ["output", "h_n", "c_n"], layer) {
        let result = layer($0[0], $0[1], $0[2])
        return [result.output, result.h, result.c]
      }
    }
    func single(
      _ name: String, _ layer: some Module, _ call: @escaping @Sendable (Tensor, Tensor) -> RecurrentOutput
    ) -> GoldenNetwork {
      GoldenNetwork(name, outputs: ["output", "h_n"], layer) {
        let result = call($0[0], $0[1])
        return [result.output, result.h]
      }
    }
    let (gru, gruBatchFirst) = (GRU(5, 6, numLayers: 2), GRU(5, 6, numLayers: 2, batchFirst: true))
    let (rnn, rnnRelu) = (
      RNN(5, 6, numLayers: 2), RNN(5, 6, numLayers: 2, nonlinearity: .relu, bidirectional: true)
    )
    return [
      lstm("lstm", LSTM(5, 6, numLayers: 2)),
      lstm("lstm_batch_first", LSTM(5, 6, numLayers: 2, batchFirst: true)),
      lstm("lstm_bidirectional", LSTM(5, 6, numLayers: 2, bidirectional: true)),
      single("gru", gru) { gru($0, $1) },
      single("gru_batch_first", gruBatchFirst) { gruBatchFirst($0, $1) },
      single("rnn", rnn) { rnn($0, $1) },
      single("rnn_relu_bidirectional", rnnRelu) { rnnRelu($0, $1) },
    ]
  }()

  private static let attention: [GoldenNetwork] = {
    func encoder(_ name: String, normFirst: Bool) -> GoldenNetwork {
      let layer = encoderLayer(32, heads: 4, feedForward: 64, normFirst: normFirst)
      return GoldenNetwork(name, layer) { [layer($0[0])] }
    }
    let layer = MultiheadAttention(16, 4, batchFirst: true)
    return [
      encoder("encoder_layer", normFirst: false), encoder("encoder_layer_norm_first", normFirst: true),
      GoldenNetwork("multihead_attention", outputs: ["output", "weights"], layer) {
        let result = layer($0[0], $0[1], $0[2])
        return [result.output, result.weights]
      },
    ]
  }()
}
