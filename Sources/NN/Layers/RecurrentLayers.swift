public import LatheCore

/// What recurrent layers other than LSTM give.
public struct RecurrentOutput: Sendable {
  /// The last layer's hidden states, directions side by side.
  public let output: Tensor
  /// The last hidden states, `[layers directions, N, H]`.
  public let h: Tensor
}

/// What an LSTM gives.
public struct LSTMOutput: Sendable {
  /// The last layer's hidden states, directions side by side.
  public let output: Tensor
  /// The last hidden states, `[layers directions, N, H]`.
  public let h: Tensor
  /// The last cell states, `[layers directions, N, H]`.
  public let c: Tensor
}

/// The parameters of the recurrent layers, with PyTorch's names.
private struct RecurrentParameters: Sendable {
  let cell: RecurrentCell
  let layers: [[[Parameter]]]
  let batchFirst: Bool
  let dropout: Double
  private let fault: TypeFault?

  init(
    _ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, numLayers: Int, bias: Bool, batchFirst: Bool,
    dropout: Double, bidirectional: Bool
  ) {
    self.cell = cell
    self.batchFirst = batchFirst
    self.dropout = dropout
    fault = numLayers > layerLimit ? TypeFault("numLayers is \(numLayers), beyond \(layerLimit)") : nil
    let directions = bidirectional ? 2 : 1
    let rows = product([cell.gateCount, hiddenSize])
    layers = (0..<max(min(numLayers, layerLimit), 0)).map { layer in
      (0..<directions).map { _ in
        recurrentParameters(rows, layer == 0 ? inputSize : product([hiddenSize, directions]), hiddenSize, bias: bias)
      }
    }
  }

  var namedChildren: [(name: String, child: Any)] {
    layers.enumerated().flatMap { layer, directions in
      directions.enumerated().flatMap { direction, parameters in
        zip(["weight_ih", "weight_hh", "bias_ih", "bias_hh"], parameters).map {
          (name: "\($0)_l\(layer)\(direction == 1 ? "_reverse" : "")", child: $1 as Any)
        }
      }
    }
  }

  func callAsFunction(_ x: Tensor, _ states: [Tensor], in builder: Builder) -> [Tensor] {
    if let fault {
      builder.record(fault, operation: "recurrent", operands: [x])
      return Array(repeating: builder.poison, count: 1 + cell.stateCount)
    }
    let weights = layers.map { $0.map { recurrentWeights($0, in: builder) } }
    let (output, last) = recurrent(
      cell, x, states, weights: weights, batchFirst: batchFirst, dropout: builder.isTraining ? dropout : 0)
    return [output] + last
  }
}

private func recurrentParameters(_ rows: Int, _ inputSize: Int, _ hiddenSize: Int, bias: Bool) -> [Parameter] {
  // Everything evenly within one over the root of the hidden size.
  let initializer = Initializer.fanIn(hiddenSize)
  let weights = [[rows, inputSize], [rows, hiddenSize]].map { Parameter($0, initializer: initializer) }
  return bias ? weights + (0..<2).map { _ in Parameter([rows], initializer: initializer) } : weights
}

private func recurrentWeights(_ parameters: [Parameter], in builder: Builder) -> RecurrentWeights {
  let tensors = parameters.map { $0.read(in: builder) }
  return RecurrentWeights(
    tensors[0], tensors[1], tensors.count > 2 ? tensors[2] : nil, tensors.count > 3 ? tensors[3] : nil)
}

/// Long short-term memory over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct LSTM: Module, TernaryModule {
  private let parameters: RecurrentParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false
  ) {
    parameters = RecurrentParameters(
      .lstm, inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout,
      bidirectional: bidirectional)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> LSTMOutput { output(x, []) }

  /// From given hidden and cell states, `[layers directions, N, H]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor, _ c: Tensor) -> LSTMOutput { output(x, [h, c]) }

  private func output(_ x: Tensor, _ states: [Tensor]) -> LSTMOutput {
    let results = identity.scope(of: x) { parameters(x, states, in: $0) }
    return LSTMOutput(output: results[0], h: results[1], c: results[2])
  }
}

