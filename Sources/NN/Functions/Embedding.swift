public import LatheCore

/// The rows of a table at places of any shape.
///
/// - Parameters:
///   - paddingIdx: A row that takes no gradient.
///   - maxNorm: Rows that are longer are taken as if shortened to this; PyTorch shortens them in the table itself, which
///     ``embeddingRenorm(_:_:maxNorm:normType:)`` gives.
///   - normType: The `p` of the norm that `maxNorm` bounds.
///   - scaleGradByFreq: Whether the gradient of a row is divided by how often it is taken.
public func embedding(
  _ x: Tensor, _ weight: Tensor, paddingIdx: Int? = nil, maxNorm: Double? = nil, normType: Double = 2,
  scaleGradByFreq: Bool = false
) -> Tensor {
  composite("embedding", [x, weight]) { () throws(TypeFault) -> Tensor in
    try requireTable(x, weight)
    var table = weight
    if let maxNorm { table = try embeddingRenorm(x, weight, maxNorm: maxNorm, normType: normType).checked() }
    let places = x.unsqueeze(dim: -1)
    var rows = table.gather(places, IndexedAxes(axes: [0]))
    if scaleGradByFreq {
      let none = weight.builder.zeros(TensorType(weight.dtype, [weight.shape[0]]))
      let one = weight.builder.full(TensorType(weight.dtype, x.shape), .float(1))
      let counts = none.scatter(places, one, IndexedAxes(axes: [0]), combiner: .sum)
        .gather(places, IndexedAxes(axes: [0]))
      rows =
        withGradient("embedding", [rows, counts]) {
          [$0[0]]
        } backward: { inputs, _, slopes in
          [slopes[0] / inputs[1].unsqueeze(dim: -1), nil]
        }[0]
    }
    guard let paddingIdx else { return rows }
    let place = try row(paddingIdx, of: weight)
    return (x .== place).unsqueeze(dim: -1).select(rows.detach(), rows)
  }
}

/// A table whose rows at places are shortened to a norm where they are longer.
///
/// It is what `embedding` with `maxNorm` leaves behind in PyTorch. The gradient passes as if nothing was changed.
public func embeddingRenorm(_ x: Tensor, _ weight: Tensor, maxNorm: Double, normType: Double = 2) -> Tensor {
  composite("embeddingRenorm", [x, weight]) { () throws(TypeFault) -> Tensor in
    try requireTable(x, weight)
    try weight.requireFloat("the weight")
    guard maxNorm >= 0, normType > 0 else { throw TypeFault("maxNorm is \(maxNorm), normType \(normType)") }
    let (places, table) = (x.unsqueeze(dim: -1), weight.detach())
    let rows = table.gather(places, IndexedAxes(axes: [0]))
    let norms = rows.norm(p: normType, dim: -1, keepdim: true)
    let shortened = (norms .> maxNorm).select(rows * (maxNorm / (norms + 1e-7)), rows)
    let renormed = table.scatter(places, shortened, IndexedAxes(axes: [0]), combiner: nil)
    return withGradient("embeddingRenorm", [weight, renormed]) {
      [$0[1]]
    } backward: { _, _, slopes in
      [slopes[0], nil]
    }[0]
  }
}

/// How an embedding bag joins its rows.
public enum EmbeddingBagMode: String, Sendable {
  /// The sum, the mean or the maximum of the rows.
  case sum, mean, max

  fileprivate var reduction: ScatterReduction {
    switch self {
    case .sum: .sum
    case .mean: .mean
    case .max: .amax
    }
  }
}

/// Rows of a table, joined bag by bag, `[bags, features]`; an empty bag gives zeros.
///
/// Source: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
///
/// - Parameters:
///   - x: `[bags, length]`, or the rows of all bags one after another, `[N]`, with `offsets`.
///   - offsets: `[bags]`, where each bag starts in `x`.
///   - perSampleWeights: What rows are multiplied by before they are added, of the shape of `x`; for `sum` only.
///   - includeLastOffset: Whether the last of the offsets is the end of `x`, and not another bag's start.
///   - paddingIdx: A row that takes no part and no gradient.
///   - maxNorm: As for `embedding`, and so `normType` and `scaleGradByFreq`.
public func embeddingBag(
  _ x: Tensor, _ weight: Tensor, offsets: Tensor? = nil, mode: EmbeddingBagMode = .mean,
  perSampleWeights: Tensor? = nil, includeLastOffset: Bool = false, paddingIdx: Int? = nil, maxNorm: Double? = nil,
  normType: Double = 2, scaleGradByFreq: Bool = false
) -> Tensor {
  composite("embeddingBag", [x, weight, offsets, perSampleWeights]) { () throws(TypeFault) -> Tensor in
    try requireTable(x, weight)
    try x.requireRank(1...2, "the input")
    guard (x.rank == 1) == (offsets != nil) else {
      throw TypeFault(
        "the input is \(x.type), with \(offsets == nil ? "no " : "")offsets",
        help: "one axis needs offsets, two have none")
    }
    guard perSampleWeights == nil || mode == .sum else { throw TypeFault("weights of samples are for sums only") }
    let places = x.reshape([-1])
    var bag: Tensor
    let bags: Int
    if let offsets {
      guard offsets.dtype.isInteger, offsets.rank == 1 else {
        throw TypeFault("the offsets are \(offsets.type), need integers of one axis")
      }
      bags = try offsets.knownSize(0) - (includeLastOffset ? 1 : 0)
      guard bags >= 0 else { throw TypeFault("there is no last offset") }
      let starts = offsets.narrow(dim: 0, start: 0, length: bags).convert(to: .i64)
      let position = x.builder.iota(TensorType(.i64, [1] + x.shape), axis: 1)
      bag = (starts.unsqueeze(dim: -1) .<= position).convert(to: .i64).sum(dim: [0]) - 1
    } else {
      bags = try x.knownSize(0)
      bag = x.builder.iota(TensorType(.i64, x.shape), axis: 0).reshape([-1])
    }
    var rows = embedding(places, weight, maxNorm: maxNorm, normType: normType, scaleGradByFreq: scaleGradByFreq)
    if let perSampleWeights {
      guard perSampleWeights.type == TensorType(weight.dtype, x.shape) else {
        throw TypeFault(
          "the weights of samples are \(perSampleWeights.type), need \(TensorType(weight.dtype, x.shape))")
      }
      rows = rows * perSampleWeights.reshape([-1, 1])
    }
    // What takes no part goes to one more bag.
    if let paddingIdx {
      bag = (places .== (try row(paddingIdx, of: weight))).select(bag.fullLike(bags), bag)
    }
    return x.builder.zeros(TensorType(weight.dtype, [Dim(bags + 1), weight.shape[1]]))
      .indexReduce(dim: 0, bag, rows, reduce: mode.reduction, includeSelf: false)
      .narrow(dim: 0, start: 0, length: bags)
  }
}

/// The number of a row of a table, counted from the end where it is negative.
private func row(_ index: Int, of weight: Tensor) throws(TypeFault) -> Int {
  let count = try weight.knownSize(0)
  let row = index < 0 ? index + count : index
  guard row >= 0, row < count else {
    throw TypeFault("paddingIdx \(index) is outside the \(count) rows of \(weight.type)")
  }
  return row
}

private func requireTable(_ x: Tensor, _ weight: Tensor) throws(TypeFault) {
  guard x.dtype.isInteger else { throw TypeFault("the indices are \(x.type), need integers") }
  try weight.requireRank(2...2, "the weight")
}
