internal import LatheCore
internal import LatheNN

/// The operators of `com.microsoft` that ONNX Runtime's optimizer writes in place of several others.
///
/// Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
extension Operator {
  static let contributed: [String: Operator] = [
    "FusedMatMul": .one(fusedMatMul),
    "TransposeMatMul": .one(fusedMatMul),
    "FusedConv": .one { call throws(TypeFault) in
      var y = try convolved(call, try call.tensor(0), try call.tensor(1), bias: try call.optional(2))
      if let other = try call.optional(3) { y = y + other }
      let parameters = try call.floats("activation_params") ?? []
      return try activated(y, try call.string("activation", default: ""), parameters)
    },
    "FusedGemm": .one { call throws(TypeFault) in
      let parameters = [try call.optionalFloat("activation_alpha"), try call.optionalFloat("activation_beta")]
      return try activated(try gemm(call), try call.string("activation", default: ""), parameters.compactMap { $0 })
    },
    "Gelu": .unary { gelu($0) },
    "BiasGelu": .binary { gelu($0 + $1) },
    "FastGelu": .one { call throws(TypeFault) in
      let x = try call.tensor(0)
      return gelu(try call.optional(1).map { x + $0 } ?? x, approximate: .tanh)
    },
    "QuickGelu": .unary("alpha", 1.702) { x, alpha in x * (x * alpha).sigmoid() },
    "BiasSplitGelu": .one { call throws(TypeFault) in
      let operands = try call.matching(2)
      let x = try (operands[0] + operands[1]).checked()
      let size = try x.size(x.rank - 1, "the number of features")
      guard size % 2 == 0 else { throw TypeFault("\(size) features do not divide into halves") }
      return x.slice(axis: x.rank - 1, from: 0, to: size / 2)
        * gelu(x.slice(axis: x.rank - 1, from: size / 2, to: size))
    },
    "BiasAdd": .one { call throws(TypeFault) in
      let operands = try call.matching(3)
      return operands[0] + operands[1] + operands[2]
    },
    "SkipLayerNormalization": Operator { call throws(TypeFault) in
      let sum = try skipped(call, bias: 4)
      let y = try normalized(sum, try call.tensor(2), try call.optional(3), try call.float("epsilon", default: 1e-12))
      return results(call, y, sum: sum, at: 3)
    },
    "SkipSimplifiedLayerNormalization": Operator { call throws(TypeFault) in
      let sum = try skipped(call, bias: 3)
      let size = try sum.size(sum.rank - 1, "the number of features")
      let y = rmsNorm(sum, [size], weight: try call.tensor(2), eps: try call.float("epsilon", default: 1e-12))
      return results(call, y, sum: sum, at: 3)
    },
    "EmbedLayerNormalization": Operator(apply: embedded),
    "Attention": .several(contributedAttention),
    "MultiHeadAttention": .several(multiHead),
    "GroupQueryAttention": .several(groupedQueries),
    "RotaryEmbedding": .one { call throws(TypeFault) in
      guard try !call.flag("is_packed_batching"), try call.float("scale", default: 1) == 1 else {
        throw TypeFault("packed batches and scales are not supported")
      }
      let x = try call.tensor(0)
      guard x.rank == 3 || x.rank == 4 else { throw TypeFault("the operand \(x.type) has neither 3 nor 4 axes") }
      let (cosine, sine) = (try call.tensor(2), try call.tensor(3))
      var heads = try call.integer("num_heads", default: 0)
      if x.rank == 3 && heads == 0 {
        // A head is turned as a whole.
        let size = 2 * (try cosine.size(1, "the turned features"))
        heads = try x.size(2, "the number of features") / Swift.max(1, size)
      }
      let input = x.rank == 3 ? try splitHeads(x, heads) : x  // [B, H, L, E]
      var places = try call.tensor(1)
      if places.type.elementCount == 1 {
        // The place of the first one.
        let type = TensorType(places.dtype, [input.shape[0], input.shape[2]])
        places = call.builder.iota(type, axis: 1) + places.reshape([Int]())
      }
      let turned = try call.integer("rotary_embedding_dim", default: 0)
      let y = try rotated(
        input, cosine.take(dim: 0, places), sine.take(dim: 0, places), turned, try call.flag("interleaved"))
      return x.rank == 3 ? y.permute([0, 2, 1, 3]).reshape(x.shape) : y
    },
    "MatMulNBits": .one(matMulBits),
    "Inverse": .unary { Linalg.inv($0) },
    "Trilu": table(of: "Trilu", in: shapes),
    "GridSample": table(of: "GridSample", in: vision),
    "QuantizeLinear": table(of: "QuantizeLinear", in: quantization),
    "DequantizeLinear": table(of: "DequantizeLinear", in: quantization),
  ].merging(contributedQuantization) { first, _ in first }.merging(quantizedRecurrent) { first, _ in first }

