public import LatheCore

/// `softmax(query . key^T * scale + mask) . value` over the last two axes.
///
/// - Parameters:
///   - attnMask: `bool` (true takes part) or a float that is added; broadcasts to `[..., L, S]`.
///   - isCausal: Position `i` sees keys up to `i` only.
///   - scale: By default one over the root of the query's features.
///   - dropoutP: The share of the weights that is left out at random.
///   - enableGqa: Whether key and value may have fewer heads (axis -3), each shared by several query heads.
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, attnMask: Tensor? = nil, isCausal: Bool = false,
  scale: Double? = nil, enableGqa: Bool = false, dropoutP: Double = 0
) -> Tensor {
  composite("scaledDotProductAttention", [query, key, value, attnMask]) {
    () throws(TypeFault) -> Tensor in
    for (name, tensor) in [("query", query), ("key", key), ("value", value)] where tensor.rank < 2 {
      throw TypeFault("the \(name) \(tensor.type) needs at least two axes")
    }
    try query.requireFloat("the query")
    let features = query.shape[query.rank - 1]
    guard key.shape[key.rank - 1] == features else {
      throw TypeFault(
        "the query has \(features) features (\(query.type)), the key \(key.shape[key.rank - 1]) (\(key.type))")
    }
    guard key.shape[key.rank - 2] == value.shape[value.rank - 2] else {
      throw TypeFault(
        "the key has \(key.shape[key.rank - 2]) positions (\(key.type)), "
          + "the value \(value.shape[value.rank - 2]) (\(value.type))"
      )
    }
    var (key, value) = (key, value)
    if enableGqa {
      key = try sharedHeads(key, query)
      value = try sharedHeads(value, query)
    }
    let width = Double(try query.knownSize(query.rank - 1))
    let factor = scale ?? 1 / width.squareRoot()
    var scores = try matmul(query * factor, key.mT).checked()
    if isCausal {
      guard attnMask == nil else { throw TypeFault("a mask and isCausal exclude each other") }
      let matrix = TensorType(.i64, Array(scores.shape.suffix(2)))
      let seen = scores.builder.iota(matrix, axis: 1) .<= scores.builder.iota(matrix, axis: 0)
      scores = seen.select(scores, scores.fullLike(-.infinity))
    }
    var seen: Tensor?
    if let attnMask {
      try requireBroadcast(attnMask, to: scores.shape, "the mask")
      let isBool = attnMask.dtype == .bool
      let mask = isBool ? attnMask : attnMask .!= -.infinity
      if !isBool { scores = scores + attnMask.convert(to: scores.dtype) }
      scores = mask.select(scores, scores.fullLike(unfailing { try finfo(scores.dtype).min }))
      seen = mask
    }
    var weights = softmax(scores, dim: -1)
    // A query that sees no key gets zeros, not 0 / 0.
    if let seen { weights = seen.select(weights, weights.zerosLike()) }
    return matmul(dropout(weights, p: dropoutP), value)
  }
}

/// Repeats every head for the query heads that share it.
private func sharedHeads(_ x: Tensor, _ query: Tensor) throws(TypeFault) -> Tensor {
  guard x.rank >= 3, query.rank == x.rank else { throw TypeFault("shared heads need an axis of heads") }
  let (heads, queries) = (try x.knownSize(x.rank - 3), try query.knownSize(query.rank - 3))
  guard heads > 0, queries % heads == 0 else { throw TypeFault("\(queries) query heads do not share \(heads) heads") }
  return heads == queries ? x : x.repeatInterleave(queries / heads, dim: -3)
}

