internal import LatheCore
internal import LatheNN

/// Recurrent layers: one scan over time for each direction.
extension Operator {
  static let recurrent: [String: Operator] = [
    "RNN": .several { call throws(TypeFault) in try Recurrence(call, gates: 1, states: 1).run(call) },
    "GRU": .several { call throws(TypeFault) in try Recurrence(call, gates: 3, states: 1).run(call) },
    "LSTM": .several { call throws(TypeFault) in try Recurrence(call, gates: 4, states: 2).run(call) },
  ]

  /// Of `com.microsoft`: weights are scaled integers, and products are those of integers.
  static let quantizedRecurrent: [String: Operator] = [
    "DynamicQuantizeLSTM": .several { call throws(TypeFault) in
      try Recurrence(call, gates: 4, states: 2, isQuantized: true).run(call)
    }
  ]
}

/// What `RNN`, `GRU` and `LSTM` share: operands `X, W, R, B, sequence_lens, initial_h`, and `initial_c, P` of `LSTM`.
private struct Recurrence {
  typealias Activation = @Sendable (Tensor) -> Tensor

  let gates: Int
  let states: Int
  let hidden: Int
  let directions: [Bool]  // whether each runs backwards
  let activations: [Activation]
  let clip: Double?
  let linearBeforeReset: Bool
  let coupled: Bool
  let batchFirst: Bool
  /// Whether weights are scaled integers and come turned, `[D, inputs, gates H]`, their scales and zero points behind all
  /// other operands.
  let isQuantized: Bool

