internal import LatheCore

extension Matcher {
  /// A walk over time each of whose steps is one of `LSTM`, `GRU` or `RNN`, in one direction.
  func recurrence(_ value: Value) -> Composite? {
    guard case .scan(let scan) = graph[value].operation, let step = RecurrentStep(of: scan) else { return nil }
    let given = graph[value].operands
    let initial = Array(given.prefix(scan.carryCount))
    guard type(initial[0]).dtype == .f32, let (x, weight, inputBias) = projection(given[step.input]) else {
      return nil
    }
    // Literals are in the body, all else is given; a vector may be spread over the batch outside.
    func outer(_ source: RecurrentStep.Source, isVector: Bool) -> MatchedOperand? {
      switch source {
      case .literal(let array): return .literal(array)
      case .operand(let position):
        guard type(given[position]).rank == 2, isVector else { return .value(given[position]) }
        return spread(given[position], alongAllBut: [0], of: type(given[position]).shape).map { .value($0) }
      }
    }
    let gates = step.gates.count
    var recurrent: [RecurrentRows] = []
    for part in step.weights {
      guard let operand = outer(part.source, isVector: false) else { return nil }
      recurrent.append(RecurrentRows(operand: operand, isTurned: part.isTurned))
    }
    var biases = [inputBias.map { [RecurrentRows(operand: .value($0))] }, nil]
    if let parts = step.biases {
      var vectors: [RecurrentRows] = []
      for part in parts {
        guard let vector = outer(part, isVector: true) else { return nil }
        vectors.append(RecurrentRows(operand: vector))
      }
      biases[1] = vectors
    }
    let matrices = [[RecurrentRows(operand: .value(weight.value), isTurned: weight.isTurned)], recurrent]
    for (rank, parts) in matrices.map({ (2, $0) }) + biases.compactMap({ $0 }).map({ (1, $0) }) {
      let rows = Dim(gates / parts.count * step.hidden)
      guard parts.allSatisfy({ $0.rows(in: self, rank: rank) == rows }) else { return nil }
    }
    var lengths: Value?
    if let live = step.live {
      guard let found = live.lengths(in: self, given) else { return nil }
      lengths = found
    }
    let starts = initial.map { isNumber($0, 0) ? nil : $0 }
    let read =
      [x] + (matrices + biases.compactMap { $0 }).joined().compactMap(\.operand.value)
      + ([lengths] + starts).compactMap { $0 }
    return .several(read) { (export, types) throws(TypeFault) -> [ONNXValue] in
      var operands: [ONNXValue?] = [try export.value(x)]
      for matrix in matrices {
        let ordered = try export.blocks(matrix, step.gates, step.hidden)
        operands.append(try export.reshape(ordered, to: [1] + ordered.shape))
      }
      if biases.contains(where: { $0 != nil }) {
        var parts: [ONNXValue] = []
        for bias in biases {
          if let bias {
            parts.append(try export.blocks(bias, step.gates, step.hidden))
          } else {
            let zeros = unfailing {
              try NDArray(repeating: .float(0), dtype: .f32, shape: [gates * step.hidden])
            }
            parts.append(export.model.literal(zeros, "zeros"))
          }
        }
        let both = export.emit("Concat", parts, TensorType(.f32, [Dim(2 * gates * step.hidden)]), [.int("axis", 0)])
        operands.append(try export.reshape(both, to: [1] + both.shape))
      } else {
        operands.append(nil)
      }
      operands.append(try lengths.map { value throws(TypeFault) in export.cast(try export.value(value), to: .i32) })
      for start in starts {
        operands.append(
          try start.map { value throws(TypeFault) in
            let state = try export.value(value)
            return try export.reshape(state, to: [1] + state.shape)
          })
      }
      while case .some(nil) = operands.last { operands.removeLast() }
      let states = types.prefix(scan.carryCount)
      let stacked = types[scan.carryCount]
      let results = try export.compute(
        step.operation, operands, in: .f32,
        results: [stacked.with(shape: [stacked.shape[0], 1] + stacked.shape[1...])]
          + states.map { $0.with(shape: [1] + $0.shape) },
        [.int("hidden_size", step.hidden)] + (scan.reverse ? [.string("direction", "reverse")] : []) + step.attributes)
      var written: [ONNXValue] = []
      for (result, type) in zip(results.dropFirst() + [results[0]], types) {
        written.append(try export.reshape(result, to: type.shape))
      }
      return written
    }
  }