  /// An operator that means the same in the standard domain.
  private static func table(of name: String, in family: [String: Operator]) -> Operator {
    family[name] ?? internalError("\(name) is not an operator of its family")
  }

  private static func fusedMatMul(_ call: Call) throws(TypeFault) -> Tensor {
    let operands = try call.matching(2)
    func turned(_ x: Tensor, _ name: String) throws(TypeFault) -> Tensor {
      var order = Array(0..<x.rank)
      // The first axis goes behind those of the batch.
      if try call.flag("transBatch\(name)"), x.rank > 2 { order = Array(1..<(x.rank - 1)) + [0, x.rank - 1] }
      if try call.flag("trans\(name)"), x.rank > 1 { order.swapAt(x.rank - 2, x.rank - 1) }
      return x.permute(order)
    }
    let product = matmul(try turned(operands[0], "A"), try turned(operands[1], "B"))
    let alpha = try call.float("alpha", default: 1)
    return alpha == 1 ? product : product * alpha
  }

  /// The activation that is named behind an operator, with its numbers.
  private static func activated(_ x: Tensor, _ name: String, _ numbers: [Double]) throws(TypeFault) -> Tensor {
    func number(_ position: Int, _ other: Double) -> Double { position < numbers.count ? numbers[position] : other }
    switch name {
    case "": return x
    case "Relu": return relu(x)
    case "Sigmoid": return x.sigmoid()
    case "Tanh": return x.tanh()
    case "LeakyRelu": return leakyRelu(x, negativeSlope: number(0, 0.01))
    case "Clip": return x.maximum(number(0, -.infinity)).minimum(number(1, .infinity))
    case "HardSigmoid": return (x * number(0, 0.2) + number(1, 0.5)).maximum(0).minimum(1)
    default: throw TypeFault("the activation '\(name)' is not known")
    }
  }

  private static func normalized(
    _ x: Tensor, _ scale: Tensor, _ bias: Tensor?, _ epsilon: Double
  ) throws(TypeFault) -> Tensor {
    layerNorm(x, [try x.size(x.rank - 1, "the number of features")], weight: scale, bias: bias, eps: epsilon)
  }

  /// The operand, what skipped it, and a bias.
  private static func skipped(_ call: Call, bias: Int) throws(TypeFault) -> Tensor {
    let sum = try call.tensor(0) + (try call.tensor(1))
    return try (try call.optional(bias).map { sum + $0 } ?? sum).checked()
  }

  /// The first result, and the sum at a place; what is between is for training only, and must not be named.
  private static func results(_ call: Call, _ y: Tensor, sum: Tensor, at place: Int) -> [Operand] {
    let named = call.node.output.dropFirst().prefix(place - 1).contains { !$0.isEmpty }
    guard call.node.output.count > place, !named else { return [Operand(y)] }
    return [Operand(y)] + (1..<place).map { _ in Operand(.absent) } + [Operand(sum)]
  }

  private static func embedded(_ call: Call) throws(TypeFault) -> [Operand] {
    let (ids, words, positions) = (try call.tensor(0), try call.tensor(2), try call.tensor(3))
    guard ids.rank == 2 else { throw TypeFault("the words \(ids.type) are not [batch, length]") }
    let place = try call.optional(8) ?? call.builder.iota(ids.type, axis: 1)
    var sum = words.take(dim: 0, ids) + positions.take(dim: 0, place.expanded(to: ids.shape))
    if let segments = try call.optional(1), let table = try call.optional(4) {
      sum = sum + table.take(dim: 0, segments)
    }
    sum = try sum.checked()
    let y = try normalized(sum, try call.tensor(5), try call.tensor(6), try call.float("epsilon", default: 1e-12))
    let counts = try call.optional(7).map { ($0 .== 1).convert(to: .i32).reduce(.sum, axes: [1]) }
    return [y, counts ?? call.builder.zeros(TensorType(.i32, [ids.shape[0]])), sum].map { Operand($0) }
  }

