public import LatheCore
public import LatheNN

/// An encoder layer of a transformer without dropout, over `[N, L, E]`.
public func encoderLayer(
  _ dModel: Int = 64, heads: Int = 4, feedForward: Int = 128, normFirst: Bool = false
) -> TransformerEncoderLayer {
  TransformerEncoderLayer(
    dModel, heads, dimFeedforward: feedForward, dropout: 0, activation: .gelu, batchFirst: true, normFirst: normFirst)
}

/// Two LSTM layers over `[T, N, I]` and a linear layer on the last hidden state.
public struct LSTMClassifier: Module {
  let lstm: LSTM
  let fc: Linear

  /// Makes a network.
  public init(_ inputSize: Int, _ hiddenSize: Int, classes: Int) {
    lstm = LSTM(inputSize, hiddenSize, numLayers: 2)
    fc = Linear(hiddenSize, classes)
  }

  /// Applies the network.
  public func callAsFunction(_ x: Tensor) -> Tensor { fc(lstm(x).output.select(dim: 0, index: -1)) }
}