  /// A product with weights for all steps at once, and what is added to each row.
  private func projection(_ value: Value) -> (x: Value, weight: (value: Value, isTurned: Bool), bias: Value?)? {
    if case .dot(let dot) = graph[value].operation {
      let (x, weight) = (graph[value].operands[0], graph[value].operands[1])
      guard type(x).rank == 3, type(weight).rank == 2, dot.leftContracting == [2] else { return nil }
      return (x, (weight, dot.rightContracting == [1]), nil)
    }
    guard let sum = operands(value, .add), let bias = spread(sum[1], alongAllBut: [0, 1], of: type(value).shape),
      let (x, weight, none) = projection(sum[0]), none == nil
    else { return nil }
    return (x, weight, bias)
  }
}

/// What the body of a scan computes, where it is one step of a recurrent layer that ONNX has.
private struct RecurrentStep {
  /// An operand of the scan, or a literal of its body.
  enum Source: Hashable {
    case operand(Int)
    case literal(NDArray)
  }

  struct Weight: Hashable {
    var source: Source
    var isTurned: Bool
  }

  var operation: String
  var attributes: [Onnx_AttributeProto] = []
  /// The product of the layer's input with its weights: the position of a sequence.
  var input: Int
  /// What the state is multiplied with, one matrix, or one for each gate in ONNX's order.
  var weights: [Weight]
  /// What is added, likewise.
  var biases: [Source]?
  /// For each gate in ONNX's order which block of the weights it is.
  var gates: [Int]
  var hidden: Int
  /// Where the sequences still run, if they have lengths.
  var live: Liveness?

  init?(of scan: Scan) {
    let body = StepMatcher(scan)
    guard let step = body.step() else { return nil }
    self = step
  }

  init?(_ operation: String, _ gates: [StepMatcher.Gate], _ hidden: Int, _ attributes: [Onnx_AttributeProto] = []) {
    let added = gates.compactMap { gate in gate.bias.map { ($0, gate.biasRow, gate.row) } }
    guard gates.allSatisfy({ $0.input == gates[0].input }), added.isEmpty || added.count == gates.count,
      let weights = Self.parts(gates.map { ($0.weight, $0.weightRow, $0.row) })
    else { return nil }
    self.operation = operation
    self.attributes = attributes
    self.gates = gates.map { $0.row / hidden }
    self.hidden = hidden
    self.weights = weights
    input = gates[0].input
    if added.isEmpty { return }
    guard let biases = Self.parts(added) else { return nil }
    self.biases = biases
  }

  /// Blocks of one source, in the order that the input's product has them in, or a source for each.
  private static func parts<Source: Hashable>(_ gates: [(source: Source, first: Int, row: Int)]) -> [Source]? {
    if gates.allSatisfy({ $0.source == gates[0].source && $0.first == $0.row }) { return [gates[0].source] }
    return gates.allSatisfy { $0.first == 0 } ? gates.map(\.source) : nil
  }
}

/// Rows of weights, one for each unit of one gate or of all.
private struct RecurrentRows {
  var operand: MatchedOperand
  /// Whether a matrix has the units as its rows.
  var isTurned = true

  /// How many there are, where they have so many axes.
  func rows(in matcher: Matcher, rank: Int) -> Dim? {
    let shape = operand.type(in: matcher).shape
    return shape.count == rank ? shape[isTurned ? 0 : 1] : nil
  }
}

/// How a step tells which sequences still run.
private enum Liveness {
  /// By the step's number, a sequence, and the lengths, a constant.
  case compared(step: Int, lengths: Int)
  /// By truth values, a sequence.
  case listed(Int)

