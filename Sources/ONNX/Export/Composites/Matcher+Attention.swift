internal import LatheCore

extension Matcher {
  /// `softmax(q k^T * scale + mask) v` for each head as `scaledDotProductAttention` builds it, which is also what the
  /// operator comes back as.
  func attention(_ value: Value) -> Composite? {
    guard type(value).dtype == .f32, let (weights, v, isVTurned) = matrixProduct(value), !isVTurned,
      isReadOnce(weights), let (scores, mask, isCausal) = unmasked(squeezed(weights)),
      let (left, k, isKTurned) = matrixProduct(squeezed(scores))
    else { return nil }
    let (q, scale) = scaled(left, .multiply) ?? (left, 1)
    // ONNX Runtime takes the root of the scale.
    guard scale > 0, let width = type(q).shape.last?.known, width > 0 else { return nil }
    var key = k
    if !isKTurned, case .permute(let permute) = graph[k].operation, permute.swapsLastTwo { key = graph[k].operands[0] }
    var (keys, values, share) = (key, v, Dim(1))
    if isKTurned || key != k, let (ofKeys, first) = unrepeated(key), let (ofValues, second) = unrepeated(v),
      first == second
    {
      (keys, values, share) = (ofKeys, ofValues, first)
    }
    // Scores are [batch, heads, queries, keys]; contractions have lost axes of size 1.
    let axes = type(scores).shape
    let lead = [Dim](repeating: 1, count: max(0, 4 - axes.count)) + axes.dropLast(2)
    guard lead.count == 2, let heads = lead[1].divided(exactlyBy: share) else { return nil }
    let isDefault = abs(scale * Double(width).squareRoot() - 1) < 1e-6
    return Composite(operands: [q, keys, values] + (mask.map { [$0] } ?? [])) { export, type throws(TypeFault) in
      func split(_ x: ONNXValue, _ heads: Dim) throws(TypeFault) -> ONNXValue {
        try export.reshape(x, to: [lead[0], heads] + x.shape.suffix(2))
      }
      let query = try split(try export.value(q), lead[1])
      var rows = try export.value(keys)
      if !isKTurned, key == k {
        rows = export.transpose(rows, Array(0..<(rows.rank - 2)) + [rows.rank - 1, rows.rank - 2])
      }
      var operands = [query, try split(rows, heads), try split(try export.value(values), heads)]
      if let mask { operands.append(try export.attentionMask(mask, axes)) }
      let y = try export.compute(
        "Attention", operands, in: type.dtype, query.type.with(shape: lead + type.shape.suffix(2)),
        (isCausal ? [.int("is_causal", 1)] : []) + (isDefault ? [] : [.float("scale", scale)]))
      return try export.reshape(y, to: type.shape)
    }
  }

  /// The operands of a product of matrices, one for each place of at most two batch axes, and whether the right one is
  /// transposed.
  private func matrixProduct(_ value: Value) -> (left: Value, right: Value, isTurned: Bool)? {
    guard case .dot(let dot) = graph[value].operation else { return nil }
    let batch = Array(0..<dot.leftBatch.count)
    let (left, right) = (graph[value].operands[0], graph[value].operands[1])
    guard batch.count <= 2, dot.leftBatch == batch, dot.rightBatch == batch, type(left).rank == batch.count + 2,
      type(right).rank == batch.count + 2, dot.leftContracting == [batch.count + 1], dot.rightContracting.count == 1
    else { return nil }
    return (left, right, dot.rightContracting[0] == batch.count + 1)
  }

  /// The scores of attention's weights, and what hides some of them: a mask, or the order of the positions.
  private func unmasked(_ weights: Value) -> (scores: Value, mask: Value?, isCausal: Bool)? {
    func alongLast(_ value: Value) -> Value? {
      guard let (x, axis) = shares(value), axis == type(x).rank - 1, isReadOnce(value) else { return nil }
      return x
    }
    if let shown = operands(weights, .select), isReadOnce(weights), isNumber(shown[2], 0) {
      guard let x = alongLast(shown[1]), let seen = operands(x, .select), seen[0] == shown[0],
        isNumber(seen[2], -Double(Float.greatestFiniteMagnitude))
      else { return nil }
      // Floats hide what they are -infinity for.
      if let sum = operands(seen[1], .add), let test = operands(squeezed(source(seen[0])), .notEqual),
        isNumber(test[1], -.infinity), squeezed(source(sum[1])) == squeezed(source(test[0]))
      {
        return (sum[0], sum[1], false)
      }
      return (seen[1], seen[0], false)
    }
    guard let x = alongLast(weights) else { return nil }
    guard let choice = operands(x, .select) else { return (x, nil, false) }
    for (scores, hidden, comparison) in [
      (choice[1], choice[2], Pointwise.lessEqual), (choice[2], choice[1], Pointwise.greater),
    ] where isNumber(hidden, -.infinity) {
      guard let test = operands(squeezed(source(choice[0])), comparison), isPosition(test[0], 1), isPosition(test[1], 0)
      else { continue }
      return (scores, nil, true)
    }
    return nil
  }

  private func source(_ value: Value) -> Value { broadcast(value)?.source ?? value }

  /// Whether a value counts along one of the last two axes.
  private func isPosition(_ value: Value, _ axis: Int) -> Bool {
    guard case .iota(let iota) = graph[value].operation else { return false }
    return iota.axis == iota.type.rank - 2 + axis
  }

  /// Heads that are repeated, each for the query heads that share it, and how often.
  private func unrepeated(_ value: Value) -> (source: Value, times: Dim)? {
    guard type(value).rank == 4, case .reshape = graph[value].operation,
      let (source, axes) = broadcast(graph[value].operands[0]), axes == [0, 1, 3, 4], type(source).rank == 4
    else { return nil }
    let shape = type(graph[value].operands[0]).shape
    guard Array(shape[..<2] + shape[3...]) == type(source).shape, shape[1] * shape[2] == type(value).shape[1] else {
      return nil
    }
    return (source, shape[2])
  }
}

extension GraphExport {
  /// A mask for scores of a shape: of 4 axes at most, whole in the last two.
  fileprivate func attentionMask(_ mask: Value, _ scores: [Dim]) throws(TypeFault) -> ONNXValue {
    let compact = try broadcasting(mask)
    let lead = [Dim](repeating: 1, count: max(0, 4 - compact.rank)) + compact.shape.dropLast(2)
    let missing = [Dim](repeating: 1, count: max(0, 2 - compact.rank)) + compact.shape.suffix(2)
    let short = try reshape(compact, to: compact.rank <= 2 ? missing : lead + missing)
    return try expand(short, to: short.shape.dropLast(2) + scores.suffix(2))
  }
}

extension Permute {
  fileprivate var swapsLastTwo: Bool {
    let rank = permutation.count
    return rank >= 2 && permutation == Array(0..<(rank - 2)) + [rank - 1, rank - 2]
  }
}
