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
  ///   - states: `[..., H]` each; the hidden state of an LSTM with a projection as wide as that.
  func step(_ projected: Tensor, _ states: [Tensor], _ weights: RecurrentWeights) -> [Tensor] {
    let (h, weight, bias) = (states[0], weights.hiddenHidden, weights.hiddenBias)
    switch self {
    case .tanh: return [(projected + linear(h, weight, bias)).tanh()]
    case .relu: return [LatheNN.relu(projected + linear(h, weight, bias))]
    case .lstm:
      let gates = (projected + linear(h, weight, bias)).chunk(4, dim: -1)
      let c = gates[1].sigmoid() * states[1] + gates[0].sigmoid() * gates[2].tanh()
      let output = gates[3].sigmoid() * c.tanh()
      return [weights.projection.map { linear(output, $0) } ?? output, c]
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

  /// What an LSTM's hidden state is multiplied with before it is given, `[P, H]`; `hiddenHidden` is `[4 H, P]` then.
  public var projection: Tensor?

  /// Makes it from its parts.
  public init(
    _ inputHidden: Tensor, _ hiddenHidden: Tensor, _ inputBias: Tensor? = nil, _ hiddenBias: Tensor? = nil,
    projection: Tensor? = nil
  ) {
    self.inputHidden = inputHidden
    self.hiddenHidden = hiddenHidden
    self.inputBias = inputBias
    self.hiddenBias = hiddenBias
    self.projection = projection
  }

  fileprivate var tensors: [Tensor] {
    [inputHidden, hiddenHidden, inputBias, hiddenBias, projection].compactMap { $0 }
  }

  /// Throws unless the weights fit an input and each other; gives the sizes of the states.
  fileprivate func requireFit(_ cell: RecurrentCell, _ x: Tensor) throws(TypeFault) -> [Dim] {
    try inputHidden.requireRank(2...2, "the input weight")
    try hiddenHidden.requireRank(2...2, "the hidden weight")
    let width = hiddenHidden.shape[1]
    var hidden = width
    if let projection {
      guard cell == .lstm else { throw TypeFault("only an LSTM has a projection") }
      try projection.requireRank(2...2, "the projection")
      guard projection.shape[0] == width else {
        throw TypeFault("the projection \(projection.type) does not give the \(width) numbers of the hidden state")
      }
      hidden = projection.shape[1]
    }
    let rows = hidden * Dim(cell.gateCount)
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
    return cell == .lstm ? [width, hidden] : [width]
  }
}

/// One step of a recurrent cell on `[N, I]` or `[I]`; without states from zeros.
public func recurrentStep(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor], _ weights: RecurrentWeights
) -> [Tensor] {
  composite("recurrentStep", [x] + states + weights.tensors, count: cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(1...2, "the input")
    let states = try initialStates(states, x, try weights.requireFit(cell, x), Array(x.shape.dropLast()))
    return cell.step(linear(x, weights.inputHidden, weights.inputBias), states, weights)
  }
}

/// The states, which must have the given sizes; zeros when there are none.
private func initialStates(
  _ states: [Tensor], _ x: Tensor, _ sizes: [Dim], _ batch: [Dim]
) throws(TypeFault) -> [Tensor] {
  if states.isEmpty { return sizes.map { x.builder.zeros(TensorType(x.dtype, batch + [$0])) } }
  guard states.count == sizes.count else { throw TypeFault("\(states.count) states, needs \(sizes.count)") }
  for (state, size) in zip(states, sizes) where state.shape != batch + [size] {
    throw TypeFault("a state is \(state.type), needs shape \((batch + [size]).text)")
  }
  return states
}

/// One recurrent layer in one direction over `[T, N, I]`: one product for all inputs, then one scan.
///
/// - Parameters:
///   - states: `[N, H]` each; zeros when empty.
///   - lengths: How many steps each sequence has, `[N]`; those behind leave the states alone and give zeros, as with
///     PyTorch's packed sequences.
/// - Returns: The hidden states `[T, N, H]`, and the last states.
public func recurrentLayer(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor] = [], _ weights: RecurrentWeights, reverse: Bool = false,
  lengths: Tensor? = nil
) -> (output: Tensor, states: [Tensor]) {
  let operands = [x] + states + weights.tensors + (lengths.map { [$0] } ?? [])
  let results = composite("recurrentLayer", operands, count: 1 + cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(3...3, "the input")
    let initial = try initialStates(states, x, try weights.requireFit(cell, x), [x.shape[1]])
    let projected = linear(x, weights.inputHidden, weights.inputBias)
    guard let lengths else {
      let (last, outputs) = scan(initial, over: [projected], reverse: reverse) { states, elements in
        let next = cell.step(elements[0], states, weights)
        return (next, [next[0]])
      }
      return outputs + last
    }
    guard lengths.shape == [x.shape[1]], lengths.dtype.isInteger else {
      throw TypeFault("the lengths are \(lengths.type), needs integers of shape [\(x.shape[1])]")
    }
    let steps = x.builder.iota(TensorType(lengths.dtype, [x.shape[0], x.shape[1], 1]), axis: 0)
    let runs = steps .< lengths.unsqueeze(dim: 1)
    let (last, outputs) = scan(initial, over: [projected, runs], reverse: reverse) { states, elements in
      let next = zip(cell.step(elements[0], states, weights), states).map { elements[1].select($0, $1) }
      return (next, [elements[1].select(next[0], next[0].zerosLike())])
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
///   - lengths: How many steps each sequence has, `[N]`: see `recurrentLayer`.
/// - Returns: The last layer's hidden states, directions side by side, and the last states as in `states`.
public func recurrent(
  _ cell: RecurrentCell, _ x: Tensor, _ states: [Tensor] = [], weights: [[RecurrentWeights]], batchFirst: Bool = false,
  dropout share: Double = 0, lengths: Tensor? = nil
) -> (output: Tensor, states: [Tensor]) {
  let tensors = weights.flatMap { $0 }.flatMap(\.tensors) + (lengths.map { [$0] } ?? [])
  let results = composite("recurrent", [x] + states + tensors, count: 1 + cell.stateCount) {
    () throws(TypeFault) -> [Tensor] in
    try x.requireRank(2...3, "the input")
    let isBatched = x.rank == 3
    guard isBatched || lengths == nil else { throw TypeFault("lengths are given for one sequence without a batch") }
    let directions = weights.first?.count ?? 0
    guard directions > 0, weights.allSatisfy({ $0.count == directions }) else { throw TypeFault("has no weights") }
    var input = !isBatched ? x.unsqueeze(dim: 1) : batchFirst ? x.transpose(0, 1) : x
    let rows = weights.count * directions
    for state in states where state.rank != x.rank || state.shape[0] != Dim(rows) {
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
          cell, input, initial.map { $0.select(dim: 0, index: row) }, set, reverse: direction == 1,
          lengths: lengths)
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
