internal import LatheCore
internal import LatheNN

/// Optimizers of `ai.onnx.preview.training`: operands are the learning rate, the number of the step, then all tensors,
/// all gradients, and all states of each kind; results are the tensors and states after the step.
extension Operator {
  static let training: [String: Operator] = [
    "Adagrad": .several { call throws(TypeFault) in
      let (decay, epsilon) = (try call.float("decay_factor", default: 0), try call.float("epsilon", default: 1e-6))
      return try stepped(call, states: 1) { rate, count, x, gradient, states in
        let sum = states[0] + gradient * gradient
        return [x - rate / (count * decay + 1) * gradient / (sum.sqrt() + epsilon), sum]
      }
    },
    "Adam": .several { call throws(TypeFault) in
      let (alpha, beta) = (try call.float("alpha", default: 0.9), try call.float("beta", default: 0.999))
      let epsilon = try call.float("epsilon", default: 1e-6)
      let shrinking = 1 - (try call.float("norm_coefficient_post", default: 0))
      return try stepped(call, states: 2) { rate, count, x, gradient, states in
        let first = states[0] * alpha + gradient * (1 - alpha)
        let second = states[1] * beta + gradient * gradient * (1 - beta)
        func power(_ base: Double) -> Tensor { count.filled(.float(base)).pow(count) }
        let corrected = rate * (1 - power(beta)).sqrt() / (1 - power(alpha))
        let adjusted = (count .> 0).select(corrected, rate)
        return [(x - adjusted * (first / (second.sqrt() + epsilon))) * shrinking, first, second]
      }
    },
    "Gradient": .several(gradient),
    "Momentum": .several { call throws(TypeFault) in
      let (alpha, beta) = (try call.float("alpha"), try call.float("beta"))
      let mode = try call.string("mode")
      guard mode == "standard" || mode == "nesterov" else {
        throw TypeFault("the mode '\(mode)' is neither standard nor nesterov")
      }
      return try stepped(call, states: 1) { rate, count, x, gradient, states in
        // The first gradient counts in full.
        let share = (count .> 0).select(count.filled(.float(beta)), count.onesLike())
        let velocity = states[0] * alpha + share * gradient
        return [x - rate * (mode == "standard" ? velocity : gradient + velocity * alpha), velocity]
      }
    },
  ]

  /// The derivatives of a value of the graph, summed, by others.
  private static func gradient(_ call: Call) throws(TypeFault) -> [Tensor] {
    let (names, constants) = (try call.strings("xs") ?? [], try call.strings("zs") ?? [])
    func named(_ name: String) throws(TypeFault) -> Tensor {
      guard let tensor = call.scope.values[name]?.tensor(in: call.builder) else {
        throw TypeFault("'\(name)' is not a tensor of the graph")
      }
      return tensor
    }
    guard call.operands.count == names.count + constants.count else {
      throw TypeFault("\(call.operands.count) operands for \(names.count + constants.count) names")
    }
    for (position, name) in (names + constants).enumerated() {
      guard try call.tensor(position).value == named(name).value else {
        throw TypeFault("the derivative at another value of '\(name)' than the graph's own is not supported")
      }
    }
    let y = try named(try call.string("y"))
    guard y.dtype.isFloat else { throw TypeFault("\(y.type) has no derivatives") }
    var tensors: [Tensor] = []
    for name in names { tensors.append(try named(name)) }
    return gradients(of: [(y, y.onesLike())], withRespectTo: tensors)
  }

  /// Applies a rule to every tensor: rate, number of the step, tensor, gradient with the penalty's, and states give the
  /// tensor and its states.
  private static func stepped(
    _ call: Call, states: Int, _ rule: (Tensor, Tensor, Tensor, Tensor, [Tensor]) -> [Tensor]
  ) throws(TypeFault) -> [Tensor] {
    let operands = try call.tensors()
    let kinds = 2 + states
    guard operands.count > 2, (operands.count - 2) % kinds == 0 else {
      throw TypeFault("\(operands.count) operands are not a rate, a count and \(kinds) for each tensor")
    }
    guard operands[0].type.elementCount == 1, operands[1].type.elementCount == 1 else {
      throw TypeFault("the rate \(operands[0].type) and the count \(operands[1].type) are single numbers")
    }
    let count = (operands.count - 2) / kinds
    let penalty = try call.float("norm_coefficient", default: 0)
    var results: [[Tensor]] = Array(repeating: [], count: 1 + states)
    for position in 0..<count {
      let own = (0..<kinds).map { operands[2 + $0 * count + position] }
      guard own.allSatisfy({ $0.type == own[0].type }) else {
        throw TypeFault("a tensor \(own[0].type), its gradient and its states differ in type")
      }
      func scalar(_ tensor: Tensor) -> Tensor { tensor.reshape([Int]()).convert(to: own[0].dtype) }
      let gradient = own[0] * penalty + own[1]
      let updated = rule(scalar(operands[0]), scalar(operands[1]), own[0], gradient, Array(own[2...]))
      for (kind, tensor) in updated.enumerated() { results[kind].append(tensor) }
    }
    return results.flatMap { $0 }
  }
}