  /// The lengths among the operands of the scan.
  func lengths(in matcher: Matcher, _ operands: [Value]) -> Value? {
    func isSteps(_ value: Value) -> Bool {
      guard case .iota(let iota) = matcher.graph[value].operation else { return false }
      return iota.axis == 0
    }
    switch self {
    case .compared(let step, let lengths): return isSteps(operands[step]) ? operands[lengths] : nil
    case .listed(let position):
      guard let test = matcher.operands(matcher.squeezed(operands[position]), .less), isSteps(test[0]) else {
        return nil
      }
      let shape = matcher.type(test[1]).shape
      return matcher.spread(test[1], alongAllBut: shape.indices.filter { $0 != 1 }, of: shape)
    }
  }
}

/// Looks for the step of a recurrent layer in the body of a scan.
private struct StepMatcher {
  /// A block of numbers for each hidden unit.
  struct Gate {
    var input: Int
    /// The first row of the product of the input.
    var row: Int
    var weight: RecurrentStep.Weight
    /// The first row of the weight.
    var weightRow: Int
    var bias: RecurrentStep.Source?
    var biasRow = 0
  }

  let scan: Scan
  let matcher: Matcher
  let states: [Value]
  let hidden: Int
  /// The next states, without the choice of those whose sequence has ended.
  private var next: [Value]

  init(_ scan: Scan) {
    self.scan = scan
    matcher = Matcher(graph: scan.body)
    states = Array(scan.body.inputs.prefix(scan.carryCount))
    next = scan.body.outputs.map(\.value)
    hidden = states.first.flatMap { scan.body.type(of: $0).shape.last?.known } ?? 0
  }

  func step() -> RecurrentStep? {
    guard hidden > 0,
      states.allSatisfy({ matcher.type($0).rank == 2 && matcher.type($0).shape[1] == Dim(hidden) }),
      next.count == states.count + 1
    else { return nil }
    var running = self
    var live: Liveness?
    if let choice = matcher.operands(next[0], .select), let found = running.stripLengths(choice[0]) {
      live = found
    } else if next[0] != next[states.count] {
      return nil
    } else {
      running = self
    }
    var step = states.count == 2 ? running.lstm() : states.count == 1 ? running.gru() ?? running.rnn() : nil
    step?.live = live
    return step
  }

  /// Takes the choices of what still runs off the results.
  private mutating func stripLengths(_ live: Value) -> Liveness? {
    let chosen = next[0]
    for position in next.indices {
      guard let choice = matcher.operands(next[position], .select), choice[0] == live,
        position < states.count
          ? choice[2] == states[position]
          : [chosen, next[0]].contains(choice[1]) && matcher.isNumber(choice[2], 0)
      else { return nil }
      next[position] = choice[1]
    }
    let shape = matcher.type(live).shape
    guard let runs = matcher.spread(live, alongAllBut: [1], of: shape) else { return nil }
    if let position = input(runs) { return .listed(position) }
    guard let test = matcher.operands(runs, .less), let (step, _) = matcher.broadcast(test[0]),
      let position = input(step), let lengths = input(test[1])
    else { return nil }
    return .compared(step: position, lengths: lengths)
  }

  private func input(_ value: Value) -> Int? { scan.body.inputs.firstIndex(of: value) }

  // MARK: Cells

  /// `c' = f c + i g`, `h' = o tanh(c')`.
  private func lstm() -> RecurrentStep? {
    let (h, c) = (states[0], states[1])
    let matcher = matcher
    return matcher.either(next[0], .multiply) { (a, b) -> RecurrentStep? in
      guard matcher.operand(b, .tanh) == next[1], let output = sigmoid(a, of: h) else { return nil }
      return matcher.either(next[1], .add) { (kept, added) -> RecurrentStep? in
        let forget = matcher.either(kept, .multiply) { $1 == c ? sigmoid($0, of: h) : nil }
        let pair = matcher.either(added, .multiply) { (i, g) -> [Gate]? in
          guard let input = sigmoid(i, of: h), let cell = matcher.operand(g, .tanh).flatMap({ gate($0, of: h) }) else {
            return nil
          }
          return [input, cell]
        }
        guard let forget, let pair else { return nil }
        return made("LSTM", [pair[0], output, forget, pair[1]])
      }
    }
  }