/// Multi-head attention as PyTorch's layer computes it, on `[L, N, E]` or `[L, E]`, or `[N, L, E]` with `batchFirst`.
///
/// - Parameters:
///   - inProj: The projections of query, key and value to `E` features, each `[E, features]`: for PyTorch's
///     `in_proj_weight` its three parts, else `q_proj_weight`, `k_proj_weight`, `v_proj_weight`.
///   - inProjBias: `[3 E]`, the biases of the projections, one below the other.
///   - biasK: `[1, 1, E]`, a key that every sequence has in addition, behind its own; with `biasV`.
///   - biasV: `[1, 1, E]`, the value of that key.
///   - addZeroAttn: Whether every sequence has a key and value of zeros in addition.
///   - keyPaddingMask: `bool[N, S]`; true leaves a key out.
///   - attnMask: `bool` (true leaves out, as PyTorch's layer reads it) or a float that is added; `[L, S]` or
///     `[N heads, L, S]`.
///   - dropout: The share of the weights that is left out at random.
///   - averageAttnWeights: Whether the weights are averaged over heads.
/// - Returns: The output, and the weights, `[N, L, S]`, or `[N, heads, L, S]` where they are not averaged; `S` counts the
///   additional keys.
public func multiHeadAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, numHeads: Int, inProj: (q: Tensor, k: Tensor, v: Tensor),
  inProjBias: Tensor? = nil, biasK: Tensor? = nil, biasV: Tensor? = nil, addZeroAttn: Bool = false,
  outProjWeight: Tensor, outProjBias: Tensor? = nil, keyPaddingMask: Tensor? = nil, attnMask: Tensor? = nil,
  isCausal: Bool = false, batchFirst: Bool = false, dropout share: Double = 0, averageAttnWeights: Bool = true
) -> (output: Tensor, weights: Tensor) {
  let projections = [inProj.q, inProj.k, inProj.v]
  let optional = [inProjBias, biasK, biasV, outProjBias, keyPaddingMask, attnMask].compactMap { $0 }
  let results = composite(
    "multiHeadAttention", [query, key, value] + projections + [outProjWeight] + optional, count: 2
  ) { () throws(TypeFault) -> [Tensor] in
    try inProj.q.requireRank(2...2, "the projection")
    let embedding = try inProj.q.knownSize(0)
    guard numHeads > 0, embedding % numHeads == 0 else {
      throw TypeFault("\(numHeads) heads do not share \(embedding) features")
    }
    for (name, (tensor, weight)) in zip(["query", "key", "value"], zip([query, key, value], projections)) {
      try tensor.requireRank(2...3, "the \(name)")
      try weight.requireRank(2...2, "the projection")
      guard weight.shape[0] == Dim(embedding) else {
        throw TypeFault("the projections are \(inProj.q.type) and \(weight.type)", help: "give all as many rows")
      }
      guard tensor.rank == query.rank, tensor.shape[tensor.rank - 1] == weight.shape[1] else {
        throw TypeFault(
          "the \(name) has \(tensor.shape[tensor.rank - 1]) features (\(tensor.type)), the layer takes \(weight.shape[1])"
        )
      }
    }
    // To [N, L, E]; without batch N is 1.
    let isBatched = query.rank == 3
    func batched(_ x: Tensor) -> Tensor { !isBatched ? x.unsqueeze(dim: 0) : batchFirst ? x : x.transpose(0, 1) }
    let biases = inProjBias?.chunk(3, dim: 0)
    let (width, heads) = (embedding / numHeads, Dim(numHeads))
    func split(_ x: Tensor) -> Tensor {
      x.reshape([x.shape[0], x.shape[1], heads, Dim(width)]).permute([0, 2, 1, 3])
    }
    func projected(_ x: Tensor, _ part: Int) throws(TypeFault) -> Tensor {
      try linear(batched(x), projections[part], biases?[part]).checked()
    }
    /// Keys or values with those that every sequence has in addition.
    func extended(_ x: Tensor, _ bias: Tensor?) throws(TypeFault) -> Tensor {
      let one = [x.shape[0], Dim(1), x.shape[2]]
      var parts = [x]
      if let bias {
        guard bias.shape == [1, 1, Dim(embedding)] else {
          throw TypeFault("the additional key or value is \(bias.type), need [1,1,\(embedding)]")
        }
        parts.append(bias.expanded(to: one))
      }
      if addZeroAttn { parts.append(x.builder.zeros(TensorType(x.dtype, one))) }
      return parts.count == 1 ? x : cat(parts, dim: 1)
    }
    guard (biasK == nil) == (biasV == nil) else { throw TypeFault("of biasK and biasV one is missing") }
    let added = (biasK == nil ? 0 : 1) + (addZeroAttn ? 1 : 0)
    let keys = batched(key).shape[1]
    let q = split(try projected(query, 0))
    let k = split(try extended(projected(key, 1), biasK))
    let v = split(try extended(projected(value, 2), biasV))
    var scores = try matmul(q * (1 / Double(width).squareRoot()), k.mT).checked()
    func masked(_ mask: Tensor) throws(TypeFault) -> Tensor {
      // Nothing masks the additional keys.
      let mask = added == 0 ? mask : pad(mask.expanded(to: mask.shape.dropLast() + [keys]), [0, added])
      try requireBroadcast(mask, to: scores.shape, "the mask")
      return mask.dtype == .bool
        ? mask.select(scores.fullLike(-.infinity), scores) : scores + mask.convert(to: scores.dtype)
    }
    if let attnMask {
      scores = try masked(
        attnMask.rank == 3
          ? attnMask.reshape([scores.shape[0], heads] + attnMask.shape.suffix(2)) : attnMask)
    } else if isCausal {
      let matrix = TensorType(.i64, [q.shape[2], keys])
      scores = try masked(scores.builder.iota(matrix, axis: 1) .> scores.builder.iota(matrix, axis: 0))
    }
    if let keyPaddingMask {
      let rows = keyPaddingMask.rank == 1 ? keyPaddingMask.unsqueeze(dim: 0) : keyPaddingMask
      try rows.requireRank(2...2, "the padding mask")
      scores = try masked(rows.unsqueeze(dim: 1).unsqueeze(dim: 1))
    }
    let attention = dropout(softmax(scores, dim: -1), p: share)
    let joined = try matmul(attention, v).checked().permute([0, 2, 1, 3])
    let output = linear(
      joined.reshape([joined.shape[0], joined.shape[1], Dim(embedding)]), outProjWeight, outProjBias)
    let averaged = averageAttnWeights ? attention.mean(dim: 1) : attention
    guard isBatched else { return [output.squeeze(dim: 0), averaged.squeeze(dim: 0)] }
    return [batchFirst ? output : output.transpose(0, 1), averaged]
  }
  return (results[0], results[1])
}
