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

/// The parameters and options of a recurrent layer, with PyTorch's names, and the layer's identity.
public struct RecurrentParameters: Sendable {
  let identity = LayerIdentity()
  let cell: RecurrentCell
  let layers: [[[Parameter]]]
  let batchFirst: Bool
  let dropout: Double
  private let names: [String]
  private let fault: TypeFault?
  let extraRepr: String

  init(
    _ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, numLayers: Int, bias: Bool, batchFirst: Bool,
    dropout: Double, bidirectional: Bool, projSize: Int = 0, dtype: ScalarType
  ) {
    self.cell = cell
    self.batchFirst = batchFirst
    self.dropout = dropout
    fault =
      numLayers > layerLimit
      ? TypeFault("numLayers is \(numLayers), beyond \(layerLimit)")
      : projSize < 0 || (projSize > 0 && projSize >= hiddenSize)
        ? TypeFault("projSize is \(projSize), the hidden size \(hiddenSize)", help: "give less than the hidden size")
        : nil
    let directions = bidirectional ? 2 : 1
    let rows = product([cell.gateCount, hiddenSize])
    let width = projSize > 0 ? projSize : hiddenSize
    // Everything evenly within one over the root of the hidden size.
    let initializer = Initializer.fanIn(hiddenSize)
    layers = (0..<max(min(numLayers, layerLimit), 0)).map { layer in
      (0..<directions).map { _ in
        recurrentParameters(
          rows, layer == 0 ? inputSize : product([width, directions]), width, bias: bias, initializer, dtype)
          + (projSize > 0 ? [Parameter([projSize, hiddenSize], dtype: dtype, initializer: initializer)] : [])
      }
    }
    names = parameterNames(bias: bias) + (projSize > 0 ? ["weight_hr"] : [])
    var text = options(["": inputSize, "": hiddenSize])
    if projSize > 0 { text += ", proj_size=\(projSize)" }
    if numLayers != 1 { text += ", num_layers=\(numLayers)" }
    if !bias { text += ", bias=False" }
    if batchFirst { text += ", batch_first=True" }
    if dropout != 0 { text += ", dropout=\(dropout)" }
    if bidirectional { text += ", bidirectional=True" }
    extraRepr = text
  }

  var namedParts: [(name: String, child: Any)] {
    layers.enumerated().flatMap { layer, directions in
      directions.enumerated().flatMap { direction, parameters in
        zip(names, parameters).map {
          (name: "\($0)_l\(layer)\(direction == 1 ? "_reverse" : "")", child: $1 as Any)
        }
      }
    }
  }

  func callAsFunction(_ x: Tensor, _ states: [Tensor], _ lengths: Tensor?) -> [Tensor] {
    identity.scope(of: x) { builder in
      if let fault {
        builder.record(fault, operation: "recurrent", operands: [x])
        return Array(repeating: builder.poison, count: 1 + cell.stateCount)
      }
      let weights = layers.map { $0.map { recurrentWeights(names, $0, in: builder) } }
      let (output, last) = recurrent(
        cell, x, states, weights: weights, batchFirst: batchFirst,
        dropout: identity.isTraining(in: builder) ? dropout : 0, lengths: lengths)
      return [output] + last
    }
  }

  /// Over packed sequences, which have the steps in front whatever `batchFirst` says.
  func callAsFunction(_ x: PackedSequence, _ states: [Tensor]) -> (output: PackedSequence, states: [Tensor]) {
    func turned(_ x: Tensor) -> Tensor { batchFirst ? x.transpose(0, 1) : x }
    let results = self(turned(x.padded), states, x.lengths)
    return (x.with(padded: turned(results[0])), Array(results.dropFirst()))
  }
}

private func parameterNames(bias: Bool) -> [String] {
  ["weight_ih", "weight_hh"] + (bias ? ["bias_ih", "bias_hh"] : [])
}

private func recurrentParameters(
  _ rows: Int, _ inputSize: Int, _ width: Int, bias: Bool, _ initializer: Initializer, _ dtype: ScalarType
) -> [Parameter] {
  ([[rows, inputSize], [rows, width]] + (bias ? [[rows], [rows]] : [])).map {
    Parameter($0, dtype: dtype, initializer: initializer)
  }
}