  /// `h' = (1 - z) n + z h`.
  private func gru() -> RecurrentStep? {
    let h = states[0]
    let matcher = matcher
    return matcher.either(next[0], .add) { (fresh, kept) -> RecurrentStep? in
      guard let update = matcher.either(kept, .multiply, { $1 == h ? $0 : nil }), let z = sigmoid(update, of: h),
        let argument = matcher.either(
          fresh, .multiply,
          { (share, n) -> Value? in
            guard let rest = matcher.operands(share, .subtract), matcher.isNumber(rest[0], 1), rest[1] == update else {
              return nil
            }
            return matcher.operand(n, .tanh)
          })
      else { return nil }
      // The reset before the product with the weights,
      for (reset, state) in products(in: argument).compactMap({ factors($0, h) }) {
        if let r = sigmoid(reset, of: h), let n = gate(argument, of: state) { return made("GRU", [z, r, n]) }
      }
      // or behind it.
      return matcher.either(argument, .add) { (input, reset) -> RecurrentStep? in
        matcher.either(reset, .multiply) { (share, product) -> RecurrentStep? in
          guard let r = sigmoid(share, of: h), let n = gate([input, product], of: h) else { return nil }
          return made("GRU", [z, r, n], [.int("linear_before_reset", 1)])
        }
      }
    }
  }

  /// `h' = tanh(...)`, or rectified.
  private func rnn() -> RecurrentStep? {
    if let argument = matcher.operand(next[0], .tanh), let all = gate(argument, of: states[0]) {
      return made("RNN", [all])
    }
    guard let argument = matcher.rectified(next[0]), let all = gate(argument, of: states[0]) else { return nil }
    return made("RNN", [all], [.strings("activations", ["Relu"])])
  }

  private func made(_ operation: String, _ gates: [Gate], _ attributes: [Onnx_AttributeProto] = []) -> RecurrentStep? {
    let blocks = Set(gates.map { $0.row })
    guard gates.allSatisfy({ $0.row % hidden == 0 }), blocks.count == gates.count,
      blocks.allSatisfy({ $0 < gates.count * hidden })
    else { return nil }
    return RecurrentStep(operation, gates, hidden, attributes)
  }

  // MARK: Gates

  private func sigmoid(_ value: Value, of state: Value) -> Gate? {
    matcher.operand(value, .sigmoid).flatMap { gate($0, of: state) }
  }

  private func gate(_ value: Value, of state: Value) -> Gate? { gate([value], of: state) }

  /// The sum of some values, if it is that of the input's product and a state's, and of a bias.
  private func gate(_ values: [Value], of state: Value) -> Gate? {
    var (inputs, products, biases): ([(Int, Int)], [(RecurrentStep.Weight, Int)], [(RecurrentStep.Source, Int)]) =
      ([], [], [])
    for term in values.flatMap({ terms($0) }) {
      switch term {
      case .input(let position, let row): inputs.append((position, row))
      case .product(let of, let weight, let row) where of == state: products.append((weight, row))
      case .bias(let source, let row): biases.append((source, row))
      default: return nil
      }
    }
    guard inputs.count == 1, products.count == 1, biases.count <= 1 else { return nil }
    return Gate(
      input: inputs[0].0, row: inputs[0].1, weight: products[0].0, weightRow: products[0].1, bias: biases.first?.0,
      biasRow: biases.first?.1 ?? 0)
  }

  private enum Term {
    case input(Int, row: Int)
    case product(of: Value, RecurrentStep.Weight, row: Int)
    case bias(RecurrentStep.Source, row: Int)
    case other
  }