  init(_ call: Call, gates: Int, states: Int, isQuantized: Bool = false) throws(TypeFault) {
    self.gates = gates
    self.states = states
    self.isQuantized = isQuantized
    let weight = try call.tensor(2)
    guard weight.rank == 3 else { throw TypeFault("the recurrence weight \(weight.type) has not 3 axes") }
    hidden = try weight.size(isQuantized ? 1 : 2, "the hidden size")
    if let listed = try call.optionalInteger("hidden_size"), listed != hidden {
      throw TypeFault("hidden_size is \(listed), the recurrence weight \(weight.type) has \(hidden)")
    }
    switch try call.string("direction", default: "forward") {
    case "forward": directions = [false]
    case "reverse": directions = [true]
    case "bidirectional": directions = [false, true]
    case let other: throw TypeFault("the direction '\(other)' is not one of forward, reverse, bidirectional")
    }
    guard weight.shape[0] == Dim(directions.count) else {
      throw TypeFault("\(directions.count) directions need as many weights, given \(weight.type)")
    }
    let usual = gates == 1 ? ["Tanh"] : gates == 3 ? ["Sigmoid", "Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
    let names = try call.strings("activations") ?? directions.flatMap { _ in usual }
    guard names.count == usual.count * directions.count else {
      throw TypeFault("\(names.count) activations are named, \(usual.count * directions.count) are needed")
    }
    activations = try Self.activations(
      names, alpha: try call.floats("activation_alpha") ?? [], beta: try call.floats("activation_beta") ?? [])
    clip = try call.optionalFloat("clip")
    linearBeforeReset = try call.flag("linear_before_reset")
    coupled = try call.flag("input_forget")
    batchFirst = try call.flag("layout")
  }

  /// The functions of names; those with parameters take theirs from the lists in turn.
  private static func activations(_ names: [String], alpha: [Double], beta: [Double]) throws(TypeFault) -> [Activation]
  {
    var (alphas, betas) = (alpha[...], beta[...])
    var functions: [Activation] = []
    for name in names {
      func a(_ other: Double) -> Double { alphas.popFirst() ?? other }
      func b(_ other: Double) -> Double { betas.popFirst() ?? other }
      switch name.lowercased() {
      case "relu": functions.append { relu($0) }
      case "tanh": functions.append { $0.tanh() }
      case "sigmoid": functions.append { $0.sigmoid() }
      case "softsign": functions.append { softsign($0) }
      case "softplus": functions.append { softplus($0) }
      case "affine":
        let (p, q) = (a(1), b(0))
        functions.append { $0 * p + q }
      case "leakyrelu":
        let p = a(0.01)
        functions.append { leakyRelu($0, negativeSlope: p) }
      case "thresholdedrelu":
        let p = a(1)
        functions.append { x in (x .> p).select(x, x.zerosLike()) }
      case "scaledtanh":
        let (p, q) = (a(1), b(1))
        functions.append { ($0 * q).tanh() * p }
      case "hardsigmoid":
        let (p, q) = (a(0.2), b(0.5))
        functions.append { ($0 * p + q).maximum(0).minimum(1) }
      case "elu":
        let p = a(1)
        functions.append { elu($0, alpha: p) }
      default: throw TypeFault("the activation '\(name)' is not known")
      }
    }
    return functions
  }

  /// `Y[T, D, B, H]` and the last states `[D, B, H]`; with `layout` 1 the batch comes first.
  func run(_ call: Call) throws(TypeFault) -> [Tensor] {
    var x = try call.tensor(0)
    guard x.rank == 3 else { throw TypeFault("the operand \(x.type) has not 3 axes") }
    if batchFirst { x = x.permute([1, 0, 2]) }
    let (time, batch) = (x.shape[0], x.shape[1])
    let (weight, recurrent) = (try call.tensor(1), try call.tensor(2))
    let size = Dim(hidden)
    let rows = Dim(gates) * size
    let matrix = isQuantized ? [x.shape[2], rows] : [rows, x.shape[2]]
    guard weight.shape == [Dim(directions.count)] + matrix else {
      throw TypeFault("the weight \(weight.type) does not fit \(gates) gates of \(hidden) and the operand \(x.type)")
    }
    guard recurrent.shape[isQuantized ? 2 : 1] == rows else {
      throw TypeFault("the recurrence weight \(recurrent.type) does not have \(gates) gates of \(hidden)")
    }
    let lengths = try call.optional(4)?.convert(to: .i64)
    if let lengths, lengths.shape != [batch] {
      throw TypeFault("the lengths \(lengths.type) are not one for each of \(batch)")
    }
    var outputs: [Tensor] = []
    var finals: [[Tensor]] = Array(repeating: [], count: states)
    for (direction, reverse) in directions.enumerated() {
      func part(_ tensor: Tensor) -> Tensor {
        tensor.slice(axis: 0, from: direction, to: direction + 1).reshape(Array(tensor.shape.dropFirst()))
      }
      /// Weights as `[inputs, gates H]`.
      func turned(_ weight: Tensor) -> Tensor { isQuantized ? part(weight) : part(weight).permute([1, 0]) }
      func initial(_ position: Int) throws(TypeFault) -> Tensor {
        guard var state = try call.optional(position) else {
          return call.builder.zeros(TensorType(x.dtype, [batch, size]))
        }
        if batchFirst { state = state.permute([1, 0, 2]) }
        guard state.shape == [Dim(directions.count), batch, size] else {
          throw TypeFault("an initial state is \(state.type), not [\(directions.count),\(batch),\(size)]")
        }
        return part(state)
      }
      var carry = [try initial(5)]
      if states == 2 { carry.append(try initial(6)) }
      let bias = try call.optional(3).map(part)
      if let bias, bias.shape != [Dim(2 * gates) * size] { throw TypeFault("the bias \(bias.type) does not fit") }
      let peephole = states == 2 ? try call.optional(7).map(part) : nil
      // The operand's part of all gates, for all steps at once.
      var projected = Self.product(
        x, turned(weight), isQuantized ? part(try call.tensor(8)) : nil, isQuantized ? part(try call.tensor(9)) : nil)
      if let bias { projected = projected + bias.slice(axis: 0, from: 0, to: gates * hidden) }
      let offset = bias?.slice(axis: 0, from: gates * hidden, to: 2 * gates * hidden)
      let steps = call.builder.iota(TensorType(.i64, [time]), axis: 0)
      let scaling = isQuantized ? [part(try call.tensor(10)), part(try call.tensor(11))] : []
      let constants = [turned(recurrent)] + scaling + [offset, peephole, lengths].compactMap { $0 }
      let operands = carry + [projected, steps] + constants
      let types = try operands.enumerated().map { position, operand throws(TypeFault) -> TensorType in
        let type = try operand.checked().type
        return (states..<(states + 2)).contains(position) ? type.with(shape: Array(type.shape.dropFirst())) : type
      }
      let perDirection = activations.count / directions.count
      let functions = Array(activations[(direction * perDirection)..<((direction + 1) * perDirection)])
      let body = try call.builder.region(types) { _, values throws(TypeFault) in
        var rest = values[...]
        let before = Array(rest.prefix(states))
        rest = rest.dropFirst(states)
        let (input, step) = (rest.removeFirst(), rest.removeFirst())
        let matrix = rest.removeFirst()
        let innerScale = isQuantized ? rest.removeFirst() : nil
        let innerZero = isQuantized ? rest.removeFirst() : nil
        let innerOffset = offset == nil ? nil : rest.removeFirst()
        let innerPeephole = peephole == nil ? nil : rest.removeFirst()
        let product = Self.product(before[0], matrix, innerScale, innerZero)
        var after = try cell(input, before, product, matrix, innerOffset, innerPeephole, functions)
        var output = after[0]
        if let lengths = rest.first {
          // Behind its end a sequence keeps its state and gives zeros.
          let isLive = (step .< lengths).broadcast(to: output.shape, axes: [0])
          after = zip(after, before).map { isLive.select($0, $1) }
          output = isLive.select(output, output.zerosLike())
        }
        return after + [output]
      }
      let results = call.builder.apply(
        .scan(Scan(body: body, length: time, carryCount: states, sequenceCount: 2, reverse: reverse)), operands)
      outputs.append(results[states].inserting(axes: [1]))
      for state in 0..<states { finals[state].append(results[state].inserting(axes: [0])) }
    }
    let y = Tensor.concatenate(outputs, axis: 1)
    let last = finals.map { Tensor.concatenate($0, axis: 0) }
    return batchFirst ? [y.permute([2, 0, 1, 3])] + last.map { $0.permute([1, 0, 2]) } : [y] + last
  }

  /// A product with weights, which may be integers with a scale and a zero point.
  private static func product(_ x: Tensor, _ matrix: Tensor, _ scale: Tensor?, _ zero: Tensor?) -> Tensor {
    guard let scale, let zero else { return matmul(x, matrix) }
    return Operator.product(x, matrix.convert(to: .i32) - zero.convert(to: .i32), scale)
  }

  /// One step: the states behind it, the output first.
  ///
  /// - Parameter product: That of the state and the weights.
  private func cell(
    _ input: Tensor, _ before: [Tensor], _ product: Tensor, _ matrix: Tensor, _ offset: Tensor?, _ peephole: Tensor?,
    _ f: [Activation]
  ) throws(TypeFault) -> [Tensor] {
    let h = before[0]
    func gate(_ tensor: Tensor, _ index: Int) -> Tensor {
      tensor.slice(axis: tensor.rank - 1, from: index * hidden, to: (index + 1) * hidden)
    }
    func clipped(_ x: Tensor) -> Tensor { clip.map { x.maximum(-$0).minimum($0) } ?? x }
    func joined(_ index: Int, _ recurrent: Tensor) -> Tensor { gate(input, index) + gate(recurrent, index) }
    var recurrent = product
    if let offset { recurrent = recurrent + offset }
    switch gates {
    case 1: return [f[0](clipped(input + recurrent))]
    case 3:
      let z = f[0](clipped(joined(0, recurrent)))
      let r = f[0](clipped(joined(1, recurrent)))
      var candidate: Tensor
      if linearBeforeReset {
        candidate = r * gate(recurrent, 2)
      } else {
        candidate = matmul(r * h, gate(matrix, 2))
        if let offset { candidate = candidate + gate(offset, 2) }
      }
      let n = f[1](clipped(gate(input, 2) + candidate))
      return [(1 - z) * n + z * h]
    default:  // gates i, o, f, c
      let c = before[1]
      func peeped(_ x: Tensor, _ index: Int, _ c: Tensor) -> Tensor { peephole.map { x + gate($0, index) * c } ?? x }
      let i = f[0](clipped(peeped(joined(0, recurrent), 0, c)))
      let forget = coupled ? 1 - i : f[0](clipped(peeped(joined(2, recurrent), 2, c)))
      let cell = forget * c + i * f[1](clipped(joined(3, recurrent)))
      let o = f[0](clipped(peeped(joined(1, recurrent), 1, cell)))
      return [o * f[2](cell), cell]
    }
  }
}