private func recurrentWeights(_ names: [String], _ parameters: [Parameter], in builder: Builder) -> RecurrentWeights {
  let tensors = parameters.map { $0.read(in: builder) }
  func named(_ name: String) -> Tensor? { names.firstIndex(of: name).map { tensors[$0] } }
  return RecurrentWeights(
    tensors[0], tensors[1], named("bias_ih"), named("bias_hh"), projection: named("weight_hr"))
}

/// Long short-term memory over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct LSTM: Module {
  private let weights: RecurrentParameters

  /// The options as PyTorch prints them.
  public var extraRepr: String { weights.extraRepr }

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - dropout: The share of the input of each layer but the first that is left out in training.
  ///   - projSize: To how many numbers the hidden state is projected; 0 for none.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, projSize: Int = 0, dtype: ScalarType = .f32
  ) {
    weights = RecurrentParameters(
      .lstm, inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout,
      bidirectional: bidirectional, projSize: projSize, dtype: dtype)
  }

  /// From zeros.
  public func callAsFunction(_ x: Tensor) -> LSTMOutput { output(x, [], nil) }

  /// From zeros, over sequences of different lengths (`[N]`), which are padded at the end: PyTorch's packed sequences.
  ///
  /// The states are those after each sequence's own last step; outputs behind are zeros.
  public func callAsFunction(_ x: Tensor, lengths: Tensor) -> LSTMOutput { output(x, [], lengths) }

  /// From given hidden and cell states, `[layers directions, N, H]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor, _ c: Tensor, lengths: Tensor? = nil) -> LSTMOutput {
    output(x, [h, c], lengths)
  }

  /// Over packed sequences, from zeros or given states: the packed hidden states, and the states at each one's end.
  public func callAsFunction(
    _ x: PackedSequence, _ h: Tensor? = nil, _ c: Tensor? = nil
  ) -> (output: PackedSequence, h: Tensor, c: Tensor) {
    let (output, states) = weights(x, [h, c].compactMap { $0 })
    return (output, states[0], states[1])
  }

  private func output(_ x: Tensor, _ states: [Tensor], _ lengths: Tensor?) -> LSTMOutput {
    let results = weights(x, states, lengths)
    return LSTMOutput(output: results[0], h: results[1], c: results[2])
  }
}

extension LSTM: ModuleContainer {
  var identity: LayerIdentity { weights.identity }
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}

/// A recurrent layer with one state, a ``GRU`` or an ``RNN``.
public protocol HiddenStateLayer: Module where Input == Tensor, Output == RecurrentOutput {
  /// The layer's parameters and options.
  var weights: RecurrentParameters { get }
}

extension HiddenStateLayer {
  /// The options as PyTorch prints them.
  public var extraRepr: String { weights.extraRepr }

  /// From zeros.
  public func callAsFunction(_ x: Tensor) -> RecurrentOutput { output(x, [], nil) }

  /// From zeros, over sequences of different lengths (`[N]`), which are padded at the end: PyTorch's packed sequences.
  ///
  /// The states are those after each sequence's own last step; outputs behind are zeros.
  public func callAsFunction(_ x: Tensor, lengths: Tensor) -> RecurrentOutput { output(x, [], lengths) }

  /// From given hidden states, `[layers directions, N, H]`.
  public func callAsFunction(_ x: Tensor, _ h: Tensor, lengths: Tensor? = nil) -> RecurrentOutput {
    output(x, [h], lengths)
  }

  /// Over packed sequences, from zeros or given states: the packed hidden states, and the states at each one's end.
  public func callAsFunction(_ x: PackedSequence, _ h: Tensor? = nil) -> (output: PackedSequence, h: Tensor) {
    let (output, states) = weights(x, [h].compactMap { $0 })
    return (output, states[0])
  }

  private func output(_ x: Tensor, _ states: [Tensor], _ lengths: Tensor?) -> RecurrentOutput {
    let results = weights(x, states, lengths)
    return RecurrentOutput(output: results[0], h: results[1])
  }
}

/// Gated recurrent units over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct GRU: HiddenStateLayer {
  /// The layer's parameters and options.
  public let weights: RecurrentParameters

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - dropout: The share of the input of each layer but the first that is left out in training.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, dtype: ScalarType = .f32
  ) {
    weights = RecurrentParameters(
      .gru(), inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst, dropout: dropout,
      bidirectional: bidirectional, dtype: dtype)
  }
}

extension GRU: ModuleContainer {
  var identity: LayerIdentity { weights.identity }
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}

/// The activation of a plain recurrent layer.
public enum Nonlinearity: String, Sendable {
  /// The activation of that name.
  case tanh, relu