  /// What a value is the sum of, each from a row of the weights on.
  private func terms(_ value: Value, from row: Int = 0) -> [Term] {
    let node = scan.body[value]
    switch node.operation {
    case .slice(let slice) where isCut(slice, matcher.type(node.operands[0]).shape):
      return terms(node.operands[0], from: row + slice.start[1])
    case .pointwise(.add): return node.operands.flatMap { terms($0, from: row) }
    case .input:
      guard let position = input(value) else { return [.other] }
      if position < states.count { return [.other] }
      let isSequence = position < states.count + scan.sequenceCount
      return [isSequence ? .input(position, row: row) : .bias(.operand(position), row: row)]
    case .dot(let dot) where dot.leftBatch.isEmpty && dot.leftContracting == [1]:
      let axis = 1 - dot.rightContracting[0]
      guard let (source, first) = cut(node.operands[1], axis) else { return [.other] }
      return [.product(of: node.operands[0], .init(source: source, isTurned: axis == 0), row: row + first)]
    default:
      guard let vector = matcher.spread(value, alongAllBut: [0], of: matcher.type(value).shape),
        let (source, first) = cut(vector, 0)
      else { return [.other] }
      return [.bias(source, row: row + first)]
    }
  }

  /// A constant of the scan or a literal, or rows of one, and which is the first.
  private func cut(_ value: Value, _ axis: Int) -> (source: RecurrentStep.Source, row: Int)? {
    if let array = scan.body.literal(value) { return (.literal(array), 0) }
    if let position = input(value) {
      return position < states.count + scan.sequenceCount ? nil : (.operand(position), 0)
    }
    guard case .slice(let slice) = scan.body[value].operation else { return nil }
    let whole = scan.body[value].operands[0]
    guard let (source, none) = cut(whole, axis), none == 0 else { return nil }
    let shape = matcher.type(whole).shape
    let isWhole = shape.indices.allSatisfy { $0 == axis || slice.start[$0] == 0 && slice.limit[$0] == shape[$0] }
    return isWhole && slice.stride.allSatisfy { $0 == 1 } ? (source, slice.start[axis]) : nil
  }

  /// Whether a slice takes columns only.
  private func isCut(_ slice: Slice, _ shape: [Dim]) -> Bool {
    shape.count == 2 && slice.start[0] == 0 && slice.limit[0] == shape[0] && slice.stride == [1, 1]
  }

  /// What the weights are multiplied with in a sum.
  private func products(in value: Value) -> [Value] {
    terms(value).compactMap { if case .product(let state, _, _) = $0 { state } else { nil } }
  }

  /// A product with the state: the other factor, and the product.
  private func factors(_ value: Value, _ state: Value) -> (Value, Value)? {
    matcher.either(value, .multiply) { $1 == state ? ($0, value) : nil }
  }
}

extension GraphExport {
  /// Blocks of rows in another order, or those of several weights, which have it already.
  fileprivate func blocks(_ parts: [RecurrentRows], _ order: [Int], _ size: Int) throws(TypeFault) -> ONNXValue {
    var written: [ONNXValue] = []
    for part in parts {
      let x = try part.operand.written(self)
      written.append(part.isTurned ? x : transpose(x, [1, 0]))
    }
    if written.count == 1 { return try blocks(written[0], order, size) }
    let shape = [Dim(order.count * size)] + written[0].shape.dropFirst()
    return emit("Concat", written, written[0].type.with(shape: shape), [.int("axis", 0)])
  }

  private func blocks(_ x: ONNXValue, _ order: [Int], _ size: Int) throws(TypeFault) -> ONNXValue {
    if order == Array(order.indices) { return x }
    // Neighbours stay together.
    var runs: [Range<Int>] = []
    for block in order {
      if let last = runs.last, last.upperBound == block {
        runs[runs.count - 1] = last.lowerBound..<(block + 1)
      } else {
        runs.append(block..<(block + 1))
      }
    }
    var parts: [ONNXValue] = []
    for run in runs {
      parts.append(
        try slice(
          x, axes: [0], start: [run.lowerBound * size], limit: [Dim(run.upperBound * size)], stride: [1]))
    }
    return emit("Concat", parts, x.type, [.int("axis", 0)])
  }
}
