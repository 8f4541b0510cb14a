internal import LatheCore
internal import LatheNN

/// Layers with a state that is carried from call to call.
extension Operator {
  static let recurrences: [String: Operator] = [
    "LinearAttention": .several(linearAttention),
    "CausalConvWithState": .several { call throws(TypeFault) in
      let (x, weight) = (try call.tensor(0), try call.tensor(1))
      guard x.rank == 3, weight.rank == 3, weight.shape[0] == x.shape[1], weight.shape[1] == 1 else {
        throw TypeFault("the operand \(x.type) and the weight \(weight.type) are not [B, C, L] and [C, 1, k]")
      }
      let channels = try x.size(1, "the number of channels")
      let before = try weight.size(2, "the size of the kernel") - 1
      guard before >= 0 else { throw TypeFault("the weight \(weight.type) has no elements") }
      let past =
        try call.optional(3) ?? call.builder.zeros(x.type.with(shape: [x.shape[0], x.shape[1], Dim(before)]))
      guard past.shape == [x.shape[0], x.shape[1], Dim(before)] else {
        throw TypeFault("the past state \(past.type) does not fit \(x.type) and a kernel of \(before + 1)")
      }
      let padded = Tensor.concatenate([past.convert(to: x.dtype), x], axis: 2)
      var y = convNd(padded, weight, try call.optional(2), groups: channels)
      switch try call.string("activation", default: "none") {
      case "none": break
      case "silu", "swish": y = silu(y)
      case let other: throw TypeFault("the activation '\(other)' is not one of none, silu, swish")
      }
      let length = try padded.checked().size(2, "the length of the sequence")
      return [y, padded.slice(axis: 2, from: length - before, to: length)]
    },
  ]

  /// A matrix for each head, to which every step adds a key's product with its value, and from which it reads with the
  /// query; it may decay before, and what it already gives for the key may be taken off the value (delta rule).
  private static func linearAttention(_ call: Call) throws(TypeFault) -> [Tensor] {
    let (query, key, value) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    let (queries, heads) = (try call.integer("q_num_heads"), try call.integer("kv_num_heads"))
    guard heads > 0, queries > 0, queries % heads == 0 else {
      throw TypeFault("\(queries) query heads do not share \(heads)")
    }
    let rule = try call.string("update_rule", default: "gated_delta")
    guard ["linear", "gated", "delta", "gated_delta"].contains(rule) else {
      throw TypeFault("the update_rule '\(rule)' is not one of linear, gated, delta, gated_delta")
    }
    let (decay, beta) = (try call.optional(4), try call.optional(5))
    guard (decay != nil) == rule.hasPrefix("gated"), (beta != nil) == rule.hasSuffix("delta") else {
      throw TypeFault("the update_rule '\(rule)' does not fit the operands decay and beta that are given")
    }
    let sequences = [query, key, value] + [decay, beta].compactMap { $0 }
    guard sequences.allSatisfy({ $0.rank == 3 && $0.shape[0] == query.shape[0] && $0.shape[1] == query.shape[1] })
    else {
      throw TypeFault("the operands are not sequences of one batch and length, [B, T, features]")
    }
    let batch = query.shape[0]
    /// `[T, B, heads, features]`.
    func split(_ x: Tensor, _ count: Int) throws(TypeFault) -> Tensor {
      guard let features = x.shape[2].divided(exactlyBy: Dim(count)) else {
        throw TypeFault("the features of \(x.type) do not divide into \(count) heads")
      }
      return x.convert(to: .f32).reshape([batch, x.shape[1], Dim(count), features]).permute([1, 0, 2, 3])
    }
    let (q, k, v) = (try split(query, queries), try split(key, heads), try split(value, heads))
    let (inner, outer) = (k.shape[3], v.shape[3])
    guard q.shape[3] == inner else { throw TypeFault("queries and keys have \(q.shape[3]) and \(inner) features") }
    let decays = try decay.map { decay throws(TypeFault) in try split(decay, heads) }
    let betas = try beta.map { beta throws(TypeFault) in
      try split(beta, beta.shape[2] == 1 ? 1 : heads)
    }
    guard decays.map({ $0.shape[3] == 1 || $0.shape[3] == inner }) ?? true, betas.map({ $0.shape[3] == 1 }) ?? true
    else {
      throw TypeFault("decay and beta do not fit \(heads) heads of \(inner) features")
    }
    let listed = try call.float("scale", default: 0)
    let scale = listed == 0 ? 1 / Double(try q.size(3, "the size of a head")).squareRoot() : listed
    let past = try call.optional(3)
    let shape = [batch, Dim(heads), inner, outer]
    if let past, past.shape != shape { throw TypeFault("the past state \(past.type) is not \(shape.text)") }
    let start = past?.convert(to: .f32) ?? call.builder.zeros(TensorType(.f32, shape))
    let group = queries / heads
    let (state, outputs) = LatheNN.scan([start], over: [q, k, v] + [decays, betas].compactMap { $0 }) { state, step in
      var rest = step[3...]
      var matrix = state[0]
      if decays != nil, let decay = rest.popFirst() { matrix = matrix * decay.exp().unsqueeze(dim: 3) }
      var added = step[2]
      if betas != nil, let beta = rest.popFirst() {
        let known = matmul(step[1].unsqueeze(dim: 2), matrix).reshape(added.shape)
        added = beta * (added - known)
      }
      matrix = matrix + step[1].unsqueeze(dim: 3) * added.unsqueeze(dim: 2)
      // Query heads that share a matrix are rows of one product.
      let rows = step[0].reshape([batch, Dim(heads), Dim(group), inner])
      return ([matrix], [matmul(rows, matrix) * scale])
    }
    let y = outputs[0].permute([1, 0, 2, 3, 4]).reshape([batch, query.shape[1], Dim(queries) * outer])
    return [y.convert(to: query.dtype), state[0].convert(to: past?.dtype ?? query.dtype)]
  }
}
