public import LatheCore

/// The recurrent cells that PyTorch has, with its order of gates in the weights.
///
/// Source: https://pytorch.org/docs/stable/nn.html#recurrent-layers
public enum RecurrentCell: Hashable, Sendable {
  /// `h' = tanh(W x + b + U h + c)`.
  case tanh
  /// `h' = relu(W x + b + U h + c)`.
  case relu
  /// Gates i, f, g, o; states h and c.
  case lstm
  /// Gates r, z, n. PyTorch applies the reset after the product with the weights (`linear_before_reset` of ONNX).
  case gru(resetAfter: Bool = true)

  /// How many times the hidden size the rows of the weights are.
  public var gateCount: Int {
    switch self {
    case .tanh, .relu: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// How many states are carried.
  public var stateCount: Int { self == .lstm ? 2 : 1 }

  /// One step.
  ///
  /// - Parameters:
  ///   - projected: `W x + b` for all gates, `[..., gates H]`.
  ///   - states: `[..., H]` each.
  func step(_ projected: Tensor, _ states: [Tensor], _ weight: Tensor, _ bias: Tensor?) -> [Tensor] {
    let h = states[0]
    switch self {
    case .tanh: return [(projected + linear(h, weight, bias)).tanh()]
    case .relu: return [LatheNN.relu(projected + linear(h, weight, bias))]
    case .lstm:
      let gates = (projected + linear(h, weight, bias)).chunk(4, dim: -1)
      let c = gates[1].sigmoid() * states[1] + gates[0].sigmoid() * gates[2].tanh()
      return [gates[3].sigmoid() * c.tanh(), c]
    case .gru(let resetAfter):
      let x = projected.chunk(3, dim: -1)
      let new: Tensor
      let update: Tensor
      if resetAfter {
        let u = linear(h, weight, bias).chunk(3, dim: -1)
        update = (x[1] + u[1]).sigmoid()
        new = (x[2] + (x[0] + u[0]).sigmoid() * u[2]).tanh()
      } else {
        let (w, b) = (weight.chunk(3, dim: 0), bias?.chunk(3, dim: 0))
        let reset = (x[0] + linear(h, w[0], b?[0])).sigmoid()
        update = (x[1] + linear(h, w[1], b?[1])).sigmoid()
        new = (x[2] + linear(reset * h, w[2], b?[2])).tanh()
      }
      return [(1 - update) * new + update * h]
    }
  }
}

/// The weights of one layer in one direction: `[gates H, I]`, `[gates H, H]`, and two vectors of `gates H`.
public struct RecurrentWeights: Sendable {
  /// What the input is multiplied with, gates one below the other.
  public var inputHidden: Tensor
  /// What the hidden state is multiplied with.
  public var hiddenHidden: Tensor
  /// Added to the input's product.
  public var inputBias: Tensor?
  /// Added to the hidden state's product.
  public var hiddenBias: Tensor?

  /// Makes it from its parts.
  public init(_ inputHidden: Tensor, _ hiddenHidden: Tensor, _ inputBias: Tensor? = nil, _ hiddenBias: Tensor? = nil) {
    self.inputHidden = inputHidden
    self.hiddenHidden = hiddenHidden
    self.inputBias = inputBias
    self.hiddenBias = hiddenBias
  }

  fileprivate var tensors: [Tensor] { [inputHidden, hiddenHidden] + [inputBias, hiddenBias].compactMap { $0 } }

  /// Throws unless the weights fit an input and each other; gives the hidden size.
  fileprivate func requireFit(_ cell: RecurrentCell, _ x: Tensor) throws(TypeFault) -> Dimension {
    try inputHidden.requireRank(2...2, "the input weight")
    try hiddenHidden.requireRank(2...2, "the hidden weight")
    let hidden = hiddenHidden.shape[1]
    let rows = hidden * Dimension(cell.gateCount)
    guard hiddenHidden.shape[0] == rows, inputHidden.shape[0] == rows else {
      throw TypeFault(
        "the weights \(inputHidden.type) and \(hiddenHidden.type) do not have \(cell.gateCount) gates each")
    }
    for case let bias? in [inputBias, hiddenBias] where bias.shape != [rows] {
      throw TypeFault("a bias is \(bias.type), needs [\(rows)]")
    }
    guard x.shape[x.rank - 1] == inputHidden.shape[1] else {
      throw TypeFault(
        "the input has \(x.shape[x.rank - 1]) features (\(x.type)), the layer takes \(inputHidden.shape[1])")
    }
    return hidden
  }
}

/// One step of a recurrent cell on `[N, I]` or `[I]`.
public func recurrentStep(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor], _ weights: RecurrentWeights
) -> [Tensor] {
  composite("recurrentStep", [x] + states + weights.tensors, count: cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(1...2, "the input")
    let hidden = try weights.requireFit(cell, x)
    try requireStates(states, cell, Array(x.shape.dropLast()) + [hidden])
    return cell.step(
      linear(x, weights.inputHidden, weights.inputBias), states, weights.hiddenHidden, weights.hiddenBias)
  }
}

private func requireStates(_ states: [Tensor], _ cell: RecurrentCell, _ shape: [Dimension]) throws(TypeFault) {
  guard states.count == cell.stateCount else { throw TypeFault("\(states.count) states, needs \(cell.stateCount)") }
  for state in states where state.shape != shape {
    throw TypeFault("a state is \(state.type), needs shape \(shape.text)")
  }
}

/// One recurrent layer in one direction over `[T, N, I]`: one product for all inputs, then one scan.
///
/// - Parameter states: `[N, H]` each; zeros when empty.
/// - Returns: The hidden states `[T, N, H]`, and the last states.
public func recurrentLayer(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor] = [], _ weights: RecurrentWeights, reverse: Bool = false
) -> (output: Tensor, states: [Tensor]) {
  let results = composite("recurrentLayer", [x] + states + weights.tensors, count: 1 + cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(3...3, "the input")
    let hidden = try weights.requireFit(cell, x)
    let shape = [x.shape[1], hidden]
    let initial =
      states.isEmpty
      ? Array(repeating: x.builder.zeros(TensorType(x.dtype, shape)), count: cell.stateCount) : states
    try requireStates(initial, cell, shape)
    let projected = linear(x, weights.inputHidden, weights.inputBias)
    let (last, outputs) = scan(initial, over: [projected], reverse: reverse) { states, elements in
      let next = cell.step(elements[0], states, weights.hiddenHidden, weights.hiddenBias)
      return (next, [next[0]])
    }
    return outputs + last
  }
  return (results[0], Array(results.dropFirst()))
}

