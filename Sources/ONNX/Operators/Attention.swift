internal import LatheCore
internal import LatheNN

/// Attention and rotary position embedding.
extension Operator {
  static let attention: [String: Operator] = [
    "Attention": .several(attend),
    "RotaryEmbedding": .one(rotate),
  ]

  static let preview: [String: Operator] = ["FlexAttention": .one(flexAttention)]

  /// Attention whose scores and weights sub-graphs may change.
  private static func flexAttention(_ call: Call) throws(TypeFault) -> Tensor {
    let (query, key, value) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    guard query.rank == 4, key.rank == 4, value.rank == 4 else {
      throw TypeFault("query, key and value, \(query.type), \(key.type) and \(value.type), need 4 axes each")
    }
    let (heads, shared) = (try query.size(1, "the number of heads"), try key.size(1, "the number of heads"))
    guard shared > 0, heads % shared == 0, value.shape[1] == key.shape[1] else {
      throw TypeFault("\(heads) heads do not share \(shared)")
    }
    func repeated(_ x: Tensor) -> Tensor { heads == shared ? x : x.repeatInterleave(heads / shared, dim: 1) }
    let scale = try call.float("scale", default: 1 / Double(try query.size(3, "the size of a head")).squareRoot())
    let precision = try call.elementType("softmax_precision") ?? query.dtype.computeType
    func modified(_ x: Tensor, _ graph: String) throws(TypeFault) -> Tensor {
      guard call.attributes[graph] != nil else { return x }
      let results = try call.importer.subgraph(graph, [Operand(x)], call, in: call.builder)
      guard results.count == 1, let y = results[0].tensor(in: call.builder) else {
        throw TypeFault("the sub-graph '\(graph)' does not give one tensor")
      }
      return y.convert(to: precision)
    }
    let scores = try scaledScores(query, repeated(key), scale).convert(to: precision)
    let weights = softmax(try modified(scores, "score_mod"), dim: 3)
    return matmul(try modified(weights, "prob_mod"), repeated(value).convert(to: precision)).convert(to: value.dtype)
  }

  /// `query . key^T * scale`, each scaled by the root, as ONNX has it, so that 16-bit floats do not overflow.
  private static func scaledScores(_ query: Tensor, _ key: Tensor, _ scale: Double) throws(TypeFault) -> Tensor {
    let root = scale.squareRoot()
    return try matmul(query * root, key.permute([0, 1, 3, 2]) * root).checked()
  }

  /// `[B, L, H E]` as `[B, H, L, E]`.
  static func splitHeads(_ x: Tensor, _ heads: Int) throws(TypeFault) -> Tensor {
    guard heads > 0, let size = x.shape[2].divided(exactlyBy: Dim(heads)) else {
      throw TypeFault("\(x.shape[2]) features do not divide into \(heads) heads")
    }
    return x.reshape([x.shape[0], x.shape[1], Dim(heads), size]).permute([0, 2, 1, 3])
  }