extension LSTM: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}

/// Gated recurrent units over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct GRU: Module, BinaryModule {
  private let parameters: RecurrentParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false
  ) {
    parameters = RecurrentParameters(
      .gru(), inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout,
      bidirectional: bidirectional)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> RecurrentOutput { output(x, []) }

  /// From given hidden states, `[layers directions, N, H]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> RecurrentOutput { output(x, [h]) }

  private func output(_ x: Tensor, _ states: [Tensor]) -> RecurrentOutput {
    let results = identity.scope(of: x) { parameters(x, states, in: $0) }
    return RecurrentOutput(output: results[0], h: results[1])
  }
}

extension GRU: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}

/// The activation of a plain recurrent layer.
public enum Nonlinearity: String, Sendable {
  case tanh, relu

  fileprivate var cell: RecurrentCell { self == .tanh ? .tanh : .relu }
}

/// Plain recurrent layers over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct RNN: Module, BinaryModule {
  private let parameters: RecurrentParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, nonlinearity: Nonlinearity = .tanh, bias: Bool = true,
    batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false
  ) {
    parameters = RecurrentParameters(
      nonlinearity.cell, inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst,
      dropout: dropout, bidirectional: bidirectional)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor) -> RecurrentOutput { output(x, []) }

  /// From given hidden states, `[layers directions, N, H]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> RecurrentOutput { output(x, [h]) }

  private func output(_ x: Tensor, _ states: [Tensor]) -> RecurrentOutput {
    let results = identity.scope(of: x) { parameters(x, states, in: $0) }
    return RecurrentOutput(output: results[0], h: results[1])
  }
}

extension RNN: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}

/// The parameters of the cells, with PyTorch's names.
private struct CellParameters: Sendable {
  let cell: RecurrentCell
  let parameters: [Parameter]

  init(_ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, bias: Bool) {
    self.cell = cell
    parameters = recurrentParameters(product([cell.gateCount, hiddenSize]), inputSize, hiddenSize, bias: bias)
  }

  var namedChildren: [(name: String, child: Any)] {
    zip(["weight_ih", "weight_hh", "bias_ih", "bias_hh"], parameters).map { ($0, $1 as Any) }
  }

  func callAsFunction(_ x: Tensor, _ states: [Tensor], in builder: Builder) -> [Tensor] {
    recurrentStep(cell, x, states, recurrentWeights(parameters, in: builder))
  }
}

/// One step of an LSTM on `[N, I]`: from the hidden and cell states, the next ones.
public struct LSTMCell: TernaryModule {
  private let parameters: CellParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(_ inputSize: Int, _ hiddenSize: Int, bias: Bool = true) {
    parameters = CellParameters(.lstm, inputSize, hiddenSize, bias: bias)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor, _ h: Tensor, _ c: Tensor) -> (h: Tensor, c: Tensor) {
    let next = identity.scope(of: x) { parameters(x, [h, c], in: $0) }
    return (next[0], next[1])
  }
}

extension LSTMCell: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}

/// One step of a GRU on `[N, I]`.
public struct GRUCell: BinaryModule {
  private let parameters: CellParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(_ inputSize: Int, _ hiddenSize: Int, bias: Bool = true) {
    parameters = CellParameters(.gru(), inputSize, hiddenSize, bias: bias)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
    identity.scope(of: x) { parameters(x, [h], in: $0)[0] }
  }
}

extension GRUCell: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}

/// One step of a plain recurrent layer on `[N, I]`.
public struct RNNCell: BinaryModule {
  private let parameters: CellParameters
  let identity = LayerIdentity()

  /// Makes a layer with the given options.
  public init(_ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, nonlinearity: Nonlinearity = .tanh) {
    parameters = CellParameters(nonlinearity.cell, inputSize, hiddenSize, bias: bias)
  }

  /// Applies the layer in the graph of its argument.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor {
    identity.scope(of: x) { parameters(x, [h], in: $0)[0] }
  }
}

extension RNNCell: ModuleContainer {
  var namedChildren: [(name: String, child: Any)] { parameters.namedChildren }
}
