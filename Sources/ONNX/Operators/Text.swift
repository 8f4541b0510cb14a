internal import LatheCore

/// What can be said of texts without strings.
extension Operator {
  static let text: [String: Operator] = ["TfIdfVectorizer": .one(vectorized)]

  /// How often each n-gram of a known pool occurs in a sequence of numbers, `[C]` or `[B, C]`.
  private static func vectorized(_ call: Call) throws(TypeFault) -> Tensor {
    guard try call.strings("pool_strings") == nil, let pool = try call.unboundedIntegers("pool_int64s") else {
      throw TypeFault("n-grams of strings are not supported", help: "encode the words as integers before the model")
    }
    let x = try call.tensor(0).convert(to: .i64)
    guard x.rank == 1 || x.rank == 2 else { throw TypeFault("the operand \(x.type) is not [C] or [B, C]") }
    let rows = x.rank == 1 ? x.inserting(axes: [0]) : x
    let length = try rows.size(1, "the length of the sequences")
    let (shortest, longest) = (try call.integer("min_gram_length"), try call.integer("max_gram_length"))
    let (starts, indexes) = (try call.integers("ngram_counts"), try call.integers("ngram_indexes"))
    let skips = try call.integer("max_skip_count")
    guard shortest > 0, longest >= shortest, skips >= 0, skips <= 1 << 10 else {
      throw TypeFault("n-grams of \(shortest) to \(longest) with \(skips) skipped")
    }
    let width = (indexes.max() ?? -1) + 1
    guard width > 0, width <= 1 << 20, indexes.allSatisfy({ $0 >= 0 }) else {
      throw TypeFault("ngram_indexes \(indexes)")
    }
    var counts = call.builder.zeros(TensorType(.f32, [rows.shape[0], Dim(width)]))
    var first = 0  // of the n-grams of a length, among all
    for (position, start) in starts.enumerated() {
      let size = position + 1
      let end = position + 1 < starts.count ? starts[position + 1] : pool.count
      guard start >= 0, start <= end, end <= pool.count, (end - start) % size == 0 else {
        throw TypeFault("the ngram_counts \(starts) do not fit a pool of \(pool.count)")
      }
      let count = (end - start) / size
      defer { first += count }
      guard count > 0, (shortest...longest).contains(size) else { continue }
      guard first + count <= indexes.count else { throw TypeFault("an n-gram has no index") }
      let grams = call.builder.constant(
        unfailing { try NDArray(pool[start..<end].map { Int64($0) }, shape: [count, size]) })
      var target = [Double](repeating: 0, count: count * width)
      for gram in 0..<count { target[gram * width + indexes[first + gram]] = 1 }
      let columns = call.builder.constant(
        unfailing { try NDArray(target.map { Float($0) }, shape: [count, width]) })
      // Single numbers have nothing between them to skip.
      for distance in 1...(size == 1 ? 1 : skips + 1) {
        let places = length - distance * (size - 1)
        guard places > 0 else { continue }
        var isMet: Tensor?  // [B, places, grams]
        for item in 0..<size {
          let window = rows.slice(axis: 1, from: item * distance, to: item * distance + places).inserting(axes: [2])
          let equal = window .== grams.slice(axis: 1, from: item, to: item + 1).reshape([count])
          isMet = isMet.map { $0 .& equal } ?? equal
        }
        guard let isMet else { continue }
        let found = isMet.convert(to: .f32).reduce(.sum, axes: [1])
        counts = counts + found.dot(columns, DotGeneral(leftContracting: [1], rightContracting: [0]))
      }
    }
    var weights: Tensor?
    if let listed = try call.floats("weights") {
      guard listed.count == width else { throw TypeFault("\(listed.count) weights for \(width) columns") }
      weights = call.builder.constant(NDArray(listed.map { Float($0) }))
    }
    let isThere = (counts .> 0.0).convert(to: .f32)
    let y: Tensor
    switch try call.string("mode") {
    case "TF": y = counts
    case "IDF": y = weights.map { isThere * $0 } ?? isThere
    case "TFIDF": y = weights.map { counts * $0 } ?? counts
    case let other: throw TypeFault("the mode '\(other)' is not one of TF, IDF, TFIDF")
    }
    return x.rank == 1 ? y.reshape([width]) : y
  }
}