  private static func attend(_ call: Call) throws(TypeFault) -> [Tensor] {
    var (query, key, value) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    let isFlat = query.rank == 3
    guard [3, 4].contains(query.rank), key.rank == query.rank, value.rank == query.rank else {
      throw TypeFault("query, key and value, \(query.type), \(key.type) and \(value.type), need 3 or 4 axes each")
    }
    if isFlat {
      let shared = try call.integer("kv_num_heads")
      query = try splitHeads(query, try call.integer("q_num_heads"))
      key = try splitHeads(key, shared)
      value = try splitHeads(value, shared)
    }
    let past = try call.optional(4)
    if let past { key = Tensor.concatenate([past, key], axis: 2) }
    if let past = try call.optional(5) { value = Tensor.concatenate([past, value], axis: 2) }
    (query, key, value) = (try query.checked(), try key.checked(), try value.checked())
    let (mask, lengths) = (try call.optional(3), try call.optional(6))
    let isCausal = try call.flag("is_causal")
    let softcap = try call.float("softcap", default: 0)
    let features = try query.size(3, "the size of a head")
    let scale = try call.float("scale", default: 1 / Double(features).squareRoot())
    let before = try call.integer("left_window_size", default: -1)
    let behind = try call.integer("right_window_size", default: -1)
    let isWindowed = before >= 0 || behind >= 0
    func merged(_ y: Tensor) -> Tensor {
      isFlat ? y.permute([0, 2, 1, 3]).reshape([y.shape[0], y.shape[2], y.shape[1] * y.shape[3]]) : y
    }
    let namesScores = call.node.output.count > 3 && !call.node.output[3].isEmpty
    let isNarrow = query.dtype.computeType != query.dtype
    let isWhole = mask.map { !isCausal && $0.shape.last == key.shape[2] } ?? true
    if isWhole, lengths == nil, past == nil, softcap == 0, !namesScores, !isWindowed, !isNarrow {
      let y = scaledDotProductAttention(
        query, key, value, attnMask: mask, isCausal: isCausal, scale: scale, enableGqa: true)
      return [merged(try y.checked()), key, value]
    }

    let (heads, shared) = (try query.size(1, "the number of heads"), try key.size(1, "the number of heads"))
    guard shared > 0, heads % shared == 0 else { throw TypeFault("\(heads) heads do not share \(shared)") }
    func repeated(_ x: Tensor) -> Tensor { heads == shared ? x : x.repeatInterleave(heads / shared, dim: 1) }
    var scores = try scaledScores(query, repeated(key), scale)
    let plain = scores
    if softcap > 0 { scores = (scores / softcap).tanh() * softcap }
    let capped = scores
    // Which keys a query sees, and what is added to the scores of those.
    let type = TensorType(.i64, scores.shape)
    let column = call.builder.iota(type, axis: 3)
    var seen: [Tensor] = []
    if isCausal || isWindowed {
      // The place of the query among the keys: behind those of the cache.
      var row = call.builder.iota(type, axis: 2)
      if let past {
        row = row + Sizes([past.shape[2]], isScalar: true).tensor(in: call.builder)
      } else if let lengths {
        let offset = lengths.convert(to: .i64) - Sizes([query.shape[2]], isScalar: true).tensor(in: call.builder)
        row = row + offset.broadcast(to: scores.shape, axes: [0])
      }
      if isCausal { seen.append(column .<= row) }
      if before >= 0 { seen.append(row - column .<= before) }
      if behind >= 0 { seen.append(column - row .<= behind) }
    }
    if let lengths { seen.append(column .< lengths.convert(to: .i64).broadcast(to: scores.shape, axes: [0])) }
    if var mask {
      // A shorter mask hides the keys behind its end.
      if let missing = (scores.shape[3] - mask.shape[mask.rank - 1]).known, missing > 0, mask.shape[mask.rank - 1] != 1
      {
        let hidden = call.builder.scalar(mask.dtype.isFloat ? .float(-.infinity) : .integer(0), mask.dtype)
        let none = [Int](repeating: 0, count: mask.rank)
        mask = mask.pad(low: none, high: none.dropLast() + [missing], interior: none, value: hidden)
      }
      if mask.dtype == .bool {
        seen.append(mask.expanded(to: scores.shape))
      } else {
        scores = scores + mask.convert(to: scores.dtype)
        seen.append((mask .!= -.infinity).expanded(to: scores.shape))
      }
    }
    var visible: Tensor?
    for condition in seen { visible = visible.map { $0 .& condition } ?? condition }
    if let visible { scores = visible.select(scores, scores.filled(.float(-.infinity))) }
    let biased = scores
    if let precision = try call.elementType("softmax_precision") { scores = scores.convert(to: precision) }
    var weights = stepwiseSoftmax(scores, axis: 3).convert(to: query.dtype)
    // A query that sees no key gets zeros rather than 0 / 0.
    if let visible { weights = visible.select(weights, weights.zerosLike()) }
    let y = try matmul(weights, repeated(value)).checked()
    let shown = [plain, capped, biased, weights]
    let mode = try call.integer("qk_matmul_output_mode", default: 0)
    guard shown.indices.contains(mode) else { throw TypeFault("the qk_matmul_output_mode \(mode) is not known") }
    return [merged(y), key, value, shown[mode]]
  }

  /// Turns pairs of features by an angle for each position.
  private static func rotate(_ call: Call) throws(TypeFault) -> Tensor {
    let x = try call.tensor(0)
    var (cosine, sine) = (try call.tensor(1), try call.tensor(2))
    let heads = x.rank == 3 ? try call.integer("num_heads") : 0
    guard x.rank == 4 || x.rank == 3 else { throw TypeFault("the operand \(x.type) has neither 3 nor 4 axes") }
    let input = x.rank == 3 ? try splitHeads(x, heads) : x  // [B, H, L, E]
    if let places = try call.optional(3) {
      cosine = cosine.take(dim: 0, places)
      sine = sine.take(dim: 0, places)
    }
    let listed = try call.integer("rotary_embedding_dim", default: 0)
    let y = try rotated(input, cosine, sine, listed, try call.flag("interleaved"))
    return x.rank == 3 ? y.permute([0, 2, 1, 3]).reshape(x.shape) : y
  }

  /// Turns the first features of heads `[B, H, L, E]` by angles, whose cosines and sines are `[B, L, features / 2]`.
  ///
  /// - Parameter listed: How many features are turned; 0 for all.
  static func rotated(
    _ input: Tensor, _ cosine: Tensor, _ sine: Tensor, _ listed: Int, _ isInterleaved: Bool
  ) throws(TypeFault) -> Tensor {
    let size = try input.size(3, "the size of a head")
    let turned = listed == 0 ? size : listed
    guard turned > 0, turned <= size, turned % 2 == 0 else {
      throw TypeFault("\(turned) of \(size) features cannot be turned")
    }
    let cosine = try cosine.checked().inserting(axes: [1])
    let sine = try sine.checked().inserting(axes: [1])
    let part = input.slice(axis: 3, from: 0, to: turned)
    let half = turned / 2
    let first =
      isInterleaved ? part.slice(axis: 3, from: 0, to: turned, stride: 2) : part.slice(axis: 3, from: 0, to: half)
    let second =
      isInterleaved ? part.slice(axis: 3, from: 1, to: turned, stride: 2) : part.slice(axis: 3, from: half, to: turned)
    let real = try (cosine * first - sine * second).checked()
    let imaginary = try (sine * first + cosine * second).checked()
    var y =
      isInterleaved
      ? Tensor.concatenate([real.inserting(axes: [4]), imaginary.inserting(axes: [4])], axis: 4).reshape(part.shape)
      : Tensor.concatenate([real, imaginary], axis: 3)
    if turned < size { y = Tensor.concatenate([y, input.slice(axis: 3, from: turned, to: size)], axis: 3) }
    return y
  }
}