  // MARK: Attention

  /// `[B, L, H E]` as `[B, H, L, E]` and back.
  private static func joinHeads(_ x: Tensor) -> Tensor {
    x.permute([0, 2, 1, 3]).reshape([x.shape[0], x.shape[2], x.shape[1] * x.shape[3]])
  }

  /// `softmax(query . key^T * scale + bias) . value` on `[B, H, L, E]`.
  ///
  /// - Parameters:
  ///   - seen: Which keys a query sees.
  ///   - softcap: Beyond which scores are bent.
  /// - Returns: The product, the scores of which the softmax is taken, the least number where a key is not seen, and the
  ///   softmax.
  private static func attention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, scale: Double?, bias: [Tensor] = [], seen: [Tensor] = [],
    softcap: Double = 0
  ) throws(TypeFault) -> (output: Tensor, scores: Tensor, weights: Tensor) {
    let size = Double(try query.size(3, "the size of a head"))
    let factor = scale.flatMap { $0 == 0 ? nil : $0 } ?? 1 / size.squareRoot()
    var scores = try (matmul(query, key.permute([0, 1, 3, 2])) * factor).checked()
    if softcap > 0 { scores = (scores / softcap).tanh() * softcap }
    for tensor in bias { scores = scores + tensor }
    for visible in seen {
      let least = -((try? finfo(scores.dtype))?.max ?? .infinity)
      scores = visible.expanded(to: scores.shape).select(scores, scores.filled(.float(least)))
    }
    let weights = softmax(try scores.checked(), dim: 3)
    return (matmul(weights, value), scores, weights)
  }

  /// What a mask of keys adds to scores `[B, H, L, S]`: lengths `[B]`, ends and starts `[2 B]`, or truth values for keys
  /// `[B, S]`, or for queries and keys `[B, L, S]`.
  private static func keyBias(
    _ call: Call, _ mask: Tensor, batch: Dim, keys: Dim, _ dtype: ScalarType
  ) throws(TypeFault) -> Tensor {
    let filter = try call.float("mask_filter_value", default: -10000)
    var seen: Tensor
    switch mask.rank {
    case 1:
      let type = TensorType(mask.dtype, [batch, keys])
      let place = call.builder.iota(type, axis: 1)
      let count = try Call.known([batch], "the size of the batch")[0]
      let ends = mask.slice(axis: 0, from: 0, to: count)
      seen = place .< ends.broadcast(to: type.shape, axes: [0])
      if mask.shape[0] == Dim(2 * count), count > 0 {
        let starts = mask.slice(axis: 0, from: count, to: 2 * count)
        seen = seen .& (place .>= starts.broadcast(to: type.shape, axes: [0]))
      } else if mask.shape[0] != batch {
        throw TypeFault("the mask \(mask.type) has neither one nor two numbers for each of \(batch)")
      }
      seen = seen.inserting(axes: [1, 2])
    case 2: seen = (mask .> 0).inserting(axes: [1, 2])
    case 3: seen = (mask .> 0).inserting(axes: [1])
    default: throw TypeFault("masks of \(mask.rank) axes are not supported")
    }
    let none = call.builder.scalar(.float(0), dtype)
    return seen.select(none.expanded(to: seen.shape), none.filled(.float(filter)).expanded(to: seen.shape))
  }

  /// That a query, behind so many keys of the past, sees no key behind itself.
  ///
  /// - Throws: Where there are more keys, or fewer: which of them is a query's own, no two runtimes agree on.
  private static func causal(
    _ builder: Builder, _ query: Tensor, _ key: Tensor, past: Dim
  ) throws(TypeFault) -> Tensor {
    if let more = (key.shape[2] - query.shape[2] - past).known, more != 0 {
      throw TypeFault(
        "\(query.shape[2]) queries behind \(past) keys do not go with \(key.shape[2]) keys (unidirectional)")
    }
    let type = TensorType(.i64, [query.shape[2], key.shape[2]])
    let offset = Sizes([past], isScalar: true).tensor(in: builder)
    return builder.iota(type, axis: 1) .<= builder.iota(type, axis: 0) + offset
  }

  private static func contributedAttention(_ call: Call) throws(TypeFault) -> [Tensor] {
    let (x, weight) = (try call.tensor(0), try call.tensor(1))
    let product = matmul(x, weight)
    return try attended(call, try call.optional(2).map { product + $0 } ?? product, mask: 3, past: 4, bias: 5)
  }

  /// Attention whose query, key and value are the parts of one tensor, `[B, L, 3 E]`.
  static func attended(
    _ call: Call, _ projected: Tensor, mask: Int, past: Int, bias: Int?
  ) throws(TypeFault) -> [Tensor] {
    guard try !call.flag("do_rotary"), try !call.flag("past_present_share_buffer") else {
      throw TypeFault("rotated or shared caches are not supported")
    }
    let projected = try projected.checked()
    guard projected.rank == 3 else { throw TypeFault("the operand \(projected.type) has not 3 axes") }
    let heads = try call.integer("num_heads")
    let total = try projected.size(2, "the number of features")
    let sizes = try call.optionalIntegers("qkv_hidden_sizes") ?? [total / 3, total / 3, total / 3]
    guard sizes.count == 3, sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == total else {
      throw TypeFault("\(total) features are not those of query, key and value, \(sizes)")
    }
    func part(_ from: Int, _ size: Int) throws(TypeFault) -> Tensor {
      try splitHeads(projected.slice(axis: 2, from: from, to: from + size), heads)
    }
    let query = try part(0, sizes[0])
    var (key, value) = (try part(sizes[0], sizes[1]), try part(sizes[0] + sizes[1], sizes[2]))
    let cache = try call.optional(past)
    if let cache {
      guard cache.rank == 5 else { throw TypeFault("the past \(cache.type) has not 5 axes") }
      func half(_ place: Int) -> Tensor {
        cache.slice(axis: 0, from: place, to: place + 1).reshape(Array(cache.shape.dropFirst()))
      }
      key = try Tensor.concatenate([half(0), key], axis: 2).checked()
      value = try Tensor.concatenate([half(1), value], axis: 2).checked()
    }
    var added: [Tensor] = []
    if let tensor = try call.optional(mask) {
      added.append(try keyBias(call, tensor, batch: query.shape[0], keys: key.shape[2], query.dtype))
    }
    if let bias, let tensor = try call.optional(bias) { added.append(tensor) }
    let seen =
      try call.flag("unidirectional")
      ? [try causal(call.builder, query, key, past: cache?.shape[3] ?? 0)] : []
    let y = try attention(query, key, value, scale: call.optionalFloat("scale"), bias: added, seen: seen).output
    guard call.node.output.count > 1, !call.node.output[1].isEmpty else { return [joinHeads(try y.checked())] }
    guard sizes[1] == sizes[2] else {
      throw TypeFault("keys of \(sizes[1]) features and values of \(sizes[2]) do not make one tensor, the present")
    }
    return [joinHeads(try y.checked()), stack([key, value], dim: 0)]
  }

  private static func multiHead(_ call: Call) throws(TypeFault) -> [Tensor] {
    var query = try call.tensor(0)
    let heads = try call.integer("num_heads")
    var (key, value) = (try call.optional(1), try call.optional(2))
    if query.rank == 5 {  // [B, L, H, 3, E]
      let packed = query
      func part(_ place: Int) -> Tensor { packed.select(dim: 3, index: place).flatten(startDim: 2) }
      (query, key, value) = (part(0), part(1), part(2))
    } else if let packed = key, packed.rank == 5 {  // [B, L, H, 2, E]
      func part(_ place: Int) -> Tensor { packed.select(dim: 3, index: place).flatten(startDim: 2) }
      (key, value) = (part(0), part(1))
    }
    guard var key, var value, query.rank == 3 else {
      throw TypeFault("the query \(query.type), the key and the value are not [B, L, E]")
    }
    if let bias = try call.optional(3) {
      let (size, width) = (try query.size(2, "the number of features"), try bias.size(0, "the size of the bias"))
      query = query + bias.slice(axis: 0, from: 0, to: size)
      // A key that is split already has had its bias.
      if key.rank == 3 { key = key + bias.slice(axis: 0, from: size, to: 2 * size) }
      if value.rank == 3 { value = value + bias.slice(axis: 0, from: 2 * size, to: width) }
    }
    let split = try splitHeads(query.checked(), heads)
    key = key.rank == 3 ? try splitHeads(try key.checked(), heads) : key
    value = value.rank == 3 ? try splitHeads(try value.checked(), heads) : value
    let past = try call.optional(6)
    if let past { key = try Tensor.concatenate([past, key], axis: 2).checked() }
    if let past = try call.optional(7) { value = try Tensor.concatenate([past, value], axis: 2).checked() }
    guard !call.has(8), !call.has(9) else { throw TypeFault("shared caches and beams are not supported") }
    var added: [Tensor] = []
    if let mask = try call.optional(4) {
      added.append(try keyBias(call, mask, batch: split.shape[0], keys: key.shape[2], split.dtype))
    }
    if let bias = try call.optional(5) { added.append(bias) }
    let seen =
      try call.flag("unidirectional")
      ? [try causal(call.builder, split, key, past: past?.shape[2] ?? 0)] : []
    let (y, scores, _) = try attention(split, key, value, scale: call.optionalFloat("scale"), bias: added, seen: seen)
    return [joinHeads(try y.checked()), key, value, scores]
  }

  /// Heads that share keys and values, with a cache in which every batch entry has a length of its own.
  private static func groupedQueries(_ call: Call) throws(TypeFault) -> [Tensor] {
    for (place, what) in [
      (11, "sinks"), (12, "scales of caches"), (13, "scales of caches"), (14, "norms"), (15, "norms"),
    ]
    where call.has(place) {
      throw TypeFault("\(what) (operand \(place)) are not supported")
    }
    guard try !call.flag("smooth_softmax"), try call.flag("causal", default: true) else {
      throw TypeFault("a smooth softmax and attention that is not causal are not supported")
    }
    let (heads, shared) = (try call.integer("num_heads"), try call.integer("kv_num_heads"))
    guard heads > 0, shared > 0, heads % shared == 0 else { throw TypeFault("\(heads) heads do not share \(shared)") }
    var parts = [try call.tensor(0)]
    guard parts[0].rank == 3 else { throw TypeFault("the query \(parts[0].type) is not [B, L, E]") }
    if call.has(1) {
      parts += [try call.tensor(1), try call.tensor(2)]
    } else {
      let total = try parts[0].size(2, "the number of features")
      let size = total / (heads + 2 * shared)
      let cuts = [0, heads * size, (heads + shared) * size, (heads + 2 * shared) * size]
      parts = (0..<3).map { parts[0].slice(axis: 2, from: cuts[$0], to: cuts[$0 + 1]) }
    }
    var query = try splitHeads(parts[0], heads)
    var (key, value) = (try splitHeads(parts[1], shared), try splitHeads(parts[2], shared))
    let (batch, length) = (query.shape[0], query.shape[2])
    // The length of what each entry holds already.
    let totals = try call.tensor(5).convert(to: .i64)
    guard totals.type.elementCount == batch.known || totals.rank == 1 else {
      throw TypeFault("the lengths \(totals.type) are not one for each of \(batch)")
    }
    let number = Sizes([length], isScalar: true).tensor(in: call.builder)
    let before = (totals.reshape([batch]) + 1 - number).maximum(0)
    let rows = TensorType(.i64, [batch, length])
    let places = try call.optional(9) ?? call.builder.iota(rows, axis: 1) + before.broadcast(to: rows.shape, axes: [0])
    if try call.flag("do_rotary") {
      let (cosine, sine) = (try call.tensor(7).take(dim: 0, places), try call.tensor(8).take(dim: 0, places))
      let isInterleaved = try call.flag("rotary_interleaved")
      query = try rotated(query, cosine, sine, 0, isInterleaved)
      key = try rotated(key, cosine, sine, 0, isInterleaved)
    }
    if let pastKey = try call.optional(3), let pastValue = try call.optional(4) {
      let listed = try call.dimensions(6, "the total length")
      guard listed.count == 1 else { throw TypeFault("the total length is not one number") }
      let (total, past) = (listed[0], pastKey.shape[2])
      let fits = total.known.flatMap { total in past.known.map { total <= $0 } } ?? false
      let size = fits ? past : total
      func written(_ cache: Tensor, _ new: Tensor) throws(TypeFault) -> Tensor {
        // What is behind an entry's length is none of its keys.
        let place = call.builder.iota(TensorType(.i64, cache.shape), axis: 2)
        var wide = (place .< before.broadcast(to: cache.shape, axes: [0])).select(cache, cache.zerosLike())
        if !fits {
          let rest = new.type.with(shape: [batch, Dim(shared), size - past, new.shape[3]])
          wide = Tensor.concatenate([wide, call.builder.zeros(rest)], axis: 2)
        }
        let type = TensorType(.i64, new.shape)
        let target = call.builder.iota(type, axis: 2) + before.broadcast(to: new.shape, axes: [0])
        return try wide.scatterAlong(axis: 2, indices: target, updates: new, combiner: nil).checked()
      }
      (key, value) = (try written(pastKey, key), try written(pastValue, value))
    }
    func repeated(_ x: Tensor) -> Tensor { heads == shared ? x : x.repeatInterleave(heads / shared, dim: 1) }
    let type = TensorType(.i64, [batch, 1, length, key.shape[2]])
    let row = call.builder.iota(type, axis: 2) + before.broadcast(to: type.shape, axes: [0])
    let column = call.builder.iota(type, axis: 3)
    var seen = [column .<= row]
    let window = try call.integer("local_window_size", default: -1)
    if window > 0 { seen.append(row - column .< window) }
    let bias = try call.optional(10).map { [$0] } ?? []
    let (y, scores, weights) = try attention(
      query, repeated(key), repeated(value), scale: call.optionalFloat("scale"), bias: bias, seen: seen,
      softcap: try call.float("softcap", default: 0))
    let results = [joinHeads(try y.checked()), key, value]
    guard call.node.output.count > 3, !call.node.output[3].isEmpty else { return results }
    switch try call.integer("qk_output", default: 0) {
    case 1:
      // Of keys that are not seen it has zeros.
      return results + [seen.reduce(scores) { $1.expanded(to: $0.shape).select($0, $0.zerosLike()) }]
    case 2: return results + [weights]
    case let other: throw TypeFault("qk_output is \(other), which does not say what the fourth result is")
    }
  }

  // MARK: Weights of few bits

  /// A product with a matrix whose rows are numbers of few bits in blocks, each with a scale.
  private static func matMulBits(_ call: Call) throws(TypeFault) -> Tensor {
    let (x, packed) = (try call.tensor(0), try call.tensor(1))
    let (bits, block) = (try call.integer("bits", default: 4), try call.integer("block_size"))
    let (columns, rows) = (try call.integer("K"), try call.integer("N"))
    guard [2, 4, 8].contains(bits), block > 0, columns > 0, rows > 0 else {
      throw TypeFault("weights of \(bits) bits in blocks of \(block) are not supported")
    }
    guard !call.has(4) else { throw TypeFault("groups by index (g_idx) are not supported") }
    guard try !call.flag("weight_prepacked") else {
      throw TypeFault("weights in the order of another runtime (weight_prepacked) are not supported")
    }
    let blocks = (columns + block - 1) / block
    /// Bytes as numbers, the lowest bits first.
    func unpacked(_ bytes: Tensor, _ count: Int) throws(TypeFault) -> Tensor {
      guard bytes.dtype == .u8, bytes.type.elementCount == rows * count * bits / 8 || bits < 8 else {
        throw TypeFault("\(bytes.type) does not hold \(rows) rows of \(count) numbers")
      }
      let each = 8 / bits
      guard each > 1 else { return bytes.reshape([rows, count]) }
      let stored = (count + each - 1) / each
      guard bytes.type.elementCount == rows * stored else {
        throw TypeFault("\(bytes.type) does not hold \(rows) rows of \(count) numbers")
      }
      let shifts = call.builder.tensor((0..<each).map { $0 * bits }, dtype: .u8)
      let numbers = (bytes.reshape([rows, stored, 1]) >> shifts) .& ((1 << bits) - 1)
      return numbers.reshape([rows, stored * each]).slice(axis: 1, from: 0, to: count)
    }
    let codes = try unpacked(packed, blocks * block).convert(to: x.dtype).reshape([rows, blocks, block])
    let scales = try call.tensor(2).reshape([rows, blocks, 1]).convert(to: x.dtype)
    var centred: Tensor
    if let zeros = try call.optional(3) {
      let points =
        zeros.dtype == .u8
        ? try unpacked(zeros, blocks).convert(to: x.dtype) : zeros.convert(to: x.dtype).reshape([rows, blocks])
      centred = codes - points.reshape([rows, blocks, 1])
    } else {
      centred = codes - Double(1 << (bits - 1))
    }
    let weight = (centred * scales).reshape([rows, blocks * block]).slice(axis: 1, from: 0, to: columns)
    let y = matmul(x, weight.permute([1, 0]))
    return try call.optional(5).map { y + $0 } ?? y
  }
}