/// Several recurrent layers, each in one or two directions.
///
/// The input is `[T, N, I]`, `[T, I]`, or `[N, T, I]` with `batchFirst`.
///
/// - Parameters:
///   - states: `[layers directions, N, H]` each (without N when the input has none); zeros when empty.
///   - weights: For each layer one set for each direction; the second walks backwards.
///   - dropout: The share of each layer's input, but the first's, that is left out.
/// - Returns: The last layer's hidden states, directions side by side, and the last states as in `states`.
public func recurrent(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor] = [], weights: [[RecurrentWeights]], batchFirst: Bool = false,
  dropout share: Double = 0
) -> (output: Tensor, states: [Tensor]) {
  let tensors = weights.flatMap { $0 }.flatMap(\.tensors)
  let results = composite("recurrent", [x] + states + tensors, count: 1 + cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(2...3, "the input")
    let isBatched = x.rank == 3
    let directions = weights.first?.count ?? 0
    guard directions > 0, weights.allSatisfy({ $0.count == directions }) else { throw TypeFault("has no weights") }
    var input = !isBatched ? x.unsqueeze(dim: 1) : batchFirst ? x.transpose(0, 1) : x
    let rows = weights.count * directions
    for state in states where state.rank != x.rank || state.shape[0] != Dimension(rows) {
      throw TypeFault(
        "a state is \(state.type), needs \(rows) rows for \(weights.count) layers, \(directions) directions")
    }
    let initial = states.map { isBatched ? $0 : $0.unsqueeze(dim: 1) }
    var last: [[Tensor]] = Array(repeating: [], count: cell.stateCount)
    for (layer, sets) in weights.enumerated() {
      if layer > 0 { input = dropout(input, p: share) }
      var outputs: [Tensor] = []
      for (direction, set) in sets.enumerated() {
        let row = layer * directions + direction
        let (output, ends) = recurrentLayer(
          cell, input, initial.map { $0.select(dim: 0, index: row) }, set, reverse: direction == 1)
        outputs.append(output)
        for (state, end) in ends.enumerated() { last[state].append(end) }
      }
      input = cat(outputs, dim: 2)
    }
    let output = !isBatched ? input.squeeze(dim: 1) : batchFirst ? input.transpose(0, 1) : input
    return [output] + last.map { isBatched ? stack($0) : stack($0).squeeze(dim: 1) }
  }
  return (results[0], Array(results.dropFirst()))
}