  fileprivate var cell: RecurrentCell { self == .tanh ? .tanh : .relu }
}

/// Plain recurrent layers over `[T, N, I]`, or `[N, T, I]` with `batchFirst`; `[T, I]` without batch.
public struct RNN: HiddenStateLayer {
  /// The layer's parameters and options.
  public let weights: RecurrentParameters

  /// Makes a layer.
  ///
  /// - Parameters:
  ///   - dropout: The share of the input of each layer but the first that is left out in training.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, numLayers: Int = 1,
    nonlinearity: Nonlinearity = .tanh, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, dtype: ScalarType = .f32
  ) {
    weights = RecurrentParameters(
      nonlinearity.cell, inputSize, hiddenSize, numLayers: numLayers, bias: bias, batchFirst: batchFirst,
      dropout: dropout,
      bidirectional: bidirectional, dtype: dtype)
  }
}

extension RNN: ModuleContainer {
  var identity: LayerIdentity { weights.identity }
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}

/// The parameters and options of the cells, with PyTorch's names.
private struct CellParameters: Sendable {
  let cell: RecurrentCell
  let extraRepr: String
  private let names: [String]
  private let parameters: [Parameter]

  init(_ cell: RecurrentCell, _ inputSize: Int, _ hiddenSize: Int, bias: Bool, dtype: ScalarType) {
    self.cell = cell
    names = parameterNames(bias: bias)
    parameters = recurrentParameters(
      product([cell.gateCount, hiddenSize]), inputSize, hiddenSize, bias: bias, .fanIn(hiddenSize), dtype)
    extraRepr =
      options(["": inputSize, "": hiddenSize]) + (bias ? "" : ", bias=False")
      + (cell == .relu ? ", nonlinearity=relu" : "")
  }

  var namedParts: [(name: String, child: Any)] { zip(names, parameters).map { ($0, $1 as Any) } }

  func callAsFunction(_ x: Tensor, _ states: [Tensor], _ identity: LayerIdentity) -> [Tensor] {
    identity.scope(of: x) { recurrentStep(cell, x, states, recurrentWeights(names, parameters, in: $0)) }
  }
}

/// One step of an LSTM on `[N, I]` or `[I]`: from the hidden and cell states, the next ones.
public struct LSTMCell: Module {
  private let weights: CellParameters
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { weights.extraRepr }

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    weights = CellParameters(.lstm, inputSize, hiddenSize, bias: bias, dtype: dtype)
  }

  /// From zeros.
  public func callAsFunction(_ x: Tensor) -> (h: Tensor, c: Tensor) { next(x, []) }

  /// From given states.
  public func callAsFunction(_ x: Tensor, _ h: Tensor, _ c: Tensor) -> (h: Tensor, c: Tensor) { next(x, [h, c]) }

  private func next(_ x: Tensor, _ states: [Tensor]) -> (h: Tensor, c: Tensor) {
    let next = weights(x, states, identity)
    return (next[0], next[1])
  }
}

extension LSTMCell: ModuleContainer {
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}

/// One step of a GRU on `[N, I]` or `[I]`.
public struct GRUCell: Module {
  private let weights: CellParameters
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { weights.extraRepr }

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: ScalarType = .f32
  ) {
    weights = CellParameters(.gru(), inputSize, hiddenSize, bias: bias, dtype: dtype)
  }

  /// From zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { weights(x, [], identity)[0] }

  /// From a given state.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor { weights(x, [h], identity)[0] }
}

extension GRUCell: ModuleContainer {
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}

/// One step of a plain recurrent layer on `[N, I]` or `[I]`.
public struct RNNCell: Module {
  private let weights: CellParameters
  let identity = LayerIdentity()

  /// The options as PyTorch prints them.
  public var extraRepr: String { weights.extraRepr }

  /// Makes a layer with the given options.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, nonlinearity: Nonlinearity = .tanh, dtype: ScalarType = .f32
  ) {
    weights = CellParameters(nonlinearity.cell, inputSize, hiddenSize, bias: bias, dtype: dtype)
  }

  /// From zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { weights(x, [], identity)[0] }

  /// From a given state.
  public func callAsFunction(_ x: Tensor, _ h: Tensor) -> Tensor { weights(x, [h], identity)[0] }
}

extension RNNCell: ModuleContainer {
  var namedParts: [(name: String, child: Any)] { weights.namedParts }
}
